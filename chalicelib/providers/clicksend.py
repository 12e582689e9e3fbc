"""ClickSend: an SMS as a form, JSON or a query, by an inbound rule's `webhook_type`, unsigned.

Sources: https://developers.clicksend.com/docs/automations/sms, and the `InboundSms` of
ClickSend's own SDK. What it wants to hear, and when it sends again, was found in neither.

Who may post is for unsigned.py to say. `message_id` is the SMS's own, `original_message_id` that
of the message which it answers.
"""

import re
from collections.abc import Mapping

from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import forms
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    message_id,
    plausible,
    required,
    sms_text,
)
from chalicelib.providers.unsigned import may_post
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"GET", "POST"})

_FIELDS = ("message_id", "from", "to", "body", "message", "timestamp")
_SECONDS = re.compile(r"[0-9]{1,11}")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether `post` may speak for `account`. Nothing in it is proven, and no time plays a part."""
    return may_post(post, account)


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post. Raises InvalidInputError naming the field.

    The text is `body`, or `message`, which says the same, where that is all there is.
    """
    fields = forms.fields(post, _FIELDS)
    return [
        InboundSms(
            message_id=message_id(fields, "message_id"),
            sender=required(fields, "from"),
            to=required(fields, "to"),
            text=sms_text(fields, "message" if _has_only_message(fields) else "body"),
            received_at=_received_at(fields.get("timestamp"), now),
        )
    ]


def accepted() -> Reply:
    """An empty answer: nothing is known to be read of it."""
    return Reply("", "text/plain")


def _has_only_message(fields: Mapping[str, object]) -> bool:
    return fields.get("body") is None and fields.get("message") is not None


def _received_at(value: object, now: Millis) -> Millis:
    """`timestamp` is in epoch seconds; ahead by less than a day it counts as now, absent too."""
    if value is None:
        return now
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or not _SECONDS.fullmatch(text):
        raise InvalidInputError("timestamp", "epoch seconds")
    return plausible("timestamp", int(text) * SECOND, now)
