"""Idempotency keys: the first answer to a request is the answer to its repeats."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.ids import UserId
from chalicelib.domain.times import DAY, MINUTE, Millis
from chalicelib.errors import ConflictError, RequestKeyReusedError

KEPT_FOR = DAY

ANSWERED_WITHIN = 2 * MINUTE
"""How long a key is in use before whoever answers it counts as dead, and it may be used again."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A user's idempotency key, and the hash of what it was sent with."""

    request_id: str
    parameters: str


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A key that was used before. While it is being answered, its answer is empty."""

    parameters: str
    answer: str
    expires_at: Millis


def request_key(
    user_id: UserId, key: str, route: str, parameters: Mapping[str, object]
) -> RequestKey:
    """The key `key` of `user_id` for a call of `route` with `parameters`."""
    text = json.dumps([route, dict(parameters)], sort_keys=True, ensure_ascii=True)
    return RequestKey(f"{user_id}#{key}", hashlib.sha256(text.encode()).hexdigest())


def first_answer(request: RequestKey, seen: SeenRequest) -> str:
    """The answer to replay.

    Raises RequestKeyReusedError if the parameters were others, ConflictError if there is no
    answer yet.
    """
    if seen.parameters != request.parameters:
        raise RequestKeyReusedError
    if not seen.answer:
        raise ConflictError(
            "request_in_progress",
            "A request with this Idempotency-Key is being answered.",
            field="Idempotency-Key",
            retry_after=1,
        )
    return seen.answer
