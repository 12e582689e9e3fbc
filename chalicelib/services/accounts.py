"""Accounts: who holds a key, what they may do, and what the admin does for them."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from chalicelib.domain import keys
from chalicelib.domain.events import ALWAYS_SENT, EVENT_TYPES
from chalicelib.domain.ids import UserId, is_ulid, new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.signatures import derive_secret
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.domain.urls import checked_webhook_url
from chalicelib.domain.user import Endpoint, User
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    ManagerInactiveError,
    NotFoundError,
    UnauthenticatedError,
)
from chalicelib.settings import Settings
from chalicelib.stores import api_keys, users
from chalicelib.stores.api_keys import MOST_LIVE, ApiKey
from chalicelib.stores.db import RefusedError
from chalicelib.stores.ledger import Entry, EntryKind

TRUSTED_FOR = 30 * SECOND
"""How long a key that was good is taken to be good, without asking again."""

T = TypeVar("T")

_MOST_TRUSTED = 4_096
_MOST_NAME = 100
_LOGIN_LENGTHS = range(2, 65)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just issued. `text` is in clear, here and never again."""

    text: str = field(repr=False)
    key: ApiKey


@dataclass(frozen=True, slots=True)
class SignedEndpoint:
    """A webhook endpoint as it was just set, with its signing secret in clear."""

    endpoint: Endpoint
    secret: str = field(repr=False)


class Accounts:
    """Users, their keys and their money, as the admin and the callers see them."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._trusted: OrderedDict[str, tuple[Millis, ApiKey, User]] = OrderedDict()
        self._seen: OrderedDict[str, tuple[Millis, User]] = OrderedDict()

    def authenticate(self, text: str) -> tuple[ApiKey, User]:
        """The key and the user that `text` opens the API for.

        Raises UnauthenticatedError if it is no live key, ForbiddenError if its user may not act.
        """
        parsed = keys.parse_key(text)
        if parsed is None:
            raise _unknown_key()
        now = self._clock()
        until, key, user = self._trusted.get(parsed.key_hash, (now, None, None))
        if now >= until or key is None or user is None:
            found = api_keys.with_user(parsed.key_hash, parsed.user_id)
            if found is None:
                raise _unknown_key()
            key, user = found
            _keep(self._trusted, key.key_hash, (Millis(now + TRUSTED_FOR), key, user))
        if not key.is_live(now):
            raise _unknown_key()
        if not user.may_act():
            raise ForbiddenError("account_inactive", "This account is not approved or not active.")
        return key, user

    def client(self, user_id: str) -> User | None:
        """The user with that id, as it was at most TRUSTED_FOR ago; None if there is none."""
        if not is_ulid(user_id):
            return None
        now = self._clock()
        until, user = self._seen.get(user_id, (now, None))
        if now >= until or user is None:
            user = users.get(UserId(user_id))
            if user is not None:
                _keep(self._seen, user_id, (Millis(now + TRUSTED_FOR), user))
        return user

    def manager_of(self, user: User) -> User | None:
        """The user's manager, if they have one. Raises ManagerInactiveError if that may not act."""
        if user.manager_id is None:
            return None
        manager = self.client(user.manager_id)
        if manager is None or not manager.may_act():
            raise ManagerInactiveError
        return manager

    def markup_for(self, user: User) -> int:
        """What the user's manager adds to prices, in hundredths of a percent; 0 without one."""
        manager = self.client(user.manager_id) if user.manager_id is not None else None
        return manager.markup if manager is not None else 0

    def forget(self, user_id: UserId) -> None:
        """Take nothing of a user to be as it was: it has just been changed."""
        self._seen.pop(user_id, None)
        for key_hash, (_, key, _) in list(self._trusted.items()):
            if key.user_id == user_id:
                self._trusted.pop(key_hash, None)

    def create(self, login: str, name: str, manager_id: UserId | None = None) -> User:
        """A pending user with nothing.

        Raises ConflictError if the login is taken, ForbiddenError if the manager is none.
        """
        login = login.strip().lower()
        if len(login) not in _LOGIN_LENGTHS or not login.isprintable() or "#" in login:
            raise InvalidInputError("login", "2 to 64 printable characters without #")
        name = checked_name(name)
        now = self._clock()
        user_id = UserId(new_ulid(now))
        try:
            users.create(user_id, login, name, now, manager_id)
        except RefusedError as refusal:
            if "manager" in refusal.why:
                raise no_manager() from None
            raise ConflictError(
                "login_taken", f"login: {login!r} is taken.", field="login"
            ) from None
        return self.find(user_id)

    def find(self, user: str) -> User:
        """The user with that id or login. Raises NotFoundError."""
        user_id: str | None = user
        if not is_ulid(user):
            user_id = users.id_of_login(user.strip().lower())
        found = users.get(UserId(user_id)) if user_id is not None else None
        if found is None:
            raise NotFoundError("user_not_found", f"There is no user {user!r}.", field="user")
        return found

    def page(
        self, start: str | None = None, *, limit: int = 100
    ) -> tuple[Sequence[User], str | None]:
        """One page of all users, for the admin; the second value continues it."""
        return users.page(start, limit=limit)

    def approve(self, user: str) -> User:
        """Let a user in. Raises NotFoundError, ConflictError for a closed account."""
        return self._changed(self.find(user).user_id, users.approve)

    def set_active(self, user: str, active: bool) -> User:
        """Let a user act or not. Raises NotFoundError, ConflictError for a closed account."""
        found = self.find(user)
        return self._changed(found.user_id, lambda user_id: users.set_active(user_id, active))

    def _changed(self, user_id: UserId, change: Callable[[UserId], User]) -> User:
        try:
            return change(user_id)
        except RefusedError:
            raise account_closed() from None
        finally:
            self.forget(user_id)

    def credit(self, user: str, amount: Micros, reference: str) -> User:
        """Add money to a user's balance. Raises NotFoundError, InvalidInputError for nothing."""
        found = self.find(user)
        if amount <= 0:
            raise InvalidInputError("amount", "more than 0")
        now = self._clock()
        users.credit(
            Entry(
                user_id=found.user_id,
                cause=new_ulid(now),
                kind=EntryKind.CREDIT,
                amount=amount,
                reference=reference,
                at=now,
            )
        )
        return self.find(found.user_id)

    def keys(self, user: str) -> list[ApiKey]:
        """The keys of a user that are not revoked."""
        return api_keys.of_user(self.find(user))

    def issue_key(self, user: str, label: str = "") -> NewKey:
        """A new key for a user. Raises ConflictError if there are two live ones already."""
        found, now = self.find(user), self._clock()
        live = tuple(key.key_hash for key in api_keys.of_user(found) if key.is_live(now))
        if len(live) >= MOST_LIVE:
            raise ConflictError(
                "too_many_keys", f"A user has at most {MOST_LIVE} live keys. Revoke one first."
            )
        text = keys.new_key(found.user_id)
        key = ApiKey(
            key_hash=keys.hash_key(text),
            user_id=found.user_id,
            prefix=keys.shown_prefix(text),
            label=label,
            created_at=now,
            expires_at=None,
            revoked_at=None,
        )
        try:
            api_keys.issue(key, listed=found.key_hashes, live=live)
        except RefusedError:
            raise _keys_changed() from None
        return NewKey(text, key)

    def revoke_key(self, user: str, prefix: str) -> ApiKey:
        """End the user's key whose shown prefix begins so. Raises NotFoundError, ConflictError."""
        found = self.find(user)
        listed = api_keys.of_user(found) if prefix else []
        chosen = [key for key in listed if key.prefix.startswith(prefix)]
        if len(chosen) != 1:
            raise NotFoundError(
                "key_not_found", f"{len(chosen)} live keys of that user begin so.", field="prefix"
            )
        try:
            api_keys.revoke(chosen[0], found.key_hashes, self._clock())
        except RefusedError:
            raise _keys_changed() from None
        self._trusted.pop(chosen[0].key_hash, None)
        return chosen[0]

    def set_webhook(
        self, user: str, url: str, events: tuple[str, ...] = (ALWAYS_SENT,)
    ) -> SignedEndpoint:
        """Send a user's webhooks to `url`, signed with a secret of a new generation.

        Raises InvalidInputError naming `url` or `events`, NotFoundError.
        """
        checked = checked_webhook_url(url, allow_loopback=self._settings.allow_loopback)
        wanted = checked_events(events)
        found = self.find(user)
        generation = found.webhook_generation + 1
        endpoint = Endpoint(checked, generation, wanted, enabled=True)
        self._changed(found.user_id, lambda user_id: users.set_endpoint(user_id, endpoint))
        secret = derive_secret(self._settings.secrets.pepper, found.user_id, generation)
        return SignedEndpoint(endpoint, secret)


