"""Accounts: who holds a key, and what they may do."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from chalicelib.domain import keys
from chalicelib.domain.events import ALWAYS_SENT, EVENT_TYPES
from chalicelib.domain.ids import UserId, is_ulid, new_ulid
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.domain.user import User, UserStatus
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
from chalicelib.stores.api_keys import ApiKey
from chalicelib.stores.db import RefusedError

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


class Accounts:
    """Users, as the admin and the callers see them."""

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
        if not _is_login(login):
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
            login = user.strip().lower()
            user_id = users.id_of_login(login) if _is_login(login) else None
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

    def set_active(self, user: str, active: bool, *, by_admin: bool = True) -> User:
        """Let a user act or not; whom the admin stopped, only the admin lets act again.

        Raises NotFoundError, ConflictError for a closed account, ForbiddenError.
        """
        return self._changed(
            self.find(user).user_id,
            lambda user_id: users.set_active(user_id, active, by_admin=by_admin),
        )

    def _changed(self, user_id: UserId, change: Callable[[UserId], User]) -> User:
        try:
            return change(user_id)
        except RefusedError:
            is_closed = self.find(user_id).status is UserStatus.CLOSED
            raise (account_closed() if is_closed else _blocked()) from None
        finally:
            self.forget(user_id)


def _keep(trusted: "OrderedDict[str, T]", name: str, value: T) -> None:
    trusted[name] = value
    if len(trusted) > _MOST_TRUSTED:
        trusted.popitem(last=False)


def _is_login(login: str) -> bool:
    return len(login) in _LOGIN_LENGTHS and login.isprintable() and "#" not in login


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


def _blocked() -> ForbiddenError:
    return ForbiddenError("blocked_by_admin", "The admin has stopped this account.")


def _unknown_key() -> UnauthenticatedError:
    return UnauthenticatedError(
        "invalid_api_key", "api_key: expected a live API key.", field="api_key"
    )
