"""The server under test: what is asked of it, what it answered, and what is rented there."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

from chalicelib.outbound import MOST_FETCHED_BYTES, Fetched, OutboundError
from chalicelib.outbound.answers import Request
from chalicelib.suppliers.fields import Fields, load_object

ANSWER_SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"
_NOTHING: Mapping[str, str] = {}
_MOST_SHOWN = 48
_SHORTEST_KEY = 8
"""Characters. What is shorter is found by accident in what is no key."""


class Endpoint(NamedTuple):
    """One of spec B's four calls."""

    method: str
    path: str


NUMBERS = Endpoint("GET", "/getNumbers")
RENT = Endpoint("POST", "/rentNumber")
SMS = Endpoint("GET", "/getSMS")
CANCEL = Endpoint("POST", "/cancelNumber")

Send = Callable[[Request], Fetched]
"""Sends a request and gives the answer. Raises NotSentError, OutcomeUnknownError."""


class UnreachableError(Exception):
    """The very first request got no answer; `reason` is that of an OutboundError."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyRefusedError(Exception):
    """The server answers 401 to the key that it is tested with: nothing more can be seen."""


class NoAnswerError(Exception):
    """A request got no whole answer."""

    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(f"{endpoint.path}: no answer ({reason})")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `fields` is None if its body is no JSON object. The key is cut from it."""

    endpoint: Endpoint
    status: int
    media_type: str
    fields: Fields | None = field(repr=False)
    retry_after: int | None
    seconds: float

    def __str__(self) -> str:
        """The status and the error code, fit for a terminal."""
        code = (self.fields or {}).get("code")
        told = f" {shown(code)}" if self.status >= 400 and isinstance(code, str) else ""
        return f"{self.endpoint.path}: HTTP {self.status}{told}"

    def is_success(self) -> bool:
        """Whether it is a success by its status and by its `status`."""
        found = self.fields or {}
        return 200 <= self.status < 300 and found.get("status") == "success"


class Target:
    """The server under test, called with one key. Safe to share between threads."""

    def __init__(self, url: str, key: str, send: Send) -> None:
        self.replies: list[Reply] = []
        self.rents = 0
        """How many times a number was asked for."""
        self.rented: set[str] = set()
        """The ids of all rentals that were ever given."""
        self._url = url.rstrip("/")
        self._key = key
        self._send = send
        self._held: dict[str, bool] = {}  # rental id → whether a cancel was tried
        self._is_doubted = False
        self._lock = Lock()

    def ask(
        self,
        endpoint: Endpoint,
        given: Mapping[str, str] = _NOTHING,
        *,
        form: bool = False,
        headers: Mapping[str, str] = _NOTHING,
    ) -> Reply:
        """Call with the key under test. Raises KeyRefusedError, NoAnswerError."""
        reply = self.ask_as(self._key, endpoint, given, form=form, headers=headers)
        if reply.status == 401:
            if endpoint.method == "GET":
                raise KeyRefusedError
            # Its server may just not have read the body with the key in it.
            self._is_doubted = True
        return reply

    def confirm_key(self) -> None:
        """Ask again with the key if a POST with it was a 401. Raises KeyRefusedError."""
        if self._is_doubted:
            self._is_doubted = False
            with suppress(NoAnswerError):
                self.ask(NUMBERS)

    def ask_as(
        self,
        key: str | None,
        endpoint: Endpoint,
        given: Mapping[str, str] = _NOTHING,
        *,
        form: bool = False,
        headers: Mapping[str, str] = _NOTHING,
    ) -> Reply:
        """Call with another key, or with none. Raises NoAnswerError."""
        named = {**({} if key is None else {"api_key": key}), **given}
        if endpoint.method == "GET":
            return self._sent(endpoint, given, headers, params=named)
        if form:
            headers = {**headers, "Content-Type": FORM}
            return self._sent(endpoint, given, headers, body=urlencode(named).encode())
        return self._sent(endpoint, given, headers, json=named)

    def post(self, endpoint: Endpoint, body: bytes, content_type: str) -> Reply:
        """Post `body` as it is. Raises NoAnswerError."""
        return self._sent(endpoint, {}, {"Content-Type": content_type}, body=body)

    def json_body(self, **given: str) -> bytes:
        """The body of a call with the key under test, for `post`."""
        return json.dumps({"api_key": self._key, **given}).encode()

    def release(self, *, again: bool = False) -> None:
        """Cancel what is held and was not tried yet; `again`: all that is held."""
        for rental_id, was_tried in list(self._held.items()):
            if not was_tried or again:
                self._held[rental_id] = True
                with suppress(NoAnswerError):
                    self.ask(CANCEL, {"rental_id": rental_id})

    def forget(self, rental_id: str) -> None:
        """Note that a rental ended by itself."""
        self._held.pop(rental_id, None)

    def held(self) -> list[str]:
        """The ids of the rentals that are not cancelled."""
        return list(self._held)

    def _sent(
        self,
        endpoint: Endpoint,
        given: Mapping[str, str],
        headers: Mapping[str, str],
        **content: Any,
    ) -> Reply:
        url = self._url + endpoint.path
        request = Request(endpoint.method, url, headers=headers, **content)
        with self._lock:
            self.rents += endpoint is RENT
        started = time.monotonic()
        try:
            fetched = self._send(request)
        except OutboundError as error:
            raise NoAnswerError(endpoint, error.reason) from error
        reply = Reply(
            endpoint,
            fetched.status,
            fetched.headers.get("content-type", "").partition(";")[0].strip().lower(),
            load_object(self._without_key(fetched.body)),
            fetched.retry_after(),
            time.monotonic() - started,
        )
        with self._lock:
            self.replies.append(reply)
            self._note(reply, given)
        return reply

    def _note(self, reply: Reply, given: Mapping[str, str]) -> None:
        if not reply.is_success() or reply.fields is None:
            return
        if reply.endpoint is RENT and reply.fields.get("rental_id"):
            rental_id = str(reply.fields["rental_id"])
            self.rented.add(rental_id)
            self._held[rental_id] = False
        if reply.endpoint is CANCEL:
            self._held.pop(given.get("rental_id", ""), None)

    def _without_key(self, body: bytes) -> bytes:
        """`body` with the key, however it is written there, cut out: it is never printed."""
        if len(self._key) < _SHORTEST_KEY:
            return body
        for key in {self._key, quote(self._key, safe=""), quote_plus(self._key)}:
            body = body.replace(key.encode(), b"***")
        return body


def send_over_http(request: Request) -> Fetched:
    """Ask over the network: https of public hosts, http of this machine alone.

    Raises NotSentError, OutcomeUnknownError.
    """
    from chalicelib.outbound.exchange import exchange

    return exchange(
        request,
        allow_loopback=True,
        resolve=socket.getaddrinfo,
        deadline_seconds=ANSWER_SECONDS,
        most_bytes=MOST_FETCHED_BYTES,
    )


def shown(value: object) -> str:
    """What a server wrote, short and fit for a terminal."""
    text = json.dumps(value, default=str, ensure_ascii=False).strip('"')
    text = "".join(letter if letter.isprintable() else "·" for letter in text)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
