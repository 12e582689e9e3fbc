"""A user's rentals, past and present, in order of their beginning."""

from collections.abc import Sequence

from chalicelib.domain.ids import UserId
from chalicelib.domain.rental import Rental
from chalicelib.stores import db
from chalicelib.stores.rental_items import RentalRow, rental_of


def page(user_id: UserId, before: str | None, *, limit: int) -> tuple[Sequence[Rental], bool]:
    """One page of a user's rentals, the newest first, older than that id; whether there are
    more. The index may be a moment behind."""
    condition = RentalRow.user_id == user_id
    if before is not None:
        condition &= RentalRow.rental_id < before
    found = db.query(RentalRow, condition, index="by_user", limit=limit + 1, forward=False)
    more = len(found.items) > limit or found.start is not None
    return [rental_of(row) for row in found.items[:limit]], more
