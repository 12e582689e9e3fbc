"""Managers: users who have users under them. Somebody else's users are not there for them."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, paging, parameters, rendering
from chalicelib.api.account import LOGIN, NAME
from chalicelib.api.account_keys import LABEL, MOST_LABEL
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.ids import UserId
from chalicelib.domain.pricing import parse_markup, percent
from chalicelib.domain.user import User
from chalicelib.services.accounts import no_manager

routes = Blueprint(__name__)

PERCENT = "a percentage from 0 to 300 with at most two decimals, such as 12.5"


@route(routes, "/manager", "PATCH")
def change_markup(call: Call) -> Mapping[str, Any]:
    """What the caller adds to the prices of their users."""
    manager_id = _manager(call)
    given = fields.of(call, "markup")
    markup = parse_markup(fields.decimal_text(given, "markup", PERCENT), field="markup")
    manager = platform().managers.set_markup(manager_id, markup)
    return {"status": "success", "markup": percent(manager.markup)}


@route(routes, "/manager/users", "GET")
def list_users(call: Call) -> Mapping[str, Any]:
    """The caller's users, the oldest first."""
    manager_id = _manager(call)
    page = paging.of(call, manager_id)
    found, start = platform().managers.users(manager_id, page.start, limit=page.limit)
    return {
        "status": "success",
        "users": [rendering.account(user) for user in found],
        "next_cursor": page.cursor(start),
    }


@route(routes, "/manager/users", "POST")
def create_user(call: Call) -> Mapping[str, Any]:
    """A pending user of the caller's."""
    manager_id = _manager(call)
    given = fields.of(call, "login", "name")
    login = parameters.text(given, "login", LOGIN)
    name = parameters.text(given, "name", NAME)
    return _told(platform().managers.create(manager_id, login, name))


@route(routes, "/manager/users/{user_id}", "GET")
def show_user(call: Call) -> Mapping[str, Any]:
    """One user of the caller's."""
    return _told(platform().managers.find(_manager(call), call.path["user_id"]))


@route(routes, "/manager/users/{user_id}/approve", "POST")
def approve_user(call: Call) -> Mapping[str, Any]:
    """Let a user in."""
    return _told(platform().managers.approve(_manager(call), call.path["user_id"]))


@route(routes, "/manager/users/{user_id}/activate", "POST")
def activate_user(call: Call) -> Mapping[str, Any]:
    """Let a user act again."""
    return _told(platform().managers.set_active(_manager(call), call.path["user_id"], True))


@route(routes, "/manager/users/{user_id}/deactivate", "POST")
def deactivate_user(call: Call) -> Mapping[str, Any]:
    """Stop a user. What is rented runs on."""
    return _told(platform().managers.set_active(_manager(call), call.path["user_id"], False))


@route(routes, "/manager/users/{user_id}/fund", "POST")
def fund_user(call: Call) -> Mapping[str, Any]:
    """Move money from the caller's balance to a user's."""
    manager_id = _manager(call)
    given, user_id = fields.of(call, "amount"), call.path["user_id"]
    amount = fields.amount(given)
    request = parameters.idempotency_key(call, manager_id, {**given, "user_id": user_id})
    movement = platform().managers.fund(manager_id, user_id, amount, request)
    return {"status": "success", **rendering.movement(movement)}


@route(routes, "/manager/users/{user_id}/keys", "POST")
def replace_user_key(call: Call) -> Mapping[str, Any]:
    """A key for a user who lost one, in clear this once; of two the oldest ends."""
    manager_id = _manager(call)
    given = fields.of(call, "label")
    label = parameters.optional_text(given, "label", LABEL, most=MOST_LABEL)
    issued = platform().managers.replace_key(manager_id, call.path["user_id"], label)
    return {"status": "success", "api_key": issued.text, "key": rendering.key(issued.key)}


def _manager(call: Call) -> UserId:
    _, user = caller.by_token(call)
    if not user.is_manager:
        raise no_manager()
    return user.user_id


def _told(user: User) -> dict[str, Any]:
    return {"status": "success", "user": rendering.account(user)}
