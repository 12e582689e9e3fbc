"""A file of numbers, row by row: what can go into the stock, and what is wrong with the rest.

Nothing here touches the stack: the operators that there are come in, what is to be written goes
out.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import countries, phone
from chalicelib.domain.ids import E164
from chalicelib.domain.money import UNIT, Micros, parse_amount
from chalicelib.domain.operators import ANY, operator_id, operator_key
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.stores.catalogue import Operator

REQUIRED = ("phone_number", "operator", "price")
COLUMNS = (*REQUIRED, "provider", "account")

_NUMBER = "an international phone number, such as +14155552671"
_MORE = "more cells"
_MOST_TEXT = 64


class BadRow(NamedTuple):
    """A row that was left out: its line in the file, the column, and what was expected there."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can go in. One that `repeats` an earlier row of the file has nothing to add."""

    line: int
    phone_number: E164
    country: str
    operator_id: int
    provider: str | None
    account: str | None
    repeats: bool


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """A file after the checks. `changed_operators` are those that are new or have a new price."""

    good: list[Row]
    bad: list[BadRow]
    changed_operators: list[Operator]


def read_csv(data: bytes) -> list[tuple[int, Mapping[str, str | None]]]:
    """The rows of a CSV file in UTF-8 (with or without a BOM), each with its line number.

    Raises InvalidInputError naming what the file as a whole lacks; a row may still be wrong.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError("encoding", "UTF-8") from None
    rows: list[tuple[int, Mapping[str, str | None]]] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey=_MORE, strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows += ((reader.line_num, cells) for cells in reader)
    except csv.Error as error:
        raise InvalidInputError("format", f"CSV ({error} in line {reader.line_num})") from None
    allowed = set(REQUIRED) <= set(columns) <= set(COLUMNS)
    if not allowed or len(set(columns)) < len(columns):
        raise InvalidInputError(
            "columns",
            f"{', '.join(REQUIRED)} and perhaps {', '.join(COLUMNS[len(REQUIRED) :])}; "
            f"found {', '.join(columns) or 'none'}",
        )
    return rows


def checked_rows(
    rows: Iterable[tuple[int, Mapping[str, str | None]]], existing: Iterable[Operator]
) -> CheckedRows:
    """The rows of a file, each with its line number, judged against the operators there are.

    The first row that names an operator's price decides it for the whole file, for the rows
    before it too: so a second run judges every row alike.
    """
    check = _Check(existing)
    good: list[Row] = []
    bad: list[BadRow] = []
    for line, cells in rows:
        try:
            good.append(check.row(line, cells))
        except InvalidInputError as error:
            bad.append(BadRow(line, error.field or "", error.message))
    unpriced = [row for row in good if not check.has_price(row)]
    bad += [check.no_price(row) for row in unpriced]
    return CheckedRows(
        [row for row in good if check.has_price(row)] if unpriced else good,
        sorted(bad),
        check.changed_operators(),
    )


@dataclass(frozen=True, slots=True)
class _Price:
    amount: Micros
    line: int


class _Check:
    """What the rows so far have settled: operators, their prices, and the numbers seen."""

    def __init__(self, existing: Iterable[Operator]) -> None:
        self._stored = {operator.operator_id: operator for operator in existing}
        self._keys: dict[int, tuple[str, str]] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._names: dict[int, str] = {}
        self._prices: dict[int, _Price] = {}
        self._rows: dict[E164, Row] = {}
        for operator in self._stored.values():
            self._know(operator.operator_id, operator.country, operator.name)

    def row(self, line: int, cells: Mapping[str, str | None]) -> Row:
        """The row if it can go in. Raises InvalidInputError naming the column."""
        if _MORE in cells:
            raise InvalidInputError(_MORE, "as many cells as there are columns")
        number, country = _number(_cell(cells, "phone_number"))
        name = _text(cells, "operator") or phone.carrier_of(number) or ANY
        provider, account = _text(cells, "provider"), _text(cells, "account")
        if (provider is None) != (account is None):
            lacking = "account" if account is None else "provider"
            raise MissingInputError(lacking, "a provider together with an account, or neither")
        price = _cell(cells, "price")
        amount = parse_amount(price, field="price") if price else None
        operator = self._operator(country, name)
        row = Row(line, number, country, operator, provider, account, number in self._rows)
        self._check_repeat(row)
        self._settle_price(row, amount)
        self._rows.setdefault(number, row)
        return row

    def has_price(self, row: Row) -> bool:
        """Whether the file or the catalogue has a price for the row's operator."""
        return row.operator_id in self._prices or row.operator_id in self._stored

    def no_price(self, row: Row) -> BadRow:
        """The row, left out because nothing says what an SMS to it costs."""
        expected = f"an amount, as {self._names[row.operator_id]} in {row.country} has no price yet"
        error = MissingInputError("price", expected)
        return BadRow(row.line, "price", error.message)

    def changed_operators(self) -> list[Operator]:
        """The operators to write: new ones, and those with another price than they had."""
        wanted = [
            Operator(number, self._keys[number][0], self._names[number], price.amount)
            for number, price in self._prices.items()
        ]
        return [o for o in wanted if self._stored.get(o.operator_id) != o]

    def _operator(self, country: str, name: str) -> int:
        key = operator_key(country, name)
        if key not in self._ids:
            self._know(operator_id(country, name, self._keys), country, name)
        return self._ids[key]

    def _know(self, number: int, country: str, name: str) -> None:
        key = operator_key(country, name)
        self._keys[number] = key
        self._ids[key] = number
        self._names[number] = name

    def _check_repeat(self, row: Row) -> None:
        first = self._rows.get(row.phone_number)
        if first is None:
            return
        same = (first.operator_id, first.provider, first.account)
        if same != (row.operator_id, row.provider, row.account):
            raise InvalidInputError(
                "phone_number", f"each number once; line {first.line} has it with other values"
            )

    def _settle_price(self, row: Row, amount: Micros | None) -> None:
        if amount is None:
            return
        first = self._prices.setdefault(row.operator_id, _Price(amount, row.line))
        if first.amount != amount:
            name = self._names[row.operator_id]
            raise InvalidInputError(
                "price",
                f"{Decimal(first.amount) / UNIT:f}, which line {first.line} gives to {name} in "
                f"{row.country}",
            )


def _number(text: str) -> tuple[E164, str]:
    if not text:
        raise MissingInputError("phone_number", _NUMBER)
    number = phone.normalise(text)
    country = countries.find(phone.country_of(number) or "") if number is not None else None
    if number is None or country is None:
        raise InvalidInputError("phone_number", _NUMBER)
    return number, country.code


def _text(cells: Mapping[str, str | None], column: str) -> str | None:
    text = " ".join(_cell(cells, column).split())
    if len(text) > _MOST_TEXT or not text.isprintable():
        raise InvalidInputError(column, f"at most {_MOST_TEXT} printable characters")
    return text or None


def _cell(cells: Mapping[str, str | None], column: str) -> str:
    return (cells.get(column) or "").strip()
