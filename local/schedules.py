"""EventBridge schedules on one machine: rate() and cron() as AWS defines them, one thread each."""

import calendar
import logging
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression
from chalice.config import Config

from local.errors import LocalRunError
from local.pumps import ACCOUNT, REGION, Function, FunctionTimeoutError, function

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
FIRST_YEAR, LAST_YEAR = 1970, 2199
MONTH_NAMES = "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)}
DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}


class Timetable(Protocol):
    """When a schedule fires."""

    def after(self, due: datetime, now: datetime) -> datetime | None:
        """The next time, given the last one that was due; None if there is none left."""


@dataclass(frozen=True)
class Rate:
    """Every `period` from the first time on; times that passed unused are left out."""

    period: timedelta

    def after(self, due: datetime, now: datetime) -> datetime:
        """The first time of the grid that starts at `due` which is later than `now`."""
        return due + self.period * ((now - due) // self.period + 1)


@dataclass(frozen=True)
class Cron:
    """AWS's six fields, in UTC: minutes, hours, day of month, month, day of week, year."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    days: Callable[[int, int], frozenset[int]]

    def after(self, due: datetime, now: datetime) -> datetime | None:
        """The first minute later than both that fits all fields."""
        first = (max(due, now) + timedelta(minutes=1)).replace(second=0, microsecond=0)
        for year in sorted(self.years):
            for month in sorted(self.months) if year >= first.year else ():
                if (year, month) < (first.year, first.month):
                    continue
                if found := self._in_month(year, month, first):
                    return found
        return None

    def _in_month(self, year: int, month: int, first: datetime) -> datetime | None:
        for day in sorted(self.days(year, month)):
            for hour in sorted(self.hours):
                if datetime(year, month, day, hour, 59, tzinfo=UTC) < first:
                    continue
                for minute in sorted(self.minutes):
                    time = datetime(year, month, day, hour, minute, tzinfo=UTC)
                    if time >= first:
                        return time
        return None


def parse(expression: str, minute: float = 60.0) -> Timetable:
    """The timetable of an EventBridge schedule expression; `minute` is the seconds of a rate's.

    Raises ValueError for what EventBridge would refuse.
    """
    text = expression.strip()
    if match := re.fullmatch(r"rate\(\s*(\d+) +(minute|hour|day)(s?)\s*\)", text, re.IGNORECASE):
        value = int(match[1])
        if not value or (value == 1) == bool(match[3]):
            raise ValueError(f"rate needs a positive value and its plural: {expression!r}")
        length = {"minute": 1, "hour": 60, "day": 1440}[match[2].lower()]
        return Rate(timedelta(seconds=value * length * minute))
    if match := re.fullmatch(r"cron\((.*)\)", text, re.IGNORECASE):
        fields = match[1].upper().split()
        if len(fields) != 6:
            raise ValueError(f"cron needs six fields: {expression!r}")
        return _cron(*fields)
    raise ValueError(f"neither rate() nor cron(): {expression!r}")


def _cron(minutes: str, hours: str, monthday: str, months: str, weekday: str, years: str) -> Cron:
    if (monthday == "?") == (weekday == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?")
    return Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _numbers(months, 1, 12, MONTHS),
        _numbers(years, FIRST_YEAR, LAST_YEAR),
        _monthdays(monthday) if weekday == "?" else _weekdays(weekday),
    )


def _numbers(
    field: str, low: int, high: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
        if not match:
            raise ValueError(f"cannot read {part!r}")
        star, start, end, step = match.groups()
        first = low if star else _number(start, low, high, names)
        default = high if star or step else first
        last = _number(end, low, high, names) if end else default
        stride = int(step or 1)
        if not stride:
            raise ValueError(f"a step of zero: {part!r}")
        if last >= first:
            found.update(range(first, last + 1, stride))
        elif low == FIRST_YEAR:
            raise ValueError(f"years go forward: {part!r}")
        else:  # FRI-MON, 22-2: round the end
            span = high - low + 1
            found.update(low + n % span for n in range(first - low, last - low + span + 1, stride))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: dict[str, int] | None = None) -> int:
    value = (names or {}).get(text)
    if value is None:
        value = int(text) if text.isdecimal() else -1
    if not low <= value <= high:
        raise ValueError(f"{text!r} is not between {low} and {high}")
    return value


def _monthdays(field: str) -> Callable[[int, int], frozenset[int]]:
    if field == "L":
        return lambda year, month: frozenset({_length(year, month)})
    if field == "LW":
        return lambda year, month: _nearest_weekday(year, month, _length(year, month))
    if match := re.fullmatch(r"L-(\d+)", field):
        before = _number(match[1], 1, 30)
        return lambda year, month: frozenset({_length(year, month) - before} - {0, -1, -2})
    if match := re.fullmatch(r"(\d+)W", field):
        wanted = _number(match[1], 1, 31)
        return lambda year, month: _nearest_weekday(year, month, wanted)
    numbers = _numbers(field, 1, 31)
    return lambda year, month: frozenset(n for n in numbers if n <= _length(year, month))


def _weekdays(field: str) -> Callable[[int, int], frozenset[int]]:
    if field == "L":
        field = "7"
    if match := re.fullmatch(r"(\w+)L", field):
        last = _number(match[1], 1, 7, DAYS)
        return lambda year, month: frozenset(_dates(year, month, {last})[-1:])
    if match := re.fullmatch(r"(\w+)#(\d)", field):
        day, nth = _number(match[1], 1, 7, DAYS), _number(match[2], 1, 5)
        return lambda year, month: frozenset(_dates(year, month, {day})[nth - 1 : nth])
    days = _numbers(field, 1, 7, DAYS)
    return lambda year, month: frozenset(_dates(year, month, days))


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _dates(year: int, month: int, weekdays: frozenset[int] | set[int]) -> list[int]:
    first = (calendar.weekday(year, month, 1) + 1) % 7
    return [
        day for day in range(1, _length(year, month) + 1) if (first + day - 1) % 7 + 1 in weekdays
    ]


def _nearest_weekday(year: int, month: int, day: int) -> frozenset[int]:
    length = _length(year, month)
    if day > length:
        return frozenset()
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        day += -1 if day > 1 else 2
    elif weekday == calendar.SUNDAY:
        day += 1 if day < length else -2
    return frozenset({day})


def scheduled_event(rule: str, due: datetime, region: str = REGION) -> dict[str, Any]:
    """The event that EventBridge sends for a schedule rule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Schedule:
    """One schedule and its function. `wait` sleeps for seconds and tells whether to stop."""

    function: Function
    timetable: Timetable
    wait: Callable[[float], bool]
    now: Callable[[], datetime] = _utc_now

    def run(self) -> None:
        """Fire at once, for work that a crash left behind, and then at each time until stopped.

        One run at a time: a time that comes while the function still runs is left out.
        """
        due: datetime | None = self.now()
        while due is not None:
            while (left := (due - self.now()).total_seconds()) > 0:
                if self.wait(min(left, LONGEST_WAIT)):
                    return
            self._fire(due)
            due = self.timetable.after(due, self.now())

    def _fire(self, due: datetime) -> None:
        try:
            self.function.invoke(scheduled_event(self.function.name, due))
        except FunctionTimeoutError as error:
            log.error("%s", error)
        except Exception:  # a schedule goes on, whatever happened to one of its runs
            log.exception("%s failed, its next time stands", self.function.name)


def start(
    app: Chalice, *, config: Config, stop: threading.Event, minute: float = 60.0
) -> list[threading.Thread]:
    """Start a thread for each schedule of the app; they end when `stop` is set.

    `minute` is the length in seconds of the minute in rate() schedules. Raises LocalRunError for
    an expression that EventBridge would refuse.
    """
    threads = []
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            given = source.schedule_expression
            text = given.to_string() if isinstance(given, ScheduleExpression) else given
            try:
                timetable = parse(text, minute)
            except ValueError as error:
                raise LocalRunError(f"The schedule of {source.name}: {error}.") from error
            schedule = Schedule(function(app, config, source.name), timetable, stop.wait)
            name = f"schedule-{source.name}"
            threads.append(threading.Thread(target=schedule.run, name=name, daemon=True))
    for thread in threads:
        thread.start()
    return threads
