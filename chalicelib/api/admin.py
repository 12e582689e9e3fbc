"""The admin's side of users. The key comes in the header X-Admin-Key and nowhere else."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, paging, parameters, rendering
from chalicelib.api.account import LOGIN, NAME
from chalicelib.api.account_keys import LABEL, MOST_LABEL
from chalicelib.api.edge import Call, route
from chalicelib.api.manager import PERCENT
from chalicelib.bootstrap import platform
from chalicelib.domain.pricing import parse_markup
from chalicelib.domain.user import User
from chalicelib.services.administration import ADMIN, Placement

routes = Blueprint(__name__)

_REFERENCE = "at most 200 printable characters"


@route(routes, "/admin/users", "GET")
def list_all_users(call: Call) -> Mapping[str, Any]:
    """All users, in no order."""
    caller.check_admin(call)
    page = paging.of(call, ADMIN)
    found, start = platform().accounts.page(page.start, limit=page.limit)
    return {
        "status": "success",
        "users": [rendering.account_for_admin(user) for user in found],
        "next_cursor": page.cursor(start),
    }


@route(routes, "/admin/users", "POST")
def create_any_user(call: Call) -> Mapping[str, Any]:
    """A pending user."""
    caller.check_admin(call)
    given = fields.of(call, "login", "name")
    login = parameters.text(given, "login", LOGIN)
    return _told(platform().accounts.create(login, parameters.text(given, "name", NAME)))


@route(routes, "/admin/users/{user_id}", "GET")
def show_any_user(call: Call) -> Mapping[str, Any]:
    """One user, by id or login."""
    caller.check_admin(call)
    return _told(platform().accounts.find(call.path["user_id"]))


@route(routes, "/admin/users/{user_id}", "PATCH")
def place_user(call: Call) -> Mapping[str, Any]:
    """Who manages a user, and whether the user manages others, at what markup."""
    caller.check_admin(call)
    given = fields.of(call, "manager_id", "is_manager", "markup")
    markup = None
    if given.get("markup") is not None:
        markup = parse_markup(fields.decimal_text(given, "markup", PERCENT), field="markup")
    wanted = Placement(_manager(given), fields.flag(given, "is_manager"), markup)
    return _told(platform().administration.place(call.path["user_id"], wanted))


@route(routes, "/admin/users/{user_id}/approve", "POST")
def approve_any_user(call: Call) -> Mapping[str, Any]:
    """Let a user in."""
    caller.check_admin(call)
    return _told(platform().accounts.approve(call.path["user_id"]))


@route(routes, "/admin/users/{user_id}/activate", "POST")
def activate_any_user(call: Call) -> Mapping[str, Any]:
    """Let a user act again."""
    caller.check_admin(call)
    return _told(platform().accounts.set_active(call.path["user_id"], True))


@route(routes, "/admin/users/{user_id}/deactivate", "POST")
def deactivate_any_user(call: Call) -> Mapping[str, Any]:
    """Stop a user, and if they are a manager, the renting of theirs."""
    caller.check_admin(call)
    return _told(platform().accounts.set_active(call.path["user_id"], False))


@route(routes, "/admin/users/{user_id}/credit", "POST")
def credit_user(call: Call) -> Mapping[str, Any]:
    """Add money to a user's balance."""
    caller.check_admin(call)
    given, user = fields.of(call, "amount", "reference"), call.path["user_id"]
    amount = fields.amount(given)
    reference = parameters.optional_text(given, "reference", _REFERENCE, most=200) or ADMIN
    request = parameters.idempotency_key(call, ADMIN, {**given, "user_id": user})
    movement = platform().administration.credit(user, amount, reference, request)
    return {"status": "success", **rendering.movement(movement)}


@route(routes, "/admin/users/{user_id}/keys", "POST")
def replace_any_key(call: Call) -> Mapping[str, Any]:
    """A key for a user who lost one, in clear this once; of two the oldest ends."""
    caller.check_admin(call)
    given = fields.of(call, "label")
    label = parameters.optional_text(given, "label", LABEL, most=MOST_LABEL)
    user = platform().accounts.find(call.path["user_id"])
    issued = platform().key_ring.replace_lost(user.user_id, label)
    return {"status": "success", "api_key": issued.text, "key": rendering.key(issued.key)}


@route(routes, "/admin/users/{user_id}/close", "POST")
def close_any_account(call: Call) -> Mapping[str, Any]:
    """Close an account for good: `confirm` is its login."""
    caller.check_admin(call)
    given = fields.of(call, "confirm")
    confirm = parameters.text(given, "confirm", "the login of the account")
    user = platform().accounts.find(call.path["user_id"])
    return _told(platform().profiles.close(user.user_id, confirm=confirm))


def _manager(given: parameters.Parameters) -> str | None:
    """None if there is none; "" takes the manager away, and so does null."""
    if "manager_id" not in given:
        return None
    return parameters.optional_text(given, "manager_id", "a manager's user_id, or null")


def _told(user: User) -> dict[str, Any]:
    return {"status": "success", "user": rendering.account_for_admin(user)}
