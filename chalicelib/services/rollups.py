"""Rollups: each minute's counts written from what was done in it, and summed up for whoever asks.

A minute is read and written whole, never added to, so doing it again writes the same.
Source: DESIGN.md, "Decided" 4; docs/decisions/011.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from chalicelib.domain.ids import UserId
from chalicelib.domain.rollups import SYSTEM, Counts, Rollup, Unit, complete, first_marks
from chalicelib.domain.times import DAY, HOUR, MINUTE, SECOND, Clock, Millis
from chalicelib.errors import BusyError, InvalidInputError
from chalicelib.services.rollup_sources import read_minute
from chalicelib.settings import Settings
from chalicelib.stores import rentals, rollups, shards, users

CACHED_FOR = 5 * SECOND
"""How long a process takes the minutes that it has read live to be as they were."""

MOST_LIVE = 90
"""How many unwritten minutes a summary reads by itself; beyond, the job has to catch up first."""

MOST_BUCKETS = 1_500


@dataclass(frozen=True, slots=True)
class Summary:
    """An owner's counts in each bucket of a range, also the empty ones, with their starts.

    `active` is how many rentals were open when it was asked for.
    """

    unit: Unit
    buckets: Sequence[tuple[Millis, Counts]]
    active: int

    @property
    def start(self) -> Millis:
        """Where the first bucket begins."""
        return self.buckets[0][0]

    @property
    def end(self) -> Millis:
        """Where the last bucket ends."""
        return Millis(self.buckets[-1][0] + self.unit.length)

    @property
    def totals(self) -> Counts:
        """All of it together."""
        return sum((counts for _, counts in self.buckets), Counts())


@dataclass(frozen=True, slots=True)
class _Tail:
    """The minutes from `mark` on, which nobody has written, as they were read at `read_at`."""

    mark: Millis
    read_at: Millis
    minutes: Mapping[Millis, Mapping[str, Counts]]


class Rollups:
    """What was done when, by each user and by all of them: the writing and the reading of it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._tail: _Tail | None = None

    def roll_up(self, ends: Millis) -> None:
        """Write the minutes whose time has come, until `ends`: the job of each minute.

        The marks move only after the items are written, so whoever stops or fails leaves nothing
        out. Two at once write the same items; each goes on from where either has come to.
        """
        marks = rollups.marks() or rollups.move_marks(None, first_marks(self._clock()))
        while (now := self._clock()) < ends:
            due = marks.next(now)
            if due is None:
                return
            minute, after = due
            _write_minute(minute)
            for unit, start in complete(minute):
                _write_sum(unit, start)
            marks = rollups.move_marks(marks, after)

    def recompute(self, start: Millis, end: Millis) -> int:
        """Write every minute from `start` to before `end` again, and the hours and days around.

        Only what was written for good already: the job does the rest. Returns how many minutes
        that were. Raises InvalidInputError naming `from` if the events of then may be gone.
        """
        kept_days = min(self._settings.sms_retention_days, rollups.MINUTES_KEPT_DAYS)
        # An hour less, or events could go while this is at work.
        if start < self._clock() - kept_days * DAY + HOUR:
            raise InvalidInputError("from", f"a moment less than {kept_days} days ago")
        marks = rollups.marks()
        if marks is None:
            return 0
        end = Millis(min(end, marks.late))
        minutes = list(Unit.MINUTE.starts(Unit.MINUTE.floor(start), end))
        for minute in minutes:
            _write_minute(minute)
        for unit in (Unit.HOUR, Unit.DAY):
            for at in unit.starts(unit.floor(start), end):
                if at + unit.length <= marks.early:
                    _write_sum(unit, at)
        return len(minutes)

    def of_user(self, user_id: UserId, unit: Unit, start: Millis, end: Millis) -> Summary:
        """What a user did. `active` is how many rentals they hold now. Raises as `of_system`."""
        buckets = self._buckets(user_id, unit, start, end)
        user = users.get(user_id)
        return Summary(unit, buckets, user.open_rentals if user is not None else 0)

    def of_system(self, unit: Unit, start: Millis, end: Millis) -> Summary:
        """What all users did. `active` is how many rentals are open now.

        The range is widened to whole buckets. Raises InvalidInputError naming `from` or `to`, and
        BusyError if too much of it is not written yet.
        """
        buckets = self._buckets(SYSTEM, unit, start, end)
        return Summary(unit, buckets, _count_open(self._clock()))

    def _buckets(
        self, owner: str, unit: Unit, start: Millis, end: Millis
    ) -> Sequence[tuple[Millis, Counts]]:
        start, end = self._checked(unit, start, end)
        tail = self._read_tail(end)
        found: defaultdict[Millis, Counts] = defaultdict(Counts)
        for rollup in _written(owner, unit, start, Millis(min(end, tail.mark)), tail.mark):
            found[unit.floor(rollup.at)] += rollup.counts
        for minute, owners in tail.minutes.items():
            if start <= minute < end and owner in owners:
                found[unit.floor(minute)] += owners[owner]
        return [(at, found.get(at, Counts())) for at in unit.starts(start, end)]

    def _checked(self, unit: Unit, start: Millis, end: Millis) -> tuple[Millis, Millis]:
        if start >= end:
            raise InvalidInputError("from", "a moment before `to`")
        start, end = unit.floor(start), unit.ceiling(end)
        if (end - start) // unit.length > MOST_BUCKETS:
            raise InvalidInputError(
                "from", f"at most {MOST_BUCKETS} buckets of one {unit} between it and `to`"
            )
        if unit is Unit.MINUTE and start < self._clock() - rollups.MINUTES_KEPT_DAYS * DAY:
            raise InvalidInputError(
                "from", f"at most {rollups.MINUTES_KEPT_DAYS} days ago for buckets of one minute"
            )
        return start, end

    def _read_tail(self, end: Millis) -> _Tail:
        """The minutes that nobody has written; without them if `end` comes before them.

        The mark is read first: what is written and marked meanwhile counts as live, once.
        """
        with self._lock:
            now = self._clock()
            if self._tail is not None and 0 <= now - self._tail.read_at < CACHED_FOR:
                return self._tail
            mark = (rollups.marks() or first_marks(now)).early
            if end <= mark:
                return _Tail(mark, now, {})
            minutes = list(Unit.MINUTE.starts(mark, Millis(now + MINUTE)))
            if len(minutes) > MOST_LIVE:
                raise BusyError
            self._tail = _Tail(mark, now, {minute: read_minute(minute) for minute in minutes})
            return self._tail


