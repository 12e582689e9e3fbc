"""Any gateway that can post JSON and sign it: our own inbound format, by Standard Webhooks.

    {"message_id": "…", "from": "+14155550123", "to": "+447700900123", "text": "…",
     "received_at": "2023-06-15T15:30:45Z"}

The signature covers the body and the `webhook-` headers, and not the URL.
"""

from chalicelib.domain.signatures import is_signed
from chalicelib.domain.times import SECOND, Millis, parse_iso
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    message_id,
    plausible,
    required,
    sms_text,
)
from chalicelib.settings import ProviderAccount

_LATEST_SECONDS = 10**11

METHODS = frozenset({"POST"})


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's `whsec_` secrets signed the body within 300 s of `now`."""
    return is_signed(account.secrets, post.headers, post.body, now)


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post. Raises InvalidInputError naming the field.

    `received_at` is RFC 3339 text (UTC if it names no zone) or a number of epoch seconds; absent
    or null it is `now`. One before 2000 or more than a day ahead is refused; one that is ahead by
    less, as of a clock that runs fast or a local time without its zone, counts as `now`.
    """
    fields = json_object(post.body)
    return [
        InboundSms(
            message_id=message_id(fields, "message_id"),
            sender=required(fields, "from"),
            to=required(fields, "to"),
            text=sms_text(fields, "text"),
            received_at=_received_at(fields.get("received_at"), now),
        )
    ]


def accepted() -> Reply:
    """`{"status":"success"}`; by convention any other status than 2xx is sent again."""
    return Reply('{"status":"success"}', "application/json")


def _received_at(value: object, now: Millis) -> Millis:
    if value is None:
        return now
    try:
        moment = _moment(value)
    except ValueError:
        raise InvalidInputError("received_at", "an RFC 3339 time or epoch seconds") from None
    return plausible("received_at", moment, now)


def _moment(value: object) -> Millis:
    if isinstance(value, str):
        return parse_iso(value)
    if not isinstance(value, int | float):
        raise ValueError("not a time")
    # Infinity (as 1e999) and integers that no float holds fail here.
    if not 0 <= value <= _LATEST_SECONDS:
        raise ValueError("out of range")
    return Millis(round(value * SECOND))
