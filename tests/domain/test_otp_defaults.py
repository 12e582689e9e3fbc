import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.otp import Alphabets, Autofill, Channel, Gender, OtpDefaults
from chalicelib.domain.otp_defaults import as_fields, changed_defaults, dump, load
from chalicelib.errors import InvalidInputError

USUAL = OtpDefaults()
OTHER: dict[str, Any] = {
    "text": "Own {code}\nfor {hh:mm:ss} 👩\u200d🚀\xa0!",
    "texts": {"de": "Eigen {code}", "fil": "Sarili {code}"},
    "channel": "voice_sms",
    "sender": "Acme",
    "code_length": 8,
    "allow_digits": False,
    "allow_upper_case": True,
    "allow_lower_case": True,
    "allow_special_chars": True,
    "remove_confusing_characters": True,
    "validity_period": 900,
    "longest_validity": 3600,
    "max_wrong_attempts": 3,
    "voice_language": "de-DE",
    "voice_gender": "male",
    "default_country": "DE",
    "android_hash": "FA+9qCX9VSu",
    "apple_domain": "login.example.com",
    "senders": ["Acme", "Acme2"],
    "countries": ["DE", "FR"],
    "voice_after": 30,
}


def test_every_field_can_be_set_and_is_shown_as_it_was_set() -> None:
    changed = changed_defaults(USUAL, OTHER)
    assert as_fields(changed) == OTHER
    assert changed == OtpDefaults(
        text=OTHER["text"],
        texts=OTHER["texts"],
        channel=Channel.VOICE,
        sender="Acme",
        code_length=8,
        alphabets=Alphabets(False, True, True, True, True),
        validity_period=900,
        longest_validity=3600,
        max_wrong_attempts=3,
        voice_language="de-DE",
        voice_gender=Gender.MALE,
        default_country="DE",
        autofill=Autofill("FA+9qCX9VSu", "login.example.com"),
        senders=("Acme", "Acme2"),
        countries=("DE", "FR"),
        voice_after=30,
    )
    assert set(as_fields(USUAL)) == set(OTHER)


@pytest.mark.parametrize("name", OTHER)
def test_one_field_changes_alone_and_null_sets_it_back(name: str) -> None:
    base = changed_defaults(USUAL, {"longest_validity": 1800, "allow_lower_case": True})
    changed = as_fields(changed_defaults(base, {name: OTHER[name]}))
    assert changed == as_fields(base) | {name: OTHER[name]}
    back = changed_defaults(load(changed), {name: None})
    assert as_fields(back) == as_fields(base) | {name: as_fields(USUAL)[name]}


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("channel", "text_sms", "sms"),
        ("code_length", "8", 8),
        ("allow_digits", "TRUE", True),
        ("senders", "Acme, Acme2 ,Acme", ["Acme", "Acme2"]),
        ("senders", "", []),
        ("senders", [], []),
        ("countries", ["de", "FR", "DE"], ["DE", "FR"]),
        ("default_country", "gb", "GB"),
        ("apple_domain", "Example.COM", "example.com"),
        ("voice_after", 0, 0),
        ("text", "", ""),
        ("sender", "", ""),
        ("android_hash", "", ""),
        ("apple_domain", "", ""),
        ("default_country", "", ""),
        ("texts", {}, {}),
        ("texts", {"de": ""}, {}),
        ("text", "x" * 1_192 + "{code}", "x" * 1_192 + "{code}"),
    ],
)
def test_what_is_meant_is_kept(name: str, value: object, used: object) -> None:
    assert as_fields(changed_defaults(USUAL, {name: value}))[name] == used


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "no placeholder"),
        ("text", "x" * 1_193 + "{code}"),
        ("text", "{code}" * 39),
        ("text", "a\x00{code}"),
        ("text", "\ud800{code}"),
        ("text", 5),
        ("texts", {"de": "kein"}),
        ("texts", {"Deutsch": "{code}"}),
        ("texts", {"de": "{code}" * 39}),
        ("texts", {f"a{a}{b}": "{code}" for a in "abcdef" for b in "abcdef"}),
        ("texts", []),
        ("channel", "voice"),
        ("channel", []),
        ("sender", "ab"),
        ("sender", "a" * 12),
        ("sender", "Acme\n"),
        ("sender", "Acmé"),
        ("code_length", 3),
        ("code_length", 33),
        ("code_length", 6.0),
        ("code_length", True),
        ("code_length", "٦"),
        ("code_length", 10**5000),
        ("allow_digits", 1),
        ("allow_digits", "yes"),
        ("allow_digits", False),
        ("validity_period", 2),
        ("validity_period", 601),
        ("longest_validity", 3_601),
        ("longest_validity", 299),
        ("max_wrong_attempts", 0),
        ("max_wrong_attempts", 6),
        ("voice_language", "en"),
        ("voice_gender", "F"),
        ("default_country", "ZZ"),
        ("default_country", "AQ"),
        ("default_country", 44),
        ("android_hash", "short"),
        ("android_hash", "FA+9qCX9VS\n"),
        ("apple_domain", "localhost"),
        ("apple_domain", "https://example.com"),
        ("apple_domain", "a." * 130 + "com"),
        ("apple_domain", "-a.com"),
        ("senders", ["ab"]),
        ("senders", [""]),
        ("senders", [5]),
        ("senders", {"Acme": 1}),
        ("senders", [f"Acme{number}" for number in range(21)]),
        ("countries", ["ZZ"]),
        ("countries", ["DE"] * 251),
        ("countries", "DE,,FR"),
        ("voice_after", 14),
        ("voice_after", 601),
        ("voice_after", -1),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_wrong_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match="expected") as refusal:
        changed_defaults(USUAL, {name: value})
    assert (refusal.value.field, refusal.value.code) == (name, "invalid_parameter")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(InvalidInputError) as refusal:
        changed_defaults(USUAL, {"code_size": 6})
    assert (refusal.value.field, refusal.value.code) == ("code_size", "unknown_parameter")
    with pytest.raises(InvalidInputError) as refusal:
        changed_defaults(USUAL, {"\ud800" * 500: 6})
    refusal.value.message.encode()


