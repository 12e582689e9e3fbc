"""API keys, by the hash of their text. The user item lists a user's live ones."""

from dataclasses import dataclass

from chalicelib.domain.ids import UserId
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.stores import db, users
from chalicelib.stores.tables import ApiKeyRow, UserRow

MOST_LIVE = 2
"""Live keys of a user: one in use, one that replaces it."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key. `prefix` is what may be shown of it."""

    key_hash: str
    user_id: UserId
    prefix: str
    label: str
    created_at: Millis
    expires_at: Millis | None
    revoked_at: Millis | None

    def is_live(self, now: Millis) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def with_user(key_hash: str, user_id: UserId) -> tuple[ApiKey, User] | None:
    """The key with that hash and its user, in one read; None unless both are there."""
    key, user = db.get_all((ApiKeyRow, key_hash, None), (UserRow, user_id, None))
    if key is None or user is None or key.user_id != user_id:
        return None
    return _key_of(key), users.user_of(user)


def of_user(user: User) -> list[ApiKey]:
    """The keys that the user item lists."""
    if not user.key_hashes:
        return []
    rows = db.get_all(*((ApiKeyRow, key_hash, None) for key_hash in user.key_hashes))
    return [_key_of(row) for row in rows if row is not None]


def swap(
    key: ApiKey, old: ApiKey | None, *, listed: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """Add `key` to the user's list, which was `listed` and will be `after`; `old` gets its end.

    Raises RefusedError naming `user` if the list has changed since it was read.
    """
    db.transact(
        user=db.change(
            UserRow(key.user_id),
            [UserRow.key_hashes.set(list(after))],
            (UserRow.key_hashes == list(listed)) & users.not_closed(),
        ),
        key=db.put(_row_of(key), ApiKeyRow.key_hash.does_not_exist()),
        old=_end_step(old),
    )


def erase_step(key_hash: str, now: Millis) -> db.Step:
    """The part of a transaction that ends a key and forgets what its user called it."""
    return db.change(
        ApiKeyRow(key_hash),
        [ApiKeyRow.revoked_at.set(now), ApiKeyRow.label.set("")],
        ApiKeyRow.key_hash.exists(),
    )


def revoke(key: ApiKey, listed: tuple[str, ...], now: Millis) -> None:
    """End `key` and take it off the user's list, which was `listed`.

    Raises RefusedError naming `user` if the list has changed since it was read.
    """
    db.transact(
        user=db.change(
            UserRow(key.user_id),
            [UserRow.key_hashes.set([other for other in listed if other != key.key_hash])],
            UserRow.key_hashes == list(listed),
        ),
        key=erase_step(key.key_hash, now),
    )


def _end_step(key: ApiKey | None) -> db.Step | None:
    if key is None:
        return None
    ends = [ApiKeyRow.revoked_at.set(key.revoked_at)] if key.revoked_at is not None else []
    ends += [ApiKeyRow.expires_at.set(key.expires_at)] if key.expires_at is not None else []
    return db.change(ApiKeyRow(key.key_hash), ends, ApiKeyRow.key_hash.exists())


def _row_of(key: ApiKey) -> ApiKeyRow:
    return ApiKeyRow(
        key.key_hash,
        user_id=key.user_id,
        prefix=key.prefix,
        label=key.label,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


def _key_of(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        key_hash=row.key_hash,
        user_id=UserId(row.user_id),
        prefix=row.prefix,
        label=row.label,
        created_at=Millis(row.created_at),
        expires_at=_moment(row.expires_at),
        revoked_at=_moment(row.revoked_at),
    )


def _moment(value: int | None) -> Millis | None:
    return None if value is None else Millis(value)
