# ruff: noqa: RUF001  (digits and letters that only look like ASCII are what is tested)
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.lenient import Guess, read_guess, read_request
from chalicelib.domain.otp import (
    MOST_TEXT,
    VOICE_LANGUAGES,
    Alphabets,
    Autofill,
    Channel,
    Gender,
    OtpDefaults,
    OtpRequest,
    Warning,
)
from chalicelib.domain.otp_codes import shape_of
from chalicelib.domain.otp_templates import BUILT_IN
from chalicelib.domain.otp_text import render_sms
from chalicelib.errors import InvalidInputError, MissingInputError

PHONE = "+447911123456"
DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]
HUGE = 10**5000
NOT_USABLE = [HUGE, -HUGE, 1e300, float("nan"), float("inf"), DEEP, {"a": 1}, [], {}, "x" * 99_999]


def label(value: object) -> str | None:
    """An id for what pytest can't write out, or had better not."""
    if isinstance(value, int) and abs(value) > 2**64:
        return "huge"
    return "long" if isinstance(value, str) and len(value) > 60 else None


def read(defaults: OtpDefaults = OtpDefaults(), **given: object) -> OtpRequest:  # noqa: B008
    return read_request({"phone_number": PHONE} | given, defaults)[0]


def warned(defaults: OtpDefaults = OtpDefaults(), **given: object) -> dict[str, Warning]:  # noqa: B008
    warnings = read_request({"phone_number": PHONE} | given, defaults)[1]
    assert len({warning.field for warning in warnings}) == len(warnings)
    json.dumps([(w.given, w.used, w.why) for w in warnings], allow_nan=False).encode()
    return {warning.field: warning for warning in warnings}


def test_a_phone_number_alone_is_a_whole_request_without_a_warning() -> None:
    request, warnings = read_request({"phone_number": PHONE}, OtpDefaults())
    assert request == OtpRequest(
        phone_number=request.phone_number,
        country=request.country,
        text=BUILT_IN["en"],
        channel=Channel.SMS,
        sender="",
        shape=shape_of(6, Alphabets()),
        validity_period=300,
        max_wrong_attempts=5,
        recipient_ip="",
        language="en-US",
        gender=Gender.FEMALE,
        explicit=frozenset({"phone_number"}),
    )
    assert request.phone_number == PHONE
    assert warnings == ()


def test_a_clean_request_has_no_warning_and_all_of_it_is_used() -> None:
    given_fields = {
        "phone_number": "+4915112345678",
        "text": "Hallo {code}, {hh:mm:ss}",
        "channel": "voice_sms",
        "sender": "Acme1",
        "code_length": 8,
        "allow_digits": False,
        "allow_upper_case": True,
        "allow_lower_case": True,
        "allow_special_chars": True,
        "remove_confusing_characters": True,
        "validity_period": 120,
        "max_wrong_attempts": 4,
        "recipient_ip": "192.0.2.7",
        "voice_language": "de-DE",
        "voice_gender": "male",
    }
    request, warnings = read_request(given_fields, OtpDefaults())
    assert warnings == ()
    assert request.explicit == set(given_fields)
    assert request.country == "DE"
    assert request.shape == shape_of(8, Alphabets(False, True, True, True, True))
    assert (request.text, request.sender) == ("Hallo {code}, {hh:mm:ss}", "Acme1")
    assert (request.validity_period, request.max_wrong_attempts) == (120, 4)
    assert (request.recipient_ip, request.language) == ("192.0.2.7", "de-DE")
    assert (request.channel, request.gender) == (Channel.VOICE, Gender.MALE)


