"""What a user is shown of what was: their ledger, their rentals, their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.deliveries import Delivery
from chalicelib.domain.ids import UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.times import DAY, Clock, Millis
from chalicelib.domain.user import User
from chalicelib.settings import Settings
from chalicelib.stores import deliveries, ledger, past_rentals, users
from chalicelib.stores.events import DELIVERIES_KEPT_DAYS
from chalicelib.stores.ledger import Entry

_MOST_READS = 5
"""How often a list is read on to fill a page, or a balance is read again to fit its ledger."""


@dataclass(frozen=True, slots=True)
class Line:
    """A ledger entry; `balance_after` is the sum of the ledger up to it, None where unknown."""

    entry: Entry
    balance_after: Micros | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement goes on: beyond an entry, with the sum that it has reached there.

    `as_of` is when its first page was read: what came later is not in it.
    """

    entry_id: str
    total: Micros | None
    as_of: Millis


@dataclass(frozen=True, slots=True)
class History:
    """A user's past, in pages."""

    settings: Settings
    clock: Clock

    def statement(
        self, user_id: UserId, *, newest_first: bool, limit: int, place: Place | None = None
    ) -> tuple[list[Line], Place | None]:
        """One page of the ledger with running balances; the second value continues it.

        The newest first, sums go back from the present balance; the oldest first, up from
        nothing. Either way a page costs the same however long the ledger (docs/decisions/012).
        """
        beyond = place.entry_id if place is not None else None
        if place is not None or not newest_first:
            entries, more = ledger.lines(
                user_id, newest_first=newest_first, beyond=beyond, limit=limit
            )
            total = place.total if place is not None else NOTHING
        else:
            entries, more, total = self._newest(user_id, limit)
        as_of = place.as_of if place is not None else self._as_of(entries)
        lines, total_after = _summed(
            [entry for entry in entries if entry.at <= as_of], total, newest_first
        )
        return lines, Place(entries[-1].entry_id, total_after, as_of) if more else None

    def rentals(
        self, user_id: UserId, *, limit: int, before: str | None, status: RentalStatus | None
    ) -> tuple[list[Rental], str | None]:
        """One page of rentals, the newest first, older than `before`; the second value continues
        it. With a `status` a page may be short before the end."""
        found: list[Rental] = []
        for _ in range(_MOST_READS):
            page, more = past_rentals.page(user_id, before, limit=limit)
            now = self.clock()
            kept = [rental for rental in page if not self._is_forgotten(rental, now)]
            found += [r for r in kept if status is None or r.status_at(now) is status]
            if not more:
                return found[:limit], found[limit - 1].rental_id if len(found) > limit else None
            before = page[-1].rental_id
            if len(found) >= limit:
                break
        return found[:limit], found[limit - 1].rental_id if len(found) >= limit else before

    def deliveries(
        self, user_id: UserId, *, limit: int, before: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        """One page of deliveries, the newest first; the second value continues it. A page may be
        short before the end.

        Without those whose time is over, removed yet or not; of others, without the body when
        that of SMS is.
        """
        found, more = deliveries.of_user(user_id, before, limit=limit)
        now, sms_days = self.clock(), self.settings.sms_retention_days
        kept_since = now - max(sms_days, DELIVERIES_KEPT_DAYS) * DAY
        kept = [each for each in found if each.created_at > kept_since]
        shown = [
            each if each.created_at > now - sms_days * DAY else replace(each, body="")
            for each in kept
        ]
        return shown, found[-1].delivery_id if more and len(kept) == len(found) else None

    def _is_forgotten(self, rental: Rental, now: Millis) -> bool:
        return rental.is_forgotten(now, envelope_days=self.settings.envelope_retention_days)

    def _newest(self, user_id: UserId, limit: int) -> tuple[Sequence[Entry], bool, Micros | None]:
        """The newest entries with the balance that they led to.

        No read spans two tables' items and a query, so the user is read before and after: if
        nothing moved between, the entries are those of that balance.
        """
        before = users.get(user_id)
        for _ in range(_MOST_READS):
            entries, more = ledger.lines(user_id, newest_first=True, beyond=None, limit=limit)
            after = users.get(user_id)
            if before is not None and after is not None and _moved(before) == _moved(after):
                return entries, more, after.balance
            before = after
        return entries, more, None

    def _as_of(self, entries: Sequence[Entry]) -> Millis:
        # Another Lambda's clock may be ahead of ours.
        return Millis(max([self.clock(), *(entry.at for entry in entries)]))


def _moved(user: User) -> tuple[int, ...]:
    # A rental or a code that came and went leaves the balance, but not the others, as they were.
    return user.balance, user.open_rentals, user.rentals_total, user.otp_total


def _summed(
    entries: Sequence[Entry], total: Micros | None, newest_first: bool
) -> tuple[list[Line], Micros | None]:
    lines: list[Line] = []
    for entry in entries:
        if total is None:
            lines.append(Line(entry, None))
        elif newest_first:
            lines.append(Line(entry, total))
            total = Micros(total - entry.amount)
        else:
            total = Micros(total + entry.amount)
            lines.append(Line(entry, total))
    return lines, total
