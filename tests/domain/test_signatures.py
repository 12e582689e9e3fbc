"""Standard Webhooks as ours against `standardwebhooks`, the specification's own library."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.domain.signatures import (
    TOLERANCE_SECONDS,
    derive_secret,
    is_secret,
    is_signed,
    sign,
    signed_headers,
)
from chalicelib.domain.times import SECOND, Millis, later

NOW = Millis(1_686_843_045_678)
STAMP = NOW // SECOND
SECRET = derive_secret(b"pepper", "user", 1)
OTHER = derive_secret(b"pepper", "user", 2)
MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
BODY = '{"type":"otp_received","text":"Ваш код 482913"}'.encode()
NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"]


def theirs(secret: str = SECRET, stamp: int = STAMP, body: bytes = BODY) -> dict[str, str]:
    moment = datetime.fromtimestamp(stamp, UTC)
    return {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(stamp),
        "webhook-signature": Webhook(secret).sign(MESSAGE_ID, moment, body.decode()),
    }


def real_now() -> Millis:
    """The library's verify reads the clock itself."""
    return Millis(time.time_ns() // 1_000_000)


def test_both_sides_sign_alike() -> None:
    assert sign(SECRET, MESSAGE_ID, STAMP, BODY) == theirs()["webhook-signature"]
    assert signed_headers([SECRET], MESSAGE_ID, NOW, BODY) == theirs()


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER]])
def test_the_library_accepts_ours(secrets: list[str]) -> None:
    headers = signed_headers(secrets, MESSAGE_ID, real_now(), BODY)
    for secret in secrets:
        Webhook(secret).verify(BODY, headers)


def test_the_library_refuses_ours_if_tampered_with_or_old() -> None:
    now = real_now()
    headers = signed_headers([SECRET], MESSAGE_ID, now, BODY)
    old = signed_headers([SECRET], MESSAGE_ID, later(now, seconds=-302), BODY)
    for secret, given_headers, body in (
        (OTHER, headers, BODY),
        (SECRET, headers, BODY + b" "),
        (SECRET, {**headers, "webhook-id": "msg_other"}, BODY),
        (SECRET, old, BODY),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, given_headers, json_parse=False)


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER]])
def test_ours_accepts_the_librarys_by_either_live_secret(secrets: list[str]) -> None:
    assert is_signed(secrets, theirs(), BODY, NOW)


def test_one_good_signature_among_others_is_enough() -> None:
    headers = theirs()
    good = headers["webhook-signature"]
    for text in (
        f"v1a,xyz {good}",
        f"{good} v1,AAAA",
        f"{theirs(OTHER)['webhook-signature']} {good}",
    ):
        assert is_signed([SECRET], {**headers, "webhook-signature": text}, BODY, NOW)


def test_signatures_are_separated_by_spaces_alone() -> None:
    headers = theirs()
    for space in ("\t", "\n", "\x0b", "\xa0", ","):
        text = f"v1,AAAA{space}{headers['webhook-signature']}"
        assert not is_signed([SECRET], {**headers, "webhook-signature": text}, BODY, NOW)


def test_a_wrong_key_or_none_is_refused() -> None:
    assert not is_signed([OTHER], theirs(), BODY, NOW)
    assert not is_signed([], theirs(), BODY, NOW)


def test_a_tampered_body_is_refused() -> None:
    for body in (BODY + b" ", BODY[:-1], b"", BODY.replace(b"4", b"5")):
        assert not is_signed([SECRET], theirs(), body, NOW)


def test_it_is_fresh_to_the_second_both_ways() -> None:
    for age in (-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS):
        assert is_signed([SECRET], theirs(stamp=STAMP - age), BODY, NOW)
    for age in (-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1):
        assert not is_signed([SECRET], theirs(stamp=STAMP - age), BODY, NOW)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_header_is_refused(name: str) -> None:
    headers = theirs()
    assert not is_signed([SECRET], {**headers, name: ""}, BODY, NOW)
    del headers[name]
    assert not is_signed([SECRET], headers, BODY, NOW)


@pytest.mark.parametrize(
    "stamp",
    [
        f"+{STAMP}",
        f"0{STAMP}",
        f" {STAMP}",
        f"{STAMP}\n",
        f"{STAMP}.0",
        f"{STAMP // 1000}_{STAMP % 1000:03}",
        str(STAMP).translate({48 + n: chr(0xFF10 + n) for n in range(10)}),
        f"-{STAMP}",
        "9" * 5_000,
        "0",
        "nan",
        "1e9",
        "\ud800",
    ],
)
def test_a_timestamp_has_one_spelling(stamp: str) -> None:
    assert not is_signed([SECRET], {**theirs(), "webhook-timestamp": stamp}, BODY, NOW)


@pytest.mark.parametrize("message_id", ["a.b", "a b", "é", "\ud800", "a\n", "\0", "x" * 257])
def test_an_id_that_is_no_id_is_refused_even_if_signed(message_id: str) -> None:
    signed = message_id.encode("utf-8", "surrogatepass") + f".{STAMP}.".encode() + BODY
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    headers = {**theirs(), "webhook-id": message_id, "webhook-signature": f"v1,{digest}"}
    assert not is_signed([SECRET], headers, BODY, NOW)


def test_an_old_body_can_not_lend_its_text_as_a_fresh_timestamp() -> None:
    # id.OLD.…text.FRESH.rest is also (id.OLD.…text).FRESH.rest: the same bytes, a new time.
    old = STAMP - 86_400
    headers = theirs(stamp=old, body=f"x.{STAMP}.rest".encode())
    moved = {**headers, "webhook-id": f"{MESSAGE_ID}.{old}.x", "webhook-timestamp": str(STAMP)}
    assert not is_signed([SECRET], moved, b"rest", NOW)


@pytest.mark.parametrize("bad", ["", "whsec_", "whsec_!!!!", "whsec_A", "é" * 32, "whsec_c2hvcnQ="])
def test_a_worthless_secret_opens_nothing_and_stops_nothing(bad: str) -> None:
    assert not is_secret(bad)
    assert is_signed([bad, SECRET], theirs(), BODY, NOW)
    for key in (b"", b"short", bad.encode()):
        signed = f"{MESSAGE_ID}.{STAMP}.".encode() + BODY
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert not is_signed([bad], {**theirs(), "webhook-signature": f"v1,{digest}"}, BODY, NOW)


def test_secrets_are_read_as_the_library_reads_them() -> None:
    for secret in (SECRET, SECRET.removeprefix("whsec_"), SECRET.rstrip("=")):
        assert is_secret(secret)
        assert is_signed([secret], theirs(secret), BODY, NOW)


def test_a_derived_secret_is_a_secret_of_its_user_and_generation() -> None:
    assert is_secret(SECRET)
    assert derive_secret(b"pepper", "user", 1) == SECRET
    assert (
        len({SECRET, OTHER, derive_secret(b"pepper", "other", 1), derive_secret(b"p", "user", 1)})
        == 4
    )


ANY_TEXT = st.text(st.characters(), max_size=60)


@settings(deadline=None, database=None)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), ANY_TEXT),
    body=st.binary(max_size=60),
    secrets=st.lists(ANY_TEXT | st.just(SECRET), max_size=3),
)
def test_it_never_raises(headers: dict[str, str], body: bytes, secrets: list[str]) -> None:
    is_signed(secrets, {**theirs(), **headers}, body, NOW)
