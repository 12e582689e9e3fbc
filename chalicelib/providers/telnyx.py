"""Telnyx: an event as JSON, signed by Ed25519 over the time and the body.

Source: https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks and
https://developers.telnyx.com/api-reference/callbacks/inbound-message

The signature does not cover the URL, and Telnyx has one key for all webhooks of one of its
accounts: two accounts of ours must be two of theirs. Telnyx joins the parts of a long SMS.
"""

import base64
import binascii
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
from chalicelib.providers.fields import leaves, objects, received_at
from chalicelib.settings import ProviderAccount

TOLERANCE_SECONDS = 300

METHODS = frozenset({"POST"})

_TIMESTAMP = re.compile(r"[1-9][0-9]{0,14}")
_MOST_NUMBER = 32

_PRIME = 2**255 - 19
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
    }
)
"""The `y` of Ed25519's points of order 1 to 8: anybody can sign by such a public key."""

_ID = "data.payload.id"
_FROM = "data.payload.from.phone_number"
_TO = "data.payload.to"
_TEXT = "data.payload.text"
_PATHS = (_ID, _FROM, _TO, _TEXT, "data.payload.received_at", "data.payload.type")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's public keys (base 64) signed the body within 300 s of `now`."""
    stamp = post.headers.get("telnyx-timestamp", "")
    signature = _decoded(post.headers.get("telnyx-signature-ed25519", ""))
    if signature is None or not _TIMESTAMP.fullmatch(stamp):
        return False
    if abs(now // SECOND - int(stamp)) > TOLERANCE_SECONDS:
        return False
    signed = stamp.encode() + b"|" + post.body
    return any(_signed_by(secret, signature, signed) for secret in account.secrets)


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """An SMS for each number that the message was sent to; none of any other event.

    Raises InvalidInputError naming the field. The text of a message of media alone is empty.
    """
    fields = json_object(post.body)
    event = leaves(fields, ["data.event_type"])
    if required(event, "data.event_type") != "message.received":
        return []
    found = leaves(fields, _PATHS)
    # WhatsApp and RCS come as the same event, without a text.
    if found["data.payload.type"] not in (None, "SMS", "MMS"):
        return []
    numbers = _recipients(found)
    identifier = message_id(found, _ID)
    return [
        InboundSms(
            message_id=identifier if len(numbers) == 1 else _one_of_several(identifier, number),
            sender=required(found, _FROM),
            to=number,
            text=_text(found, fields),
            received_at=received_at(found["data.payload.received_at"], now),
        )
        for number in numbers
    ]


def accepted() -> Reply:
    """Nothing: any 2xx will do, within 2 s. Otherwise it comes twice more, then elsewhere."""
    return Reply("", "text/plain")


def _signed_by(public_key: str, signature: bytes, signed: bytes) -> bool:
    # Imported here: 13 ms of a Lambda's start that only Telnyx is worth.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _decoded(public_key)
    if key is None or len(key) != 32 or _is_of_small_order(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_of_small_order(key: bytes) -> bool:
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return y % _PRIME in _SMALL_ORDER


def _decoded(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    # Some bits of the last character are not read: of several spellings, one is genuine.
    return raw if base64.b64encode(raw).decode() == text else None


def _recipients(found: Mapping[str, object]) -> list[str]:
    """Each number that is in `to`, once."""
    recipients = objects(found[_TO], _TO)
    path = f"{_TO}.phone_number"
    numbers = [
        required({path: recipient.get("phone_number")}, path, most=_MOST_NUMBER)
        for recipient in recipients
    ]
    if not numbers or not all(number.isprintable() for number in numbers):
        raise InvalidInputError(path, "a number")
    return list(dict.fromkeys(numbers))


def _one_of_several(identifier: str, number: str) -> str:
    return message_id({_ID: f"{identifier}:{number}"}, _ID)


def _text(found: Mapping[str, object], fields: Mapping[str, object]) -> str:
    media = leaves(fields, ["data.payload.media"])["data.payload.media"]
    return "" if found[_TEXT] is None and media else sms_text(found, _TEXT)
