"""Spec A's webhook keeps the contract; the signatures are those of `standardwebhooks`."""

import json
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standard_webhooks_suite import JSON_VALUES, MESSAGE_ID, StandardWebhooksContract

from chalicelib.domain.events import sms_event
from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.rental import Message
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import generic, main
from chalicelib.providers.contract import InboundPost, InboundSms

DATA = {
    "phone_number": "+14155552671",
    "otp_code": "482913",
    "provider": "twilio",
    "sms_text": "Your code is 482913",
}


def as_json(event: Any = "otp_received", **changes: Any) -> bytes:
    data = {**DATA, **changes}
    kept = {name: value for name, value in data.items() if value is not None}
    return json.dumps({"event": event, "data": kept}).encode()


class TestMain(ProviderContract):
    name = "main"
    secret = StandardWebhooksContract.secret
    other_secret = StandardWebhooksContract.other_secret
    worthless_secret = StandardWebhooksContract.worthless_secret
    signed_headers = StandardWebhooksContract.signed_headers
    required_fields = ("phone_number", "provider", "sms_text")
    text_field = "sms_text"
    window_seconds = 300
    covers_url = False
    reply = StandardWebhooksContract.reply
    sign = StandardWebhooksContract.sign
    sign_worthlessly = StandardWebhooksContract.sign_worthlessly

    def body(self, **changes: str | None) -> bytes:
        return as_json(**changes)

    def parse(self, body: bytes) -> list[InboundSms]:
        return main.parse(InboundPost(self.url, {"webhook-id": MESSAGE_ID}, body), NOW)

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field

    def test_it_checks_by_generics_functions(self) -> None:
        assert main.verify is generic.verify
        assert main.accepted is generic.accepted

    @pytest.mark.parametrize("code", ["482913", None])
    def test_it_reads_what_a_sesame_sends(self, code: str | None) -> None:
        """What our own webhooks carry, whole."""
        text = "Your code is 482913"
        message = Message("m", "Acme", text, code, None, "generic", NOW, paid=True)
        event = sms_event(UserId("u"), RentalId("r"), E164("+14155552671"), message, NOW)
        assert self.parse(event.body.encode()) == [
            InboundSms(MESSAGE_ID, "generic", "+14155552671", text, NOW)
        ]

    @pytest.mark.parametrize("event", ["rental_expired", "OTP_RECEIVED", "otp_received "])
    def test_other_events_hold_no_sms(self, event: str) -> None:
        assert self.parse(json.dumps({"event": event}).encode()) == []

    @pytest.mark.parametrize("event", [None, "", " ", 7, True, ["otp_received"], {}])
    def test_a_post_that_names_no_event_is_refused(self, event: Any) -> None:
        self.refuses("event", as_json(event))

    @pytest.mark.parametrize("data", [None, [], "text", 7, [DATA]])
    def test_data_that_is_no_object_is_refused(self, data: Any) -> None:
        self.refuses("data", json.dumps({"event": "otp_received", "data": data}).encode())

    @pytest.mark.parametrize("field", ["phone_number", "provider", "sms_text"])
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        self.refuses(field, as_json(**{field: value}))

    def test_without_an_id_a_repeat_could_not_be_told(self) -> None:
        with pytest.raises(MissingInputError) as caught:
            main.parse(InboundPost(self.url, {}, as_json()), NOW)
        assert caught.value.field == "webhook-id"

    @FUZZ
    @given(data=st.dictionaries(st.sampled_from(list(DATA)), JSON_VALUES), event=JSON_VALUES)
    def test_parse_raises_nothing_else_for_any_json(self, data: Any, event: Any) -> None:
        self.check_parse(as_json(**data))
        self.check_parse(json.dumps({"event": event, "data": data}).encode())
