"""What each owner did in a minute, read from what tells of it: ledger, events, ended rentals."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.domain.events import OTP_RECEIVED, SMS_EVENTS
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import RentalStatus
from chalicelib.domain.rollups import SYSTEM, Counts
from chalicelib.domain.times import Millis
from chalicelib.stores import events, ledger, rentals, shards
from chalicelib.stores.ledger import Entry, EntryKind

T = TypeVar("T")
Read = Callable[[str, Any], tuple[Sequence[T], Any]]

_ENDS = {
    RentalStatus.CANCELLED: Counts(cancelled=1),
    RentalStatus.EXPIRED: Counts(expired=1),
    RentalStatus.FAILED: Counts(failed=1),
}


def read_minute(minute: Millis) -> Mapping[str, Counts]:
    """The counts of everybody who did anything in that minute, and of the system if anybody did."""
    found: defaultdict[str, Counts] = defaultdict(Counts)
    for entry in _all(ledger.in_minute, shards.minute_keys(minute, shards.LEDGER)):
        found[entry.user_id] += of_entry(entry)
    for user_id, kind in _all(events.in_minute, shards.minute_keys(minute, shards.EVENTS)):
        found[user_id] += of_event(kind)
    for user_id, status in _all(
        rentals.closed_in_minute, shards.minute_keys(minute, shards.CLOSED)
    ):
        found[user_id] += _ENDS.get(status, Counts())
    if found:
        found[SYSTEM] = sum(found.values(), Counts())
    return found


def of_entry(entry: Entry) -> Counts:
    """What one ledger entry counts as. Its amount is in exactly one of the sums."""
    amount, spent = entry.amount, Micros(-entry.amount)
    match entry.kind:
        case EntryKind.CREDIT:
            return Counts(money_in=amount)
        case EntryKind.RENTAL:
            return Counts(requested=1, charged=spent)
        case EntryKind.SMS | EntryKind.OTP:
            return Counts(charged=spent)
        case EntryKind.REFUND:
            return Counts(refunded=amount)
        case EntryKind.TRANSFER:
            return Counts(transferred=amount)
        case EntryKind.MARKUP:
            return Counts(markup=amount)
        case EntryKind.LOSS:
            return Counts(lost=spent)


def of_event(kind: str) -> Counts:
    """What one event counts as. An SMS that waits for money has none, so it counts when paid."""
    if kind not in SMS_EVENTS:
        return Counts()
    return Counts(sms=1, codes=int(kind == OTP_RECEIVED))


def _all(read: Read[T], keys: Sequence[str]) -> Iterator[T]:
    for key in keys:
        page, start = read(key, None)
        yield from page
        while start is not None:
            page, start = read(key, start)
            yield from page
