"""Tickets: opened or sent again in one transaction with what they cost, compared in one update."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.domain.fraud import Count, Counter, Decision
from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import CodeShape
from chalicelib.domain.requests import RequestKey, SeenRequest
from chalicelib.domain.ticket import MOST_SENDINGS, Sending, Ticket
from chalicelib.domain.times import DAY, SECOND, Millis, epoch_seconds
from chalicelib.stores import db, decisions, ledger, limits, requests, shards, users
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.tables import LimitRow, RequestRow, UserRow
from chalicelib.stores.ticket_items import TicketRow, row_of, sending_item, ticket_of

TOLD_WITHIN = 10 * SECOND
"""A ticket that its queue was not told of within this is taken up by the sweep."""

LIMIT = "limit_"
"""A refusal by a counter is named by this and the counter's rule."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last ticket that a user sent to a number, as far as sending its code again needs it."""

    token: str
    ticket_number: str
    shape: CodeShape
    recipient_ip: str
    max_attempts: int
    created_at: Millis
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class Before:
    """What there was before a code was asked for."""

    last: Last | None
    seen: SeenRequest | None
    counts: Sequence[Count]


@dataclass(frozen=True, slots=True)
class Terms:
    """What comes with a sending: its request key with the answer to keep, the limits that it counts
    in, what these held when they were read, and what they decided."""

    request: RequestKey | None
    answer: str
    counters: Sequence[Counter]
    counts: Sequence[Count]
    decisions: Sequence[Decision]
    retention_days: int


def before(
    user_id: UserId,
    number: E164,
    request: RequestKey | None,
    counters: Sequence[Counter],
    now: Millis,
) -> Before:
    """What generating a code needs to know, in one read."""
    keys: list[db.Key] = [(TicketRow, _last_key(user_id, number), None)]
    keys += [(LimitRow, counter.bucket, None) for counter in counters]
    if request is not None:
        keys.append((RequestRow, request.request_id, None))
    last, *rows = db.get_all(*keys)
    return Before(
        last=_last_of(last) if last is not None else None,
        seen=requests.seen_request(rows[-1], now) if request is not None else None,
        counts=[limits.count_of(row) for row in rows[: len(counters)]],
    )


def open(ticket: Ticket, last: Last | None, terms: Terms) -> None:
    """Write a ticket with its first sending, the charge, the counters and the request key.

    `last` is the number's last ticket as it was read. Raises RefusedError naming `request` (with
    the SeenRequest), `user` (with the User: inactive or too poor), `last` (another ticket came
    between) or LIMIT and a rule.
    """
    sending = ticket.sendings[0]
    row = _due(row_of(ticket), sending.at, terms)
    pointer = TicketRow(
        _last_key(ticket.user_id, ticket.phone_number),
        last_token=ticket.token,
        ticket_number=ticket.ticket_number,
        code_length=ticket.shape.length,
        alphabet=ticket.shape.alphabet,
        recipient_ip=ticket.recipient_ip,
        max_attempts=ticket.max_attempts,
        created_at=ticket.created_at,
        expires_at=ticket.expires_at,
        ttl=row.ttl,
    )
    unchanged: Condition = (
        TicketRow.token.does_not_exist() if last is None else TicketRow.last_token == last.token
    )
    _transact(
        ticket.user_id,
        ticket.phone_number,
        ticket.ticket_number,
        sending,
        terms,
        ticket=db.put(row, TicketRow.token.does_not_exist()),
        last=db.put(pointer, unchanged),
    )


def send_again(last: Last, user_id: UserId, number: E164, sending: Sending, terms: Terms) -> None:
    """Add a sending to a live ticket, with its charge, the counters and the request key.

    Raises RefusedError naming `ticket` (with its token: its code is of no more use) beside what
    `open` names.
    """
    condition = (
        (TicketRow.user_id == user_id)
        & (TicketRow.expires_at > sending.at)
        & (TicketRow.attempts < TicketRow.max_attempts)
        & (TicketRow.last_guess != TicketRow.digest)
        & (size(TicketRow.sendings) < MOST_SENDINGS)
    )
    _transact(
        user_id,
        number,
        last.ticket_number,
        sending,
        terms,
        ticket=db.change(TicketRow(last.token), sending_actions(sending), condition),
    )


