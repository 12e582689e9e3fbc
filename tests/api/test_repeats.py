"""Idempotency-Key on the calls that move money: the first answer again, or a refusal."""

from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.domain.money import NOTHING, UNIT, Micros
from chalicelib.domain.times import DAY, SECOND
from chalicelib.domain.user import User
from tests.api.shapes import refused
from tests.conftest import Stack
from tests.wire import tapped
from tests.world import PRICE, World, get, post, urlencode

FORM = "application/x-www-form-urlencoded"


class Repeater:
    """Somebody with money who gives each call an Idempotency-Key."""

    def __init__(self, world: World, user: User) -> None:
        self.world, self.user, self.key = world, user, world.key(user)

    def rent(self, request: str, **more: object) -> HTTPResponse:
        body = {"api_key": self.key, "country": "US", **more}
        return post("/rentNumber", body, {"Idempotency-Key": request})

    def cancel(self, request: str, rental_id: str) -> HTTPResponse:
        body: dict[str, object] = {"api_key": self.key, "rental_id": rental_id}
        return post("/cancelNumber", body, {"Idempotency-Key": request})

    def charges(self) -> int:
        return sum(entry.amount < 0 for entry in self.world.ledger(self.user))


@pytest.fixture
def me(world: World) -> Repeater:
    world.stock(5)
    return Repeater(world, world.user())


def rental_of(response: HTTPResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.body
    body: dict[str, Any] = response.json_body
    return body


def test_i3_a_rent_is_replayed_and_charged_once(me: Repeater, stack: Stack) -> None:
    first = me.rent("key")
    stack.clock.advance(seconds=600)
    for _ in range(3):
        assert me.rent("key").body == first.body
    assert me.charges() == 1
    assert rental_of(me.rent("other"))["rental_id"] != rental_of(first)["rental_id"]
    assert me.charges() == 2
    me.world.assert_i2(me.user)


def test_a_rent_is_replayed_when_it_could_not_be_done_again(world: World) -> None:
    world.stock(1)
    me = Repeater(world, world.user(balance=PRICE))
    first = me.rent("key")
    assert me.rent("key").body == first.body
    world.stack.platform.catalogue.count_stock()
    assert me.rent("key").body == first.body
    refused(me.rent("other"), 404, "no_numbers", "country")


def test_a_rent_is_replayed_after_its_rental_was_cancelled(me: Repeater) -> None:
    first = me.rent("key")
    me.cancel("cancel", rental_of(first)["rental_id"])
    assert me.rent("key").body == first.body


def test_a_cancel_is_replayed(me: Repeater, stack: Stack) -> None:
    rental_id = rental_of(me.rent("rent"))["rental_id"]
    first = me.cancel("cancel", rental_id)
    balance = me.world.balance(me.user)
    stack.clock.advance(seconds=3600)
    assert me.cancel("cancel", rental_id).body == first.body
    assert first.json_body["refund_amount"] == 0.05
    assert me.world.balance(me.user) == balance
    me.world.assert_i2(me.user)


def test_422_for_other_parameters(me: Repeater, world: World) -> None:
    world.stock(1, country="GB", operator_id=2, first=3_000_000)
    first = me.rent("key", service="one")
    others: list[dict[str, object]] = [
        {"service": "two"},
        {"service": ""},
        {"country": "GB", "service": "one"},
        {"country": "DE", "service": "one"},
        {"service": "one", "more": 1},
    ]
    for other in others:
        refused(me.rent("key", **other), 422, "idempotency_key_reused", "Idempotency-Key")
    assert me.rent("key", service="one").body == first.body
    assert me.charges() == 1


def test_422_for_another_route(me: Repeater) -> None:
    rental_id = rental_of(me.rent("key"))["rental_id"]
    refused(me.cancel("key", rental_id), 422, "idempotency_key_reused", "Idempotency-Key")
    got = get("/getSMS", api_key=me.key, rental_id=rental_id).json_body
    assert got["rental_status"] == "active"


def test_422_for_a_cancel_of_another_rental(me: Repeater) -> None:
    rentals = [rental_of(me.rent(name))["rental_id"] for name in ("one", "two")]
    assert me.cancel("key", rentals[0]).status_code == 200
    refused(me.cancel("key", rentals[1]), 422, "idempotency_key_reused", "Idempotency-Key")


def test_the_api_key_may_change_between_repeats(me: Repeater) -> None:
    first = me.rent("key")
    me.key = me.world.key(me.user)
    assert me.rent("key").body == first.body


def test_a_form_and_json_with_the_same_parameters_are_the_same(me: Repeater) -> None:
    first = me.rent("key", service="one")
    form = urlencode({"service": "one", "country": "US", "api_key": me.key}).encode()
    again = post("/rentNumber", form, {"Idempotency-Key": "key"}, FORM)
    assert again.body == first.body


def test_keys_of_two_users_are_two_keys(me: Repeater) -> None:
    other = Repeater(me.world, me.world.user())
    mine, theirs = rental_of(me.rent("key")), rental_of(other.rent("key"))
    assert mine["rental_id"] != theirs["rental_id"]


def test_a_refusal_is_not_kept(world: World) -> None:
    world.stock(2)
    me = Repeater(world, world.user(balance=NOTHING))
    refused(me.rent("key"), 402, "insufficient_balance")
    world.stack.platform.administration.credit(me.user.user_id, Micros(UNIT), "test")
    assert me.rent("key").status_code == 200


def test_a_key_is_forgotten_after_a_day_before_its_item_is_gone(me: Repeater, stack: Stack) -> None:
    first = rental_of(me.rent("key"))
    stack.clock.advance(seconds=DAY / SECOND - 0.001)
    assert rental_of(me.rent("key")) == first
    stack.clock.advance(seconds=0.001)
    assert rental_of(me.rent("key"))["rental_id"] != first["rental_id"]
    assert me.charges() == 2


def test_i3_two_rents_at_once_by_one_key_are_one(me: Repeater) -> None:
    early: list[HTTPResponse] = []

    def other_comes_first(_: object) -> None:
        early.append(me.rent("key"))

    with tapped(other_comes_first, only="TransactWriteItems"):
        late = me.rent("key")
    assert late.body == early[0].body
    assert me.charges() == 1
    me.world.assert_i2(me.user)


def test_the_longest_key_and_all_its_characters_are_taken(me: Repeater) -> None:
    for key in ("!", "".join(chr(at) for at in range(0x21, 0x7F)), "k" * 255):
        first = me.rent(key)
        assert me.rent(key).body == first.body


@pytest.mark.parametrize("path", ["/rentNumber", "/cancelNumber"])
def test_400_for_a_malformed_key(me: Repeater, path: str, subtests: pytest.Subtests) -> None:
    rental_id = rental_of(me.rent("good"))["rental_id"]
    body: dict[str, object] = {"api_key": me.key, "country": "US", "rental_id": rental_id}
    for key in ("", " ", "a b", "k" * 256, "é", "a\tb", "\x7f", "a\x00"):
        with subtests.test(key=key):
            response = post(path, body, {"Idempotency-Key": key})
            refused(response, 400, "invalid_parameter", "Idempotency-Key")
    assert me.charges() == 1
