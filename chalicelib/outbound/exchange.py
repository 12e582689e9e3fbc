"""One HTTP exchange, from the name's resolution to the last byte, under one deadline.

It runs in a thread of its own, for nothing else bounds a resolver. At the deadline the caller cuts
the connection and goes on; the thread ends by that, or when its resolver gives up.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from chalicelib.domain.urls import is_loopback, is_private
from chalicelib.outbound.answers import Fetched, NotSentError, OutboundError, Request, Resolve
from chalicelib.outbound.line import Line

MOST_HEADER_BYTES = 65_536
_CHUNK_BYTES = 16_384


def exchange(
    request: Request,
    *,
    allow_loopback: bool,
    resolve: Resolve,
    deadline_seconds: float,
    most_bytes: int,
) -> Fetched:
    """Send `request` and read its answer, of at most `most_bytes`.

    Raises NotSentError, OutcomeUnknownError.
    """
    local = _is_local(request.url, allow_loopback=allow_loopback)
    line = Line(local=local, resolve=resolve, deadline_seconds=deadline_seconds)
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange")
    running = pool.submit(_perform, request, line, deadline_seconds, most_bytes)
    pool.shutdown(wait=False)
    try:
        return running.result(deadline_seconds)
    except TimeoutError:
        raise line.cut() from None


def _is_local(url: str, *, allow_loopback: bool) -> bool:
    """Whether `url` leads to this machine. Raises NotSentError if it may not be called at all."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotSentError("address_not_allowed") from None
    if allow_loopback and is_loopback(parts):
        return True
    if parts.scheme != "https" or is_private(parts.hostname or ""):
        raise NotSentError("address_not_allowed")
    return False


def _perform(request: Request, line: Line, timeout: float, most_bytes: int) -> Fetched:
    # `from None` throughout: the messages of requests hold the URL.
    adapter = _Adapter(line)
    try:
        # An adapter alone: a session would read the environment, and read the whole body of a
        # redirect that it was told not to follow.
        with adapter.send(_prepared(request), stream=True, timeout=timeout) as answer:
            return _read(answer, line, most_bytes)
    except OutboundError:
        raise
    except requests.Timeout:
        raise line.failure("timeout") from None
    except requests.exceptions.SSLError:
        raise line.failure("tls_failed") from None
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        raise line.failure("connection_failed") from None
    except (requests.RequestException, HTTPError, HTTPException, ValueError):
        raise line.failure("request_failed") from None
    except OSError:  # the last, for a RequestException is one
        raise line.failure("connection_failed") from None
    finally:
        adapter.close()
        line.close()


def _prepared(request: Request) -> requests.PreparedRequest:
    headers = {"user-agent": "Sesame/1", "connection": "close", **request.headers}
    return requests.Request(
        request.method,
        request.url,
        params=dict(request.params or {}),
        headers=headers,
        json=request.json,
        data=request.form if request.body is None else request.body,
    ).prepare()


def _read(answer: requests.Response, line: Line, most_bytes: int) -> Fetched:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > MOST_HEADER_BYTES:
        raise line.failure("too_large")
    line.has_answered(Fetched(answer.status_code, b"", headers))
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise line.failure("too_large")
    return Fetched(answer.status_code, bytes(body), headers)


class _Adapter(HTTPAdapter):
    """Lets requests connect by our line only, and never again after a failure."""

    def __init__(self, line: Line) -> None:
        super().__init__(max_retries=0)
        self._line = line

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # Typed by its stub as a pool that has no such attribute.
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _LineHTTPSConnection if pool.scheme == "https" else _LineHTTPConnection
        pool.ConnectionCls = partial(kind, line=self._line)
        return pool


class _LineHTTPConnection(HTTPConnection):
    def __init__(self, *args: Any, line: Line, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line

    def _new_conn(self) -> socket:
        return self._line.open(self._dns_host, self.port, tls=False)

    def connect(self) -> None:
        super().connect()
        self._line.is_open()


class _LineHTTPSConnection(HTTPSConnection):
    def __init__(self, *args: Any, line: Line, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line

    def _new_conn(self) -> socket:
        return self._line.open(self._dns_host, self.port, tls=True)

    def connect(self) -> None:
        super().connect()
        self._line.is_open()
