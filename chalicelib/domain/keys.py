"""API keys: `sesame_<user id>_<secret>_<checksum>`, all in base 62.

The secret is 256 random bits. We keep the SHA-256 of the whole text, never the text; the
checksum lets junk be refused without a read. Source: DESIGN.md, "Decided" 8.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass

from chalicelib.domain.ids import UserId

PREFIX = "sesame"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS = 43
_CHECKSUM_DIGITS = 6
_SHOWN_SECRET = 4
_FORM = re.compile(r"sesame_([0-9A-Za-z]{26})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """What a well-formed key tells by itself: whose it says it is, and where to look it up."""

    user_id: UserId
    key_hash: str


def new_key(user_id: UserId) -> str:
    """A fresh key of `user_id`, in clear: show it once and keep only its hash."""
    body = f"{PREFIX}_{user_id}_{_base62(secrets.randbits(256), _SECRET_DIGITS)}"
    return f"{body}_{_checksum(body)}"


def parse_key(text: str) -> ParsedKey | None:
    """What `text` says if it has the form and the checksum of a key, else None. No read."""
    form = _FORM.fullmatch(text)
    if form is None or _checksum(text[: -_CHECKSUM_DIGITS - 1]) != form[3]:
        return None
    return ParsedKey(UserId(form[1]), hash_key(text))


def hash_key(text: str) -> str:
    """The form in which a key is kept and looked up: SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def shown_prefix(text: str) -> str:
    """The part of a key that may be shown to tell it from others."""
    return text[: text.rindex("_") - _SECRET_DIGITS + _SHOWN_SECRET]


def masked(text: str) -> str:
    """`text` with every key in it cut to the part that may be shown."""
    return _FORM.sub(lambda key: shown_prefix(key[0]) + "…", text)


def is_same(given: str, key_hash: str) -> bool:
    """Whether `given` is the key that `key_hash` was made of, in constant time."""
    return hmac.compare_digest(hash_key(given), key_hash)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _ALPHABET[digit] + text
    return text
