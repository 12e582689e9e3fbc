"""A user's webhook: how it fares, its secrets, and what it is to be sent again."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, parameters, rendering
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.endpoint_health import Health
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import Millis, iso, iso_exact, parse_iso
from chalicelib.domain.user import Endpoint
from chalicelib.errors import InvalidInputError
from chalicelib.services.endpoints import MOST_OVERLAP_SECONDS, OVERLAP_SECONDS

routes = Blueprint(__name__)

SINCE = "an RFC 3339 moment such as 2023-06-15T15:30:45Z"


@route(routes, "/account/webhook", "GET")
def show_webhook(call: Call) -> Mapping[str, Any]:
    """The caller's endpoint and how it has been answering."""
    _, user = caller.by_token(call)
    return _shown(user.user_id)


@route(routes, "/account/webhook/rotate", "POST")
def rotate_secret(call: Call) -> Mapping[str, Any]:
    """A new signing secret, told this once; the one before signs too for `overlap` seconds."""
    _, user = caller.by_token(call)
    given = fields.of(call, "overlap")
    overlap = parameters.whole_number(
        given, "overlap", default=OVERLAP_SECONDS, most=MOST_OVERLAP_SECONDS
    )
    endpoint, secret = platform().endpoints.rotate(user.user_id, overlap=overlap)
    return {
        "status": "success",
        "webhook_secret": secret,
        "previous_secret_until": _previous_until(endpoint),
    }


@route(routes, "/account/webhook/enable", "POST")
def enable_webhook(call: Call) -> Mapping[str, Any]:
    """Have events sent again to an endpoint that was switched off or is being left alone."""
    _, user = caller.by_token(call)
    fields.of(call)
    platform().endpoints.enable(user.user_id)
    return _shown(user.user_id)


@route(routes, "/account/webhook/test", "POST")
def send_test(call: Call) -> Mapping[str, Any]:
    """Send an event of the type `test`, whatever the endpoint is sent otherwise."""
    _, user = caller.by_token(call)
    fields.of(call)
    event = platform().redelivery.test(user.user_id)
    return {"status": "success", "event_id": event.event_id, "delivery_id": event.delivery_id}


@route(routes, "/account/webhook/recover", "POST")
def recover_deliveries(call: Call) -> Mapping[str, Any]:
    """Send again what failed, or had nowhere to go, since a moment; at most 1,000 a call."""
    _, user = caller.by_token(call)
    since = _since(parameters.text(fields.of(call, "since"), "since", SINCE))
    count, next_since = platform().redelivery.recover(user.user_id, since)
    return {
        "status": "success",
        "count": count,
        "next_since": iso_exact(next_since) if next_since is not None else None,
    }


@route(routes, "/account/deliveries/{delivery_id}/resend", "POST")
def resend_delivery(call: Call) -> Mapping[str, Any]:
    """Send one delivery again, be it delivered already."""
    _, user = caller.by_token(call)
    fields.of(call)
    delivery = platform().redelivery.resend(user.user_id, call.path["delivery_id"])
    return {"status": "success", "delivery": rendering.delivery(delivery)}


def _shown(user_id: UserId) -> Mapping[str, Any]:
    _, endpoint, health = platform().endpoints.find(user_id)
    now = platform().clock()
    return {
        "status": "success",
        "webhook": {
            "url": endpoint.url,
            "events": list(endpoint.events),
            "enabled": endpoint.enabled,
            "previous_secret_until": _previous_until(endpoint),
            "health": _health(endpoint, health, now),
        },
    }


def _health(endpoint: Endpoint, health: Health, now: Millis) -> dict[str, Any]:
    off = not endpoint.enabled
    return {
        "state": _state(endpoint, health, now),
        "failures": health.failures,
        "failing_since": rendering.moment(health.failing_since),
        "retried_at": rendering.moment(health.open_until) if health.is_open(now) else None,
        "slow_until": rendering.moment(health.slow_until) if health.is_slow(now) else None,
        "disabled_at": rendering.moment(health.disabled_at) if off else None,
        "disabled_reason": health.reason if off else None,
    }


def _state(endpoint: Endpoint, health: Health, now: Millis) -> str:
    if not endpoint.enabled:
        return "disabled"
    if health.is_open(now):
        return "paused"
    if health.failures:
        return "failing"
    return "slow" if health.is_slow(now) else "good"


def _previous_until(endpoint: Endpoint) -> str | None:
    until = endpoint.previous_until
    return iso(until) if platform().clock() < until else None


def _since(text: str) -> Millis:
    try:
        return Millis(max(0, parse_iso(text)))
    except ValueError:
        raise InvalidInputError("since", SINCE) from None
