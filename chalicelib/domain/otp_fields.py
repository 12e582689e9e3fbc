"""The fields of an account's defaults for its codes, each with its strict reader.

A reader takes the field's name and value, and raises InvalidInputError naming it. Numbers, flags
and lists may come as texts, as forms send them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from chalicelib.domain.countries import find
from chalicelib.domain.lenient import MOST_ATTEMPTS, SHORTEST_VALIDITY
from chalicelib.domain.otp import MOST_TEXT, VOICE_LANGUAGES, Channel, Gender
from chalicelib.domain.otp_codes import LONGEST_CODE, SHORTEST_CODE
from chalicelib.domain.otp_text import CODE
from chalicelib.domain.phone import calling_code
from chalicelib.errors import InvalidInputError

MOST_VALIDITY = 3_600
"""Seconds: what an account may allow itself."""

_MOST_TEXTS = 30
_MOST_SENDERS = 20
_MOST_COUNTRIES = 250
_VOICE_AFTER = (15, 600)
_SENDER = re.compile(r"[A-Za-z0-9]{3,11}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ANDROID_HASH = re.compile(r"[A-Za-z0-9+/]{11}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")
_LONGEST_DOMAIN = 253
_WHOLE = re.compile(r"[0-9]{1,9}")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
EXPECTED_TEXT = (
    f"a text of at most {MOST_TEXT} characters with {CODE} in it, the code and lines included"
)
_CHANNELS = {"sms": Channel.SMS, "text_sms": Channel.SMS, "voice_sms": Channel.VOICE}
_GENDERS = {gender.value: gender for gender in Gender}
_VOICES = {language: language for language in VOICE_LANGUAGES}


def _text(name: str, value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or len(value) > 2 * MOST_TEXT or CODE not in value:
        raise InvalidInputError(name, EXPECTED_TEXT)
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value.replace("\n", "")):
        raise InvalidInputError(name, "a text without control characters other than line ends")
    return value


def _texts(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > _MOST_TEXTS:
        raise InvalidInputError(name, f"an object of at most {_MOST_TEXTS} texts by language")
    for language in value:
        if not isinstance(language, str) or _LANGUAGE.fullmatch(language) is None:
            raise InvalidInputError(name, "languages of two or three letters, such as de")
    return {language: text for language, given in value.items() if (text := _text(name, given))}


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    found = _FLAGS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise InvalidInputError(name, "true or false")
    return found


def _whole(least: int, most: int, *, or_zero: bool = False) -> Callable[[str, object], int]:
    expected = f"a whole number from {least} to {most}" + (", or 0" if or_zero else "")

    def read(name: str, value: object) -> int:
        number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
        if isinstance(number, bool) or not isinstance(number, int):
            raise InvalidInputError(name, expected)
        if not (least <= number <= most or (or_zero and number == 0)):
            raise InvalidInputError(name, expected)
        return number

    return read


def _one_of(choices: Mapping[str, str]) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidInputError(name, f"one of {', '.join(choices)}")
        return str(choices[value])

    return read


def _formed(form: re.Pattern[str], expected: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or (value and form.fullmatch(value) is None):
            raise InvalidInputError(name, expected)
        return value

    return read


def _domain(name: str, value: object) -> str:
    domain = value.lower() if isinstance(value, str) else None
    if domain == "":
        return ""
    if domain is None or len(domain) > _LONGEST_DOMAIN or _DOMAIN.fullmatch(domain) is None:
        raise InvalidInputError(name, "a domain such as example.com")
    return domain


def _country(name: str, value: object) -> str:
    country = find(value) if isinstance(value, str) and len(value) == 2 else None
    if country is None:
        raise InvalidInputError(name, "countries by their ISO 3166-1 alpha-2 codes")
    return country.code


def _default_country(name: str, value: object) -> str:
    code = _country(name, value) if value != "" else ""
    if code and calling_code(code) == "0":
        raise InvalidInputError(name, "a country that has phone numbers")
    return code


def _listed(
    read: Callable[[str, object], str], most: int, expected: str
) -> Callable[[str, object], list[str]]:
    def read_list(name: str, value: object) -> list[str]:
        found = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
        if value == "":
            return []
        if not isinstance(found, list) or len(found) > most:
            raise InvalidInputError(name, f"a list of at most {most} {expected}")
        return list(dict.fromkeys(read(name, one) for one in found))

    return read_list


_sender = _formed(_SENDER, "3 to 11 letters and digits")


def _listed_sender(name: str, value: object) -> str:
    if value == "":
        raise InvalidInputError(name, "3 to 11 letters and digits each")
    return _sender(name, value)


READERS: Mapping[str, Callable[[str, object], object]] = {
    "text": _text,
    "texts": _texts,
    "channel": _one_of(_CHANNELS),
    "sender": _sender,
    "code_length": _whole(SHORTEST_CODE, LONGEST_CODE),
    "allow_digits": _flag,
    "allow_upper_case": _flag,
    "allow_lower_case": _flag,
    "allow_special_chars": _flag,
    "remove_confusing_characters": _flag,
    "validity_period": _whole(SHORTEST_VALIDITY, MOST_VALIDITY),
    "longest_validity": _whole(SHORTEST_VALIDITY, MOST_VALIDITY),
    "max_wrong_attempts": _whole(1, MOST_ATTEMPTS),
    "voice_language": _one_of(_VOICES),
    "voice_gender": _one_of(_GENDERS),
    "default_country": _default_country,
    "android_hash": _formed(_ANDROID_HASH, "11 characters of base 64"),
    "apple_domain": _domain,
    "senders": _listed(_listed_sender, _MOST_SENDERS, "senders"),
    "countries": _listed(_country, _MOST_COUNTRIES, "countries"),
    "voice_after": _whole(*_VOICE_AFTER, or_zero=True),
}
