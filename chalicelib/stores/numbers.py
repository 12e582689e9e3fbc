"""Numbers of our own stock: free, rented or resting."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental
from chalicelib.domain.stock import FreeNumber, PastUse, pool_of
from chalicelib.domain.times import Millis
from chalicelib.stores import db, shards
from chalicelib.stores.tables import NumberRow

MOST_AT_ONCE = 100
"""How many numbers one transaction adds: DynamoDB's limit."""


class NumberState(StrEnum):
    """Where a number stands."""

    FREE = "free"
    RENTED = "rented"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Who a rented number is rented by, until when, at what price, and what of it is markup."""

    rental_id: RentalId
    user_id: UserId
    price: Micros
    expires_at: Millis
    manager_id: UserId | None
    markup: Micros


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the stock. `provider` and `account` bind it: nobody else speaks for it."""

    phone_number: E164
    state: NumberState
    country: str
    operator_id: int
    uses: int
    provider: str | None
    account: str | None
    tenancy: Tenancy | None


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A number as it comes into the stock, free at `rank` of its operator's pool."""

    phone_number: E164
    country: str
    operator_id: int
    rank: int
    provider: str | None
    account: str | None


def add_all(new: Sequence[NewNumber]) -> None:
    """Put free numbers, at most MOST_AT_ONCE, into the stock: all of them or none.

    Raises RefusedError naming those that are there already.
    """
    absent = NumberRow.phone_number.does_not_exist()
    db.transact(**{number.phone_number: db.put(_row_of(number), absent) for number in new})


def get(phone_number: E164) -> Number | None:
    """The number, read consistently."""
    row = db.get(NumberRow, phone_number)
    return _number_of(row) if row is not None else None


def free_near(pool: str, rank: int, *, downward: bool, limit: int) -> list[FreeNumber]:
    """Free numbers of a pool from `rank` on, one way or the other, at most `limit`."""
    side = NumberRow.rank < rank if downward else NumberRow.rank >= rank
    found = db.query(
        NumberRow,
        (NumberRow.free == pool) & side,
        index="free",
        limit=limit,
        forward=not downward,
    )
    return [_free_number_of(row) for row in found.items]


def count_free(pool: str, start: db.Start = None) -> tuple[int, db.Start]:
    """How many free numbers one page of a pool's index holds; the second value continues it."""
    found = db.query(NumberRow, NumberRow.free == pool, index="free", start=start, count_only=True)
    return found.count, found.start


def rested(
    shard: str, now: Millis, *, limit: int, start: db.Start = None
) -> tuple[list[tuple[E164, str]], db.Start]:
    """One page of the numbers whose rest is over, the longest first, each with its pool."""
    found = db.query(
        NumberRow,
        (NumberRow.rest == shard) & (NumberRow.rest_until <= now),
        index="rest",
        limit=limit,
        start=start,
    )
    return [(E164(row.phone_number), row.pool or "") for row in found.items], found.start


def end_rest(phone_number: E164, pool: str, rank: int, now: Millis) -> None:
    """Free a number that has rested. Raises RefusedError if it does not rest, or not yet."""
    db.update(
        NumberRow(phone_number),
        [
            NumberRow.state.set(NumberState.FREE),
            NumberRow.free.set(pool),
            NumberRow.rank.set(rank),
            NumberRow.rest.remove(),
            NumberRow.rest_until.remove(),
        ],
        (NumberRow.state == NumberState.RESTING) & (NumberRow.rest_until <= now),
    )


def page(start: str | None = None, *, limit: int = 100) -> tuple[Sequence[Number], str | None]:
    """One page of the whole stock, for the admin; the second value continues it."""
    found = db.scan(NumberRow, limit=limit, start={"phone_number": {"S": start}} if start else None)
    return [_number_of(row) for row in found.items], (
        found.start["phone_number"]["S"] if found.start else None
    )


