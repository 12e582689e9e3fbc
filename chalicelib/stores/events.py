"""Events and the deliveries that carry them: written with what they tell of (the outbox)."""

from collections.abc import Sequence

from chalicelib.domain.events import Event
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import DAY, SECOND, Millis, epoch_seconds
from chalicelib.stores import db, shards
from chalicelib.stores.outbox_items import DeliveryRow, EventRow

TOLD_WITHIN = 10 * SECOND
"""A delivery that its queue was not told of within this is taken up by the sweep."""

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


def in_minute(key: str, start: db.Start = None) -> tuple[Sequence[tuple[UserId, str]], db.Start]:
    """One page of whose events there were in a shard of a minute, and of what type: by the index.

    Events are kept for the retention of SMS only.
    """
    found = db.query(EventRow, EventRow.minute == key, index="by_minute", start=start)
    return [(UserId(row.user_id), row.type) for row in found.items], found.start
