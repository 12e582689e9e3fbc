"""API Gateway on one machine: a request becomes the event of a REST API's Lambda, and its answer
an HTTP response. `local/serve.py` holds the sockets.

It follows a REST API's 29 s, events and URL decoding. It never logs a path or a query, which hold
API keys: only the template of the route.
"""

import base64
import json
import logging
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LambdaContext, LocalChalice, LocalGateway, LocalGatewayException

from local.pumps import ACCOUNT, Function, FunctionError, FunctionTimeoutError

log = logging.getLogger(__name__)

LONGEST_ANSWER = 29.0


@dataclass(frozen=True)
class Answer:
    """An HTTP response; `template` is the route that gave it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    template: str = "-"


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request as it came; `target` is its undecoded path and query."""

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    client: str = "127.0.0.1"


class RefusedError(Exception):
    """The gateway answers by itself, without the app, in the shape of the app's errors."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def answer(self, template: str = "-") -> Answer:
        """The refusal as a response with a request id of its own."""
        body = {"status": "error", "code": self.code, "message": self.message}
        headers = [(name.replace("_", "-"), value) for name, value in self.headers.items()]
        headers += [("Content-Type", "application/json"), ("X-Request-Id", str(uuid.uuid4()))]
        return Answer(self.status, headers, json.dumps(body).encode(), template)


class ThreadLocalChalice(LocalChalice):
    """An app whose current request and context belong to the thread, as many run at once."""

    @property
    def current_request(self) -> Any:
        """The request that this thread answers, or None."""
        return getattr(self._THREAD_LOCAL, "current_request", None)

    @current_request.setter
    def current_request(self, value: Any) -> None:
        self._THREAD_LOCAL.current_request = value

    @property
    def lambda_context(self) -> Any:
        """The context of this thread's invocation, or None."""
        return getattr(self._THREAD_LOCAL, "lambda_context", None)

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:
        self._THREAD_LOCAL.lambda_context = value


class Gateway(LocalGateway):
    """Routes one request to the app's API Lambda and makes an HTTP answer of what comes back."""

    def __init__(self, app: Chalice, config: Config) -> None:
        if not isinstance(app, ThreadLocalChalice):
            app.__class__ = type("LocalApp", (ThreadLocalChalice, type(app)), {})
        super().__init__(app, config)
        scoped = config.scope(config.chalice_stage, "api_handler")
        self.function = Function(
            "api_handler",
            self._call,
            timeout=min(LONGEST_ANSWER, scoped.lambda_timeout or LONGEST_ANSWER),
            memory=scoped.lambda_memory_size or 128,
        )
        self.templates = sorted(app.routes, key=_precedence)

    def answer(self, request: HttpRequest) -> Answer:
        """Answer a request; what goes wrong in the app is logged and becomes a 500 or a 504."""
        path, query = _split(request.target)
        matched = match(self.templates, path)
        if matched is None:
            return RefusedError(404, "not_found", "No such endpoint.").answer()
        template, captured = matched
        event = lambda_event(request, template, captured, path, query)
        if _is_binary(event["headers"].get("content-type", ""), self._app_object.api.binary_types):
            event["body"] = base64.b64encode(request.body).decode("ascii")
            event["isBase64Encoded"] = True
        try:
            return self._invoke(event, template)
        except RefusedError as refusal:
            return refusal.answer(template)

    def _invoke(self, event: dict[str, Any], template: str) -> Answer:
        method, entries = event["httpMethod"], self._app_object.routes[template]
        if method not in entries:
            cors = any(entry.cors for entry in entries.values())
            if method == "OPTIONS" and cors:
                return Answer(
                    200, list(self._autogen_options_headers(event).items()), b"", template
                )
            allowed = ", ".join(sorted({*entries, "OPTIONS"} if cors else entries))
            raise RefusedError(405, "method_not_allowed", "Method not allowed.", Allow=allowed)
        context = self.function.context()
        event["requestContext"]["requestId"] = context.aws_request_id
        try:
            return _answer(self.function.invoke(event, context), template)
        except FunctionTimeoutError as error:
            log.error("%s %s: %s", method, template, error)
            raise RefusedError(504, "timeout", "Endpoint request timed out.") from error
        except FunctionError as error:
            if isinstance(cause := error.__cause__, LocalGatewayException):  # an authorizer's no
                return Answer(cause.CODE, list(cause.headers.items()), cause.body or b"", template)
            log.exception("%s %s", method, template)
            raise internal_error() from error

    def _call(self, event: dict[str, Any], context: LambdaContext) -> Any:
        event, context = self._authorizer.authorize(event["path"], event, context)
        return self._app_object(event, context)


