"""Profiles: what users change of their own accounts, and how they begin and close them."""

import zoneinfo
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.domain.events import ALWAYS_SENT
from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.phone import NumberFormat
from chalicelib.domain.signatures import derive_secret
from chalicelib.domain.times import Clock
from chalicelib.domain.urls import checked_webhook_url
from chalicelib.domain.user import Endpoint, User, UserStatus
from chalicelib.errors import BusyError, ConflictError, ForbiddenError, InvalidInputError
from chalicelib.services.accounts import (
    Accounts,
    NewKey,
    account_closed,
    checked_events,
    checked_name,
)
from chalicelib.services.key_ring import KeyRing
from chalicelib.services.limits import RegistrationLimiter
from chalicelib.settings import Settings
from chalicelib.stores import managers, profiles
from chalicelib.stores.db import RefusedError

_MOST_TRIES = 5
"""A close is tried again when a key came or went while it was prepared, a change when another
came between."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a user wants otherwise; None leaves a thing as it is, the URL "" removes it."""

    name: str | None = None
    number_format: NumberFormat | None = None
    time_zone: str | None = None
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] | None = None
    low_balance: Micros | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """Accounts as their own users see and change them."""

    settings: Settings
    clock: Clock
    accounts: Accounts
    registrations: RegistrationLimiter
    key_ring: KeyRing

    def register(self, login: str, name: str, source_ip: str) -> tuple[User, NewKey]:
        """A pending user, with a key that opens nothing before they are approved.

        Raises ForbiddenError unless registration is open, LimitExceededError, ConflictError,
        InvalidInputError.
        """
        if not self.settings.open_registration:
            raise ForbiddenError("registration_closed", "Accounts are made by the admin here.")
        self.registrations.take(source_ip)
        user = self.accounts.create(login, name)
        return user, self.key_ring.issue(user.user_id, "registration")

    def find(self, user_id: UserId) -> User:
        """The user as they are now. Raises ConflictError for a closed account."""
        user = self.accounts.find(user_id)
        if user.status is UserStatus.CLOSED:
            raise account_closed()
        return user

    def change(self, user_id: UserId, changes: Changes) -> tuple[User, str | None]:
        """Change a profile; the second value is the signing secret of an endpoint just set.

        Raises InvalidInputError naming the field, ConflictError for a closed account, BusyError.
        """
        name = checked_name(changes.name) if changes.name is not None else None
        if changes.time_zone is not None and changes.time_zone not in _time_zones():
            raise InvalidInputError("time_zone", "a name such as Europe/Berlin or UTC")
        url, events = self._checked_url(changes.webhook_url), changes.webhook_events
        if events is not None:
            events = checked_events(events, field="webhook_events")
        for _ in range(_MOST_TRIES):
            seen = self.find(user_id)
            if changes == Changes():
                return seen, None
            if events is not None and url is None and seen.endpoint is None:
                raise InvalidInputError("webhook_events", "a webhook_url, here or before")
            try:
                user = profiles.change(
                    seen,
                    name=name,
                    number_format=changes.number_format,
                    time_zone=changes.time_zone,
                    endpoint=_endpoint(seen, url, events) if url is not None else None,
                    events=events,
                    low_balance=changes.low_balance,
                )
            except RefusedError:
                continue
            finally:
                self.accounts.forget(user_id)
            return user, self._secret_of(user) if url else None
        raise BusyError

    def close(self, user_id: UserId, *, confirm: str) -> User:
        """Close an account for good: its keys end, its personal data is erased.

        `confirm` is its login. The ledger stays, and with it what the balance still holds.
        Raises InvalidInputError naming `confirm`, ConflictError while rentals are open or users
        are managed, BusyError.
        """
        for _ in range(_MOST_TRIES):
            user = self.find(user_id)
            if confirm.strip().lower() != user.login:
                raise InvalidInputError("confirm", "the login of the account")
            if user.open_rentals > 0:
                raise ConflictError(
                    "open_rentals",
                    f"{user.open_rentals} rentals are open. Cancel them, or wait until they end.",
                )
            if user.is_manager and managers.has_users(user_id):
                raise ConflictError(
                    "has_users", "This account manages users. The admin has to move them first."
                )
            try:
                profiles.close(
                    user, user.key_hashes, login=f"closed-{user_id.lower()}", now=self.clock()
                )
            except RefusedError:
                continue
            finally:
                self.accounts.forget(user_id)
            return self.accounts.find(user_id)
        raise BusyError

    def _checked_url(self, url: str | None) -> str | None:
        if not url:
            return url
        return checked_webhook_url(
            url,
            allow_loopback=self.settings.allow_loopback,
            allowed_ports=self.settings.webhook_ports,
            field="webhook_url",
        )

    def _secret_of(self, user: User) -> str:
        pepper = self.settings.secrets.pepper
        return derive_secret(pepper, user.user_id, user.webhook_generation)


def _endpoint(seen: User, url: str, events: tuple[str, ...] | None) -> Endpoint:
    if events is None:
        events = seen.endpoint.events if seen.endpoint is not None else (ALWAYS_SENT,)
    generation = seen.webhook_generation + 1 if url else seen.webhook_generation
    return Endpoint(url, generation, events, enabled=bool(url))


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
