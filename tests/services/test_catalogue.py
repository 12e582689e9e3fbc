from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.ids import E164
from chalicelib.domain.money import Micros
from chalicelib.domain.stock import Offer, Stock
from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.services.catalogue import Catalogue, CountryOffer
from chalicelib.stores import catalogue as store
from chalicelib.stores import numbers, shards
from chalicelib.stores.catalogue import Operator
from tests.conftest import Stack
from tests.world import World


def add(country: str, operator_id: int, count: int, *, price: int = 50_000) -> list[E164]:
    """Numbers of an operator, put into the stock but not counted."""
    store.put_operator(Operator(operator_id, country, f"Operator {operator_id}", Micros(price)))
    added = [E164(f"+1415{operator_id:03d}{at:04d}") for at in range(count)]
    for rank, number in enumerate(added):
        numbers.add_all([numbers.NewNumber(number, country, operator_id, rank, None, None)])
    return added


def available() -> dict[int, int]:
    """What the stock item says, by operator."""
    return {offer.operator_id: offer.available for offer in store.stock().offers}


def free() -> dict[int, int]:
    """How many numbers of each operator are free, as their own items say."""
    found: dict[int, int] = {}
    page, start = numbers.page(limit=1_000)
    assert start is None
    for number in page:
        found[number.operator_id] = found.get(number.operator_id, 0) + (number.state == "free")
    return found


def test_i7_the_stock_item_equals_the_free_numbers_once_the_job_has_run(stack: Stack) -> None:
    add("US", 1, 7)
    add("US", 2, 3, price=40_000)
    add("GB", 3, 2)
    counted = stack.platform.catalogue.count_stock()
    assert available() == free() == {1: 7, 2: 3, 3: 2}
    assert store.stock() == counted
    assert counted.counted_at == stack.clock.now
    assert counted.offers[0] == Offer("GB", "United Kingdom", 3, "Operator 3", Micros(50_000), 2)


def test_i7_holds_when_numbers_are_rented_and_freed(stack: Stack, world: World) -> None:
    add("US", 1, 3)
    platform = stack.platform
    platform.catalogue.count_stock()
    user = world.user()
    rental = platform.rentals.rent(user, "US", "")
    platform.catalogue.count_stock()
    assert available() == free() == {1: 2}
    platform.closings.cancel(user, rental.rental_id)
    stack.clock.advance(seconds=platform.settings.rest_unused_seconds)
    platform.numbers.end_rests(Millis(stack.clock.now + 1))
    platform.catalogue.count_stock()
    assert available() == free() == {1: 3}


def test_i7_counting_twice_changes_nothing(stack: Stack) -> None:
    add("US", 1, 2)
    first = stack.platform.catalogue.count_stock()
    assert stack.platform.catalogue.count_stock() == first == store.stock()


def test_i7_counting_from_two_threads_leaves_the_right_count(stack: Stack) -> None:
    add("US", 1, 5)
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: Catalogue(stack.clock).count_stock(), range(2)))
    assert available() == free() == {1: 5}
    assert counts[0] == counts[1] == store.stock()


def test_i7_every_shard_and_every_page_of_a_pool_is_counted(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "FREE", 4)
    add("US", 1, 30)
    whole = numbers.count_free

    def in_pages(pool: str, start: object = None) -> tuple[int, object]:
        total, _ = whole(pool)
        return (1, {}) if start is None and total > 0 else (total - 1, None)

    monkeypatch.setattr(numbers, "count_free", in_pages)
    stack.platform.catalogue.count_stock()
    assert available() == free() == {1: 30}


def test_every_page_of_operators_is_counted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    add("US", 1, 1)
    add("US", 2, 1)
    (first, second), _ = store.operators()
    pages = {None: ([first], "1"), "1": ([second], None)}
    monkeypatch.setattr(store, "operators", lambda start=None: pages[start])
    stack.platform.catalogue.count_stock()
    assert available() == {1: 1, 2: 1}


def test_a_count_that_began_earlier_does_not_replace_a_later_one(stack: Stack) -> None:
    add("US", 1, 2)
    later = Stock(Millis(stack.clock.now + 1), ())
    store.put_stock(later)
    assert stack.platform.catalogue.count_stock() == later == store.stock()


def test_an_operator_without_free_numbers_is_known_but_not_listed(stack: Stack) -> None:
    add("US", 1, 0)
    stack.platform.catalogue.count_stock()
    assert available() == {1: 0}
    assert stack.platform.catalogue.listing() == []
    assert stack.platform.catalogue.listing("US") == []


def test_the_stock_is_read_again_after_ten_seconds(stack: Stack) -> None:
    reader = Catalogue(stack.clock)
    assert reader.stock().offers == ()
    add("US", 1, 1)
    stack.platform.catalogue.count_stock()
    stack.clock.advance(seconds=9.999)
    assert reader.stock().offers == ()
    stack.clock.advance(seconds=0.001)
    assert [offer.available for offer in reader.stock().offers] == [1]


def test_threads_that_ask_at_once_share_one_read(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[None] = []
    read = store.stock

    def counted() -> Stock:
        reads.append(None)
        return read()

    monkeypatch.setattr(store, "stock", counted)
    reader = Catalogue(stack.clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: reader.stock(), range(32)))
    assert len(reads) == 1


def test_the_listing_has_one_entry_a_country_with_its_lowest_price(stack: Stack) -> None:
    add("US", 1, 2, price=50_000)
    add("US", 2, 3, price=40_000)
    add("US", 3, 0, price=10_000)
    add("GB", 4, 1, price=60_000)
    stack.platform.catalogue.count_stock()
    britain = CountryOffer("GB", "United Kingdom", 1, Micros(60_000))
    states = CountryOffer("US", "United States", 5, Micros(40_000))
    assert stack.platform.catalogue.listing() == [britain, states]
    assert stack.platform.catalogue.listing(" us ") == [states]
    assert stack.platform.catalogue.listing("DE") == []


def test_the_listed_price_is_that_of_the_operator_that_is_tried_first(stack: Stack) -> None:
    add("US", 1, 2, price=50_000)
    add("US", 2, 3, price=40_000)
    stack.platform.catalogue.count_stock()
    first = stack.platform.catalogue.stock().in_country("US")[0]
    assert stack.platform.catalogue.listing("US")[0].price == first.price


@pytest.mark.parametrize("text", ["XX", "USA", "840", "ß", 840, True, ["US"]])
def test_an_unknown_country_is_refused(stack: Stack, text: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        stack.platform.catalogue.checked_country(text)
    assert (caught.value.code, caught.value.field) == ("invalid_parameter", "country")
    assert "ISO 3166-1 alpha-2 code, such as US" in caught.value.message


@pytest.mark.parametrize("text", [None, "", "  "])
def test_an_absent_country_is_missing(stack: Stack, text: object) -> None:
    with pytest.raises(MissingInputError) as caught:
        stack.platform.catalogue.checked_country(text)
    assert caught.value.field == "country"


def test_a_listing_of_an_unknown_country_is_refused(stack: Stack) -> None:
    with pytest.raises(InvalidInputError):
        stack.platform.catalogue.listing("XX")
