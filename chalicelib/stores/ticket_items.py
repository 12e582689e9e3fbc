"""The otp_tickets table as a PynamoDB model, and tickets as its items and back."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel, CodeShape, Gender
from chalicelib.domain.ticket import Sending, SendingState, Ticket, Try
from chalicelib.domain.times import Millis
from chalicelib.stores.attributes import IntAttribute


class TicketRow(Model):
    """A ticket by its token; or what leads to one.

    `last#USER#NUMBER` holds the last ticket sent to a number: its token, and what a repeat of the
    request must know. `receipt#PROVIDER#ACCOUNT#ID` holds what a provider said of a message, and
    whose it is, whichever is known first: `delivered` and its like are `MILLIS#DETAIL`. `due` is
    on a ticket while something is to be done: `due_at` is when the sweep does it if nobody has.
    """

    class Meta:
        table_name = ""

    class Sending(MapAttribute[str, Any]):
        """One message with the code, which is not in it."""

        sending_id = UnicodeAttribute()
        at = IntAttribute()
        channel = UnicodeAttribute()
        sender = UnicodeAttribute()
        text = UnicodeAttribute()
        autofill = UnicodeAttribute(null=True)
        language = UnicodeAttribute()
        gender = UnicodeAttribute()
        segments = IntAttribute()
        price = IntAttribute()
        state = UnicodeAttribute()
        rounds = IntAttribute()
        tries: ListAttribute[Any] = ListAttribute()
        provider = UnicodeAttribute()
        account = UnicodeAttribute()
        message_id = UnicodeAttribute()
        sent_at = IntAttribute(null=True)

    token = UnicodeAttribute(hash_key=True)
    ticket_number = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    phone_number = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    code_length = IntAttribute(null=True)
    alphabet = UnicodeAttribute(null=True)
    digest = UnicodeAttribute(null=True)
    recipient_ip = UnicodeAttribute(null=True)
    attempts = IntAttribute(null=True)
    max_attempts = IntAttribute(null=True)
    last_guess = UnicodeAttribute(null=True)
    last_call = UnicodeAttribute(null=True)
    created_at = IntAttribute(null=True)
    expires_at = IntAttribute(null=True)
    voice_after = IntAttribute(null=True)
    voice_text = UnicodeAttribute(null=True)
    tells: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    validation_told = BooleanAttribute(null=True)
    sendings: ListAttribute[Any] = ListAttribute(of=Sending, null=True)
    lease = UnicodeAttribute(null=True)
    lease_until = IntAttribute(null=True)
    due = UnicodeAttribute(null=True)
    due_at = IntAttribute(null=True)
    last_token = UnicodeAttribute(null=True)
    on_its_way = UnicodeAttribute(null=True)
    delivered = UnicodeAttribute(null=True)
    undelivered = UnicodeAttribute(null=True)
    ttl = IntAttribute(null=True)


def ticket_of(row: TicketRow) -> Ticket:
    """The ticket in an item of the table."""
    return Ticket(
        token=row.token,
        ticket_number=row.ticket_number or "",
        user_id=UserId(row.user_id or ""),
        phone_number=E164(row.phone_number or ""),
        country=row.country or "",
        shape=CodeShape(row.code_length or 0, row.alphabet or ""),
        digest=row.digest or "",
        recipient_ip=row.recipient_ip or "",
        max_attempts=row.max_attempts or 0,
        created_at=Millis(row.created_at or 0),
        expires_at=Millis(row.expires_at or 0),
        voice_after=row.voice_after or 0,
        tells=tuple(row.tells or ()),
        sendings=tuple(_sending_of(each) for each in row.sendings or ()),
        attempts=row.attempts or 0,
        last_guess=row.last_guess or "",
        voice_text=row.voice_text or "",
        validation_told=bool(row.validation_told),
    )


def row_of(ticket: Ticket) -> TicketRow:
    """The item of a ticket that begins."""
    return TicketRow(
        ticket.token,
        ticket_number=ticket.ticket_number,
        user_id=ticket.user_id,
        phone_number=ticket.phone_number,
        country=ticket.country,
        code_length=ticket.shape.length,
        alphabet=ticket.shape.alphabet,
        digest=ticket.digest,
        recipient_ip=ticket.recipient_ip,
        attempts=0,
        max_attempts=ticket.max_attempts,
        last_guess="",
        created_at=ticket.created_at,
        expires_at=ticket.expires_at,
        voice_after=ticket.voice_after,
        voice_text=ticket.voice_text,
        tells=list(ticket.tells),
        sendings=[sending_item(sending) for sending in ticket.sendings],
        lease_until=0,
    )


def sending_item(sending: Sending) -> TicketRow.Sending:
    """A sending as its ticket's item holds it."""
    return TicketRow.Sending(
        sending_id=sending.sending_id,
        at=sending.at,
        channel=sending.channel,
        sender=sending.sender,
        text=sending.text,
        autofill=sending.autofill,
        language=sending.language,
        gender=sending.gender,
        segments=sending.segments,
        price=sending.price,
        state=sending.state,
        rounds=sending.rounds,
        tries=[try_item(each) for each in sending.tries],
        provider=sending.provider,
        account=sending.account,
        message_id=sending.message_id,
        sent_at=sending.sent_at,
    )


def try_item(found: Try) -> dict[str, object]:
    """A try as its sending's item holds it."""
    return {
        "provider": found.provider,
        "account": found.account,
        "at": found.at,
        "outcome": found.outcome,
    }


def _sending_of(item: TicketRow.Sending) -> Sending:
    return Sending(
        sending_id=item.sending_id,
        at=Millis(item.at),
        channel=Channel(item.channel),
        sender=item.sender,
        text=item.text,
        language=item.language,
        gender=Gender(item.gender),
        segments=item.segments,
        price=Micros(item.price),
        state=SendingState(item.state),
        rounds=item.rounds,
        tries=tuple(
            Try(each["provider"], each["account"], Millis(int(each["at"])), each["outcome"])
            for each in item.tries
        ),
        provider=item.provider,
        account=item.account,
        message_id=item.message_id,
        autofill=item.autofill or "",
        sent_at=Millis(item.sent_at) if item.sent_at is not None else None,
    )
