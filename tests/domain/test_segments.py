import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.segments import Encoding, encoding_of, segment_count

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 1224, 8),
        ("a" * 1225, 9),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "€", 2),
        ("a" * 158 + "€", 1),
        # 153 septets hold 76 of two: one septet of each SMS stays empty.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # 67 units hold 33 pairs.
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("ж" * 66 + "😀" + "ж" * 66, 3),
        ("ж" * 66 + "😀" + "ж" * 65, 2),
        ("a" * 70 + "ж", 2),
        ("\ud800" * 70, 1),
        ("\ud800" * 71, 2),
    ],
)
def test_a_text_takes_as_many_sms_as_its_encoding_makes_it(text: str, segments: int) -> None:
    assert segment_count(text) == segments


def test_the_default_alphabet_has_its_127_characters_and_ten_more_of_two_septets() -> None:
    assert len(set(GSM)) == 127
    for character in GSM:
        assert encoding_of(character) is Encoding.GSM7
        assert segment_count(character * 160) == 1
    for character in "\f^{}\\[~]|€":
        assert encoding_of(character) is Encoding.GSM7
        assert segment_count(character * 80) == 1
        assert segment_count(character * 81) == 2


@pytest.mark.parametrize(
    "character", ["ç", "`", "\t", "\x1b", "ё", "Á", "á", "“", "\u2019", "…", "\u2013", "😀"]
)
def test_one_character_outside_the_default_alphabet_makes_a_text_ucs2(character: str) -> None:
    assert encoding_of("a" * 100 + character) is Encoding.UCS2
    assert segment_count("a" * 100 + character) == 2


@given(st.text(max_size=400), st.text(max_size=20))
def test_a_longer_text_never_takes_fewer_sms(text: str, more: str) -> None:
    assert 1 <= segment_count(text) <= segment_count(text + more)
