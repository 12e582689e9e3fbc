"""HTTP to the outside: one place, one policy.

No redirects, no proxy or credentials from the environment, only addresses of the public Internet
(this machine too where `allow_loopback` says so), one deadline over the whole exchange, little of
the answer read. Source: DESIGN.md, "Decided" 9. The exchange itself, and `requests` with it, is
imported at the first call: most Lambdas never make one.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.outbound.answers import (
    Fetched,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
    Request,
    Resolve,
)

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
    """What came back: a status, or why there is none. `retry_after` is in seconds."""

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None

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
    deadline_seconds: float = EXCHANGE_SECONDS
    resolve: Resolve = socket.getaddrinfo

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post `body` to `url`. An exchange that fails is an Answer that says why."""
        from chalicelib.outbound.exchange import exchange

        try:
            fetched = exchange(
                Request("POST", url, headers=headers, body=body),
                allow_loopback=self.allow_loopback,
                resolve=self.resolve,
                deadline_seconds=self.deadline_seconds,
                most_bytes=MOST_ANSWER_BYTES,
            )
        except OutcomeUnknownError as error:
            if error.answer is None:
                return Answer(error=error.reason)
            fetched = error.answer
        except NotSentError as error:
            return Answer(error=error.reason)
        return Answer(status=fetched.status, retry_after=fetched.retry_after())


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """Asks over the network."""

    allow_loopback: bool
    most_bytes: int = MOST_FETCHED_BYTES
    resolve: Resolve = socket.getaddrinfo

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
            deadline_seconds=deadline_seconds,
            most_bytes=self.most_bytes,
        )
