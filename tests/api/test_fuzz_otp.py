"""Whatever is sent to spec C: never a 5xx; and if the number can be understood, it is sent a code
or a documented 4xx says why not."""

import json
from urllib.parse import quote, urlencode

import pytest
from chalice.test import Client, HTTPResponse
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from app import app
from chalicelib.domain.fraud import RuleName
from chalicelib.domain.lenient_phone import phone_number
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.otp_fields import READERS
from tests.api.test_fuzz import ANY_TEXT, FORM, FUZZ, JSON, WELL_FORMED, as_json
from tests.world import World

SERVICE = "/v1/public/service/otp"
GENERATE, VALIDATE = ("POST", f"{SERVICE}/generate"), ("PUT", f"{SERVICE}/validate")
MOST = settings(FUZZ, max_examples=40)
REFUSALS = {194, 195, 196, 197, 198, 199}
TOKEN = "<token>"
PHONES = st.sampled_from(
    ["+14155550100", "0014155550101", 14155550102, "+1 415 555 0103", "+447400123456", "4155550104"]
)
USUAL = st.sampled_from(
    ["", "0", "1", "true", "6", "en_us", "voice_sms", "192.0.2.1", "{code}", 6, 1e9, -1, True]
)
PARAMETERS = (
    *("text", "channel", "sender", "code_length", "validity_period", "max_wrong_attempts"),
    *("allow_digits", "allow_upper_case", "allow_lower_case", "allow_special_chars"),
    *("remove_confusing_characters", "recipient_ip", "voice_language", "voice_gender"),
)
ASKED = st.fixed_dictionaries(
    {}, optional={"phone_number": PHONES | JSON, **dict.fromkeys(PARAMETERS, USUAL | JSON)}
)
# With a number that is always good: whatever else there is, a code goes out.
SENT = st.builds(lambda number, body: {**body, "phone_number": number}, PHONES, ASKED)
GUESSED = st.fixed_dictionaries(
    {},
    optional={
        "phone_number": PHONES | JSON,
        "otp_request_token": st.just(TOKEN) | JSON,
        "code": st.sampled_from(["000000", 0, "\uff11\u0662"]) | JSON,
        "recipient_ip": USUAL | JSON,
    },
)
HEADERS = st.fixed_dictionaries(
    {}, optional={"Idempotency-Key": st.sampled_from(["a", "b"]), "Accept": ANY_TEXT}
)


class Caller:
    """A user with money and without limits, whose numbers are of the US if they do not say."""

    def __init__(self, world: World) -> None:
        user = world.user(balance=Micros(100_000 * UNIT))
        rules = {name: {"mode": "off"} for name in RuleName}
        changes = {"rules": rules, "default_country": "US"}
        world.stack.platform.otp_accounts.change(user.user_id, changes)
        key = world.key(user)
        self.headers = {"api-login": user.login, "api-key": key, "Authorization": f"Bearer {key}"}
        answer = self.call(GENERATE, b'{"phone_number":"+14155550100"}')
        self.token = answer.json_body["otp_request_token"]

    def call(self, route: tuple[str, str], body: bytes = b"", **more: str) -> HTTPResponse:
        headers = {"Content-Type": "application/json", **more, **self.headers}
        with Client(app) as client:
            return client.http.request(route[0], route[1], headers=headers, body=body)

    def sent(self, answer: HTTPResponse) -> None:
        """A ticket exists."""
        assert answer.status_code == 200, answer.body
        number = answer.json_body["ticket_number"]
        shown = self.call(("GET", f"{SERVICE}/{number}"))
        assert (shown.status_code, shown.json_body["code"]) == (200, 0)


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller(world)


def check(answer: HTTPResponse) -> None:
    """A good answer or a refusal in the shape of spec C; never an accident."""
    assert answer.status_code < 500, answer.body
    assert answer.headers["X-Request-Id"]
    body = json.loads(answer.body)
    assert isinstance(body["message"], str)
    if answer.status_code == 200:
        assert body["code"] == 0
    else:
        assert body["code"] == answer.status_code or body["code"] in REFUSALS
        assert "status" not in body