def _write_minute(minute: Millis) -> None:
    found = read_minute(minute)
    rollups.put(Rollup(owner, Unit.MINUTE, minute, counts) for owner, counts in found.items())


def _write_sum(unit: Unit, at: Millis) -> None:
    """Write the buckets of `unit` that begin at `at`, from the next shorter ones in them."""
    found: defaultdict[str, Counts] = defaultdict(Counts)
    for rollup in _all(Unit.HOUR if unit is Unit.DAY else Unit.MINUTE, at):
        found[rollup.owner] += rollup.counts
    rollups.put(Rollup(owner, unit, at, counts) for owner, counts in found.items())


def _all(unit: Unit, at: Millis) -> Iterator[Rollup]:
    page, start = rollups.of_all(unit, at)
    yield from page
    while start is not None:
        page, start = rollups.of_all(unit, at, start)
        yield from page


def _written(owner: str, unit: Unit, start: Millis, end: Millis, mark: Millis) -> Iterator[Rollup]:
    """An owner's written counts from `start` to before `end`, in buckets as long as there are.

    A bucket in which `mark` lies is not written yet; the shorter ones in it are.
    """
    for part in _PARTS[unit]:
        until = Millis(min(part.floor(mark), end))
        for first, last in _scopes(part, part.starts(start, until)):
            yield from rollups.of_owner(owner, part, first, last)
        start = Millis(max(start, until))


_PARTS = {
    Unit.DAY: (Unit.DAY, Unit.HOUR, Unit.MINUTE),
    Unit.HOUR: (Unit.HOUR, Unit.MINUTE),
    Unit.MINUTE: (Unit.MINUTE,),
}


def _scopes(unit: Unit, starts: Iterable[Millis]) -> Iterator[tuple[Millis, Millis]]:
    """The first and the last bucket of each scope that `starts` are of."""
    found: dict[str, tuple[Millis, Millis]] = {}
    for at in starts:
        scope = rollups.scope_of(unit, at)
        found[scope] = (found.get(scope, (at, at))[0], at)
    yield from found.values()


def _count_open(now: Millis) -> int:
    total = 0
    for shard in shards.keys(shards.DUE):
        count, start = rentals.count_open(shard, now)
        total += count
        while start is not None:
            count, start = rentals.count_open(shard, now, start)
            total += count
    return total
