"""A request for a code, and a guess at one, understood as well as can be. Source: spec C.

Each parameter has its cast (lenient_casts.py); what no cast understands gets the account's
default. Then the parameters are brought into agreement with each other. Whatever of this changes
what was asked is told, once for each parameter. Only an unusable phone number refuses.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from chalicelib.domain import lenient_casts as casts
from chalicelib.domain.countries import find
from chalicelib.domain.ids import E164
from chalicelib.domain.lenient_casts import CAST, Caster, shown
from chalicelib.domain.lenient_phone import phone_number
from chalicelib.domain.otp import (
    MOST_TEXT,
    Alphabets,
    Channel,
    CodeShape,
    OtpDefaults,
    OtpRequest,
    Warning,
)
from chalicelib.domain.otp_codes import LONGEST_CODE, SHORTEST_CODE, shape_of
from chalicelib.domain.otp_templates import template_for
from chalicelib.domain.otp_text import CODE, autofill_length, fitted
from chalicelib.domain.phone import country_of
from chalicelib.domain.text import well_formed
from chalicelib.errors import InvalidInputError, MissingInputError

T = TypeVar("T")

SHORTEST_VALIDITY = 3
MOST_ATTEMPTS = 5
MOST_ATTEMPTS_AT_SHORT_CODES = 3
"""For codes of which there are no more than of four digits."""

_FEW_CODES = 10_000

_NUMBER = "a phone number with its country, such as +14155552671"
_MOST_TYPED = 64
_NO_CODE = "?"
_BETWEEN_CHARACTERS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\-\u2010-\u2015]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a validation came with: empty, or None for the phone number, where it did not say."""

    code: str = field(repr=False)
    token: str = field(repr=False)
    phone_number: E164 | None
    recipient_ip: str


def read_request(
    given: Mapping[str, object], defaults: OtpDefaults, *, is_form: bool = False
) -> tuple[OtpRequest, tuple[Warning, ...]]:
    """What a call asks for, and what of it was cast, mended or dropped.

    In a form everything is a text, so a number or a boolean written as one needs no warning.
    Raises MissingInputError or InvalidInputError naming `phone_number`, and nothing else.
    """
    reading = _Reading(given, is_form)
    number = _recipient(reading, defaults)
    country = _country(number)
    channel = reading.read("channel", casts.channel, defaults.channel)
    language = reading.read("voice_language", casts.language, defaults.voice_language)
    shape = _shape(reading, defaults)
    speaks = channel is Channel.VOICE or "voice_language" in reading.explicit
    request = OtpRequest(
        phone_number=number,
        country=country,
        text=_text(
            reading, template_for(language if speaks else "", country, defaults), shape, defaults
        ),
        channel=channel,
        sender=reading.read("sender", casts.sender, defaults.sender),
        shape=shape,
        validity_period=reading.within(
            "validity_period",
            defaults.validity_period,
            (SHORTEST_VALIDITY, max(SHORTEST_VALIDITY, defaults.longest_validity)),
        ),
        max_wrong_attempts=reading.within(
            "max_wrong_attempts", defaults.max_wrong_attempts, (1, most_attempts(shape))
        ),
        recipient_ip=reading.read("recipient_ip", casts.recipient_ip, ""),
        language=language,
        gender=reading.read("voice_gender", casts.gender, defaults.voice_gender),
        explicit=frozenset(reading.explicit),
    )
    return request, reading.warnings()


def read_guess(given: Mapping[str, object], default_country: str = "") -> Guess:
    """What a validation guesses, and at which ticket. Never raises.

    A code may be typed with blanks and dashes in it, and in the digits of any script.
    """
    number = phone_number(given.get("phone_number"), default_country)
    address = casts.recipient_ip(given.get("recipient_ip"))
    return Guess(
        code=_typed_code(given.get("code")),
        token=_token(given.get("otp_request_token")),
        phone_number=number.used if number else None,
        recipient_ip=address.used if address else "",
    )


def most_attempts(shape: CodeShape) -> int:
    """How many wrong guesses codes of `shape` can bear. Source: DESIGN.md, "Spec C"."""
    is_short = len(shape.alphabet) ** shape.length <= _FEW_CODES
    return MOST_ATTEMPTS_AT_SHORT_CODES if is_short else MOST_ATTEMPTS


