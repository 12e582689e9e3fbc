"""Users: the item that holds a balance, and what is done to it alone."""

from collections.abc import Sequence

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis
from chalicelib.domain.user import Endpoint, User, UserStatus
from chalicelib.stores import db, ledger
from chalicelib.stores.ledger import Entry
from chalicelib.stores.tables import UserRow

_LOGIN = "login#"
YES = True


def user_of(row: UserRow) -> User:
    """The user in an item of the table."""
    return User(
        user_id=UserId(row.user_id),
        login=row.login or "",
        name=row.name or "",
        status=UserStatus(row.status),
        active=bool(row.active),
        balance=Micros(row.balance or 0),
        open_rentals=row.open_rentals or 0,
        rentals_total=row.rentals_total or 0,
        cancel_hour=row.cancel_hour or 0,
        cancel_count=row.cancel_count or 0,
        key_hashes=tuple(row.key_hashes or ()),
        endpoint=_endpoint_of(row),
    )


def create(user_id: UserId, login: str, name: str, now: Millis) -> None:
    """A pending user with nothing. Raises RefusedError naming `login` if that is taken."""
    row = UserRow(
        user_id,
        login=login,
        name=name,
        status=UserStatus.PENDING,
        active=True,
        created_at=now,
        balance=0,
        open_rentals=0,
        rentals_total=0,
        cancel_hour=0,
        cancel_count=0,
        key_hashes=[],
    )
    db.transact(
        login=db.put(UserRow(_LOGIN + login, owner=user_id), UserRow.user_id.does_not_exist()),
        user=db.put(row, UserRow.user_id.does_not_exist()),
    )


def get(user_id: UserId) -> User | None:
    """The user with that id."""
    row = db.get(UserRow, user_id)
    return user_of(row) if row is not None and row.status is not None else None


def id_of_login(login: str) -> UserId | None:
    """The id of the user with that login."""
    row = db.get(UserRow, _LOGIN + login)
    return UserId(row.owner) if row is not None and row.owner is not None else None


def approve(user_id: UserId) -> User:
    """Let a user in. Raises RefusedError if there is none."""
    return user_of(
        db.update(
            UserRow(user_id),
            [UserRow.status.set(UserStatus.APPROVED)],
            UserRow.status.exists(),
        )
    )


def set_endpoint(user_id: UserId, endpoint: Endpoint) -> User:
    """Send the user's webhooks there. Raises RefusedError if there is no such user."""
    webhook = UserRow.Webhook(
        url=endpoint.url,
        generation=endpoint.generation,
        events=list(endpoint.events),
        enabled=endpoint.enabled,
    )
    return user_of(
        db.update(UserRow(user_id), [UserRow.webhook.set(webhook)], UserRow.status.exists())
    )


def credit(entry: Entry) -> None:
    """Add a credit to the balance and its line to the ledger.

    Raises RefusedError naming `ledger` if that entry is there already, `user` if there is no
    such user.
    """
    db.transact(
        ledger=ledger.step(entry),
        user=db.change(
            UserRow(entry.user_id),
            [UserRow.balance.add(entry.amount)],
            UserRow.status.exists(),
        ),
    )


def page(start: str | None = None, *, limit: int = 100) -> tuple[Sequence[User], str | None]:
    """One page of all users, for the admin; the second value continues it."""
    found = db.scan(UserRow, limit=limit, start={"user_id": {"S": start}} if start else None)
    users = [user_of(row) for row in found.items if row.status is not None]
    return users, found.start["user_id"]["S"] if found.start else None


def _endpoint_of(row: UserRow) -> Endpoint | None:
    if row.webhook is None:
        return None
    return Endpoint(
        url=row.webhook.url,
        generation=row.webhook.generation,
        events=tuple(row.webhook.events),
        enabled=row.webhook.enabled,
    )
