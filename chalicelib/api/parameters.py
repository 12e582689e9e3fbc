"""Parameters of a call, from the query or from a JSON or form body: read, checked, named."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from chalicelib.api.edge import Call
from chalicelib.domain.ids import UserId
from chalicelib.domain.requests import RequestKey, request_key
from chalicelib.errors import (
    InvalidInputError,
    MissingInputError,
    TooLargeError,
    UnsupportedMediaError,
)

Parameters = Mapping[str, object]

MOST_BODY_BYTES = 64 * 1024
_MOST_FIELDS = 200
_FORM = "application/x-www-form-urlencoded"
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def of(call: Call) -> Parameters:
    """The parameters of a call: of a GET in its query, of a POST in its body.

    Raises TooLargeError, UnsupportedMediaError, InvalidInputError naming `body`.
    """
    if call.method == "GET":
        return call.query
    if len(call.body) > MOST_BODY_BYTES:
        raise TooLargeError(
            "body_too_large", f"body: expected at most {MOST_BODY_BYTES} bytes.", field="body"
        )
    media_type = _media_type(call)
    if not call.body:
        return {}
    if media_type == _FORM:
        return _form(call.body)
    if media_type in ("application/json", ""):
        return _json(call.body)
    raise UnsupportedMediaError(
        "unsupported_media_type",
        f"Content-Type: expected application/json or {_FORM}.",
        field="Content-Type",
    )


def is_form(call: Call) -> bool:
    """Whether the body is a form, in which all values are texts."""
    return _media_type(call) == _FORM


def text(parameters: Parameters, name: str, expected: str, *, most: int = 256) -> str:
    """The required text `name`. Raises MissingInputError or InvalidInputError naming it."""
    value = optional_text(parameters, name, expected, most=most)
    if not value:
        raise MissingInputError(name, expected)
    return value


def optional_text(parameters: Parameters, name: str, expected: str, *, most: int = 256) -> str:
    """The text `name`, empty if it is absent or null. Raises InvalidInputError naming it."""
    value = parameters.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise InvalidInputError(name, expected)
    return value.strip()


def whole_number(parameters: Parameters, name: str, *, default: int, most: int) -> int:
    """The whole number `name` from 0 to `most`. Raises InvalidInputError naming it."""
    value = parameters.get(name)
    if value is None or value == "":
        return default
    digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(digits) <= most):
        raise InvalidInputError(name, f"a whole number from 0 to {most}")
    return int(digits)


def idempotency_key(call: Call, user_id: UserId, parameters: Parameters) -> RequestKey | None:
    """The call's idempotency key, if it has one, for its route and its parameters.

    The API key is no part of what must be the same: it may be rotated between two tries.
    Raises InvalidInputError.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if _IDEMPOTENCY_KEY.fullmatch(key) is None:
        raise InvalidInputError("Idempotency-Key", "1 to 255 printable ASCII characters")
    compared = {name: value for name, value in parameters.items() if name != "api_key"}
    try:
        return request_key(user_id, key, call.template, compared)
    except RecursionError:
        # Nesting that could just be read may be too deep to be written.
        raise _not_json() from None


def _media_type(call: Call) -> str:
    return call.headers.get("content-type", "").partition(";")[0].strip().lower()


def _form(body: bytes) -> Parameters:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise InvalidInputError("body", f"a {_FORM} body in UTF-8", code="invalid_form") from None
    return dict(reversed(pairs))


def _json(body: bytes) -> Parameters:
    try:
        # Decoded here, because json.loads would guess at UTF-16 and UTF-32.
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _not_json() from None
    if not isinstance(value, dict):
        raise _not_json()
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _not_json() -> InvalidInputError:
    return InvalidInputError("body", "a JSON object in UTF-8", code="invalid_json")
