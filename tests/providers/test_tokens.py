"""Tokens are believed if HS256 and one of our secrets signed them; PyJWT is the other side."""

import base64
import hmac
import json
import string
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.providers.tokens import MOST_TOKEN, hs256_claims

SECRET, OTHER = "s" * 64, "o" * 64
CLAIMS = {"iss": "Vonage", "iat": 1_686_843_045, "payload_hash": "é"}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, secret: str = SECRET) -> str:
    signing_input = f"{encoded(header)}.{encoded(payload)}"
    mac = hmac.digest(secret.encode(), signing_input.encode(), "sha256")
    return f"{signing_input}.{encoded(mac)}"


def test_a_token_of_either_live_secret_is_believed() -> None:
    token = jwt.encode(CLAIMS, SECRET, "HS256")
    for secrets in ([SECRET], [SECRET, OTHER], [OTHER, SECRET], ["", SECRET]):
        assert hs256_claims(token, secrets) == CLAIMS
    for secrets in ([], [OTHER], [""]):
        assert hs256_claims(token, secrets) is None


def test_an_empty_secret_opens_nothing() -> None:
    assert hs256_claims(signed(b'{"alg":"HS256"}', b"{}", ""), ["", SECRET]) is None


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    key = "" if algorithm == "none" else SECRET
    assert hs256_claims(jwt.encode(CLAIMS, key, algorithm), [SECRET]) is None


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b"[]",
        b"x",
        b"",
        b'{"alg":"none"}',
        b'{"alg":"hs256"}',
        b'{"alg":["HS256"]}',
        b'{"alg":"RS256"}',
        b'{"alg":"HS256","crit":["exp"]}',
        b'{"alg":"HS256"\xff}',
    ],
)
def test_a_header_that_does_not_say_hs256_is_refused_though_signed(header: bytes) -> None:
    assert hs256_claims(signed(header, b"{}"), [SECRET]) is None
    assert hs256_claims(signed(b'{"alg":"HS256"}', b"{}"), [SECRET]) == {}


@pytest.mark.parametrize("payload", [b"[]", b"7", b"\xff", b"{", b'{"a":NaN}', b"[" * 5_000])
def test_claims_that_are_no_object_are_refused_though_signed(payload: bytes) -> None:
    assert hs256_claims(signed(b'{"alg":"HS256"}', payload), [SECRET]) is None


def test_parts_that_are_no_base_64_are_refused_though_signed() -> None:
    header = encoded(b'{"alg":"HS256"}')
    for signing_input in ("A.A", f"{header}.A", f"A.{header}"):
        mac = encoded(hmac.digest(SECRET.encode(), signing_input.encode(), "sha256"))
        assert hs256_claims(f"{signing_input}.{mac}", [SECRET]) is None


def test_every_changed_character_is_refused() -> None:
    token = jwt.encode(CLAIMS, SECRET, "HS256")
    for at, char in enumerate(token):
        # All 64 for the last one, of which some bits are not read.
        alphabet = string.ascii_letters + string.digits + "-_"
        others = alphabet if at == len(token) - 1 else "A_.=\0é"
        for other in set(others) - {char}:
            assert hs256_claims(token[:at] + other + token[at + 1 :], [SECRET]) is None
        assert hs256_claims(token[:at] + token[at + 1 :], [SECRET]) is None


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c\n", "é.é.é", "\ud800"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert hs256_claims(token, [SECRET]) is None


def test_a_token_has_a_longest_length() -> None:
    def padded(length: int) -> str:
        return signed(b'{"alg":"HS256"}', json.dumps({"a": "x" * length}).encode())

    longest = max((n for n in range(6_000, 6_200) if len(padded(n)) <= MOST_TOKEN), default=0)
    assert hs256_claims(padded(longest), [SECRET]) is not None
    assert hs256_claims(padded(longest + 1), [SECRET]) is None


@settings(deadline=None, database=None)
@given(
    claims=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.booleans()
    ),
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=32),
)
def test_it_reads_what_pyjwt_signs(claims: dict[str, Any], secret: str) -> None:
    signing = {name: value for name, value in claims.items() if name not in ("iss", "sub", "jti")}
    assert hs256_claims(jwt.encode(signing, secret, "HS256"), [secret]) == signing
