"""What a one-time code is asked for with, and what an account asks for when a call does not say.

Source: otp-api.txt (spec C) and DESIGN.md, "Spec C".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.ids import E164

VOICE_LANGUAGES = (
    "en-US",
    "en-GB",
    "el-GR",
    "pl-PL",
    "hu-HU",
    "sv-SE",
    "de-DE",
    "es-ES",
    "es-LA",
    "fr-FR",
    "it-IT",
    "pt-BR",
    "ru-RU",
)

MOST_TEXT = 1_224
"""Characters: eight segments of 153."""

LONGEST_VALIDITY = 600
"""Seconds: the cap of an account that has set none."""


class Channel(StrEnum):
    """How a code is told."""

    SMS = "sms"
    VOICE = "voice_sms"


class Gender(StrEnum):
    """Of the voice that speaks a code."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, slots=True)
class CodeShape:
    """What a code is made of: `length` characters of `alphabet`, which has no character twice."""

    length: int
    alphabet: str


@dataclass(frozen=True, slots=True)
class Alphabets:
    """Which characters codes may have."""

    digits: bool = True
    upper_case: bool = False
    lower_case: bool = False
    special_chars: bool = False
    without_confusing: bool = False


@dataclass(frozen=True, slots=True)
class Autofill:
    """The lines by which phones fill a code in: Android's hash of an app, Apple's bound domain."""

    android_hash: str = ""
    apple_domain: str = ""


@dataclass(frozen=True, slots=True)
class OtpDefaults:
    """An account's defaults for what a call leaves out. Times in seconds.

    `text` is empty for the built-in one; `texts` has one per language ("de", "pt"), which count
    before it. `default_country` (alpha-2) is where numbers in local form are from; without one they
    are not usable. `longest_validity` caps what a call may ask for. `senders` and `countries` are
    allow lists: an empty one allows all. `voice_after` is the silence after which an SMS is
    followed by a call; 0 for none.
    """

    text: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    channel: Channel = Channel.SMS
    sender: str = ""
    code_length: int = 6
    alphabets: Alphabets = Alphabets()
    validity_period: int = 300
    longest_validity: int = LONGEST_VALIDITY
    max_wrong_attempts: int = 5
    voice_language: str = "en-US"
    voice_gender: Gender = Gender.FEMALE
    default_country: str = ""
    autofill: Autofill = Autofill()
    senders: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    voice_after: int = 0


@dataclass(frozen=True, slots=True)
class Warning:
    """Something in a request that was cast, mended or dropped. `given` is shortened for showing."""

    field: str
    given: object
    used: object
    why: str


@dataclass(frozen=True, slots=True)
class OtpRequest:
    """A request for a code as it is understood.

    `text` is a template with `{code}` in it. `language` is a voice's (`en-US`); that of the text
    is its first part. `recipient_ip` is "" if none was given. `explicit` are the fields that the
    call named usably, the others being the account's defaults.
    """

    phone_number: E164
    country: str
    text: str
    channel: Channel
    sender: str
    shape: CodeShape
    validity_period: int
    max_wrong_attempts: int
    recipient_ip: str
    language: str
    gender: Gender
    explicit: frozenset[str] = frozenset()
