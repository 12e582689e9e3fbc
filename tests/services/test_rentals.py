"""Renting and giving back: money, limits and reuse, one call at a time."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.times import DAY, HOUR, MINUTE, SECOND, Millis
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    InsufficientBalanceError,
    NotFoundError,
)
from chalicelib.stores import connection
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.numbers import NumberState
from chalicelib.stores.tables import NumberRow
from tests.conftest import START, Stack
from tests.world import BALANCE, PRICE, World


def cancel(world: World, rental: Rental) -> Rental:
    user = world.stack.platform.accounts.find(rental.user_id)
    return world.stack.platform.closings.cancel(user, rental.rental_id)


def expire(world: World, rental: Rental) -> bool:
    return world.elsewhere(rental.expires_at).closings.expire(rental.rental_id)


def remove_from_stock(phone_number: str) -> None:
    connection.client().delete_item(**NumberRow.get_operation_kwargs_from_class(phone_number))


def test_i2_renting_charges_one_sms_at_once(world: World) -> None:
    user = world.user()
    (number,) = world.stock(1)
    world.stack.clock.advance(seconds=1)
    rental = world.rent(user, service="acme")
    assert world.rental(rental) == rental
    assert (rental.phone_number, rental.price, rental.service) == (number, PRICE, "acme")
    assert rental.expires_at == START + 20 * MINUTE + SECOND
    assert world.balance(user) == BALANCE - PRICE
    payment = world.ledger(user)[-1]
    assert (payment.kind, payment.amount) == (EntryKind.RENTAL, -PRICE)
    assert payment.reference == rental.rental_id
    assert (world.find(user).open_rentals, world.find(user).rentals_total) == (1, 1)
    row = world.number(number)
    assert (row.state, row.rental_id, row.free) == (NumberState.RENTED, rental.rental_id, None)


def test_the_cheapest_operator_with_stock_goes_first(world: World) -> None:
    user = world.user()
    dear = world.stock(2, operator_id=1, price=Micros(PRICE * 2))
    cheap = world.stock(2, operator_id=2, first=3_000_000)
    rented = [world.rent(user) for _ in range(4)]
    assert {rental.phone_number for rental in rented[:2]} == set(cheap)
    assert {rental.phone_number for rental in rented[2:]} == set(dear)
    assert world.balance(user) == BALANCE - 6 * PRICE


def test_another_country_has_no_numbers(world: World) -> None:
    user = world.user()
    world.stock(1)
    with pytest.raises(NotFoundError) as refused:
        world.rent(user, country="GB")
    assert refused.value.code == "no_numbers"
    assert world.balance(user) == BALANCE


@pytest.mark.parametrize("missing", [1, PRICE])
def test_a_balance_that_cant_pay_rents_nothing(world: World, missing: int) -> None:
    user = world.user(balance=Micros(PRICE - missing))
    (number,) = world.stock(1)
    with pytest.raises(InsufficientBalanceError):
        world.rent(user)
    assert world.number(number).state == NumberState.FREE
    assert world.balance(user) == PRICE - missing
    assert world.find(user).open_rentals == 0


def test_a_balance_may_be_spent_to_the_last_micro_unit(world: World) -> None:
    user = world.user(balance=PRICE)
    world.stock(1)
    world.rent(user)
    assert world.balance(user) == 0


def test_a_pending_user_rents_nothing(world: World) -> None:
    accounts = world.stack.platform.accounts
    user = accounts.create("pending", "A user")
    world.stack.platform.administration.credit(user.user_id, BALANCE, "test")
    world.stock(1)
    with pytest.raises(ForbiddenError):
        world.rent(user)
    assert world.balance(user) == BALANCE


def test_what_is_somebody_elses_looks_like_what_is_nobodys(world: World) -> None:
    owner, other = world.user(), world.user()
    world.stock(1)
    rental = world.rent(owner)
    here = world.stack.platform
    unknown = rental.rental_id[:-4] + "0000"
    answers = set()
    for rental_id in (rental.rental_id, unknown, "rent_1", ""):
        for call in (here.rentals.find, here.closings.cancel):
            with pytest.raises(NotFoundError) as refused:
                call(other, rental_id)
            answers.add((refused.value.code, refused.value.message))
    assert len(answers) == 1
    assert world.rental(rental) == rental


def test_i5_an_unused_rental_is_refunded_in_full_and_rests_20_minutes(world: World) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    world.stack.clock.advance(seconds=60)
    closed = cancel(world, rental)
    assert (closed.status, closed.refund) == (RentalStatus.CANCELLED, PRICE)
    assert closed.closed_at == START + MINUTE
    assert world.rental(rental) == closed
    amounts = {entry.kind: entry.amount for entry in world.ledger(user)}
    assert amounts == {
        EntryKind.CREDIT: BALANCE,
        EntryKind.RENTAL: -PRICE,
        EntryKind.REFUND: PRICE,
    }
    assert world.balance(user) == BALANCE
    assert world.find(user).open_rentals == 0
    row = world.number(rental.phone_number)
    assert (row.state, row.rest_until) == (NumberState.RESTING, START + 21 * MINUTE)
    assert (row.rental_id, row.user_id, row.expires_at) == (None, None, None)


def test_i5_a_used_rental_is_not_refunded_and_rests_72_hours(world: World) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    world.sms(rental.phone_number)
    closed = cancel(world, rental)
    assert (closed.status, closed.refund) == (RentalStatus.CANCELLED, 0)
    assert world.balance(user) == BALANCE - PRICE
    assert world.number(rental.phone_number).rest_until == START + 72 * HOUR


@pytest.mark.parametrize("messages", [0, 1])
def test_i5_expiry_refunds_and_rests_as_a_cancel_does(world: World, messages: int) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    for _ in range(messages):
        world.sms(rental.phone_number)
    assert expire(world, rental)
    closed = world.rental(rental)
    assert closed.status is RentalStatus.EXPIRED
    assert closed.refund == (0 if messages else PRICE)
    assert world.balance(user) == BALANCE - PRICE + closed.refund
    rest = 72 * HOUR if messages else 20 * MINUTE
    assert world.number(rental.phone_number).rest_until == rental.expires_at + rest
    assert world.find(user).open_rentals == 0


def test_i5_a_repeated_cancel_gets_the_first_ones_answer(world: World) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    first = cancel(world, rental)
    for later in (0, 60, 3_600, 86_400):
        world.stack.clock.advance(seconds=later)
        assert cancel(world, rental) == first
    assert world.balance(user) == BALANCE
    world.assert_i2(user)


@pytest.mark.parametrize("swept", [False, True])
def test_an_expired_rental_cant_be_cancelled_whether_swept_or_not(
    world: World, swept: bool
) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    if swept:
        assert expire(world, rental)
    world.stack.clock.now = rental.expires_at
    with pytest.raises(ConflictError) as refused:
        cancel(world, rental)
    assert refused.value.code == "rental_expired"
    assert world.balance(user) == (BALANCE if swept else BALANCE - PRICE)


def test_expiry_and_cancel_share_the_moment_between_them(world: World) -> None:
    user = world.user()
    world.stock(2)
    swept, cancelled = world.rent(user), world.rent(user)
    world.stack.clock.now = Millis(swept.expires_at - 1)
    assert not world.stack.platform.closings.expire(swept.rental_id)
    assert cancel(world, cancelled).refund == PRICE
    world.stack.clock.now = swept.expires_at
    assert world.stack.platform.closings.expire(swept.rental_id)
    assert not world.stack.platform.closings.expire(swept.rental_id)
    assert world.balance(user) == BALANCE


def test_cancel_after_holds_to_the_millisecond(world: World, stack: Stack) -> None:
    user = world.user()
    world.stock(1)
    stack.configure(SESAME_CANCEL_AFTER_SECONDS="90")
    rental = world.rent(user)
    stack.configure(SESAME_CANCEL_AFTER_SECONDS="0")
    stack.clock.now = Millis(START + 90 * SECOND - 1)
    with pytest.raises(ConflictError) as refused:
        cancel(world, rental)
    assert (refused.value.code, refused.value.retry_after) == ("cancel_too_early", 1)
    stack.clock.now = Millis(START + 90 * SECOND)
    assert cancel(world, rental).refund == PRICE


@pytest.mark.parametrize("how", [cancel, expire])
def test_a_number_that_left_the_stock_keeps_nobodys_money(world: World, how: object) -> None:
    user = world.user()
    world.stock(1)
    rental = world.rent(user)
    remove_from_stock(rental.phone_number)
    assert how(world, rental)  # type: ignore[operator]
    assert world.rental(rental).refund == PRICE
    assert world.balance(user) == BALANCE
    assert world.find(user).open_rentals == 0
    world.assert_i2(user)


@pytest.mark.parametrize("how", [cancel, expire])
def test_i1_an_end_frees_no_number_that_is_anothers_by_now(world: World, how: object) -> None:
    user, other = world.user(), world.user()
    world.stock(1)
    rental = world.rent(user)
    remove_from_stock(rental.phone_number)
    world.stock(1)
    theirs = world.rent(other)
    assert how(world, rental)  # type: ignore[operator]
    assert world.balance(user) == BALANCE
    assert world.number(rental.phone_number).rental_id == theirs.rental_id


def reuse_after(world: World, days: int, service: str, again: str, *, same_user: bool) -> bool:
    """Whether the one number, used for `service`, is given again for `again` after some days."""
    first, other = world.user(), world.user()
    world.stock(1)
    cancel(world, world.rent(first, service=service))
    world.stack.clock.now = Millis(START + days * DAY)
    world.stack.platform.jobs.end_rests()
    world.stack.platform.jobs.count_stock()
    try:
        world.rent(first if same_user else other, service=again)
    except NotFoundError:
        return False
    return True


@pytest.mark.parametrize(
    ("days", "service", "again", "same_user", "given"),
    [
        (1, "acme", "acme", False, False),
        (44, "acme", "acme", False, False),
        (45, "acme", "acme", False, True),
        (1, "acme", "acme", True, True),
        (1, "acme", "other", False, True),
        (1, "", "", False, True),
        (1, "acme", "", False, True),
        (1, "", "acme", False, True),
    ],
)
def test_a_number_goes_to_nobody_else_for_one_named_service_within_45_days(
    world: World, days: int, service: str, again: str, same_user: bool, given: bool
) -> None:
    assert reuse_after(world, days, service, again, same_user=same_user) is given


def test_history_holds_the_last_20_named_uses(world: World, stack: Stack) -> None:
    user, other = world.user(), world.user()
    (number,) = world.stock(1)
    stack.configure(SESAME_REST_UNUSED_SECONDS="0", SESAME_MAX_UNUSED_CANCELS_PER_HOUR="100")
    services = [f"service-{at}" for at in range(21)]
    for service in (*services[:2], "", "", *services[2:], ""):
        cancel(world, world.rent(user, service=service))
        stack.platform.jobs.end_rests()
    row = world.number(number)
    assert row.uses == 24
    assert [use.service for use in row.history] == services[1:]
    for service in ("service-1", "service-20"):
        with pytest.raises(NotFoundError):
            world.rent(other, service=service)
    assert world.rent(other, service="service-0")
