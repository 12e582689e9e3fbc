"""One HTTP exchange, from the name's resolution to the last byte, under one deadline.

It runs in a thread of its own, for nothing else bounds a resolver. At the deadline the caller cuts
the connection and goes on; the thread ends by that, or when its resolver gives up.
"""

import zlib
from collections.abc import Collection
from contextlib import closing, suppress
from functools import partial
from http.client import (
    BadStatusLine,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    LineTooLong,
    RemoteDisconnected,
    UnknownProtocol,
)
from ssl import SSLError

from chalicelib.domain.urls import target_of
from chalicelib.outbound.answers import (
    Fetched,
    NotSentError,
    OutboundError,
    Request,
    Resolve,
    Trust,
)
from chalicelib.outbound.body import Body, TooLargeError
from chalicelib.outbound.connection import Connection
from chalicelib.outbound.line import Line
from chalicelib.outbound.message import message_of
from chalicelib.outbound.threads import Threads, TooManyLeftBehindError
from chalicelib.outbound.tls import public_trust

MOST_HEADER_BYTES = 65_536
MOST_LEFT_BEHIND = 32
"""How many threads may hang in resolvers. The system's own gives up after half a minute or so."""

_FIRST_BYTES = 1_024
_CHUNK_BYTES = 16_384
_threads = Threads(MOST_LEFT_BEHIND)


def exchange(
    request: Request,
    *,
    allow_loopback: bool,
    resolve: Resolve,
    deadline_seconds: float,
    most_bytes: int,
    allowed_ports: Collection[int] | None = None,
    trust: Trust = public_trust,
    unpack: bool = True,
    threads: Threads = _threads,
) -> Fetched:
    """Send `request` and read its answer, of at most `most_bytes`, unpacked if `unpack` says so.

    Raises NotSentError, OutcomeUnknownError.
    """
    try:
        target = target_of(request.url, allow_loopback=allow_loopback, allowed_ports=allowed_ports)
    except ValueError:
        raise NotSentError("address_not_allowed") from None
    line = Line(
        target,
        resolve=resolve,
        trust=trust,
        deadline_seconds=deadline_seconds,
        most_bytes=MOST_HEADER_BYTES + most_bytes,
    )
    try:
        return threads.run(partial(_perform, request, line, most_bytes, unpack), deadline_seconds)
    except TimeoutError:
        raise line.cut() from None
    except TooManyLeftBehindError:
        raise NotSentError("too_busy") from None


def _perform(request: Request, line: Line, most_bytes: int, unpack: bool) -> Fetched:
    try:
        message = message_of(request)
        with closing(Connection(line)) as connection:
            with suppress(BrokenPipeError):  # who refuses a request may not have read it all
                connection.request(
                    message.method, message.target, message.body, dict(message.headers)
                )
            with connection.getresponse() as answer:
                return _read(answer, line, most_bytes, unpack)
    except OutboundError:
        raise
    except (OSError, HTTPException, TooLargeError, ValueError, zlib.error) as error:
        # `from None`: their messages may hold the URL.
        raise line.failure(_reason(error)) from None
    finally:
        line.close()


def _read(answer: HTTPResponse, line: Line, most_bytes: int, unpack: bool) -> Fetched:
    headers = {name.lower(): answer.getheader(name, "") for name in answer.headers}
    if sum(len(name) + len(value) for name, value in headers.items()) > MOST_HEADER_BYTES:
        raise TooLargeError
    line.has_answered(Fetched(answer.status, b"", headers))
    body = Body(headers.get("content-encoding", "") if unpack else "", most_bytes)
    # One read at a time: of a body that comes in drops, what came is known at the deadline.
    while data := answer.read1(_CHUNK_BYTES):
        try:
            body.add(data)
        finally:
            line.has_answered(Fetched(answer.status, body.first(_FIRST_BYTES), headers))
    if answer.length:
        raise IncompleteRead(b"")
    return Fetched(answer.status, body.whole(), headers)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, SSLError):
        return "tls_failed"
    if isinstance(error, OSError | RemoteDisconnected | IncompleteRead):
        return "connection_failed"
    # The last is what http.client raises for more than a hundred headers.
    if isinstance(error, TooLargeError | LineTooLong) or type(error) is HTTPException:
        return "too_large"
    if isinstance(error, BadStatusLine | UnknownProtocol | zlib.error):
        return "bad_answer"
    return "request_failed"
