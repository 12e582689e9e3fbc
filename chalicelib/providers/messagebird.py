"""MessageBird, the classic API: an SMS as a form, JSON or a query, under a signed token.

Source: https://developers.messagebird.com/docs/verify-http-requests, the classic SDK's
`RequestValidator`, and its Go SDK's reference.json; fields by
https://developers.messagebird.com/docs/sms-messaging#receive-a-message

The token covers the URL and the body and lives for a minute; within it a repeat verifies, and
`id` shows it. MessageBird signs by HS256; HS384 and HS512, which its SDK would take, are refused.
Not read: short codes' posts (`mid`, `shortcode`). MessageBird joins the parts of a long SMS.
"""

import hashlib
import hmac
from collections.abc import Mapping

from chalicelib.domain.times import SECOND, Millis
from chalicelib.providers import forms
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.fields import received_at
from chalicelib.providers.tokens import hs256_claims
from chalicelib.settings import ProviderAccount

LEEWAY_SECONDS = 1
"""As much as the SDK lets its clock and ours differ."""

METHODS = frozenset({"GET", "POST"})

_NAMES = ("id", "originator", "recipient", "body", "createdDatetime", "status")


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether one of the account's signing keys signed a token, alive `now`, for this post."""
    token = post.headers.get("messagebird-signature-jwt", "")
    claims = hs256_claims(token, account.secrets)
    return (
        claims is not None
        and claims.get("iss") == "MessageBird"
        and _is_alive(claims, now)
        and _is_hash(claims.get("url_hash"), post.url.encode("utf-8", "surrogatepass"))
        and _covers_body(claims, post.body)
    )


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post, none of a status report. Raises InvalidInputError."""
    fields = _fields(post)
    if fields.get("status") is not None and fields.get("body") is None:
        return []
    return [
        InboundSms(
            message_id=message_id(fields, "id"),
            sender=required(fields, "originator"),
            to=required(fields, "recipient"),
            text=sms_text(fields, "body"),
            received_at=received_at(_moment(fields.get("createdDatetime")), now),
        )
    ]


def accepted() -> Reply:
    """A short text with the 200 that MessageBird asks for; what else makes it repeat, not found."""
    return Reply("OK", "text/plain")


def _is_alive(claims: Mapping[str, object], now: Millis) -> bool:
    start, end = claims.get("nbf"), claims.get("exp")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return False
    return start - LEEWAY_SECONDS <= now / SECOND < end + LEEWAY_SECONDS


def _covers_body(claims: Mapping[str, object], body: bytes) -> bool:
    given = claims.get("payload_hash")
    return _is_hash(given, body) if body else given is None


def _is_hash(given: object, signed: bytes) -> bool:
    if not isinstance(given, str):
        return False
    expected = hashlib.sha256(signed).hexdigest().encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


def _fields(post: InboundPost) -> Mapping[str, object]:
    """The fields of any of the three forms; numbers as text, which JSON may bring as numbers."""
    found = forms.fields(post, _NAMES)
    numbers = {name: found.get(name) for name in ("originator", "recipient")}
    return {**found, **{name: str(n) for name, n in numbers.items() if type(n) is int}}


def _moment(value: object) -> object:
    # In MessageBird's own example the query says +00:00, whose + is a blank to every form parser.
    return value.replace(" ", "+") if isinstance(value, str) and "T" in value else value
