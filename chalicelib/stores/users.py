"""Users: the item that holds a balance, and what is done to it alone."""

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.phone import NumberFormat
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
        manager_id=UserId(row.manager_id) if row.manager_id is not None else None,
        markup=row.markup or 0,
        number_format=NumberFormat(row.number_format or NumberFormat.FULL),
        time_zone=row.time_zone or "UTC",
        is_manager=bool(row.is_manager),
        blocked=bool(row.blocked),
        webhook_generation=row.webhook.generation if row.webhook is not None else 0,
        otp=row.otp or "",
        otp_rules=row.otp_rules or "",
        otp_total=row.otp_total or 0,
        low_balance=Micros(row.low_balance or 0),
        low_told=bool(row.low_told),
    )


def create(
    user_id: UserId, login: str, name: str, now: Millis, manager_id: UserId | None = None
) -> None:
    """A pending user with nothing.

    Raises RefusedError naming `login` if that is taken, `manager` if that user manages nobody.
    """
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
        manager_id=manager_id,
    )
    db.transact(
        login=db.put(login_row(login, user_id), UserRow.user_id.does_not_exist()),
        user=db.put(row, UserRow.user_id.does_not_exist()),
        manager=manager_step(manager_id),
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
    """Let a user in. Raises RefusedError if there is none, or the account is closed."""
    return user_of(
        db.update(UserRow(user_id), [UserRow.status.set(UserStatus.APPROVED)], not_closed())
    )


def set_active(user_id: UserId, active: bool, *, by_admin: bool) -> User:
    """Let a user act or not; whom the admin stopped, nobody else lets act again.

    Raises RefusedError if there is none, the account is closed, or the admin stopped the user.
    """
    actions, condition = [UserRow.active.set(active)], not_closed()
    if by_admin:
        actions.append(UserRow.blocked.set(not active))
    elif active:
        condition &= UserRow.blocked.does_not_exist() | (UserRow.blocked != YES)
    return user_of(db.update(UserRow(user_id), actions, condition))


def credit(entry: Entry, request: db.Step | None = None, *, even_closed: bool = False) -> None:
    """Add a credit to the balance and its line to the ledger.

    Raises RefusedError naming `request` if that was answered before, `ledger` if that entry is
    there already, `user` if there is no such user or, unless `even_closed`, the account is closed.
    """
    db.transact(
        request=request,
        ledger=ledger.step(entry),
        user=db.change(
            UserRow(entry.user_id),
            [UserRow.balance.add(entry.amount)],
            UserRow.status.exists() if even_closed else not_closed(),
        ),
    )


def may_act() -> Condition:
    """The condition that a user is let in and active."""
    condition: Condition = (UserRow.status == UserStatus.APPROVED) & (UserRow.active == YES)
    return condition


def not_closed() -> Condition:
    """The condition that there is such a user, and that the account is not closed."""
    condition: Condition = UserRow.status.exists() & (UserRow.status != UserStatus.CLOSED)
    return condition


def manager_step(user_id: UserId | None) -> db.Step | None:
    """The part of a transaction that is refused unless that user manages others."""
    if user_id is None:
        return None
    return db.check(UserRow(user_id), (UserRow.is_manager == YES) & not_closed())


def login_row(login: str, user_id: UserId | None = None) -> UserRow:
    """The item that keeps a login unique."""
    return UserRow(_LOGIN + login, owner=user_id)


def webhook_of(endpoint: Endpoint) -> UserRow.Webhook:
    """An endpoint as the user's item holds it; one that was removed has no URL."""
    return UserRow.Webhook(
        url=endpoint.url,
        generation=endpoint.generation,
        events=list(endpoint.events),
        enabled=endpoint.enabled,
        previous_until=endpoint.previous_until,
    )


def page(start: str | None = None, *, limit: int = 100) -> tuple[Sequence[User], str | None]:
    """One page of all users, for the admin; the second value continues it."""
    found = db.scan(UserRow, limit=limit, start={"user_id": {"S": start}} if start else None)
    users = [user_of(row) for row in found.items if row.status is not None]
    return users, found.start["user_id"]["S"] if found.start else None


def _endpoint_of(row: UserRow) -> Endpoint | None:
    if row.webhook is None or not row.webhook.url:
        return None
    return Endpoint(
        url=row.webhook.url,
        generation=row.webhook.generation,
        events=tuple(row.webhook.events),
        enabled=row.webhook.enabled,
        previous_until=Millis(row.webhook.previous_until or 0),
    )
