"""What is removed of ended rentals: their SMS, but for that they came."""

import contextlib
from collections.abc import Sequence

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import RentalId
from chalicelib.domain.times import Millis
from chalicelib.stores import db
from chalicelib.stores.rental_items import RentalRow
from chalicelib.stores.rollup_items import RollupRow

YES = True
_MARKS, _PURGED = "marks", "purged"
_PAGE = 200


def closed_in_minute(
    key: str, start: db.Start = None
) -> tuple[Sequence[tuple[RentalId, int]], db.Start]:
    """Of one page of the rentals that ended in a shard of a minute, those that still have SMS, and
    how many: by the index."""
    found = db.query(RentalRow, RentalRow.closed == key, index="closed", limit=_PAGE, start=start)
    due = [
        (RentalId(row.rental_id), row.message_count)
        for row in found.items
        if row.message_count and not row.purged
    ]
    return due, found.start


def purge(rental_id: RentalId, count: int) -> None:
    """Remove what an ended rental's SMS say and whom they are from; done before, nothing."""
    actions: list[Action] = [RentalRow.purged.set(YES)]
    for at in range(count):
        message = RentalRow.messages[at]
        actions += [
            message["text"].set(""),
            message["sender"].set(""),
            message["code"].remove(),
            message["service"].remove(),
        ]
    condition = RentalRow.closed.exists() & RentalRow.purged.does_not_exist()
    with contextlib.suppress(db.RefusedError):
        db.update(RentalRow(rental_id), actions, condition & (RentalRow.message_count == count))


def mark() -> Millis | None:
    """Up to where it is done: all rentals that ended before it. None before the first run."""
    row = db.get(RollupRow, _MARKS, _PURGED)
    return Millis(row.early or 0) if row is not None else None


def move_mark(was: Millis | None, now: Millis) -> Millis:
    """Set the mark to `now` if it still is what it was; the mark as it is then."""
    condition = RollupRow.scope.does_not_exist() if was is None else RollupRow.early == was
    try:
        db.write(RollupRow(_MARKS, _PURGED, early=now), condition)
    except db.RefusedError as refusal:
        return Millis(refusal.why["item"].early or 0)
    return now
