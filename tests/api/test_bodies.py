"""Bodies that spec B's posts can't read: refused with their own code, and nothing breaks."""

import json
from urllib.parse import urlencode

import pytest

from tests.api.shapes import refused
from tests.world import World, get, post

FORM = "application/x-www-form-urlencoded"
POSTS = ["/rentNumber", "/cancelNumber"]


@pytest.fixture
def key(world: World) -> str:
    world.stock(2)
    return world.key(world.user())


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/json5", "é"]
)
def test_415_for_a_body_in_another_format(key: str, path: str, content_type: str) -> None:
    body: dict[str, object] = {"api_key": key}
    response = post(path, body, content_type=content_type)
    refused(response, 415, "unsupported_media_type", "Content-Type")


BROKEN = [
    b"{",
    b"{'api_key': 1}",
    b'{"api_key": "a"} x',
    b"[]",
    b'"text"',
    b"7",
    b"null",
    b"\xff",
    b'{"country": "\xff"}',
    b"[" * 60_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"wait": ' + b"9" * 5_000 + b"}",
    b" ",
    b"\x00",
]


@pytest.mark.parametrize("path", POSTS)
def test_400_for_what_is_no_json_object(world: World, path: str, subtests: pytest.Subtests) -> None:
    for body in BROKEN:
        with subtests.test(body=body[:20]):
            refused(post(path, body), 400, "invalid_json", "body")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_400_for_json_in_another_encoding(key: str, encoding: str) -> None:
    text = json.dumps({"api_key": key, "country": "US"})
    refused(post("/rentNumber", text.encode(encoding)), 400, "invalid_json", "body")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_400_for_constants_that_json_does_not_have(key: str, constant: str) -> None:
    text = f'{{"api_key": "{key}", "country": "US", "x": {constant}}}'
    refused(post("/rentNumber", text.encode()), 400, "invalid_json", "body")


def test_deep_json_is_taken_or_refused_and_breaks_nothing(key: str) -> None:
    headers = {"Idempotency-Key": "deep"}
    codes = set()
    for depth in range(850, 1000):
        text = f'{{"api_key": "{key}", "country": "DE", "x": {"[" * depth}{"]" * depth}}}'
        codes.add(post("/rentNumber", text.encode(), headers).json_body["code"])
    assert codes == {"no_numbers", "invalid_json"}


FORMS = [b"country=%ff", b"\xff=1", b"&".join([b"a=1"] * 201)]


@pytest.mark.parametrize("body", FORMS, ids=lambda body: repr(body[:12]))
def test_400_for_what_is_no_form(key: str, body: bytes) -> None:
    refused(post("/rentNumber", body, content_type=FORM), 400, "invalid_form", "body")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content_type", ["application/json", FORM, "text/plain"])
def test_413_for_a_body_over_64_kb(key: str, path: str, content_type: str) -> None:
    fits = urlencode({"a": "x" * (64 * 1024 - 2)}).encode()
    assert len(fits) == 64 * 1024
    assert post(path, fits, content_type=content_type).status_code != 413
    refused(post(path, fits + b"x", content_type=content_type), 413, "body_too_large", "body")


def test_413_comes_before_the_key_is_read(world: World) -> None:
    refused(post("/rentNumber", b"x" * 70_000), 413, "body_too_large", "body")


def test_a_byte_order_mark_is_no_harm(key: str) -> None:
    raw = json.dumps({"api_key": key, "country": "US"}).encode("utf-8-sig")
    assert post("/rentNumber", raw).status_code == 200


def test_an_empty_body_has_no_key_whatever_it_is_called(world: World) -> None:
    for content_type in ("application/json", FORM, "text/plain", None):
        response = post("/rentNumber", b"", content_type=content_type)
        refused(response, 401, "missing_api_key", "api_key")


def test_the_body_of_a_get_is_not_read(key: str) -> None:
    assert get("/getNumbers", {"Content-Type": "text/plain"}, api_key=key).status_code == 200