@pytest.mark.parametrize("name", ["text", "channel", "code_length", "allow_digits", "recipient_ip"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_are_absent(name: str, nothing: object) -> None:
    assert read(**{name: nothing}) == read()
    assert warned(**{name: nothing}) == {}


def test_an_unknown_field_is_ignored() -> None:
    assert read(colour="red") == read()
    assert warned(colour="red", **{"": 1, "\ud800": DEEP}) == {}


@pytest.mark.parametrize(
    ("value", "country", "used"),
    [
        ("447911123456", "", PHONE),
        ("00447911123456", "", PHONE),
        ("+44 (0)7911 123-456", "", PHONE),
        ("(+44) 7911/123456", "US", PHONE),
        (" +44.7911.123456\n", "", PHONE),
        ("\u202a+44\xa07911\u2011123456\u202c", "", PHONE),
        ("＋４４７９１１１２３４５６", "", PHONE),
        ("+٤٤٧٩١١١٢٣٤٥٦", "", PHONE),
        ("tel:+44-7911-123456;ext=5", "", PHONE),
        ("TEL:07911123456", "GB", PHONE),
        (447911123456, "", PHONE),
        (447911123456.0, "", PHONE),
        (7911123456, "GB", PHONE),
        ([PHONE], "", PHONE),
        ([f" {PHONE}"], "", PHONE),
        ([447911123456], "", PHONE),
        ("07911 123456", "GB", PHONE),
        ("07911 123456", "DE", "+497911123456"),
        ("0044 7911 123456", "DE", PHONE),
        ("447911123456", "GB", PHONE),
        ("447911123456", "US", PHONE),
        ("011 44 7911 123456", "US", PHONE),
        ("(415) 555-2671", "US", "+14155552671"),
        ("02 1234567", "IT", "+39021234567"),
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("07911 123456", "", None),
        ("07911 123456", "ZZ", None),
        ("123", "GB", None),
        ("call me", "GB", None),
        ("+44 7911 12345a", "", None),
        ("1-800-FLOWERS", "US", None),
        ("+", "", None),
        ("+44+7911123456", "", None),
        ("\ud800", "GB", None),
        ("9" * 16, "", None),
        ("9" * 60, "GB", None),
        (True, "", None),
        (-447911123456, "", None),
        (447911123456.5, "", None),
        ([PHONE, PHONE], "", None),
        ([[PHONE]], "", None),
        ({"number": PHONE}, "", None),
        *((value, "GB", None) for value in NOT_USABLE),
    ],
    ids=label,
)
def test_a_phone_number_is_understood_or_refuses(
    value: object, country: str, used: str | None
) -> None:
    defaults = OtpDefaults(default_country=country)
    if used is None:
        with pytest.raises(InvalidInputError) as refusal:
            read(defaults, phone_number=value)
        assert (refusal.value.field, refusal.value.code) == ("phone_number", "invalid_parameter")
        assert read_guess({"phone_number": value}, country).phone_number is None
        return
    assert read(defaults, phone_number=value).phone_number == used
    assert warned(defaults, phone_number=value)["phone_number"].used == used
    assert read_guess({"phone_number": value}, country).phone_number == used


@pytest.mark.parametrize("fields", [{}, {"phone_number": None}, {"phone_number": " \n"}])
def test_a_phone_number_that_is_missing_is_said_to_be(fields: dict[str, object]) -> None:
    with pytest.raises(MissingInputError, match="phone_number"):
        read_request(fields, OtpDefaults())


@pytest.mark.parametrize(
    ("value", "used", "why"),
    [
        (4, 4, None),
        (32, 32, None),
        ("6", 6, "cast"),
        (6.0, 6, "cast"),
        (" 6 ", 6, "cast"),
        ("７", 7, "cast"),
        (6.9, 6, "rounded down"),
        ("6,9", 6, "cast and rounded down"),
        (3, 4, "brought within 4 to 32"),
        (-1, 4, "brought within 4 to 32"),
        (33, 32, "brought within 4 to 32"),
        ("99", 32, "cast, brought within 4 to 32"),
        (HUGE, 32, "brought within 4 to 32"),
        (-HUGE, 4, "brought within 4 to 32"),
        (1e300, 32, "cast, brought within 4 to 32"),
        ("six", 7, "not understood, so the default is used"),
        ("1e1", 7, "not understood, so the default is used"),
        ("٣x", 7, "not understood, so the default is used"),
        (float("nan"), 7, "not understood, so the default is used"),
        (float("1e999"), 7, "not understood, so the default is used"),
        ([6], 7, "not understood, so the default is used"),
        ({"a": 1}, 7, "not understood, so the default is used"),
        (True, 7, "not understood, so the default is used"),
        ("9" * 5000, 7, "not understood, so the default is used"),
    ],
    ids=label,
)
def test_a_whole_number_is_cast_or_mended(value: object, used: int, why: str | None) -> None:
    defaults = OtpDefaults(code_length=7)
    assert read(defaults, code_length=value).shape.length == used
    warnings = warned(defaults, code_length=value)
    assert (warnings["code_length"].why if warnings else None) == why
    if warnings:
        assert warnings["code_length"].used == used


YES = [True, "yes", "y", "on", "1", 1, 1.0, "TRUE", "t", " True "]
NO = [False, "no", "N", "off", "0", 0, 0.0, "FALSE", "f"]


@pytest.mark.parametrize("value", [*YES, *NO])
def test_yes_and_no_are_understood(value: object) -> None:
    shape = read(allow_upper_case=value).shape
    assert ("A" in shape.alphabet) is (value in YES)
    assert ("allow_upper_case" in warned(allow_upper_case=value)) is (not isinstance(value, bool))


@pytest.mark.parametrize(
    "value", [2, -1, 0.5, "maybe", "nein", float("nan"), [], {}, [True], HUGE], ids=label
)
def test_what_is_neither_yes_nor_no_is_dropped(value: object) -> None:
    defaults = OtpDefaults(alphabets=Alphabets(upper_case=True))
    assert "A" in read(defaults, allow_upper_case=value).shape.alphabet
    assert warned(defaults, allow_upper_case=value)["allow_upper_case"].used is True
    assert "allow_upper_case" not in read(defaults, allow_upper_case=value).explicit


def test_alphabets_that_a_call_does_not_name_are_as_usual() -> None:
    usual = OtpDefaults(alphabets=Alphabets(digits=False, lower_case=True))
    assert read(usual, allow_upper_case=True).shape == shape_of(6, Alphabets(False, True, True))
    assert read(usual, allow_upper_case=True, allow_lower_case=False).shape == (
        shape_of(6, Alphabets(False, True))
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"allow_digits": False},
        {
            "allow_digits": False,
            "allow_upper_case": "no",
            "allow_lower_case": False,
            "allow_special_chars": 0,
        },
    ],
    ids=label,
)
def test_a_code_of_nothing_is_one_of_digits(fields: dict[str, object]) -> None:
    assert read(**fields).shape.alphabet == "0123456789"
    warning = warned(**fields)["allow_digits"]
    assert (warning.given, warning.used) == (False, True)


