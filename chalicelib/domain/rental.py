"""A rental's states and what each allows. Pure: the stores hold it, the services ask it."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.times import DAY, Millis, later

MOST_MESSAGES = 10
"""How many SMS a rental holds; a further one is kept apart and not charged."""


class RentalStatus(StrEnum):
    """Where a rental stands.

    One of another server's number begins as `requesting`, its money held, and ends as `failed`
    if that server gives none.
    """

    REQUESTING = "requesting"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS of a rental. Until it is `paid`, nobody is shown its text or code.

    Of one that is `purged` nothing is left but that it came.
    """

    message_id: str
    sender: str
    text: str
    code: str | None
    service: str | None
    provider: str
    received_at: Millis
    paid: bool
    purged: bool = False

    def without_text(self) -> "Message":
        """What is left of it when the time for which SMS are kept is over."""
        return replace(self, sender="", text="", code=None, service=None, purged=True)


@dataclass(frozen=True, slots=True)
class Rental:
    """One number held by one user for one purpose until it is cancelled or expires.

    Of `price`, `markup` is for the user's manager. A number of another server's has its id there
    in `upstream_id`, and cost us `cost`. `tells` are the events that its user had asked for when
    it began.
    """

    rental_id: RentalId
    user_id: UserId
    phone_number: E164
    country: str
    operator_id: int
    service: str
    price: Micros
    supplier: str
    status: RentalStatus
    created_at: Millis
    expires_at: Millis
    cancel_after: int
    message_count: int
    messages: tuple[Message, ...]
    refund: Micros = NOTHING
    closed_at: Millis | None = None
    manager_id: UserId | None = None
    markup: Micros = NOTHING
    upstream_id: str | None = None
    cost: Micros = NOTHING
    upstream_operator: int | None = None
    tells: tuple[str, ...] = ()

    def status_at(self, now: Millis) -> RentalStatus:
        """The status that a reader is told: over at `expires_at`, whether swept yet or not."""
        if self.status is RentalStatus.ACTIVE and now >= self.expires_at:
            return RentalStatus.EXPIRED
        return self.status

    def is_open(self, now: Millis) -> bool:
        """Whether it can still receive, and be cancelled."""
        return self.status_at(now) is RentalStatus.ACTIVE

    def is_unfinished(self, now: Millis) -> bool:
        """Whether it is a purchase that began and has not ended in its time."""
        return self.status is RentalStatus.REQUESTING and now >= self.expires_at

    def can_cancel(self, now: Millis) -> bool:
        """Whether a cancel would be taken now: it is open, and `cancel_after` seconds old."""
        return self.is_open(now) and now >= later(self.created_at, seconds=self.cancel_after)

    def refund_due(self) -> Micros:
        """What closing it gives back: the price if no SMS came, else nothing."""
        return self.price if self.message_count == 0 else NOTHING

    def unpaid(self) -> list[int]:
        """The positions of the messages that wait for money, in order of arrival."""
        waiting = enumerate(self.messages)
        return [at for at, message in waiting if not (message.paid or message.purged)]

    def is_forgotten(self, now: Millis, *, envelope_days: int) -> bool:
        """Whether it ended so long ago that it is no more, removed yet or not."""
        return now >= self._ended_at() + envelope_days * DAY

    def kept_at(self, now: Millis, *, sms_days: int) -> "Rental":
        """What is left of it then: nothing but that they came of SMS so many days after its end."""
        if now < self._ended_at() + sms_days * DAY:
            return self
        return replace(self, messages=tuple(sms.without_text() for sms in self.messages))

    def _ended_at(self) -> Millis:
        return self.closed_at if self.closed_at is not None else self.expires_at


def dump(rental: Rental) -> str:
    """`rental` as the JSON that an idempotency key keeps, to be answered again."""
    return json.dumps(asdict(rental), ensure_ascii=False)


def load(text: str) -> Rental:
    """The rental that `dump` wrote."""
    fields = json.loads(text)
    messages = tuple(Message(**message) for message in fields.pop("messages"))
    status = RentalStatus(fields.pop("status"))
    tells = tuple(fields.pop("tells", ()))
    return Rental(**fields, status=status, messages=messages, tells=tells)
