"""A balance that falls below what its user had set: told of once each time."""

import json

import pytest

from chalicelib.domain.events import BALANCE_LOW, OTP_RECEIVED
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.rental import Rental
from chalicelib.domain.user import User
from chalicelib.services.profiles import Changes
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.conftest import Stack
from tests.sendings import NEVER, SMS_PRICE, post_in
from tests.wire import TRANSACT, reply_lost, tapped, unreachable
from tests.world import BALANCE, PRICE, World, meanwhile, together

HOOK = "http://127.0.0.1:9/hook"


def watching(world: World, amount: int, *, balance: int = BALANCE) -> User:
    """A user with that balance who is told when it falls below `amount`."""
    user = world.user(balance=Micros(balance))
    world.webhook(user, HOOK, BALANCE_LOW)
    return set_amount(world, user, amount)


def set_amount(world: World, user: User, amount: int) -> User:
    changes = Changes(low_balance=Micros(amount))
    world.stack.platform.profiles.change(user.user_id, changes)
    return world.find(user)


def told(world: World, user: User) -> list[dict[str, float]]:
    """What a user was told of their balance, the oldest first."""
    return [json.loads(e.body)["data"] for e in world.events(user) if e.type == BALANCE_LOW]


def cancel(world: World, rental: Rental) -> None:
    user = world.stack.platform.accounts.find(rental.user_id)
    world.stack.platform.closings.cancel(user, rental.rental_id)


def credit(world: World, user: User, amount: int) -> None:
    world.stack.platform.administration.credit(user.user_id, Micros(amount), "test")


def test_a_balance_that_falls_below_is_told_of_once(world: World) -> None:
    world.stock(4)
    user = watching(world, BALANCE - PRICE)
    world.rent(user)
    assert told(world, user) == [], "it is at the amount, not below"
    for _ in range(3):
        world.rent(user)
        assert told(world, user) == [{"balance": 99.9, "threshold": 99.95}]


def test_it_is_delivered(world: World) -> None:
    world.stock(1)
    user = watching(world, BALANCE)
    world.rent(user)
    world.deliver()
    ((_, body, _),) = world.stack.receiver.received
    assert json.loads(body) == {
        "event": "balance_low",
        "data": {"balance": 99.95, "threshold": 100.0},
    }


@pytest.mark.parametrize("amount", [0, BALANCE])
@pytest.mark.parametrize("asks", [False, True])
def test_only_who_asked_and_set_an_amount_costs_anything(
    world: World, asks: bool, amount: int
) -> None:
    world.stock(1)
    user = world.user()
    world.webhook(user, HOOK, BALANCE_LOW if asks else OTP_RECEIVED)
    user = set_amount(world, user, amount)
    with tapped() as wire:
        cancel(world, world.rent(user))
    made = [operation for operation in wire.operations() if operation != "Query"]
    plain = [TRANSACT, "GetItem", "BatchGetItem", TRANSACT]
    assert (made == plain) is not (asks and bool(amount))
    assert len(told(world, user)) == int(asks and bool(amount))


def test_a_balance_that_has_risen_is_told_of_again(world: World) -> None:
    world.stock(4)
    user = watching(world, BALANCE)
    world.rent(user)
    credit(world, user, UNIT)
    world.rent(user)
    assert len(told(world, user)) == 1, "a look found it above"
    set_amount(world, user, BALANCE + UNIT)
    world.rent(world.find(user))
    world.rent(world.find(user))
    assert len(told(world, user)) == 2


def test_a_rise_that_stays_below_is_none(world: World) -> None:
    world.stock(3)
    user = watching(world, BALANCE)
    world.rent(user)
    credit(world, user, PRICE - 1)
    world.rent(user)
    assert len(told(world, user)) == 1


@pytest.mark.parametrize("expires", [False, True])
def test_a_refund_that_lifts_it_is_noticed_at_once(world: World, expires: bool) -> None:
    world.stock(2)
    user = watching(world, BALANCE)
    for times in (1, 2):
        rental = world.rent(user)
        assert len(told(world, user)) == times
        if expires:
            world.stack.clock.advance(seconds=20 * 60)
            world.stack.platform.jobs.expire_rentals()
        else:
            cancel(world, rental)
        assert world.balance(user) == BALANCE


def test_a_further_sms_is_looked_after(world: World) -> None:
    world.stock(1)
    user = watching(world, BALANCE - PRICE)
    rental = world.rent(user)
    world.sms(rental.phone_number)
    assert told(world, user) == [], "the first one was paid with the rental"
    world.sms(rental.phone_number)
    world.sms(rental.phone_number)
    assert told(world, user) == [{"balance": 99.9, "threshold": 99.95}]


