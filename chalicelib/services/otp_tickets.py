"""Tickets: the codes that were sent, compared and looked up. Source: otp-api.txt (spec C)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from chalicelib import telemetry
from chalicelib.domain.events import OTP_VALIDATED
from chalicelib.domain.ids import UserId, is_ulid
from chalicelib.domain.lenient import read_guess
from chalicelib.domain.otp_codes import code_digest, is_bound, is_token, ticket_token
from chalicelib.domain.ticket import Judgement, Ticket, TicketState, Verdict, judge
from chalicelib.domain.times import DAY, Clock
from chalicelib.domain.user import User
from chalicelib.errors import NotFoundError
from chalicelib.services.otp_accounts import settings_of
from chalicelib.settings import Settings
from chalicelib.stores import queues, ticket_sendings, tickets
from chalicelib.stores.ticket_sendings import Heard

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket, what was heard of each of its sendings, and where it stands."""

    ticket: Ticket
    heard: Sequence[Sequence[Heard]]
    state: TicketState


@dataclass(frozen=True, slots=True)
class OtpTickets:
    """The tickets of all users."""

    settings: Settings
    clock: Clock

    def validate(self, user: User, given: Mapping[str, object]) -> Judgement:
        """What the code in `given` is worth: compared with the ticket of its token, or else with
        the last one that was sent to its number. Every comparison counts."""
        guess = read_guess(given, settings_of(user).defaults.default_country)
        if not guess.token and guess.phone_number is None:
            return Judgement(Verdict.RECIPIENT_MISSING)
        if not guess.code:
            return Judgement(Verdict.CODE_MISSING)
        token: str | None = guess.token
        if not token and guess.phone_number is not None:
            token = tickets.last_token(user.user_id, guess.phone_number)
        if token is None or not is_token(token):
            # Compared like any other, so that a refusal takes as long whatever it is for.
            token = self.token(user.user_id, "", bound=False)
        now = self.clock()
        bound_to = guess.recipient_ip if is_bound(token) else ""
        digest = code_digest(self.settings.secrets.pepper, token, guess.code, bound_to)
        ticket, counted = tickets.compare(token, digest, uuid4().hex, user.user_id, now)
        judgement = judge(ticket, digest, user.user_id, now, counted=counted)
        telemetry.count("CodesChecked", outcome=judgement.verdict.name.lower())
        if judgement.verdict is Verdict.SUCCESS and ticket and OTP_VALIDATED in ticket.tells:
            self.tell(token)
        return judgement

    def find(self, user: User, ticket_number: str) -> Found:
        """The user's ticket of that number. Raises NotFoundError, also for somebody else's."""
        ticket = None
        if is_ulid(ticket_number):
            both = [self.token(user.user_id, ticket_number, bound=bound) for bound in (False, True)]
            ticket = tickets.get_any(both)
        kept_since = self.clock() - self.settings.sms_retention_days * DAY
        if ticket is None or ticket.user_id != user.user_id or ticket.created_at <= kept_since:
            raise NotFoundError(
                "ticket_not_found", "There is no such ticket.", field="ticket_number"
            )
        heard = ticket_sendings.heard_of(ticket)
        said = [[each.status for each in of_one] for of_one in heard]
        return Found(ticket, heard, ticket.state_at(self.clock(), said))

    def tell(self, token: str, *, delay_seconds: int = 0) -> None:
        """Have something done about a ticket. If the queue fails, the sweep does it later."""
        message = {"token": token}
        if known := telemetry.passed_on("ticket_number"):
            message["correlation_id"] = known
        try:
            queues.send(self.settings.otp_queue, message, delay_seconds=delay_seconds)
        except queues.QueueError as error:
            log.warning("the otp queue was not told of a ticket: %s", error)

    def tell_all(self, tokens: Sequence[str]) -> None:
        """Have something done about tickets; by the next sweep, if the queue fails."""
        for batch in queues.batches(tokens):
            try:
                messages = [queues.Message({"token": token}) for token in batch]
                queues.send_all(self.settings.otp_queue, messages)
            except queues.QueueError as error:
                log.warning("the otp queue was not told of %d tickets: %s", len(batch), error)

    def token(self, user_id: UserId, ticket_number: str, *, bound: bool) -> str:
        """The token of a user's ticket, which nobody can guess; `bound` to a recipient's IP."""
        pepper = self.settings.secrets.pepper
        return ticket_token(pepper, user_id, ticket_number, bound_to_ip=bound)
