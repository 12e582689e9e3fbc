"""What one account or one key may hold or do: rentals, cancels, calls a minute, waits at once."""

import pytest

from chalicelib.domain.rental import Rental
from chalicelib.domain.times import HOUR, MINUTE, SECOND, Millis, later
from chalicelib.errors import LimitExceededError
from chalicelib.services.limits import CallLimiter, WaitSlots
from chalicelib.stores import limits
from tests.conftest import START, Stack
from tests.world import BALANCE, PRICE, World, together


def cancel(world: World, rental: Rental) -> Rental:
    user = world.stack.platform.accounts.find(rental.user_id)
    return world.stack.platform.closings.cancel(user, rental.rental_id)


def expire(world: World, rental: Rental) -> bool:
    return world.elsewhere(rental.expires_at).closings.expire(rental.rental_id)


def test_max_open_rentals(world: World, stack: Stack) -> None:
    user, other = world.user(), world.user()
    world.stock(6)
    stack.configure(SESAME_MAX_OPEN_RENTALS="3")
    rented = [world.rent(user) for _ in range(3)]
    with pytest.raises(LimitExceededError) as refused:
        world.rent(user)
    assert refused.value.code == "too_many_open_rentals"
    assert world.balance(user) == BALANCE - 3 * PRICE
    assert world.rent(other)
    cancel(world, rented[0])
    assert world.rent(user)
    with pytest.raises(LimitExceededError):
        world.rent(user)


def test_unused_cancels_are_limited_by_the_hour(world: World, stack: Stack) -> None:
    user, other = world.user(), world.user()
    world.stock(9)
    stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="2")
    for _ in range(2):
        cancel(world, world.rent(user))
    used, kept = world.rent(user), world.rent(user)
    world.sms(used.phone_number)
    assert cancel(world, used).refund == 0
    for _ in range(2):
        with pytest.raises(LimitExceededError) as refused:
            cancel(world, kept)
    assert refused.value.code == "too_many_unused_cancels"
    assert refused.value.retry_after == (HOUR - START % HOUR) // SECOND
    assert world.find(user).cancel_count == 2
    assert cancel(world, world.rent(other)).refund == PRICE
    assert expire(world, kept)
    assert world.balance(user) == BALANCE - PRICE


