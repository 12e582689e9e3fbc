"""The sendings of tickets: leased for a round of providers, then sent, failed, or set for another.

`due_at` is when the sweep takes a ticket up if nobody has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.domain.events import Event
from chalicelib.domain.ticket import Sending, SendingState, Ticket, Try
from chalicelib.domain.times import DAY, Millis, epoch_seconds
from chalicelib.stores import db, events, ledger, shards, tickets
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.tables import UserRow
from chalicelib.stores.ticket_items import TicketRow, ticket_of, try_item

YES = True

_PLACES = {
    "on_its_way": TicketRow.on_its_way,
    "delivered": TicketRow.delivered,
    "undelivered": TicketRow.undelivered,
}


@dataclass(frozen=True, slots=True)
class Leased:
    """A ticket in our hands until its lease ends."""

    ticket: Ticket
    lease: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a provider said of a message: `status` is one of `_PLACES`."""

    status: str
    detail: str
    at: Millis


def lease(token: str, lease_id: str, now: Millis, *, until: Millis) -> Leased | None:
    """Take a ticket of which something is to be done; None if nothing is, or others have it.

    A repeat of the same lease after a lost reply takes it once.
    """
    try:
        row = db.update(
            TicketRow(token),
            [
                TicketRow.lease.set(lease_id),
                TicketRow.lease_until.set(until),
                TicketRow.due_at.set(until),
            ],
            TicketRow.due.exists() & (TicketRow.lease_until <= now),
        )
    except db.RefusedError as refusal:
        row = refusal.why["item"]
        if row is None or row.lease != lease_id:
            return None
    return Leased(ticket_of(row), lease_id)


def renewed(refusal: db.RefusedError, held: Leased) -> Leased | None:
    """The ticket as it is by now, if it is still in our hands; None if others have it."""
    row = refusal.why.get("ticket") or refusal.why.get("item")
    if row is None or row.lease != held.lease:
        return None
    return Leased(ticket_of(row), held.lease)


def let_go(held: Leased, due_at: Millis | None) -> None:
    """Give a ticket back, to be taken up again at `due_at`, or never.

    Raises RefusedError if it is no longer as it was read, or in other hands.
    """
    db.update(TicketRow(held.ticket.token), _free(due_at), _is_held(held))


def put_off(held: Leased, position: int, tries: Sequence[Try], *, due_at: Millis) -> None:
    """Note a round in which no provider took a sending; the next is at `due_at`.

    Raises RefusedError if the ticket is no longer as it was read, or in other hands.
    """
    sending = TicketRow.sendings[position]
    actions = [
        sending["tries"].set(sending["tries"].append([try_item(each) for each in tries])),
        sending["rounds"].set(held.ticket.sendings[position].rounds + 1),
        *_free(due_at),
    ]
    db.update(TicketRow(held.ticket.token), actions, _is_held(held))


def sent(
    held: Leased,
    position: int,
    sending: Sending,
    event: Event | None,
    *,
    due_at: Millis | None,
    retention_days: int,
) -> None:
    """Note that a provider took a sending (as it is now), and tell of it.

    Its receipts are found by the provider's id of it from here on. Raises RefusedError naming
    `ticket` if somebody else holds it by now.
    """
    token = held.ticket.token
    receipts = TicketRow(receipts_key(sending.provider, sending.account, sending.message_id))
    ttl = epoch_seconds(Millis(sending.at + retention_days * DAY))
    db.transact(
        ticket=db.change(
            TicketRow(token), [*_as(position, sending), *_free(due_at)], _is_held(held)
        ),
        receipts=db.change(
            receipts,
            [
                TicketRow.last_token.set(token),
                TicketRow.ttl.set(ttl),
            ],
            TicketRow.ticket_number.does_not_exist(),
        ),
        **events.steps(event, retention_days),
    )


def failed(
    held: Leased,
    position: int,
    sending: Sending,
    event: Event | None,
    *,
    now: Millis,
    due_at: Millis | None,
    retention_days: int,
) -> None:
    """Note that no provider took a sending, give its price back, and tell of it.

    Raises RefusedError naming `ticket` if somebody else holds it by now, `ledger` if it was
    given back before.
    """
    ticket = held.ticket
    refund = Entry(
        user_id=ticket.user_id,
        cause=sending.sending_id,
        kind=EntryKind.REFUND,
        amount=sending.price,
        reference=ticket.ticket_number,
        at=now,
    )
    free = sending.price == 0
    db.transact(
        ticket=db.change(
            TicketRow(ticket.token), [*_as(position, sending), *_free(due_at)], _is_held(held)
        ),
        user=None
        if free
        else db.change(
            UserRow(ticket.user_id), [UserRow.balance.add(refund.amount)], UserRow.status.exists()
        ),
        ledger=None if free else ledger.step(refund),
        **events.steps(event, retention_days),
    )


