"""Spec C over HTTP: its headers, its shapes, its parameters and what is said of each."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import VOICE_LANGUAGES
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.ticket import Ticket
from chalicelib.domain.user import User
from chalicelib.services.otp import Otp
from chalicelib.services.otp_tickets import OtpTickets
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.api.faces import holder
from tests.api.shapes import RETRIED
from tests.carriers import Loop
from tests.conftest import START, Stack
from tests.wire import TRANSACT, conflict, tapped
from tests.world import BALANCE, World

SERVICE = "/v1/public/service/otp"
GENERATE, VALIDATE = ("POST", f"{SERVICE}/generate"), ("PUT", f"{SERVICE}/validate")
NUMBER = "+14155550100"
FORM = "application/x-www-form-urlencoded"
IDEMPOTENCY = "Idempotency-Key"
PRICE = Micros(40_000)
OFF = {"rules": {name: {"mode": "off"} for name in ("recipient", "sequence", "prefix")}}


@dataclass
class Caller:
    """Somebody who calls spec C, rightly until a test spoils a header."""

    world: World
    user: User
    headers: dict[str, str]

    def call(
        self, route: tuple[str, str], body: object = None, *, form: bool = False, **headers: str
    ) -> HTTPResponse:
        raw = body if isinstance(body, bytes) else b""
        if isinstance(body, dict):
            raw = (urlencode(body) if form else json.dumps(body)).encode()
        sent = {"Content-Type": FORM if form else "application/json", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with Client(app) as client:
            return client.http.request(route[0], route[1], headers=sent, body=raw)

    def send(self, number: object = NUMBER, *, form: bool = False, **given: object) -> Any:
        """The answer to a good call."""
        answer = self.call(GENERATE, {"phone_number": number, **given}, form=form)
        assert answer.status_code == 200, answer.body
        return answer.json_body

    def ticket(self, made: dict[str, Any]) -> Ticket:
        return self.world.stack.platform.otp_tickets.find(self.user, made["ticket_number"]).ticket

    def code(self, made: dict[str, Any]) -> str:
        pepper = self.world.stack.platform.settings.secrets.pepper
        return derive_code(pepper, made["otp_request_token"], self.ticket(made).shape)

    def show(self, ticket_number: str) -> HTTPResponse:
        return self.call(("GET", f"{SERVICE}/{ticket_number}"))


def caller_of(world: World, user: User) -> Caller:
    return Caller(world, user, {"api-login": user.login, "api-key": world.key(user)})


@pytest.fixture
def me(world: World) -> Caller:
    return caller_of(world, world.user())


@pytest.fixture
def free(me: Caller) -> Caller:
    """A caller without the limits that a table of calls would meet."""
    me.world.stack.platform.otp_accounts.change(me.user.user_id, dict(OFF))
    return me


def refused(
    answer: HTTPResponse, status: int, reason: str = "", field: str | None = None, code: int = 0
) -> dict[str, Any]:
    """The body of a refusal that must be this one, in the shape of spec C."""
    assert answer.status_code == status, (answer.status_code, answer.body)
    body: dict[str, Any] = answer.json_body
    assert body["code"] == (code or status)
    assert isinstance(body["message"], str)
    assert body["message"]
    assert (body.get("reason", ""), body.get("field")) == (reason, field), body
    known = {"code", "message", "reason", "field", "remaining_number_of_attempts"}
    assert body.keys() <= known
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    assert ("Retry-After" in answer.headers) is (status in RETRIED)
    return body


def test_the_contract(me: Caller) -> None:
    answer = me.call(GENERATE, {"phone_number": NUMBER})
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]
    assert list(answer.json_body) == [
        "code",
        "message",
        "ticket_number",
        "otp_request_token",
        "warnings",
    ]
    made = answer.json_body
    assert (made["code"], made["warnings"]) == (0, [])
    given = {"otp_request_token": made["otp_request_token"]}
    wrong = refused(me.call(VALIDATE, {**given, "code": "x"}), 400, code=199)
    assert wrong["remaining_number_of_attempts"] == 4
    good = me.call(VALIDATE, {**given, "code": me.code(made)})
    assert (good.status_code, good.json_body) == (200, {"code": 0, "message": "success"})
    assert good.headers["X-Request-Id"]
    assert set(refused(me.call(VALIDATE, {**given, "code": "x"}), 400, code=198)) == {
        "code",
        "message",
    }


def test_each_refusal_of_validate(me: Caller) -> None:
    made = me.send(max_wrong_attempts=1)
    token = made["otp_request_token"]
    assert refused(me.call(VALIDATE, {"code": "1"}), 400, code=194)["message"]
    refused(me.call(VALIDATE), 400, code=194)
    refused(me.call(VALIDATE, {"phone_number": NUMBER}), 400, code=195)
    refused(me.call(VALIDATE, {"phone_number": "+14155550199", "code": "1"}), 400, code=198)
    wrong = refused(me.call(VALIDATE, {"phone_number": NUMBER, "code": "1"}), 400, code=199)
    assert wrong["remaining_number_of_attempts"] == 0
    last = refused(me.call(VALIDATE, {"otp_request_token": token, "code": "1"}), 400, code=196)
    assert "remaining_number_of_attempts" not in last
    me.world.stack.clock.advance(seconds=300)
    refused(me.call(VALIDATE, {"otp_request_token": token, "code": "1"}), 400, code=197)


@pytest.mark.parametrize("route", [GENERATE, VALIDATE, ("GET", f"{SERVICE}/x")])
def test_who_calls_must_be_known(me: Caller, world: World, route: tuple[str, str]) -> None:
    other = world.key(world.user())
    right = dict(me.headers)
    for headers, reason, field in (
        ({}, "missing_credentials", "api-login"),
        ({"api-login": right["api-login"]}, "missing_credentials", "api-key"),
        ({"api-key": right["api-key"]}, "missing_credentials", "api-login"),
        ({**right, "api-login": " "}, "missing_credentials", "api-login"),
        ({**right, "api-login": "somebody-else"}, "invalid_credentials", "api-login"),
        ({**right, "api-login": "é"}, "invalid_credentials", "api-login"),
        ({**right, "api-key": other}, "invalid_credentials", "api-login"),
    ):
        me.headers = headers
        refused(me.call(route, {"phone_number": NUMBER, "code": "1"}), 401, reason, field)
    for key in ("rubbish", right["api-key"][:-1], right["api-key"] + "x", "é", "x" * 9_999):
        me.headers = {**right, "api-key": key}
        answer = me.call(route, {"phone_number": NUMBER})
        refused(answer, 401, "invalid_api_key", answer.json_body.get("field"))
    me.headers = {"Authorization": f"Bearer {right['api-key']}"}
    refused(me.call(route), 401, "missing_credentials", "api-login")
    assert world.balance(me.user) == BALANCE


def test_header_names_and_the_login_in_any_case(me: Caller) -> None:
    key, login = me.headers["api-key"], me.headers["api-login"]
    me.headers = {"API-KEY": f" {key} ", "Api-Login": f" {login.upper()} "}
    assert me.send()


def test_a_user_who_may_not_act(me: Caller) -> None:
    db.update(UserRow(me.user.user_id), [UserRow.active.set(False)], UserRow.status.exists())
    refused(me.call(GENERATE, {"phone_number": NUMBER}), 403, "account_inactive")


def test_what_is_forbidden(me: Caller) -> None:
    accounts = me.world.stack.platform.otp_accounts
    accounts.change(me.user.user_id, {"countries": ["US"], "senders": ["Acme"]})
    for given, reason, field in (
        ({"phone_number": "+447400123456"}, "destination_forbidden", "phone_number"),
        ({"phone_number": "+19002345678"}, "destination_forbidden", "phone_number"),
        ({"phone_number": NUMBER, "sender": "Bank"}, "sender_forbidden", "sender"),
    ):
        refused(me.call(GENERATE, given), 403, reason, field)


def test_a_balance_that_can_not_pay(world: World) -> None:
    poor = caller_of(world, world.user(balance=Micros(PRICE - 1)))
    refused(poor.call(GENERATE, {"phone_number": NUMBER}), 402, "insufficient_balance")


@pytest.mark.parametrize("route", [GENERATE, VALIDATE])
def test_bodies_that_are_not_read(me: Caller, route: tuple[str, str]) -> None:
    large = b'{"text":"' + b"x" * 65_536 + b'"}'
    refused(me.call(route, large), 413, "body_too_large", "body")
    unread = me.call(route, b"<otp/>", Content_Type="text/xml")
    refused(unread, 415, "unsupported_media_type", "Content-Type")
    for raw in (b"[]", b"{", b"\xff", b'{"a":NaN}', b'{"a":' + b"9" * 5_000 + b"}", b"[" * 60_000):
        refused(me.call(route, raw), 400, "invalid_json", "body")


def test_without_a_usable_number(me: Caller) -> None:
    for given, reason in (
        ({}, "missing_parameter"),
        ({"phone_number": " "}, "missing_parameter"),
        ({"phone_number": "rubbish"}, "invalid_parameter"),
        ({"phone_number": [NUMBER, NUMBER]}, "invalid_parameter"),
    ):
        refused(me.call(GENERATE, given), 400, reason, "phone_number")
    refused(me.call(GENERATE), 400, "missing_parameter", "phone_number")


def test_a_limit_says_when_to_come_back(me: Caller) -> None:
    for _ in range(5):
        me.send()
    answer = me.call(GENERATE, {"phone_number": NUMBER})
    refused(answer, 429, "otp_limit_reached")
    assert answer.headers["Retry-After"] == "400"
    found = holder(me.headers["api-key"]).ok("GET", "/account/otp/decisions")["decisions"]
    assert [(d["rule"], d["outcome"], d["ticket_number"]) for d in found] == [
        ("recipient", "blocked", None)
    ]


def test_calls_a_minute_are_limited(world: World, stack: Stack) -> None:
    stack.configure(SESAME_MAX_CALLS_PER_MINUTE="1")
    me = caller_of(world, world.user())
    assert me.call(VALIDATE).status_code == 400
    for route in (VALIDATE, GENERATE):
        refused(me.call(route), 429, "rate_limited")


def test_conflicts_that_do_not_end_are_503(me: Caller) -> None:
    with tapped(*[conflict] * 6, only=TRANSACT):
        busy = me.call(GENERATE, {"phone_number": NUMBER})
    refused(busy, 503, "busy")
    made = me.send()
    with tapped(*[conflict] * 6, only="UpdateItem"):
        busy = me.call(VALIDATE, {"otp_request_token": made["otp_request_token"], "code": "1"})
    refused(busy, 503, "busy")
    assert me.world.balance(me.user) == BALANCE - PRICE


@pytest.mark.parametrize("route", [GENERATE, VALIDATE])
def test_an_accident_has_the_same_shape_and_tells_nothing(
    me: Caller,
    route: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = me.headers["api-key"]

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(key)

    monkeypatch.setattr(Otp, "generate", fail)
    monkeypatch.setattr(OtpTickets, "validate", fail)
    answer = me.call(route, {"phone_number": NUMBER})
    body = refused(answer, 500, answer.json_body.get("reason", ""))
    assert key not in json.dumps(body) + caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_i3_a_request_key(me: Caller) -> None:
    body: dict[str, object] = {"phone_number": NUMBER, "code_length": "8"}
    first = me.call(GENERATE, body, Idempotency_Key="a")
    for _ in range(2):
        again = me.call(GENERATE, body, Idempotency_Key="a")
        assert (again.status_code, again.body) == (200, first.body)
    assert first.json_body["warnings"]
    other = me.call(GENERATE, {"phone_number": NUMBER}, Idempotency_Key="a")
    refused(other, 422, other.json_body["reason"], other.json_body.get("field"))
    refused(me.call(GENERATE, body, Idempotency_Key="a b"), 400, "invalid_parameter", IDEMPOTENCY)
    assert me.world.balance(me.user) == BALANCE - PRICE


def test_a_form_has_texts_only_and_is_not_warned_of_them(me: Caller) -> None:
    given = {
        "code_length": 8,
        "allow_upper_case": "true",
        "validity_period": "60",
        "max_wrong_attempts": "3",
        "text": "Hi {code}",
    }
    made = me.send(form=True, **given)
    assert made["warnings"] == []
    ticket = me.ticket(made)
    assert (ticket.shape.length, ticket.max_attempts) == (8, 3)
    assert ticket.expires_at == START + 60_000
    assert "A" in ticket.shape.alphabet
    given = {"otp_request_token": made["otp_request_token"], "code": me.code(made)}
    assert me.call(VALIDATE, given, form=True).status_code == 200
    assert me.send("+14155550101", form=True, code_length="99")["warnings"]


# A parameter as it is given, and as it is used if that is something else.
SAME = object()
PARAMETERS: list[tuple[str, object, object]] = [
    ("text", "Hi {code}", SAME),
    ("text", "Hi", "Hi {code}"),
    ("text", "Hi {{CODE}}", "Hi {code}"),
    ("text", 5, "5 {code}"),
    ("text", "a\x00b{code}", "ab{code}"),
    ("text", "\ud800{code}", "\ufffd{code}"),
    ("text", None, SAME),
    ("channel", "sms", SAME),
    ("channel", "text_sms", SAME),
    ("channel", "voice_sms", SAME),
    ("channel", "Voice", "voice_sms"),
    ("channel", "pigeon", "sms"),
    ("channel", 5, "sms"),
    ("sender", "Acme", SAME),
    ("sender", "Acme Corp. Ltd!", "AcmeCorpLtd"),
    ("sender", "Métro", "Metro"),
    ("sender", "é!", ""),
    ("sender", 12345, "12345"),
    ("sender", [], ""),
    ("code_length", 8, SAME),
    ("code_length", "6", 6),
    ("code_length", 6.0, 6),
    ("code_length", 7.9, 7),
    ("code_length", "six", 6),
    ("code_length", True, 6),
    ("code_length", 3, 4),
    ("code_length", 33, 32),
    ("code_length", 10**30, 32),
    ("allow_digits", True, SAME),
    ("allow_digits", False, True),
    ("allow_upper_case", "yes", True),
    ("allow_lower_case", 1, True),
    ("allow_special_chars", "TRUE", True),
    ("allow_special_chars", "maybe", False),
    ("remove_confusing_characters", True, SAME),
    ("remove_confusing_characters", "on", True),
    ("validity_period", 60, SAME),
    ("validity_period", "120", 120),
    ("validity_period", 601, 600),
    ("validity_period", 10_000_000, 600),
    ("validity_period", 2, 3),
    ("validity_period", -5, 3),
    ("validity_period", {}, 300),
    ("max_wrong_attempts", 3, SAME),
    ("max_wrong_attempts", 6, 5),
    ("max_wrong_attempts", 0, 1),
    ("max_wrong_attempts", "many", 5),
    ("recipient_ip", "192.0.2.1", SAME),
    ("recipient_ip", "::ffff:192.0.2.1", "192.0.2.1"),
    ("recipient_ip", "nowhere", ""),
    *[("voice_language", language, SAME) for language in VOICE_LANGUAGES],
    ("voice_language", "en_us", "en-US"),
    ("voice_language", "Polish", "pl-PL"),
    ("voice_language", "tlh", "en-US"),
    ("voice_gender", "male", SAME),
    ("voice_gender", "female ", "female"),
    ("voice_gender", "it", "female"),
    ("phone_number", "00 1 (415) 555-0100", NUMBER),
    ("phone_number", 14155550100, NUMBER),
    ("otp_request_token", "x", SAME),
    ("code", ["unknown fields are ignored"], SAME),
    ("", "", SAME),
]


ALL = {name for name, _, _ in PARAMETERS} - {"", "code", "otp_request_token"}


def used_of(ticket: Ticket, name: str) -> object:
    """What the ticket has of a parameter."""
    sending = ticket.sendings[-1]
    return {
        "text": sending.text,
        "channel": sending.channel,
        "sender": sending.sender,
        "code_length": ticket.shape.length,
        "allow_digits": "5" in ticket.shape.alphabet,
        "allow_upper_case": "A" in ticket.shape.alphabet,
        "allow_lower_case": "a" in ticket.shape.alphabet,
        "allow_special_chars": "#" in ticket.shape.alphabet,
        "remove_confusing_characters": "0" not in ticket.shape.alphabet,
        "validity_period": (ticket.expires_at - ticket.created_at) // 1000,
        "max_wrong_attempts": ticket.max_attempts,
        "recipient_ip": ticket.recipient_ip,
        "voice_language": sending.language,
        "voice_gender": sending.gender,
        "phone_number": ticket.phone_number,
    }[name]


def calls() -> list[dict[str, tuple[object, object]]]:
    """The table in few calls: the first value of each parameter, then the second …"""
    found: list[dict[str, tuple[object, object]]] = []
    for name, given, used in PARAMETERS:
        at = next((at for at, call in enumerate(found) if name not in call), len(found))
        if at == len(found):
            found.append({})
        found[at][name] = (given, used)
    return found


def test_each_parameter_and_its_warning(free: Caller) -> None:
    for at, call in enumerate(calls()):
        given: dict[str, Any] = {name: value for name, (value, _) in call.items()}
        made = free.send(given.pop("phone_number", f"+1415555{at:04}"), **given)
        told = {warning["field"]: warning["used"] for warning in made["warnings"]}
        mended = {name: used for name, (_, used) in call.items() if used is not SAME}
        assert told == mended, call
        assert len(made["warnings"]) == len(told)
        for warning in made["warnings"]:
            assert list(warning) == ["field", "given", "used", "why"]
            assert warning["why"]
        ticket = free.ticket(made)
        for name, (value, used) in call.items():
            wanted = {"text_sms": "sms"}.get(str(value), value) if used is SAME else used
            if name in ALL and wanted is not None:
                assert used_of(ticket, name) == wanted, (name, value)


def test_parameters_that_contradict_each_other(free: Caller) -> None:
    made = free.send(code_length=4, max_wrong_attempts=5)
    assert [(w["field"], w["used"]) for w in made["warnings"]] == [("max_wrong_attempts", 3)]
    assert free.ticket(made).max_attempts == 3
    made = free.send("+14155550101", code_length=4, allow_digits=0, allow_upper_case="no")
    assert "allow_digits" in [w["field"] for w in made["warnings"]]
    assert free.ticket(made).shape.alphabet == "0123456789"
    made = free.send("+14155550102", text="{code}" * 300)
    assert len(made["warnings"]) == 1
    assert free.ticket(made).sendings[0].text.count("{code}") == 204


def test_the_accounts_defaults_fill_in(free: Caller) -> None:
    account = holder(free.headers["api-key"])
    fields: dict[str, object] = {
        "text": "Ours: {code}",
        "sender": "Acme",
        "code_length": 9,
        "allow_lower_case": True,
        "validity_period": 30,
        "longest_validity": 60,
        "max_wrong_attempts": 2,
        "voice_language": "de-DE",
        "voice_gender": "male",
        "default_country": "US",
    }
    account.ok("PATCH", "/account/otp", fields)
    ticket = free.ticket(free.send("(415) 555-0100"))
    assert {name: used_of(ticket, name) for name in fields if name in ALL} == {
        name: value for name, value in fields.items() if name in ALL
    }
    capped = free.send("+14155550101", validity_period=300)
    assert [(w["field"], w["used"]) for w in capped["warnings"]] == [("validity_period", 60)]
    assert free.call(VALIDATE, {"phone_number": "415-555-0100", "code": "1"}).json_body == {
        "code": 199,
        "message": "The code is wrong.",
        "remaining_number_of_attempts": 1,
    }


def test_the_lookup_shows_all_but_the_code(me: Caller) -> None:
    made = me.send(text="Psst: {code}", code_length=12, allow_upper_case=True)
    code = me.code(made)
    number = made["ticket_number"]
    me.call(VALIDATE, {"otp_request_token": made["otp_request_token"], "code": "x"})
    for advance in (lambda: None, me.world.advance_tickets):
        advance()
        answer = me.show(number)
        assert answer.status_code == 200
        shown = answer.json_body
        assert (shown["code"], shown["ticket_number"]) == (0, number)
        assert (shown["attempts"], shown["remaining_number_of_attempts"]) == (1, 4)
        text = answer.body.decode()
        assert code not in text
        assert made["otp_request_token"] not in text
        assert "Psst" not in text
    assert shown["state"] == "sent"
    (sending,) = shown["sendings"]
    assert (sending["price"], sending["segments"], sending["state"]) == (0.04, 1, "sent")
    assert [one["outcome"] for one in sending["tries"]] == ["accepted"]


def test_a_ticket_is_shown_to_its_user_only(me: Caller, world: World) -> None:
    number = me.send()["ticket_number"]
    other = caller_of(world, world.user())
    refused(other.show(number), 404, "ticket_not_found", "ticket_number")
    for unknown in (new_ulid(START), number.lower(), "x", "%ED%A0%80", "%00", number + "0"):
        refused(me.show(unknown), 404, "ticket_not_found", "ticket_number")


def test_a_code_comes_back_through_our_own_inbound_and_validates(world: World) -> None:
    world.stack.fetch = Loop()
    world.stack.configure()
    (number,) = world.stock(1)
    me = caller_of(world, world.user())
    rental = world.rent(me.user)
    made = me.send(number)
    world.advance_tickets()
    (message,) = world.rental(rental).messages
    given = {"phone_number": number, "code": message.code}
    assert me.call(VALIDATE, given).json_body == {"code": 0, "message": "success"}
    refused(me.call(VALIDATE, given), 400, code=198)
    shown = me.show(made["ticket_number"]).json_body
    assert shown["state"] == "validated"
    assert [one["status"] for one in shown["sendings"][0]["receipts"]] == ["delivered"]


def test_rules_are_set_strictly(me: Caller) -> None:
    """What is wrong is named: never an accident, and nothing is changed."""
    account = holder(me.headers["api-key"])
    before = account.ok("GET", "/account/otp")
    one: dict[str, object]
    for rules, field in (
        (5, "rules"),
        ({"x" * 99: {}}, f"rules.{'x' * 64}"),
        ({"recipient": []}, "rules.recipient"),
        ({"recipient": {"mode": []}}, "rules.recipient.mode"),
        ({"recipient": {"mode": {}}}, "rules.recipient.mode"),
        ({"recipient": {"mode": "BLOCK"}}, "rules.recipient.mode"),
        ({"recipient": {"mode": None}}, "rules.recipient.mode"),
        ({"recipient": {"limit": 0}}, "rules.recipient.limit"),
        ({"recipient": {"limit": True}}, "rules.recipient.limit"),
        ({"recipient": {"seconds": 86_401}}, "rules.recipient.seconds"),
        ({"recipient": {"seconds": 1.5}}, "rules.recipient.seconds"),
        ({"recipient": {"\ud800": 1}}, "rules.recipient"),
        ({"spend": {"limit": "1e999"}}, "rules.spend.limit"),
        ({"spend": {"limit": 10**400}}, "rules.spend.limit"),
        ({"spend": {"limit": "0"}}, "rules.spend.limit"),
        ({"spend": {"limit": []}}, "rules.spend.limit"),
        ({"country": {"limit": 1}}, "rules.country"),
    ):
        one = {"rules": rules}
        answer = account.call("PATCH", "/account/otp", one)
        assert answer.status_code == 400, (rules, answer.body)
        assert answer.json_body["field"] == field
    assert account.ok("GET", "/account/otp") == before
