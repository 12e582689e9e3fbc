"""Typed values of environment variables; what can't be used is named, and never shown."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalicelib.errors import InvalidInputError

T = TypeVar("T")

_MOST_DIGITS = 12
_LAST_PORT, _PORT_DIGITS = 65_535, 5


class SettingsError(Exception):
    """The environment lacks a variable or holds one that can't be used; says which."""


class Reader:
    """The variables of one environment. Each method raises SettingsError naming the variable."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        """A text that must be set."""
        value = self._environment.get(name, "")
        if not value:
            raise SettingsError(f"{name} is not set.")
        return value

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """A whole number, `default` if not set."""
        value = self._environment.get(name, "")
        if not value:
            return default
        digits = value if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else ""
        if not digits or int(digits) < least:
            raise SettingsError(f"{name}: expected a whole number, at least {least}.")
        return int(digits)

    def ports(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """TCP ports with commas between them, `default` if not set."""
        value = self._environment.get(name, "")
        texts = value.replace(" ", "").split(",") if value else []
        found = tuple(
            int(text)
            for text in texts
            if text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS
        )
        if len(found) < len(texts) or not all(0 < port <= _LAST_PORT for port in found):
            raise SettingsError(f"{name}: expected ports such as 443,8443.")
        return found or default

    def choice(self, name: str, *values: str) -> str:
        """One of `values`, the first if not set."""
        value = self._environment.get(name) or values[0]
        if value not in values:
            raise SettingsError(f"{name}: expected {' or '.join(values)}.")
        return value

    def flag(self, name: str) -> bool:
        """0 or 1, no if not set."""
        value = self._environment.get(name, "0")
        if value not in ("0", "1"):
            raise SettingsError(f"{name}: expected 0 or 1.")
        return value == "1"

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object that must be set."""
        try:
            value = json.loads(self.text(name))
        except ValueError:
            raise SettingsError(f"{name}: expected JSON.") from None
        if not isinstance(value, dict):
            raise SettingsError(f"{name}: expected a JSON object.")
        return value

    def parsed(self, name: str, parse: Callable[[object], T]) -> T:
        """What `parse` makes of JSON, of an empty object if not set."""
        try:
            return parse(json.loads(self._environment.get(name) or "{}"))
        except ValueError:
            raise SettingsError(f"{name}: expected JSON.") from None
        except InvalidInputError as error:
            raise SettingsError(f"{name}: {error.message}") from None

    def objects(self, name: str, *, each: str) -> list[dict[str, Any]]:
        """A list of objects, none if not set, whose fields `each` are texts and all different."""
        try:
            value = json.loads(self._environment.get(name) or "[]")
        except ValueError:
            raise SettingsError(f"{name}: expected JSON.") from None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise SettingsError(f"{name}: expected a JSON list of objects.")
        names = [item.get(each) for item in value]
        if not all(isinstance(text, str) for text in names) or len(set(names)) < len(names):
            raise SettingsError(f"{name}: expected a {each} in each, all different.")
        return value
