"""Inbound SMS: each stored once, matched to its rental, charged, and told of.

An SMS that this returns from is stored, whatever happens next. Source: DESIGN.md, "Decided" 2
and 10.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib import telemetry
from chalicelib.domain.code_finder import FoundCode
from chalicelib.domain.events import Event, sms_event
from chalicelib.domain.phone import normalise
from chalicelib.domain.rental import MOST_MESSAGES, Message, Rental
from chalicelib.domain.times import Clock
from chalicelib.errors import BusyError
from chalicelib.providers.contract import InboundSms
from chalicelib.services.low_balance import LowBalance
from chalicelib.services.parts import Parts
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import inbound, ledger, messages, numbers
from chalicelib.stores.db import RefusedError
from chalicelib.stores.inbound import Fate, StoredSms
from chalicelib.stores.numbers import Number, Tenancy

_MOST_TRIES = 4
"""As the first SMS, as a further one, as one that waits for money, and once for a lost race."""

FindCode = Callable[[str, str | None], FoundCode | None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Inbound:
    """Takes the SMS that providers post."""

    settings: Settings
    clock: Clock
    webhooks: Webhooks
    find_code: FindCode
    low_balance: LowBalance

    @property
    def parts(self) -> Parts:
        """What joins the parts of long SMS."""
        return Parts(self.settings, self.clock, self._receive_whole)

    def receive(self, provider: str, account: str, sms: InboundSms) -> Fate:
        """Store an SMS and give it to the rental of its number; a repeat changes nothing.

        A part of a long SMS is kept until the others are here. Raises BusyError, having stored
        nothing: the provider is to send it again.
        """
        if sms.part is not None:
            return self.parts.take(provider, account, sms, sms.part)
        return self._receive_whole(provider, account, sms)

    def _receive_whole(self, provider: str, account: str, sms: InboundSms) -> Fate:
        recipient = normalise(sms.to)
        number = numbers.get(recipient) if recipient is not None else None
        stored = StoredSms(
            key=inbound.message_key(provider, account, sms.message_id),
            fate=_fate_of(number, provider, account),
            sender=sms.sender,
            recipient=recipient or sms.to,
            text=sms.text,
            received_at=sms.received_at,
            stored_at=self.clock(),
            retention_days=self.settings.sms_retention_days,
        )
        if stored.fate is not Fate.MATCHED or number is None or number.tenancy is None:
            return _keep(stored)
        if stored.stored_at >= number.tenancy.expires_at:
            return _keep(replace(stored, fate=Fate.LATE))
        message = self._message_of(provider, sms)
        return self._give(stored, message, number, number.tenancy)

    def _give(self, stored: StoredSms, message: Message, number: Number, tenancy: Tenancy) -> Fate:
        """Record the SMS on its rental: as its first, else charged, else waiting for money."""
        first, affordable = True, True
        rental: Rental | None = None
        for _ in range(_MOST_TRIES):
            now = self.clock()
            shown = replace(message, paid=affordable)
            event = payment = None
            if affordable:
                event = sms_event(
                    tenancy.user_id, tenancy.rental_id, number.phone_number, shown, now
                )
            if affordable and not first:
                payment = ledger.sms_charge(tenancy.user_id, tenancy.rental_id, tenancy.price, now)
            kept = replace(
                stored, rental_id=tenancy.rental_id, event_id=event.event_id if event else None
            )
            try:
                messages.record(
                    kept,
                    shown,
                    tenancy.rental_id,
                    first=first,
                    payment=payment,
                    event=event,
                    earning=ledger.earned(tenancy.manager_id, tenancy.markup, event),
                    retention_days=self.settings.sms_retention_days,
                )
            except RefusedError as refusal:
                if "inbound" in refusal.why:
                    return Fate.MATCHED
                if "rental" in refusal.why:
                    rental = refusal.why["rental"]
                    fate = _fate_on(rental, stored)
                    if rental is None or fate is not Fate.MATCHED:
                        return _keep(replace(stored, fate=fate, rental_id=tenancy.rental_id))
                    first = rental.message_count == 0
                elif "user" in refusal.why:
                    affordable = False
            else:
                _count(kept, event, shown)
                self.webhooks.tell(event)
                if rental is not None and payment is not None:
                    self.low_balance.look_after(rental)
                return Fate.MATCHED
        raise BusyError

    def _message_of(self, provider: str, sms: InboundSms) -> Message:
        sender = normalise(sms.sender) or sms.sender
        found = self._code_in(sms.text, sender)
        return Message(
            message_id=sms.message_id,
            sender=sender,
            text=sms.text,
            code=found.code if found else None,
            service=found.service if found else None,
            provider=provider,
            received_at=sms.received_at,
            paid=True,
        )

    def _code_in(self, text: str, sender: str) -> FoundCode | None:
        try:
            return self.find_code(text, sender)
        except Exception:  # noqa: BLE001  (a finder that fails finds nothing, and stops nothing)
            log.error("the code finder failed on an SMS of %d characters", len(text))
            return None


def _fate_of(number: Number | None, provider: str, account: str) -> Fate:
    if number is None:
        return Fate.UNKNOWN_NUMBER
    if number.provider is not None and (number.provider, number.account) != (provider, account):
        return Fate.NOT_BOUND
    if number.tenancy is None:
        return Fate.NO_RENTAL
    return Fate.MATCHED


def _fate_on(rental: Rental | None, stored: StoredSms) -> Fate:
    """What becomes of an SMS that the rental of its number did not take."""
    if rental is None or not rental.is_open(stored.stored_at):
        return Fate.LATE
    if rental.message_count >= MOST_MESSAGES:
        return Fate.FULL
    return Fate.MATCHED


def _keep(stored: StoredSms) -> Fate:
    try:
        inbound.keep(stored)
    except RefusedError:
        # It came before. What became of it then stands.
        return stored.fate
    _count(stored)
    return stored.fate


def _count(stored: StoredSms, event: Event | None = None, message: Message | None = None) -> None:
    ids = telemetry.Ids(rental_id=stored.rental_id)
    if event is not None:
        ids |= telemetry.Ids(
            user_id=event.user_id, event_id=event.event_id, delivery_id=event.delivery_id
        )
    with telemetry.bound(**ids):
        telemetry.count("SmsReceived", fate=stored.fate)
        if message is not None and message.code is not None:
            telemetry.count("CodesFound")
        log.info("an SMS came: %s", stored.fate)