def test_security_never_widens() -> None:
    assert read(validity_period=601).validity_period == 600
    assert read(validity_period=10_000_000).validity_period == 600
    assert read(validity_period=1).validity_period == 3
    assert read(OtpDefaults(longest_validity=1800), validity_period=9_999).validity_period == 1800
    assert read(OtpDefaults(longest_validity=60)).validity_period == 60
    assert warned(OtpDefaults(longest_validity=60)) == {}
    assert read(max_wrong_attempts=99).max_wrong_attempts == 5
    assert read(max_wrong_attempts=0).max_wrong_attempts == 1
    assert set(warned(max_wrong_attempts=6, validity_period=601)) == {
        "max_wrong_attempts",
        "validity_period",
    }


def test_codes_of_four_digits_bear_three_guesses() -> None:
    assert read(code_length=4).max_wrong_attempts == 3
    assert warned(code_length=4) == {}
    assert warned(code_length=4, max_wrong_attempts=3) == {}
    assert warned(code_length=4, max_wrong_attempts=5)["max_wrong_attempts"].used == 3
    assert read(code_length=1, max_wrong_attempts=5).max_wrong_attempts == 3
    assert read(code_length=5, max_wrong_attempts=5).max_wrong_attempts == 5
    assert read(code_length=4, allow_upper_case=True).max_wrong_attempts == 5


