"""Vonage: SMS in by its SMS API or its Messages API, SMS out by its SMS API.

Sources: https://developer.vonage.com/messaging/sms/guides/inbound-sms,
…/messaging/sms/guides/delivery-receipts, …/getting-started/concepts/signing-messages,
…/getting-started/concepts/webhooks (JWT), …/api-errors/sms

The SMS API posts a form or JSON, or sends a GET, with its signature among the fields. The account's
option `signature` says how its dashboard has it signed: `md5`, `sha1`, `sha256` (the default) or
`sha512` for HMACs, `md5hash` for the plain MD5 that Vonage sets unless told otherwise, and that
stands on a broken hash. What no method covers: `&`, `=` and `_` in a value are signed alike. The
Messages API posts JSON with a JWT, which we hold to its body. Neither covers the URL.

To send: the options `api_key`, `api_secret` and `from` (where a message names no sender).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from chalicelib.domain.otp import Channel
from chalicelib.domain.segments import Encoding, encoding_of
from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.outbound import Fetched, OutboundError
from chalicelib.providers import forms, tokens
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Part,
    Reply,
    json_object,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.fields import objects, received_at
from chalicelib.providers.sending import (
    SEND_SECONDS,
    Line,
    OutboundSms,
    Receipt,
    ReceiptStatus,
    SendError,
)
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"GET", "POST"})
CHANNELS = frozenset({Channel.SMS})
WINDOW_SECONDS = 300
"""How old a signature may be: what Vonage's own Java SDK allows."""

