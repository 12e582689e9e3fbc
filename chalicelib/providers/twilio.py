"""Twilio: an SMS as a form post, signed over the public URL and every field.

Source: https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/usage/webhooks/webhooks-security

The scheme has no time: a post can be sent again for ever, and only its MessageSid shows it. Nor
does it separate names from values: who holds a signed post could cut it up differently. That
MessageSid must be whole makes this harder, and only TLS prevents it. Not read yet: JSON bodies
(`bodySHA256`), `X-Twilio-Webhooks-Signature-Settings` (SHA-256), messages sent as GET.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import InboundPost, InboundSms, Reply, required, sms_text
from chalicelib.settings import ProviderAccount

MOST_FIELDS = 500
"""Far more than Twilio sends (some 20, and two for each of at most 10 media)."""

_MESSAGE_SID = re.compile(r"[0-9A-Za-z]{34}")
_URL = re.compile(r"(https?)://([^/?#]*?)(?::([0-9]+))?([/?#].*)?")
_STANDARD_PORTS = {"http": "80", "https": "443"}
METHODS = frozenset({"POST"})

_Pairs = list[tuple[str, str]]


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether one of the account's auth tokens signed this URL and form. `now` plays no part.

    `post.url` is the URL as configured at Twilio, with its query.
    """
    try:
        pairs = _form(post.body)
    except InvalidInputError:
        return False
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given = post.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    good = False
    # An empty token is no secret: everybody could sign by it.
    for token in filter(None, account.secrets):
        for url in _spellings(post.url):
            good |= hmac.compare_digest(_signature(token, url, pairs), given)
    return good


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, received `now`, as Twilio does not say when.

    Raises InvalidInputError naming the field. The text of a message of media alone is empty.
    """
    fields = _single_values(_form(post.body), ("MessageSid", "From", "To", "Body"))
    message_id = required(fields, "MessageSid")
    if not _MESSAGE_SID.fullmatch(message_id):
        raise InvalidInputError("MessageSid", "34 letters and digits")
    return [
        InboundSms(
            message_id=message_id,
            sender=required(fields, "From"),
            to=required(fields, "To"),
            text=sms_text(fields, "Body"),
            received_at=now,
        )
    ]


def accepted() -> Reply:
    """TwiML that sends nothing back to the sender; Twilio waits 15 s for it."""
    return Reply('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")


def _form(body: bytes) -> _Pairs:
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise InvalidInputError(
            "body", f"a form in UTF-8 of at most {MOST_FIELDS} fields"
        ) from None


def _single_values(pairs: _Pairs, names: Iterable[str]) -> Mapping[str, str]:
    fields = {}
    for name in names:
        values = {value for key, value in pairs if key == name}
        if len(values) > 1:
            raise InvalidInputError(name, "one value")
        if values:
            fields[name] = values.pop()
    return fields


def _spellings(url: str) -> tuple[str, ...]:
    """`url` without a port and with one: Twilio signs either (its own SDK tries both)."""
    match = _URL.fullmatch(url)
    if match is None:
        return (url,)
    scheme, host, port, rest = match.groups(default="")
    port = port or _STANDARD_PORTS[scheme]
    return (f"{scheme}://{host}{rest}", f"{scheme}://{host}:{port}{rest}")


def _signature(token: str, url: str, pairs: _Pairs) -> bytes:
    """A repeated field counts once for each of its different values, as in Twilio's SDK."""
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    # Lone surrogates, which a URL could smuggle in, must not raise, nor be taken for one another.
    key, message = (text.encode("utf-8", "surrogatepass") for text in (token, signed))
    return base64.b64encode(hmac.digest(key, message, "sha1"))
