"""When a webhook is tried again. Source: DESIGN.md, "Decided" 9."""

from chalicelib.domain.times import HOUR, MINUTE, SECOND

WAITS = (
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""Milliseconds to wait after the first failure, the second, …"""

JITTER = 0.2


def wait_after(failures: int, chance: float) -> int | None:
    """Milliseconds to wait after the given number of failures, None when there is no more try.

    `chance` in [0, 1) spreads the wait evenly over ±20 %.
    """
    if failures > len(WAITS):
        return None
    return round(WAITS[failures - 1] * (1 - JITTER + 2 * JITTER * chance))
