"""ClickSend keeps the contract, as far as an unsigned provider can."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from contract_suite import NOW
from unsigned_suite import UnsignedContract

from chalicelib.domain.times import DAY, SECOND
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import clicksend
from chalicelib.providers.contract import InboundPost

FIELDS = {
    "timestamp": "1686843044",
    "from": "+61411111111",
    "to": "+61298441484",
    "body": "Your code is 482913",
    "message_id": "BF7AD270-0DE2-418B-B606-71D527D9C1AE",
    "original_message_id": "0F2B8A1C-6F05-4C4E-9B0A-0C2B5B0E4C11",
}


class TestClickSend(UnsignedContract):
    name = "clicksend"
    required_fields = ("message_id", "from", "to", "body")
    text_field = "body"

    def body(self, **changes: str | None) -> bytes:
        return urlencode(present({**FIELDS, **changes})).encode()

    def gets(self) -> list[Path]:
        # JSON is posted and nothing else.
        return [case for case in super().gets() if not case.read_bytes().startswith(b"{")]

    def test_json_says_what_a_form_says(self) -> None:
        assert self.by_json() == self.parse(self.body())
        assert self.by_json(timestamp=1686843044) == self.parse(self.body())

    def test_json_in_the_body_of_a_get_is_not_read(self) -> None:
        post = replace(self.get(self.body()), body=json.dumps({**FIELDS, "body": "other"}).encode())
        assert clicksend.parse(post, NOW) == self.parse(self.body())

    def test_the_text_is_message_where_there_is_no_body(self) -> None:
        for text in ("Your code is 1234", ""):
            (sms,) = self.parse(self.body(body=None, message=text))
            assert sms.text == text
        (sms,) = self.parse(self.body(body="this", message="that"))
        assert sms.text == "this"

    def test_an_answer_is_known_by_its_own_id(self) -> None:
        (one,) = self.parse(self.body())
        (other,) = self.parse(self.body(message_id="BF7AD270-0DE2-418B-B606-71D527D9C1AF"))
        assert one.message_id != other.message_id
        with pytest.raises(MissingInputError):
            self.parse(self.body(message_id=None))

    @pytest.mark.parametrize("name", ["message_id", "from", "to", "body", "message", "timestamp"])
    def test_a_field_with_two_values_is_named(self, name: str) -> None:
        self.refuses(name, self.body(message=FIELDS["body"]) + f"&{name}=other".encode())

    @pytest.mark.parametrize("name", ["message_id", "from", "to", "body"])
    @pytest.mark.parametrize("value", [7, ["x"], {"a": "b"}, True])
    def test_a_json_field_that_is_no_text_is_named(self, name: str, value: Any) -> None:
        self.refuses(name, json.dumps({**FIELDS, name: value}).encode())

    @pytest.mark.parametrize("message_id", ["a\nb", "a\0", "\ud800", "x" * 201])
    def test_a_message_id_that_can_be_no_key_is_refused(self, message_id: str) -> None:
        self.refuses("message_id", json.dumps({**FIELDS, "message_id": message_id}).encode())

    def test_a_time_ahead_by_less_than_a_day_is_now_and_so_is_none(self) -> None:
        for told in (str((NOW + DAY) // SECOND), None):
            (sms,) = self.parse(self.body(timestamp=told))
            assert sms.received_at == NOW

    @pytest.mark.parametrize(
        "told",
        ["", "soon", "-1", "0", "946684799", "1686843044.5", "1" * 12, "\uff11", "16868430440 "],
    )
    def test_a_time_that_can_not_be_is_named(self, told: str) -> None:
        self.refuses("timestamp", self.body(timestamp=told))

    @pytest.mark.parametrize("told", [True, 1e9, 1.5, [], {}, 10**30, -1])
    def test_a_json_time_that_can_not_be_is_named(self, told: Any) -> None:
        self.refuses("timestamp", json.dumps({**FIELDS, "timestamp": told}).encode())

    def by_json(self, **changes: Any) -> Any:
        body = json.dumps({**FIELDS, **changes}).encode()
        return clicksend.parse(
            InboundPost(self.url, {"content-type": "application/json"}, body), NOW
        )

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field


def present(fields: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
