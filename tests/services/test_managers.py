"""The daily credit of markups: each manager once for each finished day."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.times import DAY, HOUR, MINUTE, Millis
from chalicelib.domain.user import User
from chalicelib.services.administration import Placement
from chalicelib.stores import ledger
from tests.wire import failed, tapped
from tests.world import PRICE, World, together

MARKUP = Micros(PRICE // 10)


def manager_of(world: World, *users: User) -> User:
    """A manager of these users who adds 10 %."""
    place = world.stack.platform.administration.place
    manager = world.user(balance=Micros(0))
    place(manager.user_id, Placement(is_manager=True, markup=1_000))
    for user in users:
        place(user.user_id, Placement(manager=manager.user_id))
    return world.find(manager)


def sold(world: World, user: User, sms: int = 1) -> None:
    """A rental of the user with so many SMS."""
    user = world.find(user)
    manager = world.stack.platform.accounts.manager_of(user)
    rental = world.stack.platform.rentals.rent(user, "US", "", manager=manager)
    for _ in range(sms):
        world.sms(rental.phone_number)


def at(world: World, days: int, after: int) -> None:
    """So many days after today's midnight, and a while."""
    world.stack.clock.now = Millis(world.stack.clock.now // DAY * DAY + days * DAY + after)


def markups(world: World, manager: User) -> list[ledger.Entry]:
    return [entry for entry in world.ledger(manager) if entry.kind == "markup"]


@pytest.fixture
def user(world: World) -> User:
    world.stock(10)
    return world.user()


def test_a_day_is_credited_once_it_is_an_hour_old(world: World, user: User) -> None:
    manager = manager_of(world, user)
    sold(world, user, sms=3)
    job = world.stack.platform.jobs.credit_markups
    job()
    assert markups(world, manager) == []
    at(world, 1, HOUR - MINUTE)
    job()
    assert markups(world, manager) == []
    at(world, 0, HOUR)
    job()
    (entry,) = markups(world, manager)
    assert entry.amount == world.balance(manager) == 3 * MARKUP
    assert entry.reference == "2023-11-14"
    for _ in range(50):
        world.stack.clock.advance(seconds=HOUR // 1000)
        job()
    assert len(markups(world, manager)) == 1
    world.assert_i2(manager, user)


def test_two_jobs_at_once_credit_once(world: World, user: User) -> None:
    others = [world.user() for _ in range(3)]
    managers = [manager_of(world, one) for one in (user, *others)]
    for one in (user, *others):
        sold(world, one, sms=2)
    at(world, 1, 2 * HOUR)
    jobs = [world.elsewhere().jobs.credit_markups for _ in range(4)]
    assert together(*jobs) == [None] * 4
    for manager in managers:
        (entry,) = markups(world, manager)
        assert entry.amount == world.balance(manager) == 2 * MARKUP
    world.assert_i2(*managers, user, *others)


def test_each_manager_has_the_sum_of_their_own_users(world: World, user: User) -> None:
    second, third = world.user(), world.user()
    one, two = manager_of(world, user, second), manager_of(world, third)
    sold(world, user, sms=1)
    sold(world, second, sms=2)
    sold(world, third, sms=4)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    assert (world.balance(one), world.balance(two)) == (3 * MARKUP, 4 * MARKUP)


def test_the_day_before_is_made_up_for(world: World, user: User) -> None:
    manager = manager_of(world, user)
    sold(world, user)
    at(world, 1, 12 * HOUR)
    sold(world, user, sms=2)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    first, second = markups(world, manager)
    assert (first.amount, second.amount) == (MARKUP, 2 * MARKUP)
    assert (first.reference, second.reference) == ("2023-11-14", "2023-11-15")
    world.assert_i2(manager)


def test_a_week_without_the_job_is_made_up_for(world: World, user: User) -> None:
    manager = manager_of(world, user)
    for _ in range(8):
        sold(world, user)
        at(world, 1, 12 * HOUR)
    at(world, 0, HOUR)
    world.stack.platform.jobs.credit_markups()
    days = [f"2023-11-{day}" for day in range(15, 22)]
    assert [entry.reference for entry in markups(world, manager)] == days
    world.assert_i2(manager)


def test_a_day_that_is_done_is_not_gone_through_again_for_a_week(world: World, user: User) -> None:
    manager_of(world, user)
    sold(world, user)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    for _ in range(6):
        at(world, 1, HOUR)
        with tapped() as wire:
            world.stack.platform.jobs.credit_markups()
        assert wire.operations() == ["BatchGetItem", "Query", "TransactWriteItems"]


def test_a_rental_without_an_sms_earns_nothing(world: World, user: User) -> None:
    manager = manager_of(world, user)
    sold(world, user, sms=0)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    assert markups(world, manager) == []


def test_a_job_that_broke_off_is_made_up_for(world: World, user: User) -> None:
    second = world.user()
    one, two = manager_of(world, user), manager_of(world, second)
    sold(world, user)
    sold(world, second)
    at(world, 1, HOUR)
    job = world.stack.platform.jobs.credit_markups
    faults = [failed("ThrottlingException")] * 3
    with tapped(*faults, only="TransactWriteItems"):
        job()
    assert sorted([world.balance(one), world.balance(two)]) == [0, MARKUP]
    world.stack.clock.advance(seconds=HOUR // 1000)
    job()
    assert [world.balance(one), world.balance(two)] == [MARKUP, MARKUP]
    world.assert_i2(one, two)


def test_a_job_without_time_left_does_nothing_and_says_nothing_is_done(
    world: World, user: User
) -> None:
    manager = manager_of(world, user)
    sold(world, user)
    at(world, 1, HOUR)
    world.stack.platform.managers.credit_markups(world.stack.clock.now)
    assert world.balance(manager) == 0
    world.stack.platform.jobs.credit_markups()
    assert world.balance(manager) == MARKUP


def test_a_day_that_is_done_costs_a_read_an_hour(world: World, user: User) -> None:
    manager_of(world, user)
    sold(world, user)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    with tapped() as wire:
        world.stack.platform.jobs.credit_markups()
    assert wire.operations() == ["BatchGetItem"]


def test_a_manager_who_has_left_stops_nobody_elses_credit(world: World, user: User) -> None:
    second = world.user()
    gone, stays = manager_of(world, user), manager_of(world, second)
    sold(world, user)
    sold(world, second)
    place = world.stack.platform.administration.place
    place(user.user_id, Placement(manager=""))
    world.stack.platform.profiles.close(gone.user_id, confirm=gone.login)
    at(world, 1, HOUR)
    world.stack.platform.jobs.credit_markups()
    assert (world.balance(gone), world.balance(stays)) == (MARKUP, MARKUP)
    world.assert_i2(gone, stays)
