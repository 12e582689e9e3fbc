"""The fields of suppliers' answers, read strictly: what is not of the protocol is junk."""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from chalicelib.domain import countries
from chalicelib.domain.ids import E164
from chalicelib.domain.money import LARGEST, UNIT, Micros
from chalicelib.domain.phone import calling_code, normalise
from chalicelib.domain.text import well_formed
from chalicelib.domain.times import Millis, parse_iso

MOST_COUNT = 1_000_000_000

Fields = Mapping[str, Any]


class JunkError(Exception):
    """An answer that is not of the protocol; says where, and repeats nothing of it.

    `upstream_id` is that of a rental which the answer names all the same.
    """

    def __init__(self, where: str, upstream_id: str | None = None) -> None:
        super().__init__(f"junk in {where}")
        self.where = where
        self.upstream_id = upstream_id


def load_object(body: bytes) -> Fields | None:
    """The JSON object in `body`, its fractions as Decimal; None if there is none."""
    try:
        found = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def items(fields: Fields, name: str) -> list[Fields]:
    """The list of objects in field `name`. Raises JunkError, as all of these do."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise JunkError(name)
    return value


def line(fields: Fields, name: str, *, most: int) -> str:
    """The text in field `name`: 1 to `most` printable characters, blanks around it dropped."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > most or not value.strip().isprintable():
        raise JunkError(name)
    if not value.strip():
        raise JunkError(name)
    return value.strip()


def prose(fields: Fields, name: str, *, most: int) -> str:
    """The text in field `name`, whatever is in it, its first `most` characters."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise JunkError(name)
    return well_formed(value[:most])


def whole(fields: Fields, name: str, *, least: int = 0, most: int = MOST_COUNT) -> int:
    """The whole number in field `name`, from `least` to `most`."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise JunkError(name)
    return value


def amount(fields: Fields, name: str) -> Micros:
    """The amount of money in field `name`, not negative, to the nearest micro-unit."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise JunkError(name)
    if not 0 <= value <= LARGEST // UNIT:
        raise JunkError(name)
    return Micros(int((Decimal(value) * UNIT).to_integral_value(ROUND_HALF_EVEN)))


def moment(fields: Fields, name: str) -> Millis:
    """The RFC 3339 moment in field `name`, none before 1970."""
    try:
        value = parse_iso(line(fields, name, most=64))
    except ValueError:
        raise JunkError(name) from None
    if value < 0:
        raise JunkError(name)
    return value


def country(fields: Fields, name: str) -> str | None:
    """The alpha-2 code in field `name`; None for two letters that are no country of ours."""
    text = line(fields, name, most=2)
    if len(text) != 2 or not (text.isascii() and text.isalpha()):
        raise JunkError(name)
    found = countries.find(text)
    return found.code if found is not None else None


def number(fields: Fields, name: str, *, of: str) -> E164:
    """The phone number in field `name`, of country `of` as far as its calling code tells."""
    found = normalise(line(fields, name, most=32))
    # A country without a calling code has "0", which no number begins with.
    prefix = calling_code(of).removeprefix("0")
    if found is None or not found.startswith(f"+{prefix}"):
        raise JunkError(name)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
