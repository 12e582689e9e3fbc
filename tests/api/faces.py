"""Calls of the account's, the manager's and the admin's routes, and what they answer."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client, HTTPResponse

from app import app


@dataclass(frozen=True)
class Caller:
    """Somebody who calls with these headers."""

    headers: dict[str, str]

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        *,
        idempotency_key: str | None = None,
        query: dict[str, object] | None = None,
    ) -> HTTPResponse:
        headers = {**self.headers, "Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        raw = json.dumps(body).encode() if body is not None else b""
        with Client(app) as client:
            return client.http.request(
                method, f"{path}?{urlencode(query)}" if query else path, headers=headers, body=raw
            )

    def ok(self, method: str, path: str, body: dict[str, object] | None = None, **more: Any) -> Any:
        """The JSON of a good answer."""
        response = self.call(method, path, body, **more)
        assert response.status_code == 200, response.body
        answer = json.loads(response.body)
        assert answer.pop("status") == "success"
        return answer

    def pages(self, path: str, name: str, **query: object) -> list[list[dict[str, Any]]]:
        """Every page of a list, by its cursors."""
        found: list[list[dict[str, Any]]] = []
        cursor: str | None = ""
        while cursor is not None:
            asked = {**query, **({"cursor": cursor} if cursor else {})}
            answer = self.ok("GET", path, query=asked)
            found.append(answer[name])
            cursor = answer["next_cursor"]
            assert len(found) < 100
        return found


def holder(key: str) -> Caller:
    """Who calls with an API key."""
    return Caller({"Authorization": f"Bearer {key}"})


ADMIN = Caller({"X-Admin-Key": "the-admin-key"})
NOBODY = Caller({})
