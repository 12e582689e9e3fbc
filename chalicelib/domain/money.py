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
    try:
        amount = Decimal(text.strip()) * UNIT
    except InvalidOperation:
        raise InvalidInputError(field, expected) from None
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise InvalidInputError(field, expected)
    if not 0 <= amount <= LARGEST:
        raise InvalidInputError(field, expected)
    return Micros(int(amount))
