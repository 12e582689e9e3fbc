"""DynamoDB round trips of a call, in sequence and warm: DESIGN.md's table, counted on the wire."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.domain.ids import UserId
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.user import User
from tests.wire import Wire, tapped
from tests.world import World, get, post, post_generic

CACHED_KEY_SECONDS = 30
CACHED_STOCK_SECONDS = 10
BOTH_IN_FLIGHT_SECONDS = 10


@dataclass
class Caller:
    """A user with a key that has been used: warm."""

    world: World
    user: User
    key: str

    def post(self, path: str, **body: object) -> HTTPResponse:
        return post(path, {"api_key": self.key, **body})

    def get(self, path: str, **query: object) -> HTTPResponse:
        return get(path, api_key=self.key, **query)

    def otp(self, method: str, path: str, key: str = "", **body: object) -> HTTPResponse:
        """A call of spec C."""
        headers = {
            "api-login": self.user.login,
            "api-key": self.key,
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        }
        raw = json.dumps(body).encode() if body else b""
        with Client(app) as client:
            path = f"/v1/public/service/otp/{path}"
            return client.http.request(method, path, headers=headers, body=raw)

    def sms(self, number: str, message_id: str) -> HTTPResponse:
        body: dict[str, object] = {
            "message_id": message_id,
            "from": "Acme",
            "to": number,
            "text": "Your code is 482913",
        }
        return post_generic(self.world.stack, body)


def with_history(caller: Caller, rentals: int) -> None:
    """Rentals that came and went, each with two SMS: messages, ledger lines, events, deliveries."""
    for _ in range(rentals):
        rental = caller.world.rent(caller.user)
        caller.world.sms(rental.phone_number)
        caller.world.sms(rental.phone_number)
        caller.world.stack.platform.closings.cancel(caller.user, rental.rental_id)
        send_code(caller, code_length=4 + caller.world.stack.platform.random.randrange(5))
    caller.world.advance_tickets()
    # Counted again, and the reading of it is warm.
    caller.world.stack.platform.catalogue.count_stock()


def send_code(caller: Caller, number: str = "+14155550100", **given: object) -> dict[str, str]:
    """The answer to a call for a code."""
    answer = caller.otp("POST", "generate", phone_number=number, **given)
    assert answer.status_code == 200, answer.body
    made: dict[str, str] = answer.json_body
    return made


def caller_in(world: World, stock: int, history: int) -> Caller:
    world.stock(stock)
    user = world.user()
    caller = Caller(world, user, world.key(user))
    # Watched, not blocked: a history has more codes than may be sent at once.
    rules = {"recipient": {"mode": "monitor"}}
    world.stack.platform.otp_accounts.change(user.user_id, {"rules": rules})
    with_history(caller, history)
    return warm(caller)


def warm(caller: Caller) -> Caller:
    """The key and the stock have just been read."""
    assert caller.get("/getNumbers").status_code == 200
    return caller


@pytest.fixture
def caller(world: World) -> Caller:
    return caller_in(world, stock=5, history=0)


def trips(call: Callable[[], HTTPResponse]) -> Wire:
    with tapped() as wire:
        response = call()
    assert response.status_code == 200, response.body
    return wire


def rented(caller: Caller) -> dict[str, str]:
    rental: dict[str, str] = caller.post("/rentNumber", country="US").json_body
    return rental


def rented_with(caller: Caller, messages: int) -> str:
    rental = rented(caller)
    for _ in range(messages):
        caller.world.sms(rental["number"])
    return rental["rental_id"]


def test_get_numbers_reads_nothing_and_the_stock_item_each_ten_seconds(caller: Caller) -> None:
    assert trips(lambda: caller.get("/getNumbers")).operations() == []
    caller.world.stack.clock.advance(seconds=CACHED_STOCK_SECONDS)
    assert trips(lambda: caller.get("/getNumbers")).operations() == ["GetItem"]


def test_rent_number_is_two(caller: Caller) -> None:
    wire = trips(lambda: caller.post("/rentNumber", country="US"))
    assert wire.operations() == ["Query", "TransactWriteItems"]


def test_rent_number_with_an_idempotency_key_is_two(caller: Caller) -> None:
    body = {"api_key": caller.key, "country": "US"}
    wire = trips(lambda: post("/rentNumber", dict(body), {"Idempotency-Key": "rent"}))
    assert wire.operations() == ["Query", "TransactWriteItems"]


def test_get_sms_is_one(caller: Caller) -> None:
    rental = rented(caller)
    for count in range(3):
        wire = trips(lambda: caller.get("/getSMS", rental_id=rental["rental_id"]))
        assert wire.operations() == ["GetItem"]
        caller.world.sms(rental["number"], message_id=f"sms-{count}")


def test_cancel_number_is_two(caller: Caller) -> None:
    for messages in (0, 2):
        rental_id = rented_with(caller, messages)
        wire = trips(lambda: caller.post("/cancelNumber", rental_id=rental_id))  # noqa: B023
        assert wire.operations() == ["BatchGetItem", "TransactWriteItems"]


def test_cancel_number_with_an_idempotency_key_is_two(caller: Caller) -> None:
    body = {"api_key": caller.key, "rental_id": rented(caller)["rental_id"]}
    wire = trips(lambda: post("/cancelNumber", dict(body), {"Idempotency-Key": "cancel"}))
    assert wire.operations() == ["BatchGetItem", "TransactWriteItems"]


def test_an_inbound_sms_is_two_and_a_later_one_three(caller: Caller) -> None:
    number = rented(caller)["number"]
    first = trips(lambda: caller.sms(number, "first"))
    assert first.operations() == ["GetItem", "TransactWriteItems"]
    for message_id in ("second", "third"):
        later = trips(lambda: caller.sms(number, message_id))  # noqa: B023
        assert later.operations() == ["GetItem", "TransactWriteItems", "TransactWriteItems"]


def test_an_sms_without_a_rental_is_two(caller: Caller) -> None:
    wire = trips(lambda: caller.sms("+14155550100", "unmatched"))
    assert wire.operations() == ["GetItem", "PutItem"]


def test_a_key_not_seen_for_thirty_seconds_is_one_more(caller: Caller) -> None:
    rental_id = rented(caller)["rental_id"]
    caller.world.stack.clock.advance(seconds=CACHED_KEY_SECONDS)
    wire = trips(lambda: caller.get("/getSMS", rental_id=rental_id))
    assert wire.operations() == ["BatchGetItem", "GetItem"]
    again = trips(lambda: caller.get("/getSMS", rental_id=rental_id))
    assert again.operations() == ["GetItem"]


def test_a_delivery_is_two_in_sequence(caller: Caller) -> None:
    world = caller.world
    world.webhook(caller.user, "http://127.0.0.1:9/hook")
    world.sms(rented(caller)["number"])
    # Each waits for the other: in sequence, the first would wait in vain and break the barrier.
    together = threading.Barrier(2, timeout=BOTH_IN_FLIGHT_SECONDS)

    def meets(_: object) -> None:
        together.wait()

    delivery = world.queued()[-1]
    with tapped(meets, meets) as wire:
        world.stack.platform.webhooks.deliver(delivery["delivery_id"], UserId(delivery["user_id"]))
    assert sorted(wire.operations()[:2]) == ["BatchGetItem", "UpdateItem"]
    assert wire.operations()[2:] == ["UpdateItem"]
    assert len(world.stack.receiver.received) == 1


def test_otp_generate_is_two(caller: Caller) -> None:
    generate = {"phone_number": "+14155550111", "recipient_ip": "192.0.2.1", "code_length": 8}
    send_code(caller)
    for key in ("", "first", "second"):
        wire = trips(lambda: caller.otp("POST", "generate", key, **generate))  # noqa: B023
        assert wire.operations() == ["BatchGetItem", "TransactWriteItems"]
    again = trips(lambda: caller.otp("POST", "generate", "second", **generate))
    assert again.operations() == ["BatchGetItem"]


def test_otp_validate_is_one_by_token_and_two_by_phone(caller: Caller) -> None:
    platform = caller.world.stack.platform
    for given, operations in (
        ("otp_request_token", ["UpdateItem"]),
        ("phone_number", ["GetItem", "UpdateItem"]),
    ):
        made = send_code(caller, "+14155550112")
        ticket = platform.otp_tickets.find(caller.user, made["ticket_number"]).ticket
        code = derive_code(platform.settings.secrets.pepper, ticket.token, ticket.shape)
        by = {given: made.get(given, ticket.phone_number)}
        wire = trips(lambda: caller.otp("PUT", "validate", code=code, **by))  # noqa: B023
        assert wire.operations() == operations
        with tapped() as wire:
            assert caller.otp("PUT", "validate", code="wrong", **by).status_code == 400
        assert wire.operations() == operations


def test_otp_lookup_is_at_most_two(caller: Caller) -> None:
    made = send_code(caller, "+14155550113", recipient_ip="192.0.2.1")
    before = trips(lambda: caller.otp("GET", made["ticket_number"]))
    assert before.operations() == ["BatchGetItem"]
    send_code(caller, "+14155550113", recipient_ip="192.0.2.1")
    caller.world.advance_tickets()
    after = trips(lambda: caller.otp("GET", made["ticket_number"]))
    assert after.operations() == ["BatchGetItem", "BatchGetItem"]


def test_health_reads_nothing(caller: Caller) -> None:
    assert trips(lambda: get("/health")).operations() == []


def test_none_grows_with_the_stock_or_the_history(world: World) -> None:
    caller = caller_in(world, stock=300, history=12)
    for budget in (
        test_get_numbers_reads_nothing_and_the_stock_item_each_ten_seconds,
        test_rent_number_is_two,
        test_rent_number_with_an_idempotency_key_is_two,
        test_get_sms_is_one,
        test_cancel_number_is_two,
        test_cancel_number_with_an_idempotency_key_is_two,
        test_an_inbound_sms_is_two_and_a_later_one_three,
        test_an_sms_without_a_rental_is_two,
        test_a_key_not_seen_for_thirty_seconds_is_one_more,
        test_a_delivery_is_two_in_sequence,
        test_otp_generate_is_two,
        test_otp_validate_is_one_by_token_and_two_by_phone,
        test_otp_lookup_is_at_most_two,
    ):
        budget(warm(caller))
