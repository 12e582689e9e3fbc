"""A circuit breaker: a supplier that keeps failing is left alone for a while.

Its state is this process's own. Shared state would cost every rent a round trip, and a supplier
that fails is found out by each process within a few calls; it also can't happen then that one
process with a broken network of its own takes a supplier away from all.
"""

from threading import Lock

from chalicelib.domain.times import SECOND, Millis

MOST_FAILURES = 5
"""Failures in a row that open it."""

PAUSE = 30 * SECOND
"""How long it stays open, and how long a trial may take to be heard of."""


class Breaker:
    """Lets calls through, until too many in a row have failed; then one trial each pause."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._shut_until = Millis(0)

    def admits(self, now: Millis) -> bool:
        """Whether a call may be made now. True is a promise to report how it ended."""
        with self._lock:
            if self._failures < MOST_FAILURES:
                return True
            if now < self._shut_until:
                return False
            # This call is the trial. One that never reports must not keep the breaker open.
            self._shut_until = Millis(now + PAUSE)
            return True

    def succeeded(self) -> None:
        """Note a call that was answered as it should be."""
        with self._lock:
            self._failures = 0

    def failed(self, now: Millis) -> None:
        """Note a call that was not."""
        with self._lock:
            self._failures += 1
            self._shut_until = Millis(now + PAUSE)
