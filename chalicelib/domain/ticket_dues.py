"""When something is to be done about a ticket."""

from chalicelib.domain.events import OTP_VALIDATED
from chalicelib.domain.ticket import Ticket
from chalicelib.domain.times import SECOND, Millis

GRACE = 60 * SECOND
"""How late what the queue was told of may be before the sweep tells it again."""


def is_due(ticket: Ticket) -> bool:
    """Whether something is to be done at once: a sending, or telling of a validation."""
    untold = ticket.is_used and OTP_VALIDATED in ticket.tells and not ticket.validation_told
    return ticket.next_sending() is not None or untold


def due_after(ticket: Ticket, now: Millis) -> Millis | None:
    """When the sweep looks at a ticket after one of its sendings is over; None if never."""
    if is_due(ticket):
        return now
    call_due_at = ticket.call_due_at()
    if call_due_at is not None:
        in_time = min(call_due_at + GRACE, ticket.expires_at - GRACE)
        return Millis(max(call_due_at, in_time))
    return due_at_end(ticket, now)


def due_at_end(ticket: Ticket, now: Millis) -> Millis | None:
    """A validation that is to be told of is looked for once more when there can be none."""
    ends = Millis(ticket.expires_at + GRACE)
    return ends if OTP_VALIDATED in ticket.tells and now < ends else None
