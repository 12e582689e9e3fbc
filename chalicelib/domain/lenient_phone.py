"""The recipient of a lenient request: a phone number however it is written, or None."""

import re
import unicodedata

from chalicelib.domain.ids import E164
from chalicelib.domain.lenient_casts import Cast
from chalicelib.domain.phone import normalise

_MOST_CHARACTERS = 64
_LONGEST_NUMBER = 10**15
_SCHEME = re.compile(r"(?:tel|sms|smsto|callto|whatsapp):", re.IGNORECASE)
_PARAMETERS = re.compile(r"[;?].*", re.DOTALL)
_WRITTEN = re.compile(r"[\s(]*\+?[\d\s().\-/\u2010-\u2015]+", re.ASCII)


def phone_number(value: object, default_country: str) -> Cast[E164] | None:
    """The number that `value` means: international, or local to `default_country` (alpha-2).

    A number without `+` or `00` that could be either is local if that is one in use.
    """
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    found = _understood(_plain(_text_of(one)), default_country)
    if found is None:
        return None
    return Cast(found, "" if found == value else "written in E.164")


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    # Compared first: Python refuses to write out an integer of thousands of digits.
    is_number = 0 < value < _LONGEST_NUMBER and value == int(value)
    return str(int(value)) if is_number else ""


def _plain(text: str) -> str:
    if len(text) > _MOST_CHARACTERS:
        return ""
    # Numbers that were copied carry invisible marks; keyboards write digits of many scripts.
    narrow = "".join(map(_narrow, unicodedata.normalize("NFKC", text))).strip()
    scheme = _SCHEME.match(narrow)
    return _PARAMETERS.sub("", narrow[scheme.end() :]).strip() if scheme else narrow


def _narrow(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return " " if character.isspace() else character


def _understood(text: str, country: str) -> E164 | None:
    if _WRITTEN.fullmatch(text) is None:
        return None
    if text.lstrip("( ").startswith(("+", "00")) or not country:
        return normalise(text)
    local, in_use = _local(text, country)
    international = None if in_use else normalise(text)
    return international or local


def _local(text: str, country: str) -> tuple[E164 | None, bool]:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None, False
    form = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return normalise(form), phonenumbers.is_valid_number(parsed)
