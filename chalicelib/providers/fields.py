"""The fields of providers' JSON, named by their path as the provider's documentation writes it."""

from collections.abc import Iterable, Mapping

from chalicelib.domain.times import Millis, parse_iso
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers.contract import EARLIEST

Fields = Mapping[str, object]


def leaves(fields: Fields, paths: Iterable[str]) -> Fields:
    """What `fields` hold at dotted `paths` (`data.from.phone_number`), by those paths."""
    return {path: _at(fields, path) for path in paths}


def objects(value: object, name: str) -> list[Fields]:
    """The objects in the list `value`, which is field `name`. Raises InvalidInputError."""
    if value is None:
        raise MissingInputError(name, "a list of objects")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidInputError(name, "a list of objects")
    return value


def received_at(value: object, now: Millis) -> Millis:
    """The moment that `value` names in RFC 3339 (UTC if it names no zone), at the latest `now`.

    What can't be read, or is older than SMS are, counts as `now`: no SMS is worth losing over it.
    """
    try:
        moment = parse_iso(value) if isinstance(value, str) else now
    except ValueError:
        return now
    return min(moment, now) if moment >= EARLIEST else now


def _at(fields: Fields, path: str) -> object:
    found: object = fields
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
