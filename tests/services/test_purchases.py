"""Numbers of other servers: bought, failed over, given back, and charged once."""

import json
from dataclasses import replace

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import ANSWERED_WITHIN
from chalicelib.domain.signatures import signed_headers
from chalicelib.domain.times import MINUTE, SECOND
from chalicelib.errors import (
    BusyError,
    ConflictError,
    InsufficientBalanceError,
    LimitExceededError,
    NotFoundError,
    RequestKeyReusedError,
)
from chalicelib.stores import db
from chalicelib.stores.tables import NumberRow
from chalicelib.suppliers.contract import (
    Reason,
    SupplierOffer,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
)
from tests.conftest import START, Stack
from tests.sellers import (
    CAP,
    COST,
    COUNTRY,
    POSTED_BY,
    SOLD_AT,
    CrashError,
    Market,
    Seller,
    key_of,
    queue_tapped,
    rentals_of,
)
from tests.world import BALANCE, post


@pytest.fixture
def seller(stack: Stack) -> Seller:
    return Seller("partner", stack.clock, 100)


@pytest.fixture
def other(stack: Stack) -> Seller:
    return Seller("other", stack.clock, 500, cost=Micros(60_000))


@pytest.fixture
def market(stack: Stack, seller: Seller, other: Seller) -> Market:
    return Market(stack).open(seller, other)


def cancel(market: Market, rental: Rental) -> Rental:
    user = market.stack.platform.accounts.find(rental.user_id)
    return market.elsewhere().closings.cancel(user, rental.rental_id)


def own_number(market: Market, price: int) -> str:
    (number,) = market.stock(1, country=COUNTRY, price=Micros(price))
    return number


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


