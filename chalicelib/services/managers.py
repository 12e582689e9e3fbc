"""Managers: users who have users under them, and what those earn them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.domain.ids import UserId, first_ulid, is_ulid, new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.movements import Movement, load
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.times import DAY, HOUR, Clock, Millis, day_number, iso
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ForbiddenError,
    InsufficientBalanceError,
    InvalidInputError,
    NotFoundError,
)
from chalicelib.services.accounts import Accounts, NewKey, no_manager
from chalicelib.services.key_ring import KeyRing
from chalicelib.stores import ledger, managers, requests, users
from chalicelib.stores.db import RefusedError
from chalicelib.stores.ledger import Earning, Entry, EntryKind

log = logging.getLogger(__name__)

_LOOK_BACK = 7
"""Finished days that are credited later if the job did not run."""


@dataclass(frozen=True, slots=True)
class Managers:
    """What managers do for their own users, and the daily credit of what those earned them."""

    clock: Clock
    accounts: Accounts
    key_ring: KeyRing

    def users(
        self, manager_id: UserId, after: str | None, *, limit: int
    ) -> tuple[Sequence[User], str | None]:
        """One page of a manager's users, from after that id on; the second value continues it."""
        return managers.users_of(manager_id, after, limit=limit)

    def create(self, manager_id: UserId, login: str, name: str) -> User:
        """A pending user of theirs. Raises ConflictError, InvalidInputError, ForbiddenError."""
        return self.accounts.create(login, name, manager_id)

    def find(self, manager_id: UserId, user_id: str) -> User:
        """A user of theirs. Raises NotFoundError, also for somebody else's."""
        user = users.get(UserId(user_id)) if is_ulid(user_id) else None
        if user is None or user.manager_id != manager_id:
            raise _unknown_user()
        return user

    def approve(self, manager_id: UserId, user_id: str) -> User:
        """Let a user of theirs in. Raises NotFoundError."""
        return self.accounts.approve(self.find(manager_id, user_id).user_id)

    def set_active(self, manager_id: UserId, user_id: str, active: bool) -> User:
        """Let a user of theirs act or not.

        Raises NotFoundError, ForbiddenError to let one act whom the admin stopped.
        """
        user = self.find(manager_id, user_id)
        return self.accounts.set_active(user.user_id, active, by_admin=False)

    def replace_key(self, manager_id: UserId, user_id: str, label: str) -> NewKey:
        """A key for a user of theirs who lost one. Raises NotFoundError, ConflictError."""
        return self.key_ring.replace_lost(self.find(manager_id, user_id).user_id, label)

    def set_markup(self, manager_id: UserId, markup: int) -> User:
        """Set what they add to prices, in hundredths of a percent. Raises ForbiddenError."""
        try:
            return managers.set_markup(manager_id, markup)
        except RefusedError:
            raise no_manager() from None
        finally:
            self.accounts.forget(manager_id)

    def fund(
        self, manager_id: UserId, user_id: str, amount: Micros, request: RequestKey | None = None
    ) -> Movement:
        """Move money from a manager's balance to a user of theirs.

        A repeat with the same `request` gets the first answer. Raises NotFoundError,
        InvalidInputError for nothing, InsufficientBalanceError, ForbiddenError,
        RequestKeyReusedError.
        """
        if amount <= 0:
            raise InvalidInputError("amount", "more than 0")
        if not is_ulid(user_id) or user_id == manager_id:
            raise _unknown_user()
        now = self.clock()
        movement = Movement(new_ulid(now), UserId(user_id), amount, manager_id, now)
        try:
            managers.fund(manager_id, movement, request)
        except RefusedError as refusal:
            if request is not None and "request" in refusal.why:
                return load(first_answer(request, refusal.why["request"]))
            raise _why_refused(refusal, amount) from None
        return movement

    def credit_markups(self, ends: Millis) -> None:
        """Credit managers with what the finished days of their users earned them, until `ends`.

        A day is finished an hour after its end, when nothing can still be written into it. The
        last days that are not noted as done are made up for. Each manager's entry has the day's
        own id, so a repeat, or a job beside this one, is refused.
        """
        now = self.clock()
        last = day_number(Millis(now - HOUR)) - 1
        days = {RequestKey(f"markups#{last - ago}", ""): last - ago for ago in range(_LOOK_BACK)}
        noted = requests.get_all(list(days), now)
        for done, day in days.items():
            if done not in noted and self._credit_day(day, ends):
                self._note(done, now)

    def _credit_day(self, day: int, ends: Millis) -> bool:
        """Whether all of a day is credited."""
        complete = True
        for manager_id, earnings in groupby(_earnings(day), lambda earning: earning.manager_id):
            if self.clock() >= ends:
                return False
            total = Micros(sum(earning.amount for earning in earnings))
            complete &= self._credit(manager_id, day, total)
        return complete

    def _credit(self, manager_id: UserId, day: int, amount: Micros) -> bool:
        over = Millis((day + 1) * DAY)
        entry = Entry(
            user_id=manager_id,
            cause=first_ulid(over),
            kind=EntryKind.MARKUP,
            amount=amount,
            reference=iso(Millis(day * DAY))[:10],
            at=self.clock(),
        )
        try:
            users.credit(entry, even_closed=True)
        except BusyError:
            log.warning("markups of %s of day %d are left for the next run", manager_id, day)
            return False
        except RefusedError as refusal:
            if "ledger" not in refusal.why:
                log.error("markups of %s of day %d: there is no such user", manager_id, day)
        return True

    @staticmethod
    def _note(done: RequestKey, now: Millis) -> None:
        try:
            requests.keep(done, "", now, until=Millis(now + (_LOOK_BACK + 1) * DAY))
        except RefusedError:
            # A job beside this one has done the same.
            return


def _earnings(day: int) -> Iterator[Earning]:
    page, start = ledger.earnings(day)
    yield from page
    while start is not None:
        page, start = ledger.earnings(day, start)
        yield from page


def _why_refused(refusal: RefusedError, amount: Micros) -> Exception:
    if "user" in refusal.why:
        return _unknown_user()
    manager: User | None = refusal.why.get("manager")
    if manager is None:
        return BusyError()
    if not manager.may_act():
        return ForbiddenError("account_inactive", "This account is not approved or not active.")
    if not manager.is_manager:
        return no_manager()
    return InsufficientBalanceError() if manager.balance < amount else BusyError()


def _unknown_user() -> NotFoundError:
    return NotFoundError("user_not_found", "There is no such user.", field="user_id")
