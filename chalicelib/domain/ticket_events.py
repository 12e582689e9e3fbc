"""What a user is told of a ticket; its code is in none of it."""

from chalicelib.domain.events import Event, ticket_event
from chalicelib.domain.ticket import Sending, SendingState, Ticket
from chalicelib.domain.times import Millis, iso


def event_of(ticket: Ticket, kind: str, sending: Sending | None, now: Millis) -> Event | None:
    """The event `kind` of a ticket, or of one of its sendings; None if it was not asked for."""
    if kind not in ticket.tells:
        return None
    data: dict[str, object] = {"phone_number": ticket.phone_number, "at": iso(now)}
    if sending is not None:
        data |= {"channel": sending.channel}
        if sending.state is SendingState.SENT:
            data |= {"provider": sending.provider}
    return ticket_event(ticket.user_id, kind, ticket.ticket_number, data, now)
