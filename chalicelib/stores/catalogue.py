"""The catalogue: operators with their country and price, price rules, and the counted stock.

Prices and names live apart; the `stock` item repeats them beside the counts, so that one read
tells all that a listing or a choice needs.
"""

from dataclasses import dataclass

from chalicelib.domain.money import Micros
from chalicelib.domain.pricing import PriceRule
from chalicelib.domain.stock import Stock, dump_offers, load_offers
from chalicelib.domain.times import Millis
from chalicelib.stores import db
from chalicelib.stores.tables import CatalogueRow

_OPERATOR = "operator"
_STOCK = "stock"
_PRICE = "price"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Operator:
    """A mobile operator of a country (ISO 3166-1 alpha-2), and what an SMS to it costs."""

    operator_id: int
    country: str
    name: str
    price: Micros


def put_operator(operator: Operator) -> None:
    """Write an operator, new or changed."""
    db.write(
        CatalogueRow(
            _OPERATOR,
            str(operator.operator_id),
            name=operator.name,
            country=operator.country,
            price=operator.price,
        )
    )


def operators(start: str | None = None) -> tuple[list[Operator], str | None]:
    """One page of all operators; the second value continues it."""
    key = {"kind": {"S": _OPERATOR}, "id": {"S": start}} if start else None
    found = db.query(CatalogueRow, CatalogueRow.kind == _OPERATOR, start=key)
    operators = [
        Operator(int(row.id), row.country or "", row.name or "", Micros(row.price or 0))
        for row in found.items
    ]
    return operators, found.start["id"]["S"] if found.start else None


def put_price(rule: PriceRule) -> None:
    """Write a price rule, new or changed."""
    db.write(CatalogueRow(_PRICE, _id_of(rule), price=rule.price))


def remove_price(rule: PriceRule) -> None:
    """Remove the rule for what `rule` is for. Raises RefusedError if there is none."""
    db.transact(
        price=db.delete(CatalogueRow(_PRICE, _id_of(rule)), CatalogueRow.id.exists()),
    )


def prices(start: str | None = None) -> tuple[list[PriceRule], str | None]:
    """One page of all price rules; the second value continues it."""
    key = {"kind": {"S": _PRICE}, "id": {"S": start}} if start else None
    found = db.query(CatalogueRow, CatalogueRow.kind == _PRICE, start=key)
    return [_rule_of(row) for row in found.items], found.start["id"]["S"] if found.start else None


def stock() -> Stock:
    """The stock as it was last counted; empty before the first count."""
    row = db.get(CatalogueRow, _STOCK, _STOCK)
    if row is None:
        return Stock(Millis(0), ())
    return Stock(Millis(row.counted_at or 0), load_offers(row.stock) if row.stock else ())


def put_stock(stock: Stock) -> None:
    """Write a count of the stock. Raises RefusedError if a later one is there."""
    db.write(
        CatalogueRow(_STOCK, _STOCK, counted_at=stock.counted_at, stock=dump_offers(stock.offers)),
        CatalogueRow.kind.does_not_exist() | (CatalogueRow.counted_at <= stock.counted_at),
    )


def _id_of(rule: PriceRule) -> str:
    operator = _ANY if rule.operator_id is None else str(rule.operator_id)
    return f"{rule.country}#{operator}#{rule.service or _ANY}"


def _rule_of(row: CatalogueRow) -> PriceRule:
    country, operator, service = row.id.split("#", 2)
    return PriceRule(
        country=country,
        operator_id=None if operator == _ANY else int(operator),
        service="" if service == _ANY else service,
        price=Micros(row.price or 0),
    )
