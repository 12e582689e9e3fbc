"""The search for free numbers: in a pool of a hundred or less it misses none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import E164
from chalicelib.domain.stock import RANKS, FreeNumber
from chalicelib.suppliers.stock import ROUNDS, StockSupplier
from tests.world import World


@dataclass
class Pool:
    """Pools of free numbers by rank, as the index has them; counts how often it is read."""

    pools: dict[str, dict[int, FreeNumber]]
    reads: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, pool: str, rank: int, *, downward: bool, limit: int) -> list[FreeNumber]:
        self.reads.append((pool, limit))
        numbers = self.pools[pool]
        if downward:
            ranks = sorted((at for at in numbers if at < rank), reverse=True)
        else:
            ranks = sorted(at for at in numbers if at >= rank)
        return [numbers[at] for at in ranks[:limit]]


def pool_with(ranks: set[int]) -> dict[int, FreeNumber]:
    return {rank: FreeNumber(E164(f"+{rank}"), 0, ()) for rank in ranks}


def anything(number: FreeNumber) -> bool:
    return True


def only(rank: int) -> Callable[[FreeNumber], bool]:
    return lambda number: number.phone_number == f"+{rank}"


RANK = st.integers(0, RANKS - 1)


@given(ranks=st.sets(RANK, min_size=1, max_size=ROUNDS[-1]), seed=st.integers(), data=st.data())
def test_the_one_number_that_suits_is_found(
    ranks: set[int], seed: int, data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(sorted(ranks)))
    supplier = StockSupplier(Pool({"p": pool_with(ranks)}), Random(seed))
    found = next(supplier.candidates(["p"], only(wanted)), None)
    assert found is not None
    assert found.phone_number == f"+{wanted}"


@given(size=st.integers(20, 60), seed=st.integers())
def test_a_pool_with_stock_is_read_once(size: int, seed: int) -> None:
    """Inward from any rank lies half of the pool at least."""
    spread = {at * RANKS // size for at in range(size)}
    pool = Pool({"p": pool_with(spread)})
    supplier = StockSupplier(pool, Random(seed))
    assert next(supplier.candidates(["p"], anything)) is not None
    assert pool.reads == [("p", ROUNDS[0])]


@pytest.mark.parametrize("size", [0, 1, 5, 500])
def test_a_search_gives_up(size: int) -> None:
    ranks = {at * RANKS // size for at in range(size)} if size else set()
    pool = Pool({"p": pool_with(ranks)})
    assert list(StockSupplier(pool, Random(1)).candidates(["p"], only(-1))) == []
    assert len(pool.reads) <= 2 * len(ROUNDS)
    if size == 0:
        assert len(pool.reads) == 2


@given(seed=st.integers())
def test_an_empty_shard_is_followed_by_the_next(seed: int) -> None:
    pool = Pool({"a": {}, "b": pool_with({7}), "c": {}})
    supplier = StockSupplier(pool, Random(seed))
    found = next(supplier.candidates(["a", "b", "c"], anything))
    assert found.phone_number == "+7"


def test_claims_are_spread_over_the_pool() -> None:
    ranks = {at * RANKS // 100 for at in range(100)}
    firsts = {
        next(StockSupplier(Pool({"p": pool_with(ranks)}), Random(seed)).candidates(["p"], anything))
        for seed in range(300)
    }
    assert len(firsts) > 60


def test_what_is_gone_is_not_offered_again() -> None:
    numbers = pool_with({at * RANKS // 30 for at in range(30)})
    found = []
    for number in StockSupplier(Pool({"p": numbers}), Random(5)).candidates(["p"], anything):
        found.append(number.phone_number)
        if len(found) == 5:
            numbers.clear()
    assert len(found) == 5


def test_the_real_index_has_what_is_free(world: World) -> None:
    numbers = world.stock(8)
    user = world.user()
    rented = {world.rent(user).phone_number for _ in range(8)}
    assert rented == set(numbers)
