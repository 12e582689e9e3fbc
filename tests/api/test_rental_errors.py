"""What spec B's calls refuse: each with its status, its stable code and the field's name."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from chalice.test import HTTPResponse

from chalicelib.domain import keys
from chalicelib.domain.ids import UserId, new_rental_id
from chalicelib.domain.money import NOTHING
from chalicelib.domain.times import SECOND, Millis
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.api.shapes import refused
from tests.conftest import START, Stack
from tests.wire import failed, stored, tapped
from tests.world import World, get, post

SOME_RENTAL = new_rental_id(Millis(START))
WRONG_TYPES = [1, 1.5, 10**30, -1, [], ["US"], {}, {"US": 1}, True, False]
NOT_TEXT = ["a\u0000b", "\ud800", "\u202e", "line\nbreak"]
Keyed = Callable[[str], HTTPResponse]
CALLS: dict[str, Keyed] = {
    "getNumbers": lambda key: get("/getNumbers", api_key=key),
    "rentNumber": lambda key: post("/rentNumber", {"api_key": key, "country": "US"}),
    "getSMS": lambda key: get("/getSMS", api_key=key, rental_id=SOME_RENTAL),
    "cancelNumber": lambda key: post("/cancelNumber", {"api_key": key, "rental_id": SOME_RENTAL}),
}
POSTS = ["/rentNumber", "/cancelNumber"]
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


@dataclass(frozen=True)
class Scene:
    """Numbers in stock, and somebody with money and a key."""

    world: World
    user_id: UserId
    key: str

    @property
    def stack(self) -> Stack:
        return self.world.stack

    def rent(self) -> str:
        response = post("/rentNumber", {"api_key": self.key, "country": "US"})
        assert response.status_code == 200, response.body
        rental_id: str = response.json_body["rental_id"]
        return rental_id


@pytest.fixture
def scene(world: World) -> Scene:
    world.stock(5)
    user = world.user()
    return Scene(world, user.user_id, world.key(user))


@every_call
def test_401_without_a_key_that_lives(scene: Scene, call: Keyed) -> None:
    well_formed = keys.new_key(scene.user_id)
    wrong_checksum = scene.key[:-1] + ("0" if scene.key[-1] != "0" else "1")
    refused(call(""), 401, "missing_api_key", "api_key")
    for key in (" ", "junk", "x" * 5000, "ключ", "\x00", wrong_checksum, well_formed):
        body = refused(call(key), 401, "invalid_api_key", "api_key")
        assert key == " " or key not in body["message"]
    revoked = scene.world.key(scene.world.user())
    prefix = keys.shown_prefix(revoked)
    scene.stack.platform.key_ring.revoke(prefix.split("_")[1], prefix)
    refused(call(revoked), 401, "invalid_api_key", "api_key")


@pytest.mark.parametrize("path", POSTS)
def test_401_for_a_key_of_another_type(scene: Scene, path: str, subtests: pytest.Subtests) -> None:
    for value in WRONG_TYPES:
        with subtests.test(value=value):
            response = post(path, {"api_key": value, "country": "US", "rental_id": SOME_RENTAL})
            refused(response, 401, "invalid_api_key" if value else "missing_api_key", "api_key")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic abc", "token"])
def test_401_for_an_authorization_without_a_token(scene: Scene, value: str) -> None:
    headers = {"Authorization": value}
    refused(get("/getNumbers", headers), 401, "missing_api_key", "api_key")
    refused(get("/getNumbers", {"Authorization": "Bearer x"}), 401, "invalid_api_key", "api_key")


@every_call
def test_403_for_a_user_who_may_not_act(scene: Scene, call: Keyed) -> None:
    accounts = scene.stack.platform.accounts
    pending = accounts.create("pending", "Nobody has let them in")
    refused(
        call(scene.stack.platform.key_ring.issue(pending.user_id).text), 403, "account_inactive"
    )
    inactive = scene.world.user()
    key = scene.world.key(inactive)
    db.update(UserRow(inactive.user_id), [UserRow.active.set(False)], UserRow.status.exists())
    refused(call(key), 403, "account_inactive")


@pytest.mark.parametrize("body", [{}, {"country": None}, {"country": ""}, {"country": "  "}])
def test_400_for_no_country(scene: Scene, body: dict[str, object]) -> None:
    response = post("/rentNumber", {"api_key": scene.key, **body})
    refused(response, 400, "missing_parameter", "country")


def test_400_for_what_is_no_country(scene: Scene, subtests: pytest.Subtests) -> None:
    before = stored()
    for value in (*WRONG_TYPES, *NOT_TEXT, "XX", "USA", "840", "ß", "U" * 9999):
        with subtests.test(value=value):
            response = post("/rentNumber", {"api_key": scene.key, "country": value})
            refused(response, 400, "invalid_parameter", "country")
            if isinstance(value, str) and value.isprintable():
                response = get("/getNumbers", api_key=scene.key, country=value)
                refused(response, 400, "invalid_parameter", "country")
    assert stored() == before


def test_400_for_what_is_no_service(scene: Scene, subtests: pytest.Subtests) -> None:
    before = stored()
    for value in (*WRONG_TYPES, *NOT_TEXT, "x" * 65):
        with subtests.test(value=value):
            body = {"api_key": scene.key, "country": "US", "service": value}
            refused(post("/rentNumber", body), 400, "invalid_parameter", "service")
    assert stored() == before


@pytest.mark.parametrize("value", [None, ""])
def test_400_for_no_rental_id(scene: Scene, value: object) -> None:
    response = post("/cancelNumber", {"api_key": scene.key, "rental_id": value})
    refused(response, 400, "missing_parameter", "rental_id")
    refused(get("/getSMS", api_key=scene.key), 400, "missing_parameter", "rental_id")


def test_400_for_what_can_be_no_rental_id(scene: Scene, subtests: pytest.Subtests) -> None:
    for value in (*WRONG_TYPES, *NOT_TEXT, "r" * 257):
        with subtests.test(value=value):
            response = post("/cancelNumber", {"api_key": scene.key, "rental_id": value})
            refused(response, 400, "invalid_parameter", "rental_id")


def test_400_for_what_is_no_wait(scene: Scene, subtests: pytest.Subtests) -> None:
    rental_id = scene.rent()
    for value in ("x", "-1", "1.5", "26", "1e1", "٣", "9" * 5000, "true", "25 "):
        with subtests.test(value=value):
            response = get("/getSMS", api_key=scene.key, rental_id=rental_id, wait=value)
            refused(response, 400, "invalid_parameter", "wait")


def test_402_when_the_balance_cannot_pay(scene: Scene) -> None:
    poor = scene.world.user(balance=NOTHING)
    key = scene.world.key(poor)
    response = post("/rentNumber", {"api_key": key, "country": "US"})
    refused(response, 402, "insufficient_balance")
    assert scene.world.balance(poor) == 0
    assert scene.world.ledger(poor) == []


def test_404_when_there_is_no_number(scene: Scene) -> None:
    response = post("/rentNumber", {"api_key": scene.key, "country": "DE"})
    refused(response, 404, "no_numbers", "country")


def test_404_is_alike_for_unknown_and_for_foreign_rentals(scene: Scene) -> None:
    stranger = scene.world.key(scene.world.user())
    unknown = ["x", "rent_12345", SOME_RENTAL, SOME_RENTAL.lower(), "../" + SOME_RENTAL]
    foreign, before = scene.rent(), stored()
    bodies = set()
    for rental_id in (*unknown, foreign):
        for response in (
            get("/getSMS", api_key=stranger, rental_id=rental_id),
            post("/cancelNumber", {"api_key": stranger, "rental_id": rental_id}),
        ):
            refused(response, 404, "rental_not_found", "rental_id")
            bodies.add(response.body)
    assert len(bodies) == 1
    assert stored() == before


def test_409_for_a_cancel_of_an_expired_rental(scene: Scene) -> None:
    rental_id = scene.rent()
    scene.stack.clock.advance(seconds=20 * 60)
    for _ in ("before the sweep", "after it"):
        response = post("/cancelNumber", {"api_key": scene.key, "rental_id": rental_id})
        refused(response, 409, "rental_expired", "rental_id")
        scene.stack.platform.jobs.expire_rentals()


def test_409_for_a_cancel_that_is_too_early(scene: Scene) -> None:
    scene.stack.configure(SESAME_CANCEL_AFTER_SECONDS="120")
    scene.stack.platform.catalogue.count_stock()
    rental_id = scene.rent()
    scene.stack.clock.advance(seconds=0.5)
    response = post("/cancelNumber", {"api_key": scene.key, "rental_id": rental_id})
    refused(response, 409, "cancel_too_early", "rental_id")
    assert response.headers["Retry-After"] == "120"
    scene.stack.clock.advance(seconds=int(response.headers["Retry-After"]))
    assert post("/cancelNumber", {"api_key": scene.key, "rental_id": rental_id}).status_code == 200


def test_429_for_too_many_open_rentals(scene: Scene) -> None:
    scene.stack.configure(SESAME_MAX_OPEN_RENTALS="2")
    rentals = [scene.rent(), scene.rent()]
    response = post("/rentNumber", {"api_key": scene.key, "country": "US"})
    refused(response, 429, "too_many_open_rentals")
    post("/cancelNumber", {"api_key": scene.key, "rental_id": rentals[0]})
    scene.rent()


def test_429_for_too_many_unused_cancels_until_the_hour_is_over(scene: Scene) -> None:
    scene.stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="1", SESAME_RENTAL_SECONDS="7200")
    rentals = [scene.rent(), scene.rent()]
    first, second = ({"api_key": scene.key, "rental_id": rental} for rental in rentals)
    assert post("/cancelNumber", dict(first)).status_code == 200
    response = post("/cancelNumber", dict(second))
    refused(response, 429, "too_many_unused_cancels")
    scene.stack.clock.advance(seconds=int(response.headers["Retry-After"]))
    assert post("/cancelNumber", dict(second)).status_code == 200


@every_call
def test_429_for_too_many_calls_until_the_minute_is_over(scene: Scene, call: Keyed) -> None:
    scene.stack.configure(SESAME_MAX_CALLS_PER_MINUTE="3")
    statuses = [call(scene.key).status_code for _ in range(3)]
    assert 429 not in statuses
    response = call(scene.key)
    refused(response, 429, "rate_limited")
    until = START - START % 60_000 + 60_000
    assert int(response.headers["Retry-After"]) == -(-(until - START) // SECOND)
    scene.stack.clock.advance(seconds=int(response.headers["Retry-After"]))
    assert call(scene.key).status_code == statuses[0]


def test_429_counts_the_calls_of_a_user_whatever_their_keys(scene: Scene) -> None:
    scene.stack.configure(SESAME_MAX_CALLS_PER_MINUTE="3")
    ring = scene.stack.platform.key_ring
    for _ in range(3):
        newest = ring.issue(scene.user_id)
        assert get("/getNumbers", api_key=newest.text).status_code == 200
        ring.revoke(scene.user_id, newest.key.prefix)
    refused(get("/getNumbers", api_key=scene.key), 429, "rate_limited")


@every_call
def test_503_when_the_tables_throttle(scene: Scene, call: Keyed) -> None:
    with tapped(*[failed("ThrottlingException")] * 3):
        refused(call(scene.key), 503, "busy")
