"""Profiles: what users change of their own accounts, and how they begin and close them."""

import zoneinfo
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.domain.events import ALWAYS_SENT
from chalicelib.domain.ids import UserId
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
from chalicelib.services.limits import RegistrationLimiter
from chalicelib.settings import Settings
from chalicelib.stores import managers, profiles
from chalicelib.stores.db import RefusedError

_MOST_CLOSE_TRIES = 5
"""A close is tried again when a key came or went while it was prepared."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a user wants otherwise; None leaves a thing as it is, the URL "" removes it."""

    name: str | None = None
    number_format: NumberFormat | None = None
    time_zone: str | None = None
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """Accounts as their own users see and change them."""

    settings: Settings
    clock: Clock
    accounts: Accounts
    registrations: RegistrationLimiter

    def register(self, login: str, name: str, source_ip: str) -> tuple[User, NewKey]:
        """A pending user, with a key that opens nothing before they are approved.

        Raises ForbiddenError unless registration is open, LimitExceededError, ConflictError,
        InvalidInputError.
        """
        if not self.settings.open_registration:
            raise ForbiddenError("registration_closed", "Accounts are made by the admin here.")
        self.registrations.take(source_ip)
        user = self.accounts.create(login, name)
        return user, self.accounts.issue_key(user.user_id, "registration")

    def find(self, user_id: UserId) -> User:
        """The user as they are now. Raises ConflictError for a closed account."""
        user = self.accounts.find(user_id)
        if user.status is UserStatus.CLOSED:
            raise account_closed()
        return user

    def change(self, user_id: UserId, changes: Changes) -> tuple[User, str | None]:
        """Change a profile; the second value is the signing secret of an endpoint just set.

        Raises InvalidInputError naming the field, ConflictError for a closed account.
        """
        name = checked_name(changes.name) if changes.name is not None else None
        if changes.time_zone is not None and changes.time_zone not in _time_zones():
            raise InvalidInputError("time_zone", "a name such as Europe/Berlin or UTC")
        endpoint = None
        if changes.webhook_url is not None or changes.webhook_events is not None:
            endpoint = self._endpoint(self.find(user_id), changes)
        if changes == Changes():
            return self.find(user_id), None
        try:
            user = profiles.change(
                user_id,
                name=name,
                number_format=changes.number_format,
                time_zone=changes.time_zone,
                endpoint=endpoint,
            )
        except RefusedError:
            raise account_closed() from None
        finally:
            self.accounts.forget(user_id)
        return user, self._secret_of(user) if changes.webhook_url else None

    def close(self, user_id: UserId, *, confirm: str) -> User:
        """Close an account for good: its keys end, its personal data is erased.

        `confirm` is its login. The ledger stays, and with it what the balance still holds.
        Raises InvalidInputError naming `confirm`, ConflictError while rentals are open or users
        are managed, BusyError.
        """
        for _ in range(_MOST_CLOSE_TRIES):
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

    def _endpoint(self, user: User, changes: Changes) -> Endpoint:
        now = user.endpoint
        events = changes.webhook_events
        if events is None:
            events = now.events if now is not None else (ALWAYS_SENT,)
        events = checked_events(events, field="webhook_events")
        if changes.webhook_url == "":
            return Endpoint("", user.webhook_generation, events, enabled=False)
        if changes.webhook_url is not None:
            url = checked_webhook_url(
                changes.webhook_url,
                allow_loopback=self.settings.allow_loopback,
                field="webhook_url",
            )
            return Endpoint(url, user.webhook_generation + 1, events, enabled=True)
        if now is None:
            raise InvalidInputError("webhook_events", "a webhook_url, here or before")
        return Endpoint(now.url, now.generation, events, now.enabled)

    def _secret_of(self, user: User) -> str:
        pepper = self.settings.secrets.pepper
        return derive_secret(pepper, user.user_id, user.webhook_generation)


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
