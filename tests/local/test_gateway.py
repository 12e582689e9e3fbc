"""The gateway answers as API Gateway and Lambda would, over real sockets."""

import http.client
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from chalice import Chalice, Rate, Response
from chalice.app import ConvertToMiddleware
from chalice.config import Config

from local.errors import LocalRunError
from local.gateway import HttpRequest, lambda_event, match
from local.serve import BODY_LIMIT, Server, serve

SECRET = "sk_never_in_a_log"
CONFIG = Config(chalice_stage="dev", config_from_disk={"lambda_timeout": 20})
QUICK = Config(chalice_stage="dev", config_from_disk={"lambda_timeout": 0.05})


def make_app() -> Chalice:
    app = Chalice("gateway-test")

    @app.route("/")
    def index() -> dict[str, Any]:
        context = app.lambda_context
        return {
            "left": context.get_remaining_time_in_millis(),  # type: ignore[attr-defined]
            "request": context.aws_request_id,  # type: ignore[attr-defined]
        }

    @app.route("/keys/{api_key}")
    def keys(api_key: str) -> dict[str, Any]:
        request = app.current_request
        assert request is not None
        query = request.query_params
        return {"key": api_key, "query": query and {name: query.getlist(name) for name in query}}

    @app.route("/keys/fixed")
    def fixed() -> str:
        return "fixed"

    @app.route("/echo", methods=["POST", "PUT"], content_types=["*/*"])
    def echo() -> dict[str, Any]:
        request = app.current_request
        assert request is not None
        return {"body": bytes(request.raw_body).hex()}

    @app.route("/json", methods=["POST"])
    def read_json() -> Any:
        request = app.current_request
        assert request is not None
        return {"json": request.json_body}

    @app.route("/fails")
    def fails() -> None:
        raise RuntimeError("the inside story")

    @app.route("/exits")
    def exits() -> None:
        sys.exit(3)

    @app.route("/bytes")
    def text_as_bytes() -> Response:
        return Response(b"text", headers={"Content-Type": "text/plain"})

    @app.route("/image")
    def image() -> Response:
        return Response(b"\x89PNG\xff", headers={"Content-Type": "image/png"})

    @app.route("/empty")
    def empty() -> Response:
        return Response("", status_code=204)

    @app.route("/cookies")
    def cookies() -> Response:
        return Response("ok", headers={"Set-Cookie": ["a=1", "b=2"], "content-type": "text/plain"})

    @app.route("/split-header")
    def split_header() -> Response:
        return Response("ok", headers={"Location": "/a\rSet-Cookie: x=1"})

    @app.route("/shared", cors=True)
    def shared() -> str:
        return "ok"

    return app


@contextmanager
def running(app: Chalice, config: Config = CONFIG) -> Iterator[Server]:
    server = Server(app, config, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.close(grace=5)
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(make_app()) as server:
        yield server


def call(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)) as client:
        client.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = client.getresponse()
        return response.status, response.headers, response.read()


