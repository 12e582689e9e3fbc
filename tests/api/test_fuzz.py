"""Whatever is sent: never a 5xx, and what is refused is refused in our shape, with a code."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from chalice.test import HTTPResponse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.ids import RentalId
from tests.api.shapes import shaped
from tests.conftest import Stack
from tests.world import World, get, post, post_generic

FORM = "application/x-www-form-urlencoded"
GETS = ["/getNumbers", "/getSMS"]
POSTS = ["/rentNumber", "/cancelNumber"]
INBOUND = ["/inbound/generic/demo", "/inbound/simulator/demo", "/inbound/twilio/demo"]
# One world serves all examples of a test: what they leave behind is part of what is arbitrary.
FUZZ = settings(
    max_examples=80,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# characters() includes lone surrogates, which text() leaves out by itself.
ANY_TEXT = st.text(st.characters(), max_size=40)
WELL_FORMED = st.text(max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**20, 10**400)
    | st.floats()
    | ANY_TEXT
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
# Stand for what a genuine call would send there, which the test knows and a strategy does not.
GOOD_KEY, GOOD_RENTAL = "<key>", "<rental>"
PARAMETERS = {
    "api_key": st.just(GOOD_KEY) | JSON,
    "country": st.sampled_from(["US", "gb", "DE", "XX"]) | JSON,
    "service": st.sampled_from(["telegram", ""]) | JSON,
    "rental_id": st.just(GOOD_RENTAL) | JSON,
    "wait": st.sampled_from(["0", "1", "25"]) | JSON,
}
BODIES = st.fixed_dictionaries({}, optional=PARAMETERS).flatmap(
    lambda known: st.dictionaries(ANY_TEXT, JSON, max_size=2).map(lambda more: {**more, **known})
)
KEYED_BODIES = BODIES.map(lambda body: {**body, "api_key": GOOD_KEY})
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Authorization": st.sampled_from(["Bearer", f"Bearer {GOOD_KEY}"]) | ANY_TEXT,
        "Idempotency-Key": st.sampled_from(["a", "b"]) | ANY_TEXT,
        "Content-Type": st.sampled_from(["application/json", FORM]) | ANY_TEXT,
        "Accept": ANY_TEXT,
        "X-Forwarded-For": ANY_TEXT,
        "webhook-id": ANY_TEXT,
        "webhook-timestamp": st.integers().map(str) | ANY_TEXT,
        "webhook-signature": ANY_TEXT,
        "X-Twilio-Signature": ANY_TEXT,
    },
)


@dataclass(frozen=True)
class Scene:
    """A user who can rent, and a rental of theirs."""

    stack: Stack
    key: str
    rental_id: RentalId

    def filled(self, value: Any) -> Any:
        """`value` with the real key and rental for what stands for them."""
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, str):
            return value.replace(GOOD_KEY, self.key).replace(GOOD_RENTAL, self.rental_id)
        return value


@pytest.fixture
def scene(world: World) -> Scene:
    world.stock(40)
    user = world.user()
    rental = world.rent(user)
    return Scene(world.stack, world.key(user), rental.rental_id)


def check(response: HTTPResponse) -> None:
    """A good answer, or a refusal in our shape; never an accident."""
    assert response.status_code < 500, response.body
    if response.status_code != 200:
        shaped(response)
    assert response.headers["X-Request-Id"]


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("path", POSTS)
@given(body=BODIES | KEYED_BODIES | JSON, headers=HEADERS, escaped=st.booleans())
@FUZZ
def test_any_json(
    scene: Scene, path: str, body: object, headers: dict[str, str], escaped: bool
) -> None:
    filled, headers = scene.filled(body), scene.filled(headers)
    raw = json.dumps(filled).encode() if escaped else as_json(filled)
    check(post(path, raw, headers))
    check(post(path, raw, {k: v for k, v in headers.items() if k != "Content-Type"}))


@pytest.mark.parametrize("path", POSTS)
@given(body=st.dictionaries(st.sampled_from(list(PARAMETERS)), WELL_FORMED), headers=HEADERS)
@FUZZ
def test_any_form(scene: Scene, path: str, body: dict[str, str], headers: dict[str, str]) -> None:
    form = urlencode({"api_key": scene.key, **body}).encode()
    check(post(path, form, {**scene.filled(headers), "Content-Type": FORM}))


@pytest.mark.parametrize("path", [*POSTS, *INBOUND])
@pytest.mark.parametrize("content_type", ["application/json", FORM, None])
@given(body=st.binary(max_size=300))
@example(body=b"\xff\xfe{\x00}\x00")
@example(body=b'{"api_key":"\xed\xa0\x80"}')
@FUZZ
def test_any_bytes(scene: Scene, path: str, content_type: str | None, body: bytes) -> None:
    check(post(path, body, content_type=content_type))


@pytest.mark.parametrize("path", GETS)
@given(
    query=st.dictionaries(st.sampled_from(list(PARAMETERS)) | WELL_FORMED, WELL_FORMED, max_size=4),
    headers=HEADERS,
)
@FUZZ
def test_any_query(scene: Scene, path: str, query: dict[str, str], headers: dict[str, str]) -> None:
    known = {"api_key": scene.key, "rental_id": scene.rental_id}
    check(get(path, scene.filled(headers), **{**known, **query}))
    check(get(path, scene.filled(headers), **query))


@pytest.mark.parametrize("path", [*GETS, "/health"])
@given(tail=st.text(max_size=60), bytes_=st.binary(max_size=20))
@FUZZ
def test_any_query_string(scene: Scene, path: str, tail: str, bytes_: bytes) -> None:
    known = f"api_key={scene.key}&rental_id={scene.rental_id}"
    for query in (tail, f"{known}&{tail}", f"{known}&wait={quote(bytes_)}&country={quote(bytes_)}"):
        check(get(f"{path}?{query}"))


@pytest.mark.parametrize("path", INBOUND)
@given(body=st.binary(max_size=200), headers=HEADERS)
@FUZZ
def test_any_post_of_a_provider(
    scene: Scene, path: str, body: bytes, headers: dict[str, str]
) -> None:
    response = post(path, body, headers)
    check(response)
    assert response.status_code == 403


@given(
    body=st.fixed_dictionaries(
        {"message_id": ANY_TEXT | JSON, "from": ANY_TEXT | JSON, "text": ANY_TEXT | JSON},
        optional={"received_at": JSON},
    ),
    to=st.sampled_from(["+14152000000", "+14155550199"]) | ANY_TEXT,
)
@FUZZ
def test_any_sms_that_is_genuine(scene: Scene, body: dict[str, object], to: str) -> None:
    check(post_generic(scene.stack, {**body, "to": to}))
    check(get("/getSMS", api_key=scene.key, rental_id=scene.rental_id))