@pytest.mark.parametrize(
    ("value", "used", "is_clean"),
    [
        ("sms", Channel.SMS, True),
        ("text_sms", Channel.SMS, True),
        ("voice_sms", Channel.VOICE, True),
        ("SMS", Channel.SMS, False),
        ("voice", Channel.VOICE, False),
        ("Voice-SMS ", Channel.VOICE, False),
        ("phone call", Channel.VOICE, False),
        ("pigeon", Channel.SMS, False),
        (1, Channel.SMS, False),
        ("\ud800", Channel.SMS, False),
    ],
    ids=label,
)
def test_a_channel_is_understood(value: object, used: Channel, is_clean: bool) -> None:
    assert read(channel=value).channel is used
    assert (warned(channel=value) == {}) is is_clean


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ("en_us", "en-US"),
        ("EN-us", "en-US"),
        ("en", "en-US"),
        ("English", "en-US"),
        ("en-gb", "en-GB"),
        ("en-AU", "en-US"),
        ("es", "es-ES"),
        ("es-MX", "es-LA"),
        ("es_419", "es-LA"),
        ("pt-PT", "pt-BR"),
        ("de_AT", "de-DE"),
        ("german ", "de-DE"),
        ("tlh", "fr-FR"),
        ("-", "fr-FR"),
        ("e", "fr-FR"),
        (7, "fr-FR"),
    ],
    ids=label,
)
def test_a_language_is_understood_or_dropped(value: object, used: str) -> None:
    defaults = OtpDefaults(voice_language="fr-FR")
    assert read(defaults, voice_language=value).language == used
    assert warned(defaults, voice_language=value)["voice_language"].used == used


@pytest.mark.parametrize("language", VOICE_LANGUAGES)
def test_every_language_of_the_specification_is_clean(language: str) -> None:
    assert read(voice_language=language).language == language
    assert warned(voice_language=language) == {}


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ("female ", Gender.FEMALE),
        ("F", Gender.FEMALE),
        ("woman", Gender.FEMALE),
        ("Male", Gender.MALE),
        ("man", Gender.MALE),
        ("robot", Gender.MALE),
        (1, Gender.MALE),
    ],
    ids=label,
)
def test_a_gender_is_understood_or_dropped(value: object, used: Gender) -> None:
    defaults = OtpDefaults(voice_gender=Gender.MALE)
    assert read(defaults, voice_gender=value).gender is used
    assert warned(defaults, voice_gender=value)["voice_gender"].used == used.value


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ("My Shop!", "MyShop"),
        ("Café Zürich", "CafeZurich"),
        ("Łódź-Straße", "LodzStrasse"),
        ("Acme Incorporated", "AcmeIncorpo"),
        ("ＡＣＭＥ", "ACME"),
        ("{code}", "code"),
        (12345, "12345"),
        ("+4479111234", "4479111234"),
        (PHONE, "Usual"),
        ("ab", "Usual"),
        ("  a b  ", "Usual"),
        ("Яндекс", "Usual"),
        ("\ud800\ud800\ud800", "Usual"),
        (True, "Usual"),
        *((value, "Usual") for value in NOT_USABLE[:-1]),
    ],
    ids=label,
)
def test_a_sender_is_stripped_cut_or_dropped(value: object, used: str) -> None:
    defaults = OtpDefaults(sender="Usual")
    assert read(defaults, sender=value).sender == used
    assert warned(defaults, sender=value)["sender"].used == used


@pytest.mark.parametrize(
    ("value", "used", "is_clean"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("2001:DB8:0::1", "2001:db8::1", True),
        (" 192.0.2.7\n", "192.0.2.7", False),
        ("[2001:db8::1]", "2001:db8::1", False),
        ("fe80::1%eth0", "fe80::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", False),
        ("192.0.2.256", "", False),
        ("192.0.2.007", "", False),
        ("localhost", "", False),
        ("192.0.2.0/24", "", False),
        (3221225985, "", False),
        (True, "", False),
        ("١٩٢.0.2.7", "", False),
    ],
    ids=label,
)
def test_an_ip_address_is_normalised_or_dropped(value: object, used: str, is_clean: bool) -> None:
    assert read(recipient_ip=value).recipient_ip == used
    assert (warned(recipient_ip=value) == {}) is is_clean
    assert read_guess({"recipient_ip": value}).recipient_ip == used


