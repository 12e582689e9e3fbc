import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.retry_schedule import WAITS, wait_after
from chalicelib.domain.times import DAY, HOUR

DESIGNED = ["5s", "30s", "2m", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"]
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def test_the_waits_are_those_of_the_design() -> None:
    assert list(WAITS) == [int(text[:-1]) * UNITS[text[-1]] for text in DESIGNED]
    assert 75 * HOUR < sum(WAITS) < 77 * HOUR
    assert sum(WAITS) * 1.2 < 5 * DAY


@pytest.mark.parametrize("failures", range(1, 12))
def test_a_wait_lies_within_20_percent(failures: int) -> None:
    middle = WAITS[failures - 1]
    assert wait_after(failures, 0.0) == pytest.approx(0.8 * middle, abs=1)
    assert wait_after(failures, 0.5) == middle
    assert wait_after(failures, 1.0) == pytest.approx(1.2 * middle, abs=1)


@given(st.integers(1, 11), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_chance_spreads_waits_in_order(failures: int, one: float, other: float) -> None:
    low, high = wait_after(failures, min(one, other)), wait_after(failures, max(one, other))
    assert low is not None
    assert high is not None
    assert 0.8 * WAITS[failures - 1] - 1 <= low <= high <= 1.2 * WAITS[failures - 1] + 1


@pytest.mark.parametrize("failures", [12, 13, 100])
def test_the_twelfth_failure_is_the_last(failures: int) -> None:
    assert wait_after(failures, 0.5) is None
