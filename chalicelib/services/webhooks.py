"""Webhooks: every event taken to its user's endpoint, again and again until it is there.

The delivery item is the truth, and the queues carry its id. Source: DESIGN.md, "Decided" 9.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from chalicelib import telemetry
from chalicelib.domain.deliveries import Delivery, DeliveryState, Lane
from chalicelib.domain.endpoint_health import GONE, Health
from chalicelib.domain.events import SMS_EVENTS, TEST, Event
from chalicelib.domain.ids import DeliveryId, UserId, new_ulid
from chalicelib.domain.retry_schedule import WAITS, wait_after
from chalicelib.domain.signatures import signed_headers
from chalicelib.domain.times import DAY, SECOND, Clock, Millis
from chalicelib.domain.user import Endpoint, User
from chalicelib.outbound import Answer, Post
from chalicelib.services.away import Away
from chalicelib.services.delivery_queues import GRACE, MOST_DELAY, DeliveryQueues
from chalicelib.services.endpoints import Endpoints
from chalicelib.stores import deliveries
from chalicelib.stores import endpoints as endpoint_store
from chalicelib.stores.db import RefusedError
from chalicelib.stores.deliveries import Result

LEASE = 25 * SECOND
"""How long an attempt may take: the exchange's deadline and time to write down what came of it."""

GIVES_UP = 5 * DAY
"""No further attempt is made for a delivery that is older, however long it was asked to wait."""

SPREAD = 30 * SECOND
"""Over how long those who were kept from an endpoint come back to it."""

MOST_ATTEMPTS = len(WAITS) + 1

