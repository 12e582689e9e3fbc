"""Users: who may act, and the endpoint that they are told at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.phone import NumberFormat
from chalicelib.domain.times import Millis


class UserStatus(StrEnum):
    """Whether the admin has let a user in."""

    PENDING = "pending"
    APPROVED = "approved"
    CLOSED = "closed"


NEVER = Millis(0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a user's webhooks go. `generation` counts the secrets that it has had.

    What is sent before `previous_until` is signed with the secret before too.
    """

    url: str
    generation: int
    events: tuple[str, ...]
    enabled: bool
    previous_until: Millis = NEVER

    def live_generations(self, now: Millis) -> tuple[int, ...]:
        """The generations whose secrets sign what is sent now, the newest first."""
        if now < self.previous_until:
            return self.generation, self.generation - 1
        return (self.generation,)


@dataclass(frozen=True, slots=True)
class User:
    """An API consumer, with the live counters that limits are held against.

    `manager_id` is who manages them; a manager has none. `markup` is what a manager adds to the
    prices of their users, in hundredths of a percent of the price. `webhook_generation` counts
    the secrets that their endpoints have had. `blocked` is who the admin stopped: no manager lets
    them act again. `otp` and `otp_rules` are their defaults and limits for codes as JSON, read by
    those who need them; `otp_total` counts the codes sent. `low_balance` is what they want to be
    told of falling below, 0 for never; `low_told` is whether they were, since it last was above.
    """

    user_id: UserId
    login: str
    name: str
    status: UserStatus
    active: bool
    balance: Micros
    open_rentals: int
    rentals_total: int
    cancel_hour: int
    cancel_count: int
    key_hashes: tuple[str, ...]
    endpoint: Endpoint | None
    manager_id: UserId | None = None
    markup: int = 0
    number_format: NumberFormat = NumberFormat.FULL
    time_zone: str = "UTC"
    is_manager: bool = False
    blocked: bool = False
    webhook_generation: int = 0
    otp: str = ""
    otp_rules: str = ""
    otp_total: int = 0
    low_balance: Micros = NOTHING
    low_told: bool = False

    def may_act(self) -> bool:
        """Whether keys of this user open anything."""
        return self.active and self.status is UserStatus.APPROVED

    def asked_for(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Those of these types of events that their endpoint asked for."""
        asked = self.endpoint.events if self.endpoint is not None else ()
        return tuple(kind for kind in kinds if kind in asked)

    def unused_cancels(self, hour: int) -> int:
        """How many rentals were cancelled without an SMS in that hour since the epoch."""
        return self.cancel_count if self.cancel_hour == hour else 0
