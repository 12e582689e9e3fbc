"""A user's webhook over HTTP: health, secrets, tests, what is sent again, and each refusal."""

import json
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.domain.times import DAY, SECOND
from chalicelib.domain.user import User
from chalicelib.outbound import Answer
from chalicelib.services import redelivery
from chalicelib.surroundings import system_clock
from tests.api.faces import NOBODY, Caller, holder
from tests.api.shapes import refused
from tests.world import World

URL = "https://hooks.example.com/sesame"
ROUTES = [
    ("GET", "/account/webhook"),
    ("POST", "/account/webhook/rotate"),
    ("POST", "/account/webhook/enable"),
    ("POST", "/account/webhook/test"),
    ("POST", "/account/webhook/recover"),
    ("POST", "/account/deliveries/01HF7YAT00KN72RTCCVJF755NM/resend"),
]
SINCE: dict[str, object] = {"since": "2023-11-14T00:00:00Z"}
GOOD = {
    "state": "good",
    "failures": 0,
    "failing_since": None,
    "retried_at": None,
    "slow_until": None,
    "disabled_at": None,
    "disabled_reason": None,
}


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def me(world: World, user: User) -> Caller:
    return holder(world.key(user))


@pytest.fixture
def hooked(me: Caller) -> Caller:
    """The same with a webhook."""
    me.ok("PATCH", "/account", {"webhook_url": URL})
    return me


def after_tests(world: World, caller: Caller, *answers: Answer) -> list[dict[str, Any]]:
    """Test events that were answered so, as the log shows them, the newest first."""
    world.stack.receiver.answers = list(answers)
    for _ in answers:
        caller.ok("POST", "/account/webhook/test")
        world.deliver()
        world.stack.clock.advance(seconds=1)
    shown: list[dict[str, Any]] = caller.ok("GET", "/account/deliveries")["deliveries"]
    return shown


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_401_without_a_key(world: World, method: str, path: str) -> None:
    refused(NOBODY.call(method, path), 401, "missing_api_key", "Authorization")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_409_without_a_webhook(me: Caller, method: str, path: str) -> None:
    body = SINCE if path.endswith("recover") else None
    refused(me.call(method, path, body), 409, "no_endpoint")


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] == "POST"])
def test_400_for_an_unknown_field(hooked: Caller, method: str, path: str) -> None:
    refused(hooked.call(method, path, {"colour": "red"}), 400, "unknown_parameter", "colour")


def test_a_webhook_is_shown_with_its_health(hooked: Caller) -> None:
    assert hooked.ok("GET", "/account/webhook")["webhook"] == {
        "url": URL,
        "events": ["otp_received"],
        "enabled": True,
        "previous_secret_until": None,
        "health": GOOD,
    }


def test_the_health_says_what_keeps_events_away(world: World, hooked: Caller) -> None:
    def health() -> dict[str, Any]:
        shown: dict[str, Any] = hooked.ok("GET", "/account/webhook")["webhook"]["health"]
        return shown

    after_tests(world, hooked, Answer(status=500))
    failing = {"failures": 1, "failing_since": "2023-11-14T22:13:20Z"}
    assert health() == {**GOOD, **failing, "state": "failing"}
    after_tests(world, hooked, *[Answer(status=500)] * 4)
    assert (health()["state"], health()["retried_at"]) == ("paused", "2023-11-14T22:13:54Z")
    world.stack.clock.advance(seconds=60)
    after_tests(world, hooked, Answer(error="timeout"))
    assert (health()["state"], health()["slow_until"]) == ("slow", "2023-11-14T22:24:25Z")
    after_tests(world, hooked, Answer(status=410))
    assert health()["state"] == "disabled"
    assert health()["disabled_reason"] == "gone"
    assert health()["disabled_at"] is not None


