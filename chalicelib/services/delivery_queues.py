"""The queues that carry the ids of deliveries: one for each lane, and the sweep behind them.

A queue that took a message holds it until a Lambda has dealt with it, or has failed to five times.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib import telemetry
from chalicelib.domain.deliveries import Delivery, Lane
from chalicelib.domain.ids import DeliveryId, UserId
from chalicelib.domain.times import MINUTE, SECOND, Clock, Millis
from chalicelib.settings import Settings
from chalicelib.stores import deliveries, queues, shards
from chalicelib.stores.db import RefusedError
from chalicelib.stores.deliveries import Due
from chalicelib.stores.queues import Message

GRACE = 60 * SECOND
"""How late an attempt that the queue was told of may be before the sweep tells it again."""

HELD = 15 * MINUTE
"""How long a message that a queue took is certainly in it: five receives, 180 s apart."""

LOOK_AHEAD = 55 * SECOND
"""The sweep runs each minute and tells the queue, with a delay, of what comes due until then."""

MOST_DELAY = queues.MOST_DELAY_SECONDS * SECOND
_PAGE = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveryQueues:
    """Tells the lanes what to attempt."""

    settings: Settings
    clock: Clock

    def tell(
        self, delivery_id: DeliveryId, user_id: UserId, lane: Lane = Lane.FAST, *, delay: int = 0
    ) -> bool:
        """Have a delivery attempted in `delay` milliseconds. If the queue fails, the sweep does."""
        try:
            queues.send(
                self._url(lane),
                _body(delivery_id, user_id),
                delay_seconds=_seconds(delay),
                group=user_id,
            )
        except queues.QueueError as error:
            log.warning("queue not told of delivery %s: %s", delivery_id, error)
            return False
        return True

    def tell_all(self, told: Sequence[Delivery]) -> None:
        """Have deliveries attempted now, or by the sweep, if the queue fails."""
        now = self.clock()
        for batch in queues.batches(told):
            try:
                self._send([Due(each.delivery_id, each.user_id, now) for each in batch], now)
            except queues.QueueError as error:
                log.warning("queue not told of %d deliveries: %s", len(batch), error)

    def pass_on(
        self,
        delays: Mapping[tuple[DeliveryId, UserId], int],
        correlations: Mapping[DeliveryId, str],
    ) -> Collection[tuple[DeliveryId, UserId]]:
        """Tell the slow lane of what it is to look at in so many milliseconds; what it was told."""
        told: set[tuple[DeliveryId, UserId]] = set()
        for batch in queues.batches(list(delays)):
            messages = [
                Message(
                    _body(*ids, correlations.get(ids[0])),
                    _seconds(min(delays[ids], MOST_DELAY)),
                    ids[1],
                )
                for ids in batch
            ]
            try:
                taken = queues.send_all(self._url(Lane.SLOW), messages)
            except queues.QueueError as error:
                log.warning("queue not told of %d deliveries: %s", len(batch), error)
            else:
                told.update(batch[position] for position in taken)
        return told

    def hand_over(self, delivery: Delivery, error: str | None) -> None:
        """Leave a delivery that one attempt holds to the slow lane.

        Raises RefusedError if another attempt holds it by now.
        """
        now = self.clock()
        waits = Due(delivery.delivery_id, delivery.user_id, Millis(now + GRACE))
        # Not `now`: by another Lambda's clock that may be still to come.
        deliveries.put_by(delivery, error, until=delivery.not_before, swept_at=waits.at)
        if self.tell(delivery.delivery_id, delivery.user_id, Lane.SLOW):
            self._note(waits, now)

    def requeue_due(self, ends: Millis) -> None:
        """Tell the queue of deliveries that it was never told of, or has lost, until `ends`.

        All go to the fast lane, which hands over what is slow by then.
        """
        for shard in shards.keys(shards.DUE):
            start = None
            while self.clock() < ends:
                until = Millis(self.clock() + LOOK_AHEAD)
                waiting, start = deliveries.due(shard, until, limit=_PAGE, start=start)
                for batch in queues.batches(waiting):
                    self._tell_again(batch)
                if start is None:
                    break

    def _tell_again(self, waiting: Sequence[Due]) -> None:
        now = self.clock()
        for at in self._send(waiting, now):
            self._note(waiting[at], now)

    def _send(self, waiting: Sequence[Due], now: Millis) -> Sequence[int]:
        messages = [
            Message(
                _body(due.delivery_id, due.user_id), _seconds(max(0, due.at - now)), due.user_id
            )
            for due in waiting
        ]
        return queues.send_all(self._url(Lane.FAST), messages)

    def _note(self, due: Due, now: Millis) -> None:
        try:
            deliveries.told(due, Millis(max(due.at, now) + HELD))
        except RefusedError:
            return

    def _url(self, lane: Lane) -> str:
        if lane is Lane.SLOW:
            return self.settings.webhooks_slow_queue
        return self.settings.webhooks_queue


def _body(
    delivery_id: DeliveryId, user_id: UserId, correlation_id: str | None = None
) -> dict[str, str]:
    body = {"delivery_id": delivery_id, "user_id": user_id}
    known = correlation_id or telemetry.passed_on("event_id")
    return body if known is None else {**body, "correlation_id": known}


def _seconds(millis: int) -> int:
    return -(-millis // SECOND)
