"""Numbers of other servers: bought, charged once, and given back."""

import json
from dataclasses import replace

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.signatures import signed_headers
from chalicelib.domain.times import MINUTE, SECOND
from chalicelib.errors import (
    BusyError,
    InsufficientBalanceError,
    LimitExceededError,
)
from chalicelib.stores import db
from chalicelib.stores.tables import NumberRow
from chalicelib.suppliers.contract import (
    Reason,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
)
from tests.conftest import START, Stack
from tests.sellers import (
    COST,
    POSTED_BY,
    SOLD_AT,
    Market,
    Seller,
    queue_tapped,
)
from tests.world import BALANCE, post


@pytest.fixture
def market(stack: Stack, seller: Seller, other: Seller) -> Market:
    return Market(stack).open(seller, other)


def cancel(market: Market, rental: Rental) -> Rental:
    user = market.stack.platform.accounts.find(rental.user_id)
    return market.elsewhere().closings.cancel(user, rental.rental_id)


class TestBuy:
    def test_i2_takes_the_money_the_number_and_asks_for_its_sms(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        with queue_tapped() as told:
            rental = market.buy(user)
        assert market.rental(rental) == rental
        assert (rental.status, rental.price, rental.cost) == (RentalStatus.ACTIVE, SOLD_AT, COST)
        assert (rental.supplier, rental.upstream_id) == ("partner", "partner-0")
        assert rental.expires_at == START + 20 * MINUTE
        assert market.balance(user) == BALANCE - SOLD_AT
        row = market.number(rental.phone_number)
        assert (row.rental_id, row.provider, row.account) == (
            rental.rental_id,
            "partner",
            rental.rental_id,
        )
        poll_at = market.row(rental).poll_at
        assert poll_at == START + 62 * SECOND
        assert told == [{"rental_id": rental.rental_id, "polls": 0, "poll_at": poll_at, "delay": 2}]
        assert seller.asked == ["offers", "rent"]
        market.assert_settled(user)

    def test_ends_when_it_ends_over_there(self, market: Market, seller: Seller) -> None:
        seller.lives = 90
        assert market.buy(market.user()).expires_at == START + 90 * SECOND
        seller.lives = 10 * 3600
        assert market.buy(market.user()).expires_at == START + 20 * MINUTE

    def test_of_a_supplier_that_posts_binds_its_account(
        self, market: Market, seller: Seller
    ) -> None:
        seller.needs_polling = seller.can_cancel = False
        user = market.user()
        with queue_tapped() as told:
            rental = market.buy(user)
        row = market.number(rental.phone_number)
        assert (row.provider, row.account) == ("main", "partner")
        assert (told, market.row(rental).polls) == ([], None)
        assert market.sms(rental.phone_number, account="other", provider="main") == "not_bound"
        assert market.sms(rental.phone_number, account="partner", provider="main") == "matched"
        assert market.rental(rental).message_count == 1
        market.assert_settled(user)

    def test_i4_takes_the_sms_that_such_a_supplier_posts(
        self, market: Market, seller: Seller
    ) -> None:
        seller.needs_polling = seller.can_cancel = False
        user = market.user()
        rental = market.buy(user)
        data = {"phone_number": rental.phone_number, "otp_code": "482913", "provider": "twilio"}
        event = {"event": "otp_received", "data": {**data, "sms_text": "Your code is 482913"}}
        body = json.dumps(event).encode()
        headers = signed_headers([POSTED_BY], "msg-1", market.stack.clock.now, body)
        for _ in range(2):
            assert post("/inbound/main/partner", body, headers).status_code == 200
        (message,) = market.rental(rental).messages
        assert (message.sender, message.code) == ("twilio", "482913")
        assert len(market.events(user)) == 1
        assert post("/inbound/main/other", body, headers).status_code == 404
        market.assert_settled(user)

    def test_who_cant_pay_or_has_too_many_is_told_before_anybody_is_asked(
        self, market: Market, seller: Seller
    ) -> None:
        poor = market.user(balance=Micros(SOLD_AT - 1))
        with pytest.raises(InsufficientBalanceError):
            market.buy(poor)
        market.open(seller, SESAME_MAX_OPEN_RENTALS="1")
        rich = market.user()
        market.buy(rich)
        with pytest.raises(LimitExceededError):
            market.buy(rich)
        assert seller.asked.count("rent") == 1
        market.assert_settled(poor, rich)

    def test_pays_the_manager_their_markup_on_top_of_ours(self, market: Market) -> None:
        user = market.user()
        rental = market.buy(user, manager=replace(market.user(), markup=1_000))
        assert (rental.price, rental.markup) == (SOLD_AT + SOLD_AT // 10, SOLD_AT // 10)
        market.assert_i2(user)


class TestGiveBack:
    def test_i5_refunds_what_the_supplier_refunds(self, market: Market, seller: Seller) -> None:
        user = market.user()
        rental = market.buy(user)
        closed = cancel(market, rental)
        assert (closed.status, closed.refund) == (RentalStatus.CANCELLED, SOLD_AT)
        assert (market.balance(user), seller.kept()) == (BALANCE, 0)
        assert db.get(NumberRow, rental.phone_number) is None
        assert market.row(rental).polls is None
        assert cancel(market, rental) == closed
        assert seller.asked.count("cancel") == 1
        market.assert_settled(user)

    def test_keeps_what_the_supplier_keeps(self, market: Market, seller: Seller) -> None:
        user = market.user()
        seller.refunds = False
        closed = cancel(market, market.buy(user))
        assert (closed.status, closed.refund) == (RentalStatus.CANCELLED, 0)
        assert market.balance(user) == BALANCE - SOLD_AT
        market.assert_settled(user)

    def test_i4_takes_the_sms_that_it_was_kept_for(self, market: Market, seller: Seller) -> None:
        user = market.user()
        rental = market.buy(user)
        seller.gets(rental)
        closed = cancel(market, rental)
        assert (closed.refund, closed.message_count) == (0, 1)
        assert len(market.events(user)) == 1
        market.assert_settled(user)

    @pytest.mark.parametrize(
        "error",
        [
            SupplierOutcomeUnknownError("partner", "timeout"),
            SupplierUnavailableError("partner", "timeout"),
            SupplierRefusedError("partner", Reason.LIMIT),
            SupplierRefusedError("partner", Reason.AUTH),
        ],
        ids=lambda error: error.why,
    )
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_unknown_changes_nothing_and_is_repeated(
        self, market: Market, seller: Seller, error: Exception, when: str
    ) -> None:
        user = market.user()
        rental = market.buy(user)
        getattr(seller, when)["cancel"] = [error]
        with pytest.raises(BusyError):
            cancel(market, rental)
        assert market.rental(rental) == rental
        assert market.balance(user) == BALANCE - SOLD_AT
        assert cancel(market, rental).refund == SOLD_AT
        assert seller.kept() == 0
        market.assert_settled(user)

    @pytest.mark.parametrize("reason", [Reason.CLOSED, Reason.NOT_FOUND])
    @pytest.mark.parametrize("sms", [0, 1])
    def test_of_what_is_over_there_goes_by_its_sms(
        self, market: Market, seller: Seller, reason: Reason, sms: int
    ) -> None:
        user = market.user()
        rental = market.buy(user)
        for _ in range(sms):
            seller.gets(rental)
        seller.before["cancel"] = [SupplierRefusedError("partner", reason)]
        closed = cancel(market, rental)
        assert (closed.status, closed.message_count) == (RentalStatus.CANCELLED, sms)
        assert closed.refund == (0 if sms else SOLD_AT)
        market.assert_settled(user)

    def test_expires_with_its_money_back_and_may_be_bought_again(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        rental = market.buy(user)
        market.sweep(20 * 60)
        assert market.rental(rental).status is RentalStatus.EXPIRED
        assert market.balance(user) == BALANCE
        seller.numbers = [rental.phone_number]
        assert market.buy(user).phone_number == rental.phone_number
        market.assert_settled(user)

    @pytest.mark.parametrize(("refunds", "lost"), [(True, 0), (False, COST)])
    def test_that_lives_longer_there_is_given_back_when_it_expires_here(
        self, market: Market, seller: Seller, refunds: bool, lost: int
    ) -> None:
        seller.lives, seller.refunds = 3600, refunds
        user = market.user()
        market.buy(user)
        market.sweep(20 * 60)
        market.sweep(60)
        assert seller.asked.count("cancel") == 1
        assert (market.balance(user), market.losses(), seller.kept()) == (BALANCE, lost, lost)
        market.assert_settled(user)

    def test_that_nobody_takes_back_is_our_loss_when_it_is_cancelled_unused(
        self, market: Market, seller: Seller
    ) -> None:
        seller.can_cancel = False
        user = market.user()
        cancel(market, market.buy(user))
        assert (market.balance(user), market.losses()) == (BALANCE, COST)
        market.assert_settled(user)
