"""Prices: what an SMS costs, the rules that set it, and what a manager adds to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.money import Micros, parse_decimal

MARKUP_SCALE = 10_000
MOST_MARKUP = 3 * MARKUP_SCALE
"""A manager adds at most 300 %."""

_PERCENT = MARKUP_SCALE // 100


def markup_on(price: Micros, markup: int) -> Micros:
    """What a manager's `markup` (hundredths of a percent) adds to `price`, rounded half up."""
    return Micros((price * markup + MARKUP_SCALE // 2) // MARKUP_SCALE)


def marked_up(price: Micros, markup: int) -> Micros:
    """`price` as a manager's user pays it."""
    return Micros(price + markup_on(price, markup))


def percent(markup: int) -> float:
    """`markup` (hundredths of a percent) as the JSON number that reads as a percentage."""
    return markup / _PERCENT


def parse_markup(text: str, *, field: str) -> int:
    """The percentage written as a decimal, `12.5`, in hundredths of a percent.

    Raises InvalidInputError naming `field`.
    """
    expected = "a percentage from 0 to 300 with at most two decimals, such as 12.5"
    return parse_decimal(text, _PERCENT, most=MOST_MARKUP, field=field, expected=expected)


@dataclass(frozen=True, slots=True)
class PriceRule:
    """A price that the admin set in a country (alpha-2), for one operator or for all of them,
    for one named service or, with the service "", for all of them."""

    country: str
    operator_id: int | None
    service: str
    price: Micros


def ruled(
    country: str, operator_id: int, base: Micros, rules: Iterable[PriceRule]
) -> tuple[Micros, tuple[tuple[str, Micros], ...]]:
    """What an operator's SMS costs: without a service, and for each service that differs.

    A rule that names the service counts before one that does not, then one that names the
    operator before one that does not; where there is none, the operator's own `base` price
    counts (docs/decisions/014).
    """
    by_service: dict[str, Micros] = {}
    wide_first = sorted(rules, key=lambda rule: rule.operator_id is not None)
    for rule in wide_first:
        if rule.country == country and rule.operator_id in (None, operator_id):
            by_service[rule.service] = rule.price
    price = by_service.pop("", base)
    differing = ((name, other) for name, other in by_service.items() if other != price)
    return price, tuple(sorted(differing))
