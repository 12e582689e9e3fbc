"""How one value of a lenient request is understood: as it is, cast, mended, or not at all.

A cast returns what is used and why it differs from what was given ("" if it does not), or None if
nothing can be made of the value. None of them raises, whatever JSON holds. Source: spec C, "How
Our API Deals With Incorrect Data".
"""

import ipaddress
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from chalicelib.domain.otp import MOST_TEXT, VOICE_LANGUAGES, Channel, Gender
from chalicelib.domain.otp_text import CODE, TIME
from chalicelib.domain.text import well_formed

T = TypeVar("T")

_MOST_WORD = 64
"""Characters of a value that is a word, a number or an address; no longer one is read."""
_MOST_RAW_TEXT = 4 * MOST_TEXT
_MOST_SHOWN = 40
_MOST_EXACT = 2**53
_SHORTEST_SENDER, _LONGEST_SENDER = 3, 11

_WHOLE = re.compile(r"[+-]?[0-9]{1,64}")
_DECIMAL = re.compile(r"([+-]?[0-9]{1,64})[.,][0-9]{0,64}")
_PLACEHOLDER = re.compile(r"\{{1,2} {0,2}(code|hh:mm:ss) {0,2}\}{1,2}", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)

_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
_CHANNELS = {
    "sms": Channel.SMS,
    "text_sms": Channel.SMS,
    "text": Channel.SMS,
    "message": Channel.SMS,
    "text_message": Channel.SMS,
    "voice_sms": Channel.VOICE,
    "voice": Channel.VOICE,
    "voice_call": Channel.VOICE,
    "call": Channel.VOICE,
    "phone": Channel.VOICE,
    "phone_call": Channel.VOICE,
}
_GENDERS = {
    "female": Gender.FEMALE,
    "f": Gender.FEMALE,
    "woman": Gender.FEMALE,
    "male": Gender.MALE,
    "m": Gender.MALE,
    "man": Gender.MALE,
}
_LANGUAGE_NAMES = {
    "english": "en",
    "greek": "el",
    "polish": "pl",
    "hungarian": "hu",
    "swedish": "sv",
    "german": "de",
    "spanish": "es",
    "french": "fr",
    "italian": "it",
    "portuguese": "pt",
    "russian": "ru",
}
_LATIN_AMERICA = re.compile(r"419|ar|bo|cl|co|cr|cu|do|ec|gt|hn|mx|ni|pa|pe|pr|py|sv|us|uy|ve")


CAST = "cast"
"""Why a value is another in type only: what a form, which has but texts, can't help."""


class Cast(NamedTuple, Generic[T]):
    """What is used of a value, and why that is not what was given."""

    used: T
    why: str = ""


Caster = Callable[[object], Cast[T] | None]


def whole(value: object) -> Cast[int] | None:
    """A whole number; a fraction is cut off. NaN, the infinities, booleans and words are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Cast(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return Cast(math.floor(value), CAST if value.is_integer() else "rounded down")
    word = _word(value)
    if _WHOLE.fullmatch(word):
        return Cast(int(word), CAST)
    decimal = _DECIMAL.fullmatch(word)
    return None if decimal is None else Cast(int(decimal[1]), "cast and rounded down")


def flag(value: object) -> Cast[bool] | None:
    """Yes or no: also 1, "yes", "y", "on", "t", "TRUE" and their opposites."""
    if isinstance(value, bool):
        return Cast(value)
    if isinstance(value, int | float):
        return Cast(value == 1, CAST) if value in (0, 1) else None
    word = _word(value).lower()
    if word in _TRUE or word in _FALSE:
        return Cast(word in _TRUE, CAST)
    return None


def channel(value: object) -> Cast[Channel] | None:
    """A channel by its name, `text_sms` for `sms` included, or by what people call it."""
    return _named(value, _CHANNELS, ("sms", "text_sms", "voice_sms"))


def gender(value: object) -> Cast[Gender] | None:
    """A voice's gender, by its name or what people call it."""
    return _named(value, _GENDERS, ("female", "male"))


