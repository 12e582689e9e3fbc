"""Money: whole micro-units inside, decimals at the edges."""

from decimal import Decimal, InvalidOperation
from typing import NewType

from chalicelib.errors import InvalidInputError

Micros = NewType("Micros", int)
"""An amount in micro-units: 1.00 is 1_000_000."""

UNIT = 1_000_000
NOTHING = Micros(0)
LARGEST = Micros(1_000_000_000 * UNIT)
"""The largest amount taken at an edge: a JSON number (a double) shows it exactly."""


def decimal(amount: Micros) -> float:
    """`amount` as the JSON number that reads the same: 50_000 is 0.05."""
    return amount / UNIT


def parse_amount(text: str, *, field: str) -> Micros:
    """The amount written as a decimal, `0.05`, with at most six places, not negative.

    Raises InvalidInputError naming `field`.
    """
    expected = "a decimal amount from 0 to 1000000000 with at most six places, such as 0.05"
    return Micros(parse_decimal(text, UNIT, most=LARGEST, field=field, expected=expected))


def parse_decimal(text: str, unit: int, *, most: int, field: str, expected: str) -> int:
    """The decimal in `text`, not negative, in whole parts of which 1 has `unit`, at most `most`.

    Raises InvalidInputError naming `field` and what was expected, also for a part of a part.
    """
    # Decimal takes digits of every script and 1_000 as well.
    if not text.isascii() or "_" in text:
        raise InvalidInputError(field, expected)
    try:
        given = Decimal(text.strip())
    except InvalidOperation:
        raise InvalidInputError(field, expected) from None
    if not given.is_finite() or not 0 <= given <= most // unit:
        raise InvalidInputError(field, expected)
    parts = int(given * unit)
    # The product was rounded to the context's 28 digits; a comparison is exact.
    if Decimal(parts) / unit != given:
        raise InvalidInputError(field, expected)
    return parts
