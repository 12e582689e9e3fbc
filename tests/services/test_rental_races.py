"""I1, I2, I3 and I5 with many at once, on the real engine."""

from random import Random

import pytest

from chalicelib.domain.ids import RentalId
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import KEPT_FOR, RequestKey, request_key
from chalicelib.domain.times import HOUR, MINUTE, Millis
from chalicelib.domain.user import User
from chalicelib.errors import (
    ConflictError,
    InsufficientBalanceError,
    NotFoundError,
    RequestKeyReusedError,
)
from chalicelib.stores.inbound import Fate
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.numbers import NumberState
from tests.conftest import START, Stack
from tests.wire import tapped
from tests.world import BALANCE, PRICE, World, meanwhile, together

RACES = 200


def key(user: User, name: str = "k", route: str = "POST /rentNumber", **given: str) -> RequestKey:
    return request_key(user.user_id, name, route, given or {"country": "US"})


def rent_with(world: World, user: User, request: RequestKey, service: str = "") -> Rental:
    return world.stack.platform.rentals.rent(user, "US", service, request)


def free(world: World) -> int:
    return sum(offer.available for offer in world.stack.platform.catalogue.count_stock().offers)


@pytest.mark.parametrize("users", [1, 4])
def test_i1_i2_32_claims_of_10_numbers_are_10_rentals(world: World, users: int) -> None:
    world.stock(10)
    owners = [world.user() for _ in range(users)]
    answers = together(*[lambda user=user: world.rent(user) for user in owners * (32 // users)])
    rented = [answer for answer in answers if isinstance(answer, Rental)]
    refused = [answer for answer in answers if isinstance(answer, NotFoundError)]
    assert (len(rented), len(refused)) == (10, 22)
    assert {refusal.code for refusal in refused} == {"no_numbers"}
    assert len({rental.phone_number for rental in rented}) == 10
    for rental in rented:
        assert world.number(rental.phone_number).rental_id == rental.rental_id
    assert sum(world.balance(user) for user in owners) == users * BALANCE - 10 * PRICE
    assert sum(world.find(user).open_rentals for user in owners) == 10
    assert free(world) == 0
    world.assert_i2(*owners)


def test_i2_a_balance_that_pays_for_7_rents_exactly_7(world: World) -> None:
    world.stock(10)
    user = world.user(balance=Micros(8 * PRICE - 1))
    answers = together(*[lambda: world.rent(user)] * 32)
    assert sum(isinstance(answer, Rental) for answer in answers) == 7
    assert sum(isinstance(answer, InsufficientBalanceError) for answer in answers) == 25
    assert world.balance(user) == PRICE - 1
    assert free(world) == 3
    world.assert_i2(user)


def test_i1_a_number_lost_to_another_is_followed_by_the_next(world: World) -> None:
    world.stock(2)
    user, other = world.user(), world.user()
    taken: list[Rental] = []
    with tapped(meanwhile(lambda: taken.append(world.rent(other))), only="TransactWriteItems"):
        rental = world.rent(user)
    assert rental.phone_number != taken[0].phone_number
    assert world.balance(user) == world.balance(other) == BALANCE - PRICE


def test_a_number_used_between_look_and_commit_is_looked_at_again(
    world: World, stack: Stack
) -> None:
    """It is free again, but its history is not what was seen: another had it for the service."""
    world.stock(1)
    stack.configure(SESAME_REST_UNUSED_SECONDS="0")
    user, other = world.user(), world.user()

    def use() -> None:
        stack.platform.closings.cancel(other, world.rent(other, service="acme").rental_id)
        stack.platform.jobs.end_rests()

    with tapped(meanwhile(use), only="TransactWriteItems"), pytest.raises(NotFoundError):
        world.rent(user, service="acme")
    assert world.rent(user, service="other").user_id == user.user_id


@pytest.mark.parametrize("count", [1, 10])
def test_i3_one_request_key_32_times_at_once_is_one_charge(world: World, count: int) -> None:
    world.stock(count)
    user = world.user()
    answers = together(*[lambda: rent_with(world, user, key(user))] * 32)
    assert len({a.rental_id for a in answers if isinstance(a, Rental)}) == 1
    assert answers == [answers[0]] * 32
    assert world.balance(user) == BALANCE - PRICE
    assert world.find(user).rentals_total == 1
    assert free(world) == count - 1
    world.assert_i2(user)


def test_i3_one_key_with_two_sets_of_parameters_at_once(world: World) -> None:
    world.stock(5)
    user = world.user()
    requests = [key(user, country="US"), key(user, country="US", service="acme")]
    answers = together(*[lambda r=r: rent_with(world, user, r) for r in requests * 8])
    assert sum(isinstance(answer, Rental) for answer in answers) == 8
    assert sum(isinstance(answer, RequestKeyReusedError) for answer in answers) == 8
    assert len({a.rental_id for a in answers if isinstance(a, Rental)}) == 1
    assert world.balance(user) == BALANCE - PRICE


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("balance", [PRICE, BALANCE])
def test_i3_replays_when_stock_and_money_are_gone(
    world: World, counted: bool, balance: Micros
) -> None:
    world.stock(1)
    user = world.user(balance=balance)
    rental = rent_with(world, user, key(user))
    if counted:
        world.stack.platform.catalogue.count_stock()
    assert rent_with(world, user, key(user)) == rental
    with pytest.raises(RequestKeyReusedError):
        rent_with(world, user, key(user, country="GB"))
    assert world.balance(user) == balance - PRICE


def test_i3_replays_when_money_is_gone_and_stock_is_not(world: World) -> None:
    world.stock(3)
    user = world.user(balance=PRICE)
    rental = rent_with(world, user, key(user))
    assert rent_with(world, user, key(user)) == rental
    assert free(world) == 2


def test_i3_a_refusal_may_be_tried_again_with_its_key(world: World) -> None:
    user = world.user(balance=Micros(PRICE - 1))
    with pytest.raises(NotFoundError):
        rent_with(world, user, key(user))
    world.stock(1)
    with pytest.raises(InsufficientBalanceError):
        rent_with(world, user, key(user))
    world.stack.platform.administration.credit(user.user_id, Micros(1), "top-up")
    assert rent_with(world, user, key(user)).user_id == user.user_id
    assert world.balance(user) == 0


@pytest.mark.parametrize("service", ["", "acme"])
def test_i3_an_expired_key_counts_as_absent(world: World, service: str) -> None:
    world.stock(2)
    user = world.user()
    first = rent_with(world, user, key(user))
    world.stack.clock.now = Millis(START + KEPT_FOR - 1)
    assert rent_with(world, user, key(user)) == first
    world.stack.clock.now = Millis(START + KEPT_FOR)
    again = key(user, country="US", service=service)
    second = rent_with(world, user, again, service)
    assert second.rental_id != first.rental_id
    assert rent_with(world, user, again, service) == second
    assert world.balance(user) == BALANCE - 2 * PRICE


def test_i3_an_expired_key_replays_nothing_when_stock_is_gone(world: World) -> None:
    world.stock(1)
    user = world.user()
    rent_with(world, user, key(user))
    world.stack.clock.now = Millis(START + KEPT_FOR)
    with pytest.raises(NotFoundError):
        rent_with(world, user, key(user))


def test_i3_a_key_is_one_users_and_one_routes(world: World) -> None:
    world.stock(3)
    user, other = world.user(), world.user()
    first = rent_with(world, user, key(user))
    assert rent_with(world, other, key(other)).rental_id != first.rental_id
    with pytest.raises(RequestKeyReusedError):
        world.stack.platform.closings.cancel(
            user, first.rental_id, key(user, route="POST /cancelNumber")
        )
    cancelling = key(user, "c", "POST /cancelNumber", rental_id=first.rental_id)
    answers = together(
        *[lambda: world.stack.platform.closings.cancel(user, first.rental_id, cancelling)] * 8
    )
    assert answers == [world.rental(first)] * 8
    with pytest.raises(RequestKeyReusedError):
        rent_with(world, user, key(user, "c"))
    world.assert_i2(user, other)


def test_i5_cancel_expiry_and_sms_raced(world: World, stack: Stack) -> None:
    """Expiry has a clock of its own, a moment ahead: Lambdas' clocks differ, and all may run."""
    world.stock(RACES)
    stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR=str(RACES))
    user, shuffled = world.user(), Random(1)
    elsewhere = world.elsewhere(Millis(START + 20 * MINUTE)).closings
    refunds = 0
    for _ in range(RACES):
        rental = world.rent(user)
        cancel = lambda id=rental.rental_id: stack.platform.closings.cancel(user, id)  # noqa: E731
        calls = [cancel] * 3
        calls += [lambda id=rental.rental_id: elsewhere.expire(id)]
        calls += [lambda to=rental.phone_number: world.sms(to)]
        shuffled.shuffle(calls)
        assert_one_end(world, rental, together(*calls))
        refunds += world.rental(rental).refund
    entries = world.ledger(user)
    refunded = [entry.reference for entry in entries if entry.kind is EntryKind.REFUND]
    assert len(refunded) == len(set(refunded))
    assert len(refunded) * PRICE == refunds
    assert world.balance(user) == BALANCE - RACES * PRICE + refunds
    assert (world.find(user).open_rentals, world.find(user).rentals_total) == (0, RACES)
    world.assert_i2(user)


def assert_one_end(world: World, rental: Rental, answers: list[object]) -> None:
    closed = world.rental(rental)
    cancelled = [answer for answer in answers if isinstance(answer, Rental)]
    refused = [answer for answer in answers if isinstance(answer, ConflictError)]
    fate = next(answer for answer in answers if isinstance(answer, Fate))
    expired = next(answer for answer in answers if isinstance(answer, bool))
    assert (len(cancelled), len(refused)) == ((0, 3) if expired else (3, 0))
    assert closed.status is (RentalStatus.EXPIRED if expired else RentalStatus.CANCELLED)
    assert cancelled == [closed] * len(cancelled)
    assert closed.message_count == len(closed.messages) == (fate is Fate.MATCHED)
    assert closed.refund == (0 if closed.messages else PRICE)
    row = world.number(rental.phone_number)
    rest = 72 * HOUR if closed.messages else 20 * MINUTE
    assert (row.state, row.uses, row.rental_id) == (NumberState.RESTING, 1, None)
    assert closed.closed_at is not None
    assert row.rest_until == closed.closed_at + rest


def cancelling(world: World, user: User, rental_id: RentalId) -> Rental:
    return world.stack.platform.closings.cancel(user, rental_id)


def test_i5_an_sms_between_a_cancels_read_and_its_commit_keeps_the_money(world: World) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    sms = meanwhile(lambda: world.sms(rental.phone_number))
    with tapped(sms, only="TransactWriteItems"):
        closed = cancelling(world, user, rental.rental_id)
    assert (closed.refund, closed.message_count) == (0, 1)
    assert world.number(rental.phone_number).rest_until == START + 72 * HOUR
    assert world.balance(user) == BALANCE - PRICE


def test_i5_an_sms_between_the_sweeps_read_and_its_commit_keeps_the_money(world: World) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    sms = meanwhile(lambda: world.sms(rental.phone_number))
    with tapped(sms, only="TransactWriteItems"):
        assert world.elsewhere(rental.expires_at).closings.expire(rental.rental_id)
    assert (world.rental(rental).refund, world.rental(rental).message_count) == (0, 1)
    assert world.balance(user) == BALANCE - PRICE


@pytest.mark.parametrize("messages", [0, 1])
@pytest.mark.parametrize("first", ["cancel", "expiry"])
def test_i5_cancel_and_expiry_between_each_others_read_and_commit(
    world: World, first: str, messages: int
) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    for _ in range(messages):
        world.sms(rental.phone_number)
    sweep = world.elsewhere(rental.expires_at).closings
    if first == "cancel":
        between = meanwhile(lambda: cancelling(world, user, rental.rental_id))
        with tapped(between, only="TransactWriteItems"):
            assert not sweep.expire(rental.rental_id)
    else:
        between = meanwhile(lambda: sweep.expire(rental.rental_id))
        with tapped(between, only="TransactWriteItems"), pytest.raises(ConflictError):
            cancelling(world, user, rental.rental_id)
    assert world.rental(rental).status == ("cancelled" if first == "cancel" else "expired")
    assert world.balance(user) == BALANCE - messages * PRICE
    assert world.find(user).open_rentals == 0
    world.assert_i2(user)
