from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.times import (
    DAY,
    SECOND,
    Millis,
    day_number,
    epoch_seconds,
    iso,
    later,
    minute_of,
    parse_iso,
)

MOMENT = Millis(1_686_843_045_678)
YEAR_9999 = 253_402_300_799_999


def test_a_moment_is_shown_in_utc_with_whole_seconds() -> None:
    assert iso(MOMENT) == "2023-06-15T15:30:45Z"
    assert minute_of(MOMENT) == "2023-06-15T15:30"
    assert iso(Millis(0)) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-06-15T15:30:45Z", MOMENT - 678),
        ("2023-06-15T15:30:45.678Z", MOMENT),
        ("2023-06-15T17:30:45.678+02:00", MOMENT),
        ("2023-06-15T15:30:45.678", MOMENT),
        (" 2023-06-15 15:30:45.678Z ", MOMENT),
        ("2023-06-15", 1_686_787_200_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_text_names_a_moment(text: str, moment: int) -> None:
    assert parse_iso(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "2023-06-15T25:00:00Z", "1e9"])
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)


@given(st.integers(0, YEAR_9999))
def test_every_millisecond_is_read_as_it_was_written(moment: int) -> None:
    written = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)
    assert parse_iso(written.isoformat()) == moment
    assert parse_iso(iso(Millis(moment))) == moment // SECOND * SECOND


@pytest.mark.parametrize(
    ("seconds", "millis"), [(0, 0), (1, 1_000), (0.0004, 0), (1.2345, 1_234), (-2, -2_000)]
)
def test_later_counts_in_seconds(seconds: float, millis: int) -> None:
    assert later(MOMENT, seconds=seconds) == MOMENT + millis


@pytest.mark.parametrize(("moment", "seconds"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)])
def test_a_ttl_never_ends_early(moment: int, seconds: int) -> None:
    assert epoch_seconds(Millis(moment)) == seconds


@given(st.integers(0, YEAR_9999))
def test_days_begin_at_midnight_utc(moment: int) -> None:
    assert day_number(Millis(moment)) * DAY <= moment < (day_number(Millis(moment)) + 1) * DAY
    assert iso(Millis(day_number(Millis(moment)) * DAY)).endswith("T00:00:00Z")
