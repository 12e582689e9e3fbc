import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.otp import Alphabets, CodeShape
from chalicelib.domain.otp_codes import (
    SPECIALS,
    code_digest,
    derive_code,
    is_bound,
    is_token,
    shape_of,
    ticket_token,
)

PEPPER = b"p" * 32
DIGITS = CodeShape(6, string.digits)
ALL = Alphabets(upper_case=True, lower_case=True, special_chars=True, without_confusing=True)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


def token(number: str = "1", *, user: str = "u", bound: bool = False) -> str:
    return ticket_token(PEPPER, user, number, bound_to_ip=bound)


def test_an_alphabet_is_made_of_what_is_allowed() -> None:
    assert shape_of(6, Alphabets()) == DIGITS
    assert shape_of(8, Alphabets(digits=False, special_chars=True)).alphabet == "!#$%&?@"
    everything = shape_of(9, Alphabets(upper_case=True, lower_case=True, special_chars=True))
    assert everything.alphabet == string.digits + string.ascii_uppercase + (
        string.ascii_lowercase + SPECIALS
    )


@pytest.mark.parametrize("bits", range(32))
def test_no_alphabet_is_empty_or_has_a_character_twice(bits: int) -> None:
    allowed = [bool(bits >> bit & 1) for bit in range(5)]
    alphabet = shape_of(6, Alphabets(*allowed)).alphabet
    assert len(alphabet) == len(set(alphabet)) >= 7
    if allowed[4]:
        assert not set(alphabet) & set("0Oo1lI")


# The quantiles are those of chi-square at 0.9999 with n - 1 degrees of freedom; the pepper is
# fixed, so these either hold or do not, whenever they run.
@pytest.mark.parametrize(
    ("shape", "codes", "most"), [(DIGITS, 200_000, 33.72), (shape_of(6, ALL), 200_000, 112.3)]
)
def test_200_000_codes_are_uniform_in_every_place(
    shape: CodeShape, codes: int, most: float
) -> None:
    made = [derive_code(PEPPER, f"otp_{number}", shape) for number in range(codes)]
    for place in zip(*made, strict=True):
        assert chi_square(Counter(place), shape.alphabet) < most


def test_places_do_not_depend_on_each_other() -> None:
    shape = CodeShape(4, "abcd")
    pairs = [f"{a}{b}" for a in "abcd" for b in "abcd"]
    made = [derive_code(PEPPER, f"otp_{number}", shape) for number in range(50_000)]
    for place in range(3):
        counts = Counter(code[place : place + 2] for code in made)
        assert chi_square(counts, pairs) < 44.26


def chi_square(counts: Counter[str], outcomes: str | list[str]) -> float:
    assert set(counts) <= set(outcomes)
    expected = sum(counts.values()) / len(outcomes)
    return sum((counts[outcome] - expected) ** 2 / expected for outcome in outcomes)


@given(number=ANY_TEXT, length=st.integers(4, 32), bits=st.integers(0, 31))
def test_a_code_has_its_shape_and_is_the_same_each_time(
    number: str, length: int, bits: int
) -> None:
    shape = shape_of(length, Alphabets(*(bool(bits >> bit & 1) for bit in range(5))))
    code = derive_code(PEPPER, number, shape)
    assert len(code) == length
    assert set(code) <= set(shape.alphabet)
    assert derive_code(PEPPER, number, shape) == code


def test_another_pepper_makes_other_codes_tokens_and_digests() -> None:
    other = b"q" * 32
    shape = CodeShape(32, string.digits)
    assert derive_code(PEPPER, "otp_a", shape) != derive_code(other, "otp_a", shape)
    assert ticket_token(PEPPER, "u", "1", bound_to_ip=False) != (
        ticket_token(other, "u", "1", bound_to_ip=False)
    )
    assert code_digest(PEPPER, "t", "123456") != code_digest(other, "t", "123456")


def test_a_token_has_its_form_and_says_whether_it_is_bound() -> None:
    for bound in (False, True):
        made = token(bound=bound)
        assert is_token(made)
        assert is_bound(made) is bound
        assert made == token(bound=bound)
    assert token().startswith("otp_")
    assert len(token()) == 47
    assert token(bound=True)[5:] != token()[4:]


def test_every_user_and_number_has_a_token_of_its_own() -> None:
    made = {token(str(number), user=user) for number in range(200) for user in ("a", "a1", "")}
    assert len(made) == 600
    # Neither can be passed off as part of the other.
    assert token("1b", user="a") != token("b", user="a1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "otp_",
        token()[:-1],
        token() + "A",
        token() + "\n",
        token().replace("otp_", "otpx_"),
        token()[:-1] + "B",
        token()[:-1] + "é",
        "otp_" + "٣" * 43,
        "\ud800",
    ],
)
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert not is_token(text)


@given(st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT), st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT))
def test_two_triples_have_one_digest_only_if_they_are_the_same(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (code_digest(PEPPER, *one) == code_digest(PEPPER, *other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c", ""), ("a", "bc", "")),
        (("a", "b", "c"), ("a", "bc", "")),
        (("a", "b\0", "c"), ("a", "b", "\0c")),
        (("a", "", "b"), ("a", "b", "")),
        (("t", "\ud800", ""), ("t", "\ufffd", "")),
        (("t", "\ud83d\ude00", ""), ("t", "😀", "")),
    ],
)
def test_parts_of_a_digest_can_not_be_shifted(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert code_digest(PEPPER, *one) != code_digest(PEPPER, *other)


def test_i8_a_digest_shows_neither_code_nor_the_bytes_that_make_it() -> None:
    made = token()
    code = derive_code(PEPPER, made, DIGITS)
    assert code not in made
    assert code_digest(PEPPER, made, code) != code_digest(PEPPER, made, "0")
    # Purposes of their own: a digest is never the stream that a code comes from.
    assert code_digest(PEPPER, made, "0") != code_digest(PEPPER, "0", made)
