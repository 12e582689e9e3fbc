"""Rentals: opened and closed, each in one transaction with all it moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.domain.events import Event
from chalicelib.domain.ids import RentalId, UserId, rental_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus, dump
from chalicelib.domain.requests import RequestKey, SeenRequest
from chalicelib.domain.stock import OWN, FreeNumber, PastUse
from chalicelib.domain.times import DAY, HOUR, Millis, epoch_seconds
from chalicelib.domain.user import User
from chalicelib.stores import db, events, ledger, numbers, requests, shards, users
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.rental_items import RentalRow, rental_of, row_of
from chalicelib.stores.tables import RequestRow, UserRow


@dataclass(frozen=True, slots=True)
class Closing:
    """How a rental ends: `rental` is as it will be, `seen_messages` what it had when read.

    `cancels` is the user as read and the hourly limit, if this end counts as an unused cancel.
    The rental is removed `envelope_days` later, its `event` after `retention_days`.
    """

    rental: Rental
    seen_messages: int
    now: Millis
    rest_until: Millis
    envelope_days: int
    retention_days: int
    event: Event | None = None
    frees_number: bool = True
    cancels: tuple[User, int] | None = None
    request: RequestKey | None = None


def open(
    rental: Rental,
    number: FreeNumber,
    history: Sequence[PastUse],
    *,
    most_open: int,
    request: RequestKey | None,
    event: Event | None = None,
    retention_days: int = 0,
) -> None:
    """Rent the number: number, balance, ledger, rental, request key and event, all or nothing.

    The user's manager is not held to anything here: an item that all rents of a manager's users
    share would have them refuse each other.

    Raises RefusedError naming `request` (with the SeenRequest), `user` (with the User: inactive,
    too poor, or holding `most_open` rentals) or `number` (somebody else has it now).
    """
    try:
        db.transact(
            request=requests.step(request, dump(rental), rental.created_at),
            user=enter_step(rental, most_open),
            number=numbers.rent_step(number, rental, history),
            ledger=ledger.step(payment_for(rental)),
            rental=db.put(row_of(rental), RentalRow.rental_id.does_not_exist()),
            **events.steps(event, retention_days),
        )
    except db.RefusedError as refusal:
        raise told(refusal, rental.created_at) from None


def payment_for(rental: Rental) -> Entry:
    """The entry of what a rental costs when it begins."""
    return Entry(
        user_id=rental.user_id,
        cause=rental_ulid(rental.rental_id),
        kind=EntryKind.RENTAL,
        amount=Micros(-rental.price),
        reference=rental.rental_id,
        at=rental.created_at,
    )


def refund_of(rental: Rental, now: Millis) -> Entry | None:
    """The entry of what a rental gives back at its end, None if that is nothing."""
    if rental.refund == 0:
        return None
    return Entry(
        user_id=rental.user_id,
        cause=rental_ulid(rental.rental_id),
        kind=EntryKind.REFUND,
        amount=rental.refund,
        reference=rental.rental_id,
        at=now,
    )


def enter_step(rental: Rental, most_open: int) -> db.Step:
    """The part of a transaction in which a user pays for a rental and holds one more."""
    return db.change(
        UserRow(rental.user_id),
        [
            UserRow.balance.add(-rental.price),
            UserRow.open_rentals.add(1),
            UserRow.rentals_total.add(1),
        ],
        (UserRow.balance >= rental.price) & (UserRow.open_rentals < most_open) & users.may_act(),
    )


def get(rental_id: RentalId) -> Rental | None:
    """The rental, read consistently."""
    row = db.get(RentalRow, rental_id)
    return rental_of(row) if row is not None else None


def with_user(
    rental_id: RentalId, user_id: UserId, request: RequestKey | None, now: Millis
) -> tuple[Rental | None, User | None, SeenRequest | None]:
    """What a cancel needs to know, in one read: the rental, its user, the key's first answer."""
    keys: list[db.Key] = [(RentalRow, rental_id, None), (UserRow, user_id, None)]
    if request is not None:
        keys.append((RequestRow, request.request_id, None))
    rental, user, *seen = db.get_all(*keys)
    return (
        rental_of(rental) if rental is not None else None,
        users.user_of(user) if user is not None else None,
        requests.seen_request(seen[0], now) if seen else None,
    )