@given(body=SENT)
@MOST
def test_a_good_number_is_sent_a_code_whatever_else_there_is(
    caller: Caller, body: dict[str, object]
) -> None:
    try:
        raw = json.dumps(body, allow_nan=False).encode()
    except ValueError:
        # NaN and Infinity are no JSON: such a body is refused whole.
        reject()
    answer = caller.call(GENERATE, raw)
    check(answer)
    caller.sent(answer)


@given(body=ASKED | JSON, headers=HEADERS, escaped=st.booleans())
@MOST
def test_any_json_asks_for_a_code(
    caller: Caller, body: object, headers: dict[str, str], escaped: bool
) -> None:
    raw = json.dumps(body).encode() if escaped else as_json(body)
    answer = caller.call(GENERATE, raw, **headers)
    check(answer)
    number = None
    if isinstance(body, dict):
        number = phone_number(body.get("phone_number"), "US")
    if number is not None and answer.status_code != 200:
        documented = {
            400: "invalid_json",
            403: "destination_forbidden",
            422: "idempotency_key_reused",
        }
        assert documented[answer.status_code] in answer.json_body["reason"], answer.body
    if answer.status_code == 200:
        assert number is not None


@given(body=GUESSED | JSON, escaped=st.booleans())
@MOST
def test_any_json_guesses(caller: Caller, body: object, escaped: bool) -> None:
    raw = (json.dumps(body).encode() if escaped else as_json(body)).replace(
        TOKEN.encode(), caller.token.encode()
    )
    answer = caller.call(VALIDATE, raw)
    check(answer)
    if answer.status_code != 200:
        assert answer.status_code == 400


@pytest.mark.parametrize("route", [GENERATE, VALIDATE])
@given(
    body=st.dictionaries(st.sampled_from([*PARAMETERS, "phone_number", "code"]), WELL_FORMED),
    raw=st.binary(max_size=100),
    headers=st.dictionaries(
        st.sampled_from(["api-login", "api-key", "Content-Type", "Idempotency-Key"]), ANY_TEXT
    ),
)
@settings(FUZZ, max_examples=12)
def test_any_form_any_bytes_any_headers(
    caller: Caller,
    route: tuple[str, str],
    body: dict[str, str],
    raw: bytes,
    headers: dict[str, str],
) -> None:
    check(caller.call(route, urlencode(body).encode(), **{"Content-Type": FORM}))
    for sent in (FORM, "application/json"):
        check(caller.call(route, raw, **{"Content-Type": sent}))
    with Client(app) as client:
        every = {**caller.headers, **headers}
        check(client.http.request(route[0], route[1], headers=every, body=raw))


@given(
    fields=st.dictionaries(st.sampled_from(list(READERS)) | ANY_TEXT, USUAL | JSON, max_size=4),
    rules=st.dictionaries(
        st.sampled_from([*RuleName]) | ANY_TEXT,
        st.dictionaries(st.sampled_from(["mode", "limit", "seconds"]), USUAL | JSON) | JSON,
        max_size=2,
    ),
    some=st.booleans(),
)
@MOST
def test_any_settings(
    caller: Caller, fields: dict[str, object], rules: dict[str, object], some: bool
) -> None:
    """What is kept of them stops no code."""
    body = {"rules": rules} if some else fields
    answer = caller.call(("PATCH", "/account/otp"), json.dumps(body).encode())
    assert answer.status_code in (200, 400), answer.body
    if answer.status_code == 400:
        assert answer.json_body["status"] == "error"
        return
    sent = caller.call(GENERATE, b'{"phone_number":"+14155550100"}')
    check(sent)
    assert sent.status_code in (200, 403, 429)


@given(part=WELL_FORMED.filter(bool))
@settings(FUZZ, max_examples=12)
def test_any_ticket_number(caller: Caller, part: str) -> None:
    answer = caller.call(("GET", f"{SERVICE}/{quote(part, safe='')}"))
    check(answer)
    assert answer.status_code in (404, 405)
