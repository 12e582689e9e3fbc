"""Rollups: each bucket's counts in one item, filed under the longer bucket that it lies in.

The minutes of an hour are one partition, and so are the hours of a day and the days of a month.
In it come the owners one after the other: all of it adds up to the next longer buckets, and a
part of it is what one owner is shown.
"""

from collections.abc import Iterable, Sequence

from chalicelib.domain.rollups import Marks, Rollup, Unit, dump_counts, load_counts
from chalicelib.domain.times import DAY, Millis, epoch_seconds, minute_of, parse_iso
from chalicelib.stores import db
from chalicelib.stores.rollup_items import RollupRow

MINUTES_KEPT_DAYS = 90
"""How long minutes are kept. Hours and days stay."""

_MARKS = "marks"
_WIDTHS = {
    Unit.MINUTE: len("2023-06-15T15:30"),
    Unit.HOUR: len("2023-06-15T15"),
    Unit.DAY: len("2023-06-15"),
}
_SCOPE_WIDTHS = {
    Unit.MINUTE: len("2023-06-15T15"),
    Unit.HOUR: len("2023-06-15"),
    Unit.DAY: len("2023-06"),
}


def scope_of(unit: Unit, at: Millis) -> str:
    """The partition that holds the buckets of `unit` around `at`."""
    return minute_of(at)[: _SCOPE_WIDTHS[unit]]


def put(rollups: Iterable[Rollup]) -> None:
    """Write these, each over what it finds. Raises BusyError."""
    db.put_all(_row_of(rollup) for rollup in rollups)


def of_owner(owner: str, unit: Unit, first: Millis, last: Millis) -> Sequence[Rollup]:
    """An owner's buckets from `first` to `last`, both of one scope: sixty at most, so one page."""
    found = db.query(
        RollupRow,
        (RollupRow.scope == scope_of(unit, first))
        & RollupRow.bucket.between(_bucket(owner, unit, first), _bucket(owner, unit, last)),
    )
    return [_rollup_of(row, unit) for row in found.items]


def of_all(unit: Unit, at: Millis, start: db.Start = None) -> tuple[Sequence[Rollup], db.Start]:
    """One page of the buckets of `unit` of all owners in the scope around `at`."""
    found = db.query(RollupRow, RollupRow.scope == scope_of(unit, at), start=start)
    return [_rollup_of(row, unit) for row in found.items], found.start


def marks() -> Marks | None:
    """How far the rollups go; None before the first run."""
    row = db.get(RollupRow, _MARKS, _MARKS)
    return _marks_of(row) if row is not None else None


def move_marks(was: Marks | None, now: Marks) -> Marks:
    """Set the marks to `now` if they still are what they were; the marks as they are then."""
    condition = RollupRow.scope.does_not_exist()
    if was is not None:
        condition = (RollupRow.early == was.early) & (RollupRow.late == was.late)
    try:
        db.write(RollupRow(_MARKS, _MARKS, early=now.early, late=now.late), condition)
    except db.RefusedError as refusal:
        return _marks_of(refusal.why["item"])
    return now


def _row_of(rollup: Rollup) -> RollupRow:
    ttl = None
    if rollup.unit is Unit.MINUTE:
        ttl = epoch_seconds(Millis(rollup.at + MINUTES_KEPT_DAYS * DAY))
    return RollupRow(
        scope_of(rollup.unit, rollup.at),
        _bucket(rollup.owner, rollup.unit, rollup.at),
        counts=dump_counts(rollup.counts),
        ttl=ttl,
    )


def _rollup_of(row: RollupRow, unit: Unit) -> Rollup:
    owner, _, start = row.bucket.partition("#")
    return Rollup(owner, unit, parse_iso(start), load_counts(row.counts or "{}"))


def _bucket(owner: str, unit: Unit, at: Millis) -> str:
    return f"{owner}#{minute_of(at)[: _WIDTHS[unit]]}"


def _marks_of(row: RollupRow) -> Marks:
    return Marks(Millis(row.early or 0), Millis(row.late or 0))
