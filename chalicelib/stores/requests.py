"""Idempotency keys: written in the transaction whose answer they keep."""

from chalicelib.domain.requests import KEPT_FOR, RequestKey, SeenRequest
from chalicelib.domain.times import Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.tables import RequestRow


def get(request: RequestKey, now: Millis) -> SeenRequest | None:
    """What the key was answered before, None if never or too long ago."""
    row = db.get(RequestRow, request.request_id)
    return seen_request(row, now)


def step(request: RequestKey | None, answer: str, now: Millis) -> db.Step | None:
    """The part of a transaction that keeps `answer`, refused if the key has one already."""
    if request is None:
        return None
    row = RequestRow(
        request.request_id,
        parameters=request.parameters,
        answer=answer,
        expires_at=now + KEPT_FOR,
        ttl=epoch_seconds(Millis(now + KEPT_FOR)),
    )
    return db.put(row, RequestRow.request_id.does_not_exist() | (RequestRow.expires_at <= now))


def keep(request: RequestKey, answer: str, now: Millis) -> None:
    """Keep an answer by itself. Raises RefusedError naming `request` if the key has one."""
    db.transact(request=step(request, answer, now))


def answer_step(request: RequestKey | None, answer: str) -> db.Step | None:
    """The part of a transaction that gives a key in use its answer."""
    if request is None:
        return None
    return db.change(
        RequestRow(request.request_id),
        [RequestRow.answer.set(answer)],
        RequestRow.request_id.exists(),
    )


def drop_step(request: RequestKey | None) -> db.Step | None:
    """The part of a transaction that makes a key in use free again: a refusal may be retried."""
    if request is None:
        return None
    return db.delete(RequestRow(request.request_id), RequestRow.request_id.exists())


def seen_request(row: RequestRow | None, now: Millis) -> SeenRequest | None:
    """The answered request in an item, None if there is none or it is too old to count."""
    if row is None or row.expires_at <= now:
        return None
    return SeenRequest(row.parameters, row.answer, Millis(row.expires_at))
