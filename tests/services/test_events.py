"""What users ask to be told of beside their codes: rentals that begin and end."""

import json
from typing import Any

import pytest

from chalicelib.domain.events import (
    OTP_RECEIVED,
    RENTAL_CANCELLED,
    RENTAL_EVENTS,
    RENTAL_EXPIRED,
    RENTAL_OPENED,
    SMS_RECEIVED,
)
from chalicelib.domain.ids import ulid_time
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import request_key
from chalicelib.domain.times import MINUTE, SECOND, iso
from chalicelib.domain.user import User
from chalicelib.stores import connection
from chalicelib.stores.tables import NumberRow
from chalicelib.suppliers.contract import Reason, SupplierRefusedError
from tests.conftest import START, Stack
from tests.sellers import Market, Seller
from tests.wire import TRANSACT, tapped
from tests.world import World, meanwhile, together

HOOK = "http://127.0.0.1:9/hook"


def subscriber(world: World, *kinds: str) -> User:
    """A user who is told of rentals, or only of these."""
    user = world.user()
    world.webhook(user, HOOK, *(kinds or RENTAL_EVENTS))
    return world.find(user)


def told(world: World, user: User) -> list[tuple[str, dict[str, Any]]]:
    """A user's events, the oldest first, but for those of SMS."""
    found = [(row.type, json.loads(row.body)["data"]) for row in world.events(user)]
    return [event for event in found if event[0] not in (OTP_RECEIVED, SMS_RECEIVED)]


def cancel(world: World, rental: Rental) -> Rental:
    """Given back a moment later, as ids are in order of time."""
    world.stack.clock.advance(seconds=0.001)
    user = world.stack.platform.accounts.find(rental.user_id)
    return world.stack.platform.closings.cancel(user, rental.rental_id)


def test_a_rental_that_begins_and_is_cancelled_is_told_of(world: World) -> None:
    world.stock(1)
    user = subscriber(world)
    rental = world.rent(user, service="acme")
    shown = {
        "rental_id": rental.rental_id,
        "phone_number": rental.phone_number,
        "country": "US",
        "service": "acme",
        "price": 0.05,
    }
    opened = (RENTAL_OPENED, {**shown, "expires_at": iso(rental.expires_at)})
    assert told(world, user) == [opened]
    world.stack.clock.advance(seconds=1)
    cancel(world, rental)
    cancelled = (RENTAL_CANCELLED, {**shown, "refund_amount": 0.05, "message_count": 0})
    assert told(world, user) == [opened, cancelled]


@pytest.mark.parametrize(("messages", "refund"), [(0, 0.05), (2, 0.0)])
def test_a_rental_that_expires_is_told_of(world: World, messages: int, refund: float) -> None:
    world.stock(1)
    user = subscriber(world, RENTAL_EXPIRED)
    rental = world.rent(user)
    for _ in range(messages):
        world.sms(rental.phone_number)
    world.stack.clock.advance(seconds=20 * 60)
    world.stack.platform.jobs.expire_rentals()
    world.stack.platform.jobs.expire_rentals()
    ((kind, data),) = told(world, user)
    assert (kind, data["refund_amount"], data["message_count"]) == (
        RENTAL_EXPIRED,
        refund,
        messages,
    )


def test_each_is_delivered_under_the_id_that_the_feed_shows(world: World) -> None:
    world.stock(1)
    user = subscriber(world)
    cancel(world, world.rent(user))
    world.deliver()
    received = [
        (headers["webhook-id"], body.decode()) for _, body, headers in world.stack.receiver.received
    ]
    assert sorted(received) == [(row.event_id, row.body) for row in world.events(user)]
    assert len(received) == 2


@pytest.mark.parametrize("kinds", [(), (RENTAL_OPENED,), (RENTAL_CANCELLED, RENTAL_EXPIRED)])
def test_only_what_was_asked_for_is_written(world: World, kinds: tuple[str, ...]) -> None:
    world.stock(1)
    user = world.user()
    if kinds:
        world.webhook(user, HOOK, *kinds)
    cancel(world, world.rent(world.find(user)))
    wanted = [kind for kind in (RENTAL_OPENED, RENTAL_CANCELLED) if kind in kinds]
    assert [kind for kind, _ in told(world, user)] == wanted


def test_an_event_costs_no_round_trip_and_two_items(world: World) -> None:
    world.stock(2)
    plain, asking = world.user(), subscriber(world)
    sizes = []
    for user in (plain, asking):
        with tapped() as wire:
            rental = world.rent(user)
            cancel(world, rental)
        reads = ["Query", TRANSACT, "GetItem", "BatchGetItem", TRANSACT]
        assert wire.operations() == reads
        sizes.append([len(sent["TransactItems"]) for sent in wire.sent(TRANSACT)])
    assert [more - less for less, more in zip(*sizes, strict=True)] == [2, 2]


