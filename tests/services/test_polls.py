"""SMS of bought numbers: asked for until the end, by one at a time, each taken once."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.times import SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.services.polls import LAST_POLL, LEASE, LONGEST_WAIT
from chalicelib.services.purchases import FIRST_POLL, POLL_GRACE
from chalicelib.stores import connection
from chalicelib.suppliers.contract import SupplierJunkError, SupplierUnavailableError
from tests.sellers import SOLD_AT, CrashError, Market, Seller, queue_tapped
from tests.wire import TRANSACT, conflict, let_through, reply_lost, tapped
from tests.world import BALANCE, meanwhile, together


@pytest.fixture
def rental(market: Market, user: User) -> Rental:
    return market.buy(user)


def poll_at(market: Market, rental: Rental) -> Millis:
    return Millis(market.row(rental).poll_at or 0)


def requeued(market: Market) -> list[str]:
    """The rentals that the sweep has polled again."""
    with queue_tapped() as told:
        market.elsewhere().jobs.requeue_polls()
    return [message["rental_id"] for message in told]


def test_i4_an_sms_is_stored_charged_and_told_once(
    market: Market, seller: Seller, user: User, rental: Rental
) -> None:
    seller.gets(rental)
    market.poll(rental)
    market.poll(rental)
    (message,) = market.rental(rental).messages
    assert (message.code, message.provider, message.paid) == ("482913", "partner", True)
    assert len(market.events(user)) == len(market.deliveries(user)) == 1
    assert market.balance(user) == BALANCE - SOLD_AT
    seller.gets(rental, "Your code is 739204")
    market.poll(rental)
    assert [m.code for m in market.rental(rental).messages] == ["482913", "739204"]
    assert market.balance(user) == BALANCE - 2 * SOLD_AT
    assert market.kept("0", f"partner#{rental.rental_id}") is not None
    market.assert_settled(user)


def test_nobody_else_speaks_for_the_number(market: Market, rental: Rental) -> None:
    assert market.sms(rental.phone_number) == "not_bound"
    assert market.sms(rental.phone_number, provider="partner", account="x") == "not_bound"
    assert market.rental(rental).messages == ()


def test_the_waits_grow_from_two_seconds_to_fifteen(market: Market, rental: Rental) -> None:
    waits = []
    with queue_tapped() as told:
        for polls in range(12):
            market.poll(rental, polls)
            waits.append(poll_at(market, rental) - market.stack.clock.now - POLL_GRACE)
            market.stack.clock.advance(seconds=waits[-1] / SECOND)
    assert 0.8 * FIRST_POLL <= waits[0] <= 1.2 * FIRST_POLL
    assert all(0.8 * LONGEST_WAIT <= wait <= 1.2 * LONGEST_WAIT for wait in waits[6:])
    assert len(set(waits[6:])) > 1
    assert [message["polls"] for message in told] == list(range(1, 13))
    assert [m["delay"] * SECOND - wait for m, wait in zip(told, waits, strict=True)] == [
        -wait % SECOND for wait in waits
    ]


def test_i4_two_at_once_ask_once(market: Market, seller: Seller, user: User) -> None:
    rental = market.buy(user)
    seller.gets(rental)
    due = poll_at(market, rental)
    together(*[lambda: market.elsewhere().polls.poll(rental.rental_id, 0, due)] * 4)
    assert seller.asked.count("messages") == 1
    assert market.rental(rental).message_count == 1
    assert len(market.events(user)) == 1


def test_a_poll_holds_the_rental_while_it_asks(
    market: Market, seller: Seller, rental: Rental
) -> None:
    """Not even the sweep, by when the lease says, gets a second one in."""

    def others() -> None:
        due = poll_at(market, rental)
        market.elsewhere().polls.poll(rental.rental_id, 0, due)
        assert requeued(market) == []

    seller.before["messages"] = [others]
    market.poll(rental)
    assert seller.asked.count("messages") == 1


def test_a_message_that_comes_twice_is_one_poll(
    market: Market, seller: Seller, rental: Rental
) -> None:
    due = poll_at(market, rental)
    with queue_tapped() as told:
        for _ in range(3):
            market.elsewhere().polls.poll(rental.rental_id, 0, due)
    assert seller.asked.count("messages") == 1
    assert len(told) == 1


def test_a_lost_message_is_made_good_by_the_sweep(
    market: Market, seller: Seller, user: User
) -> None:
    with queue_tapped(lost=True):
        rental = market.buy(user)
    seller.gets(rental)
    market.stack.clock.advance(seconds=61)
    assert requeued(market) == []
    market.stack.clock.advance(seconds=1)
    assert requeued(market) == [rental.rental_id]
    with queue_tapped(lost=True):
        market.poll(rental)
    assert market.rental(rental).message_count == 1
    assert requeued(market) == []
    market.stack.clock.now = poll_at(market, rental)
    assert requeued(market) == [rental.rental_id]


@pytest.mark.parametrize("when", ["before", "after"])
def test_i4_a_poll_that_dies_is_made_again(
    market: Market, seller: Seller, user: User, rental: Rental, when: str
) -> None:
    seller.gets(rental)
    getattr(seller, when)["messages"] = [CrashError()]
    with pytest.raises(CrashError):
        market.poll(rental)
    assert requeued(market) == []
    market.stack.clock.advance(seconds=LEASE / SECOND)
    assert requeued(market) == [rental.rental_id]
    market.poll(rental)
    assert market.rental(rental).message_count == 1
    market.assert_settled(user)


def test_i4_one_that_dies_between_two_sms_loses_and_repeats_neither(
    market: Market, seller: Seller, user: User, rental: Rental
) -> None:
    seller.gets(rental)
    seller.gets(rental, "Your code is 739204")

    def die(_: object) -> None:
        raise CrashError

    with (
        tapped(let_through, meanwhile(lambda: die(None)), only=TRANSACT),
        pytest.raises(CrashError),
    ):
        market.poll(rental)
    market.stack.clock.advance(seconds=LEASE / SECOND)
    market.poll(rental)
    assert [m.code for m in market.rental(rental).messages] == ["482913", "739204"]
    assert len(market.events(user)) == 2
    assert market.balance(user) == BALANCE - 2 * SOLD_AT
    market.assert_settled(user)


@pytest.mark.parametrize(
    "faults",
    [[conflict] * 5, [reply_lost], [conflict, reply_lost]],
    ids=["conflicts", "lost reply", "both"],
)
def test_i4_conflicts_change_nothing(
    market: Market, seller: Seller, user: User, rental: Rental, faults: list[object]
) -> None:
    seller.gets(rental)
    with tapped(*faults, only=TRANSACT):  # type: ignore[arg-type]
        market.poll(rental)
    assert market.rental(rental).message_count == len(market.events(user)) == 1
    market.assert_settled(user)


def test_i4_conflicts_that_outlast_the_retries_leave_it_to_the_sweep(
    market: Market, seller: Seller, rental: Rental
) -> None:
    seller.gets(rental)
    faults = [conflict] * (connection.RETRIES + 1)
    with tapped(*faults, only=TRANSACT), pytest.raises(BusyError):
        market.poll(rental)
    market.stack.clock.advance(seconds=LEASE / SECOND)
    assert requeued(market) == [rental.rental_id]
    market.poll(rental)
    assert market.rental(rental).message_count == 1


@pytest.mark.parametrize(
    "error", [SupplierUnavailableError("partner", "down"), SupplierJunkError("partner", "sender")]
)
def test_a_supplier_that_fails_is_asked_again(
    market: Market, seller: Seller, rental: Rental, error: Exception
) -> None:
    seller.gets(rental)
    seller.before["messages"] = [error]
    with queue_tapped() as told:
        market.poll(rental)
        assert len(told) == 1
        market.poll(rental)
    assert market.rental(rental).message_count == 1


def test_a_late_poll_asks_nobody(
    market: Market, seller: Seller, user: User, rental: Rental
) -> None:
    """Cancelled; over but not swept yet; swept."""
    other = market.buy(user)
    due = poll_at(market, rental)
    market.elsewhere().closings.cancel(user, rental.rental_id)
    asked = seller.asked.count("messages")
    with queue_tapped() as told:
        market.elsewhere().polls.poll(rental.rental_id, 3, due)
        market.stack.clock.now = other.expires_at
        market.poll(other)
        due = poll_at(market, other)
        market.sweep(0)
        market.elsewhere().polls.poll(other.rental_id, 3, due)
    assert (seller.asked.count("messages"), told) == (asked, [])
    assert market.rental(other).status is RentalStatus.EXPIRED
    market.stack.clock.advance(seconds=3600)
    assert requeued(market) == []
    market.assert_settled(user)


def test_i4_an_sms_of_the_last_seconds_is_asked_for(
    market: Market, seller: Seller, user: User, rental: Rental
) -> None:
    market.stack.clock.now = Millis(rental.expires_at - LONGEST_WAIT)
    with queue_tapped() as told:
        market.poll(rental, 9)
    assert len(told) == 1
    assert poll_at(market, rental) <= rental.expires_at - LAST_POLL + POLL_GRACE
    market.stack.clock.now = Millis(poll_at(market, rental) - POLL_GRACE)
    seller.gets(rental)
    market.poll(rental, 10)
    assert market.rental(rental).message_count == 1
    market.stack.clock.now = Millis(rental.expires_at - 1)
    with queue_tapped() as told:
        market.poll(rental, 10)
    assert told == []
    market.sweep(1)
    assert market.balance(user) == BALANCE - SOLD_AT
    market.assert_settled(user)


def test_what_cant_be_paid_waits_for_money(market: Market, seller: Seller) -> None:
    poor = market.user(balance=SOLD_AT)
    rental = market.buy(poor)
    seller.gets(rental)
    seller.gets(rental, "Your code is 739204")
    market.poll(rental)
    assert [m.paid for m in market.rental(rental).messages] == [True, False]
    assert market.balance(poor) == 0
    market.stack.platform.administration.credit(poor.user_id, Micros(SOLD_AT), "test")
    market.stack.platform.inbox.read(
        poor, rental.rental_id, wait_until=market.stack.clock.now, holder="k"
    )
    assert [m.paid for m in market.rental(rental).messages] == [True, True]
    market.assert_settled(poor)


def test_more_than_ten_are_kept_and_charged_to_nobody(
    market: Market, seller: Seller, user: User, rental: Rental
) -> None:
    for number in range(13):
        seller.gets(rental, f"Your code is {100_000 + number}")
    market.poll(rental)
    assert market.rental(rental).message_count == 10
    assert market.balance(user) == BALANCE - 10 * SOLD_AT
    last = market.kept("12", f"partner#{rental.rental_id}")
    assert last is not None
    assert last.fate == "full"
    market.assert_settled(user)
