"""Limits on a caller: calls a minute, and waits at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.domain.fraud import network_of
from chalicelib.domain.times import HOUR, MINUTE, SECOND, Clock, Millis
from chalicelib.errors import LimitExceededError
from chalicelib.stores import limits
from chalicelib.stores.db import RefusedError

_PARTS = 10
_TRIES = 3


@dataclass(slots=True)
class _Minute:
    ends: Millis
    unshared: int = 0
    shared: int = 0


class CallLimiter:
    """At most so many calls a minute by one holder, over all Lambdas.

    A holder is a user whatever their keys, the admin, or the system key.

    A count that all share costs a write a call, more than most calls cost themselves. So each
    process counts for itself and shares every tenth part of the limit: the limit may be passed by
    a tenth for each process that serves the holder.
    """

    def __init__(self, clock: Clock, calls_per_minute: int) -> None:
        self._clock = clock
        self._most = calls_per_minute
        self._part = max(1, calls_per_minute // _PARTS)
        self._minutes: dict[str, _Minute] = {}
        self._lock = threading.Lock()

    def take(self, holder: str) -> None:
        """Count one call of `holder`. Raises LimitExceededError if that is one too many."""
        now = self._clock()
        ends = Millis(now - now % MINUTE + MINUTE)
        with self._lock:
            minute = self._minutes.get(holder)
            if minute is None or minute.ends != ends:
                self._forget_past(now)
                minute = self._minutes[holder] = _Minute(ends)
            minute.unshared += 1
            share = minute.unshared >= self._part
            if share:
                # At once, so that other threads' calls count these while they are being written.
                minute.unshared -= self._part
                minute.shared += self._part
            total = minute.shared + minute.unshared
        if share:
            counted = limits.count(f"calls#{holder}#{ends // MINUTE}", self._part, ends)
            total = max(total, counted)
            with self._lock:
                minute.shared = max(minute.shared, counted)
        if total > self._most:
            raise LimitExceededError(
                "rate_limited",
                f"At most {self._most} calls a minute are taken.",
                retry_after=-(-(ends - now) // SECOND),
            )

    def _forget_past(self, now: Millis) -> None:
        for holder in [h for h, minute in self._minutes.items() if minute.ends <= now]:
            del self._minutes[holder]


@dataclass(frozen=True, slots=True)
class RegistrationLimiter:
    """At most so many registrations an hour from one address. Each is counted, taken or not."""

    clock: Clock
    registrations_per_hour: int

    def take(self, source_ip: str) -> None:
        """Count one registration. Raises LimitExceededError if that is one too many."""
        now = self.clock()
        ends = Millis(now - now % HOUR + HOUR)
        bucket = f"registrations#{network_of(source_ip)}#{ends // HOUR}"
        if limits.count(bucket, 1, ends) > self.registrations_per_hour:
            raise LimitExceededError(
                "rate_limited",
                f"At most {self.registrations_per_hour} registrations an hour are taken.",
                retry_after=-(-(ends - now) // SECOND),
            )


@dataclass(frozen=True, slots=True)
class WaitSlots:
    """The few waits that a holder may have at once, over all Lambdas. A slot ends by itself."""

    clock: Clock

    @contextmanager
    def held(self, holder: str, until: Millis) -> Iterator[bool]:
        """Whether `holder` has a slot within this, at the latest until `until`."""
        bucket = f"waits#{holder}"
        slot = self._take(bucket, until)
        try:
            yield slot is not None
        finally:
            if slot is not None:
                self._give_back(bucket, slot, until)

    def _take(self, bucket: str, until: Millis) -> int | None:
        for _ in range(_TRIES):
            now = self.clock()
            free = [slot for slot, end in enumerate(limits.held(bucket)) if end <= now]
            if not free:
                return None
            try:
                limits.hold(bucket, free[0], now, until=until)
            except RefusedError:
                continue
            return free[0]
        return None

    def _give_back(self, bucket: str, slot: int, until: Millis) -> None:
        try:
            limits.release(bucket, slot, until=until)
        except RefusedError:
            # It has ended by itself and somebody else has it.
            return
