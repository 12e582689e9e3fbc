"""Attribute types that PynamoDB lacks."""

import json
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER


class IntAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """DynamoDB's form of a number."""
        return str(int(value))

    def deserialize(self, value: Any) -> int:
        """A whole number however the engine writes it, `5` or `5.0`."""
        return int(json.loads(value))
