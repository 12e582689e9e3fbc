"""Limits: what is counted for a while, and what may be held a few at a time.

A count may be written twice when its reply is lost: a limit that is reached a little early does
no harm, so these counters carry no call id.
"""

from pynamodb.expressions.condition import size

from chalicelib.domain.fraud import Count, Counter
from chalicelib.domain.times import Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.tables import LimitRow

SLOTS = (LimitRow.slot_0, LimitRow.slot_1, LimitRow.slot_2)


def count(bucket: str, amount: int, until: Millis) -> int:
    """Add to a bucket that ends at `until`, and tell its total."""
    row = db.update(
        LimitRow(bucket),
        [LimitRow.total.add(amount), LimitRow.ttl.set(epoch_seconds(until))],
        LimitRow.slot_0.does_not_exist(),
    )
    return row.total or 0


def step(counter: Counter, count: Count) -> db.Step:
    """The part of a transaction that counts a sending; refused where its rule blocks, or may by
    now: what is near a number is known of the `count` that was read only."""
    actions = [
        LimitRow.total.add(counter.amount),
        LimitRow.ttl.set(epoch_seconds(counter.until)),
    ]
    if counter.tail is not None:
        actions.append(LimitRow.tails.add({counter.tail}))
    condition = LimitRow.slot_0.does_not_exist()
    if counter.blocks and counter.tail is None:
        room = LimitRow.total <= counter.most - counter.amount
        condition &= LimitRow.total.does_not_exist() | room
    elif counter.blocks:
        same = size(LimitRow.tails) == len(count.tails)
        condition &= same if count.tails else LimitRow.tails.does_not_exist()
    return db.change(LimitRow(counter.bucket), actions, condition)


def count_of(row: LimitRow | None) -> Count:
    """What a bucket held when it was read."""
    if row is None:
        return Count()
    return Count(row.total or 0, frozenset(int(tail) for tail in row.tails or ()))


def held(bucket: str) -> list[Millis]:
    """Until when each slot of a bucket is held."""
    row = db.get(LimitRow, bucket)
    if row is None:
        return [Millis(0)] * len(SLOTS)
    return [Millis(until or 0) for until in (row.slot_0, row.slot_1, row.slot_2)]


def hold(bucket: str, slot: int, now: Millis, *, until: Millis) -> None:
    """Take a slot that nobody holds at `now`. Raises RefusedError if somebody does."""
    place = SLOTS[slot]
    db.update(
        LimitRow(bucket),
        [place.set(until), LimitRow.ttl.set(epoch_seconds(until))],
        place.does_not_exist() | (place <= now),
    )


def release(bucket: str, slot: int, *, until: Millis) -> None:
    """Give back a slot that was taken until `until`. Raises RefusedError if it is not ours."""
    place = SLOTS[slot]
    db.update(LimitRow(bucket), [place.remove()], place == until)
