"""What an account asks for of codes, its limits on them, and what those decided."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, paging, parameters
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain import fraud_rules, otp_defaults
from chalicelib.domain.ids import ulid_time
from chalicelib.domain.times import iso
from chalicelib.services.otp_accounts import RULES, OtpSettings
from chalicelib.stores.decisions import NotedDecision

routes = Blueprint(__name__)


@route(routes, "/account/otp", "GET")
def show_otp(call: Call) -> Mapping[str, Any]:
    """The caller's defaults for codes and the limits on them."""
    _, user = caller.by_token(call)
    return {"status": "success", "otp": _settings(platform().otp_accounts.find(user.user_id))}


@route(routes, "/account/otp", "PATCH")
def change_otp(call: Call) -> Mapping[str, Any]:
    """Change some of them."""
    _, user = caller.by_token(call)
    changed = platform().otp_accounts.change(user.user_id, parameters.of(call))
    return {"status": "success", "otp": _settings(changed)}


@route(routes, "/account/otp/decisions", "GET")
def list_decisions(call: Call) -> Mapping[str, Any]:
    """What the limits refused, or would have, the newest first."""
    _, user = caller.by_token(call)
    page = paging.of(call, user.user_id)
    found, start = platform().otp_accounts.decisions(user.user_id, page.start, limit=page.limit)
    return {
        "status": "success",
        "decisions": [_decision(decision) for decision in found],
        "next_cursor": page.cursor(start),
    }


def _settings(found: OtpSettings) -> dict[str, Any]:
    return {**otp_defaults.as_fields(found.defaults), RULES: fraud_rules.shown(found.rules)}


def _decision(found: NotedDecision) -> dict[str, Any]:
    return {
        "decision_id": found.decision_id,
        "at": iso(ulid_time(found.decision_id)),
        "rule": found.rule,
        "outcome": found.outcome,
        "phone_number": found.phone_number,
        "ticket_number": found.reference or None,
    }
