"""Idempotency keys: written in the transaction whose answer they keep."""

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition

from chalicelib.domain.requests import ANSWERED_WITHIN, KEPT_FOR, RequestKey, SeenRequest
from chalicelib.domain.times import Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.tables import RequestRow


def get(request: RequestKey, now: Millis) -> SeenRequest | None:
    """What the key was answered before, None if never or too long ago."""
    row = db.get(RequestRow, request.request_id)
    return seen_request(row, now)


def get_all(keys: Sequence[RequestKey], now: Millis) -> set[RequestKey]:
    """Those of `keys` that were answered before and not too long ago, in one read."""
    rows = db.get_all(*((RequestRow, key.request_id, None) for key in keys))
    return {key for key, row in zip(keys, rows, strict=True) if seen_request(row, now)}


def step(request: RequestKey | None, answer: str, now: Millis) -> db.Step | None:
    """The part of a transaction that keeps `answer`, refused if the key has one already."""
    return _kept(request, answer, now, until=Millis(now + KEPT_FOR))


def begin_step(request: RequestKey | None, began: Millis) -> db.Step | None:
    """The part of a transaction that takes a key into use, its answer to come."""
    return _kept(request, "", began, until=Millis(began + ANSWERED_WITHIN))


def keep(request: RequestKey, answer: str, now: Millis, *, until: Millis) -> None:
    """Keep an answer by itself until then. Raises RefusedError naming `request` if the key has
    one."""
    db.transact(request=_kept(request, answer, now, until=until))


def answer_step(request: RequestKey | None, answer: str, began: Millis) -> db.Step | None:
    """The part of a transaction that gives a key its answer, refused if it is not in use.

    `began` is when it came into use: it may have passed to somebody else since.
    """
    if request is None:
        return None
    until = Millis(began + KEPT_FOR)
    return db.change(
        RequestRow(request.request_id),
        [
            RequestRow.answer.set(answer),
            RequestRow.expires_at.set(until),
            RequestRow.ttl.set(epoch_seconds(until)),
        ],
        _in_use_since(began),
    )


def drop_step(request: RequestKey | None, began: Millis) -> db.Step | None:
    """The part of a transaction that makes a key free again, refused if it is not in use.

    So that a refusal may be retried.
    """
    if request is None:
        return None
    return db.delete(RequestRow(request.request_id), _in_use_since(began))


def seen_request(row: RequestRow | None, now: Millis) -> SeenRequest | None:
    """The answered request in an item, None if there is none or it is too old to count."""
    if row is None or row.expires_at <= now:
        return None
    return SeenRequest(row.parameters, row.answer, Millis(row.expires_at))


def _kept(request: RequestKey | None, answer: str, now: Millis, *, until: Millis) -> db.Step | None:
    if request is None:
        return None
    row = RequestRow(
        request.request_id,
        parameters=request.parameters,
        answer=answer,
        expires_at=until,
        ttl=epoch_seconds(until),
    )
    return db.put(row, RequestRow.request_id.does_not_exist() | (RequestRow.expires_at <= now))


def _in_use_since(began: Millis) -> Condition:
    condition: Condition = (RequestRow.answer == "") & (
        RequestRow.expires_at == began + ANSWERED_WITHIN
    )
    return condition
