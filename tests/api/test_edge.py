"""The edge itself: accidents answered in our shape, and nothing secret in a log or at rest (I8)."""

import base64
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from chalice.test import HTTPResponse

from app import app
from chalicelib import bootstrap
from chalicelib.domain.keys import hash_key, shown_prefix
from chalicelib.errors import Kind, SesameError
from chalicelib.outbound import Answer
from chalicelib.services.accounts import Accounts
from chalicelib.settings import TABLES
from tests.api.shapes import refused
from tests.conftest import SECRETS, START, Stack
from tests.wire import stored
from tests.world import World, get, post, post_generic

HOOK = "http://127.0.0.1:9/hook"


class Accident(Exception):
    """Something that nobody foresaw."""


def event(method: str, path: str, query: dict[str, list[str]], **more: Any) -> dict[str, Any]:
    """A request as API Gateway hands it to the Lambda."""
    return {
        "httpMethod": method,
        "headers": {},
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "path": f"/api{path}",
            "requestId": "from-the-gateway",
            "requestTimeEpoch": START,
        },
        **more,
    }


def called(request: dict[str, Any]) -> HTTPResponse:
    return HTTPResponse.create_from_dict(app(request, None))


def waiting_fails(stack: Stack, error: Exception) -> None:
    """Serve on a machine whose sleep raises: getSMS waits, and meets an accident."""

    def sleep(_: float) -> None:
        raise error

    bootstrap.use(replace(stack.platform, sleep=sleep))


@pytest.fixture
def rented(world: World) -> tuple[str, dict[str, str]]:
    world.stock(2)
    key = world.key(world.user())
    rental: dict[str, str] = post("/rentNumber", {"api_key": key, "country": "US"}).json_body
    return key, rental


