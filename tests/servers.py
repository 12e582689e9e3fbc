"""Real servers on loopback, well-behaved and not: raw sockets, one thread a connection."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE = 10
"""Seconds until a test that waits for what never comes fails."""

TRICKLE = 0.05
"""Seconds between two bytes of a slow server."""


@dataclass(frozen=True)
class Received:
    """A request as it came. Header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Behave = Callable[[socket.socket, Received], None]


@dataclass
class Server:
    """A server that behaves as told. After that it waits for its client to close."""

    behave: list[Behave]
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    closed: SimpleQueue[bool] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def was_closed(self) -> bool:
        """Whether a client closed its connection before we closed ours; waits for it."""
        return self.closed.get(timeout=PATIENCE)

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                self.closed.put(True)
                return
        with connection:
            try:
                request = _read(connection)
                if request is not None:
                    self.received.append(request)
                    turn = min(len(self.received), len(self.behave)) - 1
                    self.behave[turn](connection, request)
                while connection.recv(65_536):
                    pass
            except TimeoutError:
                self.closed.put(False)
            except OSError:
                self.closed.put(True)
            else:
                self.closed.put(True)


@contextmanager
def serving(*behave: Behave, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that behaves in the given ways one after another, and keeps to the last."""
    server = Server(list(behave), tls)
    try:
        yield server
    finally:
        server.stop()


def answer(body: object, status: int = 200, **headers: str) -> Behave:
    """Answer with `body`: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join([*lines, "", ""]).encode() + data)


def raw(data: bytes) -> Behave:
    """Send `data` as it is."""

    def behave(connection: socket.socket, request: Received) -> None:
        connection.sendall(data)

    return behave


def hang(connection: socket.socket, request: Received) -> None:
    """Take the request and never answer."""


def ended(data: bytes) -> Behave:
    """Send `data` as it is, and no more."""

    def behave(connection: socket.socket, request: Received) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    return behave


def pour(at_once: bytes, rest: bytes, times: int) -> Behave:
    """Send `at_once`, then `rest` so many times, as fast as the client takes it."""

    def behave(connection: socket.socket, request: Received) -> None:
        connection.sendall(at_once)
        for _ in range(times):
            connection.sendall(rest)

    return behave


def cut_short(connection: socket.socket, request: Received) -> None:
    """Answer with half of a body."""
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n" + b"{" * 50)
    connection.shutdown(socket.SHUT_RDWR)


def drop(connection: socket.socket, request: Received) -> None:
    """Take the request and break the connection off."""
    connection.shutdown(socket.SHUT_RDWR)


def trickle(at_once: bytes, rest: bytes) -> Behave:
    """Send `at_once`, then `rest` again and again, fast enough that no single read times out."""

    def behave(connection: socket.socket, request: Received) -> None:
        connection.sendall(at_once)
        connection.settimeout(TRICKLE)
        for _ in range(round(PATIENCE / TRICKLE)):
            connection.sendall(rest)
            with suppress(TimeoutError):
                # The wait: it is over at once when the client closes.
                if not connection.recv(1):
                    raise ConnectionError
        raise TimeoutError

    return behave


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SLOW_HEADERS = trickle(HEAD + b"A: ", b"x")
SLOW_BODY = trickle(HEAD + b"Content-Length: 1000\r\n\r\n", b"{")
TEN_MEGABYTES = raw(HEAD + b"Content-Length: 10000000\r\n\r\n" + b"x" * 10_000_000)
HUNDRED_MEGABYTES = pour(HEAD + b"Content-Length: 100000000\r\n\r\n", b"x" * 1_000_000, 100)
INTERIM_FLOOD = pour(b"", b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" * 10_000, 100)
CHUNK_FLOOD = pour(
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;%s\r\nx\r\n" % (b"y" * 60_000), 100
)
TRAILER_FLOOD = pour(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 10_000, 100)
ENDLESS = raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"989680\r\n" + b"x" * 10_000_000)
BAD_CHUNK = ended(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfive\r\n12345\r\n0\r\n\r\n")
NEGATIVE_CHUNK = ended(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n12345")
PACKED = gzip.compress(b"x" * 10_000_000)
BOMB = answer(PACKED, Content_Encoding="gzip")
MANY_HEADERS = raw(
    HEAD + b"".join(b"A%d: %s\r\n" % (n, b"x" * 60_000) for n in range(17)) + b"\r\n{}"
)
LONG_HEADER = raw(HEAD + b"A: " + b"x" * 1_000_000 + b"\r\n\r\n{}")
HTML = answer(b"<!DOCTYPE html><html><body>Welcome</body></html>", Content_Type="text/html")


def refused_url() -> str:
    """The URL of a server that was killed: nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (x.split(":", 1) for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Received(method, parts.path, query, headers, body)
