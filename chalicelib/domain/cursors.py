"""Cursors of paged lists: a position that a caller hands back, sealed so that it is ours.

A cursor fits the list that made it and no other: its seal covers whose list it is and how it was
asked for.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence

from chalicelib.errors import InvalidInputError

_SEAL_BYTES = 12
_MOST = 1_024


def seal(pepper: bytes, scope: str, position: Sequence[str | int | None]) -> str:
    """The cursor of a `position` in the list `scope`: base64url, without padding."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    raw = _seal_of(pepper, scope, payload) + payload
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unseal(pepper: bytes, scope: str, cursor: str) -> list[str | int | None]:
    """The position in a cursor of the list `scope`. Raises InvalidInputError naming `cursor`."""
    expected = "the cursor that the page before gave, with that page's parameters"
    if len(cursor) > _MOST or not cursor.isascii():
        raise InvalidInputError("cursor", expected)
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidInputError("cursor", expected) from None
    given, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(given, _seal_of(pepper, scope, payload)):
        raise InvalidInputError("cursor", expected)
    position: list[str | int | None] = json.loads(payload)
    return position


def _seal_of(pepper: bytes, scope: str, payload: bytes) -> bytes:
    text = b"cursor\0" + scope.encode(errors="replace") + b"\0" + payload
    return hmac.new(pepper, text, hashlib.sha256).digest()[:_SEAL_BYTES]
