"""The ledger: one line per movement of money, written with it in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import EntryId, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis, minute_of
from chalicelib.stores import db, shards
from chalicelib.stores.tables import LedgerRow


class EntryKind(StrEnum):
    """Why money moved."""

    CREDIT = "credit"
    RENTAL = "rental"
    REFUND = "refund"
    SMS = "sms"


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
        minute=f"{minute_of(entry.at)}#{shards.some(shards.LEDGER)}",
        at=entry.at,
        amount=entry.amount,
        kind=entry.kind,
        reference=entry.reference,
    )
    return db.put(row, LedgerRow.entry_id.does_not_exist())


def page(
    user_id: UserId, start: str | None = None, *, limit: int = 100
) -> tuple[Sequence[Entry], str | None]:
    """One page of a user's ledger, the oldest first; the second value continues it."""
    key = {"user_id": {"S": user_id}, "entry_id": {"S": start}} if start else None
    found = db.query(LedgerRow, LedgerRow.user_id == user_id, limit=limit, start=key)
    entries = [_entry_of(row) for row in found.items]
    return entries, found.start["entry_id"]["S"] if found.start else None


def _entry_of(row: LedgerRow) -> Entry:
    return Entry(
        user_id=UserId(row.user_id),
        cause=row.entry_id.rpartition("#")[0],
        kind=EntryKind(row.kind),
        amount=Micros(row.amount),
        reference=row.reference,
        at=Millis(row.at),
    )
