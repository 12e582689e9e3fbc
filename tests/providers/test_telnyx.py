"""Telnyx keeps the contract; the keys are PyNaCl's, by which Telnyx's own SDK checks them."""

import base64
import json
import time
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import telnyx
from chalicelib.providers.contract import InboundPost, Reply

KEYS = {
    base64.b64encode(key.verify_key.encode()).decode(): key
    for key in (SigningKey(bytes(range(32))), SigningKey(bytes(range(32, 64))))
}
OURS, OTHERS = KEYS
# The point of order 1: every message has the signature (1, 0) by it.
IDENTITY = base64.b64encode(b"\1" + bytes(31)).decode()
FIELDS = {
    "data.event_type": "message.received",
    "data.payload.id": "84cca175-9755-4859-b67f-4730d7f58aa3",
    "data.payload.type": "SMS",
    "data.payload.from.phone_number": "+14155550123",
    "data.payload.to.phone_number": "+447700900123",
    "data.payload.text": "Your code is 482913",
}


def as_json(**changes: Any) -> bytes:
    flat = {**FIELDS, **changes}
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        if value is not None:
            *parents, name = path.split(".")
            branch = tree
            for parent in parents:
                branch = branch.setdefault(parent, {})
            branch[name] = value
    payload = tree["data"]["payload"]
    if isinstance(payload.get("to", {}), dict):
        payload["to"] = [payload.get("to", {})]
    return json.dumps(tree).encode()


