"""POST /inbound/{provider}/{account}/receipt: genuine ones kept, all others refused."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.domain import signatures
from chalicelib.domain.times import DAY, SECOND
from chalicelib.domain.user import User
from chalicelib.services.otp import Generated
from tests.api.shapes import refused
from tests.carriers import Loop
from tests.conftest import SECRETS
from tests.wire import conflict, stored, tapped
from tests.world import World, post

PATH = "/inbound/simulator/demo/receipt"
NUMBER = "+14155552671"


def secret_of(provider: str) -> str:
    found: Any = SECRETS["providers"]
    secret: str = found[provider]["demo"]["secrets"][0]
    return secret


@dataclass
class Desk:
    """A user's code that the simulator took, and receipts of it."""

    world: World
    user: User
    made: Generated
    message_id: str

    def receipt(self, status: object = "delivered", **more: object) -> dict[str, object]:
        return {"message_id": self.message_id, "status": status, **more}

    def signed(self, raw: bytes, secret: str | None = None) -> dict[str, str]:
        now = self.world.stack.clock.now
        return signatures.signed_headers([secret or secret_of("simulator")], "msg-1", now, raw)

    def send(self, body: object, path: str = PATH) -> HTTPResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return post(path, raw, self.signed(raw))

    def heard(self) -> list[tuple[str, str]]:
        found = self.world.elsewhere().otp_tickets.find(self.user, self.made.ticket_number)
        return [(each.status, each.detail) for of_one in found.heard for each in of_one]


@pytest.fixture
def desk(world: World) -> Desk:
    user = world.user()
    made = world.stack.platform.otp.generate(user, {"phone_number": NUMBER})
    world.advance_tickets()
    found = world.elsewhere().otp_tickets.find(user, made.ticket_number)
    (sending,) = found.ticket.sendings
    assert sending.message_id
    return Desk(world, user, made, sending.message_id)


def shown(desk: Desk) -> dict[str, Any]:
    """The ticket as its user looks it up."""
    headers = {"api-login": desk.user.login, "api-key": desk.world.key(desk.user)}
    with Client(app) as client:
        path = f"/v1/public/service/otp/{desk.made.ticket_number}"
        answer = client.http.get(path, headers=headers)
    found: dict[str, Any] = json.loads(answer.body)
    assert answer.status_code == 200, found
    return found


def test_a_genuine_receipt_is_kept_answered_and_shown(desk: Desk) -> None:
    at = desk.world.stack.clock.now / SECOND - 1
    answer = desk.send({"receipts": [desk.receipt("delivered", at=at, detail="ok")]})
    assert (answer.status_code, answer.body) == (200, b'{"status":"success"}')
    assert desk.heard() == [("delivered", "ok")]
    found = shown(desk)
    assert found["state"] == "delivered"
    (receipt,) = found["sendings"][0]["receipts"]
    assert (receipt["status"], receipt["detail"]) == ("delivered", "ok")
    assert receipt["at"].startswith("2023-11-14T22:13:19")
    assert desk.send({"receipts": [desk.receipt("delivered", detail="again")]}).status_code == 200
    assert desk.heard() == [("delivered", "ok")]


def test_several_receipts_in_one_post_are_all_kept(desk: Desk) -> None:
    receipts = [desk.receipt("on_its_way"), desk.receipt("undelivered", detail="30003")]
    unknown = {"message_id": "nobody's", "status": "delivered"}
    assert desk.send({"receipts": [unknown, *receipts]}).status_code == 200
    assert desk.heard() == [("on_its_way", ""), ("undelivered", "30003")]
    assert shown(desk)["state"] == "undelivered"


def test_an_unknown_message_is_answered_like_any_other(desk: Desk) -> None:
    """Or whoever may post could ask which ids there are."""
    known = desk.send({"receipts": [desk.receipt()]})
    unknown = desk.send({"receipts": [{"message_id": "x", "status": "delivered"}]})
    assert (known.status_code, known.body) == (unknown.status_code, unknown.body)


def test_the_simulator_posts_receipts_of_its_own_sendings(world: World) -> None:
    (number,) = world.stock(1)
    world.stack.fetch = loop = Loop()
    world.stack.configure()
    user = world.user()
    made = world.stack.platform.otp.generate(user, {"phone_number": number})
    world.advance_tickets()
    paths = [url.removeprefix("https://sesame.test") for _, url in loop.asked]
    assert paths == ["/inbound/simulator/demo", PATH]
    assert Desk(world, user, made, "").heard() == [("delivered", "simulated")]


