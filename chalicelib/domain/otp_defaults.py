"""An account's defaults for its codes: read strictly when they are set, shown, and kept.

Unlike the call that sends a code, the one that sets what later calls get refuses what is wrong.
"""

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.otp import MOST_TEXT, Alphabets, Autofill, Channel, Gender, OtpDefaults
from chalicelib.domain.otp_codes import LONGEST_CODE
from chalicelib.domain.otp_fields import EXPECTED_TEXT, READERS
from chalicelib.domain.otp_text import rendered_length
from chalicelib.domain.text import well_formed
from chalicelib.errors import InvalidInputError


def changed_defaults(current: OtpDefaults, given: Mapping[str, object]) -> OtpDefaults:
    """`current` with the fields `given` set; null sets one back to what it is without an account.

    Raises InvalidInputError naming the field and saying what was expected: `unknown_parameter`
    for one that is not among `as_fields`.
    """
    fields = as_fields(current)
    usual = as_fields(OtpDefaults())
    for name, value in given.items():
        if name not in READERS:
            raise InvalidInputError(
                well_formed(name[:64]), f"one of {', '.join(READERS)}", code="unknown_parameter"
            )
        fields[name] = usual[name] if value is None else READERS[name](name, value)
    changed = _from_fields(fields)
    _refuse_contradictions(changed, given)
    return changed


def as_fields(defaults: OtpDefaults) -> dict[str, object]:
    """`defaults` by the names that the API has for them, ready for JSON."""
    return {
        "text": defaults.text,
        "texts": dict(defaults.texts),
        "channel": defaults.channel.value,
        "sender": defaults.sender,
        "code_length": defaults.code_length,
        "allow_digits": defaults.alphabets.digits,
        "allow_upper_case": defaults.alphabets.upper_case,
        "allow_lower_case": defaults.alphabets.lower_case,
        "allow_special_chars": defaults.alphabets.special_chars,
        "remove_confusing_characters": defaults.alphabets.without_confusing,
        "validity_period": defaults.validity_period,
        "longest_validity": defaults.longest_validity,
        "max_wrong_attempts": defaults.max_wrong_attempts,
        "voice_language": defaults.voice_language,
        "voice_gender": defaults.voice_gender.value,
        "default_country": defaults.default_country,
        "android_hash": defaults.autofill.android_hash,
        "apple_domain": defaults.autofill.apple_domain,
        "senders": list(defaults.senders),
        "countries": list(defaults.countries),
        "voice_after": defaults.voice_after,
    }


def dump(defaults: OtpDefaults) -> str:
    """`defaults` as they are kept."""
    return json.dumps(as_fields(defaults), ensure_ascii=False, separators=(",", ":"))


def load(stored: str | Mapping[str, object]) -> OtpDefaults:
    """What `dump` wrote, or its fields. What it lacks, or no longer may hold, is as usual."""
    kept = json.loads(stored or "{}") if isinstance(stored, str) else stored
    fields = as_fields(OtpDefaults())
    for name, read in READERS.items():
        if name in kept:
            try:
                fields[name] = read(name, kept[name])
            except InvalidInputError:
                continue
    return _from_fields(fields)


def _refuse_contradictions(defaults: OtpDefaults, given: Mapping[str, object]) -> None:
    has = defaults.alphabets
    if not (has.digits or has.upper_case or has.lower_case or has.special_chars):
        raise InvalidInputError("allow_digits", "true, as no other characters are allowed")
    if defaults.validity_period > defaults.longest_validity:
        if "validity_period" in given:
            most = f"at most the longest_validity, {defaults.longest_validity}"
            raise InvalidInputError("validity_period", most)
        least = f"at least the validity_period, {defaults.validity_period}"
        raise InvalidInputError("longest_validity", least)
    if defaults.sender and defaults.senders and defaults.sender not in defaults.senders:
        raise InvalidInputError("sender", "one of senders")
    for name, texts in (("text", [defaults.text]), ("texts", defaults.texts.values())):
        if any(
            rendered_length(text, LONGEST_CODE, defaults.autofill) > MOST_TEXT for text in texts
        ):
            raise InvalidInputError(name, EXPECTED_TEXT)


def _from_fields(fields: Mapping[str, Any]) -> OtpDefaults:
    return OtpDefaults(
        text=fields["text"],
        texts=fields["texts"],
        channel=Channel(fields["channel"]),
        sender=fields["sender"],
        code_length=fields["code_length"],
        alphabets=Alphabets(
            digits=fields["allow_digits"],
            upper_case=fields["allow_upper_case"],
            lower_case=fields["allow_lower_case"],
            special_chars=fields["allow_special_chars"],
            without_confusing=fields["remove_confusing_characters"],
        ),
        validity_period=fields["validity_period"],
        longest_validity=fields["longest_validity"],
        max_wrong_attempts=fields["max_wrong_attempts"],
        voice_language=fields["voice_language"],
        voice_gender=Gender(fields["voice_gender"]),
        default_country=fields["default_country"],
        autofill=Autofill(fields["android_hash"], fields["apple_domain"]),
        senders=tuple(fields["senders"]),
        countries=tuple(fields["countries"]),
        voice_after=fields["voice_after"],
    )
