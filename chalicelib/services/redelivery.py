"""Sent again on request: one delivery, all that failed since a moment, and one that is a test."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.domain.deliveries import Delivery, DeliveryState
from chalicelib.domain.events import TEST, Event, test_event
from chalicelib.domain.ids import DeliveryId, UserId, is_ulid
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.domain.user import Endpoint
from chalicelib.errors import ConflictError, NotFoundError
from chalicelib.services.delivery_queues import DeliveryQueues
from chalicelib.services.endpoints import Endpoints
from chalicelib.settings import Settings
from chalicelib.stores import deliveries
from chalicelib.stores import endpoints as endpoint_store
from chalicelib.stores.db import RefusedError

MOST_RECOVERED = 1_000
"""In one call."""

LOST = (DeliveryState.FAILED, DeliveryState.SKIPPED)
_ANY = tuple(DeliveryState)
_PAGE = 200
_AT_ONCE = 16
_BUDGET = 15 * SECOND


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Has events sent again, under the ids that they have."""

    settings: Settings
    clock: Clock
    endpoints: Endpoints
    queues: DeliveryQueues

    def resend(self, user_id: UserId, delivery_id: str) -> Delivery:
        """Begin a delivery anew, be it delivered already; one that waits is brought forward.

        Raises NotFoundError (also for somebody else's), ConflictError while it is attempted, or
        if it has nowhere to go.
        """
        endpoint = self._open_endpoint(user_id)
        delivery = self._begin(user_id, delivery_id, endpoint)
        self.queues.tell(delivery.delivery_id, user_id)
        return delivery

    def recover(self, user_id: UserId, since: Millis) -> tuple[int, Millis | None]:
        """Begin anew all deliveries created since then that failed, or had nowhere to go.

        How many, at most MOST_RECOVERED, and the moment to go on from, None at the end. Of a type
        that is not asked for, none. Raises ConflictError if they have nowhere to go.
        """
        endpoint = self._open_endpoint(user_id)
        ends, begun, start = self.clock() + _BUDGET, 0, None
        while True:
            page, start = deliveries.since(user_id, since, limit=_PAGE, start=start)
            lost = [each for each in page if each.state in LOST and _is_wanted(each, endpoint)]
            left = lost[: MOST_RECOVERED - begun]
            begun += self._begin_all(left)
            if len(left) < len(lost):
                return begun, lost[len(left)].created_at
            if start is None:
                return begun, None
            if begun == MOST_RECOVERED or self.clock() >= ends:
                return begun, page[-1].created_at

    def test(self, user_id: UserId) -> Event:
        """Send an event that says nothing, whatever was asked for. Raises ConflictError."""
        self._open_endpoint(user_id)
        event = test_event(user_id, self.clock())
        endpoint_store.write_event(event, self.settings.sms_retention_days)
        self.queues.tell(event.delivery_id, user_id)
        return event

    def _open_endpoint(self, user_id: UserId) -> Endpoint:
        _, endpoint, _ = self.endpoints.find(user_id)
        if not endpoint.enabled:
            raise ConflictError(
                "endpoint_disabled", "The webhook is switched off. Enable it, or set another."
            )
        return endpoint

    def _begin(self, user_id: UserId, delivery_id: str, endpoint: Endpoint) -> Delivery:
        unknown = NotFoundError(
            "delivery_not_found", "There is no such delivery.", field="delivery_id"
        )
        if not is_ulid(delivery_id):
            raise unknown
        try:
            found = deliveries.send_again(
                DeliveryId(delivery_id), user_id, self.clock(), _ANY, (*endpoint.events, TEST)
            )
        except RefusedError as refusal:
            raise _refusal(refusal.why["delivery"], endpoint) from None
        if found is None:
            raise unknown
        return found

    def _begin_all(self, lost: Sequence[Delivery]) -> int:
        now = self.clock()

        def begin(delivery: Delivery) -> Delivery | None:
            try:
                return deliveries.send_again(
                    delivery.delivery_id, delivery.user_id, now, LOST, (delivery.type,)
                )
            except RefusedError:
                return None

        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            begun = [delivery for delivery in pool.map(begin, lost) if delivery is not None]
        self.queues.tell_all(begun)
        return len(begun)


def _is_wanted(delivery: Delivery, endpoint: Endpoint) -> bool:
    return delivery.type in (*endpoint.events, TEST)


def _refusal(delivery: Delivery, endpoint: Endpoint) -> ConflictError:
    if not _is_wanted(delivery, endpoint):
        return ConflictError(
            "not_subscribed", f"The webhook is not sent events of the type {delivery.type}."
        )
    return ConflictError("delivery_in_progress", "It is being attempted right now. Try again.")
