"""Every SMS that was ever posted to us, matched or not, once each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import EventId, RentalId, new_ulid
from chalicelib.domain.times import DAY, SECOND, Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.tables import InboundRow


class Fate(StrEnum):
    """What became of an SMS."""

    MATCHED = "matched"
    UNKNOWN_NUMBER = "unknown_number"
    NO_RENTAL = "no_rental"
    LATE = "late"
    FULL = "full"
    NOT_BOUND = "not_bound"
    PARTIAL = "partial"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class StoredSms:
    """An SMS as it is kept. `key` is provider#account#message_id."""

    key: str
    fate: Fate
    sender: str
    recipient: str
    text: str
    received_at: Millis
    stored_at: Millis
    retention_days: int
    rental_id: RentalId | None = None
    event_id: EventId | None = None


def message_key(provider: str, account: str, message_id: str) -> str:
    """What tells one SMS from another, and a repeat from a first."""
    return f"{provider}#{account}#{message_id}"


def step(sms: StoredSms) -> db.Step:
    """The part of a transaction that keeps `sms`, refused if it is there already."""
    return db.put(_row_of(sms), InboundRow.message_key.does_not_exist())


def keep(sms: StoredSms) -> None:
    """Keep an SMS that no rental takes. Raises RefusedError if it is there already."""
    db.write(_row_of(sms), InboundRow.message_key.does_not_exist())


def unclaimed(
    fate: Fate, before: str | None, now: Millis, *, limit: int
) -> tuple[Sequence[tuple[str, StoredSms]], bool]:
    """One page of the SMS of that fate from before a position, the newest first, each with its
    position; whether there are more. Without those whose time is over, removed yet or not."""
    condition = InboundRow.fate == fate
    if before is not None:
        condition &= InboundRow.unclaimed_id < before
    found = db.query(InboundRow, condition, index="unclaimed", limit=limit + 1, forward=False)
    kept = [row for row in found.items if row.ttl * SECOND > now]
    more = len(kept) > limit or (found.start is not None and len(kept) == len(found.items))
    return [(row.unclaimed_id or "", _sms_of(row)) for row in kept[:limit]], more


def _sms_of(row: InboundRow) -> StoredSms:
    return StoredSms(
        key=row.message_key,
        fate=Fate(row.fate),
        sender=row.sender,
        recipient=row.recipient,
        text=row.text,
        received_at=Millis(row.received_at),
        stored_at=Millis(row.stored_at),
        retention_days=(row.ttl - epoch_seconds(Millis(row.stored_at))) * SECOND // DAY,
        rental_id=RentalId(row.rental_id) if row.rental_id is not None else None,
        event_id=EventId(row.event_id) if row.event_id is not None else None,
    )


def _row_of(sms: StoredSms) -> InboundRow:
    return InboundRow(
        sms.key,
        fate=sms.fate,
        sender=sms.sender,
        recipient=sms.recipient,
        text=sms.text,
        received_at=sms.received_at,
        stored_at=sms.stored_at,
        rental_id=sms.rental_id,
        event_id=sms.event_id,
        unclaimed_id=new_ulid(sms.stored_at) if sms.fate is not Fate.MATCHED else None,
        ttl=epoch_seconds(Millis(sms.stored_at + sms.retention_days * DAY)),
    )
