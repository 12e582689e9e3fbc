"""Long SMS: their parts joined when all are here, in whatever order they came.

A part that is missing after JOINED_WITHIN is marked as missing in the text; should it come later,
it is an SMS of its own. A part whose number is there already, by another id, is another SMS's.
Source: DESIGN.md, "Decided" 10.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.times import MINUTE, SECOND, Clock, Millis
from chalicelib.providers.contract import MOST_TEXT, InboundSms, Part
from chalicelib.settings import Settings
from chalicelib.stores import parts, shards
from chalicelib.stores.db import RefusedError
from chalicelib.stores.inbound import Fate
from chalicelib.stores.parts import Group, GroupKey, NewPart

JOINED_WITHIN = 60 * SECOND

LATE_WITHIN = 10 * MINUTE
"""After this, a part that an SMS was joined without is another SMS's."""

MOST_PARTS = 26
"""As many as MOST_TEXT characters have; an SMS that says it has more is taken part by part."""

MOST_TURNS = 8
"""How many SMS with one group, which providers count with a byte, are told apart while kept."""

_PAGE = 100

Receive = Callable[[str, str, InboundSms], Fate]


@dataclass(frozen=True, slots=True)
class Parts:
    """Joins the parts of long SMS, and hands on what they become."""

    settings: Settings
    clock: Clock
    receive: Receive

    def take(self, provider: str, account: str, sms: InboundSms, part: Part) -> Fate:
        """Keep a part; with the last one, the whole SMS is received.

        Raises BusyError: the provider is to send it again.
        """
        alone = replace(sms, part=None)
        if not _is_plausible(part, sms.text):
            return self.receive(provider, account, alone)
        new = NewPart(sms.message_id, part.number, sms.text, sms.received_at)
        for turn in range(MOST_TURNS):
            key = GroupKey(provider, account, part.group, sms.sender, sms.to, part.total, turn)
            now = self.clock()
            group, is_taken = parts.add(
                key,
                new,
                now,
                until=Millis(now + JOINED_WITHIN),
                retention_days=self.settings.sms_retention_days,
            )
            if is_taken or sms.message_id in group.message_ids:
                # A repeat may come because we died before the parts were joined.
                return self._join(group) if group.is_whole() else Fate.PARTIAL
            if self._is_late(group, part, key, now):
                fate = self.receive(provider, account, alone)
                self._note_late(group, sms.message_id)
                return fate
        return self.receive(provider, account, alone)

    def join_overdue(self, ends: Millis) -> None:
        """Join what has waited for long enough, with what is missing marked, until `ends`."""
        for shard in shards.keys(shards.PARTIAL):
            start = None
            while self.clock() < ends:
                keys, start = parts.due(shard, self.clock(), limit=_PAGE, start=start)
                for key in keys:
                    group = parts.get(key)
                    if group is None or group.is_joined:
                        continue
                    with suppress(RefusedError):
                        self._join(parts.close(group))
                if start is None:
                    break

    def _join(self, group: Group) -> Fate:
        sms = InboundSms(
            message_id=group.joined_id,
            sender=group.sender,
            to=group.recipient,
            text=_joined_text(group),
            received_at=group.received_at,
        )
        fate = self.receive(group.provider, group.account, sms)
        if not group.is_joined:
            try:
                parts.joined(group)
            except RefusedError:
                # No longer kept: it was received long ago.
                return fate
        return fate

    def _is_late(self, group: Group, part: Part, key: GroupKey, now: Millis) -> bool:
        """Whether `part` is what `group` was joined without, rather than the next SMS's."""
        if not group.misses(part.number) or now - group.stored_at >= LATE_WITHIN:
            return False
        following = parts.get(replace(key, turn=key.turn + 1).text)
        return following is None or not following.awaits(part.number)

    def _note_late(self, group: Group, message_id: str) -> None:
        try:
            parts.note_late(group, message_id)
        except RefusedError:
            return


def _is_plausible(part: Part, text: str) -> bool:
    """Whether this may be a part: one of few, and not longer than its share of MOST_TEXT."""
    if not 1 <= part.number <= part.total or not 1 < part.total <= MOST_PARTS:
        return False
    return len(text) <= MOST_TEXT // part.total


def _joined_text(group: Group) -> str:
    return "".join(
        group.texts.get(number, f"[part {number} of {group.total} is missing]")
        for number in range(1, group.total + 1)
    )
