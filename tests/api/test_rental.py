"""Spec B's four calls as its document has them: fields, types, both kinds of bodies."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import HTTPResponse

from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.user import User
from tests.conftest import Stack
from tests.world import PRICE, World, get, post

FORM = "application/x-www-form-urlencoded"
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STANDING = {
    "price": 0.05,
    "rental_status": "active",
    "can_cancel": True,
    "cancel_after": 0,
}


@pytest.fixture
def user(world: World) -> User:
    world.stock(3)
    return world.user()


@pytest.fixture
def key(world: World, user: User) -> str:
    return world.key(user)


def ok(response: HTTPResponse) -> dict[str, Any]:
    """The JSON of a good answer, which says so and carries our headers."""
    assert response.status_code == 200, response.body
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = json.loads(response.body)
    assert body["status"] == "success"
    return body


def rented(key: str, **more: object) -> dict[str, Any]:
    return ok(post("/rentNumber", {"api_key": key, "country": "US", **more}))


def test_get_numbers_has_the_documented_fields(world: World, key: str) -> None:
    world.stock(2, country="GB", operator_id=2, price=Micros(60_000), first=3_000_000)
    assert ok(get("/getNumbers", api_key=key)) == {
        "status": "success",
        "numbers": [
            {
                "country": "GB",
                "country_name": "United Kingdom",
                "available": 2,
                "price_per_sms": 0.06,
            },
            {
                "country": "US",
                "country_name": "United States",
                "available": 3,
                "price_per_sms": 0.05,
            },
        ],
    }


@pytest.mark.parametrize("country", ["GB", "gb", "Gb", " gb "])
def test_get_numbers_takes_a_country_in_any_case(world: World, key: str, country: str) -> None:
    world.stock(1, country="GB", operator_id=2, first=3_000_000)
    numbers = ok(get("/getNumbers", api_key=key, country=country))["numbers"]
    assert [offer["country"] for offer in numbers] == ["GB"]


def test_get_numbers_of_a_country_without_stock_is_empty(key: str) -> None:
    assert ok(get("/getNumbers", api_key=key, country="DE"))["numbers"] == []


def test_get_numbers_takes_a_blank_country_for_none(key: str) -> None:
    assert len(ok(get("/getNumbers", api_key=key, country=""))["numbers"]) == 1


def test_get_numbers_lists_the_price_of_the_cheapest_operator(world: World, key: str) -> None:
    world.stock(2, operator_id=2, price=Micros(1_000), first=3_000_000)
    offer = ok(get("/getNumbers", api_key=key, country="US"))["numbers"][0]
    assert (offer["available"], offer["price_per_sms"]) == (5, 0.001)
    assert rented(key)["price"] == 0.001


def test_rent_number_has_the_documented_fields_and_ours(key: str) -> None:
    body = rented(key, service="telegram")
    rental_id, number, expires_at = (body.pop(n) for n in ("rental_id", "number", "expires_at"))
    assert body == {"status": "success", "country": "US", **STANDING}
    assert re.fullmatch(r"rent_[0-9A-Z]{26}", rental_id)
    assert re.fullmatch(r"\+1415200000[0-2]", number)
    # The tests' clock stands at 22:13:20; a rental lives 20 minutes.
    assert expires_at == "2023-11-14T22:33:20Z"


def test_rent_number_charges_the_listed_price_once(world: World, user: User, key: str) -> None:
    before = world.balance(user)
    rented(key)
    assert before - world.balance(user) == PRICE
    world.assert_i2(user)


@pytest.mark.parametrize("country", ["us", "Us", " US "])
def test_rent_number_takes_a_country_in_any_case(key: str, country: str) -> None:
    assert rented(key, country=country)["country"] == "US"


@pytest.mark.parametrize("service", ["", None, "x" * 64, "Télégram ✓"])
def test_the_service_is_optional(key: str, service: str | None) -> None:
    assert rented(key, service=service)["country"] == "US"


def test_get_sms_has_the_documented_fields_and_ours(world: World, stack: Stack, key: str) -> None:
    rental = rented(key)
    query = {"api_key": key, "rental_id": rental["rental_id"]}
    known = {name: rental[name] for name in ("number", "rental_id", "expires_at")}
    assert ok(get("/getSMS", **query)) == {
        "status": "success",
        "messages": [],
        **known,
        **STANDING,
    }
    world.sms(rental["number"], "Your verification code is: 123456")
    stack.clock.advance(seconds=61)
    world.sms(rental["number"], "No code in here")
    assert ok(get("/getSMS", **query)) == {
        "status": "success",
        "messages": [
            {
                "id": f"{rental['rental_id']}.1",
                "sender": "Acme",
                "text": "Your verification code is: 123456",
                "received_at": "2023-11-14T22:13:20Z",
                "code": "123456",
            },
            {
                "id": f"{rental['rental_id']}.2",
                "sender": "Acme",
                "text": "No code in here",
                "received_at": "2023-11-14T22:14:21Z",
                "code": None,
            },
        ],
        **known,
        **STANDING,
    }


def test_an_sms_that_the_balance_cannot_pay_shows_no_text_and_no_code(world: World) -> None:
    world.stock(1)
    poor = world.user(balance=PRICE)
    key = world.key(poor)
    rental = rented(key)
    world.sms(rental["number"])
    world.sms(rental["number"], "Your code is 777888")
    answer = get("/getSMS", api_key=key, rental_id=rental["rental_id"])
    paid, unpaid = ok(answer)["messages"]
    assert paid["code"] == "482913"
    assert (unpaid["text"], unpaid["code"], unpaid["unpaid"]) == ("", None, True)
    assert b"777888" not in answer.body
    world.stack.platform.administration.credit(poor.user_id, Micros(UNIT), "test")
    messages = ok(get("/getSMS", api_key=key, rental_id=rental["rental_id"]))["messages"]
    assert messages[1]["code"] == "777888"
    assert "unpaid" not in messages[1]


def test_get_sms_waits_until_the_time_asked_for(stack: Stack, key: str) -> None:
    rental, began = rented(key), stack.clock.now
    body = ok(get("/getSMS", api_key=key, rental_id=rental["rental_id"], wait=25))
    assert body["messages"] == []
    assert 0 < stack.clock.now - began <= 25_000


def test_get_sms_of_an_expired_rental_says_so(stack: Stack, key: str) -> None:
    rental = rented(key)
    stack.clock.advance(seconds=20 * 60 - 1)
    query = {"api_key": key, "rental_id": rental["rental_id"]}
    assert ok(get("/getSMS", **query))["rental_status"] == "active"
    stack.clock.advance(seconds=1)
    body = ok(get("/getSMS", **query))
    assert (body["rental_status"], body["can_cancel"]) == ("expired", False)


def test_cancel_number_has_the_documented_fields_and_ours(key: str) -> None:
    rental = rented(key)
    body = ok(post("/cancelNumber", {"api_key": key, "rental_id": rental["rental_id"]}))
    assert isinstance(body.pop("message"), str)
    assert body == {
        "status": "success",
        "rental_id": rental["rental_id"],
        "refund_amount": 0.05,
        **STANDING,
        "rental_status": "cancelled",
        "can_cancel": False,
    }


def test_i5_cancel_number_after_an_sms_refunds_nothing(world: World, user: User, key: str) -> None:
    rental = rented(key)
    world.sms(rental["number"])
    before = world.balance(user)
    body = ok(post("/cancelNumber", {"api_key": key, "rental_id": rental["rental_id"]}))
    assert body["refund_amount"] == 0
    assert world.balance(user) == before
    got = ok(get("/getSMS", api_key=key, rental_id=rental["rental_id"]))
    assert (got["rental_status"], len(got["messages"])) == ("cancelled", 1)


def test_i5_cancelled_twice_has_the_same_body_and_one_refund(
    world: World, stack: Stack, user: User, key: str
) -> None:
    wanted = {"api_key": key, "rental_id": rented(key)["rental_id"]}
    first = post("/cancelNumber", wanted)
    balance = world.balance(user)
    stack.clock.advance(seconds=3600)
    assert post("/cancelNumber", wanted).body == first.body
    assert world.balance(user) == balance
    world.assert_i2(user)


def test_forms_are_taken_as_json_is(key: str) -> None:
    form = urlencode({"api_key": key, "country": "us", "service": "Télégram"}).encode()
    rental = ok(post("/rentNumber", form, content_type=f"{FORM}; charset=utf-8"))
    form = urlencode({"api_key": key, "rental_id": rental["rental_id"]}).encode()
    body = ok(post("/cancelNumber", form, content_type=FORM.upper()))
    assert body["rental_id"] == rental["rental_id"]


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", None]
)
def test_json_is_taken_however_it_is_called(key: str, content_type: str | None) -> None:
    raw = json.dumps({"api_key": key, "country": "US"}).encode()
    assert ok(post("/rentNumber", raw, content_type=content_type))["country"] == "US"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_key_may_come_as_a_bearer_token(key: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {key}"}
    assert ok(get("/getNumbers", headers))["numbers"]
    rental = ok(post("/rentNumber", {"country": "US"}, headers))
    assert ok(get("/getSMS", headers, rental_id=rental["rental_id"]))["messages"] == []
    assert ok(post("/cancelNumber", {"rental_id": rental["rental_id"]}, headers))


def test_the_documented_parameter_counts_before_the_bearer_token(key: str) -> None:
    response = get("/getNumbers", {"Authorization": f"Bearer {key}"}, api_key="junk")
    assert response.status_code == 401


def test_the_key_of_a_post_is_not_read_from_its_query(key: str) -> None:
    response = post(f"/rentNumber?api_key={key}", {"country": "US"})
    assert (response.status_code, response.json_body["code"]) == (401, "missing_api_key")


def test_of_a_repeated_parameter_the_first_counts(key: str) -> None:
    assert ok(get(f"/getNumbers?api_key={key}&api_key=junk&country=DE&country=US"))["numbers"] == []
    form = f"api_key={key}&country=US&country=DE".encode()
    assert ok(post("/rentNumber", form, content_type=FORM))["country"] == "US"


def test_unknown_fields_are_ignored(key: str) -> None:
    more: dict[str, object] = {"x": [1, {"y": None}], "price": 0, "rental_status": "cancelled"}
    assert rented(key, **more)["price"] == 0.05


def test_times_have_the_documented_form(world: World, key: str) -> None:
    rental = rented(key)
    world.sms(rental["number"])
    body = ok(get("/getSMS", api_key=key, rental_id=rental["rental_id"]))
    for text in (rental["expires_at"], body["expires_at"], body["messages"][0]["received_at"]):
        assert UTC.fullmatch(text)
