"""A user's own account: the profile, its beginning and its end."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, parameters, rendering
from chalicelib.api.edge import Call, route
from chalicelib.api.parameters import Parameters
from chalicelib.bootstrap import platform
from chalicelib.domain.money import NOTHING, Micros, decimal, parse_amount
from chalicelib.domain.phone import NumberFormat
from chalicelib.domain.pricing import percent
from chalicelib.domain.user import User
from chalicelib.errors import InvalidInputError
from chalicelib.services.profiles import Changes
from chalicelib.stores.api_keys import MOST_LIVE

routes = Blueprint(__name__)

PROFILE = ("name", "number_format", "time_zone", "webhook_url", "webhook_events", "low_balance")
LOGIN = "a login of 2 to 64 printable characters without #"
NAME = "a name of 1 to 100 printable characters"
_FORMATS = ", ".join(NumberFormat)


@route(routes, "/account", "GET")
def show_account(call: Call) -> Mapping[str, Any]:
    """The caller's profile, balance and limits."""
    _, user = caller.by_token(call)
    return {"status": "success", "account": _profile(platform().profiles.find(user.user_id))}


@route(routes, "/account", "PATCH")
def change_account(call: Call) -> Mapping[str, Any]:
    """Change the profile; of a webhook URL just set, the signing secret is told this once."""
    _, user = caller.by_token(call)
    given = fields.of(call, *PROFILE)
    changed, secret = platform().profiles.change(user.user_id, _changes(given))
    answer = {"status": "success", "account": _profile(changed)}
    return answer if secret is None else {**answer, "webhook_secret": secret}


@route(routes, "/account", "DELETE")
def close_account(call: Call) -> Mapping[str, Any]:
    """Close the account for good: `confirm` is its login."""
    _, user = caller.by_token(call)
    given = fields.of(call, "confirm")
    confirm = parameters.text(given, "confirm", "the login of the account")
    closed = platform().profiles.close(user.user_id, confirm=confirm)
    return {"status": "success", "user_id": closed.user_id, "balance": decimal(closed.balance)}


@route(routes, "/register", "POST")
def register(call: Call) -> Mapping[str, Any]:
    """A new account, where that is open. Its key opens nothing before it is approved."""
    given = fields.of(call, "login", "name")
    user, issued = platform().profiles.register(
        parameters.text(given, "login", LOGIN),
        parameters.text(given, "name", NAME),
        call.source_ip,
    )
    return {
        "status": "success",
        "user_id": user.user_id,
        "account_status": user.status,
        "api_key": issued.text,
    }


def _profile(user: User) -> dict[str, Any]:
    limits = platform().settings.limits
    profile = {
        **rendering.account(user),
        "number_format": user.number_format,
        "time_zone": user.time_zone,
        "webhook": rendering.webhook(user),
        "low_balance": decimal(user.low_balance),
        "limits": {
            "open_rentals": limits.open_rentals,
            "unused_cancels_per_hour": limits.unused_cancels_per_hour,
            "calls_per_minute": limits.calls_per_minute,
            "live_keys": MOST_LIVE,
        },
    }
    return {**profile, "markup": percent(user.markup)} if user.is_manager else profile


def _changes(given: Parameters) -> Changes:
    return Changes(
        name=_text(given, "name", NAME),
        number_format=_number_format(given),
        time_zone=_text(given, "time_zone", "a name such as Europe/Berlin or UTC"),
        webhook_url=_webhook_url(given),
        webhook_events=fields.texts(given, "webhook_events", "a list of types of events"),
        low_balance=_low_balance(given),
    )


def _text(given: Parameters, name: str, expected: str) -> str | None:
    return parameters.text(given, name, expected) if name in given else None


def _number_format(given: Parameters) -> NumberFormat | None:
    text = _text(given, "number_format", f"one of {_FORMATS}")
    try:
        return NumberFormat(text) if text is not None else None
    except ValueError:
        raise InvalidInputError("number_format", f"one of {_FORMATS}") from None


def _low_balance(given: Parameters) -> Micros | None:
    """None if there is none; 0 is never to be told, and so is null."""
    if "low_balance" not in given:
        return None
    if given["low_balance"] is None:
        return NOTHING
    expected = "a decimal amount such as 12.5, or 0"
    return parse_amount(fields.decimal_text(given, "low_balance", expected), field="low_balance")


def _webhook_url(given: Parameters) -> str | None:
    """None if there is none; "" removes the endpoint, and so does null."""
    if "webhook_url" not in given:
        return None
    return parameters.optional_text(given, "webhook_url", "an https:// URL", most=2_000)
