"""The schedules' work: twice in a row or twice at once, the outcome is the same."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest
from chalice.test import Client

from app import app
from chalicelib import bootstrap
from chalicelib.bootstrap import Platform
from chalicelib.domain.rental import RentalStatus
from chalicelib.domain.times import HOUR, MINUTE, SECOND, Millis
from chalicelib.services.jobs import Jobs
from chalicelib.stores import queues
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.numbers import NumberState
from tests.conftest import START, Stack, TestClock
from tests.wire import tapped
from tests.world import BALANCE, PRICE, World, meanwhile, together

Job = Callable[[Jobs], object]


def in_a_row(world: World, job: Job) -> None:
    for _ in range(2):
        job(world.stack.platform.jobs)


def at_once(world: World, job: Job) -> None:
    together(*[lambda: job(world.elsewhere().jobs)] * 2)


TWICE = pytest.mark.parametrize("twice", [in_a_row, at_once])


@dataclass
class Hurried:
    """A clock that jumps past every job's time after so many looks at it."""

    clock: TestClock
    looks: int

    def __call__(self) -> Millis:
        self.looks -= 1
        if self.looks == 0:
            self.clock.advance(seconds=120)
        return self.clock()


def hurried(world: World, looks: int) -> Platform:
    here = world.stack.platform
    clock = Hurried(world.stack.clock, looks)
    return Platform(here.settings, clock, here.sleep, Random(3), here.post)


def stock_counted(world: World) -> int:
    return sum(offer.available for offer in world.elsewhere().catalogue.stock().offers)


@TWICE
def test_i5_expiry_twice(world: World, twice: Callable[[World, Job], None]) -> None:
    user, other = world.user(), world.user()
    world.stock(13)
    rented = [world.rent(user) for _ in range(8)] + [world.rent(other) for _ in range(4)]
    for rental in rented[:3]:
        world.sms(rental.phone_number)
    world.stack.clock.advance(seconds=60)
    young = world.rent(other)
    world.stack.clock.now = rented[0].expires_at
    twice(world, Jobs.expire_rentals)
    closed = [world.rental(rental) for rental in rented]
    assert {rental.status for rental in closed} == {RentalStatus.EXPIRED}
    assert [rental.refund for rental in closed] == [0] * 3 + [PRICE] * 9
    assert world.rental(young).status is RentalStatus.ACTIVE
    assert world.balance(user) == BALANCE - 3 * PRICE
    assert world.balance(other) == BALANCE - PRICE
    assert (world.find(user).open_rentals, world.find(other).open_rentals) == (0, 1)
    world.assert_i2(user, other)


@TWICE
def test_i1_the_end_of_rests_twice(world: World, twice: Callable[[World, Job], None]) -> None:
    user = world.user()
    world.stock(9)
    short, long = [[world.rent(user) for _ in range(4)] for _ in range(2)]
    for rental in long:
        world.sms(rental.phone_number)
    for rental in short + long:
        world.stack.platform.closings.cancel(user, rental.rental_id)
    for moment, resting in [
        (START + 20 * MINUTE - 1, short + long),
        (START + 20 * MINUTE, long),
        (START + 72 * HOUR - 1, long),
        (START + 72 * HOUR, []),
    ]:
        world.stack.clock.now = Millis(moment)
        twice(world, Jobs.end_rests)
        for rental in short + long:
            row = world.number(rental.phone_number)
            rests = rental in resting
            assert row.state == (NumberState.RESTING if rests else NumberState.FREE)
            assert (row.free is None, row.rank is None) == (rests, rests)
            assert (row.rest is None, row.rest_until is None) == (not rests, not rests)
        twice(world, Jobs.count_stock)
        assert stock_counted(world) == 9 - len(resting)


@pytest.mark.parametrize("cancelled", [False, True])
def test_i1_a_rest_that_ended_meanwhile_is_not_ended_again(world: World, cancelled: bool) -> None:
    """The index said that it rests; it was freed and rented before the job came to it."""
    user = world.user()
    (number,) = world.stock(1)
    world.stack.platform.closings.cancel(user, world.rent(user).rental_id)
    world.stack.clock.advance(seconds=20 * 60)

    def free_and_rent() -> None:
        world.elsewhere().jobs.end_rests()
        world.stack.platform.catalogue.count_stock()
        rental = world.rent(user)
        if cancelled:
            world.stack.platform.closings.cancel(user, rental.rental_id)

    with tapped(meanwhile(free_and_rent), only="UpdateItem"):
        world.stack.platform.jobs.end_rests()
    row = world.number(number)
    assert row.state == (NumberState.RESTING if cancelled else NumberState.RENTED)
    assert (row.free, row.rank, row.uses) == (None, None, 2)


@TWICE
def test_i7_the_count_twice(world: World, twice: Callable[[World, Job], None]) -> None:
    user = world.user()
    world.stock(5)
    world.stock(3, operator_id=2, country="GB", first=3_000_000)
    world.rent(user)
    twice(world, Jobs.count_stock)
    offers = {o.country: o.available for o in world.elsewhere().catalogue.stock().offers}
    assert offers == {"US": 4, "GB": 3}


