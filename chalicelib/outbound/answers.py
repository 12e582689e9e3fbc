"""What is asked, what comes back, and how an exchange can fail.

    OutboundError
    ├── NotSentError          nothing can have happened at the other side
    └── OutcomeUnknownError   the request may have been taken

No message holds a URL: keys travel in them.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

Resolve = Callable[..., list[Any]]
"""Finds the addresses of a host, as `socket.getaddrinfo` does."""

MOST_EXCERPT = 256
"""Characters."""

Trust = Callable[[], SSLContext]
"""Tells whose certificates are believed."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to another server, its body bytes, or what JSON or a form is made of."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. Header names are lower-case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def retry_after(self) -> int | None:
        """The seconds that its Retry-After header names, if it names seconds."""
        value = self.headers.get("retry-after", "").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else None

    def excerpt(self) -> str:
        """How its body begins, for a log: at most 256 printable characters, in one line."""
        if self.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return ""
        # Not the plain decoder, which would replace a character that the cut goes through.
        decoder = getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(self.body[: 4 * MOST_EXCERPT])
        return "".join(map(_printable, text))[:MOST_EXCERPT]


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else ""


class OutboundError(Exception):
    """An exchange that failed.

    `reason` is one of address_not_allowed, bad_answer (no HTTP, or badly packed), timeout,
    tls_failed, connection_failed, too_busy (too many threads hang), too_large, request_failed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSentError(OutboundError):
    """The request never left: no such address, none that we may call, no connection."""


class OutcomeUnknownError(OutboundError):
    """The request was under way when the exchange broke.

    `answer` has the status and headers if these had come, and the first bytes of the body if any.
    """

    def __init__(self, reason: str, answer: Fetched | None = None) -> None:
        super().__init__(reason)
        self.answer = answer