_LONGEST_RETRY_AFTER = DAY

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Tells the queues of events, and delivers what the queues tell of.

    `posts` are how each lane posts: the fast one gives up early.
    """

    clock: Clock
    random: Random
    queues: DeliveryQueues
    endpoints: Endpoints
    posts: Mapping[Lane, Post]
    away: Away

    def tell(self, event: Event | None) -> None:
        """Have a stored event, if there is one, delivered now; by the sweep, if the queue fails."""
        if event is not None:
            self.queues.tell(event.delivery_id, event.user_id)

    def deliver_all(
        self,
        wanted: Sequence[tuple[DeliveryId, UserId]],
        lane: Lane = Lane.FAST,
        correlations: Mapping[DeliveryId, str] | None = None,
    ) -> list[DeliveryId]:
        """Attempt deliveries side by side; those whose attempt could not even be written down.

        `correlations` are the ids of the calls that led to them, where the queue told them.
        Those of an endpoint that is known to keep them away are passed on without being looked at,
        so that a flood of them costs nobody else time.
        """
        known = correlations or {}
        wanted = self._pass_on(wanted, lane, known)
        with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
            attempts = [
                (
                    ids[0],
                    pool.submit(telemetry.carried(self.deliver), *ids, lane, known.get(ids[0])),
                )
                for ids in wanted
            ]
        failed = [(delivery_id, attempt.exception()) for delivery_id, attempt in attempts]
        for delivery_id, error in failed:
            if error is not None:
                log.error("delivery %s: %s", delivery_id, type(error).__name__)
        return [delivery_id for delivery_id, error in failed if error is not None]

    @telemetry.bound()
    def deliver(
        self,
        delivery_id: DeliveryId,
        user_id: UserId,
        lane: Lane = Lane.FAST,
        correlation_id: str | None = None,
    ) -> None:
        """One attempt at a delivery, unless it is finished, not yet due, or in other hands."""
        telemetry.bind(delivery_id=delivery_id, user_id=user_id, correlation_id=correlation_id)
        now = self.clock()
        with ThreadPoolExecutor(max_workers=1) as pool:
            # Read beside the lease, so that an attempt costs two round trips in sequence.
            reading = pool.submit(endpoint_store.with_user, user_id)
            lease, until = new_ulid(now), Millis(now + LEASE)
            delivery = deliveries.lease(delivery_id, lease, now, until=until, lane=lane)
            user, health = reading.result()
        self.away.learn(user_id, health, now)
        if delivery is None:
            return
        telemetry.correlate(delivery.event_id, event_id=delivery.event_id)
        try:
            if user is None or user.endpoint is None:
                self._skip(delivery, "no_endpoint")
            elif not user.endpoint.enabled:
                self._skip(delivery, "endpoint_disabled")
            elif delivery.type not in (*user.endpoint.events, TEST):
                self._skip(delivery, "not_subscribed")
            else:
                self._proceed(delivery, user, user.endpoint, health, lane)
        except RefusedError:
            log.warning("delivery %s outlived its lease", delivery_id)

    def _pass_on(
        self,
        wanted: Sequence[tuple[DeliveryId, UserId]],
        lane: Lane,
        correlations: Mapping[DeliveryId, str],
    ) -> Sequence[tuple[DeliveryId, UserId]]:
        """Leave to the slow lane what can't be attempted here and now; the rest."""
        now = self.clock()
        delays = {
            ids: until - now + (self._spread() if until > now else 0)
            for ids in wanted
            if (until := self.away.until(ids[1], lane, now)) is not None
        }
        passed = self.queues.pass_on(delays, correlations)
        return [ids for ids in wanted if ids not in passed]

    def _proceed(
        self, delivery: Delivery, user: User, endpoint: Endpoint, health: Health, lane: Lane
    ) -> None:
        now = self.clock()
        if delivery.attempts > MOST_ATTEMPTS:
            # Its attempts began and never came back to say how they ended.
            self._give_up(delivery, Result(error="attempts_lost"))
        elif health.open_until is not None and health.is_open(now):
            self._keep_away(delivery, lane, health.open_until, "circuit_open")
        elif lane is Lane.FAST and health.is_slow(now):
            self.queues.hand_over(delivery, None)
        elif (probed := self.endpoints.probe(user.user_id, health)) is None:
            self._keep_away(delivery, lane, Millis(now + LEASE), "circuit_open")
        else:
            self._attempt(delivery, user, endpoint, probed, lane)

    def _attempt(
        self, delivery: Delivery, user: User, endpoint: Endpoint, health: Health, lane: Lane
    ) -> None:
        answer = self._post(delivery, endpoint, lane)
        if lane is Lane.FAST and answer.error == "timeout":
            self.endpoints.slowed(user.user_id, health)
            self.queues.hand_over(delivery, answer.error)
            return
        if answer.error == "too_busy":
            # That was ourselves, and says nothing of the endpoint.
            self._keep_away(delivery, lane, self.clock(), answer.error)
            return
        self._settle(delivery, answer, lane)
        self.tell(self.endpoints.answered(user, endpoint, health, answer))

    def _post(self, delivery: Delivery, endpoint: Endpoint, lane: Lane) -> Answer:
        secrets = self.endpoints.secrets(delivery.user_id, endpoint)
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Sesame-Webhooks/1",
            **signed_headers(secrets, delivery.event_id, self.clock(), body),
        }
        return self.posts[lane](endpoint.url, body, headers)

    def _settle(self, delivery: Delivery, answer: Answer, lane: Lane) -> None:
        result = Result(answer.status, answer.error, answer.millis, answer.excerpt)
        wait = wait_after(delivery.attempts, self.random.random())
        if answer.is_success():
            deliveries.finish(delivery, DeliveryState.DELIVERED, result, self.clock())
            self._count_delivered(delivery, answer)
            return
        _count_failed(delivery, answer)
        if answer.status == GONE or wait is None or self._is_too_old(delivery):
            self._give_up(delivery, result)
        else:
            asked = (answer.retry_after or 0) * SECOND
            self._put_off(delivery, result, lane, max(wait, min(asked, _LONGEST_RETRY_AFTER)))

    def _put_off(self, delivery: Delivery, result: Result, lane: Lane, wait: int) -> None:
        until = Millis(self.clock() + wait)
        if wait > MOST_DELAY:
            deliveries.put_off(delivery, result, until=until, swept_at=until)
            return
        deliveries.put_off(delivery, result, until=until, swept_at=Millis(until + GRACE))
        self.queues.tell(delivery.delivery_id, delivery.user_id, lane, delay=wait)

    def _keep_away(self, delivery: Delivery, lane: Lane, until: Millis, why: str) -> None:
        """Put an attempt off that was not made, as nobody is to connect before `until`."""
        if self._is_too_old(delivery):
            self._give_up(delivery, Result(error=why))
            return
        until = Millis(until + self._spread())
        swept_at = Millis(until + GRACE)
        deliveries.put_by(delivery, why, until=until, swept_at=swept_at)
        delay = min(until - self.clock(), MOST_DELAY)
        self.queues.tell(delivery.delivery_id, delivery.user_id, lane, delay=max(0, delay))

    def _spread(self) -> int:
        return round(self.random.random() * SPREAD)

    def _is_too_old(self, delivery: Delivery) -> bool:
        return self.clock() - delivery.begun_at > GIVES_UP

    def _give_up(self, delivery: Delivery, result: Result) -> None:
        deliveries.finish(delivery, DeliveryState.FAILED, result, self.clock())
        telemetry.count("DeliveriesGivenUp", type=delivery.type)

    def _skip(self, delivery: Delivery, why: str) -> None:
        deliveries.finish(delivery, DeliveryState.SKIPPED, Result(error=why), self.clock())
        telemetry.count("DeliveriesSkipped", reason=why)
        log.info("the delivery was skipped: %s", why)

    def _count_delivered(self, delivery: Delivery, answer: Answer) -> None:
        telemetry.count("DeliveriesSucceeded", type=delivery.type)
        telemetry.count("DeliveryMillis", answer.millis or 0)
        # What was sent again has waited for somebody to ask.
        if delivery.type in SMS_EVENTS and delivery.begun_at == delivery.created_at:
            waited = (self.clock() - delivery.created_at) / SECOND
            telemetry.count("SmsToWebhookSeconds", waited)
        log.info("attempt %d delivered %s", delivery.attempts, delivery.type)


def _count_failed(delivery: Delivery, answer: Answer) -> None:
    reason = answer.error or f"http_{(answer.status or 0) // 100}xx"
    telemetry.count("DeliveriesFailed", reason=reason)
    telemetry.count("DeliveryMillis", answer.millis or 0)
    log.info("attempt %d to deliver %s failed: %s", delivery.attempts, delivery.type, reason)
