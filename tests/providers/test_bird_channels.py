"""Bird's Channels API keeps the contract, signed as its documentation says: it has no SDK."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import SECOND, Millis, later
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import bird_channels
from chalicelib.providers.contract import InboundPost, Reply

FIELDS = {
    "id": "96a0b5fa-a986-453d-be5c-3117f989f025",
    "sender": {"contact": {"identifierValue": "+14155550123"}},
    "body": {"type": "text", "text": {"text": "Your code is 482913"}},
}


def as_json(event: Any = "sms.inbound", **payload: Any) -> bytes:
    return json.dumps({"event": event, "payload": {**FIELDS, **payload}}).encode()


class TestBirdChannels(ProviderContract):
    name = "bird_channels"
    secret = "KeV+/HGoIQrxuE5YPCRR6AuQOJveldYNNhbVi1i22qk="
    other_secret = "LeV+/HGoIQrxuE5YPCRR6AuQOJveldYNNhbVi1i22qk="
    worthless_secret = ""
    signed_headers = ("messagebird-request-timestamp", "messagebird-signature")
    required_fields = (
        "event",
        "payload.id",
        "payload.sender.contact.identifierValue",
        "payload.body.type",
        "payload.body.text.text",
    )
    text_field = "payload.body.text.text"
    window_seconds = None
    covers_url = True
    reply = Reply("", "text/plain")

    @property
    def url(self) -> str:
        return "https://sesame.example/inbound/bird_channels/main?to=447700900123"

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        stamp = str(now // SECOND)
        lines = [stamp.encode(), url.encode(), hashlib.sha256(body).digest()]
        digest = hmac.new(secret.encode(), b"\n".join(lines), hashlib.sha256).digest()
        return {
            "messagebird-request-timestamp": stamp,
            "messagebird-signature": base64.b64encode(digest).decode(),
        }

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, "", url, now)

    def body(self, **changes: str | None) -> bytes:
        tree = json.loads(as_json())
        for path, value in changes.items():
            *parents, name = path.split(".")
            branch = tree
            for parent in parents:
                branch = branch[parent]
            branch[name] = value
        return json.dumps(tree).encode()

    def test_a_replay_outside_the_window_is_refused(self) -> None:
        # Not the same both ways: Bird's repeats carry the time of its first attempt.
        post = self.post(self.body())
        whole = Millis(NOW - NOW % SECOND)
        for seconds in (-300, 0, 8 * 3_600, 86_400):
            assert self.verifies(post, later(whole, seconds=seconds)), seconds
        for seconds in (-301, 86_401, 10 * 365 * 86_400):
            assert not self.verifies(post, later(whole, seconds=seconds)), seconds

    def test_a_signature_made_elsewhere_is_accepted(self) -> None:
        # By OpenSSL: the same lines through `openssl dgst -sha256 -hmac`.
        url = "https://example.com/webhook?to=447700900123"
        headers = {
            "messagebird-request-timestamp": "1686843045",
            "messagebird-signature": "GwNPY3/sAQP6TU2MpWA86NrMvo7nfh1iq4u83Sikz9Y=",
        }
        post = InboundPost(url, headers, b'{"event":"sms.inbound"}')
        assert bird_channels.verify(post, self.account("secureSigningKey"), NOW)

    def test_the_number_is_the_one_in_the_url(self) -> None:
        post = self.post(self.body())
        for query, number in (
            ("to=447700900124", "447700900124"),
            ("to=%2B447700900124", "+447700900124"),
            ("a=b&to=447700900124&c=d", "447700900124"),
        ):
            url = f"{self.url.partition('?')[0]}?{query}"
            (sms,) = bird_channels.parse(replace(post, url=url), NOW)
            assert sms.to == number

    @pytest.mark.parametrize("query", ["", "?", "?to=", "?To=447700900123"])
    def test_a_url_without_our_number_is_refused(self, query: str) -> None:
        url = f"{self.url.partition('?')[0]}{query}"
        with pytest.raises(MissingInputError) as caught:
            bird_channels.parse(replace(self.post(self.body()), url=url), NOW)
        assert caught.value.field == "to"

    @pytest.mark.parametrize("url", ["http://[", "\ud800?to=%FF", "?" + "a=b&" * 10_000])
    def test_an_absurd_url_is_refused(self, url: str) -> None:
        with pytest.raises(InvalidInputError):
            bird_channels.parse(replace(self.post(as_json()), url=url + "&to="), NOW)

    def test_a_lone_surrogate_is_not_taken_for_a_question_mark(self) -> None:
        post = self.post(self.body())
        assert not self.verifies(replace(post, url=self.url.replace("?", "\ud800")))

    @pytest.mark.parametrize("stamp", ["01686843045", "+1686843045", "1686843045.0", "-1", "0"])
    def test_a_timestamp_of_another_spelling_is_refused(self, stamp: str) -> None:
        body = self.body()
        lines = [stamp.encode(), self.url.encode(), hashlib.sha256(body).digest()]
        digest = hmac.new(self.secret.encode(), b"\n".join(lines), hashlib.sha256).digest()
        headers = {
            "messagebird-request-timestamp": stamp,
            "messagebird-signature": base64.b64encode(digest).decode(),
        }
        assert not self.verifies(InboundPost(self.url, headers, body))

    @pytest.mark.parametrize("event", ["sms.outbound", "whatsapp.inbound", "SMS.INBOUND"])
    def test_other_events_hold_no_sms(self, event: str) -> None:
        assert self.parse(json.dumps({"event": event}).encode()) == []

    @pytest.mark.parametrize("event", ["", " ", 7, True, ["sms.inbound"], {}])
    def test_a_post_that_names_no_event_is_refused(self, event: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(as_json(event))
        assert caught.value.field == "event"

    @FUZZ
    @given(
        payload=st.dictionaries(st.sampled_from([*FIELDS, "createdAt"]), JSON_VALUES),
        event=JSON_VALUES,
    )
    def test_parse_raises_nothing_else_for_any_json(self, payload: Any, event: Any) -> None:
        self.check_parse(as_json(**payload))
        self.check_parse(as_json(event, **payload))
