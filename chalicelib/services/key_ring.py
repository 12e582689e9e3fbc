"""Keys in use: issued, revoked, and one in place of another, with an overlap or at once."""

from dataclasses import dataclass, replace

from chalicelib.domain import keys
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import DAY, SECOND, Clock, Millis, later
from chalicelib.domain.user import User, UserStatus
from chalicelib.errors import ConflictError, NotFoundError
from chalicelib.services.accounts import Accounts, NewKey, account_closed
from chalicelib.stores import api_keys
from chalicelib.stores.api_keys import MOST_LIVE, ApiKey
from chalicelib.stores.db import RefusedError

OVERLAP_SECONDS = DAY // SECOND
"""How long a key that is rotated goes on working, unless told otherwise."""

MOST_OVERLAP_SECONDS = 7 * OVERLAP_SECONDS


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The live keys of a user, at most two."""

    accounts: Accounts
    clock: Clock

    def live(self, user: str) -> list[ApiKey]:
        """The keys of a user that open anything, the oldest first.

        Raises NotFoundError, ConflictError for a closed account.
        """
        return self._read(user)[1]

    def issue(self, user: str, label: str = "") -> NewKey:
        """A further key.

        Raises NotFoundError, ConflictError if there are two, or the account is closed.
        """
        found, live = self._read(user)
        return self._add(found, live, None, label)

    def rotate(self, user_id: UserId, prefix: str, *, overlap: int) -> NewKey:
        """A new key for the one of that prefix, which ends `overlap` seconds from now.

        Raises NotFoundError, ConflictError if there would be more than two.
        """
        user, live = self._read(user_id)
        old = _chosen(live, prefix)
        ends = later(self.clock(), seconds=overlap)
        # A second rotation must not lengthen the life of a key that is on its way out.
        ends = min(ends, old.expires_at) if old.expires_at is not None else ends
        return self._add(user, live, replace(old, expires_at=ends), old.label)

    def replace_lost(self, user_id: UserId, label: str) -> NewKey:
        """A key for a user who has lost theirs: of two live ones the oldest ends.

        Raises NotFoundError, ConflictError for a closed account.
        """
        user, live = self._read(user_id)
        old = replace(live[0], revoked_at=self.clock()) if len(live) >= MOST_LIVE else None
        return self._add(user, live, old, label)

    def revoke(self, user: str, prefix: str) -> ApiKey:
        """End the key of exactly that prefix. Raises NotFoundError, ConflictError."""
        found, live = self._read(user)
        chosen = _chosen(live, prefix)
        try:
            api_keys.revoke(chosen, found.key_hashes, self.clock())
        except RefusedError:
            raise _keys_changed() from None
        finally:
            self.accounts.forget(found.user_id)
        return chosen

    def _read(self, user: str) -> tuple[User, list[ApiKey]]:
        found, now = self.accounts.find(user), self.clock()
        if found.status is UserStatus.CLOSED:
            raise account_closed()
        live = [key for key in api_keys.of_user(found) if key.is_live(now)]
        return found, sorted(live, key=lambda key: key.created_at)

    def _add(self, user: User, live: list[ApiKey], old: ApiKey | None, label: str) -> NewKey:
        now = self.clock()
        staying = [key for key in live if old is None or key.key_hash != old.key_hash]
        if old is not None and old.is_live(now):
            staying.append(old)
        if len(staying) >= MOST_LIVE:
            raise ConflictError(
                "too_many_keys", f"A user has at most {MOST_LIVE} live keys. Revoke one first."
            )
        new = _new_key(user.user_id, label, now)
        after = tuple(key.key_hash for key in staying)
        try:
            api_keys.swap(new.key, old, listed=user.key_hashes, after=(*after, new.key.key_hash))
        except RefusedError:
            raise _keys_changed() from None
        finally:
            self.accounts.forget(user.user_id)
        return new


def _chosen(live: list[ApiKey], prefix: str) -> ApiKey:
    for key in live:
        if key.prefix == prefix:
            return key
    raise NotFoundError("key_not_found", "There is no live key of that prefix.", field="prefix")


def _keys_changed() -> ConflictError:
    return ConflictError("keys_changed", "The user's keys have just changed. Look again.")


def _new_key(user_id: UserId, label: str, now: Millis) -> NewKey:
    text = keys.new_key(user_id)
    return NewKey(
        text,
        ApiKey(
            key_hash=keys.hash_key(text),
            user_id=user_id,
            prefix=keys.shown_prefix(text),
            label=label,
            created_at=now,
            expires_at=None,
            revoked_at=None,
        ),
    )
