"""Profiles: what users say of themselves, changed by them and erased with the account."""

from collections.abc import Sequence

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import UserId
from chalicelib.domain.phone import NumberFormat
from chalicelib.domain.times import Millis
from chalicelib.domain.user import Endpoint, User, UserStatus
from chalicelib.stores import api_keys, db, users
from chalicelib.stores.tables import UserRow

NO = False


def change(
    user_id: UserId,
    *,
    name: str | None = None,
    number_format: NumberFormat | None = None,
    time_zone: str | None = None,
    endpoint: Endpoint | None = None,
) -> User:
    """Change what is not None, at least one of them; an endpoint without a URL is removed.

    Raises RefusedError if there is no such user, or the account is closed.
    """
    actions: list[Action] = []
    if name is not None:
        actions.append(UserRow.name.set(name))
    if number_format is not None:
        actions.append(UserRow.number_format.set(number_format))
    if time_zone is not None:
        actions.append(UserRow.time_zone.set(time_zone))
    if endpoint is not None:
        actions.append(UserRow.webhook.set(users.webhook_of(endpoint)))
    return users.user_of(db.update(UserRow(user_id), actions, users.not_closed()))


def close(user: User, keys: Sequence[str], *, login: str, now: Millis) -> None:
    """Close the account of `user`, which lists `keys`: end them, free the login for others and
    put `login` in its place, forget name, endpoint, settings and manager. The balance stays.

    Raises RefusedError naming `user` (with the User: closed already, with open rentals, or with
    other keys than were read).
    """
    forgotten = (
        UserRow.webhook,
        UserRow.manager_id,
        UserRow.is_manager,
        UserRow.markup,
        UserRow.number_format,
        UserRow.time_zone,
    )
    actions: list[Action] = [attribute.remove() for attribute in forgotten]
    actions += [
        UserRow.status.set(UserStatus.CLOSED),
        UserRow.active.set(NO),
        UserRow.name.set(""),
        UserRow.login.set(login),
        UserRow.key_hashes.set([]),
    ]
    condition = users.not_closed() & (UserRow.login == user.login)
    condition &= (UserRow.open_rentals <= 0) & (UserRow.key_hashes == list(keys))
    try:
        db.transact(
            user=db.change(UserRow(user.user_id), actions, condition),
            login=db.delete(users.login_row(user.login), UserRow.owner == user.user_id),
            **{f"key_{at}": api_keys.erase_step(key, now) for at, key in enumerate(keys)},
        )
    except db.RefusedError as refusal:
        row = refusal.why.get("user")
        raise db.RefusedError({"user": users.user_of(row) if row else None}) from None
