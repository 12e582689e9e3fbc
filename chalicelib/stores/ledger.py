"""The ledger: one line per movement of money, written with it in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.events import Event
from chalicelib.domain.ids import EntryId, RentalId, UserId, new_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis, day_number
from chalicelib.stores import db, shards
from chalicelib.stores.tables import LedgerRow


class EntryKind(StrEnum):
    """Why money moved."""

    CREDIT = "credit"
    RENTAL = "rental"
    REFUND = "refund"
    SMS = "sms"
    TRANSFER = "transfer"
    MARKUP = "markup"
    LOSS = "loss"
    OTP = "otp"


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. `cause` is the ULID of what moved it; `amount` is what the balance gained."""

    user_id: UserId
    cause: str
    kind: EntryKind
    amount: Micros
    reference: str
    at: Millis

    @property
    def entry_id(self) -> EntryId:
        """The cause's ULID and the kind: one cause moves money once in each way."""
        return EntryId(f"{self.cause}#{self.kind}")


def step(entry: Entry) -> db.Step:
    """The part of a transaction that writes `entry`, refused if it is there already."""
    row = LedgerRow(
        entry.user_id,
        entry.entry_id,
        minute=shards.some_minute(entry.at, shards.LEDGER),
        at=entry.at,
        amount=entry.amount,
        kind=entry.kind,
        reference=entry.reference,
    )
    return db.put(row, LedgerRow.entry_id.does_not_exist())


def sms_charge(user_id: UserId, rental_id: RentalId, price: Micros, now: Millis) -> Entry:
    """The entry of an SMS after a rental's first: a fresh cause each time, as it is charged once
    for each SMS and not for each rental."""
    return Entry(
        user_id=user_id,
        cause=new_ulid(now),
        kind=EntryKind.SMS,
        amount=Micros(-price),
        reference=rental_id,
        at=now,
    )


@dataclass(frozen=True, slots=True)
class Earning:
    """What one paid SMS of a user earned their manager, credited when its day is over."""

    manager_id: UserId
    cause: str
    amount: Micros
    reference: str
    at: Millis


def earned(manager_id: UserId | None, markup: Micros, event: Event | None) -> Earning | None:
    """What the paid SMS that `event` tells of earns the user's manager, if they have one."""
    if manager_id is None or event is None:
        return None
    return Earning(manager_id, event.event_id, markup, event.reference, event.at)


def earning_step(earning: Earning | None) -> db.Step | None:
    """The part of a transaction that notes an earning. It moves no money yet.

    Noted by day rather than added up at once, so that a manager's users do not all write one item.
    """
    if earning is None or earning.amount == 0:
        return None
    row = LedgerRow(
        _earned_on(day_number(earning.at)),
        f"{earning.manager_id}#{earning.cause}",
        at=earning.at,
        amount=earning.amount,
        kind=EntryKind.MARKUP,
        reference=earning.reference,
    )
    return db.put(row, LedgerRow.entry_id.does_not_exist())


def earnings(day: int, start: str | None = None) -> tuple[Sequence[Earning], str | None]:
    """One page of what was earned on a day (since the epoch, UTC), in order of manager."""
    partition = _earned_on(day)
    key = {"user_id": {"S": partition}, "entry_id": {"S": start}} if start else None
    found = db.query(LedgerRow, LedgerRow.user_id == partition, start=key)
    earned = [
        Earning(
            manager_id=UserId(row.entry_id.partition("#")[0]),
            cause=row.entry_id.partition("#")[2],
            amount=Micros(row.amount),
            reference=row.reference,
            at=Millis(row.at),
        )
        for row in found.items
    ]
    return earned, found.start["entry_id"]["S"] if found.start else None


def _earned_on(day: int) -> str:
    return f"earned#{day}"


def in_minute(key: str, start: db.Start = None) -> tuple[Sequence[Entry], db.Start]:
    """One page of the entries of all users in a shard of a minute, by the index."""
    found = db.query(LedgerRow, LedgerRow.minute == key, index="by_minute", start=start)
    return [_entry_of(row) for row in found.items], found.start


def lines(
    user_id: UserId, *, newest_first: bool, beyond: str | None, limit: int
) -> tuple[Sequence[Entry], bool]:
    """One page of a user's ledger, beyond the entry of that id; whether there are more."""
    condition = LedgerRow.user_id == user_id
    if beyond is not None:
        entry_id = LedgerRow.entry_id
        condition &= entry_id < beyond if newest_first else entry_id > beyond
    found = db.query(LedgerRow, condition, limit=limit + 1, forward=not newest_first)
    more = len(found.items) > limit or found.start is not None
    return [_entry_of(row) for row in found.items[:limit]], more


def _entry_of(row: LedgerRow) -> Entry:
    return Entry(
        user_id=UserId(row.user_id),
        cause=row.entry_id.rpartition("#")[0],
        kind=EntryKind(row.kind),
        amount=Micros(row.amount),
        reference=row.reference,
        at=Millis(row.at),
    )