class TestFailover:
    def test_goes_by_price_to_the_next_and_to_our_own_stock(
        self, market: Market, seller: Seller, other: Seller
    ) -> None:
        number = own_number(market, 60_000)
        market.stack.platform.jobs.count_stock()
        user = market.user()
        none = SupplierRefusedError("partner", Reason.NO_NUMBERS)
        assert market.buy(user).supplier == "partner"
        seller.before["rent"] = [none] * 9
        assert market.buy(user).phone_number == number
        assert "rent" not in other.asked
        assert market.buy(user).supplier == "other"
        assert market.losses() == 0
        market.assert_settled(user)

    def test_what_is_ours_and_cheaper_goes_first(self, market: Market, seller: Seller) -> None:
        number = own_number(market, SOLD_AT - 1)
        assert market.buy(market.user()).phone_number == number
        assert "rent" not in seller.asked

    @pytest.mark.parametrize(
        "error",
        [
            SupplierRefusedError("partner", Reason.PAYMENT),
            SupplierRefusedError("partner", Reason.AUTH),
            SupplierUnavailableError("partner", "breaker open"),
        ],
        ids=lambda error: error.why,
    )
    def test_nothing_was_done_so_nothing_is_lost(
        self, market: Market, seller: Seller, other: Seller, error: Exception
    ) -> None:
        user = market.user()
        seller.before["rent"] = [error]
        assert market.buy(user).supplier == "other"
        assert market.losses() == 0
        market.assert_settled(user)

    def test_nobody_has_one(self, market: Market, seller: Seller, other: Seller) -> None:
        user = market.user()
        for each in (seller, other):
            each.before["rent"] = [SupplierRefusedError(each.name, Reason.NO_NUMBERS)]
        with pytest.raises(NotFoundError) as refused:
            market.buy(user)
        assert refused.value.code == "no_numbers"
        assert market.balance(user) == BALANCE
        assert {row.state for row in rentals_of(user)} == {RentalStatus.FAILED}
        market.assert_settled(user)

    def test_asks_nobody_any_more_when_the_time_is_over(
        self, market: Market, seller: Seller, other: Seller
    ) -> None:
        """Two hung suppliers leave time to answer within ten seconds."""
        user = market.user()

        def hang() -> None:
            market.stack.clock.advance(seconds=7.6)
            raise SupplierUnavailableError("partner", "timeout")

        seller.before["rent"] = [hang]
        with pytest.raises(NotFoundError):
            market.buy(user)
        assert "rent" not in other.asked
        market.assert_settled(user)

    def test_above_the_cap_is_not_offered(self, market: Market, seller: Seller) -> None:
        seller.cost = Micros(CAP + 1)
        market.stack.platform.jobs.count_stock()
        assert market.buy(market.user()).supplier == "other"
        assert "rent" not in seller.asked

    def test_that_costs_more_than_the_cap_after_all_is_given_back(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        seller.cost = Micros(CAP + 1)
        assert market.buy(user).supplier == "other"
        assert seller.asked == ["offers", "rent", "cancel"]
        assert (seller.kept(), market.losses()) == (0, 0)
        market.assert_settled(user)

    def test_more_than_an_item_holds_is_left_out_but_no_country(
        self, market: Market, seller: Seller
    ) -> None:
        many = [SupplierOffer("GB", f"{n:04d}" + "🔐" * 96, n, 1, COST) for n in range(2_000)]
        seller.offers = lambda: [  # type: ignore[method-assign]
            *many,
            SupplierOffer("DE", "Last", 1, 1, CAP),
        ]
        market.elsewhere().jobs.count_stock()
        found = market.elsewhere().catalogue.stock().offers
        assert 100 < sum(offer.available for offer in found) < 2_000
        assert {(o.country, o.supplier) for o in found if o.available} == {
            ("GB", "partner"),
            ("DE", "partner"),
            ("GB", "other"),
        }

    def test_an_operator_that_a_supplier_names_is_added_with_a_stable_id(
        self, market: Market, seller: Seller
    ) -> None:
        def counted() -> dict[str, int]:
            market.elsewhere().jobs.count_stock()
            return {o.name: o.operator_id for o in market.elsewhere().catalogue.operators()}

        seller.offers = lambda: [  # type: ignore[method-assign]
            SupplierOffer("GB", "Albion Mobile", 7, 3, COST)
        ]
        first = counted()
        assert "Albion Mobile" in first
        assert counted() == first


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


class TestIdempotencyKey:
    def test_i3_is_in_progress_and_replayed_afterwards(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        seen: list[str] = []

        def repeat() -> None:
            with pytest.raises(ConflictError) as refused:
                market.elsewhere().rentals.rent(user, COUNTRY, "", key_of(user))
            seen.append(refused.value.code)

        seller.before["rent"], seller.after["rent"] = [repeat], [repeat]
        rental = market.buy(user, key_of(user))
        assert seen == ["request_in_progress"] * 2
        assert market.buy(user, key_of(user)) == rental
        with pytest.raises(RequestKeyReusedError):
            market.buy(user, replace(key_of(user), parameters="others"))
        assert market.balance(user) == BALANCE - SOLD_AT
        assert seller.asked.count("rent") == 1
        market.stack.clock.advance(seconds=ANSWERED_WITHIN / SECOND)
        assert market.buy(user, key_of(user)) == rental
        market.assert_settled(user)

    def test_a_refusal_may_be_retried(self, market: Market, seller: Seller, other: Seller) -> None:
        user = market.user()
        for each in (seller, other):
            each.before["rent"] = [SupplierRefusedError(each.name, Reason.NO_NUMBERS)]
        with pytest.raises(NotFoundError):
            market.buy(user, key_of(user))
        assert market.buy(user, key_of(user)).supplier == "partner"
        market.assert_settled(user)

    def test_is_replayed_when_the_number_came_from_the_second(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        seller.before["rent"] = [SupplierOutcomeUnknownError("partner", "timeout")]
        rental = market.buy(user, key_of(user))
        assert rental.supplier == "other"
        assert market.buy(user, key_of(user)) == rental
        market.assert_settled(user)

    def test_i3_is_free_again_when_whoever_answered_it_died(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        seller.after["rent"] = [CrashError()]
        with pytest.raises(CrashError):
            market.buy(user, key_of(user))
        with pytest.raises(ConflictError):
            market.buy(user, key_of(user))
        market.sweep(ANSWERED_WITHIN / SECOND)
        rental = market.buy(user, key_of(user))
        assert market.balance(user) == BALANCE - SOLD_AT
        assert market.buy(user, key_of(user)) == rental
        market.assert_settled(user)

    def test_i3_who_answers_too_late_gives_back_what_another_has_bought(
        self, market: Market, seller: Seller
    ) -> None:
        user = market.user()
        bought: list[Rental] = []

        def stall() -> None:
            market.stack.clock.advance(seconds=ANSWERED_WITHIN / SECOND)
            bought.append(market.elsewhere().rentals.rent(user, COUNTRY, "", key_of(user)))

        seller.after["rent"] = [stall]
        assert market.buy(user, key_of(user)) == bought[0]
        assert market.balance(user) == BALANCE - SOLD_AT
        assert seller.kept() == COST
        market.assert_settled(user)
