"""The admin's side of what there is to rent: prices, numbers, and SMS that nobody took."""

import re
from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, paging, parameters, rendering
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.money import Micros, decimal, parse_amount
from chalicelib.domain.pricing import PriceRule
from chalicelib.domain.times import iso
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.services.administration import ADMIN, UNCLAIMED
from chalicelib.stores.inbound import Fate, StoredSms
from chalicelib.stores.numbers import Number, NumberState

routes = Blueprint(__name__)

_SERVICE = "a name of at most 64 printable characters, not *"
_PRICE = "a decimal price such as 0.05, or null to remove it"
_OPERATOR = "the id of an operator"
_MOST_OPERATOR = 2**31 - 1


@route(routes, "/admin/prices", "GET")
def list_prices(call: Call) -> Mapping[str, Any]:
    """Every operator's own price, and the prices that were set for more or for less than that."""
    caller.check_admin(call)
    operators, rules = platform().prices.all()
    return {
        "status": "success",
        "operators": [
            {
                "operator_id": operator.operator_id,
                "name": operator.name,
                "country": operator.country,
                "price": decimal(operator.price),
            }
            for operator in operators
        ],
        "prices": [_price(rule) for rule in rules],
    }


@route(routes, "/admin/prices", "PUT")
def set_price(call: Call) -> Mapping[str, Any]:
    """Set or remove the price in a country, for an operator, for a service."""
    caller.check_admin(call)
    given = fields.of(call, "country", "operator_id", "service", "price")
    service = parameters.optional_text(given, "service", _SERVICE, most=64).casefold()
    if service == "*":
        raise InvalidInputError("service", _SERVICE)
    rule = platform().prices.set(
        given.get("country"), _operator(given), service, _given_price(given)
    )
    return {"status": "success", "price": _price(rule) if rule is not None else None}


@route(routes, "/admin/inbound", "GET")
def list_unclaimed(call: Call) -> Mapping[str, Any]:
    """The SMS that no rental took, the newest first."""
    caller.check_admin(call)
    fate = call.query.get("fate") or ""
    if fate and fate not in UNCLAIMED:
        raise InvalidInputError("fate", f"one of {', '.join(UNCLAIMED)}")
    page = paging.of(call, ADMIN, fate)
    found, start = platform().administration.unclaimed(
        Fate(fate) if fate else None, page.start, limit=page.limit
    )
    return {
        "status": "success",
        "messages": [_sms(sms) for sms in found],
        "next_cursor": page.cursor(start),
    }


@route(routes, "/admin/numbers", "GET")
def list_numbers(call: Call) -> Mapping[str, Any]:
    """The stock, in no order. A page may be empty before the end."""
    caller.check_admin(call)
    state = call.query.get("state") or ""
    if state and state not in tuple(NumberState):
        raise InvalidInputError("state", f"one of {', '.join(NumberState)}")
    country = call.query.get("country") or ""
    page = paging.of(call, ADMIN, country, state)
    found, start = platform().numbers.page(
        page.start,
        country=country or None,
        state=NumberState(state) if state else None,
        limit=page.limit,
    )
    return {
        "status": "success",
        "numbers": [_number(number) for number in found],
        "next_cursor": page.cursor(start),
    }


def _operator(given: parameters.Parameters) -> int | None:
    value = given.get("operator_id")
    if value is None or value == "":
        return None
    digits = "" if isinstance(value, bool | float) else str(value)
    if re.fullmatch("[0-9]{1,10}", digits) is None or int(digits) > _MOST_OPERATOR:
        raise InvalidInputError("operator_id", _OPERATOR)
    return int(digits)


def _given_price(given: parameters.Parameters) -> Micros | None:
    """The price to set, None to remove it. Raises InvalidInputError naming `price`."""
    if "price" not in given:
        raise MissingInputError("price", _PRICE)
    if given["price"] in (None, ""):
        return None
    return parse_amount(fields.decimal_text(given, "price", _PRICE), field="price")


def _price(rule: PriceRule) -> dict[str, Any]:
    return {
        "country": rule.country,
        "operator_id": rule.operator_id,
        "service": rule.service or None,
        "price": decimal(rule.price),
    }


def _sms(sms: StoredSms) -> dict[str, Any]:
    provider, _, rest = sms.key.partition("#")
    account, _, message_id = rest.partition("#")
    return {
        "provider": provider,
        "account": account,
        "message_id": message_id,
        "fate": sms.fate,
        "sender": sms.sender,
        "recipient": sms.recipient,
        "text": sms.text,
        "rental_id": sms.rental_id,
        "received_at": iso(sms.received_at),
        "stored_at": iso(sms.stored_at),
    }


def _number(number: Number) -> dict[str, Any]:
    tenancy = number.tenancy
    return {
        "phone_number": number.phone_number,
        "country": number.country,
        "operator_id": number.operator_id,
        "state": number.state,
        "uses": number.uses,
        "provider": number.provider,
        "account": number.account,
        "rental_id": tenancy.rental_id if tenancy is not None else None,
        "rented_until": rendering.moment(tenancy.expires_at) if tenancy is not None else None,
    }
