"""HTTP to the outside: one place, one policy.

No redirects, no proxy or credentials from the environment, only addresses of the public Internet
(this machine too where `allow_loopback` says so), one deadline over the whole exchange, little of
the answer read. Source: DESIGN.md, "Decided" 9. The exchange itself is imported at the first call:
most Lambdas never make one.
"""

import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.domain.urls import WEBHOOK_PORTS
from chalicelib.outbound.answers import (
    Fetched,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
    Request,
    Resolve,
    Trust,
)
from chalicelib.outbound.tls import public_trust

__all__ = [
    "Answer",
    "Fetch",
    "Fetched",
    "HttpFetch",
    "HttpPost",
    "NotSentError",
    "OutboundError",
    "OutcomeUnknownError",
    "Post",
]

EXCHANGE_SECONDS = 10
MOST_ANSWER_BYTES = 16_384
MOST_FETCHED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or why there is none. `retry_after` is in seconds.

    `excerpt` is how the answer's body begins, at most 256 printable characters. `millis` is how
    long the exchange took, whatever came of it.
    """

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    excerpt: str = ""
    millis: int = field(default=0, compare=False)

    def is_success(self) -> bool:
        """Whether the other side took it."""
        return self.status is not None and 200 <= self.status < 300


class Post(Protocol):
    """A way to post `body` to a URL; never raises."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What came back, or why nothing did."""
        ...


class Fetch(Protocol):
    """A way to ask another server, the whole exchange within `deadline_seconds`."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
    ) -> Fetched:
        """The whole answer, whatever its status. Raises NotSentError, OutcomeUnknownError."""
        ...


@dataclass(frozen=True, slots=True)
class HttpPost:
    """Posts over the network. Of an answer the status counts; its body may come late, or long."""

    allow_loopback: bool
    allowed_ports: Collection[int] = WEBHOOK_PORTS
    deadline_seconds: float = EXCHANGE_SECONDS
    resolve: Resolve = socket.getaddrinfo
    trust: Trust = public_trust

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post `body` to `url`. An exchange that fails is an Answer that says why."""
        began = time.monotonic()
        fetched, error = self._exchanged(Request("POST", url, headers=headers, body=body))
        millis = round((time.monotonic() - began) * 1_000)
        if fetched is None:
            return Answer(error=error, millis=millis)
        return Answer(
            status=fetched.status,
            retry_after=fetched.retry_after(),
            excerpt=fetched.excerpt(),
            millis=millis,
        )

    def _exchanged(self, request: Request) -> tuple[Fetched | None, str | None]:
        from chalicelib.outbound.exchange import exchange

        try:
            fetched = exchange(
                request,
                allow_loopback=self.allow_loopback,
                allowed_ports=self.allowed_ports,
                resolve=self.resolve,
                trust=self.trust,
                deadline_seconds=self.deadline_seconds,
                most_bytes=MOST_ANSWER_BYTES,
                unpack=False,
            )
        except OutcomeUnknownError as error:
            return error.answer, error.reason
        except NotSentError as error:
            return None, error.reason
        return fetched, None


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """Asks over the network a server of our configuration: it may use any port."""

    allow_loopback: bool
    most_bytes: int = MOST_FETCHED_BYTES
    resolve: Resolve = socket.getaddrinfo
    trust: Trust = public_trust

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
    ) -> Fetched:
        """The whole answer, whatever its status. Raises NotSentError, OutcomeUnknownError."""
        from chalicelib.outbound.exchange import exchange

        return exchange(
            Request(
                method,
                url,
                params=params,
                json=json,
                form=form,
                body=body,
                headers=headers or {},
            ),
            allow_loopback=self.allow_loopback,
            resolve=self.resolve,
            trust=self.trust,
            deadline_seconds=deadline_seconds,
            most_bytes=self.most_bytes,
        )
