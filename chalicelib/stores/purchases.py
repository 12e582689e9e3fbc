"""Rentals of other servers' numbers: money held, number taken in or money given back.

Between the two lies a call to that server, so these are two transactions and a sweep (a saga).
Source: DESIGN.md, "Decided" 3.
"""

import contextlib
from dataclasses import replace

from pynamodb.expressions.update import Action

from chalicelib.domain.events import Event
from chalicelib.domain.ids import RentalId, UserId, rental_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus, dump
from chalicelib.domain.requests import RequestKey
from chalicelib.domain.times import Millis
from chalicelib.stores import db, events, ledger, numbers, requests, shards
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.rental_items import RentalRow, rental_of, row_of
from chalicelib.stores.rentals import enter_step, payment_for, refund_of, told, ttl_of
from chalicelib.stores.tables import UserRow

HOUSE = UserId("house")
"""Whose ledger tells of our own losses. There is no such user and no such balance."""


def hold(rental: Rental, *, sweep_at: Millis, most_open: int, request: RequestKey | None) -> None:
    """Begin a rental with its money held; a sweep settles it if nobody has by `sweep_at`.

    Raises RefusedError naming `request` or `user`, as `rentals.open` does.
    """
    # Until there is a number, the index of what is due shows when to settle.
    row = row_of(replace(rental, expires_at=sweep_at))
    try:
        db.transact(
            request=requests.begin_step(request, rental.created_at),
            user=enter_step(rental, most_open),
            ledger=ledger.step(payment_for(rental)),
            rental=db.put(row, RentalRow.rental_id.does_not_exist()),
        )
    except db.RefusedError as refusal:
        raise told(refusal, rental.created_at) from None


def activate(
    rental: Rental,
    *,
    provider: str,
    account: str,
    poll_at: Millis | None,
    request: RequestKey | None,
    event: Event | None = None,
    retention_days: int = 0,
) -> None:
    """Take in the number that the supplier gave. Only `provider` and `account` speak for it.

    Its SMS are asked for from `poll_at` on, if that is given. Raises RefusedError naming `rental`
    (it was settled meanwhile), `request` (the key has passed to somebody else) or `number` (with
    the NumberRow: we have that number already).
    """
    actions: list[Action] = [
        RentalRow.state.set(RentalStatus.ACTIVE),
        RentalRow.phone_number.set(rental.phone_number),
        RentalRow.upstream_id.set(rental.upstream_id or ""),
        RentalRow.cost.set(rental.cost),
        RentalRow.expires_at.set(rental.expires_at),
    ]
    if poll_at is not None:
        polls = shards.some_key(shards.POLLS)
        actions += [RentalRow.polls.set(polls), RentalRow.poll_at.set(poll_at)]
    db.transact(
        request=requests.answer_step(request, dump(rental), rental.created_at),
        rental=db.change(
            RentalRow(rental.rental_id), actions, RentalRow.state == RentalStatus.REQUESTING
        ),
        number=numbers.bought_step(rental, provider=provider, account=account),
        **events.steps(event, retention_days),
    )


def release(
    rental: Rental,
    now: Millis,
    *,
    loss: Micros,
    envelope_days: int,
    request: RequestKey | None = None,
) -> None:
    """End a rental that got no number: its money goes back, and the key may be used again.

    `loss` is what the supplier may keep all the same; it is booked as ours. The rental is removed
    `envelope_days` later. Raises RefusedError naming `rental` if it is not `requesting` any more,
    `request` if the key has passed to somebody else.
    """
    failed = replace(rental, status=RentalStatus.FAILED, refund=rental.price, closed_at=now)
    refund = refund_of(failed, now)
    db.transact(
        request=requests.drop_step(request, rental.created_at),
        rental=db.change(
            RentalRow(rental.rental_id),
            [
                RentalRow.state.set(failed.status),
                RentalRow.closed_at.set(now),
                RentalRow.closed.set(shards.some_minute(now, shards.CLOSED)),
                RentalRow.refund.set(failed.refund),
                RentalRow.due.remove(),
                RentalRow.ttl.set(ttl_of(now, envelope_days)),
            ],
            RentalRow.state == RentalStatus.REQUESTING,
        ),
        user=db.change(
            UserRow(rental.user_id),
            [UserRow.balance.add(rental.price), UserRow.open_rentals.add(-1)],
            UserRow.status.exists(),
        ),
        ledger=ledger.step(refund) if refund is not None else None,
        loss=ledger.step(_loss(rental, loss, now)) if loss else None,
    )


def book_loss(rental: Rental, now: Millis) -> None:
    """Note what a closed rental cost us for nothing; a repeat changes nothing."""
    with contextlib.suppress(db.RefusedError):
        db.transact(loss=ledger.step(_loss(rental, rental.cost, now)))


def lease_poll(
    rental_id: RentalId, now: Millis, *, poll_at: Millis, until: Millis
) -> tuple[Rental, int] | None:
    """Take a rental for the poll that was noted as `poll_at`; with it how many SMS are in hand.

    None if it is over, somebody else is at it, or that poll has been made.
    """
    try:
        row = db.update(
            RentalRow(rental_id),
            [RentalRow.poll_lease.set(until), RentalRow.poll_at.set(until)],
            (RentalRow.state == RentalStatus.ACTIVE)
            & RentalRow.polls.exists()
            & (RentalRow.poll_at == poll_at)
            & (RentalRow.poll_lease.does_not_exist() | (RentalRow.poll_lease <= now)),
        )
    except db.RefusedError:
        return None
    return rental_of(row), row.polled or 0


def polled(rental_id: RentalId, *, lease: Millis, count: int, poll_at: Millis) -> None:
    """Note how many SMS are in hand, and when the sweep looks after the next poll.

    Raises RefusedError if the lease has passed to somebody else.
    """
    db.update(
        RentalRow(rental_id),
        [
            RentalRow.polled.set(count),
            RentalRow.poll_at.set(poll_at),
            RentalRow.poll_lease.remove(),
        ],
        RentalRow.poll_lease == lease,
    )


def due_polls(
    shard: str, now: Millis, *, limit: int, start: db.Start = None
) -> tuple[list[tuple[RentalId, Millis]], db.Start]:
    """One page of the rentals whose poll nobody has made in time, each with its `poll_at`."""
    found = db.query(
        RentalRow,
        (RentalRow.polls == shard) & (RentalRow.poll_at <= now),
        index="polls",
        limit=limit,
        start=start,
    )
    due = [(RentalId(row.rental_id), Millis(row.poll_at or 0)) for row in found.items]
    return due, found.start


def _loss(rental: Rental, amount: Micros, now: Millis) -> Entry:
    return Entry(
        user_id=HOUSE,
        cause=rental_ulid(rental.rental_id),
        kind=EntryKind.LOSS,
        amount=Micros(-amount),
        reference=rental.rental_id,
        at=now,
    )
