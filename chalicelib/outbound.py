"""HTTP to the outside: one place, one policy.

No redirects, no proxy from the environment, only addresses of the public Internet (this machine
too where `allow_loopback` says so), a bounded exchange, little of the answer read. Source:
DESIGN.md, "Decided" 9. `requests` is imported at the first call: most Lambdas never make one.
"""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from chalicelib.domain.urls import is_loopback, is_private

if TYPE_CHECKING:
    from requests import Session

CONNECT_SECONDS = 3
EXCHANGE_SECONDS = 10
MOST_ANSWER_BYTES = 16_384
_CHUNK_BYTES = 4_096


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


@dataclass(frozen=True, slots=True)
class HttpPost:
    """Posts over the network."""

    allow_loopback: bool

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post `body` to `url`. An exchange that fails is an Answer that says why."""
        import requests

        if not self._may_reach(url):
            return Answer(error="address_not_allowed")
        try:
            with requests.Session() as session:
                session.trust_env = False
                return _exchange(session, url, body, headers)
        except requests.Timeout:
            return Answer(error="timeout")
        except requests.exceptions.SSLError:
            return Answer(error="tls_failed")
        except requests.ConnectionError:
            return Answer(error="connection_failed")
        except (requests.RequestException, ValueError):
            return Answer(error="request_failed")

    def _may_reach(self, url: str) -> bool:
        parts = urlsplit(url)
        if self.allow_loopback and is_loopback(parts):
            return True
        host = parts.hostname or ""
        if parts.scheme != "https" or is_private(host):
            return False
        try:
            found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError:
            # The request will fail to resolve it too, and say so.
            return True
        return not any(is_private(str(address[0])) for *_, address in found)


def _exchange(session: "Session", url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    ends = time.monotonic() + EXCHANGE_SECONDS
    with session.post(
        url,
        data=body,
        headers=dict(headers),
        timeout=(CONNECT_SECONDS, EXCHANGE_SECONDS),
        allow_redirects=False,
        stream=True,
    ) as answer:
        read = 0
        for chunk in answer.iter_content(_CHUNK_BYTES):
            read += len(chunk)
            if read >= MOST_ANSWER_BYTES or time.monotonic() > ends:
                break
        return Answer(status=answer.status_code, retry_after=_seconds(answer.headers))


def _seconds(headers: Mapping[str, str]) -> int | None:
    value = headers.get("Retry-After", "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else None
