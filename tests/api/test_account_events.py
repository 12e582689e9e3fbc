"""GET /account/events: a user's feed over HTTP."""

import json
from typing import Any

import pytest

from chalicelib.domain.ids import E164
from chalicelib.domain.user import User
from tests.api.faces import Caller, holder
from tests.api.shapes import refused
from tests.wire import tapped
from tests.world import World, get

EVENTS = "/account/events"


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def me(world: World, user: User) -> Caller:
    return holder(world.key(user))


def feed(me: Caller, **query: object) -> dict[str, Any]:
    """An answer of the feed."""
    answer: dict[str, Any] = me.ok("GET", EVENTS, query=query)
    return answer


def sms(world: World, user: User, count: int) -> E164:
    """So many SMS on one rental of the user's, a second apart, all of them settled."""
    world.stock(1)
    number = world.rent(user).phone_number
    for _ in range(count):
        world.sms(number)
        world.stack.clock.advance(seconds=1)
    world.stack.clock.advance(seconds=6)
    return number


def test_an_event_is_shown_as_its_webhook_carried_it(world: World, user: User, me: Caller) -> None:
    world.webhook(user, "http://127.0.0.1:9/hook")
    number = sms(world, user, 1)
    world.deliver()
    ((_, body, headers),) = world.stack.receiver.received
    answer = feed(me)
    (event,) = answer.pop("events")
    assert event == {
        "id": headers["webhook-id"],
        "type": "otp_received",
        "at": "2023-11-14T22:13:20Z",
        "data": json.loads(body)["data"],
    }
    assert event["data"]["phone_number"] == number
    assert answer.keys() == {"cursor", "has_more"}
    assert answer["has_more"] is False


def test_polling_with_the_last_cursor_gives_each_event_once(
    world: World, user: User, me: Caller
) -> None:
    number = sms(world, user, 5)
    found, cursor, more = [], None, True
    while more:
        page = feed(me, limit=2, **({"after": cursor} if cursor else {}))
        found += [event["id"] for event in page["events"]]
        cursor, more = page["cursor"], page["has_more"]
    assert found == sorted(row.event_id for row in world.events(user))
    again = feed(me, after=cursor, limit=100)
    assert (again["events"], again["cursor"], again["has_more"]) == ([], cursor, False)
    world.sms(number)
    assert feed(me, after=cursor)["events"] == []
    world.stack.clock.advance(seconds=6)
    (new,) = feed(me, after=cursor)["events"]
    assert new["id"] not in found


def test_an_empty_feed_has_a_cursor_to_poll_with(world: World, user: User, me: Caller) -> None:
    cursor = feed(me)["cursor"]
    sms(world, user, 1)
    assert len(feed(me, after=cursor)["events"]) == 1


def test_nobody_sees_anothers_events(world: World, user: User, me: Caller) -> None:
    sms(world, user, 1)
    cursor = feed(me)["cursor"]
    other = holder(world.key(world.user()))
    assert feed(other)["events"] == []
    refused(other.call("GET", EVENTS, query={"after": cursor}), 400, "invalid_parameter", "after")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5"])
def test_a_limit_is_from_1_to_100(me: Caller, limit: str) -> None:
    refused(me.call("GET", EVENTS, query={"limit": limit}), 400, "invalid_parameter", "limit")


@pytest.mark.parametrize("after", ["x", "01HF7YAT00ZSBK2V87461NE70A", "é" * 9, "A" * 2_000, "===="])
def test_what_is_no_cursor_is_named(me: Caller, after: str) -> None:
    refused(me.call("GET", EVENTS, query={"after": after}), 400, "invalid_parameter", "after")


def test_a_cursor_of_another_list_is_none(world: World, user: User, me: Caller) -> None:
    sms(world, user, 3)
    other = me.ok("GET", "/account/ledger", query={"limit": 1})["next_cursor"]
    refused(me.call("GET", EVENTS, query={"after": other}), 400, "invalid_parameter", "after")


def test_it_is_one_read(world: World, user: User, me: Caller) -> None:
    sms(world, user, 3)
    feed(me)
    with tapped() as wire:
        feed(me)
    assert wire.operations() == ["Query"]
    (request,) = wire.sent("Query")
    assert request["ConsistentRead"] is True
    assert "IndexName" not in request


def test_401_without_a_key(world: World) -> None:
    refused(get(EVENTS), 401, "missing_api_key", "Authorization")


@pytest.mark.parametrize(
    ("given", "shown"), [(12.5, 12.5), ("0.000001", 0.000001), (0, 0.0), (None, 0.0), ("7", 7.0)]
)
def test_low_balance_is_an_amount(me: Caller, given: object, shown: float) -> None:
    assert me.ok("PATCH", "/account", {"low_balance": given})["account"]["low_balance"] == shown
    assert me.ok("GET", "/account")["account"]["low_balance"] == shown


@pytest.mark.parametrize("given", [-1, "x", "", True, [1], {"a": 1}, "0.0000001", 10**12, "NaN"])
def test_what_is_no_amount_is_named(me: Caller, given: object) -> None:
    answer = me.call("PATCH", "/account", {"low_balance": given})
    assert answer.status_code == 400
    assert answer.json_body["message"].startswith("low_balance:")


def test_the_new_types_can_be_asked_for(world: World, user: User, me: Caller) -> None:
    kinds = ["rental_opened", "rental_cancelled", "rental_expired", "balance_low"]
    me.ok(
        "PATCH",
        "/account",
        {"webhook_url": "https://hooks.example.com/x", "webhook_events": kinds},
    )
    events = me.ok("GET", "/account")["account"]["webhook"]["events"]
    assert events == ["otp_received", *kinds]
