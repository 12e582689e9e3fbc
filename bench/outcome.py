"""What became of inbound posts: whether each SMS is stored, charged and told of once."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from pynamodb.models import Model

from bench.flood import Message
from chalicelib.domain.events import SMS_EVENTS
from chalicelib.domain.rental import Rental
from chalicelib.domain.user import User
from chalicelib.stores import db, rentals, users
from chalicelib.stores.inbound import Fate
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.outbox_items import DeliveryRow, EventRow
from chalicelib.stores.tables import InboundRow, LedgerRow

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Outcome:
    """What the tables say afterwards. `lost` and `doubled` are of SMS; all but `sms` should be 0.

    `events_missing` counts those that have no event or no delivery, `events_doubled` what is there
    beside one each, `ids_wrong` the inbound items whose event id is not that of one event.
    """

    sms: int
    lost: int
    doubled: int
    events_missing: int
    events_doubled: int
    ids_wrong: int
    unclaimed: int
    parts_left: int
    charges_wrong: int
    balances_wrong: int

    def is_good(self) -> bool:
        """Whether nothing was lost, doubled or charged wrongly."""
        return all(count == 0 for name, count in asdict(self).items() if name != "sms")


def examine(
    messages: Sequence[Message], taken: Sequence[Rental], owners: Sequence[User]
) -> Outcome:
    """Compare what was sent to `taken`, rentals of `owners`, with what every table holds."""
    wanted = Counter((str(message.to), message.text) for message in messages)
    now_taken = [found for found in (rentals.get(each.rental_id) for each in taken) if found]
    held = Counter(
        (str(rental.phone_number), sms.text) for rental in now_taken for sms in rental.messages
    )
    events = [row for row in _all(EventRow) if row.type in SMS_EVENTS]
    deliveries = [row for row in _all(DeliveryRow) if row.type in SMS_EVENTS]
    told = Counter(map(_sms_in, events))
    carried = Counter(row.event_id for row in deliveries)
    ids = Counter(row.event_id for row in events)
    rows = list(_all(InboundRow))
    kept = Counter(row.event_id for row in rows if row.fate == Fate.MATCHED)
    booked: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    for entry in _all(LedgerRow):
        booked[entry.user_id] += entry.amount
        charged[entry.reference] += entry.kind == EntryKind.SMS
    due = Counter({str(rental.rental_id): max(0, rental.message_count - 1) for rental in now_taken})
    return Outcome(
        sms=wanted.total(),
        lost=(wanted - held).total(),
        doubled=(held - wanted).total(),
        events_missing=(wanted - told).total() + (ids - carried).total(),
        events_doubled=(told - wanted).total() + (carried - ids).total(),
        ids_wrong=(ids - kept).total() + (kept - ids).total() + ids.total() - len(ids),
        unclaimed=sum(row.unclaimed_id is not None for row in rows),
        parts_left=sum(row.partial is not None for row in rows),
        charges_wrong=(due - charged).total() + (charged - due).total(),
        balances_wrong=sum(_balance(owner) != booked[owner.user_id] for owner in owners),
    )


def _balance(owner: User) -> int | None:
    found = users.get(owner.user_id)
    return found.balance if found is not None else None


def _sms_in(row: EventRow) -> tuple[str, str]:
    data = json.loads(row.body)["data"]
    return data["phone_number"], data["sms_text"]


def _all(model: type[M]) -> Iterator[M]:
    start: db.Start = None
    while True:
        page = db.scan(model, start=start)
        yield from page.items
        if page.start is None:
            return
        start = page.start