def test_i7_a_count_that_began_earlier_does_not_undo_a_later_one(world: World) -> None:
    user = world.user()
    world.stock(5)
    world.rent(user)
    later = world.elsewhere(Millis(START + 2)).catalogue.count_stock()
    world.stack.platform.closings.cancel(user, world.rent(user).rental_id)
    assert world.elsewhere(Millis(START + 1)).catalogue.count_stock() == later
    assert stock_counted(world) == 4


@pytest.mark.parametrize(("count", "looks", "by_itself"), [(4, 3, 0), (112, 104, 100)])
def test_a_sweep_without_time_hands_pages_to_the_queue(
    world: World, stack: Stack, count: int, looks: int, by_itself: int
) -> None:
    """Each closing looks at the clock once, the job before each page and at its beginning."""
    stack.configure(SESAME_MAX_OPEN_RENTALS="200")
    user = world.user()
    world.stock(count)
    rented = [world.rent(user) for _ in range(count)]
    stack.clock.now = rented[0].expires_at
    bootstrap.use(hurried(world, looks))
    with Client(app) as client:
        client.lambda_.invoke("expire_rentals", client.events.generate_cw_event("", "", {}, ""))
        pages = world.swept()
        assert [len(page["expire"]) for page in pages] == [count - by_itself]
        assert world.find(user).open_rentals == count - by_itself
        event = client.events.generate_sqs_event([json.dumps(page) for page in pages])
        for _ in range(2):
            answer = client.lambda_.invoke("run_sweep_page", event)
            assert answer.payload == {"batchItemFailures": []}
    assert {world.rental(rental).status for rental in rented[-12:]} == {RentalStatus.EXPIRED}
    assert world.find(user).open_rentals == 0
    assert world.balance(user) == BALANCE
    refunds = [entry for entry in world.ledger(user) if entry.kind is EntryKind.REFUND]
    assert len(refunds) == count


def test_the_oldest_are_swept_first(world: World) -> None:
    user = world.user()
    world.stock(3)
    rented = []
    for _ in range(3):
        rented.append(world.rent(user))
        world.stack.clock.advance(seconds=5)
    world.stack.clock.now = rented[2].expires_at
    pages = list(world.stack.platform.closings.overdue(limit=2))
    ids = [rental.rental_id for rental in rented]
    assert pages == [ids[:2], ids[2:]]


def test_rests_that_a_run_has_no_time_for_are_ended_by_the_next(world: World) -> None:
    user = world.user()
    world.stock(4)
    for rental in [world.rent(user) for _ in range(4)]:
        world.stack.platform.closings.cancel(user, rental.rental_id)
    world.stack.clock.advance(seconds=20 * 60)
    hurried(world, 6).jobs.end_rests()
    world.stack.platform.jobs.count_stock()
    assert 0 < stock_counted(world) < 4
    world.stack.platform.jobs.end_rests()
    world.stack.platform.jobs.count_stock()
    assert stock_counted(world) == 4


def told(world: World, count: int) -> list[str]:
    """Deliveries of a user with an endpoint; the queue's messages of them are lost."""
    user = world.user()
    world.webhook(user, "http://127.0.0.1:9/hook")
    world.stock(1)
    rental = world.rent(user)
    for _ in range(count):
        world.sms(rental.phone_number)
    world.queued()
    return [delivery.delivery_id for delivery in world.deliveries(user)]


def delayed(world: World) -> int:
    answer = queues.client().get_queue_attributes(
        QueueUrl=world.stack.platform.settings.webhooks_queue,
        AttributeNames=["ApproximateNumberOfMessagesDelayed"],
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])


@TWICE
def test_i4_deliveries_requeued_twice_make_no_storm(
    world: World, twice: Callable[[World, Job], None]
) -> None:
    lost = told(world, 5)
    world.stack.clock.advance(seconds=60)
    twice(world, Jobs.requeue_deliveries)
    again = world.queued()
    assert 5 <= len(again) <= (10 if twice is at_once else 5)
    assert {message["delivery_id"] for message in again} == set(lost)
    world.stack.platform.jobs.requeue_deliveries()
    assert world.queued() == []
    for message in again:
        world.stack.platform.webhooks.deliver(message["delivery_id"], message["user_id"])
    assert len(world.stack.receiver.received) == 5
    for _ in range(5):
        world.stack.clock.advance(seconds=60)
        world.stack.platform.jobs.requeue_deliveries()
    assert world.queued() == []


def test_sweeps_without_a_deliverer_tell_again_only_of_what_the_queue_may_have_lost(
    world: World,
) -> None:
    lost = told(world, 3)
    for _ in range(10):
        world.stack.clock.advance(seconds=60)
        in_a_row(world, Jobs.requeue_deliveries)
    assert len(world.queued()) + delayed(world) == len(lost)
    world.stack.clock.advance(seconds=360)
    in_a_row(world, Jobs.requeue_deliveries)
    assert len(world.queued()) + delayed(world) == len(lost)
    assert world.stack.clock.now == START + 960 * SECOND
