"""Purchases that die, lie or collide at every step: after the sweep no money is held."""

from dataclasses import dataclass

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import RentalStatus
from chalicelib.domain.user import User
from chalicelib.errors import NotFoundError
from chalicelib.suppliers.contract import (
    Reason,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
)
from tests.sellers import (
    COST,
    SOLD_AT,
    CrashError,
    Market,
    Seller,
    die,
    done_then_die,
    key_of,
    rentals_of,
)
from tests.wire import TRANSACT, Fault, let_through, tapped
from tests.world import BALANCE, together

UNKNOWN = SupplierOutcomeUnknownError("partner", "timeout")


@dataclass(frozen=True)
class Death:
    """Where a purchase dies: in a call of the supplier's, or at one of our transactions."""

    name: str
    when: str = ""
    faults: tuple[Fault, ...] = ()
    has_number: bool = False

    def __str__(self) -> str:
        return self.name


DEATHS = [
    Death("before the money is held", faults=(die,)),
    Death("when the money is held", faults=(done_then_die,)),
    Death("before the supplier rents", when="before"),
    Death("when the supplier has rented", when="after", has_number=True),
    Death("before the number is taken in", faults=(let_through, die), has_number=True),
    Death("when the number is taken in", faults=(let_through, done_then_die), has_number=True),
]


def die_at(market: Market, seller: Seller, user: User, death: Death) -> None:
    if death.when:
        getattr(seller, death.when)["rent"] = [CrashError()]
    with tapped(*death.faults, only=TRANSACT), pytest.raises(CrashError):
        market.buy(user, key_of(user))


def open_of(user: User) -> list[str]:
    return [row.rental_id for row in rentals_of(user) if row.state == RentalStatus.ACTIVE]


@pytest.mark.parametrize("death", DEATHS, ids=str)
@pytest.mark.parametrize("knows_keys", [True, False], ids=["knows keys", "knows no keys"])
def test_i2_no_money_stays_held_wherever_it_dies(
    market: Market, seller: Seller, user: User, death: Death, knows_keys: bool
) -> None:
    seller.knows_keys = knows_keys
    die_at(market, seller, user, death)
    market.sweep()
    market.sweep()
    market.assert_settled(user)
    opened = len(open_of(user))
    assert opened == (1 if death.name == "when the number is taken in" else 0)
    assert market.balance(user) == BALANCE - opened * SOLD_AT
    lost = 0 if knows_keys or opened or not death.has_number else COST
    # A second number, of which nobody could know, is what an unsuspecting supplier keeps.
    assert seller.kept() == opened * COST + lost
    assert market.losses() == 0
    market.sweep(20 * 60)
    assert market.balance(user) == BALANCE
    market.assert_settled(user)


@pytest.mark.parametrize("death", DEATHS[1:5], ids=str)
@pytest.mark.parametrize(
    "error",
    [
        UNKNOWN,
        SupplierUnavailableError("partner", "breaker open"),
        SupplierRefusedError("partner", Reason.NO_NUMBERS),
    ],
    ids=lambda error: error.why,
)
def test_what_nobody_can_tell_is_our_loss(
    market: Market, seller: Seller, user: User, death: Death, error: Exception
) -> None:
    die_at(market, seller, user, death)
    seller.before["rent"] = [error]
    market.sweep()
    assert market.balance(user) == BALANCE
    assert market.losses() == COST >= seller.kept()
    market.sweep()
    assert market.losses() == COST
    market.assert_settled(user)


@pytest.mark.parametrize("death", DEATHS[1:5], ids=str)
def test_of_a_supplier_that_takes_nothing_back_it_is_our_loss_at_once(
    market: Market, seller: Seller, user: User, death: Death
) -> None:
    seller.needs_polling = seller.can_cancel = seller.knows_keys = False
    die_at(market, seller, user, death)
    rents = seller.asked.count("rent")
    market.sweep()
    assert seller.asked.count("rent") == rents
    assert (market.balance(user), market.losses()) == (BALANCE, COST)
    market.assert_settled(user)


def test_our_loss_is_what_it_cost(market: Market, seller: Seller, user: User) -> None:
    die_at(market, seller, user, DEATHS[2])
    seller.cost, seller.refunds = Micros(COST + 1), False
    market.sweep()
    assert market.losses() == seller.kept() == COST + 1
    assert market.balance(user) == BALANCE
    market.assert_settled(user)


