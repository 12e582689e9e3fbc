"""One bounded exchange, whatever the other side does. No test waits but on a server's own event."""

import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.outbound import (
    Answer,
    Fetched,
    HttpFetch,
    HttpPost,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
)
from chalicelib.outbound.answers import Request
from chalicelib.outbound.body import Body, TooLargeError
from chalicelib.outbound.exchange import exchange
from chalicelib.outbound.line import MOST_ADDRESSES
from chalicelib.outbound.threads import Threads, TooManyLeftBehindError
from chalicelib.outbound.tls import public_trust
from tests import servers
from tests.addresses import NOT_PUBLIC, SPELLINGS
from tests.certificates import Authority
from tests.servers import answer, serving

SHORT = 0.3
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

    def test_while_too_many_threads_hang(self) -> None:
        with serving(answer({})) as server, pytest.raises(NotSentError, match="too_busy"):
            exchange(
                Request("GET", server.url),
                allow_loopback=True,
                resolve=socket.getaddrinfo,
                deadline_seconds=LONG,
                most_bytes=1,
                threads=Threads(most_left_behind=0),
            )
        assert server.received == []

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
    pytest.param(servers.raw(b"SSH-2.0-x\r\n\r\n"), LONG, "bad_answer", id="no HTTP"),
    pytest.param(servers.ended(b"<p>HTTP/0.9</p>"), LONG, "bad_answer", id="HTTP/0.9"),
    pytest.param(servers.raw(b"HTTP/2 200\r\n\r\n"), LONG, "bad_answer", id="HTTP/2"),
    pytest.param(servers.raw(b"HTTP/1.1 20 OK\r\n\r\n"), LONG, "bad_answer", id="status 20"),
    pytest.param(servers.raw(b"HTTP/1.1 9999 OK\r\n\r\n"), LONG, "bad_answer", id="status 9999"),
    pytest.param(servers.raw(b"HTTP/1.1 -200 OK\r\n\r\n"), LONG, "bad_answer", id="status -200"),
    pytest.param(servers.raw(b"HTTP/1.1\r\n\r\n"), LONG, "bad_answer", id="no status"),
    pytest.param(
        answer(b"plain", Content_Encoding="gzip"), LONG, "bad_answer", id="no gzip at all"
    ),
    pytest.param(
        answer(gzip.compress(b"{}")[:-9], Content_Encoding="gzip"),
        LONG,
        "bad_answer",
        id="half a gzip",
    ),
    pytest.param(servers.BAD_CHUNK, LONG, "connection_failed", id="a chunk of no size"),
    pytest.param(servers.NEGATIVE_CHUNK, LONG, "connection_failed", id="a chunk of size -5"),
    pytest.param(servers.INTERIM_FLOOD, LONG, "too_large", id="interim answers"),
    pytest.param(servers.CHUNK_FLOOD, LONG, "too_large", id="long chunk extensions"),
    pytest.param(servers.TRAILER_FLOOD, LONG, "too_large", id="trailers"),
    pytest.param(servers.HUNDRED_MEGABYTES, LONG, "too_large", id="100 MB"),
    pytest.param(servers.TEN_MEGABYTES, LONG, "too_large", id="10 MB"),
    pytest.param(servers.ENDLESS, LONG, "too_large", id="10 MB in chunks"),
    pytest.param(servers.BOMB, LONG, "too_large", id="10 MB in 10 kB"),
    pytest.param(servers.MANY_HEADERS, LONG, "too_large", id="1 MB of headers"),
    pytest.param(servers.LONG_HEADER, LONG, "too_large", id="a header of 1 MB"),
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

    def test_tells_the_status_that_came_and_how_the_body_begins(self) -> None:
        with serving(servers.SLOW_BODY) as server:
            failure = failure_of(server.url)
        assert isinstance(failure, OutcomeUnknownError)
        assert failure.answer is not None
        assert failure.answer.status == 200
        assert set(failure.answer.body) <= set(b"{")