def _keep(trusted: "OrderedDict[str, T]", name: str, value: T) -> None:
    trusted[name] = value
    if len(trusted) > _MOST_TRUSTED:
        trusted.popitem(last=False)


def checked_name(name: str) -> str:
    """What a user is called, without spaces around it. Raises InvalidInputError naming `name`."""
    name = name.strip()
    if not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise InvalidInputError("name", f"1 to {_MOST_NAME} printable characters")
    return name


def checked_events(events: Sequence[str], *, field: str = "events") -> tuple[str, ...]:
    """The types of events that an endpoint is sent. Raises InvalidInputError naming `field`."""
    if not events or any(event not in EVENT_TYPES for event in events):
        raise InvalidInputError(field, f"some of {', '.join(EVENT_TYPES)}")
    return tuple(kind for kind in EVENT_TYPES if kind in events or kind == ALWAYS_SENT)


def account_closed() -> ConflictError:
    """What is said when something is to be done to a closed account."""
    return ConflictError("account_closed", "This account is closed.")


def no_manager() -> ForbiddenError:
    """What is said to somebody who manages nobody."""
    return ForbiddenError("not_a_manager", "This account manages no users.")


def _unknown_key() -> UnauthenticatedError:
    return UnauthenticatedError(
        "invalid_api_key", "api_key: expected a live API key.", field="api_key"
    )


def _keys_changed() -> ConflictError:
    return ConflictError("keys_changed", "The user's keys have just changed. Look again.")
