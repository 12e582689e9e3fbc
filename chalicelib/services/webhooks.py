"""Webhooks: every event taken to its user's endpoint, again and again until it is there.

The delivery item is the truth, and the queue carries its id. Source: DESIGN.md, "Decided" 9.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from chalicelib.domain.deliveries import Delivery, DeliveryState
from chalicelib.domain.events import Event
from chalicelib.domain.ids import DeliveryId, UserId, new_ulid
from chalicelib.domain.retry_schedule import WAITS, wait_after
from chalicelib.domain.signatures import derive_secret, signed_headers
from chalicelib.domain.times import DAY, SECOND, Clock, Millis
from chalicelib.domain.user import Endpoint
from chalicelib.outbound import Answer, Post
from chalicelib.settings import Settings
from chalicelib.stores import deliveries, queues, shards, users
from chalicelib.stores.db import RefusedError
from chalicelib.stores.deliveries import Due, Result

LEASE = 25 * SECOND
"""How long an attempt may take: the exchange's deadline and time to write down what came of it."""

GRACE = 60 * SECOND
"""How late an attempt that the queue was told of may be before the sweep tells it again."""

LOOK_AHEAD = 55 * SECOND
"""The sweep runs each minute and tells the queue, with a delay, of what comes due until then."""

GIVES_UP = 5 * DAY
"""No further attempt is made for a delivery that is older, however long it was asked to wait."""

MOST_ATTEMPTS = len(WAITS) + 1

_LONGEST_RETRY_AFTER = DAY
_GONE = 410
_PAGE = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Tells the queue of events, and delivers what the queue tells of."""

    settings: Settings
    clock: Clock
    random: Random
    post: Post

    def tell(self, event: Event) -> None:
        """Have a stored event delivered now. If the queue fails, the sweep does it later."""
        try:
            queues.send(self.settings.webhooks_queue, _message(event.delivery_id, event.user_id))
        except queues.QueueError as error:
            log.warning("queue not told of delivery %s: %s", event.delivery_id, error)

    def deliver_all(self, wanted: Sequence[tuple[DeliveryId, UserId]]) -> list[DeliveryId]:
        """Attempt deliveries side by side; those whose attempt could not even be written down."""
        with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
            attempts = [(ids[0], pool.submit(self.deliver, *ids)) for ids in wanted]
        failed = [(delivery_id, attempt.exception()) for delivery_id, attempt in attempts]
        for delivery_id, error in failed:
            if error is not None:
                log.error("delivery %s: %s", delivery_id, type(error).__name__)
        return [delivery_id for delivery_id, error in failed if error is not None]

    def deliver(self, delivery_id: DeliveryId, user_id: UserId) -> None:
        """One attempt at a delivery, unless it is finished, not yet due, or in other hands."""
        now = self.clock()
        with ThreadPoolExecutor(max_workers=1) as pool:
            # Read beside the lease, so that an attempt costs two round trips in sequence.
            reading = pool.submit(users.get, user_id)
            delivery = deliveries.lease(delivery_id, new_ulid(now), now, until=Millis(now + LEASE))
            user = reading.result()
        if delivery is None:
            return
        endpoint = user.endpoint if user is not None else None
        try:
            if delivery.attempts > MOST_ATTEMPTS:
                # Its attempts began and never came back to say how they ended.
                self._give_up(delivery, Result(status=None, error="attempts_lost"))
            elif endpoint is None or not endpoint.enabled:
                self._skip(delivery, "no_endpoint")
            elif delivery.type not in endpoint.events:
                self._skip(delivery, "not_subscribed")
            else:
                self._settle(delivery, self._attempt(delivery, endpoint))
        except RefusedError:
            log.warning("delivery %s outlived its lease", delivery_id)

    def requeue_due(self, ends: Millis) -> None:
        """Tell the queue of deliveries that it was never told of, or has lost, until `ends`."""
        for shard in shards.keys(shards.DUE):
            start = None
            while self.clock() < ends:
                until = Millis(self.clock() + LOOK_AHEAD)
                waiting, start = deliveries.due(shard, until, limit=_PAGE, start=start)
                for at in range(0, len(waiting), queues.MOST_BATCH):
                    self._tell_again(waiting[at : at + queues.MOST_BATCH])
                if start is None:
                    break

    def _attempt(self, delivery: Delivery, endpoint: Endpoint) -> Answer:
        secret = derive_secret(self.settings.secrets.pepper, delivery.user_id, endpoint.generation)
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Sesame-Webhooks/1",
            **signed_headers([secret], delivery.event_id, self.clock(), body),
        }
        return self.post(endpoint.url, body, headers)

    def _settle(self, delivery: Delivery, answer: Answer) -> None:
        now = self.clock()
        result = Result(answer.status, answer.error)
        wait = wait_after(delivery.attempts, self.random.random())
        if answer.is_success():
            deliveries.finish(delivery, DeliveryState.DELIVERED, result, now)
        elif answer.status == _GONE or wait is None or now - delivery.created_at > GIVES_UP:
            self._give_up(delivery, result)
        else:
            asked = (answer.retry_after or 0) * SECOND
            self._put_off(delivery, result, max(wait, min(asked, _LONGEST_RETRY_AFTER)))

    def _put_off(self, delivery: Delivery, result: Result, wait: int) -> None:
        until = Millis(self.clock() + wait)
        delay = -(-wait // SECOND)
        if delay > queues.MOST_DELAY_SECONDS:
            deliveries.put_off(delivery, result, until=until, swept_at=until)
            return
        deliveries.put_off(delivery, result, until=until, swept_at=Millis(until + GRACE))
        try:
            message = _message(delivery.delivery_id, delivery.user_id)
            queues.send(self.settings.webhooks_queue, message, delay_seconds=delay)
        except queues.QueueError as error:
            log.warning("queue not told of delivery %s: %s", delivery.delivery_id, error)

    def _give_up(self, delivery: Delivery, result: Result) -> None:
        deliveries.finish(delivery, DeliveryState.FAILED, result, self.clock())

    def _skip(self, delivery: Delivery, why: str) -> None:
        result = Result(status=None, error=why)
        deliveries.finish(delivery, DeliveryState.SKIPPED, result, self.clock())

    def _tell_again(self, waiting: Sequence[Due]) -> None:
        now = self.clock()
        delays = [max(0, -(-(due.at - now) // SECOND)) for due in waiting]
        told = queues.send_all(
            self.settings.webhooks_queue,
            [
                (_message(due.delivery_id, due.user_id), delay)
                for due, delay in zip(waiting, delays, strict=True)
            ],
        )
        for at in told:
            try:
                deliveries.told(waiting[at], Millis(max(waiting[at].at, now) + GRACE + LOOK_AHEAD))
            except RefusedError:
                continue


def _message(delivery_id: DeliveryId, user_id: UserId) -> dict[str, str]:
    return {"delivery_id": delivery_id, "user_id": user_id}
