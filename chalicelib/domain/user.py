"""Users: who may act, and the endpoint that they are told at."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.phone import NumberFormat


class UserStatus(StrEnum):
    """Whether the admin has let a user in."""

    PENDING = "pending"
    APPROVED = "approved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a user's webhooks go. `generation` counts the secrets that it has had."""

    url: str
    generation: int
    events: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class User:
    """An API consumer, with the live counters that limits are held against.

    `manager_id` is who manages them; a manager has none. `markup` is what a manager adds to the
    prices of their users, in hundredths of a percent of the price. `webhook_generation` counts
    the secrets that their endpoints have had. `blocked` is who the admin stopped: no manager lets
    them act again. `otp` and `otp_rules` are their defaults and limits for codes as JSON, read by
    those who need them; `otp_total` counts the codes sent.
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

    def may_act(self) -> bool:
        """Whether keys of this user open anything."""
        return self.active and self.status is UserStatus.APPROVED

    def unused_cancels(self, hour: int) -> int:
        """How many rentals were cancelled without an SMS in that hour since the epoch."""
        return self.cancel_count if self.cancel_hour == hour else 0
