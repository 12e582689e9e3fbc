"""Endpoints: their health as deliveries find it, switched off when given up, and their secrets."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.domain import endpoint_health
from chalicelib.domain.endpoint_health import GONE, Health
from chalicelib.domain.events import Event, webhook_disabled_event
from chalicelib.domain.ids import UserId
from chalicelib.domain.signatures import derive_secret
from chalicelib.domain.times import DAY, SECOND, Clock, Millis, later
from chalicelib.domain.user import Endpoint, User, UserStatus
from chalicelib.errors import BusyError, ConflictError, NotFoundError
from chalicelib.outbound import Answer
from chalicelib.services.accounts import account_closed
from chalicelib.settings import Settings
from chalicelib.stores import endpoints as store
from chalicelib.stores.db import RefusedError

OVERLAP_SECONDS = DAY // SECOND
"""How long a secret that is rotated goes on signing, unless told otherwise."""

MOST_OVERLAP_SECONDS = 7 * OVERLAP_SECONDS
PROBE = 25 * SECOND
"""How long others keep away while one attempt finds out if an endpoint is back."""

_MOST_TRIES = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where users' events go, and how that goes."""

    settings: Settings
    clock: Clock

    def find(self, user_id: UserId) -> tuple[User, Endpoint, Health]:
        """A user's endpoint and its health. Raises ConflictError if they have none."""
        user, health = store.with_user(user_id)
        if user is None:
            raise NotFoundError("user_not_found", "There is no such user.")
        if user.status is UserStatus.CLOSED:
            raise account_closed()
        if user.endpoint is None:
            raise no_endpoint()
        return user, user.endpoint, health

    def secrets(self, user_id: UserId, endpoint: Endpoint) -> list[str]:
        """The secrets that sign what is sent now, the newest first."""
        generations = endpoint.live_generations(self.clock())
        return [self._secret(user_id, generation) for generation in generations]

    def rotate(self, user_id: UserId, *, overlap: int) -> tuple[Endpoint, str]:
        """A new secret, beside which the one before signs for `overlap` more seconds.

        Raises ConflictError without an endpoint, or while two secrets are live: with an overlap
        of 0 all but the new one end. BusyError.
        """
        for _ in range(_MOST_TRIES):
            seen, endpoint, _ = self.find(user_id)
            now = self.clock()
            if overlap and now < endpoint.previous_until:
                raise ConflictError(
                    "rotation_under_way",
                    "Two secrets are live. Wait until the older one ends, or use overlap 0.",
                )
            try:
                user = store.rotate(seen, later(now, seconds=overlap) if overlap else Millis(0))
            except RefusedError:
                continue
            if user.endpoint is None:
                raise no_endpoint()
            return user.endpoint, self._secret(user_id, user.webhook_generation)
        raise BusyError

    def enable(self, user_id: UserId) -> None:
        """Have events sent again to an endpoint that was switched off, or is being left alone.

        Raises ConflictError without an endpoint, BusyError.
        """
        for _ in range(_MOST_TRIES):
            seen, _, _ = self.find(user_id)
            try:
                return store.switch_on(seen, self.clock())
            except RefusedError:
                continue
        raise BusyError

    def probe(self, user_id: UserId, health: Health) -> Health | None:
        """The health by which one attempt may find out if an endpoint is back.

        None if another does.
        """
        if not health.needs_probe():
            return health
        now = self.clock()
        try:
            return store.note(user_id, endpoint_health.probing(health, Millis(now + PROBE)), now)
        except RefusedError:
            return None

    def slowed(self, user_id: UserId, health: Health) -> None:
        """Note that an endpoint kept us waiting for too long."""
        now = self.clock()
        self._note(user_id, health, lambda seen: endpoint_health.slowed(seen, now))

    def answered(
        self, user: User, endpoint: Endpoint, health: Health, answer: Answer
    ) -> Event | None:
        """Note how an endpoint answered; the event that it was switched off, if that ended it."""
        now = self.clock()
        slowly = answer.error == "timeout" or answer.millis > endpoint_health.FAST_SECONDS * SECOND
        if answer.is_success():
            self._note(
                user.user_id,
                health,
                lambda seen: endpoint_health.succeeded(seen, now, slowly=slowly),
            )
            return None
        after = endpoint_health.failed(health, now, slowly=slowly)
        if answer.status == GONE:
            return self._switch_off(user, endpoint, after, "gone", now)
        if after.is_given_up(now):
            return self._switch_off(user, endpoint, after, "failing", now)
        self._note(
            user.user_id, health, lambda seen: endpoint_health.failed(seen, now, slowly=slowly)
        )
        return None

    def _note(self, user_id: UserId, health: Health, change: Callable[[Health], Health]) -> None:
        """Write down what an attempt changes, upon what others beside it have written by then."""
        now = self.clock()
        for _ in range(_MOST_TRIES):
            after = change(health)
            if after == health:
                return
            try:
                store.note(user_id, after, now)
            except RefusedError as refusal:
                health = refusal.why["health"]
                if health.is_open(now):
                    # What began before the circuit opened must not keep it open for longer.
                    return
            else:
                return

    def _switch_off(
        self, user: User, endpoint: Endpoint, health: Health, reason: str, now: Millis
    ) -> Event | None:
        since = health.failing_since or now
        event = webhook_disabled_event(user.user_id, endpoint.url, reason, since, now)
        off = replace(health, disabled_at=now, reason=reason)
        try:
            store.switch_off(user, off, event, now, self.settings.sms_retention_days)
        except RefusedError:
            return None
        log.warning("the endpoint of user %s was switched off: %s", user.user_id, reason)
        return event

    def _secret(self, user_id: UserId, generation: int) -> str:
        return derive_secret(self.settings.secrets.pepper, user_id, generation)


def no_endpoint() -> ConflictError:
    """What is said of a user whose events go nowhere."""
    return ConflictError("no_endpoint", "There is no webhook. Set a webhook_url first.")