def test_an_sms_that_waited_for_money_is_looked_after(world: World) -> None:
    world.stock(1)
    user = watching(world, 1, balance=PRICE)
    rental = world.rent(user)
    for _ in range(2):
        world.sms(rental.phone_number)
    assert len(told(world, user)) == 1
    credit(world, user, PRICE)
    user = set_amount(world, user, 2)
    world.stack.clock.advance(seconds=1)
    world.stack.platform.inbox.read(
        user, rental.rental_id, wait_until=world.stack.clock.now, holder="key"
    )
    assert told(world, user)[1:] == [{"balance": 0.0, "threshold": 0.000002}]


def test_a_code_is_looked_after(world: World) -> None:
    user = watching(world, BALANCE)
    for _ in range(2):
        world.stack.platform.otp.generate(user, {"phone_number": "+14155552671"})
    assert told(world, user) == [{"balance": 99.96, "threshold": 100.0}]


def test_setting_an_amount_has_it_told_of_anew(world: World) -> None:
    world.stock(3)
    user = watching(world, BALANCE)
    world.rent(user)
    user = set_amount(world, user, BALANCE)
    world.rent(user)
    assert len(told(world, user)) == 2
    user = set_amount(world, user, 0)
    world.rent(user)
    assert len(told(world, user)) == 2


def test_who_pays_many_times_at_once_is_told_once(world: World) -> None:
    world.stock(12)
    user = watching(world, BALANCE - 3 * PRICE)
    together(*[lambda: world.elsewhere().rentals.rent(user, "US", "")] * 12)
    assert world.balance(user) == BALANCE - 12 * PRICE
    assert len(told(world, user)) == 1
    world.assert_i2(user)


def test_payments_and_refunds_at_once_are_told_of_once_for_each_fall(world: World) -> None:
    world.stock(14)
    user = watching(world, BALANCE - PRICE)
    for falls in range(1, 4):
        rent = [lambda: world.elsewhere().rentals.rent(user, "US", "")] * 4
        rentals = [rental for rental in together(*rent) if isinstance(rental, Rental)]
        assert world.balance(user) < BALANCE - PRICE
        assert len(told(world, user)) == falls
        together(*[lambda rental=rental: cancel(world, rental) for rental in rentals])
        assert world.balance(user) == BALANCE
        assert world.find(user).low_told is False
    world.assert_i2(user)


def test_somebody_else_may_tell_between_look_and_telling(world: World) -> None:
    world.stock(1)
    user = watching(world, BALANCE)
    look = world.elsewhere().low_balance.look
    with tapped(meanwhile(lambda: None), meanwhile(lambda: look(user.user_id)), only=TRANSACT):
        world.rent(user)
    assert len(told(world, user)) == 1


def test_a_balance_that_rises_between_look_and_telling_is_not_told_of(world: World) -> None:
    world.stock(1)
    user = watching(world, BALANCE)
    risen = meanwhile(lambda: credit(world, user, UNIT))
    with tapped(meanwhile(lambda: None), risen, only=TRANSACT):
        world.rent(user)
    assert told(world, user) == []
    assert world.find(user).low_told is False


def test_a_rent_stands_though_nobody_could_look(world: World) -> None:
    """Nor was anything forgotten: the next payment has it told of."""
    world.stock(2)
    user = watching(world, BALANCE)
    with tapped(*[unreachable] * 3, only="GetItem"):
        rental = world.rent(user)
    assert world.rental(rental).is_open(world.stack.clock.now)
    assert told(world, user) == []
    world.rent(user)
    assert len(told(world, user)) == 1


def test_a_lost_reply_tells_once(world: World) -> None:
    world.stock(1)
    user = watching(world, BALANCE)
    with tapped(meanwhile(lambda: None), reply_lost, only=TRANSACT):
        world.rent(user)
    assert len(told(world, user)) == 1


def test_a_closed_account_keeps_no_amount(world: World) -> None:
    user = watching(world, 1)
    world.stack.platform.profiles.close(user.user_id, confirm=user.login)
    row = db.get(UserRow, user.user_id)
    assert row is not None
    assert (row.low_balance, row.low_told) == (None, None)


def times_told(world: World, user: User) -> int:
    return [event.type for event in world.events(user)].count(BALANCE_LOW)


def test_the_refund_of_a_code_is_looked_at(stack: Stack) -> None:
    post = post_in(stack)
    user = watching(post, BALANCE)
    for carrier in post.carriers.values():
        carrier.script = [NEVER, NEVER]
    post.sent(user)
    assert post.balance(user) == BALANCE
    stack.clock.advance(seconds=400)
    post.sent(user)
    assert times_told(post, user) == 2


def test_the_call_that_follows_a_code_is_looked_at(stack: Stack) -> None:
    post = post_in(stack)
    user = watching(post, BALANCE - SMS_PRICE)
    stack.platform.otp_accounts.change(user.user_id, {"voice_after": 30})
    made = post.sent(user)
    assert times_told(post, user) == 0
    stack.clock.advance(seconds=30)
    post.advance(made)
    post.advance_tickets()
    assert times_told(post, user) == 1
