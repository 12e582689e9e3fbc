"""What only the admin does: money from outside, who manages whom, SMS that nobody took."""

from dataclasses import dataclass

from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.movements import Movement, dump, load
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.times import Clock
from chalicelib.domain.user import User, UserStatus
from chalicelib.errors import BusyError, ConflictError, InvalidInputError
from chalicelib.services.accounts import Accounts, account_closed
from chalicelib.stores import inbound, managers, requests, users
from chalicelib.stores.db import RefusedError
from chalicelib.stores.inbound import Fate, StoredSms
from chalicelib.stores.ledger import Entry, EntryKind

ADMIN = UserId("admin")
"""Whose idempotency keys the admin's are. There is no such user."""

_CLAIMED = (Fate.MATCHED, Fate.PARTIAL, Fate.REPORTED)
UNCLAIMED = tuple(fate for fate in Fate if fate not in _CLAIMED)
_MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """Who is to manage a user ("" for nobody), and whom the user manages; None leaves it."""

    manager: str | None = None
    is_manager: bool | None = None
    markup: int | None = None


@dataclass(frozen=True, slots=True)
class Administration:
    """The admin's acts."""

    clock: Clock
    accounts: Accounts

    def credit(
        self, user: str, amount: Micros, reference: str, request: RequestKey | None = None
    ) -> Movement:
        """Add money to a user's balance; a repeat with the same `request` gets the first answer.

        Raises NotFoundError, InvalidInputError for nothing, ConflictError for a closed account,
        RequestKeyReusedError.
        """
        found, now = self.accounts.find(user), self.clock()
        if amount <= 0:
            raise InvalidInputError("amount", "more than 0")
        movement = Movement(new_ulid(now), found.user_id, amount, reference, now)
        entry = Entry(
            user_id=found.user_id,
            cause=movement.movement_id,
            kind=EntryKind.CREDIT,
            amount=amount,
            reference=reference,
            at=now,
        )
        try:
            users.credit(entry, requests.step(request, dump(movement), now))
        except RefusedError as refusal:
            why = managers.told(refusal, movement).why
            if request is not None and why.get("request") is not None:
                return load(first_answer(request, why["request"]))
            raise (account_closed() if "user" in why else BusyError()) from None
        return movement

    def place(self, user: str, wanted: Placement) -> User:
        """Change who manages a user, and whom the user manages.

        A manager has no manager, so there are no circles. Raises NotFoundError, InvalidInputError,
        ConflictError.
        """
        for _ in range(_MOST_TRIES):
            found = self.accounts.find(user)
            if found.status is UserStatus.CLOSED:
                raise account_closed()
            manager_id, is_manager = self._checked(found, wanted)
            try:
                managers.place(
                    found.user_id,
                    manager_id=manager_id,
                    is_manager=is_manager,
                    markup=found.markup if wanted.markup is None else wanted.markup,
                    seen=found,
                )
            except RefusedError as refusal:
                if "manager" in refusal.why:
                    raise InvalidInputError("manager_id", "a user who is a manager") from None
            else:
                return self.accounts.find(found.user_id)
            finally:
                self.accounts.forget(found.user_id)
        raise BusyError

    def unclaimed(
        self, fate: Fate | None, before: str | None, *, limit: int
    ) -> tuple[list[StoredSms], str | None]:
        """One page of the SMS that no rental took, of one fate or of all, the newest first.

        The second value continues it. A page may be short before the end.
        """
        fates = UNCLAIMED if fate is None else (fate,)
        now = self.clock()
        pages = [inbound.unclaimed(one, before, now, limit=limit) for one in fates]
        # Beyond the end of a page that goes on, nothing may be shown yet: its own comes first.
        ends = max((page[-1][0] for page, more in pages if more), default="")
        found = sorted((kept for page, _ in pages for kept in page), reverse=True, key=_position)
        shown = [kept for kept in found if kept[0] >= ends][:limit]
        more = bool(ends) or len(found) > limit
        return [sms for _, sms in shown], shown[-1][0] if more else None

    def _checked(self, found: User, wanted: Placement) -> tuple[UserId | None, bool]:
        manager_id = found.manager_id
        if wanted.manager is not None:
            manager_id = self.accounts.find(wanted.manager).user_id if wanted.manager else None
        if manager_id == found.user_id:
            raise InvalidInputError("manager_id", "somebody else: nobody manages themselves")
        is_manager = found.is_manager if wanted.is_manager is None else wanted.is_manager
        if is_manager and manager_id is not None:
            raise ConflictError(
                "manager_has_no_manager", "A manager has no manager.", field="manager_id"
            )
        if found.is_manager and not is_manager and managers.has_users(found.user_id):
            raise ConflictError(
                "has_users", "This account manages users. Move them first.", field="is_manager"
            )
        return manager_id, is_manager


def _position(kept: tuple[str, StoredSms]) -> str:
    return kept[0]
