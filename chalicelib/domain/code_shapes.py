"""The pieces of an SMS that could be a code by their shape: digits, groups, letters and digits.

What has the shape of an amount, a date, a time, a telephone number or a masked card is left out
here; what the words around it say is weighed by code_finder.
"""

import re
from dataclasses import dataclass
from string import ascii_letters

from .code_words import CODE, ONCE, PASSWORD, words_in


@dataclass(slots=True)
class Candidate:
    """A possible code: where it stands, how it would be typed, and what its shape is worth."""

    start: int
    end: int
    code: str
    worth: float
    alternative: str = ""


_CLUMP = re.compile(
    r"[0-9][0-9A-Za-z]*+"
    r"(?:(?:[-.,:/' ](?=[0-9])|-(?=[0-9A-Z]{2,6}(?![0-9A-Za-z])))[0-9A-Za-z]++)*+"
)
_LEFT = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Z]{1,5}-){0,2}[0-9A-Za-z]{0,12}$")
_JOINS_LEFT = frozenset(ascii_letters + "-")
_AREA_CODE_ENDS = re.compile(r"\)[ -]{0,2}[0-9]")
_BEFORE_DECIMAL = re.compile(r"([0-9]{5,8})\.[0-9]")
_DAY, _MONTH = r"(?:[0-2]?[0-9]|3[01])", r"(?:0?[0-9]|1[0-2])"
_DATE = re.compile(
    rf"(?:19|20)[0-9]{{2}}-{_MONTH}-{_DAY}|(?:{_DAY}-{_MONTH}|{_MONTH}-{_DAY})-(?:[0-9]{{2}}){{1,2}}"
)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}-(?:(?:19|20)[0-9]{2}|[01][0-9])")
_GLUED_WORD = re.compile(r"([0-9]{4,8})([A-Z]?[a-z]{2,}|OTP|PIN|TAN)")
_NAMED = re.compile(
    r"(?=[A-Z]{0,3}[AEIOUY])(?![A-Z]{0,5}[B-DF-HJ-NP-TV-XZ]{3})[A-Z]{4,8}[0-9]{1,4}"
)
_MASK = re.compile(r"[xX]{3,}|^[xX]{1,2}[0-9]{0,4}$|^[0-9]+[xX]{2,}[0-9]+$")
_URL = re.compile(
    r"(?:[a-zA-Z]{2,10}://|www\.)[^\s]{1,400}"
    r"|(?<![\w.@-])[A-Za-z0-9-]{1,40}(?:\.[A-Za-z0-9-]{1,40}){0,3}"
    r"(?<=[A-Za-z-])\.(?:[a-z]{2,8}|[A-Z]{2,6})(?:/[^\s]{0,400}|(?![\w-]))"
    r"|[\w.+-]{1,60}@[\w-]{1,60}\.[\w.-]{1,60}"
)
_MAYBE_URL = re.compile(r"\.[A-Za-z]|://")
_SPACE = re.compile(r"\s")
_SPACED = {(3, 3), (2, 2), (4, 4), (2, 2, 2), (3, 4), (1,) * 4, (1,) * 5, (1,) * 6, (1,) * 8}
_DIGITS_WORTH = (0.0, 0.0, 0.0, -1.0, 0.6, 0.8, 1.5, 0.8, 0.8, -0.3, -0.8)
_CURRENCIES = frozenset("$€£¥₹₽₺₩₫฿₦₴₸₱₪৳₾₼֏￥￦")
_CURRENCIES_AFTER = _CURRENCIES | frozenset("%٪％")
_TOUCHING_BEFORE = _CURRENCIES | frozenset("*•·_\\/+")
_TOUCHING_AFTER = _CURRENCIES_AFTER | frozenset("*_@\\/°‰+#)")
_UNITS = """
st nd rd th am pm min mins hr hrs sec gb mb kb tb mah mp px kg km mm cm ml ppm ppw x p rs usd eur
gbp inr k m bn mbps kwh cal pts pcs day days hours minutes years yr yrs off h s d
"""
_UNITS_GLUED = frozenset(_UNITS.split())


def without_urls(text: str) -> str:
    """`text` with each URL, bare domain and e-mail address blanked, every position kept."""
    mark = _MAYBE_URL.search(text)
    if not mark:
        return text
    pieces: list[str] = []
    done = 0
    while mark:
        start = max(text.rfind(" ", done, mark.start()), text.rfind("\n", done, mark.start()), done)
        space = _SPACE.search(text, mark.end())
        end = space.start() if space else len(text)
        pieces += text[done:start], _URL.sub(_blank, text[start:end])
        done = end
        mark = _MAYBE_URL.search(text, end)
    pieces.append(text[done:])
    return "".join(pieces)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def candidates(text: str) -> list[Candidate]:
    """The pieces of folded `text` that may be a code by shape, in the order of the text."""
    found: list[Candidate] = []
    for match in _CLUMP.finditer(text):
        clump, start = match[0], match.start()
        if not start or text[start - 1] not in _JOINS_LEFT:
            size = len(clump)
            if size < 3:
                continue
            if clump.isdigit():
                if size <= 10 and _free(text, start, start + size):
                    found.append(Candidate(start, start + size, clump, _DIGITS_WORTH[size]))
                continue
        if " " not in clump:
            _add(found, text, clump, start)
            continue
        parts = clump.split(" ")
        if clump.replace(" ", "").isdigit():
            sizes = tuple(map(len, parts))
            if sizes in _SPACED:
                if _free(text, start, match.end()):
                    worth = _DIGITS_WORTH[sum(sizes)] - 0.3
                    found.append(Candidate(start, match.end(), "".join(parts), worth))
                continue
            if _is_telephone(text, start, sizes) or (sizes[0] < 3 and {*sizes[1:]} == {3}):
                continue
        for part in parts:
            if len(part) > 2:
                _add(found, text, part, start)
            start += len(part) + 1
    return found


