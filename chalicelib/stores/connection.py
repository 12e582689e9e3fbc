"""The process's one DynamoDB client, and how a call through it is repeated.

botocore repeats what it knows to be passing. Conflicts between transactions it does not: those
are repeated here, and no attempt of a transaction starts after its deadline.
"""

import contextvars
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import BusyError
from chalicelib.outbound.aws_clients import SharedClient

RETRIES = 5
"""How often a call that met a conflict is sent again, a transaction with the same client token."""

DEADLINE_SECONDS = 1.8
"""No attempt at a transaction starts later than this after its call. With the client's timeouts
(1 s to connect, 2 s for the answer) none lands over 5 s after it, so the events feed may show what
is older than that."""

_FIRST_WAIT_SECONDS = 0.02
_PASSING = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}
_CONFLICTS = {"TransactionConflictException", "TransactionInProgressException"}
_CONFLICT_REASONS = {
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "None",
}

sleep: Callable[[float], None] = time.sleep
"""How retries wait; the tests put a clock of their own here."""

monotonic: Callable[[], float] = time.monotonic
"""What the deadline is measured by, in seconds; the tests put that clock here too."""

_last_start: contextvars.ContextVar[float | None] = contextvars.ContextVar(
    "last_start", default=None
)


class _TooLateError(Exception):
    """The deadline of a transaction has passed before an attempt was sent."""


def client() -> Any:
    """The process's one client, connected when first asked for."""
    return _shared.get()


def forget_client() -> None:
    """Drop the client, so that the next call connects by the environment as it then is."""
    _shared.forget()


@contextmanager
def deadline() -> Iterator[None]:
    """Within this, no attempt is sent once DEADLINE_SECONDS have passed."""
    previous = _last_start.set(monotonic() + DEADLINE_SECONDS)
    try:
        yield
    finally:
        _last_start.reset(previous)


def send(call: Callable[[], Any]) -> Any:
    """The answer of `call`, sent again at conflicts. Raises BusyError when they don't end."""
    for attempt in range(RETRIES + 1):
        if attempt:
            sleep(random.uniform(0, _FIRST_WAIT_SECONDS * 2**attempt))
        try:
            return call()
        except (_TooLateError, BotoCoreError) as error:
            raise BusyError from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _PASSING:
                raise BusyError from error
            if not _is_conflict(error):
                raise
    raise BusyError


def _is_conflict(error: ClientError) -> bool:
    if error.response["Error"]["Code"] in _CONFLICTS:
        return True
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    return bool(reasons - {"None"}) and reasons <= _CONFLICT_REASONS


def _keep_deadline(**_: Any) -> None:
    last_start = _last_start.get()
    if last_start is not None and monotonic() > last_start:
        raise _TooLateError


_shared = SharedClient(
    "dynamodb",
    Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        parameter_validation=False,
    ),
    lambda made: made.meta.events.register("before-send.dynamodb", _keep_deadline),
)
