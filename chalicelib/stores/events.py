"""Events and the deliveries that carry them: written with what they tell of (the outbox)."""

from collections.abc import Sequence

from chalicelib.domain.events import Event, PastEvent
from chalicelib.domain.ids import EventId, UserId, first_ulid, ulid_time
from chalicelib.domain.times import DAY, SECOND, Millis, epoch_seconds
from chalicelib.stores import db, shards
from chalicelib.stores.outbox_items import DeliveryRow, EventRow

TOLD_WITHIN = 10 * SECOND
"""A delivery that its queue was not told of within this is taken up by the sweep."""

SETTLED = 5 * SECOND
"""How old an event is when no older one can still be written: the last attempt at a transaction
starts 1.8 s after it, and has 3 s (see `connection`). What is left, 0.2 s, is for clocks that
differ, and for what comes between an event's making and its transaction."""

DELIVERIES_KEPT_DAYS = 8
"""At least so long, whatever the retention: a delivery outlives its last attempt, to be seen."""


def steps(event: Event | None, retention_days: int) -> dict[str, db.Step | None]:
    """The parts of a transaction that write an event and its delivery."""
    if event is None:
        return {}
    ttl = epoch_seconds(Millis(event.at + retention_days * DAY))
    kept = epoch_seconds(Millis(event.at + max(retention_days, DELIVERIES_KEPT_DAYS) * DAY))
    return {
        "event": db.put(
            EventRow(
                event.user_id,
                event.event_id,
                type=event.type,
                body=event.body,
                reference=event.reference,
                minute=shards.some_minute(event.at, shards.EVENTS),
                ttl=ttl,
            ),
            EventRow.event_id.does_not_exist(),
        ),
        "delivery": db.put(
            DeliveryRow(
                event.delivery_id,
                user_id=event.user_id,
                event_id=event.event_id,
                type=event.type,
                body=event.body,
                state="pending",
                created_at=event.at,
                attempts=0,
                due=shards.some_key(shards.DUE),
                next_at=event.at + TOLD_WITHIN,
                not_before=event.at,
                lease_until=0,
                ttl=kept,
            ),
            DeliveryRow.delivery_id.does_not_exist(),
        ),
    }


def of_user(
    user_id: UserId, after: str, now: Millis, *, limit: int, retention_days: int
) -> tuple[Sequence[PastEvent], bool]:
    """One page of a user's feed beyond an event's id, the oldest first; whether there are more.

    Nothing that is not settled, and nothing past the retention, removed yet or not.
    """
    # Nothing lies between an id and the same with one character more.
    first = max(f"{after}0", first_ulid(Millis(now - retention_days * DAY)))
    last = first_ulid(Millis(now - SETTLED))
    if first > last:
        return [], False
    condition = (EventRow.user_id == user_id) & EventRow.event_id.between(first, last)
    found = db.query(EventRow, condition, limit=limit + 1)
    more = len(found.items) > limit or found.start is not None
    return [_event_of(row) for row in found.items[:limit]], more


def _event_of(row: EventRow) -> PastEvent:
    at = ulid_time(row.event_id)
    return PastEvent(EventId(row.event_id), row.type, row.body, at)


def in_minute(key: str, start: db.Start = None) -> tuple[Sequence[tuple[UserId, str]], db.Start]:
    """One page of whose events there were in a shard of a minute, and of what type: by the index.

    Events are kept for the retention of SMS only.
    """
    found = db.query(EventRow, EventRow.minute == key, index="by_minute", start=start)
    return [(UserId(row.user_id), row.type) for row in found.items], found.start
