"""One bounded exchange, whatever the other side does. No test waits but on a server's own event."""

import os
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.outbound import (
    Answer,
    Fetched,
    HttpFetch,
    HttpPost,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
)
from tests import servers
from tests.servers import answer, serving

SHORT = 0.5
LONG = 30.0

fetch = HttpFetch(allow_loopback=True)


def resolving_to(*addresses: str) -> Any:
    """A resolver that finds these addresses for every name."""
    return lambda host, port, **_: [(2, 1, 6, "", (address, port)) for address in addresses]


def failure_of(url: str, fetch: HttpFetch = fetch, seconds: float = SHORT) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        fetch("GET", url, deadline_seconds=seconds)
    assert url not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


class TestAnAnswer:
    def test_is_status_body_and_headers(self) -> None:
        with serving(answer({"a": 1}, 201, X_Kind="Test")) as server:
            fetched = fetch("GET", server.url, deadline_seconds=LONG)
        assert (fetched.status, fetched.body) == (201, b'{"a": 1}')
        assert fetched.headers["x-kind"] == "Test"

    def test_is_an_answer_whatever_its_status(self) -> None:
        for status in (204, 301, 400, 429, 500, 503):
            with serving(answer(b"", status)) as server:
                assert fetch("GET", server.url, deadline_seconds=LONG).status == status

    def test_the_request_is_what_was_given(self) -> None:
        with serving(answer({})) as server:
            fetch(
                "POST",
                f"{server.url}/rent?a=1",
                params={"b": "ü&"},
                json={"c": "é"},
                headers={"Idempotency-Key": "k"},
                deadline_seconds=LONG,
            )
            (received,) = server.received
        assert (received.method, received.path) == ("POST", "/rent")
        assert received.query == {"a": "1", "b": "ü&"}
        assert received.json() == {"c": "é"}
        assert received.headers["idempotency-key"] == "k"
        assert received.headers["content-type"] == "application/json"

    def test_a_redirect_is_not_followed_and_its_body_not_read_on(self) -> None:
        with serving(answer({})) as elsewhere:
            here = answer({}, 302, Location=elsewhere.url)
            with serving(here) as server:
                assert fetch("GET", server.url, deadline_seconds=LONG).status == 302
            head = (
                f"HTTP/1.1 302 F\r\nLocation: {elsewhere.url}\r\nContent-Length: 10000000\r\n\r\n"
            )
            with serving(servers.raw(head.encode() + b"x" * 10_000_000)) as server:
                assert failure_of(server.url, seconds=LONG).reason == "too_large"
            assert elsewhere.received == []

    def test_knows_its_retry_after_in_seconds(self) -> None:
        for text, seconds in (("7", 7), ("soon", None), ("-1", None), ("1" * 7, None), ("²", None)):
            assert Fetched(503, b"", {"retry-after": text}).retry_after() == seconds


class TestTheEnvironment:
    @pytest.fixture(autouse=True)
    def _proxied(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login who password secret\n")
        (tmp_path / ".netrc").chmod(0o600)
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, servers.refused_url())

    def test_gives_neither_proxy_nor_password(self) -> None:
        assert os.environ["http_proxy"]
        with serving(answer({})) as server:
            assert fetch("GET", server.url, deadline_seconds=LONG).status == 200
            assert "authorization" not in server.received[0].headers


