"""Sending codes: each ticket taken to the providers of its country, in order, until one takes it.

The ticket is the truth, and the queue carries its token. A message may go out twice if we die
between a provider's answer and writing it down: it is the same code. Source: DESIGN.md, "Spec C".
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from chalicelib import telemetry
from chalicelib.domain.events import (
    BALANCE_LOW,
    OTP_FAILED,
    OTP_SENT,
    OTP_VALIDATED,
    Event,
)
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel
from chalicelib.domain.otp_routes import Route
from chalicelib.domain.ticket import MOST_SENDINGS, Sending, SendingState, Ticket, Try
from chalicelib.domain.ticket_dues import GRACE, due_after, due_at_end, is_due
from chalicelib.domain.ticket_events import event_of
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.errors import BusyError
from chalicelib.providers.sending import Line, OutboundSms, ReceiptStatus, Sender, SendError
from chalicelib.services.low_balance import LowBalance
from chalicelib.services.otp_messages import message_of
from chalicelib.services.otp_tickets import OtpTickets
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import shards, ticket_sendings
from chalicelib.stores.db import RefusedError
from chalicelib.stores.ticket_sendings import Leased

LEASE = 75 * SECOND
"""Longer than the Lambda lives: five providers, eight seconds each, and time to write it down."""

ROUNDS = 3
ROUND_WAIT = 5 * SECOND
"""After a round in which a provider may take the message later; twice that after the second."""

_ACCEPTED = "accepted"
_USELESS = "no_longer_valid"
_PAGE = 100

log = logging.getLogger(__name__)

T = TypeVar("T")
FindSender = Callable[[str], Sender | None]
MakeLine = Callable[[Route, Millis], Line]


@dataclass(frozen=True, slots=True)
class OtpSending:
    """Does what is to be done about tickets."""

    settings: Settings
    clock: Clock
    tickets: OtpTickets
    find_sender: FindSender
    make_line: MakeLine
    webhooks: Webhooks
    low_balance: LowBalance

    @telemetry.bound()
    def advance(self, token: str) -> None:
        """Do the next thing that is due of a ticket: a sending, a call after a silence, an event.

        Nothing, if nothing is due or somebody else is at it. Raises BusyError.
        """
        now = self.clock()
        held = ticket_sendings.lease(token, new_ulid(now), now, until=Millis(now + LEASE))
        if held is None:
            return
        number, user_id = held.ticket.ticket_number, held.ticket.user_id
        telemetry.correlate(number, ticket_number=number, user_id=user_id)
        try:
            position = held.ticket.next_sending()
            if position is not None:
                self._send(held, position)
            elif held.ticket.is_used:
                self._tell_validation(held)
            else:
                self._follow(held, self.clock())
        except RefusedError as refusal:
            renewed = ticket_sendings.renewed(refusal, held)
            if renewed is None:
                log.warning("ticket %s outlived its lease", held.ticket.ticket_number)
                return
            ticket_sendings.let_go(renewed, self.clock())
            self.tickets.tell(token)

    def requeue_due(self, ends: Millis) -> None:
        """Tell the queue of tickets that it was never told of, or has lost, until `ends`."""
        for shard in shards.keys(shards.DUE):
            start = None
            while self.clock() < ends:
                tokens, start = ticket_sendings.due(shard, self.clock(), limit=_PAGE, start=start)
                self.tickets.tell_all(tokens)
                if start is None:
                    break

    def _send(self, held: Leased, position: int) -> None:
        ticket, now = held.ticket, self.clock()
        sending = ticket.sendings[position]
        if not ticket.is_live(now):
            self._fail(held, position, (Try("", "", now, _USELESS),))
            return
        sms = message_of(self.settings.secrets.pepper, ticket, sending, now)
        tried: list[Try] = []
        again = False
        for route in self.settings.otp_routes.to(ticket.country):
            try:
                message_id = self._hand_over(sms, route)
            except SendError as error:
                again |= error.again
                tried.append(Try(route.provider, route.account, self.clock(), error.reason))
                continue
            accepted = Try(route.provider, route.account, self.clock(), _ACCEPTED)
            self._sent(held, position, route, message_id, (*tried, accepted))
            return
        rounds = sending.rounds + 1
        if again and rounds < ROUNDS:
            wait = ROUND_WAIT * rounds
            due_at = Millis(self.clock() + wait + GRACE)
            self._settle(
                held,
                lambda now_held: ticket_sendings.put_off(now_held, position, tried, due_at=due_at),
            )
            self.tickets.tell(ticket.token, delay_seconds=wait // SECOND)
        else:
            self._fail(held, position, tried)

    def _hand_over(self, sms: OutboundSms, route: Route) -> str:
        """Have one provider take the message; its id there. Raises SendError."""
        sender = self.find_sender(route.provider)
        account = self.settings.secrets.provider_accounts.get((route.provider, route.account))
        if sender is None or account is None:
            raise SendError("not_configured", again=False)
        if sms.channel not in sender.CHANNELS:
            raise SendError("channel_not_offered", again=False)
        try:
            return sender.send(sms, account, self.make_line(route, self.clock()))
        except BusyError:
            raise SendError("busy", again=True) from None

    def _sent(
        self, held: Leased, position: int, route: Route, message_id: str, tries: Sequence[Try]
    ) -> None:
        now = self.clock()
        before = held.ticket.sendings[position]
        sending = replace(
            before,
            state=SendingState.SENT,
            rounds=before.rounds + 1,
            tries=(*before.tries, *tries),
            provider=route.provider,
            account=route.account,
            message_id=message_id,
            sent_at=now,
        )
        self._conclude(held, position, sending, OTP_SENT, ticket_sendings.sent, now)

    def _fail(self, held: Leased, position: int, tries: Sequence[Try]) -> None:
        now = self.clock()
        before = held.ticket.sendings[position]
        tries = (*before.tries, *tries)
        sending = replace(before, state=SendingState.FAILED, rounds=before.rounds + 1, tries=tries)
        record = partial(ticket_sendings.failed, now=now)
        self._conclude(held, position, sending, OTP_FAILED, record, now)
        self._look_after(held.ticket)

    def _conclude(
        self,
        held: Leased,
        position: int,
        sending: Sending,
        kind: str,
        record: Callable[..., None],
        now: Millis,
    ) -> None:
        """Write down by `record` how a sending ended, with the event of that `kind`, and tell."""

        def write(now_held: Leased) -> tuple[Ticket, Event | None]:
            after = now_held.ticket.with_sending(position, sending)
            event = event_of(held.ticket, kind, sending, self.clock())
            record(
                now_held,
                position,
                sending,
                event,
                due_at=due_after(after, now),
                retention_days=self.settings.sms_retention_days,
            )
            return after, event

        after, event = self._settle(held, write)
        self._tell_after(after, sending, event, now)

    def _settle(self, held: Leased, write: Callable[[Leased], T]) -> T:
        """Write down what came of it, on the ticket as it is by then: sendings may be added while
        a provider is asked. Raises RefusedError if the ticket is in other hands."""
        for _ in range(2 * MOST_SENDINGS):
            try:
                return write(held)
            except RefusedError as refusal:
                renewed = ticket_sendings.renewed(refusal, held)
                if renewed is None:
                    raise
                held = renewed
        raise BusyError

    def _tell_validation(self, held: Leased) -> None:
        ticket, now = held.ticket, self.clock()
        event = event_of(ticket, OTP_VALIDATED, None, now)
        if event is None or ticket.validation_told:
            ticket_sendings.let_go(held, None)
            return
        days = self.settings.sms_retention_days
        ticket_sendings.validation_told(held, event, due_at=None, retention_days=days)
        self.webhooks.tell(event)

    def _follow(self, held: Leased, now: Millis) -> None:
        """Follow an SMS by a call if it was followed by silence."""
        ticket = held.ticket
        heard = {each.status for each in ticket_sendings.heard_of(ticket)[-1]}
        due_at = ticket.call_due_at()
        price = self.settings.otp_tariff.price(ticket.country, Channel.VOICE)
        failed = ReceiptStatus.UNDELIVERED in heard
        if (
            due_at is None
            or price is None
            or ReceiptStatus.DELIVERED in heard
            or not ticket.is_live(now)
        ):
            ticket_sendings.let_go(held, due_at_end(ticket, now))
        elif now < due_at and not failed:
            ticket_sendings.let_go(held, due_at)
        else:
            self._call(held, price, now)

    def _call(self, held: Leased, price: Micros, now: Millis) -> None:
        ticket = held.ticket
        last = ticket.sendings[-1]
        call = Sending(
            sending_id=new_ulid(now),
            at=now,
            channel=Channel.VOICE,
            sender="",
            text=ticket.voice_text,
            language=last.language,
            gender=last.gender,
            segments=1,
            price=price,
        )
        try:
            ticket_sendings.call_instead(held, call)
        except RefusedError as refusal:
            if "user" not in refusal.why:
                raise
            # Who can't pay for the call has had the SMS.
            ticket_sendings.let_go(held, due_at_end(ticket, now))
            return
        self.tickets.tell(ticket.token)
        self._look_after(ticket)

    def _look_after(self, ticket: Ticket) -> None:
        """Look at the balance that a sending was paid from or given back to."""
        if BALANCE_LOW in ticket.tells:
            self.low_balance.look(ticket.user_id)

    def _tell_after(
        self, ticket: Ticket, sending: Sending, event: Event | None, now: Millis
    ) -> None:
        name = "CodesSent" if sending.state is SendingState.SENT else "CodesFailed"
        telemetry.count(name, channel=sending.channel)
        log.info("the sending by %s: %s", sending.channel, sending.state)
        call_due_at = ticket.call_due_at()
        if is_due(ticket):
            self.tickets.tell(ticket.token)
        elif call_due_at is not None:
            wait = -(-(call_due_at - now) // SECOND)
            self.tickets.tell(ticket.token, delay_seconds=max(0, wait))
        self.webhooks.tell(event)
