"""Rentals: opened and closed, each in one transaction with all it moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import E164, RentalId, UserId, rental_ulid
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Message, Rental, RentalStatus, dump
from chalicelib.domain.requests import RequestKey, SeenRequest
from chalicelib.domain.stock import FreeNumber, PastUse
from chalicelib.domain.times import HOUR, Millis
from chalicelib.domain.user import User, UserStatus
from chalicelib.stores import db, ledger, numbers, requests, shards, users
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.tables import RentalRow, RequestRow, UserRow

YES = True


@dataclass(frozen=True, slots=True)
class Closing:
    """How a rental ends: `rental` is as it will be, `seen_messages` what it had when read.

    `cancels` is the user as read and the hourly limit, if this end counts as an unused cancel.
    """

    rental: Rental
    seen_messages: int
    now: Millis
    rest_until: Millis | None
    cancels: tuple[User, int] | None = None
    request: RequestKey | None = None


def open(
    rental: Rental,
    number: FreeNumber,
    history: Sequence[PastUse],
    *,
    most_open: int,
    request: RequestKey | None,
) -> None:
    """Rent the number: number, balance, ledger, rental and request key, all or nothing.

    Raises RefusedError naming `request` (with the SeenRequest), `user` (with the User: inactive,
    too poor, or holding `most_open` rentals) or `number` (somebody else has it now).
    """
    payment = Entry(
        user_id=rental.user_id,
        cause=rental_ulid(rental.rental_id),
        kind=EntryKind.RENTAL,
        amount=Micros(-rental.price),
        reference=rental.rental_id,
        at=rental.created_at,
    )
    try:
        db.transact(
            request=requests.step(request, dump(rental), rental.created_at),
            user=db.change(
                UserRow(rental.user_id),
                [
                    UserRow.balance.add(-rental.price),
                    UserRow.open_rentals.add(1),
                    UserRow.rentals_total.add(1),
                ],
                (UserRow.balance >= rental.price)
                & (UserRow.open_rentals < most_open)
                & (UserRow.status == UserStatus.APPROVED)
                & (UserRow.active == YES),
            ),
            number=numbers.rent_step(number, rental, history),
            ledger=ledger.step(payment),
            rental=db.put(_row_of(rental), RentalRow.rental_id.does_not_exist()),
        )
    except db.RefusedError as refusal:
        raise told(refusal, rental.created_at) from None


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


def close(closing: Closing) -> None:
    """End a rental: rental, number, refund, counters and request key, all or nothing.

    Raises RefusedError naming `request` (with the SeenRequest), `rental` (with the Rental: closed,
    or with more messages than were seen), `user` (with the User: too many unused cancels, or its
    counters moved), or `number` (it is not this rental's).
    """
    rental, now = closing.rental, closing.now
    refund = None
    if rental.refund > 0:
        refund = Entry(
            user_id=rental.user_id,
            cause=rental_ulid(rental.rental_id),
            kind=EntryKind.REFUND,
            amount=rental.refund,
            reference=rental.rental_id,
            at=now,
        )
    try:
        db.transact(
            request=requests.step(closing.request, dump(rental), now),
            rental=db.change(
                RentalRow(rental.rental_id),
                [
                    RentalRow.state.set(rental.status),
                    RentalRow.closed_at.set(now),
                    RentalRow.refund.set(rental.refund),
                    RentalRow.due.remove(),
                ],
                (RentalRow.state == RentalStatus.ACTIVE)
                & (RentalRow.message_count == closing.seen_messages),
            ),
            user=_leave_step(closing),
            number=(
                numbers.rest_step(rental, closing.rest_until)
                if closing.rest_until is not None
                else None
            ),
            ledger=ledger.step(refund) if refund is not None else None,
        )
    except db.RefusedError as refusal:
        raise told(refusal, now) from None


def rental_of(row: RentalRow) -> Rental:
    """The rental in an item of the table."""
    return Rental(
        rental_id=RentalId(row.rental_id),
        user_id=UserId(row.user_id),
        phone_number=E164(row.phone_number),
        country=row.country,
        operator_id=row.operator_id,
        service=row.service,
        price=Micros(row.price),
        supplier=row.supplier,
        status=RentalStatus(row.state),
        created_at=Millis(row.created_at),
        expires_at=Millis(row.expires_at),
        cancel_after=row.cancel_after,
        message_count=row.message_count,
        messages=tuple(
            Message(
                message_id=sms.message_id,
                sender=sms.sender,
                text=sms.text,
                code=sms.code,
                service=sms.service,
                provider=sms.provider,
                received_at=Millis(sms.received_at),
                paid=sms.paid,
            )
            for sms in row.messages
        ),
        refund=Micros(row.refund) if row.refund is not None else NOTHING,
        closed_at=Millis(row.closed_at) if row.closed_at is not None else None,
    )


def _row_of(rental: Rental) -> RentalRow:
    return RentalRow(
        rental.rental_id,
        user_id=rental.user_id,
        phone_number=rental.phone_number,
        country=rental.country,
        operator_id=rental.operator_id,
        service=rental.service,
        price=rental.price,
        supplier=rental.supplier,
        state=rental.status,
        due=shards.some_key(shards.DUE),
        created_at=rental.created_at,
        expires_at=rental.expires_at,
        cancel_after=rental.cancel_after,
        message_count=0,
        messages=[],
    )


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
