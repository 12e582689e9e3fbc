"""Standard Webhooks: how our webhooks, and the messages of some providers, are signed.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.times import SECOND, Millis

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"
SHORTEST_SECRET = 16
"""Bytes. The specification says 24 for new secrets; below 16 one could be guessed."""

# A full stop would let part of the signed body be passed off as the timestamp (the specification's
# "certain attacks"); a second spelling of one number would let a header be changed unnoticed.
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,256}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,14}")
_SECRET_PURPOSE = b"webhook-secret"


def derive_secret(pepper: bytes, user_id: str, generation: int) -> str:
    """The signing secret of a user's endpoint: `whsec_` and 32 bytes in base 64.

    Derived rather than stored, so that no store holds it (docs/decisions/004).
    """
    purpose = b"\0".join([_SECRET_PURPOSE, user_id.encode(), str(generation).encode()])
    return SECRET_PREFIX + base64.b64encode(hmac.digest(pepper, purpose, "sha256")).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` signature of `body` by `secret`. `timestamp` is in seconds.

    Raises ValueError if `secret` is not base 64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_secret_bytes(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(
    secrets: Iterable[str], message_id: str, now: Millis, body: bytes
) -> dict[str, str]:
    """The three Standard Webhooks headers, with a signature by each of `secrets`."""
    timestamp = now // SECOND
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(s, message_id, timestamp, body) for s in secrets),
    }


def is_signed(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: Millis) -> bool:
    """Whether `body` carries a fresh signature by one of `secrets`.

    `headers` have lower-case names. Every signature is compared in constant time. A secret that
    is_secret refuses opens nothing, least of all an empty one, which everybody knows.
    """
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not (_MESSAGE_ID.fullmatch(message_id) and _TIMESTAMP.fullmatch(stamp)):
        return False
    timestamp = int(stamp)
    if abs(now // SECOND - timestamp) > TOLERANCE_SECONDS:
        return False
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")
    good = False
    for secret in filter(is_secret, secrets):
        expected = sign(secret, message_id, timestamp, body).encode()
        for signature in given:
            good |= hmac.compare_digest(expected, signature)
    return good


def is_secret(text: str) -> bool:
    """Whether `text` is a usable signing secret."""
    try:
        return len(_secret_bytes(text)) >= SHORTEST_SECRET
    except ValueError:
        return False


def _secret_bytes(secret: str) -> bytes:
    text = secret.removeprefix(SECRET_PREFIX)
    # The specification's own libraries take secrets whose padding was cut off.
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