def due(shard: str, now: Millis, *, limit: int, start: db.Start = None) -> db.Page[RentalRow]:
    """One page of the open rentals whose time is over, the longest first."""
    return db.query(
        RentalRow,
        (RentalRow.due == shard) & (RentalRow.expires_at <= now),
        index="due",
        limit=limit,
        start=start,
    )


def count_open(shard: str, now: Millis, start: db.Start = None) -> tuple[int, db.Start]:
    """How many rentals of one page are open and in their time."""
    found = db.query(
        RentalRow,
        (RentalRow.due == shard) & (RentalRow.expires_at > now),
        index="due",
        start=start,
        count_only=True,
    )
    return found.count, found.start


def closed_in_minute(
    key: str, start: db.Start = None
) -> tuple[Sequence[tuple[UserId, RentalStatus]], db.Start]:
    """One page of whose rentals ended in a shard of a minute, and how: by the index."""
    found = db.query(RentalRow, RentalRow.closed == key, index="closed", start=start)
    return [(UserId(row.user_id), RentalStatus(row.state)) for row in found.items], found.start


def close(closing: Closing) -> None:
    """End a rental: rental, number, refund, counters, request key and event, all or nothing.

    Raises RefusedError naming `request` (with the SeenRequest), `rental` (with the Rental: closed,
    or with more messages than were seen), `user` (with the User: too many unused cancels, or its
    counters moved), or `number` (it is not this rental's).
    """
    rental, now = closing.rental, closing.now
    refund = refund_of(rental, now)
    try:
        db.transact(
            request=requests.step(closing.request, dump(rental), now),
            rental=db.change(
                RentalRow(rental.rental_id),
                [
                    RentalRow.state.set(rental.status),
                    RentalRow.closed_at.set(now),
                    RentalRow.closed.set(shards.some_minute(now, shards.CLOSED)),
                    RentalRow.refund.set(rental.refund),
                    RentalRow.due.remove(),
                    RentalRow.polls.remove(),
                    RentalRow.ttl.set(ttl_of(now, closing.envelope_days)),
                ],
                (RentalRow.state == RentalStatus.ACTIVE)
                & (RentalRow.message_count == closing.seen_messages),
            ),
            user=_leave_step(closing),
            number=_number_step(closing),
            ledger=ledger.step(refund) if refund is not None else None,
            **events.steps(closing.event, closing.retention_days),
        )
    except db.RefusedError as refusal:
        raise told(refusal, now) from None


def ttl_of(now: Millis, envelope_days: int) -> int:
    """When a rental that ends now is removed, in seconds since the epoch."""
    return epoch_seconds(Millis(now + envelope_days * DAY))


def _number_step(closing: Closing) -> db.Step | None:
    if not closing.frees_number:
        return None
    if closing.rental.supplier == OWN:
        return numbers.rest_step(closing.rental, closing.rest_until)
    return numbers.leave_step(closing.rental)


def _leave_step(closing: Closing) -> db.Step:
    rental = closing.rental
    actions: list[Action] = [UserRow.open_rentals.add(-1)]
    if rental.refund > 0:
        actions.append(UserRow.balance.add(rental.refund))
    condition = UserRow.status.exists()
    if closing.cancels is not None:
        user, most = closing.cancels
        hour = closing.now // HOUR
        condition &= UserRow.cancel_hour == user.cancel_hour
        if user.cancel_hour == hour:
            actions.append(UserRow.cancel_count.add(1))
            condition &= UserRow.cancel_count < most
        else:
            actions += [UserRow.cancel_hour.set(hour), UserRow.cancel_count.set(1)]
    return db.change(UserRow(rental.user_id), actions, condition)


def told(refusal: db.RefusedError, now: Millis) -> db.RefusedError:
    """The refusal with what the platform calls things in place of the tables' items."""
    read: Mapping[str, Callable[[Any], Any]] = {
        "request": lambda row: requests.seen_request(row, now),
        "user": users.user_of,
        "rental": rental_of,
    }
    return db.RefusedError(
        {
            name: read[name](row) if row is not None and name in read else row
            for name, row in refusal.why.items()
        }
    )
