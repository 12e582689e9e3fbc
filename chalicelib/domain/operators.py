"""Mobile operators: told apart by country and name, with ids that are the same everywhere."""

import hashlib
import unicodedata
from collections.abc import Mapping

ANY = "Any"
"""The operator of a number whose prefix tells none, and of a supplier that tells none."""

_IDS = 2**31


def operator_id(country: str, name: str, taken: Mapping[int, tuple[str, str]]) -> int:
    """The id of an operator: made of its country and name, so the same on every stack.

    Positive and below 2^31. Where another operator has `taken` that id, the next that is free.
    """
    key = operator_key(country, name)
    digest = hashlib.sha256("#".join(key).encode()).digest()
    chosen = int.from_bytes(digest[:4], "big") % _IDS or 1
    while taken.get(chosen, key) != key:
        chosen = (chosen + 1) % _IDS or 1
    return chosen


def operator_key(country: str, name: str) -> tuple[str, str]:
    """What makes two operators the same: the country, and the name but for case and blanks."""
    return country, " ".join(unicodedata.normalize("NFKC", name).casefold().split())