class TestNotSent:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/",
            "ftp://example.com/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1/",
            "https://intranet/",
            "https://db.internal/",
            "//example.com/",
            "",
        ],
    )
    def test_where_we_may_not_call(self, url: str) -> None:
        with pytest.raises(NotSentError) as caught:
            fetch("GET", url, deadline_seconds=LONG)
        assert caught.value.reason == "address_not_allowed"

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_loopback_without_leave(self, scheme: str) -> None:
        with serving(answer({})) as server:
            url = server.url.replace("http", scheme)
            failure = failure_of(url, HttpFetch(allow_loopback=False))
            assert isinstance(failure, NotSentError)
            assert failure.reason == "address_not_allowed"
            assert server.received == []

    @pytest.mark.parametrize(
        "addresses", [("10.0.0.1",), ("93.184.216.34", "127.0.0.1"), ("::ffff:10.0.0.1",)]
    )
    def test_a_public_name_of_a_private_address(self, addresses: tuple[str, ...]) -> None:
        resolving = HttpFetch(allow_loopback=True, resolve=resolving_to(*addresses))
        failure = failure_of("https://example.com/", resolving)
        assert isinstance(failure, NotSentError)
        assert failure.reason == "address_not_allowed"

    def test_loopback_that_leads_elsewhere(self) -> None:
        resolving = HttpFetch(allow_loopback=True, resolve=resolving_to("93.184.216.34"))
        assert failure_of("http://localhost/", resolving).reason == "address_not_allowed"

    def test_a_name_that_nobody_knows(self) -> None:
        def resolve(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        failure = failure_of("https://example.com/", HttpFetch(False, resolve=resolve))
        assert isinstance(failure, NotSentError)
        assert failure.reason == "connection_failed"

    def test_a_server_that_was_killed(self) -> None:
        failure = failure_of(servers.refused_url(), seconds=LONG)
        assert isinstance(failure, NotSentError)
        assert failure.reason == "connection_failed"

    def test_the_address_that_was_checked_is_the_one_called(self) -> None:
        asked = []

        def resolve(host: str, port: int, **_: Any) -> Any:
            asked.append(host)
            return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

        with serving(answer({})) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            once = HttpFetch(allow_loopback=True, resolve=resolve)
            assert once("GET", url, deadline_seconds=LONG).status == 200
            assert server.received[0].headers["host"].startswith("localhost:")
        assert asked == ["localhost"]

    def test_a_resolver_that_hangs(self) -> None:
        answered = threading.Event()

        def resolve(host: str, port: int, **_: Any) -> Any:
            answered.wait(servers.PATIENCE)
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        with serving(answer({})) as server:
            failure = failure_of(server.url, HttpFetch(True, resolve=resolve))
            answered.set()
            exchanges = [t for t in threading.enumerate() if t.name.startswith("exchange")]
            for thread in exchanges:
                thread.join(servers.PATIENCE)
            assert server.received == []
        assert isinstance(failure, NotSentError)
        assert failure.reason == "timeout"

    def test_tls_with_a_server_that_never_shakes_hands(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            failure = failure_of(f"https://127.0.0.1:{listener.getsockname()[1]}/")
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(servers.PATIENCE)
                while connection.recv(4_096):
                    pass
        assert isinstance(failure, NotSentError)
        assert failure.reason == "timeout"

    def test_tls_with_a_server_that_speaks_none(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def speak() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.settimeout(servers.PATIENCE)
                    with suppress(ConnectionResetError):
                        while connection.recv(4_096):
                            pass

            thread = threading.Thread(target=speak)
            thread.start()
            port = listener.getsockname()[1]
            failure = failure_of(f"https://127.0.0.1:{port}/", seconds=LONG)
            thread.join(servers.PATIENCE)
        assert isinstance(failure, NotSentError)
        assert failure.reason == "tls_failed"

    def test_a_header_that_can_not_be_sent(self) -> None:
        with serving(answer({})) as server, pytest.raises(NotSentError):
            fetch("GET", server.url, headers={"a": "b\r\nc: d"}, deadline_seconds=LONG)


MISBEHAVIOUR = [
    pytest.param(servers.hang, SHORT, "timeout", id="hung"),
    pytest.param(servers.SLOW_HEADERS, SHORT, "timeout", id="slow headers"),
    pytest.param(servers.SLOW_BODY, SHORT, "timeout", id="slow body"),
    pytest.param(servers.drop, LONG, "connection_failed", id="dropped"),
    pytest.param(servers.cut_short, LONG, "connection_failed", id="cut short"),
    pytest.param(servers.raw(b"SSH-2.0-x\r\n\r\n"), LONG, "connection_failed", id="no HTTP"),
    pytest.param(servers.TEN_MEGABYTES, LONG, "too_large", id="10 MB"),
    pytest.param(servers.ENDLESS, LONG, "too_large", id="10 MB in chunks"),
    pytest.param(servers.BOMB, LONG, "too_large", id="10 MB in 10 kB"),
    pytest.param(servers.MANY_HEADERS, LONG, "too_large", id="1 MB of headers"),
    pytest.param(servers.LONG_HEADER, LONG, "connection_failed", id="a header of 1 MB"),
]


class TestOutcomeUnknown:
    @pytest.mark.parametrize(("behave", "seconds", "reason"), MISBEHAVIOUR)
    def test_of_a_server_that_misbehaves(
        self, behave: servers.Behave, seconds: float, reason: str
    ) -> None:
        with serving(behave) as server:
            failure = failure_of(server.url, seconds=seconds)
            assert isinstance(failure, OutcomeUnknownError)
            assert failure.reason == reason
            assert server.was_closed()
            assert len(server.received) == 1

    def test_tells_the_status_that_came(self) -> None:
        with serving(servers.SLOW_BODY) as server:
            failure = failure_of(server.url)
        assert isinstance(failure, OutcomeUnknownError)
        assert failure.answer is not None
        assert (failure.answer.status, failure.answer.body) == (200, b"")


class TestPost:
    post = HttpPost(allow_loopback=True, deadline_seconds=SHORT)

    @pytest.fixture
    def _patient(self) -> None:
        self.post = HttpPost(allow_loopback=True, deadline_seconds=LONG)

    @pytest.mark.usefixtures("_patient")
    def test_sends_body_and_headers(self) -> None:
        with serving(answer({}, 429, Retry_After="7")) as server:
            assert self.post(server.url, b'{"a":1}', {"webhook-id": "x"}) == Answer(429, None, 7)
            (received,) = server.received
        assert (received.method, received.body) == ("POST", b'{"a":1}')
        assert received.headers["webhook-id"] == "x"

    @pytest.mark.parametrize(
        ("behave", "expected"),
        [
            (servers.hang, Answer(error="timeout")),
            (servers.SLOW_HEADERS, Answer(error="timeout")),
            (servers.SLOW_BODY, Answer(status=200)),
        ],
    )
    def test_is_over_at_its_deadline(self, behave: servers.Behave, expected: Answer) -> None:
        with serving(behave) as server:
            assert self.post(server.url, b"x", {}) == expected
            assert server.was_closed()

    @pytest.mark.usefixtures("_patient")
    def test_takes_the_status_of_an_answer_that_is_too_long(self) -> None:
        with serving(servers.TEN_MEGABYTES) as server:
            assert self.post(server.url, b"x", {}) == Answer(status=200)
            assert server.was_closed()

    def test_never_raises(self) -> None:
        refused = Answer(error="address_not_allowed")
        assert self.post("https://10.0.0.1/", b"x", {}) == refused
        assert self.post("https://[::1/", b"x", {}) == refused
        killed = servers.refused_url()
        assert self.post(killed, b"x", {}) == Answer(error="connection_failed")