class TestTelnyx(ProviderContract):
    name = "telnyx"
    secret = OURS
    other_secret = OTHERS
    worthless_secret = IDENTITY
    signed_headers = ("telnyx-timestamp", "telnyx-signature-ed25519")
    required_fields = (
        "data.event_type",
        "data.payload.id",
        "data.payload.from.phone_number",
        "data.payload.to.phone_number",
        "data.payload.text",
    )
    text_field = "data.payload.text"
    window_seconds = 300
    covers_url = False
    reply = Reply("", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        stamp = str(now // SECOND)
        signature = KEYS[secret].sign(stamp.encode() + b"|" + body).signature
        return self.headers(stamp, signature)

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.headers(str(now // SECOND), b"\1" + bytes(63))

    def headers(self, stamp: str, signature: bytes) -> dict[str, str]:
        return {
            "telnyx-timestamp": stamp,
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        }

    def body(self, **changes: str | None) -> bytes:
        return as_json(**changes)

    def test_the_sdk_accepts_what_we_accept_and_no_more(self) -> None:
        # Imported here: it takes two seconds, and every worker collects every module.
        from telnyx import Telnyx

        client = Telnyx(api_key="unused", public_key=OURS)
        now = Millis(int(time.time()) * SECOND)
        body = self.body().decode()
        post = self.post(body.encode(), now)
        assert self.verifies(post, now)
        event = client.webhooks.unwrap(body, headers=dict(post.headers))
        assert event.data.payload.id == self.parse(body.encode())[0].message_id  # type: ignore[union-attr]
        with pytest.raises(ValueError, match="does not match"):
            client.webhooks.unwrap(body + " ", headers=dict(post.headers))
        assert not self.verifies(InboundPost(self.url, post.headers, body.encode() + b" "), now)

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "no base 64",
            OURS[:-1],
            OURS + "=",
            base64.b64encode(bytes(31)).decode(),
            base64.b64encode(bytes(33)).decode(),
            base64.b64encode(b"\xff" * 32).decode(),
            "\ud800",
        ],
    )
    def test_a_secret_that_is_no_public_key_opens_nothing(self, key: str) -> None:
        post = self.post(self.body())
        assert not telnyx.verify(post, self.account(key), NOW)
        assert telnyx.verify(post, self.account(key, OURS), NOW)

    @pytest.mark.parametrize("y", sorted(telnyx._SMALL_ORDER | {2**255 - 19, 2**255 - 18}))
    @pytest.mark.parametrize("sign", [0, 1 << 255])
    def test_no_key_of_small_order_opens_anything(self, y: int, sign: int) -> None:
        key = base64.b64encode((y | sign).to_bytes(32, "little")).decode()
        # By such a key one in eight messages has the signature (1, 0): among many, one would.
        for at in range(64):
            body = self.body(**{"data.payload.id": str(at)})
            assert not telnyx.verify(self.forged(body), self.account(key), NOW)

    @pytest.mark.parametrize("stamp", ["01686843045", "+1686843045", "1686843045.0", " 1686843045"])
    def test_a_timestamp_of_another_spelling_is_refused(self, stamp: str) -> None:
        body = self.body()
        signature = KEYS[OURS].sign(stamp.encode() + b"|" + body).signature
        assert not self.verifies(InboundPost(self.url, self.headers(stamp, signature), body))

    @pytest.mark.parametrize("event", ["message.sent", "message.finalized", "MESSAGE.RECEIVED"])
    def test_other_events_hold_no_sms(self, event: str) -> None:
        assert self.parse(json.dumps({"data": {"event_type": event}}).encode()) == []

    @pytest.mark.parametrize("kind", ["RCS", "WHATSAPP", "sms", "", 7])
    def test_messages_of_other_kinds_are_no_sms(self, kind: Any) -> None:
        assert self.parse(as_json(**{"data.payload.type": kind})) == []

    @pytest.mark.parametrize("media", [None, [], ""])
    def test_without_media_a_text_is_required(self, media: Any) -> None:
        self.refuses(
            "data.payload.text", **{"data.payload.text": None, "data.payload.media": media}
        )

    def test_each_recipient_has_an_sms_of_its_own_and_is_named_once(self) -> None:
        to = [{"phone_number": number} for number in ("+447700900123", "+447700900124")]
        found = self.parse(as_json(**{"data.payload.to": [*to, to[0]]}))
        assert [sms.to for sms in found] == ["+447700900123", "+447700900124"]
        assert len({sms.message_id for sms in found}) == 2

    @pytest.mark.parametrize("to", [[], "+447700900123", ["+447700900123"], 7, [None]])
    def test_recipients_of_another_form_are_named(self, to: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(as_json(**{"data.payload.to.phone_number": None, "data.payload.to": to}))
        assert caught.value.field in ("data.payload.to", "data.payload.to.phone_number")

    @pytest.mark.parametrize("number", ["+1\n", "+1\0", "+" + "1" * 32, "\u202e1"])
    def test_a_number_that_makes_no_key_is_named(self, number: str) -> None:
        self.refuses("data.payload.to.phone_number", **{"data.payload.to.phone_number": number})

    def test_an_id_that_is_too_long_for_several_is_named(self) -> None:
        to = [{"phone_number": number} for number in ("+447700900123", "+447700900124")]
        self.refuses("data.payload.id", **{"data.payload.id": "x" * 200, "data.payload.to": to})

    @pytest.mark.parametrize("field", [*FIELDS, "data.payload", "data.payload.from", "data"])
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}, "text"])
    def test_a_field_of_a_wrong_type_never_passes_for_another(self, field: str, value: Any) -> None:
        tree = json.loads(as_json())
        *parents, name = field.split(".")
        branch = tree
        for parent in parents:
            branch = branch[parent][0] if parent == "to" else branch[parent]
        branch[name] = value
        self.check_parse(json.dumps(tree).encode())

    @FUZZ
    @given(
        payload=st.dictionaries(
            st.sampled_from(["id", "from", "to", "text", "media", "received_at"]), JSON_VALUES
        )
    )
    def test_parse_raises_nothing_else_for_any_json(self, payload: dict[str, Any]) -> None:
        tree = json.loads(as_json())
        tree["data"]["payload"].update(payload)
        self.check_parse(json.dumps(tree).encode())

    def refuses(self, field: str, **changes: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(as_json(**changes))
        assert caught.value.field == field
