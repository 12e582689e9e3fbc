"""Events: what a user is told, as the JSON that a webhook carries. Source: spec A."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.ids import E164, DeliveryId, EventId, RentalId, UserId, new_ulid
from chalicelib.domain.money import Micros, decimal
from chalicelib.domain.rental import Message, Rental, RentalStatus
from chalicelib.domain.times import Millis, iso

OTP_RECEIVED = "otp_received"
SMS_RECEIVED = "sms_received"
RENTAL_OPENED = "rental_opened"
RENTAL_CANCELLED = "rental_cancelled"
RENTAL_EXPIRED = "rental_expired"
BALANCE_LOW = "balance_low"
OTP_SENT = "otp_sent"
OTP_FAILED = "otp_failed"
OTP_VALIDATED = "otp_validated"
WEBHOOK_DISABLED = "webhook_disabled"
TEST = "test"
SMS_EVENTS = (OTP_RECEIVED, SMS_RECEIVED)
RENTAL_EVENTS = (RENTAL_OPENED, RENTAL_CANCELLED, RENTAL_EXPIRED)
TICKET_EVENTS = (OTP_SENT, OTP_FAILED, OTP_VALIDATED)
EVENT_TYPES = (*SMS_EVENTS, *RENTAL_EVENTS, BALANCE_LOW, *TICKET_EVENTS, WEBHOOK_DISABLED)
ALWAYS_SENT = OTP_RECEIVED

_OF_STATUS = {
    RentalStatus.ACTIVE: RENTAL_OPENED,
    RentalStatus.CANCELLED: RENTAL_CANCELLED,
    RentalStatus.EXPIRED: RENTAL_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a user's feed and the delivery that takes it to their endpoint.

    Made just before the transaction that writes it: the feed shows it a few seconds after `at`, and
    what is written later than that would be passed by.
    """

    event_id: EventId
    delivery_id: DeliveryId
    user_id: UserId
    type: str
    body: str
    reference: str
    at: Millis


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event as its user's feed holds it. `body` is the JSON that its webhook carried."""

    event_id: EventId
    type: str
    body: str
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
    return _event(user_id, kind, data, rental_id, now)


def rental_event(rental: Rental, now: Millis) -> Event | None:
    """The event of a rental that has just begun or ended as it is given.

    None if its user had not asked for it, or if it got no number: it has never been opened.
    """
    kind = _OF_STATUS.get(rental.status)
    if kind not in rental.tells or kind is None:
        return None
    data: dict[str, object] = {
        "rental_id": rental.rental_id,
        "phone_number": rental.phone_number,
        "country": rental.country,
        "service": rental.service,
        "price": decimal(rental.price),
    }
    if kind == RENTAL_OPENED:
        data["expires_at"] = iso(rental.expires_at)
    else:
        data["refund_amount"] = decimal(rental.refund)
        data["message_count"] = rental.message_count
    return _event(rental.user_id, kind, data, rental.rental_id, now)


def balance_low_event(user_id: UserId, balance: Micros, threshold: Micros, now: Millis) -> Event:
    """The event of a balance that has fallen below what its user had set."""
    data = {"balance": decimal(balance), "threshold": decimal(threshold)}
    return _event(user_id, BALANCE_LOW, data, user_id, now)


def ticket_event(
    user_id: UserId, kind: str, ticket_number: str, data: Mapping[str, object], now: Millis
) -> Event:
    """The event `kind` of a ticket; its code is in none of them."""
    shown = {"ticket_number": ticket_number, **data}
    return _event(user_id, kind, shown, ticket_number, now)


def webhook_disabled_event(
    user_id: UserId, url: str, reason: str, since: Millis, now: Millis
) -> Event:
    """The event of an endpoint that we switched off: it was `gone`, or `failing` since then.

    Of its URL there is no query, as keys travel in that.
    """
    data = {"url": url.partition("?")[0].partition("#")[0], "reason": reason, "since": iso(since)}
    return _event(user_id, WEBHOOK_DISABLED, data, user_id, now)


def test_event(user_id: UserId, now: Millis) -> Event:
    """An event that says nothing, to see whether it arrives."""
    return _event(user_id, TEST, {"message": "This is a test."}, user_id, now)


def _event(
    user_id: UserId, kind: str, data: Mapping[str, object], reference: str, now: Millis
) -> Event:
    return Event(
        event_id=EventId(new_ulid(now)),
        delivery_id=DeliveryId(new_ulid(now)),
        user_id=user_id,
        type=kind,
        body=json.dumps({"event": kind, "data": data}, ensure_ascii=False),
        reference=reference,
        at=now,
    )