def test_what_was_asked_for_when_it_began_is_told_at_its_end(world: World) -> None:
    """So that an end needs not read its user."""
    world.stock(2)
    asking, late = subscriber(world), world.user()
    rentals = [world.rent(asking), world.rent(late)]
    world.webhook(asking, HOOK, OTP_RECEIVED)
    world.webhook(late, HOOK, *RENTAL_EVENTS)
    for rental in rentals:
        cancel(world, rental)
    assert [kind for kind, _ in told(world, asking)] == [RENTAL_OPENED, RENTAL_CANCELLED]
    assert told(world, late) == []


def test_a_repeat_tells_nothing_again(world: World) -> None:
    world.stock(2)
    user = subscriber(world)
    rents = request_key(user.user_id, "rent", "POST /rentNumber", {})
    here = world.stack.platform
    rented = [here.rentals.rent(user, "US", "", rents) for _ in range(2)]
    assert rented[0] == rented[1]
    for _ in range(2):
        cancel(world, rented[0])
    assert [kind for kind, _ in told(world, user)] == [RENTAL_OPENED, RENTAL_CANCELLED]


def test_ends_that_race_are_one_event(world: World) -> None:
    world.stock(1)
    user = subscriber(world)
    rental = world.rent(user)
    over = world.elsewhere(rental.expires_at).closings
    together(*[lambda: cancel(world, rental), lambda: over.expire(rental.rental_id)] * 4)
    ended = world.rental(rental).status
    kinds = {RentalStatus.CANCELLED: RENTAL_CANCELLED, RentalStatus.EXPIRED: RENTAL_EXPIRED}
    assert [kind for kind, _ in told(world, user)] == [RENTAL_OPENED, kinds[ended]]


def test_a_number_that_left_the_stock_is_told_of_once(world: World) -> None:
    (number,) = world.stock(1)
    user = subscriber(world, RENTAL_CANCELLED)
    rental = world.rent(user)
    connection.client().delete_item(**NumberRow.get_operation_kwargs_from_class(number))
    cancel(world, rental)
    assert [kind for kind, _ in told(world, user)] == [RENTAL_CANCELLED]


def test_an_event_is_of_the_moment_in_which_it_is_written(world: World) -> None:
    """The feed shows it five seconds later: what is found or asked before must not count."""
    world.stock(1)
    user = subscriber(world)
    clock = world.stack.clock
    slow = meanwhile(lambda: clock.advance(seconds=7))
    with tapped(slow, only="Query"):
        rental = world.rent(user)
    assert clock.now == START + 7 * SECOND
    with tapped(slow, only="BatchGetItem"):
        cancel(world, rental)
    moments = [ulid_time(row.event_id) for row in world.events(user)]
    assert moments == [START + 7 * SECOND, START + 14 * SECOND + 1]


def test_without_its_number_a_rental_ends_in_another_moment(world: World) -> None:
    (number,) = world.stock(1)
    user = subscriber(world, RENTAL_CANCELLED)
    rental = world.rent(user)
    connection.client().delete_item(**NumberRow.get_operation_kwargs_from_class(number))
    with tapped(meanwhile(lambda: world.stack.clock.advance(seconds=4)), only=TRANSACT):
        cancel(world, rental)
    (event,) = world.events(user)
    assert ulid_time(event.event_id) == START + 4 * SECOND + 1


class TestBoughtNumbers:
    def test_one_that_is_taken_in_is_told_of(self, market: Market) -> None:
        user = subscriber(market)
        rental = market.buy(user)
        ((kind, data),) = told(market, user)
        assert kind == RENTAL_OPENED
        assert (data["rental_id"], data["phone_number"]) == (
            rental.rental_id,
            rental.phone_number,
        )
        assert data["expires_at"] == iso(rental.expires_at)
        market.stack.clock.advance(seconds=1)
        market.elsewhere().closings.cancel(user, rental.rental_id)
        assert [kind for kind, _ in told(market, user)] == [RENTAL_OPENED, RENTAL_CANCELLED]

    def test_one_that_never_came_is_not(self, market: Market, seller: Seller) -> None:
        user = subscriber(market)
        seller.before["rent"] = [SupplierRefusedError("partner", Reason.NO_NUMBERS)]
        with pytest.raises(Exception, match="No number"):
            market.buy(user)
        assert market.find(user).open_rentals == 0
        assert told(market, user) == []

    def test_its_event_is_of_the_moment_in_which_it_came(
        self, market: Market, seller: Seller, stack: Stack
    ) -> None:
        user = subscriber(market)
        seller.after["rent"] = [lambda: stack.clock.advance(seconds=6)]
        market.buy(user)
        (event,) = market.events(user)
        assert ulid_time(event.event_id) == START + 6 * SECOND

    def test_one_that_expires_is_told_of(self, market: Market) -> None:
        user = subscriber(market, RENTAL_EXPIRED)
        market.buy(user)
        market.sweep(seconds=20 * MINUTE / SECOND)
        assert [kind for kind, _ in told(market, user)] == [RENTAL_EXPIRED]
