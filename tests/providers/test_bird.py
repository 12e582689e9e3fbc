"""Bird's new API keeps the contract; its own SDK reads what `standardwebhooks` signs."""

import json
import time
import warnings
from typing import Any

import pytest
from contract_suite import FIXTURES, FUZZ, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standard_webhooks_suite import JSON_VALUES, StandardWebhooksContract

from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import bird, generic
from chalicelib.providers.contract import Reply

DATA = {
    "sms_id": "sms_01krdgeqcxet5s7t44vh8rt9mg",
    "from": "+14155550123",
    "to": "+447700900123",
    "text": "Your code is 482913",
}


def as_json(kind: Any = "sms.received", timestamp: Any = None, **changes: Any) -> bytes:
    named = {name.removeprefix("data."): value for name, value in changes.items()}
    data = {name: value for name, value in {**DATA, **named}.items() if value is not None}
    whole = {"type": kind, "timestamp": timestamp, "data": data}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


class TestBird(ProviderContract):
    name = "bird"
    secret = StandardWebhooksContract.secret
    other_secret = StandardWebhooksContract.other_secret
    worthless_secret = StandardWebhooksContract.worthless_secret
    signed_headers = StandardWebhooksContract.signed_headers
    required_fields = ("type", "data.sms_id", "data.from", "data.to")
    text_field = "data.text"
    window_seconds = 300
    covers_url = False
    reply = Reply("", "text/plain")
    sign = StandardWebhooksContract.sign
    sign_worthlessly = StandardWebhooksContract.sign_worthlessly

    def body(self, **changes: str | None) -> bytes:
        if "type" in changes:
            return as_json(changes.pop("type"), **changes)
        return as_json(**changes)

    def test_it_checks_by_generics_function(self) -> None:
        assert bird.verify is generic.verify

    def test_the_sdk_reads_what_we_read(self) -> None:
        with warnings.catch_warnings():
            # Of pydantic, about a name in one of the SDK's models.
            warnings.simplefilter("ignore")
            from bird import Bird
        webhooks = Bird(api_key="bk_us1_unused", webhook_secret=self.secret).webhooks
        now = Millis(int(time.time()) * SECOND)
        for case in ("code", "attachment_only"):
            body = (FIXTURES / self.name / f"{case}.post").read_bytes()
            post = self.post(body, now)
            assert self.verifies(post, now)
            data = webhooks.unwrap(body, dict(post.headers)).root.data
            (sms,) = self.parse(body)
            read = (sms.message_id, sms.sender, sms.to, sms.text or None)
            assert (data.sms_id, data.from_, data.to, data.text) == read

    @pytest.mark.parametrize("kind", ["sms.delivered", "webhook.test", "SMS.RECEIVED"])
    def test_other_events_hold_no_sms(self, kind: str) -> None:
        assert self.parse(json.dumps({"type": kind}).encode()) == []

    @pytest.mark.parametrize("kind", ["", " ", 7, True, ["sms.received"], {}])
    def test_a_post_that_names_no_event_is_refused(self, kind: Any) -> None:
        self.refuses("type", as_json(kind))

    @pytest.mark.parametrize("field", DATA)
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        self.refuses(f"data.{field}", as_json(**{field: value}))

    @pytest.mark.parametrize("data", [None, [], "text", 7, [DATA]])
    def test_data_that_is_no_object_lacks_its_first_field(self, data: Any) -> None:
        self.refuses("data.sms_id", json.dumps({"type": "sms.received", "data": data}).encode())

    @FUZZ
    @given(
        data=st.dictionaries(st.sampled_from(list(DATA)), JSON_VALUES),
        kind=JSON_VALUES,
        timestamp=JSON_VALUES,
    )
    def test_parse_raises_nothing_else_for_any_json(
        self, data: Any, kind: Any, timestamp: Any
    ) -> None:
        self.check_parse(as_json(timestamp=timestamp, **data))
        self.check_parse(json.dumps({"type": kind, "data": data}).encode())

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field
