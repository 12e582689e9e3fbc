"""Endpoints that this process has just found to be slow or left alone, so that it need not ask."""

from threading import Lock

from chalicelib.domain.deliveries import Lane
from chalicelib.domain.endpoint_health import Health
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import SECOND, Millis

TRUSTED_FOR = 3 * SECOND
"""How long an endpoint is taken to be as it was: its user may set another meanwhile."""


class Away:
    """What is known of endpoints for a few seconds; only of those that keep deliveries away."""

    def __init__(self) -> None:
        self._known: dict[UserId, tuple[Millis, Health]] = {}
        self._lock = Lock()

    def learn(self, user_id: UserId, health: Health, now: Millis) -> None:
        """Remember an endpoint, or forget it, if it keeps nothing away."""
        with self._lock:
            self._known = {
                known: (until, found)
                for known, (until, found) in self._known.items()
                if until > now and known != user_id
            }
            if health.is_open(now) or health.is_slow(now):
                self._known[user_id] = (Millis(now + TRUSTED_FOR), health)

    def until(self, user_id: UserId, lane: Lane, now: Millis) -> Millis | None:
        """When an attempt of this lane is to be made in the slow one instead, None if here."""
        until, health = self._known.get(user_id, (now, None))
        if health is None or until <= now:
            return None
        if health.open_until is not None and health.is_open(now):
            return health.open_until
        return now if lane is Lane.FAST and health.is_slow(now) else None
