"""Sinch: an SMS as JSON, signed over its bytes, a nonce and the time.

Source: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/

Sinch signs for those who ask for it (since February 2025), and unsigned callbacks are refused. The
signature does not cover the URL. Other callbacks to the same URL, such as delivery reports, hold
no SMS and are ignored.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.fields import received_at
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"POST"})
WINDOW_SECONDS = 300
"""How old a signature may be. Sinch names no limit; this is that of Standard Webhooks."""

_HEADER = "x-sinch-webhook-signature"
# Neither has a full stop, which would let the end of a body be passed off as the nonce.
_NONCE = re.compile(r"[!-\-/-~]{1,256}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,14}")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's secrets signed the body within 300 s of `now`."""
    nonce = post.headers.get(f"{_HEADER}-nonce", "")
    stamp = post.headers.get(f"{_HEADER}-timestamp", "")
    if not (_NONCE.fullmatch(nonce) and _TIMESTAMP.fullmatch(stamp)):
        return False
    if abs(now // SECOND - int(stamp)) > WINDOW_SECONDS:
        return False
    signed = post.body + f".{nonce}.{stamp}".encode()
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given = post.headers.get(_HEADER, "").encode("utf-8", "replace")
    good = False
    # An empty secret is none: everybody could sign by it.
    for secret in filter(None, account.secrets):
        key = secret.encode("utf-8", "surrogatepass")
        expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
        good |= hmac.compare_digest(expected, given)
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post; none in a callback of another kind. Raises InvalidInputError.

    The text of a binary SMS is its content in hexadecimal, that of an MMS its message.
    """
    fields = json_object(post.body)
    read_text = _READERS.get(required(fields, "type"))
    if read_text is None:
        return []
    return [
        InboundSms(
            message_id=message_id(fields, "id"),
            sender=required(fields, "from"),
            to=required(fields, "to"),
            text=read_text(fields),
            received_at=received_at(fields.get("received_at"), now),
        )
    ]


def accepted() -> Reply:
    """Nothing. Sinch tells again after a 429 or 5xx, for 22 hours, and after no other 4xx."""
    return Reply("", "text/plain")


def _text(fields: Mapping[str, object]) -> str:
    return sms_text(fields, "body")


def _binary_text(fields: Mapping[str, object]) -> str:
    try:
        return base64.b64decode(sms_text(fields, "body"), validate=True).hex()
    except (binascii.Error, ValueError):
        raise InvalidInputError("body", "base 64") from None


def _media_text(fields: Mapping[str, object]) -> str:
    body = fields.get("body")
    if not isinstance(body, dict):
        raise InvalidInputError("body", "an object")
    return sms_text({"body": body.get("message") or ""}, "body")


_READERS = {"mo_text": _text, "mo_binary": _binary_text, "mo_media": _media_text}