def call_instead(held: Leased, sending: Sending) -> None:
    """Follow an SMS by a call, paid like any sending.

    Raises RefusedError naming `user` (inactive, or too poor) or `ticket` (others hold it by now).
    """
    ticket = held.ticket
    free = [TicketRow.lease.remove(), TicketRow.lease_until.set(0)]
    db.transact(
        ticket=db.change(
            TicketRow(ticket.token), [*tickets.sending_actions(sending), *free], _is_held(held)
        ),
        **tickets.charge_steps(ticket.user_id, ticket.ticket_number, sending),
    )


def validation_told(
    held: Leased, event: Event, *, due_at: Millis | None, retention_days: int
) -> None:
    """Tell, once, that a ticket was validated. Raises RefusedError naming `ticket`."""
    condition = _is_held(held) & TicketRow.validation_told.does_not_exist()
    actions = [TicketRow.validation_told.set(YES), *_free(due_at)]
    db.transact(
        ticket=db.change(TicketRow(held.ticket.token), actions, condition),
        **events.steps(event, retention_days),
    )


def hear(key: str, heard: Heard, ttl_at: Millis) -> str | None:
    """Keep what a provider said of a message; the token of its ticket if that is known yet.

    Said again, it stays as it was said first.
    """
    place = _PLACES[heard.status]
    actions = [
        place.set(place | f"{heard.at}#{heard.detail}"),
        TicketRow.ttl.set(epoch_seconds(ttl_at)),
    ]
    return db.update(TicketRow(key), actions, TicketRow.ticket_number.does_not_exist()).last_token


def heard_of(ticket: Ticket) -> list[list[Heard]]:
    """What the providers said of each of a ticket's sendings, in one read."""
    keys = [
        receipts_key(each.provider, each.account, each.message_id) if each.message_id else ""
        for each in ticket.sendings
    ]
    wanted = [key for key in keys if key]
    rows = db.get_all(*((TicketRow, key, None) for key in wanted)) if wanted else []
    found = dict(zip(wanted, rows, strict=True))
    return [_heard(found.get(key)) for key in keys]


def hasten(token: str, now: Millis) -> None:
    """Have a ticket that waits for something taken up at once. Raises RefusedError if none does."""
    db.update(TicketRow(token), [TicketRow.due_at.set(now)], TicketRow.due.exists())


def due(
    shard: str, until: Millis, *, limit: int, start: db.Start = None
) -> tuple[list[str], db.Start]:
    """One page of the tokens of tickets that are due by `until`, the longest first."""
    found = db.query(
        TicketRow,
        (TicketRow.due == shard) & (TicketRow.due_at <= until),
        index="due",
        limit=limit,
        start=start,
    )
    return [row.token for row in found.items], found.start


def receipts_key(provider: str, account: str, message_id: str) -> str:
    """Where the receipts of a message are kept."""
    return f"receipt#{provider}#{account}#{message_id}"


def _as(position: int, sending: Sending) -> list[Action]:
    place = TicketRow.sendings[position]
    actions: list[Action] = [
        place["state"].set(sending.state),
        place["rounds"].set(sending.rounds),
        place["tries"].set([try_item(each) for each in sending.tries]),
    ]
    if sending.state is SendingState.SENT:
        actions += [
            place["provider"].set(sending.provider),
            place["account"].set(sending.account),
            place["message_id"].set(sending.message_id),
            place["sent_at"].set(sending.sent_at),
        ]
    return actions


def _free(due_at: Millis | None) -> list[Action]:
    free: list[Action] = [TicketRow.lease.remove(), TicketRow.lease_until.set(0)]
    if due_at is None:
        return [*free, TicketRow.due.remove(), TicketRow.due_at.remove()]
    return [*free, TicketRow.due.set(shards.some_key(shards.DUE)), TicketRow.due_at.set(due_at)]


def _is_held(held: Leased) -> Condition:
    """That it is in our hands, and that no sending was added since it was read."""
    unchanged: Condition = size(TicketRow.sendings) == len(held.ticket.sendings)
    unchanged &= TicketRow.lease == held.lease
    unchanged &= TicketRow.last_guess == held.ticket.last_guess
    return unchanged


def _heard(row: TicketRow | None) -> list[Heard]:
    if row is None:
        return []
    said = ((status, getattr(row, status)) for status in _PLACES)
    return [_heard_in(status, text) for status, text in said if text]


def _heard_in(status: str, text: str) -> Heard:
    at, _, detail = text.partition("#")
    return Heard(status, detail, Millis(int(at)))
