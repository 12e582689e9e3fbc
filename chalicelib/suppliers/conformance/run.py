"""All checks, in the order in which they are run, and the running of them."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from chalicelib.suppliers.conformance import answers, bodies, closing, reading, renting
from chalicelib.suppliers.conformance.answers import FailedError, SkippedError
from chalicelib.suppliers.conformance.probe import Probe, entries
from chalicelib.suppliers.conformance.target import (
    NUMBERS,
    KeyRefusedError,
    NoAnswerError,
    Reply,
    UnreachableError,
)

_KEY_REFUSED = "the API key is refused: HTTP 401"


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """What a check showed; `seen` is one line."""

    check: str
    required: bool
    outcome: Outcome
    seen: str

    def is_good(self) -> bool:
        """Whether it passed, or need not. A required check that was skipped shows nothing."""
        return self.outcome is Outcome.PASSED or not self.required


class Check(NamedTuple):
    """A check: gives what it saw, or raises FailedError or SkippedError.

    `rents` is how many numbers it may ask for, None for as many as are rented at once.
    """

    run: Callable[[Probe], str]
    rents: int | None = 0
    required: bool = True

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self.run.__name__


# The cancels come before the many rents: a server may allow only so many cancels an hour. What
# looks back on all answers comes last.
CHECKS = (
    Check(reading.authentication, rents=2),
    Check(reading.numbers_fields),
    Check(reading.country_filter),
    Check(renting.rent_fields, rents=1),
    Check(renting.rent_json_and_form, rents=2),
    Check(renting.rent_country, rents=3),
    Check(renting.rent_service, rents=2),
    Check(reading.sms_fields, rents=1),
    Check(reading.unknown_rental),
    Check(reading.foreign_rental, rents=1),
    Check(closing.cancel_fields, rents=1),
    Check(closing.cancel_twice, rents=1),
    Check(closing.sms_after_cancel, rents=1),
    Check(renting.expiry, rents=1),
    Check(renting.idempotency_key, rents=2, required=False),
    Check(bodies.broken_json, rents=1),
    Check(bodies.content_type, rents=1),
    Check(bodies.huge_body, rents=1),
    Check(renting.concurrent_rents, rents=None),
    Check(closing.expiry_waited, rents=1),
    Check(bodies.no_server_errors),
    Check(bodies.json_everywhere),
)


def checks_of(probe: Probe) -> list[Check]:
    """The checks that are run: the wait for an expiry only if wanted."""
    return [c for c in CHECKS if probe.wait_expiry or c.run is not closing.expiry_waited]


def budget(probe: Probe) -> int:
    """How many numbers are asked for at most, whatever the server does."""
    wanted = [check.rents for check in checks_of(probe)]
    return sum(probe.simultaneous if rents is None else rents for rents in wanted)


def prepare(probe: Probe) -> tuple[Probe, str | None]:
    """Ask the server for the first time: where to rent (unless told), and at what price, if seen.

    Raises UnreachableError if it gives no answer.
    """
    try:
        listed = entries(answers.success(probe.target.ask(NUMBERS)))
    except NoAnswerError as error:
        raise UnreachableError(error.reason) from None
    except (FailedError, KeyRefusedError):
        return probe, None
    stock = {str(e["country"]): e for e in listed if answers.is_country(e.get("country"))}
    country = probe.country
    if country is None and stock:
        country = max(stock, key=lambda code: _available(stock[code].get("available")))
    price = stock.get(country or "", {}).get("price_per_sms")
    return replace(probe, country=country), str(price) if answers.is_amount(price) else None


def run(probe: Probe) -> Generator[Result, None, None]:
    """Run the checks one after another, each cancelling what it rented.

    A server that refuses the key is not asked any further. What it did not let us cancel is tried
    once more at the end, and then left in `probe.target.held()`.
    """
    stopped = False
    try:
        for check in checks_of(probe):
            if stopped:
                yield _result(check, Outcome.SKIPPED, _KEY_REFUSED)
                continue
            try:
                yield _tried(check, probe)
            except KeyRefusedError:
                stopped = True
                yield _result(check, Outcome.FAILED, _KEY_REFUSED)
    finally:
        if not stopped:
            probe.target.release(again=True)


def slowest(probe: Probe) -> float:
    """The seconds that the slowest answer took."""

    def seconds(reply: Reply) -> float:
        return reply.seconds

    return max(map(seconds, probe.target.replies), default=0.0)


def _tried(check: Check, probe: Probe) -> Result:
    try:
        return _result(check, Outcome.PASSED, check.run(probe))
    except (FailedError, NoAnswerError) as error:
        probe.target.confirm_key()
        return _result(check, Outcome.FAILED, str(error))
    except SkippedError as error:
        return _result(check, Outcome.SKIPPED, str(error))
    finally:
        probe.target.release()


def _result(check: Check, outcome: Outcome, seen: str) -> Result:
    return Result(check.name, check.required, outcome, seen)


def _available(value: object) -> int:
    return value if isinstance(value, int) and answers.is_whole(value) else 0
