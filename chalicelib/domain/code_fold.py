"""Folding of an SMS's text to the few characters that the code finder compares.

Digits of every script become ASCII digits, accented Latin and Greek letters lose their accents,
full-width forms become narrow, invisible characters vanish, spaces and hyphens become one kind.
"""

import re
import unicodedata

# The "0" of each decimal digit block that phones and carriers are known to send.
_ZEROS = (
    *(0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6),
    *(0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0),
    *(0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA9D0, 0xAA50, 0xABF0),
    *(0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6),
)
_INVISIBLE = (
    *(0x00AD, 0x034F, 0x0640, 0xFEFF, 0xFE0E, 0xFE0F, 0x20E3, 0x061C),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0x064B, 0x0660),
    *range(0x0300, 0x034F),
)
_SPELLED = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
    "ł": "l", "Ł": "L", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "İ": "I", "ə": "e",
    "Ə": "E", "ħ": "h", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ʼ": "'", "ё": "е",
    "Ё": "Е", "ς": "σ", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك",
    "ة": "ه", "ھ": "ه", "ہ": "ه", "ۀ": "ه", "：": ":", "＃": "#", "＠": "@", "／": "/", "．": ".",
}  # fmt: skip


def _build() -> dict[int, str]:
    table = {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
    table.update(dict.fromkeys(_INVISIBLE, ""))
    table.update(dict.fromkeys((0xA0, 0x3000, 0x202F, *range(0x2000, 0x200B)), " "))
    table.update(dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFE63, 0xFF0D), "-"))
    table.update({0xFF21 + i: chr(0x41 + i) for i in range(26)})
    table.update({0xFF41 + i: chr(0x61 + i) for i in range(26)})
    for block in (range(0xC0, 0x250), range(0x370, 0x400), range(0x1E00, 0x2000)):
        for point in block:
            base = unicodedata.normalize("NFD", chr(point))[0]
            if ord(base) != point and base.isalpha():
                table[point] = base
    table.update({ord(char): plain for char, plain in _SPELLED.items()})
    return table


_TABLE = _build()


def _char_class(points: list[int]) -> str:
    ranges: list[list[int]] = []
    for point in points:
        if ranges and point == ranges[-1][1] + 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


_FOLDABLE = re.compile(f"[{_char_class(sorted(_TABLE))}]+")


def _fold_run(match: re.Match[str]) -> str:
    return match[0].translate(_TABLE)


def fold(text: str) -> str:
    """`text` with digits, accents, widths, hyphens and spaces folded; ASCII comes back as is."""
    if text.isascii():
        return text
    return _FOLDABLE.sub(_fold_run, unicodedata.normalize("NFC", text))
