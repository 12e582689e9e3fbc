"""What other servers list of countries and operators, kept for when they can't be asked."""

from chalicelib.domain.times import Millis
from chalicelib.stores import db
from chalicelib.stores.tables import CatalogueRow

MOST_BYTES = 380_000
"""What an item of 400 kB has room for."""

_LISTING = "listing"


def get(source: str) -> tuple[Millis, str] | None:
    """The last listing of a source that was kept, and when it was fetched."""
    row = db.get(CatalogueRow, _LISTING, source)
    return (Millis(row.fetched_at or 0), row.listing or "") if row is not None else None


def put(source: str, text: str, fetched_at: Millis) -> None:
    """Keep a listing, of at most MOST_BYTES. Raises RefusedError if a later one is there."""
    db.write(
        CatalogueRow(_LISTING, source, listing=text, fetched_at=fetched_at),
        CatalogueRow.kind.does_not_exist() | (CatalogueRow.fetched_at <= fetched_at),
    )
