"""Answers read strictly: what is not as documented fails the check that reads it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.domain import countries
from chalicelib.domain.phone import calling_code, normalise
from chalicelib.domain.times import Millis, parse_iso
from chalicelib.suppliers.conformance.target import Reply, shown
from chalicelib.suppliers.fields import Fields

MOST_ID = 255
"""The longest rental_id that a partner of ours may give, as `partner.py` has it."""

NOT_GIVEN = (402, 404, 429, 503)
"""What a server says that has no number for us now: no money, no stock, a limit, busy."""

_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)")


class FailedError(Exception):
    """The check failed; says what was seen."""


class SkippedError(Exception):
    """The check could not be made; says why."""


@dataclass(frozen=True, slots=True)
class Rental:
    """A rental as the server told of it; its types are judged by one check alone."""

    rental_id: str
    fields: Fields


def success(reply: Reply) -> Fields:
    """The fields of an answer that must be a success. Raises FailedError."""
    if not 200 <= reply.status < 300:
        raise FailedError(f"{reply}; expected success")
    if reply.fields is None:
        raise FailedError(f"{reply}, {shown(reply.media_type) or 'no type'}; expected JSON")
    if reply.fields.get("status") != "success":
        seen = shown(reply.fields.get("status"))
        raise FailedError(f"{reply.endpoint.path}: status: expected success, saw {seen}")
    return reply.fields


def rental(reply: Reply) -> Rental:
    """The rental of an answer that must give one.

    Raises SkippedError if the server has none to give, FailedError for any other refusal.
    """
    if reply.status in NOT_GIVEN:
        raise SkippedError(f"no number to be had: {reply}")
    found = success(reply)
    if not found.get("rental_id"):
        raise FailedError("/rentNumber: rental_id is missing")
    return Rental(str(found["rental_id"]), found)


def refused(reply: Reply, *statuses: int, about: str) -> None:
    """Raises FailedError unless the answer has one of `statuses`; `about` is what was asked."""
    if reply.status not in statuses:
        expected = " or ".join(map(str, statuses))
        raise FailedError(f"{about}: {reply}; expected {expected}")


def rejected(reply: Reply, *, about: str) -> None:
    """Raises FailedError unless the answer is a 4xx."""
    if not 400 <= reply.status < 500:
        raise FailedError(f"{about}: {reply}; expected 4xx")


def is_documented_error(reply: Reply) -> bool:
    """Whether it has an error's shape: `{"status": "error", "code": …, "message": …}`."""
    found = reply.fields or {}
    told = (found.get("code"), found.get("message"))
    return found.get("status") == "error" and all(isinstance(text, str) and text for text in told)


def is_text(value: object) -> bool:
    """Whether it is a text that says something."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MOST_ID


def is_whole(value: object) -> bool:
    """Whether it is a whole number, not negative: 5, not 5.0 or "5" or true."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_amount(value: object) -> bool:
    """Whether it is a number, not negative."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0


def is_country(value: object) -> bool:
    """Whether it is an ISO 3166-1 alpha-2 code in capitals."""
    known = isinstance(value, str) and re.fullmatch("[A-Z]{2}", value) is not None
    return known and countries.find(str(value)) is not None


def is_number_of(country: str) -> Callable[[object], bool]:
    """Tells whether something is an E.164 number with the calling code of `country`."""

    def is_number(value: object) -> bool:
        if not isinstance(value, str) or normalise(value) != value:
            return False
        # A country without a calling code has "0", which no number begins with.
        return value.startswith("+" + calling_code(country).removeprefix("0"))

    return is_number


def moment(value: object) -> Millis | None:
    """The moment that an ISO 8601 text in UTC names, None if it is none."""
    if not isinstance(value, str) or _UTC.fullmatch(value) is None:
        return None
    try:
        return parse_iso(value)
    except ValueError:
        return None


def expect(found: Fields, name: str, is_right: Callable[[Any], bool], expected: str) -> None:
    """Raises FailedError unless field `name` is right, saying what was `expected`."""
    if name not in found:
        raise FailedError(f"{name} is missing; expected {expected}")
    if not is_right(found[name]):
        kind = type(found[name]).__name__.replace("Decimal", "number")
        raise FailedError(f"{name}: expected {expected}, saw {shown(found[name])} ({kind})")