def nothing_is_kept(desk: Desk, before: list[str]) -> None:
    assert stored() == before
    assert desk.heard() == []


def test_403_for_a_forged_one(desk: Desk) -> None:
    raw = json.dumps({"receipts": [desk.receipt()]}).encode()
    before = stored()
    forged = [
        {},
        desk.signed(raw, secret_of("generic")),
        desk.signed(raw + b" "),
        {**desk.signed(raw), "webhook-signature": "v1,"},
    ]
    for headers in forged:
        refused(post(PATH, raw, headers), 403, "invalid_signature")
    stale = desk.signed(raw)
    desk.world.stack.clock.advance(seconds=DAY // SECOND)
    refused(post(PATH, raw, stale), 403, "invalid_signature")
    nothing_is_kept(desk, before)


ELSEWHERE = [
    "/inbound/simulator/other/receipt",
    "/inbound/nobody/demo/receipt",
    "/inbound/registry/demo/receipt",
    "/inbound/generic/demo/receipt",
    "/inbound/twilio/other/receipt",
    "/inbound/vonage/demo/receipt",
]


def test_404_for_who_is_unknown_or_does_not_send(desk: Desk) -> None:
    before = stored()
    for path in ELSEWHERE:
        refused(desk.send({"receipts": [desk.receipt()]}, path), 404, "unknown_account")
    nothing_is_kept(desk, before)


def test_405_for_a_get_where_none_is_posted(desk: Desk) -> None:
    with Client(app) as client:
        answer = client.http.get(PATH, headers={})
    refused(answer, 405, "method_not_allowed")


def test_413_for_a_body_that_is_too_large(desk: Desk) -> None:
    answer = desk.send(b" " * (256 * 1024 + 1))
    refused(answer, 413, "body_too_large", "body")


JUNK: list[tuple[object, str]] = [
    (b"", "body"),
    (b"\xff", "body"),
    (b"[]", "body"),
    (b'{"receipts": NaN}', "body"),
    ({}, "receipts"),
    ({"receipts": {}}, "receipts"),
    ({"receipts": [7]}, "receipts"),
    ({"receipts": [{"message_id": "x", "status": "delivered"}] * 101}, "receipts"),
    ({"receipts": [{"message_id": "x", "status": "lost"}]}, "status"),
    ({"receipts": [{"message_id": "x", "status": ["delivered"]}]}, "status"),
    ({"receipts": [{"message_id": 7, "status": "delivered"}]}, "message_id"),
    ({"receipts": [{"message_id": "x" * 201, "status": "delivered"}]}, "message_id"),
    ({"receipts": [{"message_id": "\u0000", "status": "delivered"}]}, "message_id"),
    ({"receipts": [{"message_id": "\ud800", "status": "delivered"}]}, "message_id"),
    ({"receipts": [{"message_id": "x", "status": "delivered", "at": "now"}]}, "at"),
    ({"receipts": [{"message_id": "x", "status": "delivered", "at": 10**400}]}, "at"),
    ({"receipts": [{"message_id": "x", "status": "delivered", "at": -1}]}, "at"),
    ({"receipts": [{"message_id": "x", "status": "delivered", "detail": "x" * 65}]}, "detail"),
]


def test_400_for_what_can_not_be_read(desk: Desk) -> None:
    before = stored()
    for body, field in JUNK:
        answer = desk.send(body)
        assert answer.status_code == 400, (body, answer.body)
        assert json.loads(answer.body)["field"] == field
    nothing_is_kept(desk, before)


def test_an_empty_list_is_a_receipt_of_nothing(desk: Desk) -> None:
    assert desk.send({"receipts": []}).status_code == 200
    assert desk.heard() == []


def test_503_while_it_can_not_be_kept_and_the_repeat_is_taken(desk: Desk) -> None:
    body = {"receipts": [desk.receipt()]}
    with tapped(*[conflict] * 6):
        answer = desk.send(body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert desk.heard() == []
    assert desk.send(body).status_code == 200
    assert desk.heard() == [("delivered", "")]


def test_a_receipt_is_no_sms(desk: Desk) -> None:
    desk.world.stock(1)
    rental = desk.world.rent(desk.user)
    fields = {"message_id": "m", "from": "Acme", "to": rental.phone_number, "text": "code 482913"}
    assert desk.send(fields).status_code == 400
    assert desk.world.rental(rental).messages == ()
    answer = desk.send({"receipts": [desk.receipt()]}, "/inbound/simulator/demo")
    assert answer.status_code == 400
    assert desk.heard() == []
