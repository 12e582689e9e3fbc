"""Retention: the SMS of rentals forgotten when their time is over.

Reads leave them out at once (`Rental.kept_at`); this removes them. Minute by minute, by when the
rentals ended, with a mark that moves only when a minute is done: after an outage it goes on where
it stood. What else holds SMS has a TTL of its own. Source: DESIGN.md, "Decided" 12.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.domain.rollups import Unit
from chalicelib.domain.times import DAY, HOUR, MINUTE, Clock, Millis
from chalicelib.settings import Settings
from chalicelib.stores import purge, shards

_AT_ONCE = 8
_MINUTES = 60
"""How many minutes are done before the mark moves."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Forgets SMS."""

    settings: Settings
    clock: Clock

    def purge_sms(self, ends: Millis) -> None:
        """Remove texts, codes and senders of the SMS whose time is over, until `ends`.

        Two at once remove the same; each goes on from where either has come to.
        """
        mark = purge.mark() or purge.move_mark(None, self._first())
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            while minutes := self._over_since(mark):
                done = self._purge_minutes(minutes, ends, pool)
                if done > 0:
                    mark = purge.move_mark(mark, Millis(mark + done * MINUTE))
                if done < len(minutes):
                    return

    def _over_since(self, mark: Millis) -> Sequence[Millis]:
        """The first minutes from there on of which no SMS is kept any more."""
        until = Unit.MINUTE.floor(self._kept_since())
        return list(Unit.MINUTE.starts(mark, until))[:_MINUTES]

    def _kept_since(self) -> Millis:
        return Millis(self.clock() - self.settings.sms_retention_days * DAY)

    def _first(self) -> Millis:
        """Where the first run of all begins: before it there was no platform."""
        return Unit.MINUTE.floor(Millis(self._kept_since() - HOUR))

    def _purge_minutes(
        self, minutes: Sequence[Millis], ends: Millis, pool: ThreadPoolExecutor
    ) -> int:
        """Purge what ended in these minutes, in their order; how many were done by `ends`."""
        keys = [shards.minute_keys(minute, shards.CLOSED) for minute in minutes]
        # Most minutes after an outage may be empty: their pages are asked for side by side.
        pages = pool.map(purge.closed_in_minute, [key for one in keys for key in one])
        for done, one in enumerate(keys):
            for key in one:
                due, start = next(pages)
                while True:
                    list(pool.map(lambda each: purge.purge(*each), due))
                    if self.clock() >= ends:
                        return done
                    if start is None:
                        break
                    due, start = purge.closed_in_minute(key, start)
        return len(minutes)