class TestPost:
    post = HttpPost(allow_loopback=True, deadline_seconds=SHORT)

    @pytest.fixture
    def _patient(self) -> None:
        self.post = HttpPost(allow_loopback=True, deadline_seconds=LONG)

    @pytest.mark.usefixtures("_patient")
    def test_sends_body_and_headers(self) -> None:
        with serving(answer({}, 429, Retry_After="7")) as server:
            answered = self.post(server.url, b'{"a":1}', {"webhook-id": "x"})
            assert answered == Answer(429, None, 7, "{}")
            (received,) = server.received
        assert (received.method, received.body) == ("POST", b'{"a":1}')
        assert received.headers["webhook-id"] == "x"

    @pytest.mark.parametrize("behave", [servers.hang, servers.SLOW_HEADERS])
    def test_is_over_at_its_deadline(self, behave: servers.Behave) -> None:
        with serving(behave) as server:
            answered = self.post(server.url, b"x", {})
            assert answered == Answer(error="timeout")
            assert answered.millis >= SHORT * 1_000
            assert server.was_closed()

    def test_takes_the_status_of_an_answer_that_drips_and_what_came_of_it(self) -> None:
        with serving(servers.SLOW_BODY) as server:
            answered = self.post(server.url, b"x", {})
            assert (answered.status, answered.error) == (200, None)
            assert set(answered.excerpt) <= {"{"}
            assert answered.millis >= SHORT * 1_000
            assert server.was_closed()

    @pytest.mark.usefixtures("_patient")
    @pytest.mark.parametrize(
        "behave",
        [servers.TEN_MEGABYTES, servers.HUNDRED_MEGABYTES, servers.ENDLESS],
        ids=["10 MB", "100 MB", "chunked"],
    )
    def test_takes_the_status_of_an_answer_that_is_too_long(self, behave: servers.Behave) -> None:
        with serving(behave) as server:
            assert self.post(server.url, b"x", {}) == Answer(status=200, excerpt="x" * 256)
            assert server.was_closed()

    @pytest.mark.usefixtures("_patient")
    @pytest.mark.parametrize(
        ("behave", "expected"),
        [
            (servers.BOMB, Answer(200)),
            (servers.MANY_HEADERS, Answer(error="too_large")),
            (servers.LONG_HEADER, Answer(error="too_large")),
            (servers.INTERIM_FLOOD, Answer(error="too_large")),
            (servers.CHUNK_FLOOD, Answer(200, excerpt="x")),
            (servers.TRAILER_FLOOD, Answer(200)),
            (servers.BAD_CHUNK, Answer(200)),
            (servers.NEGATIVE_CHUNK, Answer(200, excerpt="12345")),
            (servers.cut_short, Answer(200, excerpt="{" * 50)),
            (servers.drop, Answer(error="connection_failed")),
            (servers.ended(b""), Answer(error="connection_failed")),
            (servers.ended(b"<p>HTTP/0.9</p>"), Answer(error="bad_answer")),
            (
                servers.ended(b"HTTP/1.1 200\r\nContent-Length: -5\r\n\r\nhi"),
                Answer(200, None, None, "hi"),
            ),
            (
                servers.ended(b"HTTP/1.1 200\r\nContent-Length: x\r\n\r\nhi"),
                Answer(200, None, None, "hi"),
            ),
            (servers.raw(b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\nsmuggled!"), Answer(204)),
            (servers.raw(b"HTTP/1.1 101 Switch\r\n\r\n\x81\x05hello"), Answer(101)),
            (answer(b"", 302, Location="http://169.254.169.254/"), Answer(302)),
            (
                servers.ended(b"HTTP/1.1 503\r\nRetry-After: 7\r\n 8\r\nRetry-After: 9\r\n\r\n"),
                Answer(503),
            ),
            (
                answer("a\tb\x1b[2J\u202ec\r\n\u00e9\ud7ff".encode() + b"\xff\x00", 500),
                Answer(500, excerpt="a b[2Jc  \u00e9\ufffd"),
            ),
            (answer("\U0001f4a9".encode() * 2_000), Answer(200, excerpt="\U0001f4a9" * 256)),
        ],
    )
    def test_makes_the_best_of_any_answer(self, behave: servers.Behave, expected: Answer) -> None:
        with serving(behave) as server:
            assert self.post(server.url, b"x", {}) == expected

    @settings(max_examples=80, deadline=None)
    @given(
        st.binary(max_size=60)
        | st.builds(
            b"HTTP/1.1 %s\r\n%s\r\n\r\n%s".__mod__,
            st.tuples(
                st.sampled_from([b"200 OK", b"200", b"100 C", b"304 N", b"204", b"1e3", b"\xb2"]),
                st.sampled_from(
                    [
                        b"Transfer-Encoding: chunked",
                        b"Content-Length: 9",
                        b"Content-Length: \xb2",
                        b"Content-Length: 5, 5",
                        b"Content-Encoding: gzip",
                        b": x\r\n y",
                        b"\x00\xff: \r\n\r\n",
                    ]
                ),
                st.binary(max_size=20) | st.from_regex(rb"[-+0-9a-f_x; ]{0,5}\r\n[ab]*(\r\n0)?"),
            ),
        )
    )
    def test_never_raises_whatever_the_answer(self, data: bytes) -> None:
        with serving(servers.ended(data)) as server:
            answered = HttpPost(allow_loopback=True)(server.url, b"x", {})
            assert (answered.status is None) is (answered.error is not None)
            with suppress(OutboundError):
                fetch("GET", server.url, deadline_seconds=LONG)

    def test_never_raises(self) -> None:
        refused = Answer(error="address_not_allowed")
        assert self.post("https://10.0.0.1/", b"x", {}) == refused
        assert self.post("https://[::1/", b"x", {}) == refused
        killed = servers.refused_url()
        assert self.post(killed, b"x", {}) == Answer(error="connection_failed")

    def test_tells_how_long_a_failure_took(self) -> None:
        def resolve(*_: Any, **__: Any) -> Any:
            threading.Event().wait(0.01)
            raise socket.gaierror

        failed = HttpPost(False, resolve=resolve)("https://example.com/", b"x", {})
        assert failed == Answer(error="connection_failed")
        assert failed.millis >= 10


Connections = list[tuple[str, int]]
PUBLIC_ADDRESS = "93.184.216.34"
URL = "https://hook.example.com/"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], Connections]:
    """Has the socket of one public address lead to a port of loopback, and every other to nobody.

    What it returns are the addresses that sockets were told to connect to.
    """

    def wire(port: int | None = None) -> Connections:
        real, connections = socket.socket.connect, []

        def connect(self: socket.socket, address: Any) -> None:
            connections.append((address[0], address[1]))
            if address[0] != PUBLIC_ADDRESS or port is None:
                raise ConnectionRefusedError
            real(self, ("127.0.0.1", port))

        monkeypatch.setattr(socket.socket, "connect", connect)
        return connections

    return wire


