"""Spec A: what resellers' programs call, with the key in the path.

The messages of its errors are those of its tables, to the letter.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import parameters
from chalicelib.api.edge import Body, Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain import countries, keys
from chalicelib.domain.phone import NumberFormat, calling_code, written
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ForbiddenError,
    InsufficientBalanceError,
    InvalidInputError,
    Kind,
    NotFoundError,
    ServiceFetchError,
    SesameError,
    UnauthenticatedError,
)

routes = Blueprint(__name__)

_SYSTEM = "system"
_INTEGER = re.compile(r"-?[0-9]{1,40}")
_STALE = '110 - "Response is Stale"'


class ClientError(SesameError):
    """A refusal that spec A words itself."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(kind.value, message)
        self.kind = kind


def client_error(error: SesameError) -> dict[str, Any]:
    """An error in the shape of spec A."""
    return {"status": "error", "message": error.message}


@route(routes, "/api/init", "GET", shape=client_error)
@route(routes, "/api/get-number", "GET", shape=client_error)
def without_key(_call: Call) -> Mapping[str, Any]:
    """A path without a key."""
    raise _no_credentials()


@route(routes, "/api/init/{api_key}", "GET", shape=client_error, unexpected="Service fetch failed")
def init(call: Call) -> Body:
    """The countries and operators that have numbers."""
    key = call.path["api_key"]
    try:
        holder = _SYSTEM if _is_system(key) else platform().accounts.authenticate(key)[1].user_id
    except (UnauthenticatedError, ForbiddenError):
        raise ClientError(Kind.UNAUTHENTICATED, "Unauthorized") from None
    platform().call_limiter.take(holder)
    listing = platform().listings.current()
    data = {
        "countries": [_country(code) for code in listing.countries],
        "operators": [
            {
                "id": operator.operator_id,
                "name": operator.name,
                "country_id": _country_id(operator.country),
            }
            for operator in listing.operators
        ],
    }
    text = json.dumps({"status": "success", "data": data}, ensure_ascii=False)
    return Body(text, "application/json", {"Warning": _STALE} if listing.is_stale else {})


@route(
    routes,
    "/api/get-number/{api_key}",
    "GET",
    shape=client_error,
    unexpected="Unable to get number",
)
def get_number(call: Call) -> Mapping[str, Any]:
    """A number for the key's user, or for `user_id` with the system key."""
    user = _client(call)
    manager = platform().accounts.manager_of(user)
    country = _country_of(call.query)
    operator_id = _operator_id(call.query)
    form = _number_format(call.query, user)
    request = parameters.idempotency_key(call, user.user_id, call.query)
    rentals = platform().rentals
    try:
        platform().catalogue.stock()
    except BusyError:
        raise ServiceFetchError("Could not fetch service data") from None
    try:
        rental = rentals.rent(user, country, "", request, operator_id=operator_id, manager=manager)
    except NotFoundError:
        if not rentals.can_pay(user, country, operator_id, manager):
            raise InsufficientBalanceError from None
        raise ClientError(Kind.NOT_FOUND, "No number received") from None
    return {"status": "success", "data": {"phone_number": written(rental.phone_number, form)}}


def _client(call: Call) -> User:
    """The user that the call is for. Raises ClientError in the order of DESIGN.md."""
    key, accounts = call.path["api_key"].strip(), platform().accounts
    if _is_system(key):
        user_id = call.query.get("user_id", "").strip()
        if not user_id:
            raise ClientError(Kind.INVALID, "user_id is required with api_key")
        user = accounts.client(user_id)
        if user is None or not user.may_act():
            raise ClientError(Kind.NOT_FOUND, "Target user not found or inactive")
        platform().call_limiter.take(user.user_id)
        return user
    if keys.parse_key(key) is None:
        raise _no_credentials()
    try:
        _, user = accounts.authenticate(key)
    except (UnauthenticatedError, ForbiddenError):
        raise ClientError(Kind.UNAUTHENTICATED, "Invalid api_key") from None
    platform().call_limiter.take(user.user_id)
    return user


def _is_system(key: str) -> bool:
    return keys.is_same(key, platform().settings.secrets.system_key_hash)


def _no_credentials() -> ClientError:
    return ClientError(Kind.UNAUTHENTICATED, "Missing or invalid credentials")


def _country_of(query: Mapping[str, str]) -> str:
    text = query.get("country_id", "").strip()
    if not text:
        raise ClientError(Kind.INVALID, "country_id is required")
    country = countries.by_id(_integer(text, "country_id"))
    if country is None:
        raise ClientError(Kind.INVALID, "country_id: there is no such country")
    return country.code


def _operator_id(query: Mapping[str, str]) -> int | None:
    text = query.get("operator_id", "").strip()
    return _integer(text, "operator_id") if text else None


def _integer(text: str, name: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise ClientError(Kind.INVALID, f"{name} must be an integer")
    return int(text)


def _number_format(query: Mapping[str, str], user: User) -> NumberFormat:
    text = query.get("number_format", "").strip()
    try:
        return NumberFormat(text) if text else user.number_format
    except ValueError:
        raise InvalidInputError("number_format", "full, national or remove_plus") from None


def _country(code: str) -> dict[str, Any]:
    country = countries.find(code)
    return {
        "id": _country_id(code),
        "name": country.name if country is not None else code,
        "phone_code": calling_code(code),
        "code": code,
    }


def _country_id(code: str) -> int:
    country = countries.find(code)
    return country.id if country is not None else 0
