"""Fields of the account's, the manager's and the admin's calls: read, checked, named."""

from chalicelib.api import parameters
from chalicelib.api.edge import Call
from chalicelib.api.parameters import Parameters
from chalicelib.domain.money import Micros, parse_amount
from chalicelib.errors import InvalidInputError, MissingInputError

_AMOUNT = "a decimal amount more than 0, such as 12.5"
_MOST_NAMED = 5
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def of(call: Call, *known: str) -> Parameters:
    """The parameters of a call that takes the fields `known` and no others.

    Raises InvalidInputError naming those that are unknown, and what `parameters.of` does.
    """
    given = parameters.of(call)
    unknown = [name for name in given if name not in known]
    if unknown:
        shown = ", ".join(name[:64] for name in unknown[:_MOST_NAMED])
        expected = f"one of {', '.join(known)}" if known else "no such field"
        raise InvalidInputError(shown, expected, code="unknown_parameter")
    return given


def decimal_text(given: Parameters, name: str, expected: str) -> str:
    """The text of a number that came as one or as text. Raises InvalidInputError naming it."""
    value = given.get(name)
    if value is None or value == "":
        raise MissingInputError(name, expected)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidInputError(name, expected)
    return value if isinstance(value, str) else repr(value)


def amount(given: Parameters, name: str = "amount") -> Micros:
    """The amount `name`, more than 0. Raises InvalidInputError naming it."""
    micros = parse_amount(decimal_text(given, name, _AMOUNT), field=name)
    if micros == 0:
        raise InvalidInputError(name, _AMOUNT)
    return micros


def flag(given: Parameters, name: str) -> bool | None:
    """Yes or no, None if it is absent. Raises InvalidInputError naming it."""
    value = given.get(name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _FLAGS:
        return _FLAGS[value.lower()]
    raise InvalidInputError(name, "true or false")


def texts(given: Parameters, name: str, expected: str) -> tuple[str, ...] | None:
    """A list of texts, in a form one text with commas; None if it is absent.

    Raises InvalidInputError naming it.
    """
    value = given.get(name)
    if value is None:
        return None
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise InvalidInputError(name, expected)
    return tuple(text.strip() for text in found)