class TestWhereWebhooksGo:
    def test_no_address_that_is_not_public_is_connected_to(self, wire: Any) -> None:
        connections = wire()
        for address in NOT_PUBLIC:
            for found in ([address], [PUBLIC_ADDRESS, address], [address, PUBLIC_ADDRESS]):
                post = HttpPost(False, resolve=resolving_to(*found))
                assert post(URL, b"x", {}) == Answer(error="address_not_allowed"), address
        assert connections == []

    def test_no_spelling_is_even_looked_up(self, wire: Any) -> None:
        connections, asked = wire(), []

        def resolve(host: str, port: int, **_: Any) -> Any:
            asked.append(host)
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        hosts = [f"[{host}]" if ":" in host else host for host in NOT_PUBLIC]
        for host in (*SPELLINGS, *hosts):
            answered = HttpPost(False, resolve=resolve)(f"https://{host}/", b"x", {})
            assert answered == Answer(error="address_not_allowed"), host
        assert (connections, asked) == ([], [])

    @pytest.mark.parametrize("found", ["", "example.com", "127.1", "fe80::1%lo", 2130706433, b""])
    def test_what_a_resolver_finds_must_be_an_address(self, wire: Any, found: Any) -> None:
        connections = wire()
        post = HttpPost(False, resolve=resolving_to(found))
        assert post(URL, b"x", {}) == Answer(error="address_not_allowed")
        assert connections == []

    def test_a_resolver_that_changes_its_answer_leads_nowhere_else(self, wire: Any) -> None:
        connections, found = wire(), iter([PUBLIC_ADDRESS, *NOT_PUBLIC])
        post = HttpPost(False, resolve=lambda *_, **__: resolving_to(next(found))("", 443))
        assert post(URL, b"x", {}) == Answer(error="connection_failed")
        for _ in NOT_PUBLIC:
            assert post(URL, b"x", {}) == Answer(error="address_not_allowed")
        assert connections == [(PUBLIC_ADDRESS, 443)]

    def test_of_many_addresses_few_are_tried(self, wire: Any) -> None:
        connections = wire()
        many = [f"93.184.216.{n}" for n in range(200)]
        post = HttpPost(False, resolve=resolving_to(*many, *many))
        assert post(URL, b"x", {}) == Answer(error="connection_failed")
        assert connections == [(address, 443) for address in many[:MOST_ADDRESSES]]

    def test_a_name_without_an_address_leads_nowhere(self, wire: Any) -> None:
        assert HttpPost(False, resolve=resolving_to())(URL, b"x", {}).error == "connection_failed"

    def test_other_ports_are_left_alone_unless_a_setting_allows_them(self, wire: Any) -> None:
        connections, resolve = wire(), resolving_to(PUBLIC_ADDRESS)
        url = "https://hook.example.com:8443/"
        assert HttpPost(False, resolve=resolve)(url, b"x", {}).error == "address_not_allowed"
        allowed = HttpPost(False, allowed_ports=[8443], resolve=resolve)
        assert allowed(URL, b"x", {}).error == "address_not_allowed"
        assert connections == []
        assert allowed(url, b"x", {}).error == "connection_failed"
        failure_of(url, HttpFetch(False, resolve=resolve))
        assert connections == [(PUBLIC_ADDRESS, 8443)] * 2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