def test_the_log_shows_what_came_of_an_attempt(world: World, hooked: Caller) -> None:
    answer = Answer(status=503, excerpt="<h1>Busy</h1>", millis=1_234)
    (waiting,) = after_tests(world, hooked, answer)
    told = {name: waiting[name] for name in ("event", "state", "attempts", "last_status", "lane")}
    assert told == {
        "event": "test",
        "state": "pending",
        "attempts": 1,
        "last_status": 503,
        "lane": "fast",
    }
    assert (waiting["latency_ms"], waiting["answer"]) == (1_234, "<h1>Busy</h1>")
    assert "2023-11-14T22:13:24Z" <= waiting["next_attempt_at"] <= "2023-11-14T22:13:26Z"
    world.stack.clock.advance(seconds=10)
    hooked.ok("POST", f"/account/deliveries/{waiting['delivery_id']}/resend")
    world.deliver()
    (done,) = hooked.ok("GET", "/account/deliveries")["deliveries"]
    assert (done["state"], done["answer"], done["next_attempt_at"]) == ("delivered", None, None)


# Secrets.


def verified(world: World, secret: str) -> bool:
    """Whether the webhook that came last is signed by that secret."""
    _, body, headers = world.stack.receiver.received[-1]
    try:
        return bool(Webhook(secret).verify(body, dict(headers)))
    except WebhookVerificationError:
        return False


def test_two_secrets_sign_while_one_takes_the_others_place(world: World, me: Caller) -> None:
    # The library asks the machine for the time.
    world.stack.clock.now = system_clock()
    old = me.ok("PATCH", "/account", {"webhook_url": URL})["webhook_secret"]
    answer = me.ok("POST", "/account/webhook/rotate", {"overlap": 60})
    new = answer["webhook_secret"]
    assert new != old
    after_tests(world, me, Answer(status=200))
    _, _, headers = world.stack.receiver.received[-1]
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verified(world, old)
    assert verified(world, new)
    shown = me.ok("GET", "/account/webhook")["webhook"]
    assert shown["previous_secret_until"] == answer["previous_secret_until"]
    world.stack.clock.advance(seconds=60)
    after_tests(world, me, Answer(status=200))
    assert not verified(world, old)
    assert verified(world, new)
    assert me.ok("GET", "/account/webhook")["webhook"]["previous_secret_until"] is None


def test_a_secret_that_is_rotated_signs_for_a_day_unless_told_otherwise(hooked: Caller) -> None:
    answer = hooked.ok("POST", "/account/webhook/rotate")
    assert answer["previous_secret_until"] == "2023-11-15T22:13:20Z"


def test_there_are_two_live_secrets_at_most_and_one_if_need_be(world: World, me: Caller) -> None:
    world.stack.clock.now = system_clock()
    first = me.ok("PATCH", "/account", {"webhook_url": URL})["webhook_secret"]
    second = me.ok("POST", "/account/webhook/rotate")["webhook_secret"]
    refused(me.call("POST", "/account/webhook/rotate"), 409, "rotation_under_way")
    answer = me.ok("POST", "/account/webhook/rotate", {"overlap": 0})
    assert answer["previous_secret_until"] is None
    after_tests(world, me, Answer(status=200))
    signs = [verified(world, secret) for secret in (first, second, answer["webhook_secret"])]
    assert signs == [False, False, True]


def test_a_webhook_set_again_has_one_secret_alone(world: World, me: Caller) -> None:
    me.ok("PATCH", "/account", {"webhook_url": URL})
    me.ok("POST", "/account/webhook/rotate")
    me.ok("PATCH", "/account", {"webhook_url": URL})
    after_tests(world, me, Answer(status=200))
    _, _, headers = world.stack.receiver.received[-1]
    assert len(headers["webhook-signature"].split(" ")) == 1


