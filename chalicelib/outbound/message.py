"""A request as it goes over the line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from chalicelib.outbound.answers import Request

# What a URL may hold as it is, RFC 3986; and % itself, as it is encoded already.
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Message:
    """The method, the path with its query, the headers by lower-case names, and the body."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def message_of(request: Request) -> Message:
    """`request`, ready to be sent. Raises ValueError if its JSON is none."""
    headers = {"user-agent": "Sesame/1", "connection": "close"}
    body = request.body
    if body is None and request.form:
        body, headers["content-type"] = urlencode(request.form).encode(), _FORM
    elif body is None and request.json is not None:
        body, headers["content-type"] = json.dumps(request.json, allow_nan=False).encode(), _JSON
    headers |= {name.lower(): value for name, value in request.headers.items()}
    return Message(request.method, _target(request), headers, body)


def _target(request: Request) -> str:
    parts = urlsplit(request.url)
    query = "&".join(filter(None, (parts.query, urlencode(request.params or {}))))
    path = quote(parts.path or "/", safe=_AS_IT_IS)
    return f"{path}?{quote(query, safe=_AS_IT_IS)}" if query else path