def rent_step(number: FreeNumber, rental: Rental, history: Sequence[PastUse]) -> db.Step:
    """The part of a transaction that rents a free number, refused if it is not as it was seen."""
    return db.change(
        NumberRow(number.phone_number),
        [
            NumberRow.state.set(NumberState.RENTED),
            NumberRow.free.remove(),
            NumberRow.rank.remove(),
            NumberRow.uses.add(1),
            NumberRow.history.set(
                [
                    NumberRow.Use(service=use.service, user_id=use.user_id, day=use.day)
                    for use in history
                ]
            ),
            NumberRow.rental_id.set(rental.rental_id),
            NumberRow.user_id.set(rental.user_id),
            NumberRow.price.set(rental.price),
            NumberRow.markup.set(rental.markup),
            *([NumberRow.manager_id.set(rental.manager_id)] if rental.manager_id else []),
            NumberRow.expires_at.set(rental.expires_at),
        ],
        (NumberRow.state == NumberState.FREE) & (NumberRow.uses == number.uses),
    )


def rest_step(rental: Rental, until: Millis) -> db.Step:
    """The part of a transaction that ends a number's tenancy and lets it rest."""
    return db.change(
        NumberRow(rental.phone_number),
        [
            NumberRow.state.set(NumberState.RESTING),
            NumberRow.rest.set(shards.some_key(shards.REST)),
            NumberRow.rest_until.set(until),
            NumberRow.rental_id.remove(),
            NumberRow.user_id.remove(),
            NumberRow.price.remove(),
            NumberRow.manager_id.remove(),
            NumberRow.markup.remove(),
            NumberRow.expires_at.remove(),
        ],
        NumberRow.rental_id == rental.rental_id,
    )


def _row_of(new: NewNumber) -> NumberRow:
    pool = pool_of(new.country, new.operator_id, shards.some(shards.FREE))
    return NumberRow(
        new.phone_number,
        state=NumberState.FREE,
        country=new.country,
        operator_id=new.operator_id,
        pool=pool,
        free=pool,
        rank=new.rank,
        uses=0,
        history=[],
        provider=new.provider,
        account=new.account,
    )


def bought_step(rental: Rental, *, provider: str, account: str) -> db.Step:
    """The part of a transaction that takes in another server's number for one rental.

    Only that supplier speaks for it. Refused if we have the number already: it can't be rented
    twice, whatever its supplier says.
    """
    row = NumberRow(
        rental.phone_number,
        state=NumberState.RENTED,
        country=rental.country,
        operator_id=rental.operator_id,
        provider=provider,
        account=account,
        rental_id=rental.rental_id,
        user_id=rental.user_id,
        price=rental.price,
        manager_id=rental.manager_id,
        markup=rental.markup,
        expires_at=rental.expires_at,
    )
    return db.put(row, NumberRow.phone_number.does_not_exist())


def leave_step(rental: Rental) -> db.Step:
    """The part of a transaction that gives another server's number up."""
    return db.delete(NumberRow(rental.phone_number), NumberRow.rental_id == rental.rental_id)


def _free_number_of(row: NumberRow) -> FreeNumber:
    return FreeNumber(
        phone_number=E164(row.phone_number),
        uses=row.uses or 0,
        history=tuple(
            PastUse(use.service, UserId(use.user_id), use.day) for use in row.history or ()
        ),
    )


def _number_of(row: NumberRow) -> Number:
    tenancy = None
    if row.rental_id is not None:
        tenancy = Tenancy(
            rental_id=RentalId(row.rental_id),
            user_id=UserId(row.user_id or ""),
            price=Micros(row.price or 0),
            expires_at=Millis(row.expires_at or 0),
            manager_id=UserId(row.manager_id) if row.manager_id is not None else None,
            markup=Micros(row.markup or 0),
        )
    return Number(
        phone_number=E164(row.phone_number),
        state=NumberState(row.state),
        country=row.country or "",
        operator_id=row.operator_id or 0,
        uses=row.uses or 0,
        provider=row.provider,
        account=row.account,
        tenancy=tenancy,
    )


def is_ours(phone_number: E164) -> bool:
    """Whether a number is of our stock."""
    return db.get(NumberRow, phone_number) is not None