_SEND_URL = "https://rest.nexmo.com/sms/json"
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,14}")
_PART = re.compile(r"[1-9][0-9]{0,2}")
_REFERENCE = re.compile(r"[!-~]{1,64}")
_METHODS_OF_HMAC = frozenset({"md5", "sha1", "sha256", "sha512"})
_PLAIN_MD5 = "md5hash"
_SHORTEST_TTL = 20_000
_LONGEST_CALLBACK = 100
_STATUSES = {
    "delivered": ReceiptStatus.DELIVERED,
    "expired": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.UNDELIVERED,
    "rejected": ReceiptStatus.UNDELIVERED,
}
_REFUSALS = {
    "1": ("too_many", True),
    "4": ("not_authorized", False),
    "5": ("unavailable", True),
    "6": ("number_refused", False),
    "7": ("number_refused", False),
    "8": ("not_authorized", False),
    "9": ("quota_exceeded", False),
    "10": ("too_many", True),
    "12": ("text_refused", False),
    "13": ("unavailable", True),
    "14": ("not_authorized", False),
    "15": ("sender_refused", False),
    "29": ("number_refused", False),
    "32": ("not_authorized", False),
    "33": ("number_refused", False),
    "34": ("number_refused", False),
}


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's signature secrets signed this post within 300 s of `now`."""
    token = _bearer(post)
    if token is not None:
        return _is_messages_post(token, post.body, account, now)
    try:
        fields = dict(_fields(post))
    except InvalidInputError:
        return False
    given = fields.pop("sig", "").encode("utf-8", "replace").lower()
    if not _is_recent(fields.get("timestamp", ""), now):
        return False
    method = account.options.get("signature", "sha256")
    good = False
    # An empty secret is none: everybody could sign by it.
    for secret in filter(None, account.secrets):
        good |= hmac.compare_digest(_signature(method, secret, fields), given)
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, or the one part of a long SMS. Raises InvalidInputError.

    The text of a binary SMS is its content in hexadecimal. Of the Messages API other channels than
    SMS are ignored.
    """
    if _bearer(post) is not None:
        return _messages_sms(json_object(post.body), now)
    fields = _fields(post)
    part = _part(fields)
    return [
        InboundSms(
            message_id=_message_id(fields, part),
            sender=required(fields, "msisdn"),
            to=required(fields, "to"),
            text=sms_text(fields, "data" if fields.get("type") == "binary" else "text"),
            received_at=received_at(fields.get("message-timestamp"), now),
            part=part,
        )
    ]


def accepted() -> Reply:
    """Nothing: of any other status than 200 and 204 Vonage tells again, for 24 hours."""
    return Reply("", "text/plain")


def send(sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
    """Send `sms`; the id of its first part. Raises SendError, also if a later part is refused."""
    sender = sms.sender or account.options.get("from", "")
    key, secret = (account.options.get(name, "") for name in ("api_key", "api_secret"))
    if not (sender and key and secret):
        raise SendError("not_configured", again=False)
    form = {
        "api_key": key,
        "api_secret": secret,
        "from": sender.removeprefix("+"),
        "to": sms.to.removeprefix("+"),
        "text": sms.text,
        "type": "text" if encoding_of(sms.text) is Encoding.GSM7 else "unicode",
        "client-ref": sms.reference,
        "ttl": str(max(_SHORTEST_TTL, sms.valid_seconds * SECOND)),
        "status-report-req": "1",
    }
    # Vonage takes none that is longer; an SMS is worth more than its receipt.
    if len(line.receipt_url) <= _LONGEST_CALLBACK:
        form["callback"] = line.receipt_url
    try:
        answer = line.fetch("POST", _SEND_URL, form=form, deadline_seconds=SEND_SECONDS)
    except OutboundError as error:
        raise SendError(error.reason, again=True) from None
    return _sent_id(answer)


def receipts(post: InboundPost, now: Millis) -> list[Receipt]:
    """The one receipt of the post. Raises InvalidInputError naming the field.

    Each part of a long SMS has a receipt of its own, by an id of its own. A status that we don't
    know is not final.
    """
    fields = _fields(post)
    status = required(fields, "status")
    return [
        Receipt(
            message_id=message_id(fields, "messageId"),
            status=_STATUSES.get(status, ReceiptStatus.ON_ITS_WAY),
            detail=required(fields, "err-code", most=32) if fields.get("err-code") else "",
            at=received_at(fields.get("message-timestamp"), now),
        )
    ]


def _bearer(post: InboundPost) -> str | None:
    scheme, _, token = post.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def _is_messages_post(token: str, body: bytes, account: ProviderAccount, now: Millis) -> bool:
    claims = tokens.hs256_claims(token, account.secrets)
    if claims is None:
        return False
    given = claims.get("payload_hash")
    issued = claims.get("iat")
    if not (isinstance(given, str) and isinstance(issued, int)):
        return False
    if not _is_recent(str(issued), now):
        return False
    digest = hashlib.sha256(body).hexdigest()
    return hmac.compare_digest(digest.encode(), given.encode("utf-8", "replace"))


def _messages_sms(fields: Mapping[str, object], now: Millis) -> list[InboundSms]:
    if required(fields, "channel") != "sms":
        return []
    return [
        InboundSms(
            message_id=message_id(fields, "message_uuid"),
            sender=required(fields, "from"),
            to=required(fields, "to"),
            text=sms_text(fields, "text"),
            received_at=received_at(fields.get("timestamp"), now),
        )
    ]


def _fields(post: InboundPost) -> Mapping[str, str]:
    """The fields of a form, a query or a JSON object, as the signature covers them.

    A field that comes twice, or whose name could be cut up into others, is refused.
    """
    found: forms.Pairs
    if post.method == "POST" and post.body.lstrip()[:1] == b"{":
        found = [(name, _as_text(name, value)) for name, value in json_object(post.body).items()]
    else:
        found = forms.pairs(post)
    fields = dict(found)
    if len(fields) < len(found) or any("&" in name or "=" in name for name in fields):
        raise InvalidInputError("body", "fields that come once")
    return fields


def _as_text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise InvalidInputError(name, "a text or a whole number")


def _is_recent(stamp: str, now: Millis) -> bool:
    if not _TIMESTAMP.fullmatch(stamp):
        return False
    return abs(now // SECOND - int(stamp)) <= WINDOW_SECONDS


def _signature(method: str, secret: str, fields: Mapping[str, str]) -> bytes:
    """The signature in lower-case hexadecimal; of an unknown method, one that nothing equals."""
    signed = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(fields.items())
    )
    key, message = (text.encode("utf-8", "surrogatepass") for text in (secret, signed))
    if method == _PLAIN_MD5:
        return hashlib.md5(message + key, usedforsecurity=False).hexdigest().encode()
    if method not in _METHODS_OF_HMAC:
        return b"?" * (len(message) + 1)
    return hmac.digest(key, message, method).hex().encode()


def _part(fields: Mapping[str, str]) -> Part | None:
    """Which part the post brings; None for a whole SMS, or if it does not say so readably."""
    if fields.get("concat") != "true":
        return None
    group, number, total = (fields.get(f"concat-{name}", "") for name in ("ref", "part", "total"))
    if not (_REFERENCE.fullmatch(group) and _PART.fullmatch(number) and _PART.fullmatch(total)):
        return None
    return Part(group, int(number), int(total)) if int(number) <= int(total) else None


def _message_id(fields: Mapping[str, str], part: Part | None) -> str:
    """Vonage's id; that of a part has its number too, as parts may share an id."""
    # Doubled, so that no whole SMS has the id of another's part.
    found = message_id(fields, "messageId").replace("#", "##")
    if part is not None:
        found += f"#{part.number}"
    return message_id({"messageId": found}, "messageId")


def _sent_id(answer: Fetched) -> str:
    if answer.status in (401, 403):
        raise SendError("not_authorized", again=False)
    if answer.status == 429:
        raise SendError("too_many", again=True)
    if answer.status >= 500:
        raise SendError("unavailable", again=True)
    if answer.status != 200:
        raise SendError("refused", again=False)
    try:
        parts = objects(json_object(answer.body).get("messages"), "messages")
        for part in parts:
            status = required(part, "status")
            if status != "0":
                reason, again = _REFUSALS.get(status, ("refused", False))
                raise SendError(reason, again=again)
        return message_id(parts[0] if parts else {}, "message-id")
    except InvalidInputError:
        # It may have been taken: sent again, it would come twice.
        raise SendError("bad_answer", again=False) from None
