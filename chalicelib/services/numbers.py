"""Numbers of our own stock: brought in from a file, freed when they have rested, listed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from chalicelib.domain.ids import E164
from chalicelib.domain.stock import RANKS
from chalicelib.domain.times import Clock, Millis
from chalicelib.services.catalogue import Catalogue
from chalicelib.services.imports import BadRow, Row, checked_rows
from chalicelib.stores import catalogue as operators
from chalicelib.stores import numbers, shards
from chalicelib.stores.db import RefusedError
from chalicelib.stores.numbers import MOST_AT_ONCE, NewNumber, Number, NumberState

_PAGE = 100


@dataclass(slots=True)
class ImportReport:
    """What an import did: numbers added, numbers that were there, and the rows left out."""

    added: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)


class Numbers:
    """The admin's and the schedules' side of the stock."""

    def __init__(self, clock: Clock, random: Random, catalogue: Catalogue) -> None:
        self._clock = clock
        self._random = random
        self._catalogue = catalogue

    def import_rows(
        self,
        rows: Iterable[tuple[int, Mapping[str, str | None]]],
        on_row: Callable[[], None] = lambda: None,
    ) -> ImportReport:
        """Put the numbers of a file's rows, each with its line number, into the stock.

        Columns are those of imports.COLUMNS. A row that can't be used is reported and left out;
        nothing is written before all are read. `on_row` is called once for each row. A repeat
        changes nothing, so an import that broke off is simply run again. Raises BusyError.
        """
        checked = checked_rows(rows, self._catalogue.operators())
        new = [row for row in checked.good if not row.repeats]
        report = ImportReport(unchanged=len(checked.good) - len(new), bad=checked.bad)
        for _ in range(report.unchanged + len(report.bad)):
            on_row()
        for operator in checked.changed_operators:
            operators.put_operator(operator)
        for at in range(0, len(new), MOST_AT_ONCE):
            batch = new[at : at + MOST_AT_ONCE]
            added = self._add(batch)
            report.added += added
            report.unchanged += len(batch) - added
            for _ in batch:
                on_row()
        self._catalogue.count_stock()
        return report

    def end_rests(self, deadline: Millis) -> int:
        """Free the numbers whose rest is over, until `deadline`; how many were freed.

        Safe to run twice at once. Each rest is looked at once: one that the index still shows
        after its end is not met again.
        """
        freed, now = 0, self._clock()
        for shard in shards.keys(shards.REST):
            start = None
            while self._clock() < deadline:
                page, start = numbers.rested(shard, now, limit=_PAGE, start=start)
                freed += sum(
                    self._end_rest(number, pool, now)
                    for number, pool in page
                    if self._clock() < deadline
                )
                if start is None:
                    break
        return freed

    def page(
        self,
        start: str | None = None,
        *,
        country: str | None = None,
        state: NumberState | None = None,
        limit: int = _PAGE,
    ) -> tuple[list[Number], str | None]:
        """One page of the stock, for the admin; the second value continues it.

        A page may be empty before the end, where `country` (alpha-2) or `state` leave nothing of
        it. Raises InvalidInputError if there is no such country.
        """
        code = None if country is None else self._catalogue.checked_country(country)
        found, start = numbers.page(start, limit=limit)
        chosen = [
            number
            for number in found
            if code in (None, number.country) and state in (None, number.state)
        ]
        return chosen, start

    def _add(self, rows: list[Row]) -> int:
        try:
            numbers.add_all([self._new(row) for row in rows])
        except RefusedError as refusal:
            absent = [row for row in rows if row.phone_number not in refusal.why]
            return self._add(absent) if absent else 0
        return len(rows)

    def _new(self, row: Row) -> NewNumber:
        return NewNumber(
            phone_number=row.phone_number,
            country=row.country,
            operator_id=row.operator_id,
            rank=self._random.randrange(RANKS),
            provider=row.provider,
            account=row.account,
        )

    def _end_rest(self, number: E164, pool: str, now: Millis) -> bool:
        try:
            numbers.end_rest(number, pool, self._random.randrange(RANKS), now)
        except RefusedError:
            return False
        return True