@pytest.mark.parametrize(
    ("value", "used", "is_clean"),
    [
        ("Code: {code}", "Code: {code}", True),
        ("Zeile\n{code}", "Zeile\n{code}", True),
        ("{code} {code}", "{code} {code}", True),
        ("Hello", "Hello {code}", False),
        ("Hello\n", "Hello {code}", False),
        (123, "123 {code}", False),
        (1.5, "1.5 {code}", False),
        ("{CODE}", "{code}", False),
        ("{{ code }} in {HH:MM:SS}", "{code} in {hh:mm:ss}", False),
        ("a\x00\x1b{code}\x7f\x85", "a{code}", False),
        ("a\r\nb\tc {code}", "a\nb c {code}", False),
        ("\ud800 {code}", "\ufffd {code}", False),
        (" \n\x00", BUILT_IN["en"], False),
        (True, BUILT_IN["en"], False),
        ([1], BUILT_IN["en"], False),
        (HUGE, BUILT_IN["en"], False),
        ("{ccode}", "{ccode} {code}", False),
    ],
    ids=label,
)
def test_a_text_is_made_sendable(value: object, used: str, is_clean: bool) -> None:
    assert read(text=value).text == used
    assert (warned(text=value) == {}) is is_clean


def test_a_text_is_cut_at_1224_characters_as_they_are_sent() -> None:
    full = "x" * (MOST_TEXT - 6) + "{code}"
    assert read(text=full).text == full
    assert warned(text=full) == {}
    assert read(text="x" + full).text == "x" * (MOST_TEXT - 7) + " {code}"
    assert read(text="x" * 100_000).text == "x" * (MOST_TEXT - 7) + " {code}"
    assert read(text=full, code_length=7).text == "x" * (MOST_TEXT - 8) + " {code}"
    autofill = Autofill("FA+9qCX9VSu", "example.com")
    used = read(OtpDefaults(autofill=autofill), text=full).text
    assert len(render_sms(used, "123456", 300, autofill)) == MOST_TEXT


def test_the_text_is_in_the_language_of_the_voice_or_of_the_country() -> None:
    assert read(phone_number="+4915112345678").text == BUILT_IN["de"]
    assert read(phone_number="+4915112345678", voice_language="it").text == BUILT_IN["it"]
    assert read(phone_number="+4915112345678", channel="voice_sms").text == BUILT_IN["en"]
    own = OtpDefaults(text="Own {code}", texts={"de": "Eigen {code}"})
    assert read(own, phone_number="+4915112345678").text == "Eigen {code}"
    assert read(own).text == "Own {code}"


def test_in_a_form_numbers_and_booleans_written_as_text_need_no_warning() -> None:
    form = {"phone_number": PHONE, "code_length": "8", "allow_upper_case": "true"}
    assert read_request(form, OtpDefaults(), is_form=True)[1] == ()
    assert len(read_request(form, OtpDefaults())[1]) == 2
    form["code_length"] = "99"
    warnings = read_request(form, OtpDefaults(), is_form=True)[1]
    assert [(warning.field, warning.used) for warning in warnings] == [("code_length", 32)]


def test_a_warning_shows_little_of_what_was_given() -> None:
    warning = warned(text="y" * 5_000)["text"]
    assert warning.given == "y" * 40 + "…"
    assert warning.used == "y" * 40 + "…"
    assert warned(code_length=HUGE)["code_length"].given == "(a very large number)"
    assert warned(code_length=DEEP)["code_length"].given == "(a list)"
    assert warned(code_length={"a": math.nan})["code_length"].given == "(an object)"
    assert warned(code_length=math.nan)["code_length"].given == "(not a number)"


def test_i8_a_guess_hides_its_code_and_token() -> None:
    assert "123456" not in repr(Guess("123456", "otp_x", None, ""))
    assert "otp_x" not in repr(Guess("123456", "otp_x", None, ""))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("123456", "123456"),
        (" 012 345\n", "012345"),
        ("012-345", "012345"),
        ("１２３４５６", "123456"),
        ("٠١٢٣٤٥", "012345"),
        ("aB!#$%&?@", "aB!#$%&?@"),
        (123456, "123456"),
        (123456.0, "123456"),
        (0, "0"),
        (-5, "5"),
        ("---", "---"),
        (" ", ""),
        ("", ""),
        (None, ""),
        (True, ""),
        ([123456], ""),
        ({}, ""),
        (HUGE, "?"),
        ("1" * 65, "?"),
        (float("nan"), "nan"),
        ("\ud800", "\ud800"),
    ],
    ids=label,
)
def test_a_guess_is_the_code_as_it_was_typed(value: object, code: str) -> None:
    assert read_guess({"code": value}).code == code


