import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.code_finder import find_code
from chalicelib.domain.countries import find
from chalicelib.domain.otp import VOICE_LANGUAGES, Autofill, OtpDefaults
from chalicelib.domain.otp_codes import SPECIALS
from chalicelib.domain.otp_templates import BUILT_IN, main_language, template_for
from chalicelib.domain.otp_text import (
    autofill_length,
    fitted,
    render_sms,
    render_voice,
    rendered_length,
)
from chalicelib.domain.segments import Encoding, encoding_of, segment_count

NONE = Autofill()
GSM_LANGUAGES = {"en", "sv", "de", "es", "fr", "it", "nl", "da", "nb", "fi", "id", "ro"}
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
PARTS = st.lists(
    st.sampled_from(
        ["{code}", "{hh:mm:ss}", "{", "}", "code", "e\u0301", "👩\u200d🚀", "🇩🇪", "👍🏽", " "]
    )
    | ANY_TEXT,
    max_size=60,
)


@pytest.mark.parametrize("language", BUILT_IN)
def test_a_built_in_text_is_one_sms_whose_code_is_found(language: str) -> None:
    text = render_sms(BUILT_IN[language], "482913", 300, NONE)
    assert segment_count(text) == 1
    assert text.count("482913") == 1
    assert "00:05:00" in text
    found = find_code(text)
    assert found is not None
    assert found.code == "482913"


@pytest.mark.parametrize("language", sorted(GSM_LANGUAGES))
def test_a_text_of_a_language_that_gsm_can_write_uses_nothing_else(language: str) -> None:
    assert encoding_of(render_sms(BUILT_IN[language], "482913", 300, NONE)) is Encoding.GSM7


def test_every_language_of_a_voice_has_a_text() -> None:
    assert {language.partition("-")[0] for language in VOICE_LANGUAGES} <= set(BUILT_IN)


@pytest.mark.parametrize(
    ("language", "country", "own", "used"),
    [
        ("pt-BR", "DE", OtpDefaults(), BUILT_IN["pt"]),
        ("PT", "DE", OtpDefaults(), BUILT_IN["pt"]),
        ("", "DE", OtpDefaults(), BUILT_IN["de"]),
        ("", "US", OtpDefaults(), BUILT_IN["en"]),
        ("", "", OtpDefaults(), BUILT_IN["en"]),
        ("tlh", "DE", OtpDefaults(), BUILT_IN["en"]),
        ("", "DE", OtpDefaults(text="own {code}"), "own {code}"),
        ("", "DE", OtpDefaults(text="own", texts={"de": "eigen"}), "eigen"),
        ("fr", "DE", OtpDefaults(text="own", texts={"de": "eigen"}), "own"),
        ("fr", "DE", OtpDefaults(texts={"de": "eigen"}), BUILT_IN["fr"]),
        ("tlh", "DE", OtpDefaults(texts={"tlh": "Hab {code}"}), "Hab {code}"),
    ],
)
def test_a_recipient_gets_the_accounts_text_before_ours(
    language: str, country: str, own: OtpDefaults, used: str
) -> None:
    assert template_for(language, country, own) == used


def test_countries_with_a_language_are_countries() -> None:
    for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            if main_language(first + second) != "en":
                assert find(first + second) is not None, first + second


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(3, "00:00:03"), (300, "00:05:00"), (3_600, "01:00:00"), (86_399, "23:59:59")],
)
def test_the_validity_is_written_in_hours_minutes_and_seconds(seconds: int, written: str) -> None:
    assert render_sms("{code} {hh:mm:ss}", "1234", seconds, NONE) == f"1234 {written}"


def test_nothing_that_is_filled_in_is_expanded_again() -> None:
    assert render_sms("{{code}} {code", "{hh:mm:ss}", 5, NONE) == "{{hh:mm:ss}} {code"
    assert render_sms("{c{code}ode}", "", 5, NONE) == "{code}"
    assert render_sms("{0} %s {x} \\1 {code}", "1", 5, NONE) == "{0} %s {x} \\1 1"
    assert render_sms("{code}", "1", 5, Autofill("{code}xxxxx")) == "1\n{code}xxxxx"


def test_autofill_lines_come_last_and_apples_after_androids() -> None:
    both = Autofill("FA+9qCX9VSu", "example.com")
    text = render_sms("Code {code}", "482913", 300, both)
    assert text == "Code 482913\nFA+9qCX9VSu\n@example.com #482913"
    assert render_sms("{code}", "1", 5, Autofill(android_hash="FA+9qCX9VSu")) == "1\nFA+9qCX9VSu"
    assert render_sms("{code}", "1", 5, Autofill(apple_domain="a.org")) == "1\n@a.org #1"
    assert autofill_length(both, 6) == len(text) - len("Code 482913")
    assert autofill_length(NONE, 6) == 0