def language(value: object) -> Cast[str] | None:
    """A voice's language: `en_us`, `EN-us`, `english` and `en` are `en-US`.

    The language of a region that has no voice gets the first voice of that language, or that of
    Latin America.
    """
    if isinstance(value, str) and value in VOICE_LANGUAGES:
        return Cast(value)
    spoken, _, region = _plain(value).partition("_")
    spoken = _LANGUAGE_NAMES.get(spoken, spoken)
    if spoken == "es" and _LATIN_AMERICA.fullmatch(region):
        return Cast("es-LA", "understood as es-LA")
    voices = [voice for voice in VOICE_LANGUAGES if voice.startswith(f"{spoken}-")]
    if not spoken or not voices:
        return None
    wanted = f"{spoken}-{region.upper()}"
    used = wanted if wanted in voices else voices[0]
    return Cast(used, f"understood as {used}")


def sender(value: object) -> Cast[str] | None:
    """A sender of 3 to 11 letters and digits; others are left out, accents folded, the rest cut.

    A number longer than 11 digits is none: cut, it would be somebody else's.
    """
    given = _text_of(value)
    if given is None:
        return None
    plain = unicodedata.normalize("NFKD", given[:_MOST_WORD].translate(_SPELLED))
    used = _NOT_ALPHANUMERIC.sub("", plain)
    if len(used) < _SHORTEST_SENDER or (used.isdigit() and len(used) > _LONGEST_SENDER):
        return None
    used = used[:_LONGEST_SENDER]
    return Cast(used, "" if used == value else "cast to 3 to 11 letters and digits")


def recipient_ip(value: object) -> Cast[str] | None:
    """An IPv4 or IPv6 address in its normal form; IPv4 in IPv6 is IPv4, a zone is left out."""
    word = value.strip() if isinstance(value, str) and len(value) <= _MOST_WORD else ""
    bare = word.strip("[]").partition("%")[0]
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    # Two spellings of one IPv6 address are no mending; `value` is a text, as it was read.
    return Cast(str(mapped or address), "" if bare == value and not mapped else "normalised")


def text(value: object) -> Cast[str] | None:
    """A template without control characters but line ends, and with its placeholders well spelled.

    None if nothing visible is left. It is cut far above what may be sent, for the work to be
    bounded; how much may be sent depends on the code.
    """
    given = _text_of(value)
    if given is None:
        return None
    why = [] if isinstance(value, str) else ["cast to a text"]
    raw = given[:_MOST_RAW_TEXT]
    lined = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    clean = "".join(c for c in lined if c == "\n" or unicodedata.category(c) != "Cc")
    formed = well_formed(clean)
    if formed != raw:
        why.append("characters that can't be sent were taken out")
    used = _PLACEHOLDER.sub(lambda found: CODE if found[1].lower() == "code" else TIME, formed)
    if used != formed:
        why.append("placeholders were spelled right")
    if len(given) > _MOST_RAW_TEXT:
        why.append("cut")
    return Cast(used, ", ".join(why)) if used.strip() else None


def shown(value: object) -> object:
    """`value` as a warning shows it: short, and such as any JSON reader takes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MOST_EXACT else "(a very large number)"
    if isinstance(value, float):
        return value if math.isfinite(value) else "(not a number)"
    if isinstance(value, str):
        cut = well_formed(value[:_MOST_SHOWN])
        return cut if len(value) <= _MOST_SHOWN else cut + "…"
    return "(an object)" if isinstance(value, Mapping) else "(a list)"


def _text_of(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Python refuses to write out an integer of thousands of digits.
    return str(value) if abs(value) <= _MOST_EXACT else None


def _word(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_WORD:
        return ""
    return unicodedata.normalize("NFKC", value).strip()


def _plain(value: object) -> str:
    return _NOT_WORD.sub("_", _word(value).lower()).strip("_")


def _named(value: object, names: Mapping[str, T], exact: tuple[str, ...]) -> Cast[T] | None:
    used = names.get(_plain(value))
    if used is None:
        return None
    return Cast(used, "" if value in exact else f"understood as {used}")
