"""Time, as the platform counts it: whole milliseconds since the epoch, UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NewType

Millis = NewType("Millis", int)
"""A moment: milliseconds since 1970-01-01T00:00:00Z."""

Clock = Callable[[], Millis]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def later(moment: Millis, *, seconds: float) -> Millis:
    """The moment that comes `seconds` after `moment`."""
    return Millis(moment + round(seconds * SECOND))


def iso(moment: Millis) -> str:
    """`moment` as RFC 3339 in UTC with whole seconds: `2023-06-15T15:30:45Z`."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_exact(moment: Millis) -> str:
    """`moment` as RFC 3339 in UTC with its milliseconds: `2023-06-15T15:30:45.123Z`."""
    return f"{iso(moment)[:-1]}.{moment % SECOND:03d}Z"


def parse_iso(text: str) -> Millis:
    """The moment that an RFC 3339 text names; one without a zone is UTC. ValueError if none."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        # Through a float, some milliseconds would come back as the one before.
        return Millis((moment - _EPOCH) // timedelta(milliseconds=1))
    except OverflowError as error:
        raise ValueError(f"out of range: {text!r}") from error


def day_number(moment: Millis) -> int:
    """Whole days since the epoch, in UTC."""
    return moment // DAY


def epoch_seconds(moment: Millis) -> int:
    """`moment` in whole seconds, rounded up: the form of DynamoDB's TTL attribute."""
    return -(-moment // SECOND)


def minute_of(moment: Millis) -> str:
    """The UTC minute that `moment` lies in: `2023-06-15T15:30`."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M")
