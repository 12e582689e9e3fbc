"""The HTTP edge: a request as plain data, an error as an answer, one place for both.

Routes are Chalice's, views are ours: a view takes a Call and returns a Body or a dict. Nothing
here, and nothing a view logs, may hold a path or a query: keys travel in them.
"""

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from chalice.app import Blueprint, Response

from chalicelib import telemetry
from chalicelib.bootstrap import platform
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.keys import masked
from chalicelib.domain.text import well_formed
from chalicelib.domain.times import Millis
from chalicelib.errors import (
    ConfigurationError,
    Kind,
    MethodNotAllowedError,
    SesameError,
    UpstreamError,
)
from chalicelib.settings import SettingsError
from chalicelib.surroundings import system_clock

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PAYMENT: 402,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.METHOD: 405,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.LIMIT: 429,
    Kind.BUSY: 503,
    Kind.CONFIGURATION: 500,
    Kind.UNAVAILABLE: 500,
}
_RETRIED = (429, 503)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request. Header names are lower-case; of a repeated query parameter the first counts.

    `query_strings` are the query as it may have been spelled, which API Gateway does not tell: with
    a blank as + or as %20; none without a query.

    `received_at` is when API Gateway took it, so that it includes the Lambda's start.
    """

    method: str
    template: str
    path: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    query_strings: tuple[str, ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    received_at: Millis
    source_ip: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that is no JSON object of ours."""

    text: str
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


View = Callable[[Call], Body | Mapping[str, Any]]
Shape = Callable[[SesameError], dict[str, Any]]


def rental_error(error: SesameError) -> dict[str, Any]:
    """An error in the shape of spec B, and of all faces but those with a spec of their own."""
    body: dict[str, Any] = {"status": "error", "code": error.code, "message": error.message}
    return body if error.field is None else {**body, "field": error.field}


def route(
    blueprint: Blueprint,
    path: str,
    method: str,
    *,
    shape: Shape = rental_error,
    unexpected: str = "An unexpected error occurred.",
) -> Callable[[View], View]:
    """Serve `path` by a view; its SesameErrors become answers in the face's `shape`.

    What is no SesameError is logged, and answered 500 with the message `unexpected`.
    """

    def register(view: View) -> View:
        @wraps(view)
        def handle(**path_parameters: str) -> Response:
            call = _call_of(blueprint.current_request, path_parameters)
            return _told(view, call, shape, unexpected)

        # Views check the content type themselves, to refuse it in our own shape.
        blueprint.route(path, methods=[method], content_types=["*/*"], name=view.__name__)(handle)
        return view

    return register


def _told(view: View, call: Call, shape: Shape, unexpected: str) -> Response:
    """The answer, and one line that tells of the call."""
    began = perf_counter()
    with telemetry.bound(
        request_id=call.request_id, correlation_id=call.request_id, route=call.template
    ):
        answer = _answered(view, call, shape, unexpected)
        status, millis = answer.status_code, round((perf_counter() - began) * 1000)
        said = telemetry.fields(method=call.method, status=status, millis=millis)
        log.info("%s %s %d", call.method, call.template, status, extra=said)
        return answer


def _answered(view: View, call: Call, shape: Shape, unexpected: str) -> Response:
    try:
        answer = view(call)
    except SesameError as error:
        return _refusal(call, error, shape)
    except SettingsError:
        _log_accident(call)
        return _refusal(call, ConfigurationError(), shape)
    except Exception:  # noqa: BLE001  (whatever it is, the caller gets an answer)
        _log_accident(call)
        return _json(call, 500, shape(SesameError("internal_error", unexpected)))
    if isinstance(answer, Body):
        headers = {"Content-Type": answer.content_type, **_common(call), **answer.headers}
        return Response(answer.text, status_code=200, headers=headers)
    return _json(call, 200, answer)


def _call_of(request: Any, path_parameters: Mapping[str, str]) -> Call:
    query = request.query_params
    pairs = [(name, value) for name in query or () for value in query.getlist(name)]
    context = request.context
    received = context.get("requestTimeEpoch")
    return Call(
        method=request.method,
        template=request.path,
        path=path_parameters,
        query=dict(reversed(pairs)),
        query_strings=_spelled(pairs),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.raw_body,
        request_id=context.get("requestId") or new_ulid(system_clock()),
        received_at=Millis(received) if received else _now(),
        source_ip=(context.get("identity") or {}).get("sourceIp") or "",
    )


def _spelled(pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    ways = (urlencode(pairs, errors="replace", quote_via=way) for way in (quote_plus, quote))
    return tuple(dict.fromkeys(filter(None, ways)))


def _now() -> Millis:
    try:
        return platform().clock()
    except SettingsError:
        # The view fails by the same and is answered; here nobody would catch it.
        return system_clock()


def _log_accident(call: Call) -> None:
    """Log the exception in hand: where it came from, what it says, and no key in it (I8)."""
    told = masked(traceback.format_exc())
    log.error("%s %s %s\n%s", call.request_id, call.method, call.template, told)


def _refusal(call: Call, error: SesameError, shape: Shape) -> Response:
    status = error.status if isinstance(error, UpstreamError) else STATUS[error.kind]
    answer = _json(call, status, shape(error))
    if isinstance(error, MethodNotAllowedError):
        answer.headers["Allow"] = ", ".join(sorted(error.allowed))
    retry_after = error.retry_after
    if retry_after is None and status in _RETRIED:
        retry_after = 1
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _json(call: Call, status: int, body: Mapping[str, Any]) -> Response:
    headers = {"Content-Type": "application/json", **_common(call)}
    # A refusal may name what the caller sent, which need not be text that can be sent back.
    text = well_formed(json.dumps(body, ensure_ascii=False))
    return Response(text, status_code=status, headers=headers)


def _common(call: Call) -> dict[str, str | list[str]]:
    return {
        "X-Request-Id": call.request_id,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
