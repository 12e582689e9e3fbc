"""Bird: an event as JSON, signed by Standard Webhooks. For Bird's Channels API: bird_channels.

Source: the event types `EventSMSReceived` of Bird's own SDK, PyPI messagebird-sdk, and its
`webhooks.unwrap`. The signature covers the body and the `webhook-` headers, and not the URL.
Bird joins the parts of a long SMS.
"""

from chalicelib.domain.times import Millis
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.fields import leaves, received_at
from chalicelib.providers.generic import METHODS, verify

__all__ = ["METHODS", "accepted", "parse", "verify"]

_PATHS = ("data.sms_id", "data.from", "data.to", "data.text", "timestamp")


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, none of any other event. Raises InvalidInputError.

    The text of a message of attachments alone, which comes without one, is empty.
    """
    fields = json_object(post.body)
    if required(fields, "type") != "sms.received":
        return []
    found = leaves(fields, _PATHS)
    return [
        InboundSms(
            message_id=message_id(found, "data.sms_id"),
            sender=required(found, "data.from"),
            to=required(found, "data.to"),
            text="" if found["data.text"] is None else sms_text(found, "data.text"),
            received_at=received_at(found["timestamp"], now),
        )
    ]


def accepted() -> Reply:
    """Nothing: by Standard Webhooks any 2xx will do."""
    return Reply("", "text/plain")
