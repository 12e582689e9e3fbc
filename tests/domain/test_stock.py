import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.stock import (
    MOST_HISTORY,
    FreeNumber,
    Offer,
    PastUse,
    Stock,
    dump_offers,
    load_offers,
    pool_of,
)
from chalicelib.domain.times import Millis

ME, YOU = UserId("me"), UserId("you")
TODAY = 20_000
SINCE = TODAY - 45


def number(*history: PastUse) -> FreeNumber:
    return FreeNumber(E164("+14152000000"), len(history), history)


def offer(operator_id: int, price: int, available: int, country: str = "US") -> Offer:
    return Offer(country, country, operator_id, f"Operator {operator_id}", Micros(price), available)


@pytest.mark.parametrize(
    ("used", "by", "days_ago", "wanted", "suits"),
    [
        ("acme", YOU, 0, "acme", False),
        ("acme", YOU, 44, "acme", False),
        ("acme", YOU, 45, "acme", True),
        ("acme", ME, 0, "acme", True),
        ("acme", YOU, 0, "other", True),
        ("acme", YOU, 0, "", True),
        ("", YOU, 0, "", True),
        ("", YOU, 0, "acme", True),
    ],
)
def test_a_number_suits_nobody_else_for_one_named_service(
    used: str, by: UserId, days_ago: int, wanted: str, suits: bool
) -> None:
    past = number(PastUse("x", YOU, TODAY), PastUse(used, by, TODAY - days_ago))
    assert past.suits(wanted, ME, since_day=SINCE) is suits


def test_ones_own_use_does_not_hide_anothers() -> None:
    past = number(PastUse("acme", ME, TODAY), PastUse("acme", YOU, TODAY - 1))
    assert not past.suits("acme", ME, since_day=SINCE)


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=60))
def test_history_is_the_last_named_uses(services: list[str]) -> None:
    free = number()
    for day, service in enumerate(services):
        history = free.used_again(PastUse(service, ME, day))
        free = FreeNumber(free.phone_number, day + 1, history)
    named = [PastUse(service, ME, day) for day, service in enumerate(services) if service]
    assert list(free.history) == named[-MOST_HISTORY:]


def test_the_cheapest_offer_goes_first_then_the_fullest() -> None:
    offers = (offer(1, 9, 5), offer(2, 5, 3), offer(3, 5, 4), offer(4, 5, 4), offer(5, 1, 0))
    stock = Stock(Millis(0), (*offers, offer(6, 1, 1, "GB")))
    assert [found.operator_id for found in stock.in_country("US")] == [3, 4, 2, 1]
    assert stock.in_country("FR") == []


def test_pools_are_told_apart() -> None:
    pools = {
        pool_of(country, op, shard)
        for country in ("US", "GB")
        for op in (1, 11)
        for shard in (0, 1)
    }
    assert len(pools) == 8


@given(
    st.lists(
        st.builds(
            Offer,
            st.text(max_size=3),
            st.text(),
            st.integers(0),
            st.text(),
            st.integers(0).map(Micros),
            st.integers(0),
        )
    )
)
def test_offers_are_read_as_they_were_written(offers: list[Offer]) -> None:
    assert load_offers(dump_offers(offers)) == tuple(offers)
