"""How an endpoint has been answering: when it is slow, left alone for a while, or given up.

Source: DESIGN.md, "Decided" 9. Times are in milliseconds.
"""

from dataclasses import dataclass, replace

from chalicelib.domain.times import DAY, MINUTE, SECOND, Millis

GONE = 410
"""The status by which an endpoint says that it wants nothing any more."""

FAST_SECONDS = 2
"""How long an endpoint may take to answer before it is called slow."""

SLOW_FOR = 10 * MINUTE
"""How long an endpoint that was slow is taken to be slow."""

OPENS_AFTER = 5
"""The failures in a row after which nobody connects for a while: the circuit is open."""

FIRST_PAUSE = 30 * SECOND
LONGEST_PAUSE = 15 * MINUTE
GIVEN_UP_AFTER = 5 * DAY

FORGOTTEN_AFTER = 2 * DAY
"""Failures that are further apart are not in a row: a delivery waits for at most 29 hours."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of an endpoint since its secret was made, its `generation`.

    `revision` is the write that this was read from, "" if there was none. `failures` are those in
    a row, since `failing_since`. `disabled_at` and `reason` say when and why we switched it off.
    """

    generation: int
    revision: str = ""
    failures: int = 0
    failing_since: Millis | None = None
    failed_at: Millis | None = None
    open_until: Millis | None = None
    slow_until: Millis | None = None
    disabled_at: Millis | None = None
    reason: str | None = None

    def is_open(self, now: Millis) -> bool:
        """Whether nobody is to connect now."""
        return self.open_until is not None and now < self.open_until

    def is_slow(self, now: Millis) -> bool:
        """Whether it is not to be waited for where others wait too."""
        return self.slow_until is not None and now < self.slow_until

    def needs_probe(self) -> bool:
        """Whether one attempt alone is to find out if it is back."""
        return self.failures >= OPENS_AFTER

    def is_given_up(self, now: Millis) -> bool:
        """Whether it has failed for so long that it is to be switched off."""
        return self.failing_since is not None and now - self.failing_since >= GIVEN_UP_AFTER


def failed(health: Health, now: Millis, *, slowly: bool) -> Health:
    """After a failure; `slowly` if it was a long wait for nothing."""
    in_a_row = health.failed_at is not None and now - health.failed_at <= FORGOTTEN_AFTER
    failures = health.failures + 1 if in_a_row else 1
    pause = None
    if failures >= OPENS_AFTER:
        doublings = min(failures - OPENS_AFTER, LONGEST_PAUSE.bit_length())
        pause = Millis(now + min(LONGEST_PAUSE, FIRST_PAUSE << doublings))
    after = replace(
        health,
        failures=failures,
        failing_since=health.failing_since if in_a_row else now,
        failed_at=now,
        open_until=pause,
    )
    return _slow(after, now) if slowly else after


def succeeded(health: Health, now: Millis, *, slowly: bool) -> Health:
    """After a success: the same, unless it had failed, or took long."""
    after = health
    if health.failures:
        after = replace(health, failures=0, failing_since=None, failed_at=None, open_until=None)
    return _slow(after, now) if slowly else after


def slowed(health: Health, now: Millis) -> Health:
    """After a wait that was cut short, which says nothing but that it is slow."""
    return replace(health, slow_until=Millis(now + SLOW_FOR), open_until=None)


def probing(health: Health, until: Millis) -> Health:
    """While one attempt finds out if it is back, until that must have ended."""
    return replace(health, open_until=until)


def _slow(health: Health, now: Millis) -> Health:
    # Written down again only when half of it is over, not with each answer.
    if health.is_slow(Millis(now + SLOW_FOR // 2)):
        return health
    return replace(health, slow_until=Millis(now + SLOW_FOR))