def test_what_a_guess_does_not_say_is_empty() -> None:
    assert read_guess({}) == Guess("", "", None, "")
    assert read_guess({"otp_request_token": " otp_abc "}).token == "otp_abc"
    assert read_guess({"otp_request_token": 5}).token == ""
    assert len(read_guess({"otp_request_token": "\ud800" * 500}).token.encode()) < 256


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
SPICY = st.sampled_from(
    ["{code}", "{hh:mm:ss}", "{", "}", "code", "é", "\u0301", "\u200d", "👩", "🇩🇪", "\ud83d", "\n"]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**4000, -(10**4000), 2**63, 4, 5, 33])
TEXTS = (
    ANY_TEXT
    | st.sampled_from(["true", "no", "6", "en_us", "voice", PHONE, "tel:07911123456", "x" * 9_000])
    | st.builds(lambda parts, times: "".join(parts) * times, st.lists(SPICY), st.integers(0, 900))
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "text",
    "channel",
    "sender",
    "code_length",
    "allow_digits",
    "allow_upper_case",
    "allow_lower_case",
    "allow_special_chars",
    "remove_confusing_characters",
    "validity_period",
    "max_wrong_attempts",
    "recipient_ip",
    "voice_language",
    "voice_gender",
]
BODIES = st.dictionaries(st.sampled_from(FIELDS) | ANY_TEXT, JSON)
ACCOUNTS = st.builds(
    OtpDefaults,
    text=st.sampled_from(["", "Own {code}", "{code}" * 400, "no code"]),
    sender=st.sampled_from(["", "Usual"]),
    code_length=st.integers(4, 32),
    longest_validity=st.sampled_from([3, 600, 3600]),
    default_country=st.sampled_from(["", "GB", "US", "ZZ"]),
    autofill=st.sampled_from([Autofill(), Autofill("FA+9qCX9VSu", "a.example")]),
)


@given(body=BODIES, phone=st.just(PHONE) | st.just("07911 123456") | JSON, account=ACCOUNTS)
def test_whatever_json_holds_a_request_is_within_bounds_or_names_the_number(
    body: dict[str, object], phone: object, account: OtpDefaults
) -> None:
    try:
        request, warnings = read_request(body | {"phone_number": phone}, account)
    except InvalidInputError as refusal:
        refused = refusal.field
    else:
        refused = None
    assert refused in ({None} if phone == PHONE else {None, "phone_number"})
    if refused:
        return
    assert request.phone_number.startswith("+")
    assert 4 <= request.shape.length <= 32
    assert len(request.shape.alphabet) >= 7
    assert 3 <= request.validity_period <= account.longest_validity
    is_short = request.shape.length == 4 and request.shape.alphabet.isdigit()
    assert 1 <= request.max_wrong_attempts <= (3 if is_short else 5)
    assert request.sender == "" or (
        request.sender.isascii() and request.sender.isalnum() and 3 <= len(request.sender) <= 11
    )
    assert request.language in VOICE_LANGUAGES
    code = request.shape.alphabet[-1] * request.shape.length
    sent = render_sms(request.text, code, request.validity_period, account.autofill)
    assert code in sent
    assert "{code}" not in sent
    assert len(sent) <= MOST_TEXT
    sent.encode()
    assert len({warning.field for warning in warnings}) == len(warnings)
    shown = [(warning.given, warning.used) for warning in warnings]
    assert len(json.dumps(shown, allow_nan=False).encode()) < 2_000 * (len(shown) + 1)


@given(
    st.dictionaries(
        st.sampled_from(["code", "otp_request_token", "phone_number", "recipient_ip"]), JSON
    ),
    st.sampled_from(["", "GB", "ZZ"]),
)
def test_whatever_json_holds_a_guess_is_read(body: dict[str, object], country: str) -> None:
    guess = read_guess(body, country)
    assert guess.phone_number is None or guess.phone_number.startswith("+")
    assert read_guess({"code": guess.code}).code == guess.code
    guess.token.encode()
