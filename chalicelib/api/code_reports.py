"""Codes that were found wrong: a user says so, the admin reads it."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, paging
from chalicelib.api.edge import Call, route
from chalicelib.api.parameters import Parameters
from chalicelib.bootstrap import platform
from chalicelib.domain.code_reports import MOST_CODE, CodeReport
from chalicelib.domain.times import iso
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.services.administration import ADMIN

routes = Blueprint(__name__)

_CODE = f"the right code of 1 to {MOST_CODE} printable characters, or null if there is none"


@route(routes, "/account/messages/{id}/code", "POST")
def report_code(call: Call) -> Mapping[str, Any]:
    """Say what the code of an SMS is, by the `id` that getSMS shows."""
    _, user = caller.by_token(call)
    right = _right_code(fields.of(call, "code"))
    report = platform().code_reports.report(user, call.path["id"], right)
    return {"status": "success", "id": report.sms_id, "code": report.right or None}


@route(routes, "/admin/code-reports", "GET")
def list_code_reports(call: Call) -> Mapping[str, Any]:
    """What users said of codes, the newest first."""
    caller.check_admin(call)
    page = paging.of(call, ADMIN)
    found, start = platform().code_reports.page(page.start, limit=page.limit)
    return {
        "status": "success",
        "reports": [_shown(report) for report in found],
        "next_cursor": page.cursor(start),
    }


def _right_code(given: Parameters) -> str:
    if "code" not in given:
        raise MissingInputError("code", _CODE)
    code = given["code"]
    if code is None:
        return ""
    if not isinstance(code, str) or not code.isprintable() or not 0 < len(code) <= MOST_CODE:
        raise InvalidInputError("code", _CODE)
    return code


def _shown(report: CodeReport) -> dict[str, Any]:
    return {
        "id": report.sms_id,
        "user_id": report.user_id,
        "at": iso(report.at),
        "sender": report.sender,
        "text": report.text,
        "found": report.found or None,
        "code": report.right or None,
    }
