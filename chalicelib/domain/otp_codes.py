"""One-time codes and the tokens of their tickets: derived from the pepper, so that neither is kept.

The code is a function of the token, the token one of the ticket's number; what a ticket keeps of
its code is a digest under a purpose of its own. Source: DESIGN.md, "Decided" 7.
"""

import base64
import hmac
import re
import string
from functools import cache
from itertools import count

from chalicelib.domain.otp import Alphabets, CodeShape

SHORTEST_CODE, LONGEST_CODE = 4, 32
SPECIALS = "!#$%&?@"
_CONFUSING = frozenset("0Oo1lI")
_TOKEN_PURPOSE = "otp-token"
_CODE_PURPOSE = "otp-code"
_DIGEST_PURPOSE = "otp-code-digest"
_PREFIX = "otp_"
_BOUND_PREFIX = "otpi_"
# The last of 43 characters carries four bits: others would spell the same token twice.
_TOKEN = re.compile(r"otpi?_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


def shape_of(length: int, alphabets: Alphabets) -> CodeShape:
    """Codes of `length` characters of the allowed alphabets; of digits if none is allowed."""
    chosen = "".join(
        characters
        for allowed, characters in (
            (alphabets.digits, string.digits),
            (alphabets.upper_case, string.ascii_uppercase),
            (alphabets.lower_case, string.ascii_lowercase),
            (alphabets.special_chars, SPECIALS),
        )
        if allowed
    )
    chosen = chosen or string.digits
    if alphabets.without_confusing:
        chosen = "".join(character for character in chosen if character not in _CONFUSING)
    return CodeShape(length, chosen)


def ticket_token(pepper: bytes, user_id: str, ticket_number: str, *, bound_to_ip: bool) -> str:
    """The token of a ticket: `otp_`, or `otpi_` if it is bound to an IP, and 43 of base 64.

    Whoever has the pepper derives it from the ticket's number; nobody else can.
    """
    prefix = _BOUND_PREFIX if bound_to_ip else _PREFIX
    digest = _digest(pepper, _TOKEN_PURPOSE, prefix, user_id, ticket_number)
    return prefix + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether `text` has the form of a ticket's token, so that a read could find one."""
    return _TOKEN.fullmatch(text) is not None


def is_bound(token: str) -> bool:
    """Whether the ticket of `token` is bound to an IP address."""
    return token.startswith(_BOUND_PREFIX)


def derive_code(pepper: bytes, token: str, shape: CodeShape) -> str:
    """The code of the ticket of `token`: each code of `shape` is as likely as any other."""
    characters, unfair = _mapping(shape.alphabet)
    code = ""
    for block in count():
        stream = _digest(pepper, _CODE_PURPOSE, token, str(block))
        code += stream.translate(characters, unfair).decode()
        if len(code) >= shape.length:
            break
    return code[: shape.length]


def code_digest(pepper: bytes, token: str, code: str, recipient_ip: str = "") -> str:
    """What a ticket keeps of its code, and what a guess is compared by, in hex.

    It covers the recipient's IP if the ticket is bound to one, so that a guess from elsewhere is a
    wrong one. Compare it in constant time.
    """
    return _digest(pepper, _DIGEST_PURPOSE, token, code, recipient_ip).hex()


@cache
def _mapping(alphabet: str) -> tuple[bytes, bytes]:
    size = len(alphabet)
    characters = bytes(ord(alphabet[byte % size]) for byte in range(256))
    # A byte of the last, incomplete round of the alphabet would favour its first characters.
    return characters, bytes(range(256 - 256 % size, 256))


def _digest(pepper: bytes, *parts: str) -> bytes:
    # Each part is preceded by its length: no two different lists of parts read the same.
    message = b""
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        message += len(encoded).to_bytes(4, "big") + encoded
    return hmac.digest(pepper, message, "sha256")
