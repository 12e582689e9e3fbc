"""Infobip keeps the contract as far as a password goes: it signs nothing that was found."""

import base64
import json
from typing import Any

import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import infobip
from chalicelib.providers.batches import PartlyReadError
from chalicelib.providers.contract import InboundPost, Reply
from chalicelib.settings import ProviderAccount

FIELDS = {
    "messageId": "817790313235066447",
    "from": "14155550123",
    "to": "447700900123",
    "text": "Your code is 482913",
}


def item(**changes: Any) -> dict[str, Any]:
    fields = {**FIELDS, **changes}
    return {name: value for name, value in fields.items() if value is not None}


def as_json(*items: Any) -> bytes:
    return json.dumps({"results": items, "messageCount": len(items)}).encode()


class TestInfobip(ProviderContract):
    name = "infobip"
    secret = "sesame:correct horse"
    other_secret = "sesame:battery staple"
    worthless_secret = "sesame:"
    signed_headers = ("authorization",)
    required_fields = ("results.messageId", "results.from", "results.to", "results.text")
    text_field = "results.text"
    window_seconds = None
    covers_body = False
    covers_url = False
    reply = Reply("", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, "sesame:", url, now)

    def same_header(self, one: str, other: str) -> bool:
        # A scheme's name has no case (RFC 7235, 2.1).
        return (one[:5].lower(), one[5:]) == (other[:5].lower(), other[5:])

    def body(self, **changes: str | None) -> bytes:
        return as_json(item(**{n.removeprefix("results."): v for n, v in changes.items()}))

    def batch(self, texts: list[str]) -> bytes:
        return as_json(*(item(messageId=f"m{at}", text=text) for at, text in enumerate(texts)))

    @pytest.mark.parametrize("place", [0, 1, 2])
    @pytest.mark.parametrize("field", FIELDS)
    def test_of_a_batch_that_is_refused_the_readable_ones_are_told(
        self, place: int, field: str
    ) -> None:
        items = [item(messageId=f"m{at}") for at in range(3)]
        del items[place][field]
        with pytest.raises(PartlyReadError) as caught:
            self.parse(as_json(*items))
        assert caught.value.field == f"results.{field}"
        assert caught.value.code == "missing_parameter"
        assert "482913" not in caught.value.message
        others = [f"m{at}" for at in range(3) if at != place]
        assert [sms.message_id for sms in caught.value.readable] == others

    def test_the_first_unreadable_one_is_named(self) -> None:
        with pytest.raises(PartlyReadError) as caught:
            self.parse(as_json(item(), item(to=7), item(text=None)))
        assert caught.value.field == "results.to"
        with pytest.raises(InvalidInputError) as refused:
            self.parse(as_json(item(to=7), item(text=None)))
        assert refused.value.field == "results.to"
        assert not isinstance(refused.value, PartlyReadError)

    @pytest.mark.parametrize("results", ["text", 7, {}, True, ["a"], [FIELDS, None], [[FIELDS]]])
    def test_results_that_are_no_list_of_objects_are_refused(self, results: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(json.dumps({"results": results}).encode())
        assert caught.value.field == "results"

    def test_a_post_without_results_is_refused(self) -> None:
        with pytest.raises(MissingInputError) as caught:
            self.parse(b'{"messageCount":0}')
        assert caught.value.field == "results"

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(as_json(item(**{field: value})))
        assert caught.value.field == f"results.{field}"

    def test_the_whole_text_is_read_and_not_the_one_without_its_keyword(self) -> None:
        body = as_json(item(text="482913 is your code", cleanText="is your code"))
        assert self.parse(body)[0].text == "482913 is your code"

    def test_without_a_password_the_address_or_the_account_name_decides(self) -> None:
        post = InboundPost(self.url, {}, self.body(), source_ip="203.0.113.9")
        unguessable = ProviderAccount("Zk3_0pQm-9vXy2LrTb7HcA", ())
        listed = ProviderAccount("main", (), allow_ips=("203.0.113.0/24",))
        unlisted = ProviderAccount("Zk3_0pQm-9vXy2LrTb7HcA", (), allow_ips=("198.51.100.0/24",))
        assert infobip.verify(post, unguessable, NOW)
        assert infobip.verify(post, listed, NOW)
        assert not infobip.verify(post, unlisted, NOW)

    @FUZZ
    @given(
        items=st.lists(
            st.dictionaries(st.sampled_from([*FIELDS, "receivedAt"]), JSON_VALUES) | JSON_VALUES
        ),
        results=JSON_VALUES,
    )
    def test_parse_raises_nothing_else_for_any_json(self, items: list[Any], results: Any) -> None:
        self.check_parse(as_json(*items))
        self.check_parse(as_json(*({**FIELDS, **each} for each in items if isinstance(each, dict))))
        self.check_parse(json.dumps({"results": results}).encode())
