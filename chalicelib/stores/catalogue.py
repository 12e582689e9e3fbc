"""The catalogue: operators with their country and price, and the counted stock.

Price and names live with the operator; the `stock` item repeats them beside the counts, so that
one read tells all that a listing or a choice needs.
"""

from dataclasses import dataclass

from chalicelib.domain.money import Micros
from chalicelib.domain.stock import Stock, dump_offers, load_offers
from chalicelib.domain.times import Millis
from chalicelib.stores import db
from chalicelib.stores.tables import CatalogueRow

_OPERATOR = "operator"
_STOCK = "stock"


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


def stock() -> Stock:
    """The stock as it was last counted; empty before the first count."""
    row = db.get(CatalogueRow, _STOCK, _STOCK)
    if row is None:
        return Stock(Millis(0), ())
    return Stock(Millis(row.counted_at or 0), load_offers(row.stock or "[]"))


def put_stock(stock: Stock) -> None:
    """Write a count of the stock. Raises RefusedError if a later one is there."""
    db.write(
        CatalogueRow(_STOCK, _STOCK, counted_at=stock.counted_at, stock=dump_offers(stock.offers)),
        CatalogueRow.kind.does_not_exist() | (CatalogueRow.counted_at <= stock.counted_at),
    )
