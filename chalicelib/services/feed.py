"""The feed: all of a user's events in order, to be read on from wherever they had come to.

Whoever goes on from the last event that they were given misses none and gets none twice, however
long ago that was, as long as events are kept. Source: DESIGN.md, "Decided" 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.events import PastEvent
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import Clock
from chalicelib.settings import Settings
from chalicelib.stores import events


@dataclass(frozen=True, slots=True)
class Feed:
    """What users are told again."""

    settings: Settings
    clock: Clock

    def read(
        self, user_id: UserId, after: str, *, limit: int
    ) -> tuple[Sequence[PastEvent], str, bool]:
        """The events after the one of that id ("" for all), the oldest first; where to go on from;
        whether there are more by now.

        An event comes a few seconds after it happened: by then none can come before it.
        """
        days = self.settings.sms_retention_days
        found, more = events.of_user(user_id, after, self.clock(), limit=limit, retention_days=days)
        return found, found[-1].event_id if found else after, more
