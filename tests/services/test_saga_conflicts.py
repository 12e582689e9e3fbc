"""Purchases that collide with others, or lose a reply: done once, or settled by the sweep."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.stores import connection
from tests.sellers import (
    COUNTRY,
    SOLD_AT,
    CrashError,
    Market,
    Seller,
    die,
    done_then_die,
    key_of,
)
from tests.wire import TRANSACT, Fault, conflict, let_through, reply_lost, tapped
from tests.world import BALANCE, together


def buy(market: Market, user: User) -> Rental:
    return market.stack.platform.rentals.rent(user, COUNTRY, "", key_of(user))


@pytest.mark.parametrize("at", [0, 1], ids=["holding", "taking in"])
@pytest.mark.parametrize(
    "faults",
    [[conflict] * 5, [reply_lost], [conflict, reply_lost, conflict]],
    ids=["conflicts", "lost reply", "mixed"],
)
def test_i3_conflicts_buy_once(
    market: Market, seller: Seller, user: User, at: int, faults: list[Fault]
) -> None:
    with tapped(*[let_through] * at, *faults, only=TRANSACT):
        rental = buy(market, user)
    assert buy(market, user) == rental
    assert market.balance(user) == BALANCE - SOLD_AT
    assert seller.asked.count("rent") == 1
    market.assert_settled(user)


@pytest.mark.parametrize("at", [0, 1], ids=["holding", "taking in"])
def test_i3_conflicts_that_outlast_the_retries_are_settled(
    market: Market, seller: Seller, user: User, at: int
) -> None:
    faults = [conflict] * (connection.RETRIES + 1)
    with tapped(*[let_through] * at, *faults, only=TRANSACT), pytest.raises(BusyError):
        buy(market, user)
    market.sweep(121)
    assert (market.balance(user), seller.kept(), market.losses()) == (BALANCE, 0, 0)
    assert buy(market, user).status is RentalStatus.ACTIVE
    market.assert_settled(user)


@pytest.mark.parametrize("faults", [[conflict] * 5, [reply_lost]], ids=["conflicts", "lost reply"])
def test_i5_conflicts_give_back_once(
    market: Market, seller: Seller, user: User, faults: list[Fault]
) -> None:
    rental = buy(market, user)
    with tapped(*faults, only=TRANSACT):
        closed = market.elsewhere().closings.cancel(user, rental.rental_id)
    assert closed.refund == SOLD_AT
    assert market.balance(user) == BALANCE
    market.assert_settled(user)


@pytest.mark.parametrize("fault", [die, done_then_die], ids=["before", "when"])
@pytest.mark.parametrize("then", ["repeated", "never repeated"])
def test_i5_a_cancel_that_dies_refunds_once(
    market: Market, seller: Seller, user: User, fault: Callable[[Any], None], then: str
) -> None:
    """The supplier has it back, and whether we have noted that or not, the money comes back."""
    rental = buy(market, user)
    with tapped(fault, only=TRANSACT), pytest.raises(CrashError):
        market.elsewhere().closings.cancel(user, rental.rental_id)
    if then == "repeated":
        assert market.elsewhere().closings.cancel(user, rental.rental_id).refund == SOLD_AT
    market.sweep(20 * 60)
    assert (market.balance(user), seller.kept()) == (BALANCE, 0)
    market.assert_settled(user)


def test_i1_many_buyers_at_once_get_a_number_each(
    market: Market, seller: Seller, user: User
) -> None:
    bought = together(*[lambda: market.elsewhere().rentals.rent(user, COUNTRY, "")] * 8)
    numbers = {rental.phone_number for rental in bought if isinstance(rental, Rental)}
    assert len(numbers) == 8
    assert market.balance(user) == BALANCE - 8 * SOLD_AT
    market.assert_settled(user)