def _is_telephone(text: str, start: int, sizes: tuple[int, ...]) -> bool:
    total = sum(sizes)
    if total < 9:
        return False
    groups = len(sizes) > 2 and (total > 9 or max(sizes) < 6)
    return groups or text[start] == "0" or text[start - 1 : start] == "+"


def _free(text: str, start: int, end: int) -> bool:
    """Whether nothing that touches [start, end) makes it an amount, a mask or a part of more."""
    before = text[start - 1] if start else "\n"
    after = text[end] if end < len(text) else "\n"
    if before == " ":
        earlier = text[start - 2] if start > 1 else " "
        if earlier in _CURRENCIES or (earlier == ")" and text[start - 3].isdigit()):
            return False
    elif before in _TOUCHING_BEFORE:
        if before != after or before not in "*_":
            return False
        outside = text[max(0, start - 4) : start].rstrip("*_")[-1:]
        return not outside or outside.isspace() or outside == ":"
    elif before in ".…" and text[start - 2 : start - 1] in "..…":
        return False
    if after == " ":
        return text[end + 1 : end + 2] not in _CURRENCIES_AFTER
    if after not in _TOUCHING_AFTER:
        return True
    if after == "#":
        # A keypad is to be told where it ends: "dial in, then 4829#".
        return before == "#"
    return after == ")" and not (before == "(" and _AREA_CODE_ENDS.match(text, end))


def _add(found: list[Candidate], text: str, piece: str, start: int) -> None:
    end = start + len(piece)
    if start and text[start - 1] in _JOINS_LEFT:
        left = _LEFT.search(text, max(0, start - 16), start)
        if left is None:
            return
        start = left.start()
        piece = text[start:end]
        word, hyphen, rest = piece.partition("-")
        if hyphen and word.isalpha() and _names_code(word):
            piece, start = rest, end - len(rest)
    if not _free(text, start, end):
        return
    if piece.isdigit():
        if 3 <= len(piece) <= 10:
            found.append(Candidate(start, end, piece, _DIGITS_WORTH[len(piece)]))
    elif "-" in piece:
        _add_hyphenated(found, piece, start, end)
    elif piece.isalnum():
        _add_mixed(found, piece, start, end)
    else:
        _add_before_decimal(found, piece, start)


def _add_hyphenated(found: list[Candidate], piece: str, start: int, end: int) -> None:
    word, _, rest = piece.partition("-")
    if _MASK.fullmatch(word):
        return
    if word.isalpha() and rest.isdigit() and 3 <= len(rest) <= 10:
        if len(word) > 4:
            found.append(Candidate(end - len(rest), end, rest, _DIGITS_WORTH[len(rest)]))
            return
        if len(rest) > 3:
            found.append(Candidate(start, end, rest, 1.5, piece))
            return
    groups = piece.split("-")
    joined = "".join(groups)
    if not joined.isalnum() or _MASK.search(joined):
        return
    if joined.isdigit():
        if _DATE.fullmatch(piece):
            return
        even = len(set(map(len, groups))) == 1
        if not 4 <= len(joined) <= 8 or (len(groups) > 3 and not even) or _YEARS.fullmatch(piece):
            return
        worth = 1.2 if even and len(groups) != 4 else 0.0
        found.append(Candidate(start, end, joined, worth, piece))
    elif 5 <= len(joined) <= 10 and joined.isupper():
        found.append(Candidate(start, end, joined, 0.8, piece))


def _add_mixed(found: list[Candidate], piece: str, start: int, end: int) -> None:
    glued = _GLUED_WORD.fullmatch(piece)
    if glued:
        if glued[2].lower() not in _UNITS_GLUED and len(glued[1]) > 4:
            found.append(Candidate(start, start + len(glued[1]), glued[1], 0.4))
        return
    head = piece.rstrip("0123456789")
    digits = piece[len(head) :]
    if head.isalpha() and len(digits) > 2 and (_names_code(head) or head == "is"):
        if len(digits) <= 10:
            found.append(Candidate(end - len(digits), end, digits, _DIGITS_WORTH[len(digits)]))
        return
    if not 4 <= len(piece) <= 10 or _MASK.search(piece):
        return
    letters = piece.lstrip("0123456789")
    if letters.lower() in _UNITS_GLUED and len(piece) - len(letters) < 5:
        return
    if piece.isupper():
        worth = 0.6 if 4 < len(piece) < 9 else 0.0
        # What is drawn at random seldom spells a name before its number; a coupon does.
        worth -= 2.0 if _NAMED.fullmatch(piece) else 0.0
        found.append(Candidate(start, end, piece, worth))
    else:
        found.append(Candidate(start, end, piece, -0.6 if piece.islower() else -0.3))


def _names_code(head: str) -> bool:
    hits = words_in(head.lower())
    return bool(hits) and bool(hits[-1][2] & (CODE | ONCE | PASSWORD)) and hits[-1][1] == len(head)


def _add_before_decimal(found: list[Candidate], piece: str, start: int) -> None:
    """A code whose full stop touches the next number: "123456.5 min"."""
    match = _BEFORE_DECIMAL.fullmatch(piece)
    if match:
        found.append(Candidate(start, start + len(match[1]), match[1], 0.4))
