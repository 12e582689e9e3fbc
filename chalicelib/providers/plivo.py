"""Plivo: an SMS as a form post or a GET.

Sources: https://docs.plivo.com/docs/messaging/api/message/handling-incoming and
https://docs.plivo.com/docs/messaging/concepts/signature-validation

Its messages carry a V2 signature, which covers the public URL without its query and a nonce: who
holds one can post any message by it, for ever, and only TLS prevents that. A V3 signature covers
the query and every field as well, though not where a field ends: a captured post could be cut up
differently. That MessageUUID must be whole makes this harder. Where V3 is there it decides; an
account whose option `signature` is `v3` takes nothing else. Neither has a time: a repeat verifies,
and its MessageUUID shows it.
"""

import base64
import hmac
import re

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import forms
from chalicelib.providers.contract import InboundPost, InboundSms, Reply, required, sms_text
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"GET", "POST"})

_MESSAGE_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NONCE = re.compile(r"[!-~]{1,256}")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether one of the account's auth tokens signed this URL (V2), or the whole post (V3).

    `now` plays no part. `post.url` is the URL as configured at Plivo, with its query.
    """
    has_v3 = "x-plivo-signature-v3" in post.headers
    if has_v3 or account.options.get("signature") == "v3":
        try:
            signed, version = _signed_by_v3(post), "v3"
        except InvalidInputError:
            return False
    else:
        signed, version = post.url.partition("?")[0], "v2"
    nonce = post.headers.get(f"x-plivo-signature-{version}-nonce", "")
    if not _NONCE.fullmatch(nonce):
        return False
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    header = post.headers.get(f"x-plivo-signature-{version}", "").encode("utf-8", "replace")
    given = header.split(b",")
    good = False
    # An empty token is no secret: everybody could sign by it.
    for token in filter(None, account.secrets):
        expected = _signature(token, signed + nonce)
        for signature in given:
            good |= hmac.compare_digest(expected, signature.strip(b" "))
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, received `now`, as Plivo does not say when.

    Raises InvalidInputError naming the field. The text of a message of media alone is empty.
    """
    names = ("MessageUUID", "From", "To", "Text", "Type")
    fields = dict(forms.single(forms.pairs(post), names))
    message_uuid = required(fields, "MessageUUID")
    if not _MESSAGE_UUID.fullmatch(message_uuid):
        raise InvalidInputError("MessageUUID", "a UUID")
    if fields.get("Type") == "mms":
        fields.setdefault("Text", "")
    return [
        InboundSms(
            message_id=message_uuid,
            sender=required(fields, "From"),
            to=required(fields, "To"),
            text=sms_text(fields, "Text"),
            received_at=now,
        )
    ]


def accepted() -> Reply:
    """XML that sends nothing back. Plivo waits 8 s, then tells again after 60, 120 and 240 s."""
    return Reply('<?xml version="1.0" encoding="UTF-8"?><Response/>', "application/xml")


def _signed_by_v3(post: InboundPost) -> str:
    """What V3 signs, up to the nonce. Raises InvalidInputError if a form can't be read."""
    address = post.url.partition("?")[0]
    query = forms.query(post)
    form = [] if post.method == "GET" else forms.pairs(post)
    in_query = "&".join(f"{name}={value}" for name, value in sorted(query))
    in_form = "".join(name + value for name, value in sorted(form))
    mark = "?" if query or form else ""
    stop = "." if query and form else ""
    return f"{address}{mark}{in_query}{stop}{in_form}."


def _signature(token: str, signed: str) -> bytes:
    # Lone surrogates, which a URL could smuggle in, must not raise, nor be taken for one another.
    key, message = (text.encode("utf-8", "surrogatepass") for text in (token, signed))
    return base64.b64encode(hmac.digest(key, message, "sha256"))