class _Reading:
    """A request while it is read: which parameters it named usably, and what was mended."""

    def __init__(self, given: Mapping[str, object], is_form: bool) -> None:
        self.given = given
        self.explicit: set[str] = set()
        self._is_form = is_form
        self._whys: dict[str, list[str]] = {}
        self._used: dict[str, object] = {}

    def read(self, name: str, cast: Caster[T], default: T) -> T:
        """The parameter as `cast` understands it, else `default`."""
        value = self.given.get(name)
        if value is None or value == "":
            return default
        found = cast(value)
        if found is None:
            self.mend(name, default, "not understood, so the default is used")
            return default
        self.explicit.add(name)
        if found.why and not (self._is_form and found.why == CAST):
            self.mend(name, found.used, found.why)
        return found.used

    def within(self, name: str, default: int, bounds: tuple[int, int]) -> int:
        """The whole number, brought within `bounds`; that of the default is not worth a word."""
        asked = self.read(name, casts.whole, default)
        least, most = bounds
        used = min(max(asked, least), most)
        if name in self._whys:
            self._used[name] = used
        if used != asked and name in self.explicit:
            self.mend(name, used, f"brought within {least} to {most}")
        return used

    def mend(self, name: str, used: object, why: str) -> None:
        """Note that `used` stands for what was given, beside what was noted before."""
        self._used[name] = used
        self._whys.setdefault(name, []).append(why)

    def warnings(self) -> tuple[Warning, ...]:
        """One for each parameter that was mended."""
        return tuple(
            Warning(name, shown(self.given.get(name)), shown(self._used[name]), ", ".join(whys))
            for name, whys in self._whys.items()
        )


def _recipient(reading: _Reading, defaults: OtpDefaults) -> E164:
    value = reading.given.get("phone_number")
    if value is None or (isinstance(value, str) and not value.strip()):
        raise MissingInputError("phone_number", _NUMBER)
    found = phone_number(value, defaults.default_country)
    if found is None:
        raise InvalidInputError("phone_number", _NUMBER)
    return reading.read("phone_number", lambda _: found, found.used)


def _country(number: E164) -> str:
    region = country_of(number)
    country = find(region) if region else None
    return country.code if country else ""


def _shape(reading: _Reading, defaults: OtpDefaults) -> CodeShape:
    usual = defaults.alphabets
    digits = reading.read("allow_digits", casts.flag, usual.digits)
    upper_case = reading.read("allow_upper_case", casts.flag, usual.upper_case)
    lower_case = reading.read("allow_lower_case", casts.flag, usual.lower_case)
    special_chars = reading.read("allow_special_chars", casts.flag, usual.special_chars)
    without_confusing = reading.read(
        "remove_confusing_characters", casts.flag, usual.without_confusing
    )
    if not (digits or upper_case or lower_case or special_chars):
        digits = True
        reading.explicit.discard("allow_digits")
        reading.mend("allow_digits", digits, "no characters were left, so digits are allowed")
    length = reading.within("code_length", defaults.code_length, (SHORTEST_CODE, LONGEST_CODE))
    alphabets = Alphabets(digits, upper_case, lower_case, special_chars, without_confusing)
    return shape_of(length, alphabets)


def _text(reading: _Reading, usual: str, shape: CodeShape, defaults: OtpDefaults) -> str:
    template = reading.read("text", casts.text, usual)
    most = MOST_TEXT - autofill_length(defaults.autofill, shape.length)
    used = fitted(template, shape.length, most)
    if used != template and "text" in reading.explicit:
        has_all = used.startswith(template.rstrip())
        why = f"{CODE} was appended" if has_all else f"cut to {most} characters with {CODE} in it"
        reading.mend("text", used, why)
    return used


def _typed_code(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        typed = f"{value:.0f}" if value.is_integer() else str(value)
    elif isinstance(value, int):
        # Python refuses to write out an integer of thousands of digits. No code is as long.
        typed = str(value) if abs(value) < 10**_MOST_TYPED else _NO_CODE
    else:
        typed = value.strip() if len(value) <= _MOST_TYPED else value.strip() and _NO_CODE
    digits = "".join(map(_latin_digit, unicodedata.normalize("NFKC", typed)))
    return _BETWEEN_CHARACTERS.sub("", digits) or typed


def _latin_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _token(value: object) -> str:
    return well_formed(value.strip()[:_MOST_TYPED]) if isinstance(value, str) else ""
