"""Sinch keeps the contract; the signatures are those of Sinch's own SDK."""

import json
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import InboundPost, Reply

HEADER = "x-sinch-webhook-signature"
NONCE = "01FJA8B4A7BM43YGWSG9GBV067"
FIELDS: dict[str, Any] = {
    "type": "mo_text",
    "id": "01FC66621XXXXX119Z8PMV1QPQ",
    "from": "14155550123",
    "to": "447700900123",
    "body": "Your code is 482913",
    "received_at": "2023-06-15T15:29:45.250Z",
}


def as_json(**changes: Any) -> bytes:
    fields = {**FIELDS, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


class TestSinch(ProviderContract):
    name = "sinch"
    secret = "foo_secret1234"
    other_secret = "bar_secret5678"
    worthless_secret = ""
    signed_headers = (HEADER, f"{HEADER}-nonce", f"{HEADER}-timestamp")
    required_fields = ("type", "id", "from", "to", "body")
    text_field = "body"
    window_seconds = 300
    covers_url = False
    reply = Reply("", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

        stamp = str(now // SECOND)
        # Imported here: it takes two seconds, and every worker collects every module.
        from sinch.domains.authentication.sinch_events.v1 import authentication_validation as sdk

        signed = sdk.compute_signed_data(body.decode(), NONCE, stamp)
        headers = {
            HEADER: sdk.calculate_sinch_event_signature(signed, secret),
            f"{HEADER}-nonce": NONCE,
            f"{HEADER}-timestamp": stamp,
            f"{HEADER}-algorithm": "HmacSHA256",
        }
        if secret:
            assert SmsSinchEvent(secret).validate_authentication_header(headers, body.decode())
        return headers

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, "", url, now)

    def body(self, **changes: str | None) -> bytes:
        return as_json(**changes)

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field

    def test_the_sdk_reads_what_we_read(self) -> None:
        from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

        for case in self.cases():
            event = SmsSinchEvent().parse_event(case.read_text("utf-8"))
            for sms in self.parse(case.read_bytes()):
                assert (event.id, event.from_, event.to) == (sms.message_id, sms.sender, sms.to)

    def test_the_end_of_a_body_does_not_pass_for_the_nonce(self) -> None:
        from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

        body = as_json(body="a.b").replace(b" ", b"")
        post = self.post(body)
        at = body.index(b".b")
        nonce = f"{body[at + 1 :].decode()}.{NONCE}"
        headers = {**post.headers, f"{HEADER}-nonce": nonce}
        event = SmsSinchEvent(self.secret)
        assert event.validate_authentication_header(headers, body[:at].decode())
        assert not self.verifies(InboundPost(self.url, headers, body[:at]))

    @pytest.mark.parametrize("kind", ["delivery_report_sms", "recipient_delivery_report_sms", "x"])
    def test_other_callbacks_hold_no_sms(self, kind: str) -> None:
        assert self.parse(json.dumps({"type": kind}).encode()) == []

    @pytest.mark.parametrize(
        ("content", "expected"), [("AwHvzQ==", "0301efcd"), ("", ""), ("SGVsbG8=", "48656c6c6f")]
    )
    def test_a_binary_sms_is_its_content_in_hexadecimal(self, content: str, expected: str) -> None:
        assert self.parse(as_json(type="mo_binary", body=content))[0].text == expected

    @pytest.mark.parametrize("content", ["A", "AwE", "A*==", "é", "=" * 8])
    def test_a_binary_sms_that_is_no_base_64_is_refused(self, content: str) -> None:
        self.refuses("body", as_json(type="mo_binary", body=content))

    @pytest.mark.parametrize(
        ("content", "expected"),
        [({"message": "Code 4829"}, "Code 4829"), ({}, ""), ({"message": None, "media": []}, "")],
    )
    def test_an_mms_is_its_message(self, content: Any, expected: str) -> None:
        assert self.parse(as_json(type="mo_media", body=content))[0].text == expected

    @pytest.mark.parametrize("content", ["text", 7, [], {"message": 7}, {"message": ["a"]}])
    def test_an_mms_that_can_not_be_read_is_refused(self, content: Any) -> None:
        self.refuses("body", as_json(type="mo_media", body=content))

    @pytest.mark.parametrize("field", ["type", "id", "from", "to", "body"])
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        self.refuses(field, as_json(**{field: value}))

    @pytest.mark.parametrize("stamp", [None, "", "yesterday", 7, "2099-01-01T00:00:00Z"])
    def test_a_time_that_can_not_be_read_costs_no_sms(self, stamp: Any) -> None:
        assert self.parse(as_json(received_at=stamp))[0].received_at == NOW

    @FUZZ
    @given(
        fields=st.dictionaries(st.sampled_from([*FIELDS]), JSON_VALUES),
        kind=st.sampled_from(["mo_text", "mo_binary", "mo_media"]),
    )
    def test_parse_raises_nothing_else_for_any_json(self, fields: Any, kind: str) -> None:
        self.check_parse(json.dumps({**FIELDS, "type": kind, **fields}).encode())
