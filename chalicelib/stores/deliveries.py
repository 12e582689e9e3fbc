"""Deliveries: leased for an attempt, then finished or set for the next one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.update import Action

from chalicelib.domain.deliveries import Delivery, DeliveryState
from chalicelib.domain.ids import DeliveryId, EventId, UserId
from chalicelib.domain.times import Millis
from chalicelib.stores import db
from chalicelib.stores.outbox_items import DeliveryRow


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt: the answer's status, or why there was none."""

    status: int | None
    error: str | None


def lease(delivery_id: DeliveryId, lease_id: str, now: Millis, *, until: Millis) -> Delivery | None:
    """Take a delivery for one attempt until `until`, counting the attempt.

    None if it is finished, not yet to be tried, or held by another attempt. A repeat of the same
    lease after a lost reply takes it once.
    """
    try:
        row = db.update(
            DeliveryRow(delivery_id),
            [
                DeliveryRow.attempts.add(1),
                DeliveryRow.lease.set(lease_id),
                DeliveryRow.lease_until.set(until),
                DeliveryRow.next_at.set(until),
            ],
            (DeliveryRow.state == DeliveryState.PENDING)
            & (DeliveryRow.not_before <= now)
            & (DeliveryRow.lease_until <= now),
        )
    except db.RefusedError as refusal:
        row = refusal.why["item"]
        if row is None or row.lease != lease_id:
            return None
    return delivery_of(row)


def finish(delivery: Delivery, state: DeliveryState, result: Result, now: Millis) -> None:
    """End a delivery. Raises RefusedError if another attempt holds it by now."""
    db.update(
        DeliveryRow(delivery.delivery_id),
        [
            DeliveryRow.state.set(state),
            DeliveryRow.finished_at.set(now),
            DeliveryRow.due.remove(),
            DeliveryRow.next_at.remove(),
            DeliveryRow.lease.remove(),
            *_told(result),
        ],
        DeliveryRow.lease == delivery.lease,
    )


def put_off(delivery: Delivery, result: Result, *, until: Millis, swept_at: Millis) -> None:
    """Set the next attempt at `until`; if nobody has made it by `swept_at`, the sweep does.

    Raises RefusedError if another attempt holds the delivery by now.
    """
    db.update(
        DeliveryRow(delivery.delivery_id),
        [
            DeliveryRow.not_before.set(until),
            DeliveryRow.next_at.set(swept_at),
            DeliveryRow.lease_until.set(0),
            DeliveryRow.lease.remove(),
            *_told(result),
        ],
        DeliveryRow.lease == delivery.lease,
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that nobody has finished by `at`."""

    delivery_id: DeliveryId
    user_id: UserId
    at: Millis


def due(
    shard: str, until: Millis, *, limit: int, start: db.Start = None
) -> tuple[list[Due], db.Start]:
    """One page of the deliveries that the sweep takes up by `until`, the oldest first."""
    found = db.query(
        DeliveryRow,
        (DeliveryRow.due == shard) & (DeliveryRow.next_at <= until),
        index="due",
        limit=limit,
        start=start,
    )
    waiting = [
        Due(DeliveryId(row.delivery_id), UserId(row.user_id), Millis(row.next_at or 0))
        for row in found.items
    ]
    return waiting, found.start


def told(due: Due, swept_at: Millis) -> None:
    """Note that the queue was told: the sweep leaves it alone until `swept_at`.

    Raises RefusedError if the delivery has moved on since it was read.
    """
    db.update(
        DeliveryRow(due.delivery_id),
        [DeliveryRow.next_at.set(swept_at)],
        (DeliveryRow.state == DeliveryState.PENDING) & (DeliveryRow.next_at == due.at),
    )


def of_user(user_id: UserId, before: str | None, *, limit: int) -> tuple[Sequence[Delivery], bool]:
    """One page of a user's deliveries, the newest first, older than that id; whether there are
    more. The index may be a moment behind."""
    condition = DeliveryRow.user_id == user_id
    if before is not None:
        condition &= DeliveryRow.delivery_id < before
    found = db.query(DeliveryRow, condition, index="by_user", limit=limit + 1, forward=False)
    more = len(found.items) > limit or found.start is not None
    return [delivery_of(row) for row in found.items[:limit]], more


def delivery_of(row: DeliveryRow) -> Delivery:
    """The delivery in an item of the table."""
    return Delivery(
        delivery_id=DeliveryId(row.delivery_id),
        event_id=EventId(row.event_id),
        user_id=UserId(row.user_id),
        type=row.type,
        body=row.body,
        state=DeliveryState(row.state),
        created_at=Millis(row.created_at),
        attempts=row.attempts,
        lease=row.lease,
        next_at=Millis(row.next_at) if row.next_at is not None else None,
        last_status=row.last_status,
        last_error=row.last_error,
        finished_at=Millis(row.finished_at) if row.finished_at is not None else None,
    )


def _told(result: Result) -> list[Action]:
    status, error = DeliveryRow.last_status, DeliveryRow.last_error
    return [
        status.set(result.status) if result.status is not None else status.remove(),
        error.set(result.error) if result.error is not None else error.remove(),
    ]
