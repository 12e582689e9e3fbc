"""The contract for providers that post the generic JSON, signed by Standard Webhooks."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import Reply

MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
FIELDS = {
    "message_id": "gw-1",
    "from": "+14155550123",
    "to": "+447700900123",
    "text": "Your code is 482913",
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


class StandardWebhooksContract(ProviderContract):
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    other_secret = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
    worthless_secret = "whsec_"
    signed_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    required_fields = ("message_id", "from", "to", "text")
    text_field = "text"
    window_seconds = 300
    covers_url = False
    reply = Reply('{"status":"success"}', "application/json")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        moment = datetime.fromtimestamp(now // SECOND, UTC)
        return {
            "webhook-id": MESSAGE_ID,
            "webhook-timestamp": str(now // SECOND),
            "webhook-signature": Webhook(secret).sign(MESSAGE_ID, moment, body.decode()),
        }

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        # The SDK refuses to sign by an empty key; an attacker would not.
        signed = f"{MESSAGE_ID}.{now // SECOND}.".encode() + body
        digest = hmac.new(b"", signed, hashlib.sha256).digest()
        headers = self.sign(body, self.secret, url, now)
        return {**headers, "webhook-signature": "v1," + base64.b64encode(digest).decode()}

    def body(self, **changes: str | None) -> bytes:
        return as_json(**changes)

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        self.refuses(field, as_json(**{field: value}))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"null",
            b"7",
            b"{'a': 1}",
            b'{"a": NaN}',
            b'{"a": -Infinity}',
            b'{"a": ' + b"9" * 5_000 + b"}",
            b"[" * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            b'{"text": "\xff"}',
            b'{"text": "\xed\xa0\x80"}',
            b"\xef\xbb\xbf{}",
            b"message_id=gw-1&from=a&to=b&text=c",
        ],
        ids=lambda body: body[:12],
    )
    def test_what_is_no_json_object_is_refused_as_the_body(self, body: bytes) -> None:
        self.refuses("body", body)

    def test_lone_surrogates_are_replaced_in_text_and_refused_in_ids(self) -> None:
        for escape in ("\ud800", "\udfff", "\ude00\ud83d"):
            text = self.parse(as_json(text=f"a{escape}b"))[0].text
            assert text == "a" + "\ufffd" * len(escape) + "b"
            self.refuses("message_id", as_json(message_id=f"a{escape}b"))
        assert self.parse(as_json(text="\ud83d\udd10"))[0].text == "🔐"

    @pytest.mark.parametrize("message_id", ["a\0", "a\n", "a\u200b", "a\u202e", "x" * 201])
    def test_a_message_id_that_makes_no_key_is_refused(self, message_id: str) -> None:
        self.refuses("message_id", as_json(message_id=message_id))

    def test_a_message_id_may_have_200_characters(self) -> None:
        assert self.parse(as_json(message_id="x" * 200))[0].message_id == "x" * 200

    @pytest.mark.parametrize(
        ("given_time", "expected"),
        [
            (None, NOW),
            ("2023-06-15T15:29:45Z", 1_686_842_985_000),
            ("2023-06-15T15:29:45.123456789Z", 1_686_842_985_123),
            ("2023-06-15 17:29:45+02:00", 1_686_842_985_000),
            ("2023-06-15T15:29:45", 1_686_842_985_000),
            (1_686_842_985, 1_686_842_985_000),
            (1_686_842_985.25, 1_686_842_985_250),
            (946_684_800, 946_684_800_000),
            (NOW // SECOND + 60, NOW),
            ((NOW + DAY) / SECOND, NOW),
        ],
    )
    def test_received_at_is_read(self, given_time: Any, expected: int) -> None:
        assert self.parse(as_json(received_at=given_time))[0].received_at == expected

    @pytest.mark.parametrize(
        "given_time",
        [
            "",
            "yesterday",
            "2023-06-15T25:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "1999-12-31T23:59:59Z",
            "1686842985",
            "\uff12\uff10\uff12\uff13-06-15T15:29:45Z",
            "\ud800",
            True,
            [],
            {},
            0,
            -1,
            946_684_799,
            (NOW + DAY) // SECOND + 1,
            NOW,
            10**400,
            -(10**400),
            1e308,
        ],
    )
    def test_an_absurd_received_at_is_refused(self, given_time: Any) -> None:
        self.refuses("received_at", as_json(received_at=given_time))

    def test_a_number_too_large_for_a_float_is_refused(self) -> None:
        body = as_json(received_at=7).replace(b": 7", b": 1e999")
        self.refuses("received_at", body)

    @FUZZ
    @given(fields=st.dictionaries(st.sampled_from([*FIELDS, "received_at"]), JSON_VALUES))
    def test_parse_raises_nothing_else_for_any_json(self, fields: dict[str, Any]) -> None:
        self.check_parse(json.dumps({**FIELDS, **fields}).encode())

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field


def as_json(**changes: Any) -> bytes:
    fields = {**FIELDS, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
