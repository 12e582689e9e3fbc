"""Managers: their users, what they may do for them, and money that goes to them."""

from collections.abc import Sequence

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.movements import Movement, dump
from chalicelib.domain.requests import RequestKey
from chalicelib.domain.user import User
from chalicelib.stores import db, ledger, requests, users
from chalicelib.stores.ledger import Entry, EntryKind
from chalicelib.stores.tables import UserRow

YES = True


def users_of(
    manager_id: UserId, after: str | None = None, *, limit: int = 100
) -> tuple[Sequence[User], str | None]:
    """One page of a manager's users in order of id, from after that id on; the second value
    continues it. Two round trips: the index holds ids only (docs/decisions/013)."""
    condition = UserRow.manager_id == manager_id
    if after is not None:
        condition &= UserRow.user_id > after
    found = db.query(UserRow, condition, index="by_manager", limit=limit + 1)
    ids = [row.user_id for row in found.items[:limit]]
    if not ids:
        return [], None
    rows = db.get_all(*((UserRow, user_id, None) for user_id in ids))
    theirs = [users.user_of(row) for row in rows if row is not None]
    last = ids[-1] if len(found.items) > limit else None
    return [user for user in theirs if user.manager_id == manager_id], last


def has_users(manager_id: UserId) -> bool:
    """Whether anybody has this manager; the index may be a moment behind."""
    condition = UserRow.manager_id == manager_id
    return bool(db.query(UserRow, condition, index="by_manager", limit=1).items)


def place(
    user_id: UserId,
    *,
    manager_id: UserId | None,
    is_manager: bool,
    markup: int,
    seen: User,
) -> None:
    """Set who manages a user, and whom the user manages at what markup.

    Raises RefusedError naming `user` if they have changed since they were `seen`, `manager` if
    that user manages nobody.
    """
    actions: list[Action] = [UserRow.is_manager.set(is_manager), UserRow.markup.set(markup)]
    change = UserRow.manager_id.set(manager_id) if manager_id else UserRow.manager_id.remove()
    was = (
        UserRow.manager_id == seen.manager_id
        if seen.manager_id is not None
        else UserRow.manager_id.does_not_exist()
    )
    was_manager = UserRow.is_manager == YES
    was &= was_manager if seen.is_manager else ~was_manager
    db.transact(
        user=db.change(UserRow(user_id), [*actions, change], was & users.not_closed()),
        manager=users.manager_step(manager_id),
    )


def set_markup(user_id: UserId, markup: int) -> User:
    """Set what a manager adds to prices. Raises RefusedError if that user manages nobody."""
    return users.user_of(
        db.update(UserRow(user_id), [UserRow.markup.set(markup)], UserRow.is_manager == YES)
    )


def fund(manager_id: UserId, movement: Movement, request: RequestKey | None) -> None:
    """Move money from a manager's balance to a user of theirs: two balances, two entries.

    Raises RefusedError naming `request` (with the SeenRequest), `manager` (with the User: may not
    act, manages nobody, or too poor) or `user` (with the User or None: not theirs, or closed).
    """
    gained = Entry(
        user_id=movement.user_id,
        cause=movement.movement_id,
        kind=EntryKind.TRANSFER,
        amount=movement.amount,
        reference=manager_id,
        at=movement.at,
    )
    paid = Entry(
        user_id=manager_id,
        cause=movement.movement_id,
        kind=EntryKind.TRANSFER,
        amount=Micros(-movement.amount),
        reference=movement.user_id,
        at=movement.at,
    )
    try:
        db.transact(
            request=requests.step(request, dump(movement), movement.at),
            manager=db.change(
                UserRow(manager_id),
                [UserRow.balance.add(-movement.amount)],
                (UserRow.balance >= movement.amount)
                & (UserRow.is_manager == YES)
                & users.may_act(),
            ),
            user=db.change(
                UserRow(movement.user_id),
                [UserRow.balance.add(movement.amount)],
                (UserRow.manager_id == manager_id) & users.not_closed(),
            ),
            paid=ledger.step(paid),
            gained=ledger.step(gained),
        )
    except db.RefusedError as refusal:
        raise told(refusal, movement) from None


def told(refusal: db.RefusedError, movement: Movement) -> db.RefusedError:
    """The refusal of a movement, with what the platform calls things in place of items."""
    why = dict(refusal.why)
    for name in why.keys() & {"manager", "user"}:
        why[name] = users.user_of(why[name]) if why[name] is not None else None
    if "request" in why:
        why["request"] = requests.seen_request(why["request"], movement.at)
    return db.RefusedError(why)
