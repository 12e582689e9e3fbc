"""What every answer of ours looks like when it is a refusal."""

import json
from typing import Any

from chalice.test import HTTPResponse

RETRIED = (429, 503)


def refused(
    response: HTTPResponse, status: int, code: str, field: str | None = None
) -> dict[str, Any]:
    """The body of a refusal that must be this one, in our shape."""
    assert response.status_code == status, (response.status_code, response.body)
    body = shaped(response)
    assert (body["code"], body.get("field")) == (code, field), body
    return body


def shaped(response: HTTPResponse) -> dict[str, Any]:
    """The body of any refusal, in our shape and with its headers."""
    body: dict[str, Any] = json.loads(response.body)
    assert body.keys() - {"field"} == {"status", "code", "message"}, body
    assert all(isinstance(value, str) and value for value in body.values())
    assert body["status"] == "error"
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == "no-store"
    if response.status_code in RETRIED:
        assert int(response.headers["Retry-After"]) > 0
    return body