def internal_error() -> RefusedError:
    """What a client hears of a failure: nothing."""
    return RefusedError(500, "internal_error", "Internal server error.")


def _precedence(template: str) -> list[tuple[bool, str]]:
    return [(part.startswith("{"), part) for part in template.split("/")]


def match(templates: Iterable[str], path: str) -> tuple[str, dict[str, str]] | None:
    """The first template that fits an undecoded path, and its decoded path parameters.

    As in API Gateway, one trailing slash is ignored and a parameter is never empty.
    """
    segments = (path[:-1] if path.endswith("/") and path != "/" else path).split("/")
    for template in templates:
        parts = template.split("/")
        if len(parts) != len(segments):
            continue
        pairs = [(part, unquote(text)) for part, text in zip(parts, segments, strict=True)]
        if all(text if part.startswith("{") else part == text for part, text in pairs):
            return template, {part[1:-1]: text for part, text in pairs if part.startswith("{")}
    return None


def _split(target: str) -> tuple[str, str]:
    # http.server reads the request line as Latin-1; clients that do not quote send UTF-8.
    text = target.encode("latin-1", "replace").decode("utf-8", "replace")
    text = re.sub(r"^https?://[^/?]*", "", text, flags=re.IGNORECASE).partition("#")[0]
    path, _, query = text.partition("?")
    return path or "/", query


def lambda_event(
    request: HttpRequest, template: str, captured: Mapping[str, str], path: str, query: str
) -> dict[str, Any]:
    """The event of a REST API's Lambda proxy integration. Header names are in lower case.

    A body that is no UTF-8 comes in base64, as API Gateway does for binary media types.
    """
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.lower(), []).append(value)
    headers["x-forwarded-for"] = [", ".join([*headers.get("x-forwarded-for", []), request.client])]
    values = parse_qs(query, keep_blank_values=True)
    event: dict[str, Any] = {
        "resource": template,
        "path": path,
        "httpMethod": request.method,
        "headers": {name: given[-1] for name, given in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: given[-1] for name, given in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": dict(captured) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "stage": "api",
            "httpMethod": request.method,
            "resourcePath": template,
            "path": path,
            "protocol": "HTTP/1.1",
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", [None])[-1],
            },
        },
        "isBase64Encoded": False,
    }
    try:
        event["body"] = request.body.decode("utf-8") or None
    except UnicodeDecodeError:
        event["body"] = base64.b64encode(request.body).decode("ascii")
        event["isBase64Encoded"] = True
    return event


def _is_binary(content_type: str, binary_types: Iterable[str]) -> bool:
    return content_type.partition(";")[0].strip().lower() in binary_types


def _answer(result: Mapping[str, Any], template: str) -> Answer:
    headers = [(name, value) for name, value in result["headers"].items()]
    headers += [(n, value) for n, values in result["multiValueHeaders"].items() for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    for name, value in headers:
        if re.search(r"[\r\n]", f"{name}{value}") or not f"{name}{value}".isascii():
            log.error("%s: an answer's header %r cannot be sent", template, name)
            raise internal_error()
    body = result["body"] or ""
    data = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode("utf-8")
    return Answer(int(result["statusCode"]), headers, data, template)