@pytest.mark.parametrize(
    ("template", "most", "used"),
    [
        ("Code {code}", 11, "Code {code}"),
        ("Code {code}", 10, "Cod {code}"),
        ("Hello", 100, "Hello {code}"),
        ("Hello  ", 100, "Hello {code}"),
        ("", 100, "{code}"),
        ("Hello", 7, "{code}"),
        ("Hello", 6, "{code}"),
        ("{code} and more", 10, "{code} and"),
        ("{code} {hh:mm:ss}!", 14, "{code} "),
        ("{code} {hh:mm:ss}!", 15, "{code} {hh:mm:ss}"),
        ("{code}xe\u0301", 8, "{code}x"),
        ("{code}xe\u0301", 9, "{code}xe\u0301"),
        ("{code}👩\u200d🚀", 8, "{code}"),
        ("{code}👍🏽", 7, "{code}"),
        ("{code}🇩🇪🇫🇷", 9, "{code}🇩🇪"),
        ("{code}❤\ufe0f", 7, "{code}"),
        ("{code}क्षि", 9, "{code}क्ष"[:-1]),
        ("{code}{code}{code}", 17, "{code}{code}"),
    ],
)
def test_a_text_is_cut_between_characters_and_keeps_its_code(
    template: str, most: int, used: str
) -> None:
    assert fitted(template, 6, most) == used


def test_a_character_of_endless_marks_is_cut_where_it_is() -> None:
    assert fitted("{code}a" + "\u0301" * 500, 6, 100) == "{code}a" + "\u0301" * 93


@given(parts=PARTS, code_length=st.integers(4, 32), most=st.integers(40, 200))
def test_a_fitted_text_is_not_too_long_and_keeps_what_it_can(
    parts: list[str], code_length: int, most: int
) -> None:
    template = "".join(parts)
    used = fitted(template, code_length, most)
    assert "{code}" in used
    assert rendered_length(used, code_length, NONE) <= most
    assert fitted(used, code_length, most) == used
    if "{code}" in template and rendered_length(template, code_length, NONE) <= most:
        assert used == template


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en-GB", "Code 4, 0. 5 minutes. Again: 4, 0."),
        ("de-DE", "Code 4, 0. 5 Minuten. Ich wiederhole: 4, 0."),
        ("es-LA", "Code 4, 0. 5 minutos. Repito: 4, 0."),
        ("ru-RU", "Code 4, 0. 5 минут. Повторяю: 4, 0."),
        ("tlh", "Code 4, 0. 5 minutes. Again: 4, 0."),
    ],
)
def test_a_code_is_spelled_twice_with_pauses(language: str, spoken: str) -> None:
    assert render_voice("Code {code}. {hh:mm:ss}.", "40", 300, language) == spoken


@pytest.mark.parametrize("language", VOICE_LANGUAGES)
def test_every_character_of_a_code_can_be_told_by_ear(language: str) -> None:
    said = [render_voice("{code}", character, 60, language) for character in f"0aA{SPECIALS}"]
    assert len(set(said)) == len(said)
    for character, text in zip(SPECIALS, said[3:], strict=True):
        assert character not in text.removesuffix(".").replace("?", "") or character == "?"


def test_specials_and_cases_are_spoken_as_words() -> None:
    assert render_voice("{code}", "aB#@", 60, "en-US") == (
        "small a, capital B, hash sign, at sign Again: small a, capital B, hash sign, at sign."
    )


def test_a_template_of_many_codes_is_no_endless_call() -> None:
    assert render_voice("{code} {code} {code}!", "12", 60, "en-US") == "1, 2 1, 2 !"
    assert len(render_voice("{code}" * 200, "@" * 32, 60, "es-ES")) < 4_000


@pytest.mark.parametrize(
    ("seconds", "language", "spoken"),
    [
        (1, "en-US", "1 second"),
        (60, "en-US", "1 minute"),
        (90, "en-US", "1 minute and 30 seconds"),
        (3_723, "en-US", "1 hour, 2 minutes and 3 seconds"),
        (0, "en-US", "0 seconds"),
        (3_600, "fr-FR", "1 heure"),
        (60, "ru-RU", "1 минуту"),
        (120, "ru-RU", "2 минуты"),
        (660, "ru-RU", "11 минут"),
        (720, "ru-RU", "12 минут"),
        (1_260, "ru-RU", "21 минуту"),
        (1_320, "ru-RU", "22 минуты"),
        (1_260, "pl-PL", "21 minut"),
        (1_320, "pl-PL", "22 minuty"),
        (720, "pl-PL", "12 minut"),
    ],
)
def test_a_length_of_time_is_spoken_in_words(seconds: int, language: str, spoken: str) -> None:
    said = render_voice("{hh:mm:ss}|{code}{code}", "1", seconds, language)
    assert said.partition("|")[0] == spoken


@given(PARTS, st.text(max_size=8), st.integers(-5, 4_000), st.text(max_size=8))
def test_no_text_makes_rendering_raise(
    parts: list[str], code: str, seconds: int, language: str
) -> None:
    template = "".join(parts)
    assert "{code}" not in render_sms(template, "1", seconds, NONE).replace("{1", "")
    assert isinstance(render_voice(template, code, seconds, language), str)
