"""Spec A's webhook: the SMS of numbers that we bought from a `main` supplier, who posts them.

    {"event": "otp_received", "data": {"phone_number": "+14155552671", "otp_code": "123456",
     "provider": "…", "sms_text": "…"}}

Also `sms_received`, which has no code. The account is the supplier's name in our settings. Source:
client-api.txt; its signature is that of Standard Webhooks, and `webhook-id` tells a repeat.
"""

from collections.abc import Mapping

from chalicelib.domain.events import SMS_EVENTS
from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    json_object,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.generic import METHODS, accepted, verify

__all__ = ["METHODS", "accepted", "parse", "verify"]


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, none of an event of another kind. Raises InvalidInputError.

    The webhook tells neither who sent it nor when: `sender` is its provider's name.
    """
    fields = json_object(post.body)
    if required(fields, "event") not in SMS_EVENTS:
        return []
    data = _data(fields)
    return [
        InboundSms(
            message_id=message_id(post.headers, "webhook-id"),
            sender=required(data, "provider"),
            to=required(data, "phone_number"),
            text=sms_text(data, "sms_text"),
            received_at=now,
        )
    ]


def _data(fields: Mapping[str, object]) -> Mapping[str, object]:
    data = fields.get("data")
    if not isinstance(data, dict):
        raise InvalidInputError("data", "an object")
    return data
