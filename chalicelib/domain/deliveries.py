"""A delivery: one event on its way to one webhook URL, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import DeliveryId, EventId, UserId
from chalicelib.domain.times import Millis


class DeliveryState(StrEnum):
    """Where a delivery stands. All but `pending` are final."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it was last read. `lease` is the id of the attempt that holds it."""

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