def test_i8_an_accident_is_answered_and_logged_without_key_path_or_query(
    stack: Stack, rented: tuple[str, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    key, rental = rented
    waiting_fails(stack, Accident("on the way"))
    query = {"api_key": key, "rental_id": rental["rental_id"], "wait": "5"}
    with caplog.at_level(logging.DEBUG, logger="chalicelib"):
        response = get("/getSMS", **query)
    body = refused(response, 500, "internal_error")
    assert "on the way" not in body["message"]
    assert "on the way" in caplog.text
    assert f"{response.headers['X-Request-Id']} GET /getSMS" in caplog.text
    for secret in (key, key.split("_")[2], rental["rental_id"], "wait=5", "api_key="):
        assert secret not in caplog.text


def test_i8_a_key_in_the_text_of_an_accident_is_masked(
    stack: Stack, rented: tuple[str, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    key, rental = rented
    waiting_fails(stack, Accident(f"no {key} in {{}}"))
    with caplog.at_level(logging.DEBUG, logger="chalicelib"):
        response = get("/getSMS", api_key=key, rental_id=rental["rental_id"], wait=5)
    refused(response, 500, "internal_error")
    assert key not in caplog.text
    assert shown_prefix(key) in caplog.text


@pytest.mark.parametrize(
    ("name", "broken"),
    [("SESAME_SECRETS", ""), ("SESAME_SECRETS", "{"), (f"SESAME_TABLE_{TABLES[0].upper()}", "")],
)
def test_an_environment_that_lacks_something_is_a_configuration_error(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    broken: str,
) -> None:
    monkeypatch.setenv(name, broken)
    monkeypatch.setattr(bootstrap, "_platform", None)
    with caplog.at_level(logging.DEBUG, logger="chalicelib"):
        for call in (
            get("/getNumbers", api_key="x"),
            post("/rentNumber", {"api_key": "x", "country": "US"}),
            post("/inbound/generic/demo", {}),
        ):
            body = refused(call, 500, "system_configuration_error")
            assert name not in body["message"]
    assert name in caplog.text
    for secret in ("whsec_Z2VuZXJpYy1kZW1v", str(SECRETS["pepper"])):
        assert secret not in caplog.text


def test_the_request_id_is_the_gateways(world: World) -> None:
    response = called(event("GET", "/health", {}))
    assert response.headers["X-Request-Id"] == "from-the-gateway"
    refusal = called(event("GET", "/getNumbers", {}))
    refused(refusal, 401, "missing_api_key", "api_key")
    assert refusal.headers["X-Request-Id"] == "from-the-gateway"


def test_a_wait_counts_from_when_the_gateway_took_the_call(
    stack: Stack, rented: tuple[str, dict[str, str]]
) -> None:
    key, rental = rented
    stack.clock.advance(seconds=22)
    began = stack.clock.now
    query = {"api_key": [key], "rental_id": [rental["rental_id"]], "wait": ["25"]}
    assert called(event("GET", "/getSMS", query)).status_code == 200
    assert 0 < stack.clock.now - began <= 3_000


def test_a_body_in_base_64_is_read(rented: tuple[str, dict[str, str]]) -> None:
    raw = json.dumps({"api_key": rented[0], "country": "US"}).encode()
    body = {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
    headers = {"content-type": "application/json"}
    assert called(event("POST", "/rentNumber", {}, headers=headers, **body)).status_code == 200


def test_lone_surrogates_from_the_gateway_break_nothing(
    rented: tuple[str, dict[str, str]],
) -> None:
    query = {"api_key": [rented[0]], "country": ["\ud800"], "\udfff": ["\ud800"]}
    refused(called(event("GET", "/getNumbers", query)), 400, "invalid_parameter", "country")
    headers = {"idempotency-key": "\ud800", "content-type": "application/json"}
    body = json.dumps({"api_key": rented[0], "country": "US"})
    response = called(event("POST", "/rentNumber", query, headers=headers, body=body))
    refused(response, 400, "invalid_parameter", "Idempotency-Key")


def test_pages_say_what_they_are_and_forbid_the_rest(stack: Stack) -> None:
    page = get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert get("/health").json_body == {"status": "ok"}


@pytest.mark.parametrize(("kind", "status"), [(Kind.BUSY, 503), (Kind.LIMIT, 429)])
def test_who_may_come_back_is_told_when(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, kind: Kind, status: int
) -> None:
    class LaterError(SesameError):
        pass

    LaterError.kind = kind

    def later(_: object) -> None:
        raise LaterError("later", "Come back later.")

    monkeypatch.setattr(Accounts, "authenticate", lambda _, text: later(text))
    response = get("/getNumbers", api_key="x")
    refused(response, status, "later")
    assert response.headers["Retry-After"] == "1"


def whole_loop(world: World) -> dict[str, str]:
    """Everything that can be done by now, with some of what can go wrong; the secrets in it."""
    stack = world.stack
    world.stock(5)
    user = world.user()
    key = world.key(user)
    signing_secret = world.webhook(user, HOOK, "sms_received")
    rental = post("/rentNumber", {"api_key": key, "country": "US"}, {"Idempotency-Key": "k"})
    number, rental_id = (rental.json_body[name] for name in ("number", "rental_id"))
    sms: dict[str, object] = {"message_id": "m1", "from": "Acme", "to": number}
    assert post_generic(stack, {**sms, "text": "Your code is 482913"}).status_code == 200
    stack.receiver.answers = [Answer(status=500), Answer(error="timeout")]
    world.deliver()
    stack.configure(SESAME_QUEUE_WEBHOOKS=f"{stack.environment['SESAME_QUEUE_WEBHOOKS']}-gone")
    post_generic(stack, {**sms, "message_id": "m2", "text": "Your code is 482913"})
    stack.configure(SESAME_QUEUE_WEBHOOKS=stack.environment["SESAME_QUEUE_WEBHOOKS"][:-5])

    def broken_finder(text: str, sender: str | None) -> None:
        raise Accident(text)

    bootstrap.use(stack.platform)
    stack.platform.__dict__["inbound"] = replace(stack.platform.inbound, find_code=broken_finder)
    world.sms(number, "Your code is 482913")
    stack.clock.advance(seconds=120)
    stack.platform.jobs.requeue_deliveries()
    world.deliver()
    post("/inbound/generic/demo", {**sms, "text": "482913"}, {"webhook-signature": "v1,x"})
    get("/getSMS", api_key=key, rental_id=rental_id, wait=1)
    get("/getSMS", api_key=key[:-1], rental_id=rental_id)
    post("/cancelNumber", {"api_key": key, "rental_id": rental_id})
    stack.clock.advance(seconds=72 * 3600)
    stack.platform.jobs.expire_rentals()
    stack.platform.jobs.end_rests()
    stack.platform.jobs.count_stock()
    assert len(stack.receiver.received) >= 3
    return {"key": key, "webhook secret": signing_secret, "code": "482913"}


def test_i8_no_log_record_of_the_whole_loop_holds_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), caplog.at_level(logging.DEBUG, logger="chalicelib"):
        secrets = whole_loop(world)
    # Two things went wrong on the way, or there would be nothing to look through.
    assert "queue not told of delivery" in caplog.text
    assert "the code finder failed" in caplog.text
    for name, secret in {**secrets, **configured()}.items():
        assert secret not in caplog.text, name


def test_i8_no_item_of_any_table_holds_a_key_or_a_signing_secret(world: World) -> None:
    secrets = whole_loop(world)
    items = "\n".join(stored())
    for table in ("users", "apikeys", "numbers", "rentals", "inbound", "deliveries", "requests"):
        assert f"sesame-{table} " in items, table
    assert hash_key(secrets["key"]) in items
    key, secret = secrets["key"], secrets["webhook secret"]
    for part in (key, key.split("_")[2], secret, secret.removeprefix("whsec_")):
        assert part not in items
    for name, text in configured().items():
        assert text not in items, name
    messages = world.queued()
    assert all(set(message) == {"delivery_id", "user_id"} for message in messages)


def configured() -> dict[str, str]:
    """The secrets of the environment, by name."""
    providers: dict[str, dict[str, dict[str, list[str]]]] = SECRETS["providers"]  # type: ignore[assignment]
    names = {name: accounts["demo"]["secrets"][0] for name, accounts in providers.items()}
    return {**names, "pepper": str(SECRETS["pepper"])}
