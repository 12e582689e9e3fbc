"""Bird's Channels API: an event as JSON, signed over the time, the URL and the body.

    {"service": "channels", "event": "sms.inbound", "payload": {"id": "…", "sender": {"contact":
     {"identifierValue": "+31612345678"}}, "receiver": {"connector": {"id": "…"}}, "body":
     {"type": "text", "text": {"text": "…"}}, "createdAt": "2022-12-22T08:32:50.736Z"}}

Source: docs.bird.com/api/channels-api/supported-channels/programmable-sms/receiving-messages and
docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook; the envelope is
from public clients, as the documentation leaves it out.

Bird names the connector, and not the number, that an SMS came to. So each channel's webhook gets
a URL that says which, `…/inbound/bird_channels/ACCOUNT?to=447700900123`: the signature covers it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.providers import forms
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
from chalicelib.settings import ProviderAccount

OLDEST_SECONDS = DAY // SECOND
"""Bird repeats a post for 8 hours under its first signature, so its time can be that old."""

AHEAD_SECONDS = 300

METHODS = frozenset({"POST"})

_TIMESTAMP = re.compile(r"[1-9][0-9]{0,14}")
_ID = "payload.id"
_FROM = "payload.sender.contact.identifierValue"
_TEXT = "payload.body.text.text"
_PATHS = (_ID, _FROM, _TEXT, "payload.body.type", "payload.createdAt")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's signing keys signed this URL and body within a day of `now`."""
    stamp = post.headers.get("messagebird-request-timestamp", "")
    if not _TIMESTAMP.fullmatch(stamp):
        return False
    age = now // SECOND - int(stamp)
    if not -AHEAD_SECONDS <= age <= OLDEST_SECONDS:
        return False
    signed = f"{stamp}\n{post.url}\n".encode("utf-8", "surrogatepass")
    signed += hashlib.sha256(post.body).digest()
    given = post.headers.get("messagebird-signature", "").encode("utf-8", "replace")
    good = False
    # An empty key is no secret: everybody could sign by it.
    for secret in filter(None, account.secrets):
        key = secret.encode("utf-8", "surrogatepass")
        good |= hmac.compare_digest(base64.b64encode(hmac.digest(key, signed, "sha256")), given)
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, none of any other event. Raises InvalidInputError.

    It came to the number that the URL names. The text of a message of another type is empty.
    """
    fields = json_object(post.body)
    if required(fields, "event") != "sms.inbound":
        return []
    found = leaves(fields, _PATHS)
    is_text = required(found, "payload.body.type") == "text"
    return [
        InboundSms(
            message_id=message_id(found, _ID),
            sender=required(found, _FROM),
            to=required(_query(post), "to"),
            text=sms_text(found, _TEXT) if is_text else "",
            received_at=received_at(found["payload.createdAt"], now),
        )
    ]


def accepted() -> Reply:
    """Nothing: any 2xx will do. Otherwise it comes again, at growing intervals, for 8 hours."""
    return Reply("", "text/plain")


def _query(post: InboundPost) -> Mapping[str, str]:
    return forms.single(forms.pairs(replace(post, method="GET")), ["to"])
