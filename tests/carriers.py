"""The way from a provider's module to the outside, in tests: our own stack, through Chalice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client

from app import app
from chalicelib.outbound import Fetched, NotSentError

PUBLIC = "https://sesame.test"


@dataclass
class Loop:
    """A Fetch that reaches our own stack and nothing else; `down` it reaches nothing."""

    down: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
    ) -> Fetched:
        self.asked.append((method, url))
        if self.down or not url.startswith(PUBLIC):
            raise NotSentError("connection_failed")
        raw = body if body is not None else _body(json, form)
        path = url.removeprefix(PUBLIC) + (f"?{urlencode(params)}" if params else "")
        with Client(app) as client:
            answer = client.http.request(method, path, headers=dict(headers or {}), body=raw)
        return Fetched(answer.status_code, answer.body, dict(answer.headers))


def _body(fields: Mapping[str, Any] | None, form: Mapping[str, str] | None) -> bytes:
    if fields is not None:
        return json.dumps(fields).encode()
    return urlencode(form or {}).encode()
