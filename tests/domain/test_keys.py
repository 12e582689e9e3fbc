import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import keys
from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.times import Millis

USER = UserId(new_ulid(Millis(1_700_000_000_000)))
KEY = keys.new_key(USER)


def test_a_key_says_whose_it_is() -> None:
    parsed = keys.parse_key(KEY)
    assert parsed is not None
    assert parsed.user_id == USER
    assert parsed.key_hash == hashlib.sha256(KEY.encode()).hexdigest() == keys.hash_key(KEY)


def test_keys_of_one_user_differ_all_over() -> None:
    made = {keys.new_key(USER) for _ in range(200)}
    assert len({key.split("_")[2][:8] for key in made}) == 200
    assert all(keys.parse_key(key) is not None for key in made)


def test_i8_what_is_shown_of_a_key_hides_its_secret() -> None:
    shown = keys.shown_prefix(KEY)
    secret = KEY.split("_")[2]
    assert KEY.startswith(shown)
    assert shown.endswith(f"_{secret[:4]}")
    assert secret[:5] not in shown


@given(
    at=st.integers(0, len(KEY) - 1),
    char=st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_- é٣"),
)
def test_a_key_with_one_wrong_character_is_refused_without_a_read(at: int, char: str) -> None:
    wrong = KEY[:at] + char + KEY[at + 1 :]
    assert (keys.parse_key(wrong) is None) == (wrong != KEY)


@given(at=st.integers(0, len(KEY) - 2))
def test_two_characters_swapped_are_refused(at: int) -> None:
    wrong = KEY[:at] + KEY[at + 1] + KEY[at] + KEY[at + 2 :]
    assert (keys.parse_key(wrong) is None) == (wrong != KEY)


@pytest.mark.parametrize(
    "text",
    ["", " ", "sesame", f"{KEY}\n", f" {KEY}", KEY[:-1], f"{KEY}0", KEY.swapcase(), "é" * 83],
    ids=len,
)
def test_junk_is_refused_without_a_read(text: str) -> None:
    assert keys.parse_key(text) is None


@given(st.text(max_size=100))
def test_no_text_makes_it_raise(text: str) -> None:
    assert keys.parse_key(text) is None


def test_a_key_is_compared_by_its_hash() -> None:
    assert keys.is_same("the-admin-key", keys.hash_key("the-admin-key"))
    assert not keys.is_same("the-admin-kez", keys.hash_key("the-admin-key"))
    assert not keys.is_same("", keys.hash_key("the-admin-key"))
    assert not keys.is_same("é", keys.hash_key("the-admin-key"))
