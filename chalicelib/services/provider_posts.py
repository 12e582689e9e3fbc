"""What providers post, until it is known to be theirs."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from chalicelib.domain.times import DAY, Clock, Millis
from chalicelib.errors import BusyError, ForbiddenError
from chalicelib.outbound import Fetch, OutboundError
from chalicelib.providers.contract import InboundPost, Provider
from chalicelib.providers.unsigned import is_allowed
from chalicelib.settings import ProviderAccount

_FETCH_SECONDS = 3
_KEPT_FOR = DAY
_MOST_KEPT = 16


@runtime_checkable
class Certified(Protocol):
    """A provider whose signatures are checked by a certificate that it names."""

    def certificate_url(self, post: InboundPost, account: ProviderAccount) -> str | None:
        """Where it is to be fetched; None if the post can't be for the account."""


@runtime_checkable
class Confirming(Protocol):
    """A provider that posts to nobody who has not confirmed that."""

    def confirmation_url(self, post: InboundPost, account: ProviderAccount) -> str | None:
        """What is to be fetched to confirm; None for other posts."""


@dataclass(slots=True)
class ProviderPosts:
    """Lets genuine posts in, and fetches what that takes."""

    clock: Clock
    fetch: Fetch
    _certificates: OrderedDict[str, tuple[Millis, bytes]] = field(default_factory=OrderedDict)

    def genuine(
        self, provider: Provider, posts: Sequence[InboundPost], account: ProviderAccount
    ) -> InboundPost:
        """The one of `posts`, which are spellings of the same, that is theirs. One that asks for it
        is confirmed.

        Raises ForbiddenError, and BusyError if what it takes can't be fetched now.
        """
        if not is_allowed(posts[0].source_ip, account.allow_ips):
            raise ForbiddenError("address_not_allowed", "Posts from this address are not taken.")
        if isinstance(provider, Certified):
            url = provider.certificate_url(posts[0], account)
            certificate = self._certificate(url) if url else b""
            posts = [replace(post, certificate=certificate) for post in posts]
        now = self.clock()
        found = [post for post in posts if provider.verify(post, account, now)]
        if not found:
            raise ForbiddenError("invalid_signature", "The signature does not match.")
        if isinstance(provider, Confirming):
            url = provider.confirmation_url(found[0], account)
            if url is not None:
                self._fetched(url)
        return found[0]

    def _certificate(self, url: str) -> bytes:
        now = self.clock()
        until, certificate = self._certificates.get(url, (now, b""))
        if now >= until:
            certificate = self._fetched(url)
            self._certificates[url] = (Millis(now + _KEPT_FOR), certificate)
            while len(self._certificates) > _MOST_KEPT:
                self._certificates.popitem(last=False)
        return certificate

    def _fetched(self, url: str) -> bytes:
        try:
            answer = self.fetch("GET", url, deadline_seconds=_FETCH_SECONDS)
        except OutboundError:
            raise BusyError from None
        if answer.status != 200:
            raise BusyError
        return answer.body
