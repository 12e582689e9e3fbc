"""How many SMS a text is sent as: what it costs.

Source: 3GPP TS 23.038, 6.2.1 and 6.2.1.1 (the GSM 7 bit default alphabet and its extension table);
3GPP TS 23.040, 9.2.3.24.1 (a concatenated message gives six octets of each SMS to a header).
"""

from collections.abc import Iterable
from enum import Enum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_ASTRAL = 0x10000


class Encoding(Enum):
    """How a text is written in an SMS: units in a lone one, and in each of several."""

    GSM7 = (160, 153)
    UCS2 = (70, 67)


def encoding_of(text: str) -> Encoding:
    """GSM 7 bit if the default alphabet and its extension have every character, else UCS-2."""
    return Encoding.GSM7 if _BASIC.union(_EXTENSION).issuperset(text) else Encoding.UCS2


def segment_count(text: str) -> int:
    """How many SMS `text` takes, at least 1.

    A character that takes two units (of the extension table; a surrogate pair) is not split
    between two SMS.
    """
    encoding = encoding_of(text)
    alone, each = encoding.value
    if encoding is Encoding.GSM7:
        widths = [2 if character in _EXTENSION else 1 for character in text]
    else:
        widths = [2 if ord(character) >= _ASTRAL else 1 for character in text]
    return 1 if sum(widths) <= alone else _packed(widths, each)


def _packed(widths: Iterable[int], room: int) -> int:
    segments, used = 1, 0
    for width in widths:
        if used + width > room:
            segments, used = segments + 1, 0
        used += width
    return segments