class TestTls:
    def post(self, trust: Callable[[], ssl.SSLContext], url: str = URL) -> Answer:
        return HttpPost(False, resolve=resolving_to(PUBLIC_ADDRESS), trust=trust)(url, b"x", {})

    def test_is_with_the_checked_address_by_the_name(self, wire: Any, authority: Authority) -> None:
        names: list[str | None] = []
        tls = authority.server("hook.example.com")
        tls.sni_callback = lambda _, name, __: names.append(name)
        redirect = answer(b"moved", 301, Location="https://127.0.0.1/")
        with serving(answer(b"taken"), redirect, tls=tls) as server:
            connections = wire(server.port)
            assert self.post(authority.trusted) == Answer(200, excerpt="taken")
            dotted = self.post(authority.trusted, "https://Hook.Example.com.:443/a%20b?c=d#e")
            assert dotted == Answer(301, excerpt="moved")
        assert connections == [(PUBLIC_ADDRESS, 443)] * 2
        assert names == ["hook.example.com"] * 2
        first, second = server.received
        assert first.headers["host"] == "hook.example.com"
        assert (second.path, second.query) == ("/a%20b", {"c": "d"})

    @pytest.mark.parametrize(
        "certificate",
        [
            {"name": "other.example.com"},
            {"name": "example.com"},
            {"name": "hook.example.com", "days": -1},
            {"name": "hook.example.com", "self_signed": True},
        ],
        ids=["of another name", "of the parent", "expired", "self-signed"],
    )
    def test_fails_with_a_certificate(
        self, wire: Any, authority: Authority, certificate: Any
    ) -> None:
        with serving(answer({}), tls=authority.server(**certificate)) as server:
            wire(server.port)
            assert self.post(authority.trusted) == Answer(error="tls_failed")
            assert server.received == []

    @pytest.mark.parametrize(
        "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"]
    )
    def test_believes_nobody_that_the_environment_names(
        self,
        wire: Any,
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        variable: str,
    ) -> None:
        log = tmp_path / "keys"
        monkeypatch.setenv(variable, str(log if "LOG" in variable else authority.path))
        public_trust.cache_clear()
        with serving(answer({}), tls=authority.server("hook.example.com")) as server:
            wire(server.port)
            assert self.post(public_trust) == Answer(error="tls_failed")
            assert server.received == []
        assert not log.exists()

    def test_speaks_no_old_version(self) -> None:
        assert public_trust().minimum_version >= ssl.TLSVersion.TLSv1_2
        assert public_trust().verify_mode is ssl.CERT_REQUIRED
        assert public_trust().check_hostname


class TestThreads:
    def test_left_behind_are_bounded(self) -> None:
        threads, freed = Threads(most_left_behind=2), threading.Event()
        ended = [threading.Event() for _ in range(2)]

        def hang(end: threading.Event) -> None:
            freed.wait(servers.PATIENCE)
            end.set()

        for end in ended:
            with pytest.raises(TimeoutError):
                threads.run(lambda end=end: hang(end), 0.001)  # type: ignore[misc]
        with pytest.raises(TooManyLeftBehindError):
            threads.run(lambda: 1, LONG)
        freed.set()
        for thread in threading.enumerate():
            if thread.name.startswith("exchange"):
                thread.join(servers.PATIENCE)
        assert [threads.run(lambda: 1, LONG) for _ in range(3)] == [1, 1, 1]


def test_a_bomb_is_not_unfolded() -> None:
    body = Body("gzip", most_bytes=1_000)
    with pytest.raises(TooLargeError):
        body.add(servers.PACKED)
    assert body.first(10_000_000) == b"x" * 1_001
