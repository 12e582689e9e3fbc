"""JSON Web Tokens by which some providers sign: HS256 and nothing else.

Source: RFC 7515 (JWS), RFC 7519 (JWT).
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping

from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import json_object

MOST_TOKEN = 8_192
"""Characters. Providers' tokens have some 500."""

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


def hs256_claims(token: str, secrets: Iterable[str]) -> Mapping[str, object] | None:
    """The claims of a token that one of `secrets` signed by HS256; None for any other token.

    Its times are the caller's to judge. An empty secret opens nothing.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= MOST_TOKEN else None
    if match is None:
        return None
    header, payload, given = match.groups()
    good = False
    for secret in filter(None, secrets):
        key = secret.encode("utf-8", "surrogatepass")
        expected = hmac.digest(key, f"{header}.{payload}".encode(), "sha256")
        # Compared as text: of base 64's last character some bits are not read, so two texts
        # could be one signature.
        good |= hmac.compare_digest(_base64url(expected), given.encode())
    if not good:
        return None
    try:
        names = json_object(_decoded(header))
        claims = json_object(_decoded(payload))
    except (InvalidInputError, ValueError):
        return None
    # "none" and the public-key algorithms are refused; so is `crit`, which asks for what we lack.
    return claims if names.get("alg") == "HS256" and "crit" not in names else None


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
