"""Spec C: codes of one's own, sent and checked. Lenient: what can be understood is sent."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, parameters
from chalicelib.api.edge import STATUS, Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.money import decimal
from chalicelib.domain.ticket import Judgement, Sending, Verdict
from chalicelib.domain.times import iso
from chalicelib.errors import GuessRefusedError, SesameError
from chalicelib.services.otp_tickets import Found
from chalicelib.stores.ticket_sendings import Heard

routes = Blueprint(__name__)

SERVICE = "/v1/public/service/otp"
MESSAGES = {
    Verdict.SUCCESS: "success",
    Verdict.RECIPIENT_MISSING: "phone_number or otp_request_token: expected one of them.",
    Verdict.CODE_MISSING: "code: expected the code to check.",
    Verdict.ATTEMPTS_REACHED: "The maximum of wrong attempts is reached.",
    Verdict.EXPIRED: "The code has expired.",
    Verdict.NOT_FOUND: "There is no such code, or it was used.",
    Verdict.WRONG_CODE: "The code is wrong.",
}


def otp_error(error: SesameError) -> dict[str, Any]:
    """An error in the shape of spec C: `code` is a number, that of the HTTP status if the spec
    names no other."""
    if isinstance(error, GuessRefusedError):
        shown: dict[str, Any] = {"code": error.number, "message": error.message}
        if error.remaining is not None:
            shown["remaining_number_of_attempts"] = error.remaining
        return shown
    shown = {"code": STATUS.get(error.kind, 500), "message": error.message, "reason": error.code}
    return shown if error.field is None else {**shown, "field": error.field}


@route(routes, f"{SERVICE}/generate", "POST", shape=otp_error)
def generate(call: Call) -> Mapping[str, Any]:
    """Make a code and send it."""
    user = caller.by_login(call)
    given = parameters.of(call)
    request = parameters.idempotency_key(call, user.user_id, given)
    is_form = parameters.is_form(call)
    made = platform().otp.generate(user, given, request, is_form=is_form)
    return {
        "code": 0,
        "message": "The code is on its way.",
        "ticket_number": made.ticket_number,
        "otp_request_token": made.token,
        "warnings": made.warnings,
    }


@route(routes, f"{SERVICE}/validate", "PUT", shape=otp_error)
def validate(call: Call) -> Mapping[str, Any]:
    """Whether a code is the one that was sent."""
    user = caller.by_login(call)
    judgement = platform().otp_tickets.validate(user, parameters.of(call))
    if judgement.verdict is not Verdict.SUCCESS:
        raise _refusal(judgement)
    return {"code": judgement.verdict, "message": MESSAGES[judgement.verdict]}


@route(routes, SERVICE + "/{ticket_number}", "GET", shape=otp_error)
def show_ticket(call: Call) -> Mapping[str, Any]:
    """Where a ticket stands, and by what it was sent; never its code."""
    user = caller.by_login(call)
    found = platform().otp_tickets.find(user, call.path["ticket_number"])
    ticket = found.ticket
    return {
        "code": 0,
        "message": MESSAGES[Verdict.SUCCESS],
        "ticket_number": ticket.ticket_number,
        "state": found.state,
        "phone_number": ticket.phone_number,
        "created_at": iso(ticket.created_at),
        "expires_at": iso(ticket.expires_at),
        "attempts": ticket.attempts,
        "remaining_number_of_attempts": max(0, ticket.max_attempts - ticket.attempts),
        "sendings": _sendings(found),
    }


def _refusal(judgement: Judgement) -> GuessRefusedError:
    told = judgement.remaining if judgement.verdict is Verdict.WRONG_CODE else None
    return GuessRefusedError(judgement.verdict, MESSAGES[judgement.verdict], remaining=told)


def _sendings(found: Found) -> list[dict[str, Any]]:
    pairs = zip(found.ticket.sendings, found.heard, strict=True)
    return [_sending(sending, heard) for sending, heard in pairs]


def _sending(sending: Sending, heard: Any) -> dict[str, Any]:
    return {
        "channel": sending.channel,
        "state": sending.state,
        "sender": sending.sender,
        "segments": sending.segments,
        "price": decimal(sending.price),
        "at": iso(sending.at),
        "tries": [
            {"provider": each.provider, "at": iso(each.at), "outcome": each.outcome}
            for each in sending.tries
        ],
        "receipts": [_receipt(each) for each in heard],
    }


def _receipt(heard: Heard) -> dict[str, Any]:
    return {"status": heard.status, "detail": heard.detail, "at": iso(heard.at)}
