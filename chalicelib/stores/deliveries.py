"""Deliveries: leased for an attempt, then finished or set for the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.domain.deliveries import Delivery, DeliveryState, Lane
from chalicelib.domain.ids import DeliveryId, EventId, UserId, first_ulid
from chalicelib.domain.times import Millis, epoch_seconds
from chalicelib.stores import db, shards
from chalicelib.stores.events import TOLD_WITHIN
from chalicelib.stores.outbox_items import DeliveryRow


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt: the answer's status, or why there was none.

    `millis` is how long it took, `excerpt` how the answer began.
    """

    status: int | None = None
    error: str | None = None
    millis: int | None = None
    excerpt: str | None = None


def lease(
    delivery_id: DeliveryId, lease_id: str, now: Millis, *, until: Millis, lane: Lane = Lane.FAST
) -> Delivery | None:
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
                DeliveryRow.lane.set(lane),
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
    _release(delivery, _told(result), until=until, swept_at=swept_at)


def put_by(delivery: Delivery, error: str | None, *, until: Millis, swept_at: Millis) -> None:
    """The same for an attempt that does not count, with why it was none. Raises RefusedError."""
    actions: list[Action] = [DeliveryRow.attempts.set(delivery.attempts - 1)]
    if error is not None:
        actions.append(DeliveryRow.last_error.set(error))
    _release(delivery, actions, until=until, swept_at=swept_at)


def send_again(
    delivery_id: DeliveryId,
    user_id: UserId,
    now: Millis,
    states: Sequence[DeliveryState],
    types: Sequence[str],
) -> Delivery | None:
    """Begin the schedule of a user's delivery anew, if it is in one of `states` and of `types`.

    None if they have no such delivery. Raises RefusedError with it as it is, named `delivery`:
    in another state, of another type, or held by an attempt.
    """
    try:
        row = db.update(
            DeliveryRow(delivery_id),
            [
                DeliveryRow.state.set(DeliveryState.PENDING),
                DeliveryRow.attempts.set(0),
                DeliveryRow.begun_at.set(now),
                DeliveryRow.not_before.set(now),
                DeliveryRow.lease_until.set(0),
                DeliveryRow.due.set(shards.some_key(shards.DUE)),
                DeliveryRow.next_at.set(now + TOLD_WITHIN),
                DeliveryRow.finished_at.remove(),
                DeliveryRow.lease.remove(),
            ],
            (DeliveryRow.user_id == user_id)
            & (DeliveryRow.ttl > epoch_seconds(now))
            & DeliveryRow.state.is_in(*states)
            & DeliveryRow.type.is_in(*types)
            & ((DeliveryRow.state != DeliveryState.PENDING) | (DeliveryRow.lease_until <= now)),
        )
    except db.RefusedError as refusal:
        row = refusal.why["item"]
        if row is None or row.user_id != user_id or row.ttl <= epoch_seconds(now):
            return None
        raise db.RefusedError({"delivery": delivery_of(row)}) from None
    return delivery_of(row)


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


def since(
    user_id: UserId, moment: Millis, *, limit: int, start: db.Start = None
) -> tuple[list[Delivery], db.Start]:
    """One page of a user's deliveries created from `moment` on, the oldest first. The index may
    be a moment behind."""
    condition = (DeliveryRow.user_id == user_id) & (DeliveryRow.delivery_id >= first_ulid(moment))
    found = db.query(DeliveryRow, condition, index="by_user", limit=limit, start=start)
    return [delivery_of(row) for row in found.items], found.start


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
        begun_at=Millis(row.begun_at or row.created_at),
        not_before=Millis(row.not_before),
        lane=Lane(row.lane) if row.lane is not None else None,
        last_millis=row.last_millis,
        last_excerpt=row.last_excerpt,
    )


def _release(
    delivery: Delivery, actions: Sequence[Action], *, until: Millis, swept_at: Millis
) -> None:
    db.update(
        DeliveryRow(delivery.delivery_id),
        [
            DeliveryRow.not_before.set(until),
            DeliveryRow.next_at.set(swept_at),
            DeliveryRow.lease_until.set(0),
            DeliveryRow.lease.remove(),
            *actions,
        ],
        DeliveryRow.lease == delivery.lease,
    )


def _told(result: Result) -> list[Action]:
    known: list[tuple[Any, object]] = [
        (DeliveryRow.last_status, result.status),
        (DeliveryRow.last_error, result.error),
        (DeliveryRow.last_millis, result.millis),
        (DeliveryRow.last_excerpt, result.excerpt or None),
    ]
    return [
        attribute.set(value) if value is not None else attribute.remove()
        for attribute, value in known
    ]
