"""Rollups: what happened in a minute, an hour or a day, as counts and sums. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.times import DAY, HOUR, MINUTE, Millis

SYSTEM = "system"
"""The owner of what all users did together; no user has this id."""

EARLY = 2 * MINUTE
"""How long a minute has been over when it is first written: what it holds is committed."""

LATE = 15 * MINUTE
"""How long it has been over when it is written again, for what came late or was seen late."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one owner did in one bucket.

    `requested` rentals began; `cancelled`, `expired` and `failed` ones ended in it, whenever they
    began. `sms` are those that the user was given, `codes` those of them with a code. The sums
    together are what the ledger's entries add up to: see `net`.
    """

    requested: int = 0
    cancelled: int = 0
    expired: int = 0
    failed: int = 0
    sms: int = 0
    codes: int = 0
    money_in: Micros = NOTHING
    charged: Micros = NOTHING
    refunded: Micros = NOTHING
    transferred: Micros = NOTHING
    markup: Micros = NOTHING
    lost: Micros = NOTHING

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in COUNTED))

    @property
    def net(self) -> Micros:
        """What the balances gained by all this."""
        gained = self.money_in + self.refunded + self.transferred + self.markup
        return Micros(gained - self.charged - self.lost)


COUNTED = tuple(field.name for field in fields(Counts))


class Unit(StrEnum):
    """How long a bucket is. Buckets begin at UTC's minutes, hours and days."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> int:
        """A bucket's length in milliseconds."""
        return _LENGTHS[self]

    def floor(self, moment: Millis) -> Millis:
        """The start of the bucket that `moment` lies in."""
        return Millis(moment - moment % self.length)

    def ceiling(self, moment: Millis) -> Millis:
        """The start of the first bucket that does not begin before `moment`."""
        return self.floor(Millis(moment + self.length - 1))

    def starts(self, start: Millis, end: Millis) -> Iterator[Millis]:
        """The starts of the buckets from `start`, itself one, to before `end`."""
        return (Millis(at) for at in range(start, end, self.length))


_LENGTHS = {Unit.MINUTE: MINUTE, Unit.HOUR: HOUR, Unit.DAY: DAY}


@dataclass(frozen=True, slots=True)
class Rollup:
    """One owner's counts in the bucket that begins at `at`."""

    owner: str
    unit: Unit
    at: Millis
    counts: Counts


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the rollups go: every minute before `early` is written, before `late` for good."""

    early: Millis
    late: Millis

    def next(self, now: Millis) -> "tuple[Millis, Marks] | None":
        """The minute to write now, and the marks once that is done; None if none is old enough.

        The late ones come first: what is old enough for the second time need not be read twice.
        """
        if self.late + MINUTE + LATE <= now:
            late = Millis(self.late + MINUTE)
            return self.late, Marks(Millis(max(self.early, late)), late)
        if self.early + MINUTE + EARLY <= now:
            return self.early, Marks(Millis(self.early + MINUTE), self.late)
        return None


def first_marks(now: Millis) -> Marks:
    """Where the first run of all begins: at a whole hour, 15 to 75 minutes back."""
    start = Unit.HOUR.floor(Millis(now - LATE))
    return Marks(start, start)


def complete(minute: Millis) -> Iterator[tuple[Unit, Millis]]:
    """The hour and the day that end with that minute, the hour first; mostly neither."""
    end = Millis(minute + MINUTE)
    for unit in (Unit.HOUR, Unit.DAY):
        if end % unit.length == 0:
            yield unit, Millis(end - unit.length)


def dump_counts(counts: Counts) -> str:
    """`counts` as the JSON that an item holds: what is not zero, always in the same order."""
    return json.dumps({name: value for name, value in asdict(counts).items() if value})


def load_counts(text: str) -> Counts:
    """The counts that `dump_counts` wrote."""
    return Counts(**json.loads(text))
