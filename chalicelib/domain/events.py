"""Events: what a user is told, as the JSON that a webhook carries. Source: spec A."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.ids import E164, DeliveryId, EventId, RentalId, UserId, new_ulid
from chalicelib.domain.rental import Message
from chalicelib.domain.times import Millis

OTP_RECEIVED = "otp_received"
SMS_RECEIVED = "sms_received"
OTP_SENT = "otp_sent"
OTP_FAILED = "otp_failed"
OTP_VALIDATED = "otp_validated"
SMS_EVENTS = (OTP_RECEIVED, SMS_RECEIVED)
TICKET_EVENTS = (OTP_SENT, OTP_FAILED, OTP_VALIDATED)
EVENT_TYPES = (*SMS_EVENTS, *TICKET_EVENTS)
ALWAYS_SENT = OTP_RECEIVED


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a user's feed and the delivery that takes it to their endpoint."""

    event_id: EventId
    delivery_id: DeliveryId
    user_id: UserId
    type: str
    body: str
    reference: str
    at: Millis


def sms_event(
    user_id: UserId, rental_id: RentalId, phone_number: E164, message: Message, now: Millis
) -> Event:
    """The event of a rental's SMS: `otp_received` with its code, `sms_received` without one."""
    kind = SMS_RECEIVED if message.code is None else OTP_RECEIVED
    data = {
        "phone_number": phone_number,
        "otp_code": message.code,
        "provider": message.provider,
        "sms_text": message.text,
    }
    if message.code is None:
        del data["otp_code"]
    return Event(
        event_id=EventId(new_ulid(now)),
        delivery_id=DeliveryId(new_ulid(now)),
        user_id=user_id,
        type=kind,
        body=json.dumps({"event": kind, "data": data}, ensure_ascii=False),
        reference=rental_id,
        at=now,
    )


def ticket_event(
    user_id: UserId, kind: str, ticket_number: str, data: Mapping[str, object], now: Millis
) -> Event:
    """The event `kind` of a ticket; its code is in none of them."""
    shown = {"ticket_number": ticket_number, **data}
    return Event(
        event_id=EventId(new_ulid(now)),
        delivery_id=DeliveryId(new_ulid(now)),
        user_id=user_id,
        type=kind,
        body=json.dumps({"event": kind, "data": shown}, ensure_ascii=False),
        reference=ticket_number,
        at=now,
    )
