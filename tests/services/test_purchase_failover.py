"""Whose number is bought: by price, within the cap, and whose next if that one gives none."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.rental import RentalStatus
from chalicelib.errors import (
    NotFoundError,
)
from chalicelib.suppliers.contract import (
    Reason,
    SupplierOffer,
    SupplierRefusedError,
    SupplierUnavailableError,
)
from tests.conftest import Stack
from tests.sellers import (
    CAP,
    COST,
    COUNTRY,
    SOLD_AT,
    Market,
    Seller,
    rentals_of,
)
from tests.world import BALANCE


@pytest.fixture
def market(stack: Stack, seller: Seller, other: Seller) -> Market:
    return Market(stack).open(seller, other)


def own_number(market: Market, price: int) -> str:
    (number,) = market.stock(1, country=COUNTRY, price=Micros(price))
    return number


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
