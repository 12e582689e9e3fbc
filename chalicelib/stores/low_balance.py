"""Low balances: whether their users were told, noted with the event that tells them."""

import contextlib

from chalicelib.domain.events import Event
from chalicelib.domain.ids import UserId
from chalicelib.domain.user import User
from chalicelib.stores import db, events
from chalicelib.stores.tables import UserRow

YES = True


def fell(seen: User, event: Event, *, retention_days: int) -> None:
    """Note that a user is told that the balance is low, and tell them.

    Raises RefusedError naming `user` if they were told, the balance is high enough again, or they
    have set another amount.
    """
    condition = UserRow.low_told.does_not_exist() & (UserRow.low_balance == seen.low_balance)
    db.transact(
        user=db.change(
            UserRow(seen.user_id),
            [UserRow.low_told.set(YES)],
            condition & (UserRow.balance < seen.low_balance),
        ),
        **events.steps(event, retention_days),
    )


def rose(user_id: UserId) -> None:
    """Note that a balance is no longer low, if it is so: its user is told again next time."""
    with contextlib.suppress(db.RefusedError):
        db.update(
            UserRow(user_id),
            [UserRow.low_told.remove()],
            UserRow.low_told.exists() & (UserRow.balance >= UserRow.low_balance),
        )
