"""The wire to DynamoDB: what goes over it, and faults put in the engine's place.

No local engine raises a conflict, throttles or loses a reply, so these come from here: a botocore
handler sees each attempt, counts it, and answers it itself or lets it through.
"""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError

from chalicelib.stores import connection

TRANSACT = "TransactWriteItems"

Fault = Callable[[AWSPreparedRequest], AWSResponse | None]


@dataclass(frozen=True)
class Attempt:
    """One request as it was sent, `operation` as DynamoDB calls it."""

    operation: str
    request: dict[str, Any]


@dataclass
class Wire:
    """The attempts that were made, and the faults that the next ones meet."""

    attempts: list[Attempt] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    only: str = ""

    def operations(self) -> list[str]:
        """What was sent, in order."""
        return [attempt.operation for attempt in self.attempts]

    def sent(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation, in order."""
        return [a.request for a in self.attempts if a.operation == operation]

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        self.attempts.append(Attempt(operation, json.loads(request.body)))
        if self.faults and self.only in ("", operation):
            return self.faults.pop(0)(request)
        return None


@contextmanager
def tapped(*faults: Fault, only: str = "") -> Iterator[Wire]:
    """Watch the wire; the first attempts (`only` of that operation) meet `faults`, one each."""
    wire = Wire(faults=list(faults), only=only)
    events = connection.client().meta.events
    # Not `before-send.dynamodb.*`: more specific handlers run first, and an attempt that the
    # deadline stops would be seen here although it is never sent.
    events.register("before-send.dynamodb", wire, unique_id=f"wire-{id(wire)}")
    try:
        # botocore's own waits between its attempts can't be handed in.
        with patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None)):
            yield wire
    finally:
        events.unregister("before-send.dynamodb", unique_id=f"wire-{id(wire)}")
    assert not wire.faults, f"{len(wire.faults)} faults were never met"


def let_through(request: AWSPreparedRequest) -> None:
    """No fault: this attempt reaches the engine."""


def conflict(request: AWSPreparedRequest) -> AWSResponse:
    """A conflict with another transaction, as this operation is told of it."""
    body = json.loads(request.body)
    if "TransactItems" in body:
        return cancelled("TransactionConflict")(request)
    return failed("TransactionConflictException")(request)


def cancelled(*codes: str, items: dict[int, dict[str, Any]] | None = None) -> Fault:
    """A cancelled transaction: its first actions for these reasons, the others for none."""

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        actions = json.loads(request.body)["TransactItems"]
        all_codes = [*codes, *["None"] * (len(actions) - len(codes))]
        reasons: list[dict[str, Any]] = [{"Code": code} for code in all_codes]
        for at, item in (items or {}).items():
            reasons[at]["Item"] = item
        return _response(
            request,
            400,
            {
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled, please refer cancellation reasons",
                "CancellationReasons": reasons,
            },
        )

    return answer


def failed(code: str, status: int = 400) -> Fault:
    """An error of the service."""

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
        return _response(request, status, body)

    return answer


def answered(body: dict[str, Any]) -> Fault:
    """Another answer than the engine's."""
    return lambda request: _response(request, 200, body)


def cut_short(count: int) -> Fault:
    """A query whose page ends after so many items, as at 1 MB, if there are more."""

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        response = connection.client()._endpoint.http_session.send(request)
        body = json.loads(response.content)
        if len(body["Items"]) > count:
            last = body["Items"][count - 1]
            body |= {"Items": body["Items"][:count], "Count": count, "LastEvaluatedKey": last}
        return _response(request, 200, body)

    return answer


def reply_lost(request: AWSPreparedRequest) -> AWSResponse:
    """The engine does it, and the connection breaks before it can say so."""
    connection.client()._endpoint.http_session.send(request)
    raise ConnectionClosedError(endpoint_url=request.url)


def unreachable(request: AWSPreparedRequest) -> AWSResponse:
    """The connection breaks before the engine hears of it."""
    raise ConnectionClosedError(endpoint_url=request.url)


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = HeadersDict({"Content-Type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(body).encode()))


def stored() -> list[str]:
    """Every item of every table, as text."""
    client = connection.client()
    items: list[str] = []
    for name in client.list_tables()["TableNames"]:
        pages = client.get_paginator("scan").paginate(TableName=name)
        items += [
            f"{name} {json.dumps(item, sort_keys=True, ensure_ascii=False)}"
            for page in pages
            for item in page["Items"]
        ]
    return sorted(items)