def test_unused_cancels_begin_anew_with_the_next_hour(world: World, stack: Stack) -> None:
    user = world.user()
    world.stock(7)
    stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="2")
    for hour in range(3):
        stack.clock.now = Millis((START // HOUR + hour) * HOUR)
        for _ in range(2):
            cancel(world, world.rent(user))
        stack.clock.now = Millis((START // HOUR + hour + 1) * HOUR - 1)
        rental = world.rent(user) if hour == 2 else None
    assert rental is not None
    with pytest.raises(LimitExceededError):
        cancel(world, rental)
    world.assert_i2(user)


def test_open_rentals_are_limited_when_many_ask_at_once(world: World, stack: Stack) -> None:
    user = world.user()
    world.stock(20)
    stack.configure(SESAME_MAX_OPEN_RENTALS="3")
    answers = together(*[lambda: world.rent(user)] * 12)
    assert sum(isinstance(answer, Rental) for answer in answers) == 3
    assert sum(isinstance(answer, LimitExceededError) for answer in answers) == 9
    assert world.find(user).open_rentals == 3
    assert world.balance(user) == BALANCE - 3 * PRICE


def test_unused_cancels_are_limited_when_many_ask_at_once(world: World, stack: Stack) -> None:
    user = world.user()
    world.stock(10)
    rented = [world.rent(user) for _ in range(10)]
    stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="4")
    answers = together(*[lambda rental=rental: cancel(world, rental) for rental in rented])
    assert sum(isinstance(answer, Rental) for answer in answers) == 4
    assert sum(isinstance(answer, LimitExceededError) for answer in answers) == 6
    assert world.find(user).cancel_count == 4
    assert world.find(user).open_rentals == 6
    assert world.balance(user) == BALANCE - 6 * PRICE


def taken(limiter: CallLimiter, calls: int, holder: str = "key") -> int:
    """How many of so many calls the limiter lets through."""
    through = 0
    for _ in range(calls):
        try:
            limiter.take(holder)
        except LimitExceededError:
            continue
        through += 1
    return through


@pytest.mark.parametrize("most", [0, 1, 7, 10, 25, 600])
def test_a_key_makes_so_many_calls_a_minute(stack: Stack, most: int) -> None:
    limiter = CallLimiter(stack.clock, most)
    assert taken(limiter, most + 5) == most
    assert taken(limiter, 3, "another key") == min(3, most)


def test_a_refused_call_says_when_to_come_back(stack: Stack) -> None:
    limiter = CallLimiter(stack.clock, 5)
    stack.clock.now = Millis(START // MINUTE * MINUTE + 12_345)
    assert taken(limiter, 5) == 5
    with pytest.raises(LimitExceededError) as refused:
        limiter.take("key")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 48)
    stack.clock.advance(seconds=47.655)
    assert taken(limiter, 6) == 5


def test_processes_share_a_limit_but_for_a_tenth_each(stack: Stack) -> None:
    limiters = [CallLimiter(stack.clock, 100) for _ in range(4)]
    through = sum(taken(limiter, 10) for _ in range(6) for limiter in limiters)
    assert 100 <= through <= 100 + 4 * 10
    assert all(taken(limiter, 20) < 10 for limiter in limiters)


def test_calls_at_once_by_one_process_never_pass_the_limit(stack: Stack) -> None:
    limiter = CallLimiter(stack.clock, 40)
    through = together(*[lambda: taken(limiter, 5)] * 16)
    # The call that shares a part may see later calls counted before it, and be refused for them.
    assert 30 <= sum(answer for answer in through if isinstance(answer, int)) <= 40


def test_three_waits_at_once_and_no_fourth(stack: Stack) -> None:
    slots = WaitSlots(stack.clock)
    until = later(stack.clock.now, seconds=25)
    with (
        slots.held("k", until) as one,
        slots.held("k", until) as two,
        slots.held("k", until) as tri,
    ):
        assert one
        assert two
        assert tri
        with slots.held("k", until) as fourth:
            assert not fourth
        with slots.held("other", until) as others:
            assert others
    assert limits.held("waits#k") == [0, 0, 0]


def test_a_wait_that_fails_gives_its_slot_back(stack: Stack) -> None:
    slots = WaitSlots(stack.clock)
    until = later(stack.clock.now, seconds=25)

    def fail() -> None:
        assert sorted(limits.held("waits#k")) == [0, 0, until]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), slots.held("k", until):
        fail()
    assert limits.held("waits#k") == [0, 0, 0]


def test_a_slot_ends_by_itself_and_is_not_taken_from_its_next_holder(stack: Stack) -> None:
    slots = WaitSlots(stack.clock)
    until = later(stack.clock.now, seconds=25)
    for slot in range(3):
        limits.hold("waits#k", slot, stack.clock.now, until=until)
    stack.clock.now = Millis(until - 1)
    with slots.held("k", later(until, seconds=25)) as too_soon:
        assert not too_soon
    stack.clock.now = until
    with slots.held("k", later(until, seconds=25)) as mine:
        assert mine
        # What crashed may come back, and gives back what it no longer has.
        slots._give_back("waits#k", 0, until)
        assert limits.held("waits#k")[0] == later(until, seconds=25)


def test_waits_that_begin_at_once_get_three_slots_between_them(stack: Stack) -> None:
    slots = WaitSlots(stack.clock)
    until = later(stack.clock.now, seconds=25)
    got = together(*[lambda: slots._take("waits#k", until)] * 8)
    taken_slots = [slot for slot in got if isinstance(slot, int)]
    assert len(taken_slots) == len(set(taken_slots))
    assert 1 <= len(taken_slots) <= 3
