"""Octopush: an SMS as a post that nobody signs.

Sources: https://dev.octopush.com/en/sms-gateway-api-documentation/inbounds/ and …/callbacks/

Who may post is for unsigned.py to say. Octopush's page calls the fields those of a query, and its
sample reads JSON: both are read, JSON or a form. It gives an SMS no id: `message_id` is that of
the message of ours which is being answered, "if it's found". So the id is made of all the fields,
and the same text twice in one second from one number counts once. `reception_date` names no zone;
it counts as UTC, and as now if that is ahead.
"""

import hashlib
import json

from chalicelib.domain.times import Millis, parse_iso
from chalicelib.errors import InvalidInputError
from chalicelib.providers import forms
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    plausible,
    required,
    sms_text,
)
from chalicelib.providers.unsigned import may_post
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"POST"})

_OTHER_DATES = ("delivery_date", "stop_date")
_FIELDS = ("message_id", "number", "sim_card_number", "text", "reception_date", *_OTHER_DATES)


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether `post` may speak for `account`. Nothing in it is proven, and no time plays a part."""
    return may_post(post, account)


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post; none if it is a receipt or an opt-out, which one URL may take too.

    Raises InvalidInputError naming the field.
    """
    fields = forms.fields(post, _FIELDS)
    if "reception_date" not in fields and any(name in fields for name in _OTHER_DATES):
        return []
    sender, to = required(fields, "number"), required(fields, "sim_card_number")
    text, received = sms_text(fields, "text"), required(fields, "reception_date")
    answered = required(fields, "message_id") if fields.get("message_id") else ""
    return [
        InboundSms(
            message_id=_id(answered, sender, to, text, received),
            sender=sender,
            to=to,
            text=text,
            received_at=_received_at(received, now),
        )
    ]


def accepted() -> Reply:
    """Nothing at all, as Octopush asks for, within a second."""
    return Reply("", "text/plain")


def _id(*told: str) -> str:
    # As JSON, in which no two lists are the same text.
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _received_at(text: str, now: Millis) -> Millis:
    try:
        moment = parse_iso(text)
    except ValueError:
        raise InvalidInputError("reception_date", "a time as 2020-11-04 11:11:45") from None
    return plausible("reception_date", moment, now)
