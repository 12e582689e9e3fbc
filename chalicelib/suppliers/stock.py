"""Our own pool of numbers: which free one to try next.

Source: DESIGN.md, "Decided" 5. The index may lag, so whatever is found here is a candidate: the
condition of the transaction that rents it decides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from chalicelib.domain.stock import RANKS, FreeNumber

ROUNDS = (5, 5, 25, 100)
"""How many numbers each look at a pool reads. The later looks are wide, for a pool in which most
were lost to others or have been used for the same service; then the search gives up. In a pool of
no more than the last of these it has seen every number then."""

_NARROW = 5
"""A look as narrow as this takes what one side of its rank has: one read, in a pool with stock."""


class FreeNear(Protocol):
    """Free numbers of a pool from a rank on, one way or the other (`stores.numbers`)."""

    def __call__(self, pool: str, rank: int, *, downward: bool, limit: int) -> list[FreeNumber]:
        """At most `limit` of them, in the order of their ranks."""
        ...


@dataclass(frozen=True, slots=True)
class StockSupplier:
    """Finds candidates in the index of free numbers."""

    free_near: FreeNear
    random: Random

    def candidates(
        self, pools: Sequence[str], suits: Callable[[FreeNumber], bool]
    ) -> Iterator[FreeNumber]:
        """Free numbers of `pools` that suit, in random order; reads as they are asked for."""
        for pool in self.random.sample(pools, len(pools)):
            for limit in ROUNDS:
                found = self._look(pool, limit)
                if not found:
                    break
                self.random.shuffle(found)
                yield from filter(suits, found)

    def _look(self, pool: str, limit: int) -> list[FreeNumber]:
        # Reading inward, over the larger part of the ranks, rarely finds nothing at once.
        rank = self.random.randrange(RANKS)
        downward = rank >= RANKS // 2
        found = self.free_near(pool, rank, downward=downward, limit=limit)
        if len(found) == limit or (found and limit <= _NARROW):
            return found
        return found + self.free_near(pool, rank, downward=not downward, limit=limit - len(found))
