"""Runs a Chalice app on one machine: HTTP, queues and schedules in one process."""

import errno
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import botocore.config
import botocore.session
from chalice.app import Chalice
from chalice.config import Config

from local import pumps, schedules
from local.errors import LocalRunError
from local.gateway import Answer, Gateway, HttpRequest, RefusedError, internal_error

log = logging.getLogger(__name__)

BODY_LIMIT = 10 * 1024 * 1024
IDLE_SECONDS = 60.0
DRAIN_LIMIT = 64 * 1024 * 1024
DRAIN_SECONDS = 5.0
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OWN_HEADERS = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Handler(BaseHTTPRequestHandler):
    """One connection: reads HTTP/1.1 requests, and writes the gateway's answers."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method, so that the gateway says 405 and not 501
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        server, started = cast(Server, self.server), time.monotonic()
        framed = False
        with server.in_flight():
            try:
                body = self._read_body()
                framed = True
                if server.closing:
                    self.close_connection = True
                    raise RefusedError(503, "unavailable", "Shutting down.", Retry_After="1")
                answer = server.gateway.answer(self._request(body))
            except RefusedError as refusal:
                answer = refusal.answer()
            except OSError:
                raise
            except Exception:
                log.exception("the gateway failed")
                answer = internal_error().answer()
            self.close_connection = self.close_connection or not framed
            self._send(answer)
        method = self.command if self.command in METHODS else "?"
        spent = (time.monotonic() - started) * 1000
        log.info("%s %s %d %.0f ms", method, answer.template, answer.status, spent)
        if not framed:
            self._drain()

    def _request(self, body: bytes) -> HttpRequest:
        return HttpRequest(
            self.command, self.path, self.headers.items(), body, self.client_address[0]
        )

    def _read_body(self) -> bytes:
        encodings = self.headers.get_all("Transfer-Encoding", [])
        lengths = self.headers.get_all("Content-Length", [])
        if encodings:
            if lengths or [value.strip().lower() for value in encodings] != ["chunked"]:
                raise RefusedError(400, "invalid_request", "Cannot tell where the body ends.")
            self._continue()
            return self._read_chunks()
        if not lengths:
            return b""
        if len(set(lengths)) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            raise RefusedError(400, "invalid_request", "Invalid Content-Length.")
        length = int(lengths[0])
        _check_size(length)
        self._continue()
        return self._read(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self.rfile.readline(1024).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                raise RefusedError(400, "invalid_request", "Invalid chunk.")
            length = int(size, 16)
            if not length:
                break
            _check_size(len(body) + length)
            body += self._read(length)
            if self._read(2) != b"\r\n":
                raise RefusedError(400, "invalid_request", "Invalid chunk.")
        for _ in range(100):
            if self.rfile.readline(65537) in (b"\r\n", b"\n", b""):
                return bytes(body)
        raise RefusedError(400, "invalid_request", "Too many trailers.")

    def _read(self, length: int) -> bytes:
        data = self.rfile.read(length)
        if len(data) < length:
            raise RefusedError(400, "invalid_request", "The body ended early.")
        return data

    def _continue(self) -> None:
        expected = self.headers.get("Expect", "").lower() == "100-continue"
        if expected and self.request_version >= "HTTP/1.1":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    def _send(self, answer: Answer) -> None:
        has_body = answer.status >= 200 and answer.status not in (204, 304)
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, str(value))
        if has_body:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        elif self.request_version == "HTTP/1.0":
            self.send_header("Connection", "keep-alive")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _drain(self) -> None:
        """Read what a refused client still sends, as closing at once would cost it our answer."""
        deadline, left = time.monotonic() + DRAIN_SECONDS, DRAIN_LIMIT
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DRAIN_SECONDS)
        while left > 0 and time.monotonic() < deadline:
            piece = self.rfile.read1(65536)
            if not piece:
                return
            left -= len(piece)

    def handle_expect_100(self) -> bool:
        """Leave `100 Continue` to the reading of a body that is wanted."""
        return True

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Answer what http.server itself refuses, in our shape and without quoting the request."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(RefusedError(code, status.name.lower(), f"{status.phrase}.").answer())

    def version_string(self) -> str:
        """The Server header."""
        return "sesame"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: http.server would log the path."""


def _check_size(length: int) -> None:
    if length > BODY_LIMIT:
        raise RefusedError(413, "too_large", "Request body over 10 MB.")


class Server(ThreadingHTTPServer):
    """Listens on one address with a thread for each connection, and counts what is in flight.

    Raises LocalRunError for a port that cannot be had. Port 0 takes any free one.
    """

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = False

    def __init__(self, app: Chalice, config: Config, port: int, host: str = "127.0.0.1") -> None:
        self.gateway = Gateway(app, config)
        self.closing = False
        self._running = 0
        self._changed = threading.Condition()
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            what = "is taken" if taken else f"cannot be used ({error})"
            raise LocalRunError(f"Port {port} {what}; choose another with PORT=...") from error

    def server_bind(self) -> None:
        """Bind without http.server's name lookup, which would ask a DNS server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_name}:{self.server_port}"

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request from its first byte to the last of its answer."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def close(self, grace: float) -> None:
        """Take no more requests, and give the running ones `grace` seconds to finish."""
        self.closing = True
        self.shutdown()
        self.server_close()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._running, grace):
                log.warning("%d requests were cut off", self._running)

    def handle_error(self, *_: Any) -> None:
        """Log a connection that broke, in place of http.server's print."""
        log.debug("a connection broke", exc_info=True)


def sqs_client(engine_url: str, environment: Mapping[str, str]) -> Any:
    """An SQS client for the engine that asks once: the pollers retry in their own way."""
    return botocore.session.get_session().create_client(
        "sqs",
        region_name=environment.get("AWS_DEFAULT_REGION", pumps.REGION),
        endpoint_url=engine_url,
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID", "local"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", "local"),
        config=botocore.config.Config(
            connect_timeout=2,
            read_timeout=pumps.LONG_POLL + 10,
            max_pool_connections=64,
            retries={"total_max_attempts": 1},
            proxies={},
        ),
    )


def serve(
    app: Chalice,
    *,
    port: int,
    environment: Mapping[str, str],
    queue_urls: Mapping[str, str],
    engine_url: str,
    config: Config,
    stop: threading.Event,
    minute: float = 60.0,
    grace: float = 5.0,
    ready: Callable[[str], None] = log.debug,
) -> None:
    """Run the app until `stop` is set, then let what runs finish for `grace` seconds.

    `environment` names the engine's region and keys; `queue_urls` goes from function name to
    queue URL; `config` is .chalice/config.json for one stage; `minute` is the seconds in a minute
    of rate(); `ready` is called with the URL once requests are taken. Raises LocalRunError for a
    taken port, a function without a queue or a schedule that EventBridge would refuse.
    """
    server = Server(app, config, port)
    halt = threading.Event()
    threads: list[threading.Thread] = []
    http = threading.Thread(target=server.serve_forever, args=(0.1,), name="http", daemon=True)
    http.start()
    try:
        threads += pumps.start(
            app,
            queue_urls=queue_urls,
            client=sqs_client(engine_url, environment),
            region=environment.get("AWS_DEFAULT_REGION", pumps.REGION),
            config=config,
            stop=halt,
        )
        threads += schedules.start(app, config=config, stop=halt, minute=minute)
        ready(server.url)
        stop.wait()
    finally:
        halt.set()
        deadline = time.monotonic() + grace
        server.close(grace)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if running := [thread.name for thread in threads if thread.is_alive()]:
            log.warning("cut off: %s", ", ".join(running))
