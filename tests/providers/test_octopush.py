"""Octopush keeps the contract, as far as an unsigned provider can."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from contract_suite import NOW
from unsigned_suite import UnsignedContract

from chalicelib.domain.times import parse_iso
from chalicelib.errors import InvalidInputError

FIELDS = {
    "message_id": "sms_5fa275dbf21dc",
    "number": "+33639980123",
    "text": "Votre code est 482913",
    "sim_card_number": "36180",
    "reception_date": "2023-06-15 15:30:44",
}


class TestOctopush(UnsignedContract):
    name = "octopush"
    required_fields = ("number", "text", "sim_card_number", "reception_date")
    text_field = "text"

    def body(self, **changes: Any) -> bytes:
        fields = {**FIELDS, **changes}
        return json.dumps({k: v for k, v in fields.items() if v is not None}).encode()

    def test_a_form_says_what_json_says(self) -> None:
        assert self.parse(urlencode(FIELDS).encode()) == self.parse(self.body())

    def test_an_sms_that_differs_in_any_field_is_another_sms(self) -> None:
        others = {
            "message_id": "sms_5fa275dbf21dd",
            "number": "+33639980124",
            "text": "Votre code est 482914",
            "sim_card_number": "36181",
            "reception_date": "2023-06-15 15:30:45",
        }
        bodies = [self.body(), *(self.body(**{name: value}) for name, value in others.items())]
        assert len({self.parse(body)[0].message_id for body in bodies}) == len(bodies)

    def test_fields_do_not_run_into_each_other(self) -> None:
        one = self.body(number="+3363998", sim_card_number="012336180")
        other = self.body(number="+33639980123", sim_card_number="36180")
        assert self.parse(one)[0].message_id != self.parse(other)[0].message_id

    @pytest.mark.parametrize("absent", [None, ""])
    def test_an_sms_that_answers_nothing_of_ours_has_an_id_too(self, absent: str | None) -> None:
        (sms,) = self.parse(json.dumps({**FIELDS, "message_id": absent}).encode())
        (same,) = self.parse(self.body(message_id=None))
        assert sms == same

    @pytest.mark.parametrize(
        ("told", "received_at"),
        [
            ("2020-11-04 11:11:45", "2020-11-04T11:11:45Z"),
            ("2020-11-04T12:11:45+01:00", "2020-11-04T11:11:45Z"),
        ],
    )
    def test_a_time_without_a_zone_is_utc(self, told: str, received_at: str) -> None:
        (sms,) = self.parse(self.body(reception_date=told))
        assert sms.received_at == parse_iso(received_at)

    def test_a_local_time_that_is_ahead_is_now(self) -> None:
        (sms,) = self.parse(self.body(reception_date="2023-06-15 17:30:44"))
        assert sms.received_at == NOW

    @pytest.mark.parametrize(
        "told", ["yesterday", "1999-12-31 23:59:59", "2023-06-17 15:30:46", "1686843044"]
    )
    def test_a_time_that_can_not_be_is_named(self, told: str) -> None:
        self.refuses("reception_date", self.body(reception_date=told))

    @pytest.mark.parametrize("name", FIELDS)
    @pytest.mark.parametrize("value", [7, ["x"], {"a": "b"}, True])
    def test_a_field_that_is_no_text_is_named(self, name: str, value: Any) -> None:
        self.refuses(name, self.body(**{name: value}))

    @pytest.mark.parametrize("date", ["delivery_date", "stop_date"])
    def test_what_a_shared_url_brings_beside_sms_is_passed_over(self, date: str) -> None:
        other = {"number": FIELDS["number"], date: FIELDS["reception_date"]}
        assert self.parse(json.dumps(other).encode()) == []
        assert self.parse(urlencode(other).encode()) == []
        assert len(self.parse(self.body(**{date: FIELDS["reception_date"]}))) == 1

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field