def test_fields_that_contradict_what_was_set_before_are_refused() -> None:
    long = changed_defaults(USUAL, {"longest_validity": 3600, "validity_period": 900})
    with pytest.raises(InvalidInputError, match="at least the validity_period, 900"):
        changed_defaults(long, {"longest_validity": 600})
    with pytest.raises(InvalidInputError, match="at most the longest_validity, 600"):
        changed_defaults(USUAL, {"validity_period": 601})
    listed = changed_defaults(USUAL, {"senders": ["Acme"], "sender": "Acme"})
    with pytest.raises(InvalidInputError, match="one of senders"):
        changed_defaults(listed, {"sender": "Other"})
    with pytest.raises(InvalidInputError, match="allow_digits"):
        changed_defaults(USUAL, {"allow_digits": False, "allow_upper_case": False})
    full = changed_defaults(USUAL, {"text": "x" * 1_192 + "{code}"})
    with pytest.raises(InvalidInputError, match="text"):
        changed_defaults(full, {"android_hash": "FA+9qCX9VSu"})


def test_what_is_kept_loads_as_it_was() -> None:
    for defaults in (USUAL, changed_defaults(USUAL, OTHER)):
        assert load(dump(defaults)) == defaults
        assert load(json.loads(dump(defaults))) == defaults


def test_an_older_item_loads_with_what_it_lacks_as_usual() -> None:
    assert load("") == load("{}") == load({}) == USUAL
    assert load({"code_length": 8, "gone": 1}) == OtpDefaults(code_length=8)
    assert load({"code_length": 99, "sender": "Acme"}) == OtpDefaults(sender="Acme")


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(["{code}", "DE", "Acme", "true", "6", 6, 600]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*OTHER]), ANY, max_size=4))
def test_whatever_json_holds_is_refused_or_kept(fields: dict[str, object]) -> None:
    try:
        changed = changed_defaults(USUAL, fields)
    except InvalidInputError as refusal:
        named = refusal.field
    else:
        named = None
        assert load(dump(changed)) == changed
        assert changed_defaults(changed, as_fields(changed)) == changed
    assert named is None or named in OTHER
