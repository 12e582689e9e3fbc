"""Twilio: an SMS as a form, a query or JSON, signed over the public URL and all that it says.

Source: https://www.twilio.com/docs/messaging/guides/webhook-request,
https://www.twilio.com/docs/usage/webhooks/webhooks-security and, for keys of our own (SHA-256),
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys

The scheme has no time: a post can be sent again for ever, and only its MessageSid shows it. Nor
does it separate names from values, or the URL from them: who holds a signed post could cut it up
differently. That MessageSid must be whole makes this harder, and only TLS prevents it. The header
that names the algorithm is not signed: either algorithm needs the secret. Of messages as JSON
Twilio documents the signature (`bodySHA256`) and not the fields; they are read by the form's names.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import forms
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    required,
    sms_text,
)
from chalicelib.providers.sending import Receipt, ReceiptStatus
from chalicelib.providers.twilio_sending import CHANNELS, SID, send
from chalicelib.settings import ProviderAccount

__all__ = ["CHANNELS", "METHODS", "accepted", "parse", "receipts", "send", "verify"]

METHODS = frozenset({"GET", "POST"})

_URL = re.compile(r"(https?)://([^/?#]*?)(?::([0-9]+))?([/?#].*)?")
_STANDARD_PORTS = {"http": "80", "https": "443"}
_BODY_HASH = re.compile(r"[?&]bodySHA256=([^&#]*)")
_SHA1 = "HMAC_SHA1"
_DIGESTS = {_SHA1: "sha1", "HMAC_SHA256": "sha256"}
_ERROR_CODE = re.compile(r"[1-9][0-9]{0,5}")

_STATUSES = {
    "accepted": ReceiptStatus.ON_ITS_WAY,
    "scheduled": ReceiptStatus.ON_ITS_WAY,
    "queued": ReceiptStatus.ON_ITS_WAY,
    "sending": ReceiptStatus.ON_ITS_WAY,
    "sent": ReceiptStatus.ON_ITS_WAY,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.UNDELIVERED,
    "canceled": ReceiptStatus.UNDELIVERED,
}
# A call that was answered has told its code, be it to a machine.
_CALL_STATUSES = {
    "queued": ReceiptStatus.ON_ITS_WAY,
    "initiated": ReceiptStatus.ON_ITS_WAY,
    "ringing": ReceiptStatus.ON_ITS_WAY,
    "in-progress": ReceiptStatus.DELIVERED,
    "completed": ReceiptStatus.DELIVERED,
    "busy": ReceiptStatus.UNDELIVERED,
    "no-answer": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.UNDELIVERED,
    "canceled": ReceiptStatus.UNDELIVERED,
}


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether one of the account's secrets signed this URL and these fields. `now` plays no part.

    `post.url` is the URL as configured at Twilio, with its query. A secret is an auth token, or
    a shared key's; either signs by the algorithm that the post names.
    """
    digest = _digest(post.headers.get("x-twilio-webhooks-signature-settings", ""))
    try:
        pairs = _signed_pairs(post)
    except InvalidInputError:
        return False
    if digest is None:
        return False
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given = post.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    good = False
    # An empty token is no secret: everybody could sign by it.
    for token in filter(None, account.secrets):
        for url in _spellings(post.url):
            good |= hmac.compare_digest(_signature(token, url, pairs, digest), given)
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, received `now`, as Twilio does not say when.

    Raises InvalidInputError naming the field. The text of a message of media alone is empty.
    """
    fields = _fields(post, ("MessageSid", "From", "To", "Body"))
    return [
        InboundSms(
            message_id=_sid(fields, "MessageSid"),
            sender=required(fields, "From"),
            to=required(fields, "To"),
            text=sms_text(fields, "Body"),
            received_at=now,
        )
    ]


def accepted() -> Reply:
    """TwiML that sends nothing back to the sender; Twilio waits 15 s for it."""
    return Reply('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")


def receipts(post: InboundPost, now: Millis) -> list[Receipt]:
    """The one receipt of a status callback, of `now`. Raises InvalidInputError naming the field.

    Twilio says no time for a message. The detail is its error code, or the status if it has none.
    """
    names = ("CallSid", "CallStatus", "MessageSid", "MessageStatus", "ErrorCode")
    fields = _fields(post, names)
    kind, statuses = "Message", _STATUSES
    if "CallSid" in fields:
        kind, statuses = "Call", _CALL_STATUSES
    status = required(fields, f"{kind}Status")
    if status not in statuses:
        raise InvalidInputError(f"{kind}Status", f"one of {', '.join(statuses)}")
    error = str(fields.get("ErrorCode") or "")
    return [
        Receipt(
            message_id=_sid(fields, f"{kind}Sid"),
            status=statuses[status],
            detail=error if _ERROR_CODE.fullmatch(error) else status,
            at=now,
        )
    ]


def _sid(fields: Mapping[str, object], name: str) -> str:
    found = required(fields, name)
    if not SID.fullmatch(found):
        raise InvalidInputError(name, "34 letters and digits")
    return found


def _fields(post: InboundPost, names: Iterable[str]) -> Mapping[str, object]:
    if _body_hash(post) is not None:
        return json_object(post.body)
    return forms.single(forms.pairs(post), names)


def _body_hash(post: InboundPost) -> str | None:
    """What the URL says that the body's SHA-256 is, in hex: it does for whatever is no form."""
    found = _BODY_HASH.findall(post.url)
    if len(found) > 1:
        raise InvalidInputError("bodySHA256", "one value")
    return found[0] if found else None


def _signed_pairs(post: InboundPost) -> forms.Pairs:
    """The fields that the signature covers beside the URL. Raises InvalidInputError."""
    body_hash = _body_hash(post)
    if body_hash is not None:
        if hashlib.sha256(post.body).hexdigest() != body_hash:
            raise InvalidInputError("body", "the one that bodySHA256 was made of")
        return []
    return [] if post.method == "GET" else forms.pairs(post)


def _digest(settings: str) -> str | None:
    """The hash that a signature settings header names, as Twilio's SDK reads it; else SHA-1."""
    parts = (part.partition("=") for part in settings.split(","))
    named = (value.strip() for name, _, value in parts if name.strip() == "algorithm")
    return _DIGESTS.get(next(filter(None, named), _SHA1).upper())


def _spellings(url: str) -> tuple[str, ...]:
    """`url` without a port and with one: Twilio signs either (its own SDK tries both)."""
    match = _URL.fullmatch(url)
    if match is None:
        return (url,)
    scheme, host, port, rest = match.groups(default="")
    port = port or _STANDARD_PORTS[scheme]
    return (f"{scheme}://{host}{rest}", f"{scheme}://{host}:{port}{rest}")


def _signature(token: str, url: str, pairs: forms.Pairs, digest: str) -> bytes:
    """A repeated field counts once for each of its different values, as in Twilio's SDK."""
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    # Lone surrogates, which a URL could smuggle in, must not raise, nor be taken for one another.
    key, message = (text.encode("utf-8", "surrogatepass") for text in (token, signed))
    return base64.b64encode(hmac.digest(key, message, digest))