def raw(server: Server, data: bytes, *, half_close: bool = False) -> bytes:
    """What the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as client:
        client.sendall(data)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_fixed_segment_goes_before_a_parameter() -> None:
    routes = ["/a/b", "/a/{x}", "/{y}/b/c", "/a/{x}/d"]
    assert match(routes, "/a/b") == ("/a/b", {})
    assert match(routes, "/a/z") == ("/a/{x}", {"x": "z"})
    assert match(routes, "/a/b/d") == ("/a/{x}/d", {"x": "b"})


def test_the_server_prefers_a_fixed_segment_too(server: Server) -> None:
    assert call(server, "GET", "/keys/fixed")[2] == b"fixed"


def test_a_half_matched_route_leaks_no_parameter() -> None:
    assert match(["/{a}/x", "/{b}/y"], "/1/y") == ("/{b}/y", {"b": "1"})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/k/a%2Fb", "a/b"),
        ("/k/%20", " "),
        ("/k/a+b", "a+b"),
        ("/k/%C3%A9", "é"),
        ("/k/v/", "v"),
        ("/k/%ff", "\ufffd"),
        ("/%6b/v", "v"),
    ],
)
def test_path_parameters_are_decoded(path: str, value: str) -> None:
    assert match(["/k/{p}"], path) == ("/k/{p}", {"p": value})


@pytest.mark.parametrize("path", ["/k/", "/k", "/k//", "/k/a/b", "//k/a", ""])
def test_a_parameter_is_never_empty_or_two_segments(path: str) -> None:
    assert match(["/k/{p}"], path) is None


def test_the_event_holds_every_value_of_a_header_and_a_parameter() -> None:
    headers = [("X-A", "1"), ("x-a", "2"), ("X-Forwarded-For", "8.8.8.8")]
    request = HttpRequest("GET", "", headers, b"", "127.0.0.9")
    event = lambda_event(request, "/k/{p}", {"p": "v"}, "/k/v", "q=1&q=2&empty=")
    assert event["headers"]["x-a"] == "2"
    assert event["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert event["headers"]["x-forwarded-for"] == "8.8.8.8, 127.0.0.9"
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "empty": [""]}
    assert event["queryStringParameters"] == {"q": "2", "empty": ""}
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.9"
    assert event["requestContext"]["resourcePath"] == "/k/{p}"
    assert event["body"] is None
    json.dumps(event)


def test_a_route_gets_its_parameters_and_query(server: Server) -> None:
    status, _, body = call(server, "GET", "/keys/a%2Fb%20c?x=1&x=%C3%A9&y=")
    assert (status, json.loads(body)) == (
        200,
        {"key": "a/b c", "query": {"x": ["1", "é"], "y": [""]}},
    )


def test_unquoted_utf8_in_the_path_is_read_as_utf8(server: Server) -> None:
    reply = raw(server, "GET /keys/é?q=ü HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    assert json.loads(reply.partition(b"\r\n\r\n")[2]) == {"key": "é", "query": {"q": ["ü"]}}


def test_the_context_tells_the_time_left(server: Server) -> None:
    left = json.loads(call(server, "GET", "/")[2])["left"]
    assert 0 < left <= 20_000


@pytest.mark.parametrize("path", ["/none", "/keys/", "/keys/a/b", "/%2F"])
def test_an_unknown_path_is_404_in_our_shape(server: Server, path: str) -> None:
    status, headers, body = call(server, "GET", path)
    assert status == 404
    assert headers["X-Request-Id"]
    assert json.loads(body) == {
        "status": "error",
        "code": "not_found",
        "message": "No such endpoint.",
    }


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "OPTIONS", "BREW"])
def test_a_wrong_method_is_405_with_allow(server: Server, method: str) -> None:
    status, headers, body = call(server, method, "/echo")
    assert (status, headers["Allow"]) == (405, "POST, PUT")
    assert headers["X-Request-Id"]
    if method == "HEAD":
        assert body == b""
        assert int(headers["Content-Length"]) > 0
    else:
        assert json.loads(body)["code"] == "method_not_allowed"


def test_the_answer_to_head_ends_with_its_headers(server: Server) -> None:
    reply = raw(server, b"HEAD /echo HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 405 ")
    assert reply.endswith(b"\r\n\r\n")


def test_a_preflight_is_answered_for_a_route_with_cors(server: Server) -> None:
    status, headers, _ = call(server, "OPTIONS", "/shared")
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert call(server, "PUT", "/shared")[1]["Allow"] == "GET, OPTIONS"


def test_no_path_or_query_or_method_reaches_a_log(
    server: Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    call(server, "GET", f"/keys/{SECRET}?a={SECRET}")
    call(server, "GET", f"/none/{SECRET}")
    call(server, "POST", f"/keys/{SECRET}")
    call(server, SECRET, "/")
    replies = [
        raw(server, f"GET /{SECRET} extra words HTTP/1.1\r\n\r\n".encode()),
        raw(server, f"{SECRET}\r\n\r\n".encode()),
        raw(server, f"GET /{SECRET} HTTP/1.1\r\nContent-Length: {SECRET}\r\n\r\n".encode()),
    ]
    assert all(b" 400 " in reply and SECRET.encode() not in reply for reply in replies)
    assert SECRET not in caplog.text + "".join(capfd.readouterr())
    assert "GET /keys/{api_key} 200" in caplog.text
    assert "POST /keys/{api_key} 405" in caplog.text


@pytest.mark.parametrize("length", [b"-1", b"x", b"1.5", b"+3", b"", b"9" * 5000, b"\xb2"])
def test_a_bad_content_length_is_400(server: Server, length: bytes) -> None:
    reply = raw(server, b"POST /echo HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\nabc")
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "invalid_request"' in reply
    assert b"Connection: close" in reply
    assert b"X-Request-Id" in reply


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_body_without_a_clear_end_is_400(server: Server, headers: bytes) -> None:
    reply = raw(server, b"POST /echo HTTP/1.1\r\n" + headers + b"\r\n3\r\nabc\r\n0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert reply.count(b"HTTP/1.1") == 1


def test_no_content_length_means_no_body(server: Server) -> None:
    reply = raw(server, b"POST /echo HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.endswith(b'{"body":""}')


def test_a_body_that_ends_early_is_400(server: Server) -> None:
    reply = raw(server, b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", half_close=True)
    assert reply.startswith(b"HTTP/1.1 400 ")


def test_a_chunked_body_is_read(server: Server) -> None:
    chunks = b"3\r\nabc\r\nA;note=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    head = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n"
    assert raw(server, head + chunks).endswith(b'{"body":"%s"}' % b"abc0123456789".hex().encode())


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"3\r\nabcd\r\n", b"-1\r\n", b"\r\n", b"f" * 2000])
def test_a_bad_chunk_is_400(server: Server, chunks: bytes) -> None:
    head = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert raw(server, head + chunks, half_close=True).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: %d\r\n\r\n" % (BODY_LIMIT + 1),
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (BODY_LIMIT + 1),
    ],
)
def test_a_body_over_10_mb_is_refused_before_it_is_sent(server: Server, head: bytes) -> None:
    reply = raw(server, b"POST /echo HTTP/1.1\r\n" + head, half_close=True)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b'"code": "too_large"' in reply


def test_a_client_that_sends_over_10_mb_still_reads_the_413(server: Server) -> None:
    assert call(server, "POST", "/echo", bytes(BODY_LIMIT + 1))[0] == 413


def test_a_body_of_10_mb_is_taken(server: Server) -> None:
    assert call(server, "POST", "/json", b'"' + b"x" * (BODY_LIMIT - 2) + b'"')[0] == 200


def test_100_continue_is_sent_for_a_wanted_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_no_utf8_arrives_as_it_was_sent(server: Server) -> None:
    status, _, body = call(server, "POST", "/echo", b"\xff\x00abc")
    assert (status, json.loads(body)["body"]) == (200, b"\xff\x00abc".hex())
    octets = {"Content_Type": "application/octet-stream; x=y"}
    assert json.loads(call(server, "POST", "/echo", b"abc", **octets)[2])["body"] == b"abc".hex()


def test_json_that_is_no_utf8_is_400(server: Server) -> None:
    status, _, _ = call(server, "POST", "/json", b'{"a": "\xff"}', Content_Type="application/json")
    assert status == 400


def test_one_connection_serves_many_requests(server: Server) -> None:
    post = b"POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
    last = b"GET /none HTTP/1.1\r\nConnection: close\r\n\r\n"
    reply = raw(server, post + b"GET /empty HTTP/1.1\r\n\r\n" + post + last)
    assert reply.count(b"HTTP/1.1 200 ") == 2
    assert reply.count(b"HTTP/1.1 204 ") == 1
    assert reply.count(b"HTTP/1.1 404 ") == 1


def test_an_http_1_0_client_is_told_whether_the_connection_stays(server: Server) -> None:
    kept = b"GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    reply = raw(server, kept + b"GET /none HTTP/1.0\r\n\r\n")
    assert reply.count(b"Connection: keep-alive") == reply.count(b"Connection: close") == 1


def test_a_204_has_no_body_and_no_length(server: Server) -> None:
    status, headers, body = call(server, "GET", "/empty")
    assert (status, headers["Content-Length"], body) == (204, None, b"")


def test_repeated_and_lower_case_answer_headers_are_kept(server: Server) -> None:
    _, headers, body = call(server, "GET", "/cookies")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert headers.get_all("Content-Type") == ["text/plain"]
    assert body == b"ok"


def test_a_binary_answer_arrives_as_bytes(server: Server) -> None:
    assert call(server, "GET", "/image", Accept="image/png")[2] == b"\x89PNG\xff"


@pytest.mark.parametrize("path", ["/fails", "/exits", "/bytes", "/split-header"])
def test_a_failing_handler_is_a_500_that_tells_nothing(
    server: Server,
    path: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.gateway._app_object.log.propagate = True
    status, headers, body = call(server, "GET", path)
    assert status == 500
    assert "Set-Cookie" not in headers
    assert b"Traceback" not in body
    assert b"inside" not in body
    assert [record for record in caplog.records if record.levelno == logging.ERROR]


def test_a_handler_past_its_timeout_is_504_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, release = Chalice("slow"), threading.Event()

    @app.route("/slow/{key}")
    def slow(key: str) -> str:
        release.wait(20)
        return key

    with running(app, QUICK) as server:
        status, headers, body = call(server, "GET", f"/slow/{SECRET}")
        assert (status, json.loads(body)["code"]) == (504, "timeout")
        assert headers["X-Request-Id"]
        assert call(server, "GET", "/none")[0] == 404
        release.set()
    assert "timed out after 0.05 s" in caplog.text
    assert SECRET not in caplog.text


def test_64_clients_at_once_each_have_their_own_request() -> None:
    app, together = Chalice("many"), threading.Barrier(64, timeout=20)

    @app.route("/me/{name}")
    def me(name: str) -> list[str]:
        mine = app.lambda_context.aws_request_id  # type: ignore[attr-defined]
        together.wait()
        request = app.current_request
        assert request is not None
        assert request.uri_params is not None
        return [name, request.uri_params["name"], mine, request.context["requestId"]]

    with running(app) as server, ThreadPoolExecutor(64) as pool:
        bodies = pool.map(lambda n: call(server, "GET", f"/me/{n}")[2], range(64))
        answers = [json.loads(body) for body in bodies]
    assert [answer[:2] for answer in answers] == [[str(n), str(n)] for n in range(64)]
    assert all(mine == given for _, _, mine, given in answers)
    assert len({mine for _, _, mine, _ in answers}) == 64


def test_middleware_sees_the_real_event_and_context(server: Server) -> None:
    app, seen = Chalice("middle"), []

    def wrap(handler: Any) -> Any:
        def inner(event: Any, context: Any) -> Any:
            seen.append((event["requestContext"]["requestId"], context.aws_request_id))
            return handler(event, context)

        return inner

    app.register_middleware(ConvertToMiddleware(wrap))

    @app.route("/")
    def index() -> str:
        return "ok"

    with running(app) as server:
        call(server, "GET", "/")
    assert seen[0][0] == seen[0][1]


def test_a_taken_port_is_one_clear_line() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(LocalRunError, match=r"^Port \d+ is taken; .*PORT="),
    ):
        Server(Chalice("x"), CONFIG, taken.getsockname()[1])


def test_a_port_that_is_none_is_one_clear_line() -> None:
    with pytest.raises(LocalRunError, match=r"^Port 70000 cannot be used"):
        Server(Chalice("x"), CONFIG, 70000)


def test_closing_lets_a_running_request_finish_and_takes_no_more() -> None:
    app, started, release = Chalice("closing"), threading.Event(), threading.Event()

    @app.route("/slow")
    def slow() -> str:
        started.set()
        release.wait(20)
        return "done"

    server = Server(app, CONFIG, 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    idle = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    with closing(idle), ThreadPoolExecutor(2) as pool:
        idle.request("GET", "/none")
        idle.getresponse().read()
        answer = pool.submit(call, server, "GET", "/slow")
        assert started.wait(20)
        closed = pool.submit(server.close, 20)
        deadline = time.monotonic() + 20
        while not server.closing and time.monotonic() < deadline:
            time.sleep(0.001)
        idle.request("GET", "/slow")
        late = idle.getresponse()
        assert (late.status, late.headers["Retry-After"]) == (503, "1")
        late.read()
        assert not closed.done()
        release.set()
        assert answer.result(20)[2] == b"done"
        closed.result(20)


def test_closing_waits_no_longer_than_its_grace(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(Chalice("closing"), CONFIG, 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with server.in_flight():
        server.close(grace=0.01)
    assert "1 requests were cut off" in caplog.text


def test_serve_runs_http_and_schedules_until_told_to_stop() -> None:
    app, ticked, stop = Chalice("all"), threading.Event(), threading.Event()
    urls: list[str] = []
    ready = threading.Event()

    @app.route("/")
    def index() -> str:
        return "ok"

    @app.schedule(Rate(1, unit=Rate.HOURS))
    def tick(event: Any) -> None:
        ticked.set()

    def note(url: str) -> None:
        urls.append(url)
        ready.set()

    def run() -> None:
        serve(
            app,
            port=0,
            environment={},
            queue_urls={},
            engine_url="http://127.0.0.1:1",
            config=CONFIG,
            stop=stop,
            ready=note,
        )

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(run)
        assert ready.wait(20)
        assert ticked.wait(20)
        host, port = urls[0].removeprefix("http://").split(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as client:
            client.request("GET", "/")
            assert client.getresponse().read() == b"ok"
        stop.set()
        served.result(20)
    assert "schedule-tick" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=20)
