"""The parts of long SMS, kept together until all are there: whoever brings the last one joins them.

What they are joined to is an SMS like any other, once each by its own key.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.domain.ids import new_ulid
from chalicelib.domain.times import DAY, Millis, epoch_seconds
from chalicelib.stores import db, shards
from chalicelib.stores.inbound import Fate
from chalicelib.stores.tables import InboundRow, PartItem


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the parts of one SMS have in common, at an account of a provider."""

    provider: str
    account: str
    group: str
    sender: str
    recipient: str
    total: int
    turn: int = 0
    """Providers count groups with a byte or two: the same comes again, for another SMS."""

    @property
    def text(self) -> str:
        """The key of the parts' item."""
        # As JSON, for texts from outside may hold whatever stood between them.
        what = json.dumps([self.group, self.sender, self.recipient, self.total, self.turn])
        digest = hashlib.sha256(what.encode()).hexdigest()[:32]
        return f"parts#{self.provider}#{self.account}#{digest}"


@dataclass(frozen=True, slots=True)
class NewPart:
    """A part as it came."""

    message_id: str
    number: int
    text: str = field(repr=False)
    received_at: Millis


@dataclass(frozen=True, slots=True)
class Group:
    """The parts of an SMS that are here. `joined_id` is the id of what they become."""

    key: str
    provider: str
    account: str
    sender: str
    recipient: str
    total: int
    joined_id: str
    received_at: Millis
    stored_at: Millis
    texts: dict[int, str] = field(repr=False)
    message_ids: frozenset[str]
    is_joined: bool
    is_closed: bool

    def is_whole(self) -> bool:
        """Whether every part is here."""
        return len(self.texts) == self.total

    def misses(self, number: int) -> bool:
        """Whether it was joined without that part."""
        return self.is_closed and number not in self.texts

    def awaits(self, number: int) -> bool:
        """Whether that part is still to come."""
        return not self.is_closed and number not in self.texts


def add(
    key: GroupKey, part: NewPart, now: Millis, *, until: Millis, retention_days: int
) -> tuple[Group, bool]:
    """Keep a part with the others; what there is by then, and whether it was taken.

    It is not if it is there already, if another part of that number is, or if the group was joined
    before: then the part is another SMS's, or late. What is not whole at `until` is joined without
    the rest.
    """
    row = InboundRow
    actions = [
        row.parts.set((row.parts | []).append([_item(part)])),
        row.part_ids.add({part.message_id}),
        row.part_numbers.add({str(part.number)}),
        row.fate.set(Fate.PARTIAL),
        row.sender.set(key.sender),
        row.recipient.set(key.recipient),
        row.text.set(f"{key.provider}#{key.account}"),
        row.received_at.set(row.received_at | part.received_at),
        row.stored_at.set(row.stored_at | now),
        row.total.set(key.total),
        row.joined_id.set(row.joined_id | new_ulid(now)),
        row.partial.set(row.partial | shards.some_key(shards.PARTIAL)),
        row.partial_at.set(row.partial_at | until),
        row.ttl.set(epoch_seconds(Millis(now + retention_days * DAY))),
    ]
    new = row.message_key.does_not_exist()
    growing = (
        row.partial.exists()
        & ~row.part_ids.contains(part.message_id)
        & ~row.part_numbers.contains(str(part.number))
    )
    try:
        return _group_of(db.update(row(key.text), actions, new | growing)), True
    except db.RefusedError as refusal:
        return _group_of(refusal.why["item"]), False


def note_late(group: Group, message_id: str) -> None:
    """Note a part that came after its group was joined without it, so that a repeat is known.

    Raises RefusedError if the group is no longer kept.
    """
    ids = InboundRow.part_ids.add({message_id})
    db.update(InboundRow(group.key), [ids], InboundRow.joined_id == group.joined_id)


def joined(group: Group) -> None:
    """Note that the parts were joined. Raises RefusedError if they are no longer kept."""
    db.update(
        InboundRow(group.key),
        [InboundRow.partial.remove(), InboundRow.partial_at.remove()],
        InboundRow.joined_id == group.joined_id,
    )


def close(group: Group) -> Group:
    """Take no more parts, as the SMS is about to be made of those that are here: these, by then.

    Raises RefusedError if they were joined before.
    """
    numbers = {str(number) for number in range(1, group.total + 1)}
    row = InboundRow
    return _group_of(
        db.update(row(group.key), [row.part_numbers.add(numbers)], row.partial.exists())
    )


def get(key: str) -> Group | None:
    """The parts under a key."""
    row = db.get(InboundRow, key)
    return _group_of(row) if row is not None else None


def due(
    shard: str, until: Millis, *, limit: int, start: db.Start = None
) -> tuple[Sequence[str], db.Start]:
    """One page of the keys of parts that have waited until then, the longest first."""
    condition = (InboundRow.partial == shard) & (InboundRow.partial_at <= until)
    found = db.query(InboundRow, condition, index="partial", limit=limit, start=start)
    return [row.message_key for row in found.items], found.start


def _item(part: NewPart) -> PartItem:
    return PartItem(message_id=part.message_id, number=part.number, text=part.text)


def _group_of(row: InboundRow) -> Group:
    provider, _, account = row.text.partition("#")
    texts: dict[int, str] = {}
    for part in row.parts or ():
        texts.setdefault(part.number, part.text)
    return Group(
        key=row.message_key,
        provider=provider,
        account=account,
        sender=row.sender,
        recipient=row.recipient,
        total=row.total or 0,
        joined_id=row.joined_id or "",
        received_at=Millis(row.received_at),
        stored_at=Millis(row.stored_at),
        texts=texts,
        message_ids=frozenset(row.part_ids or ()),
        is_joined=row.partial is None,
        is_closed=row.partial is None or len(row.part_numbers or ()) == row.total,
    )
