"""How many parts each hot index key is split into. One place, one of each to start with.

More shards spread writes over more partitions; readers then read each of them.
"""

import random

from chalicelib.domain.times import Millis, minute_of

FREE = 1
DUE = 1
REST = 1
POLLS = 1
LEDGER = 1
EVENTS = 1
CLOSED = 1
PARTIAL = 1


def some(count: int) -> int:
    """A shard to write to."""
    return random.randrange(count)


def some_key(count: int) -> str:
    """A shard to write to, as the key of a sparse index."""
    return str(some(count))


def some_minute(moment: Millis, count: int) -> str:
    """A shard of the minute that `moment` lies in to write to, as the key of an index."""
    return f"{minute_of(moment)}#{some(count)}"


def minute_keys(moment: Millis, count: int) -> list[str]:
    """All shards of the minute that `moment` lies in to read, as keys of an index."""
    return [f"{minute_of(moment)}#{shard}" for shard in range(count)]


def keys(count: int) -> list[str]:
    """All shards to read, as keys of a sparse index."""
    return [str(shard) for shard in range(count)]