@pytest.mark.parametrize("overlap", [-1, 7 * DAY // SECOND + 1, "soon", True, [], 1.5])
def test_400_for_an_overlap_that_is_none(hooked: Caller, overlap: object) -> None:
    response = hooked.call("POST", "/account/webhook/rotate", {"overlap": overlap})
    refused(response, 400, "invalid_parameter", "overlap")


# Sent again.


def test_a_webhook_that_was_switched_off_is_enabled(world: World, hooked: Caller) -> None:
    (lost,) = [d for d in after_tests(world, hooked, Answer(status=410)) if d["event"] == "test"]
    assert not hooked.ok("GET", "/account/webhook")["webhook"]["enabled"]
    refused(hooked.call("POST", "/account/webhook/test"), 409, "endpoint_disabled")
    path = f"/account/deliveries/{lost['delivery_id']}/resend"
    refused(hooked.call("POST", path), 409, "endpoint_disabled")
    enabled = hooked.ok("POST", "/account/webhook/enable")["webhook"]
    assert (enabled["enabled"], enabled["health"]) == (True, GOOD)
    assert hooked.ok("POST", "/account/webhook/recover", SINCE) == {"count": 1, "next_since": None}
    world.deliver()
    states = {d["event"]: d["state"] for d in hooked.ok("GET", "/account/deliveries")["deliveries"]}
    assert states == {"test": "delivered", "webhook_disabled": "skipped"}


def test_a_webhook_set_again_is_enabled(world: World, hooked: Caller) -> None:
    after_tests(world, hooked, Answer(status=410))
    changed = hooked.ok("PATCH", "/account", {"webhook_url": URL})
    assert changed["account"]["webhook"]["enabled"]


@pytest.mark.parametrize("since", ["", "yesterday", "2023-13-01", 5, [], "\ud800", "x" * 999])
def test_400_for_a_since_that_is_no_moment(hooked: Caller, since: object) -> None:
    response = hooked.call("POST", "/account/webhook/recover", {"since": since})
    code = "invalid_parameter" if since else "missing_parameter"
    refused(response, 400, "invalid_parameter" if since == [] else code, "since")


@pytest.mark.parametrize("since", ["0001-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_any_moment_can_be_recovered_from(hooked: Caller, since: str) -> None:
    answer = hooked.ok("POST", "/account/webhook/recover", {"since": since})
    assert answer == {"count": 0, "next_since": None}


def test_404_for_an_unknown_delivery_and_for_anothers(world: World, hooked: Caller) -> None:
    (mine,) = after_tests(world, hooked, Answer(status=200))
    other = holder(world.key(world.user()))
    other.ok("PATCH", "/account", {"webhook_url": URL})
    unknown = "01HF7YAT00KN72RTCCVJF755NM"
    answers = [
        caller.call("POST", f"/account/deliveries/{delivery_id}/resend")
        for caller, delivery_id in ((other, mine["delivery_id"]), (hooked, unknown))
    ]
    told = [refused(each, 404, "delivery_not_found", "delivery_id") for each in answers]
    assert told[0] == told[1]


def test_409_for_a_type_that_is_not_subscribed(world: World, hooked: Caller, user: User) -> None:
    world.stock(1)
    world.sms(world.rent(user).phone_number, "See you at the station tonight")
    world.deliver()
    (skipped,) = hooked.ok("GET", "/account/deliveries")["deliveries"]
    path = f"/account/deliveries/{skipped['delivery_id']}/resend"
    refused(hooked.call("POST", path), 409, "not_subscribed")


def test_no_secret_is_in_what_is_shown(world: World, hooked: Caller) -> None:
    secret = hooked.ok("POST", "/account/webhook/rotate")["webhook_secret"]
    shown = [hooked.ok("GET", path) for path in ("/account", "/account/webhook")]
    assert secret.removeprefix("whsec_") not in json.dumps(shown)


def test_a_recovery_of_many_goes_on_at_next_since(
    world: World, hooked: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_tests(world, hooked, *[Answer(status=410)])
    hooked.ok("POST", "/account/webhook/enable")
    world.stack.clock.advance(seconds=0.123)
    after_tests(world, hooked, *[Answer(status=410)])
    hooked.ok("POST", "/account/webhook/enable")
    monkeypatch.setattr(redelivery, "MOST_RECOVERED", 1)
    first = hooked.ok("POST", "/account/webhook/recover", SINCE)
    assert first == {"count": 1, "next_since": "2023-11-14T22:13:21.123Z"}
    last = hooked.ok("POST", "/account/webhook/recover", {"since": first["next_since"]})
    assert last == {"count": 1, "next_since": None}