def test_a_sweep_that_dies_is_made_again(market: Market, seller: Seller, user: User) -> None:
    die_at(market, seller, user, DEATHS[3])
    for script in ({"rent": [CrashError()]}, {"cancel": [CrashError()]}):
        seller.after |= script
        with pytest.raises(CrashError):
            market.sweep()
    with tapped(die, only=TRANSACT), pytest.raises(CrashError):
        market.sweep(0)
    market.sweep(0)
    assert (market.balance(user), seller.kept(), market.losses()) == (BALANCE, 0, 0)
    market.assert_settled(user)


def test_i5_sweeps_at_once_refund_once(market: Market, seller: Seller, user: User) -> None:
    for death in DEATHS[1:5]:
        if death.when:
            getattr(seller, death.when)["rent"] = [CrashError()]
        with tapped(*death.faults, only=TRANSACT), pytest.raises(CrashError):
            market.buy(user)
    market.stack.clock.advance(seconds=61)
    together(*[lambda: market.elsewhere().jobs.expire_rentals()] * 3)
    assert (market.balance(user), seller.kept(), market.losses()) == (BALANCE, 0, 0)
    market.assert_settled(user)


def test_the_sweep_leaves_a_purchase_alone_that_is_being_made(
    market: Market, seller: Seller, user: User
) -> None:
    seller.after["rent"] = [lambda: market.sweep(59)]
    rental = market.buy(user)
    assert market.rental(rental).status is RentalStatus.ACTIVE
    market.assert_settled(user)


def test_i5_who_comes_back_after_the_sweep_gives_the_number_back(
    market: Market, seller: Seller, user: User
) -> None:
    seller.after["rent"] = [lambda: market.sweep(61)]
    with pytest.raises(NotFoundError):
        market.buy(user)
    assert (market.balance(user), seller.kept()) == (BALANCE, 0)
    market.assert_settled(user)


@pytest.mark.parametrize(
    ("when", "upstream_id", "loss"),
    [("before", None, COST), ("after", None, COST), ("after", "partner-0", 0)],
    ids=["not done", "done", "done, with an id that can be read"],
)
def test_an_unknown_outcome_is_refunded_and_booked(
    market: Market, seller: Seller, user: User, when: str, upstream_id: str | None, loss: int
) -> None:
    error = SupplierOutcomeUnknownError("partner", "junk in number", upstream_id=upstream_id)
    getattr(seller, when)["rent"] = [error]
    with pytest.raises(NotFoundError):
        market.buy(user, key_of(user))
    assert (market.balance(user), market.losses()) == (BALANCE, loss)
    assert market.losses() >= seller.kept()
    market.assert_settled(user)
    assert market.buy(user, key_of(user)).supplier == "partner"


def test_i1_a_number_that_is_rented_here_already_is_not_rented_again(
    market: Market, seller: Seller, user: User
) -> None:
    """And stays with whom it is: what a confused server gives twice is not cancelled."""
    other = market.user()
    first = market.buy(other)
    given = seller.rented[first.rental_id]

    def confused() -> None:
        seller.rented = {row.rental_id: given for row in rentals_of(user)} | seller.rented

    seller.before["rent"] = [confused]
    with pytest.raises(NotFoundError):
        market.buy(user)
    assert "cancel" not in seller.asked
    assert market.number(first.phone_number).rental_id == first.rental_id
    assert (market.balance(user), market.losses()) == (BALANCE, 0)
    seller.gets(first)
    market.poll(first)
    assert market.rental(first).message_count == 1
    market.assert_settled(user, other)


@pytest.mark.parametrize("where", ["rented to another", "ours", "rented of ours"])
def test_i1_a_number_that_is_here_under_another_id_is_given_back(
    market: Market, seller: Seller, user: User, where: str
) -> None:
    other = market.user()
    if where == "rented to another":
        number = market.buy(other).phone_number
    else:
        (number,) = market.stock(1)
    if where == "rented of ours":
        market.rent(other)
    before = market.number(number)
    seller.numbers = [number]
    with pytest.raises(NotFoundError):
        market.buy(user)
    assert market.number(number).to_dynamodb_dict() == before.to_dynamodb_dict()
    assert (market.balance(user), market.losses()) == (BALANCE, 0)
    assert seller.asked[-1] == "cancel"
    market.assert_settled(user, other)
