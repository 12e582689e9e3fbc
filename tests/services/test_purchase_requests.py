"""Idempotency keys of purchases: in progress, replayed, and free again after a refusal (I3)."""

from dataclasses import replace

import pytest

from chalicelib.domain.rental import Rental
from chalicelib.domain.requests import ANSWERED_WITHIN
from chalicelib.domain.times import SECOND
from chalicelib.errors import (
    ConflictError,
    NotFoundError,
    RequestKeyReusedError,
)
from chalicelib.suppliers.contract import (
    Reason,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
)
from tests.conftest import Stack
from tests.sellers import (
    COST,
    COUNTRY,
    SOLD_AT,
    CrashError,
    Market,
    Seller,
    key_of,
)
from tests.world import BALANCE


@pytest.fixture
def market(stack: Stack, seller: Seller, other: Seller) -> Market:
    return Market(stack).open(seller, other)


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