def sending_actions(sending: Sending) -> list[Action]:
    """What adds a sending to its ticket and has it taken up."""
    return [
        TicketRow.sendings.set(TicketRow.sendings.append([sending_item(sending)])),
        TicketRow.due.set(shards.some_key(shards.DUE)),
        TicketRow.due_at.set(sending.at + TOLD_WITHIN),
    ]


def charge_steps(user_id: UserId, ticket_number: str, sending: Sending) -> dict[str, db.Step]:
    """The parts of a transaction in which a user pays for a sending."""
    return {
        "user": db.change(
            UserRow(user_id),
            [UserRow.balance.add(-sending.price), UserRow.otp_total.add(1)],
            (UserRow.balance >= sending.price) & users.may_act(),
        ),
        "ledger": ledger.step(
            Entry(
                user_id=user_id,
                cause=sending.sending_id,
                kind=EntryKind.OTP,
                amount=Micros(-sending.price),
                reference=ticket_number,
                at=sending.at,
            )
        ),
    }


def compare(
    token: str, guess: str, call: str, user_id: UserId, now: Millis
) -> tuple[Ticket | None, bool]:
    """Compare a guess (its HMAC) with a live ticket's, counting the attempt: one update.

    The ticket as it is then and True; or, refused, as it was (None if there is none) and False.
    `call` is unlike any other call's: a repeat after a lost reply is known by it and counts once.
    """
    condition = (
        (TicketRow.user_id == user_id)
        & (TicketRow.attempts < TicketRow.max_attempts)
        & (TicketRow.expires_at > now)
        & (TicketRow.last_guess != TicketRow.digest)
        & (TicketRow.last_call.does_not_exist() | (TicketRow.last_call != call))
    )
    actions = [
        TicketRow.last_guess.set(guess),
        TicketRow.last_call.set(call),
        TicketRow.attempts.add(1),
    ]
    try:
        return ticket_of(db.update(TicketRow(token), actions, condition)), True
    except db.RefusedError as refusal:
        row = refusal.why["item"]
        if row is None:
            return None, False
        return ticket_of(row), row.last_call == call


def last_token(user_id: UserId, number: E164) -> str | None:
    """The token of the last ticket that a user sent to a number."""
    row = db.get(TicketRow, _last_key(user_id, number))
    return row.last_token if row is not None else None


def get_any(tokens: Sequence[str]) -> Ticket | None:
    """The ticket that one of `tokens` is of, in one read."""
    rows = db.get_all(*((TicketRow, token, None) for token in tokens))
    return next((ticket_of(row) for row in rows if row is not None), None)


def _transact(
    user_id: UserId,
    number: E164,
    ticket_number: str,
    sending: Sending,
    terms: Terms,
    **steps: db.Step,
) -> None:
    noted = decisions.steps(
        user_id, number, ticket_number, terms.decisions, sending.at, terms.retention_days
    )
    try:
        db.transact(
            request=requests.step(terms.request, terms.answer, sending.at),
            **charge_steps(user_id, ticket_number, sending),
            **steps,
            **{
                LIMIT + counter.rule: limits.step(counter, count)
                for counter, count in zip(terms.counters, terms.counts, strict=True)
            },
            **noted,
        )
    except db.RefusedError as refusal:
        raise _told(refusal, sending.at) from None


def _told(refusal: db.RefusedError, now: Millis) -> db.RefusedError:
    why: dict[str, object] = dict(refusal.why)
    if "request" in why:
        why["request"] = requests.seen_request(refusal.why["request"], now)
    if "ticket" in why:
        row = refusal.why["ticket"]
        why["ticket"] = row.token if row is not None else None
    if "user" in why:
        row = refusal.why["user"]
        why["user"] = users.user_of(row) if row is not None else None
    return db.RefusedError(why)


def _due(row: TicketRow, now: Millis, terms: Terms) -> TicketRow:
    row.due = shards.some_key(shards.DUE)
    row.due_at = now + TOLD_WITHIN
    row.ttl = epoch_seconds(Millis(now + terms.retention_days * DAY))
    return row


def _last_key(user_id: UserId, number: E164) -> str:
    return f"last#{user_id}#{number}"


def _last_of(row: TicketRow) -> Last:
    return Last(
        token=row.last_token or "",
        ticket_number=row.ticket_number or "",
        shape=CodeShape(row.code_length or 0, row.alphabet or ""),
        recipient_ip=row.recipient_ip or "",
        max_attempts=row.max_attempts or 0,
        created_at=Millis(row.created_at or 0),
        expires_at=Millis(row.expires_at or 0),
    )
