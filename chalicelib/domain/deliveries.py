"""A delivery: one event on its way to one webhook URL, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import DeliveryId, EventId, UserId
from chalicelib.domain.times import Millis


class DeliveryState(StrEnum):
    """Where a delivery stands. All but `pending` are final until it is sent again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Lane(StrEnum):
    """Who attempts a delivery: those who wait for seconds, or those who wait for the slow."""

    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it was last read. `lease` is the id of the attempt that holds it.

    `begun_at` is when its schedule began: with the event, or when it was sent again. `lane` is
    that of the last attempt; `last_…` what came of it: `last_millis` how long it took,
    `last_excerpt` how the answer began.
    """

    delivery_id: DeliveryId
    event_id: EventId
    user_id: UserId
    type: str
    body: str
    state: DeliveryState
    created_at: Millis
    attempts: int
    lease: str | None
    next_at: Millis | None
    last_status: int | None
    last_error: str | None
    finished_at: Millis | None
    begun_at: Millis
    not_before: Millis
    lane: Lane | None = None
    last_millis: int | None = None
    last_excerpt: str | None = None
