"""Schedules fire when EventBridge would fire them, on a clock that the tests turn."""

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice import Chalice, Cron, Rate
from chalice.app import CloudWatchEvent
from chalice.config import Config
from hypothesis import given
from hypothesis import strategies as st

from local import schedules
from local.errors import LocalRunError
from local.pumps import Function
from local.schedules import Schedule, parse, scheduled_event

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
CONFIG = Config(chalice_stage="dev", config_from_disk={"lambda_timeout": 20})


def times(expression: str, count: int, start: datetime = START) -> list[str]:
    """The next times of an expression, as `2026-01-31 09:30`."""
    timetable, found = parse(expression), []
    time: datetime | None = start
    while len(found) < count:
        assert time is not None
        time = timetable.after(time, time)
        found.append(f"{time:%Y-%m-%d %H:%M}" if time else "never")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 10 * * ? *)", ["2026-01-02 10:00", "2026-01-03 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-01 12:15", "2026-01-02 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01 12:15", "2026-01-01 12:30"]),
        ("cron(*/25 * * * ? *)", ["2026-01-01 12:25", "2026-01-01 12:50", "2026-01-01 13:00"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01 12:05"]),
        ("cron(10-40/20,5 12 * * ? *)", ["2026-01-01 12:05", "2026-01-01 12:10"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ("cron(0 0 L-3 FEB ? *)", ["2026-02-25 00:00", "2027-02-25 00:00", "2028-02-26 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]),
        ("cron(0 0 1W 8 ? *)", ["2026-08-03 00:00", "2027-08-02 00:00"]),
        ("cron(0 0 31W * ? *)", ["2026-01-30 00:00", "2026-03-31 00:00", "2026-05-29 00:00"]),
        ("cron(0 0 15W 2 ? *)", ["2026-02-16 00:00"]),
        ("cron(0 0 30 2 ? *)", ["never"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 9 ? * 3#2 *)", ["2026-01-13 09:00", "2026-02-10 09:00"]),
        ("cron(0 9 ? * FRI#5 *)", ["2026-01-30 09:00", "2026-05-29 09:00"]),
        ("cron(15 10 ? * 6L 2025-2030)", ["2026-01-30 10:15", "2026-02-27 10:15"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 0 ? * FRI-MON *)", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
        ("cron(0 22-1 1 * ? *)", ["2026-01-01 22:00", "2026-01-01 23:00", "2026-02-01 00:00"]),
        ("cron(0 0 1 jan,JUL ? *)", ["2026-07-01 00:00", "2027-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2030/7)", ["2030-01-01 00:00", "2037-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2026)", ["never"]),
        ("Cron(59 23 31 12 ? 2199)", ["2199-12-31 23:59"]),
    ],
)
def test_cron_fires_when_aws_says(expression: str, expected: list[str]) -> None:
    assert times(expression, len(expected)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(* * * * ?)",
        "cron(60 * * * ? *)",
        "cron(* 24 * * ? *)",
        "cron(* * 0 * ? *)",
        "cron(* * * 13 ? *)",
        "cron(* * ? * 0 *)",
        "cron(* * ? * 8 *)",
        "cron(* * ? * MON#6 *)",
        "cron(* * 32W * ? *)",
        "cron(* * L-31 * ? *)",
        "cron(* * * * ? 1969)",
        "cron(* * * * ? 2030-2020)",
        "cron(*/0 * * * ? *)",
        "cron(5- * * * ? *)",
        "cron(1,,2 * * * ? *)",
        "cron(? * * * ? *)",
        "cron(* * * FOO ? *)",
        "cron(* * * MON ? *)",
        "cron(-1 * * * ? *)",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(-1 minutes)",
        "rate(1.5 hours)",
        "rate(5 seconds)",
        "rate(5)",
        "every minute",
        "",
    ],
)
def test_what_eventbridge_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse(expression)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 59),
    st.integers(0, 23),
    st.integers(1, 7),
)
def test_a_weekly_cron_fires_within_the_week_and_on_its_day(
    now: datetime, minute: int, hour: int, day: int
) -> None:
    found = parse(f"cron({minute} {hour} ? * {day} *)").after(now, now)
    assert found is not None
    assert timedelta(0) < found - now <= timedelta(days=7)
    assert (found.minute, found.hour, found.isoweekday() % 7 + 1) == (minute, hour, day)


@pytest.mark.parametrize(
    ("expression", "minute", "seconds"),
    [
        ("rate(1 minute)", 60, 60),
        ("rate(5 minutes)", 60, 300),
        ("Rate(1 HOUR)", 60, 3600),
        ("rate(2 days)", 60, 172_800),
        ("rate(5 minutes)", 0.5, 2.5),
        ("rate(1 hour)", 1, 60),
    ],
)
def test_a_rate_is_counted_in_the_given_minutes(
    expression: str, minute: float, seconds: float
) -> None:
    assert parse(expression, minute).after(START, START) == START + timedelta(seconds=seconds)


def test_a_rate_leaves_out_the_times_that_passed() -> None:
    late = START + timedelta(minutes=3, seconds=20)
    assert parse("rate(1 minute)").after(START, late) == START + timedelta(minutes=4)


def test_a_rate_goes_on_when_the_clock_is_set_back() -> None:
    back = START - timedelta(hours=5)
    assert parse("rate(1 minute)").after(START, back) == back + timedelta(minutes=1)


def test_a_cron_time_does_not_come_twice_when_the_clock_is_set_back() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    found = parse("cron(0 * * * ? *)").after(noon, noon - timedelta(seconds=1))
    assert found == noon + timedelta(hours=1)


class Clock:
    """A clock that moves only when somebody waits, and stops the schedule at `end`."""

    def __init__(self, end: timedelta) -> None:
        self.time, self.end = START, START + end

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        return self.time >= self.end


def run(expression: str, end: timedelta, handler: Callable[..., Any], timeout: float = 20) -> Clock:
    clock = Clock(end)
    function = Function("tick", handler, timeout)
    Schedule(function, parse(expression), clock.wait, clock.now).run()
    return clock


def test_a_schedule_fires_at_once_and_then_at_each_time() -> None:
    fired: list[str] = []
    run("rate(1 minute)", timedelta(minutes=3), lambda event, _: fired.append(event["time"]))
    assert fired == ["2026-01-01T12:00:30Z", "2026-01-01T12:01:30Z", "2026-01-01T12:02:30Z"]


def test_a_cron_schedule_fires_once_for_each_time() -> None:
    fired: list[str] = []
    run("cron(0 0/6 * * ? *)", timedelta(hours=13), lambda event, _: fired.append(event["time"]))
    assert fired == ["2026-01-01T12:00:30Z", "2026-01-01T18:00:00Z", "2026-01-02T00:00:00Z"]


def test_a_cron_that_is_over_ends_its_schedule() -> None:
    fired: list[Any] = []
    run("cron(0 0 1 1 ? 2020)", timedelta(days=1), lambda event, _: fired.append(event))
    assert len(fired) == 1


def test_a_time_that_comes_while_the_function_runs_is_left_out() -> None:
    clock, fired = Clock(timedelta(minutes=5)), []

    def slow(event: Any, context: Any) -> None:
        fired.append(event["time"])
        clock.time += timedelta(seconds=90)

    Schedule(Function("tick", slow, 20), parse("rate(1 minute)"), clock.wait, clock.now).run()
    assert fired == ["2026-01-01T12:00:30Z", "2026-01-01T12:02:30Z", "2026-01-01T12:04:30Z"]


def test_a_failed_run_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    fired: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        fired.append(event)
        raise RuntimeError("out of luck")

    run("rate(1 minute)", timedelta(minutes=2), handler)
    assert len(fired) == 2
    assert caplog.text.count("RuntimeError: out of luck") == 2


def test_a_run_past_its_timeout_is_logged_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release = threading.Event()
    run("rate(1 minute)", timedelta(minutes=2), lambda *_: release.wait(20), timeout=0.05)
    release.set()
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert lines == ["tick timed out after 0.05 s"] * 2


def test_the_event_is_the_one_that_eventbridge_sends() -> None:
    event = scheduled_event("tick", START)
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("id"))
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-01-01T12:00:30Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/tick"],
        "detail": {},
    }


def test_an_apps_schedules_run_with_their_middleware_until_stopped() -> None:
    app, stop = Chalice("schedule-test"), threading.Event()
    middle, rated, timed, worded = (threading.Event() for _ in range(4))

    @app.middleware("scheduled")
    def note(event: Any, get_response: Any) -> Any:
        middle.set()
        return get_response(event)

    @app.schedule(Rate(1, unit=Rate.HOURS))
    def by_rate(event: CloudWatchEvent) -> None:
        assert event.source == "aws.events"
        rated.set()

    @app.schedule(Cron(0, 18, "?", "*", "MON-FRI", "*"))
    def by_cron(event: CloudWatchEvent) -> None:
        timed.set()

    @app.schedule("rate(2 hours)")
    def by_words(event: CloudWatchEvent) -> None:
        worded.set()

    threads = schedules.start(app, config=CONFIG, stop=stop)
    try:
        assert all(event.wait(20) for event in (middle, rated, timed, worded))
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert len(threads) == 3
    assert not any(thread.is_alive() for thread in threads)


def test_a_bad_schedule_is_one_clear_line() -> None:
    app = Chalice("bad")

    @app.schedule("rate(1 minutes)")
    def tick(event: Any) -> None: ...

    with pytest.raises(LocalRunError, match=r"^The schedule of tick: .*rate\(1 minutes\)"):
        schedules.start(app, config=CONFIG, stop=threading.Event())
