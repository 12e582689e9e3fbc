"""What every SMS provider's module offers, and the words they share.

A provider is one module of this package, named as in its URL. What it does for us decides which
of these it defines:

    METHODS                                       the HTTP methods that it posts by
    verify(post, account, now) -> bool            is this post genuinely theirs?
    parse(post, now) -> list[InboundSms]          its messages; InvalidInputError if unreadable
    accepted() -> Reply                           what it wants to hear so as not to send again

    certificate_url(post, account) -> str | None  what must be fetched before verify can tell
    confirmation_url(post, account) -> str | None what must be fetched for it to post to us at all

    send(sms, account, line) -> str               sends; the provider's id of the message
    receipts(post, now) -> list[Receipt]          its delivery receipts; InvalidInputError

The first four are every provider's. Errors are answered by status alone: providers read no bodies.
docs/adding-a-provider.md is the checklist.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.domain.text import well_formed
from chalicelib.domain.times import DAY, Millis
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.settings import ProviderAccount

EARLIEST = Millis(946_684_800_000)
"""2000-01-01T00:00:00Z: what claims to be older is a mistake, not an SMS."""

MOST_MESSAGE_ID = 200
MOST_TEXT = 4_000
"""Characters of one SMS: ten of them must fit a rental's item of 400 kB, four bytes each."""


@dataclass(frozen=True, slots=True)
class InboundPost:
    """An HTTP request as it came: `url` is the public one, `headers` have lower-case names.

    `certificate` is what was found at the provider's `certificate_url`, empty without one.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    source_ip: str = ""
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a long SMS a post brings: `number` from 1 to `total`.

    `group` is what its parts have in common at the provider, beside sender and recipient.
    """

    group: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class InboundSms:
    """One SMS that a provider brings. Numbers are as the provider wrote them.

    `part` is there if the provider does not join the parts of a long SMS; each has an id of its
    own.
    """

    message_id: str
    sender: str
    to: str
    text: str
    received_at: Millis
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The body and content type that a provider wants with its 200."""

    body: str
    content_type: str


class Provider(Protocol):
    """The contract that a provider's module fulfils."""

    METHODS: frozenset[str]

    def verify(self, post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
        """Whether one of the account's secrets signed this post, fresh where it says when."""

    def parse(self, post: InboundPost, now: Millis) -> list[InboundSms]:
        """The post's messages. Raises InvalidInputError naming the field."""

    def accepted(self) -> Reply:
        """The answer that stops the provider from sending again."""


def required(fields: Mapping[str, object], name: str, *, most: int = 256) -> str:
    """The text of field `name`. Raises InvalidInputError if it is absent, blank or too long."""
    value = fields.get(name)
    if value is None or value == "":
        raise MissingInputError(name, "a text")
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise InvalidInputError(name, f"a text of 1 to {most} characters")
    return well_formed(value)


def sms_text(fields: Mapping[str, object], name: str) -> str:
    """The SMS body in field `name`, which may be empty. Raises InvalidInputError."""
    value = fields.get(name)
    if value is None:
        raise MissingInputError(name, "the text of the SMS")
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise InvalidInputError(name, f"a text of at most {MOST_TEXT} characters")
    return well_formed(value)


def plausible(name: str, moment: int, now: Millis) -> Millis:
    """When something was that field `name` says was at `moment`; `now`, if that is a little ahead.

    Raises InvalidInputError naming the field if it is before 2000, or ahead by more than a day.
    """
    if not EARLIEST <= moment <= now + DAY:
        raise InvalidInputError(name, "a time since 2000 and not ahead of now")
    return Millis(min(moment, now))


def json_object(body: bytes) -> Mapping[str, object]:
    """The JSON object in `body`. Raises InvalidInputError naming `body`."""
    try:
        # Decoded here, because json.loads would guess at UTF-16 and UTF-32.
        fields = json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInputError("body", "a JSON object in UTF-8") from None
    if not isinstance(fields, dict):
        raise InvalidInputError("body", "a JSON object in UTF-8")
    return fields


def message_id(fields: Mapping[str, object], name: str) -> str:
    """The id in field `name`, by which a repeat is known. Raises InvalidInputError."""
    found = required(fields, name, most=MOST_MESSAGE_ID)
    # It becomes part of a key. Mended text is refused, as two ids could be mended into one.
    if found != fields[name] or not found.isprintable():
        raise InvalidInputError(name, f"1 to {MOST_MESSAGE_ID} printable characters")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
