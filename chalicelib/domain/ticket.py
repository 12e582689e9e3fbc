"""A ticket: one code for one recipient, sent once or again, and validated at most once.

Source: otp-api.txt (spec C) and DESIGN.md, "Decided" 7. The code itself is nowhere: whoever sends
it derives it from the token.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel, CodeShape, Gender
from chalicelib.domain.times import SECOND, Millis

MOST_SENDINGS = 10
"""How often one code may be sent, calls that follow an SMS included."""

WORTH_RESENDING = 60 * SECOND
"""A code that is valid for less than this and less than half its time is not sent again."""


class SendingState(StrEnum):
    """Where a sending stands. The last two are final."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class TicketState(StrEnum):
    """Where a ticket stands, as it is shown."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    VALIDATED = "validated"
    EXPIRED = "expired"
    LOCKED = "locked"


class Verdict(IntEnum):
    """What a validation is answered: the numbers of spec C."""

    SUCCESS = 0
    RECIPIENT_MISSING = 194
    CODE_MISSING = 195
    ATTEMPTS_REACHED = 196
    EXPIRED = 197
    NOT_FOUND = 198
    WRONG_CODE = 199


@dataclass(frozen=True, slots=True)
class Try:
    """One provider asked to take a message: `outcome` is `accepted`, or why it did not."""

    provider: str
    account: str
    at: Millis
    outcome: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One message with the ticket's code, paid by itself.

    `text` and `autofill`, the lines that follow it, are templates: the code is not in them.
    `rounds` counts how often all providers were asked. `message_id` is that of `provider`, once
    one took it.
    """

    sending_id: str
    at: Millis
    channel: Channel
    sender: str
    text: str = field(repr=False)
    language: str
    gender: Gender
    segments: int
    price: Micros
    state: SendingState = SendingState.QUEUED
    rounds: int = 0
    tries: tuple[Try, ...] = ()
    provider: str = ""
    account: str = ""
    message_id: str = ""
    autofill: str = field(default="", repr=False)
    sent_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it was last read.

    `digest` is the code's HMAC, `last_guess` that of the last code that was compared with it.
    `tells` are the events that its user had asked for. `voice_after` is the silence, in seconds,
    after which an SMS is followed by a call that says `voice_text`; 0 for none.
    """

    token: str = field(repr=False)
    ticket_number: str
    user_id: UserId
    phone_number: E164
    country: str
    shape: CodeShape
    digest: str = field(repr=False)
    recipient_ip: str
    max_attempts: int
    created_at: Millis
    expires_at: Millis
    voice_after: int
    tells: tuple[str, ...]
    sendings: tuple[Sending, ...]
    attempts: int = 0
    last_guess: str = field(default="", repr=False)
    voice_text: str = field(default="", repr=False)
    validation_told: bool = False

    @property
    def is_used(self) -> bool:
        """Whether the right code was given."""
        return hmac.compare_digest(self.last_guess, self.digest)

    def is_live(self, now: Millis) -> bool:
        """Whether the right code would validate."""
        return not self.is_used and now < self.expires_at and self.attempts < self.max_attempts

    def state_at(self, now: Millis, said: Sequence[Sequence[str]]) -> TicketState:
        """How the ticket is shown; `said` are the statuses of each sending's receipts."""
        if self.is_used:
            return TicketState.VALIDATED
        states = {sending.state for sending in self.sendings}
        if states == {SendingState.FAILED}:
            return TicketState.FAILED
        if self.expires_at <= now:
            return TicketState.EXPIRED
        if self.attempts >= self.max_attempts:
            return TicketState.LOCKED
        sent = [
            set(each)
            for sending, each in zip(self.sendings, said, strict=True)
            if sending.state is SendingState.SENT
        ]
        return _sent_state(states, sent)

    def with_sending(self, position: int, sending: Sending) -> "Ticket":
        """The ticket with a sending in the place of another."""
        before, after = self.sendings[:position], self.sendings[position + 1 :]
        return replace(self, sendings=(*before, sending, *after))

    def next_sending(self) -> int | None:
        """The position of the first sending that waits for a provider, None if there is none."""
        for position, sending in enumerate(self.sendings):
            if sending.state is SendingState.QUEUED:
                return position
        return None

    def call_due_at(self) -> Millis | None:
        """When its last SMS is followed by a call unless something is heard, None if never."""
        last = self.sendings[-1]
        if not self.voice_after or last.channel is not Channel.SMS or last.sent_at is None:
            return None
        if len(self.sendings) >= MOST_SENDINGS:
            return None
        due = Millis(last.sent_at + self.voice_after * SECOND)
        return due if due < self.expires_at else None


def _sent_state(states: set[SendingState], said: Sequence[set[str]]) -> TicketState:
    if SendingState.SENT not in states:
        return TicketState.QUEUED
    if any(TicketState.DELIVERED in each for each in said):
        return TicketState.DELIVERED
    if TicketState.UNDELIVERED in said[-1]:
        return TicketState.UNDELIVERED
    return TicketState.SENT


def is_worth_resending(created_at: Millis, expires_at: Millis, now: Millis) -> bool:
    """Whether a code is valid for long enough to be sent again rather than replaced."""
    left = expires_at - now
    return left >= min(WORTH_RESENDING, (expires_at - created_at) // 2)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a guess was worth; `remaining` attempts are told with a wrong code only."""

    verdict: Verdict
    remaining: int = 0


def judge(
    ticket: Ticket | None, guess: str, user_id: UserId, now: Millis, *, counted: bool
) -> Judgement:
    """What a guess (its HMAC) of `user_id` is answered.

    `ticket` is as it was after the guess was `counted`, or as it was when it was refused. Of a
    refused one several answers may fit: unknown or used comes before expired, that before too many.
    """
    if ticket is None or ticket.user_id != user_id:
        return Judgement(Verdict.NOT_FOUND)
    if counted:
        if hmac.compare_digest(guess, ticket.digest):
            return Judgement(Verdict.SUCCESS)
        return Judgement(Verdict.WRONG_CODE, max(0, ticket.max_attempts - ticket.attempts))
    if ticket.is_used:
        return Judgement(Verdict.NOT_FOUND)
    if ticket.expires_at <= now:
        return Judgement(Verdict.EXPIRED)
    return Judgement(Verdict.ATTEMPTS_REACHED)
