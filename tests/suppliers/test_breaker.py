"""A supplier that keeps failing is left alone, and tried once each pause."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.times import Millis
from chalicelib.suppliers.breaker import MOST_FAILURES, PAUSE, Breaker

START = Millis(1_700_000_000_000)
OVER = Millis(START + PAUSE)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker()


def fail(breaker: Breaker, times: int, now: Millis = START) -> None:
    for _ in range(times):
        breaker.failed(now)


def test_lets_through_until_enough_have_failed_in_a_row(breaker: Breaker) -> None:
    for _ in range(MOST_FAILURES):
        assert breaker.admits(START)
        breaker.failed(START)
    assert not breaker.admits(START)
    assert not breaker.admits(Millis(OVER - 1))


def test_a_success_ends_the_row(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES - 1)
    breaker.succeeded()
    fail(breaker, MOST_FAILURES - 1)
    assert breaker.admits(START)


def test_after_the_pause_one_trial(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    assert [breaker.admits(OVER) for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_ends_it(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    assert breaker.admits(OVER)
    breaker.succeeded()
    fail(breaker, MOST_FAILURES - 1, OVER)
    assert breaker.admits(OVER)


def test_a_trial_that_fails_makes_another_pause(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    assert breaker.admits(OVER)
    failed_at = Millis(OVER + 4_000)
    breaker.failed(failed_at)
    assert not breaker.admits(Millis(failed_at + PAUSE - 1))
    assert breaker.admits(Millis(failed_at + PAUSE))


def test_a_trial_that_is_never_heard_of_does_not_end_all_trials(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    assert breaker.admits(OVER)
    assert not breaker.admits(Millis(OVER + PAUSE - 1))
    assert breaker.admits(Millis(OVER + PAUSE))


def test_of_many_threads_one_makes_the_trial(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    with ThreadPoolExecutor(max_workers=16) as pool:
        admitted = list(pool.map(lambda _: breaker.admits(OVER), range(200)))
    assert admitted.count(True) == 1
