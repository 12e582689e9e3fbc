"""One table of keywords in every language, and the search for them in a run of letters.

The languages' words are in code_words_*.py, by role. `word` must be a whole word, `word*` may
begin one, `*word` may end one and `*word*` may stand anywhere in one; `two_words` is a phrase.
From the Hebrew block on every keyword may stand anywhere in a run.
"""

import re
from functools import lru_cache

from .code_fold import fold
from .code_words_asia import ASIA
from .code_words_cyrillic import CYRILLIC
from .code_words_east import EAST
from .code_words_noise import NOISE
from .code_words_west import WEST

CODE = 1
ONCE = 2
VERIFY = 4
PASSWORD = 8
GUARD = 16
ENTER = 32
UNIT = 64
LABEL = 128
NUMBER = 256
KIND = 512
PROMO = 1024
BANK = 2048
NOTICE = 4096
MONEY = 8192

_ROLES = {
    "code": CODE,
    "once": ONCE,
    "verify": VERIFY,
    "password": PASSWORD,
    "guard": GUARD,
    "enter": ENTER,
    "minutes": UNIT,
    "label": LABEL,
    "number": NUMBER,
    "kind": KIND,
    "promo": PROMO,
    "bank": BANK,
    "notice": NOTICE,
    "money": MONEY,
}

Hit = tuple[int, int, int]
"""Where a keyword starts and ends, and the roles it may play."""

_OPEN_LEFT = 1 << 20
_OPEN_RIGHT = 1 << 21
_ROLE_BITS = _OPEN_LEFT - 1
_FIRST_JOINED_SCRIPT = "\u0590"
_LONGEST_WORD = 40

_table: dict[str, int] = {}
_lengths: dict[str, tuple[int, ...]] = {}
_phrases: dict[str, tuple[tuple[str, int], ...]] = {}


def _load() -> None:
    phrases: dict[str, dict[str, int]] = {}
    for language in (*WEST.values(), *EAST.values(), *CYRILLIC.values(), *ASIA.values(),
                     *NOISE.values()):  # fmt: skip
        for role, words in language.items():
            for word in fold(words).lower().split():
                bits = _ROLES[role]
                if "_" in word:
                    phrase = word.replace("_", " ")
                    known = phrases.setdefault(phrase.split()[0], {})
                    known[phrase] = known.get(phrase, 0) | bits
                    continue
                stem = word.strip("*")
                joined = stem[0] >= _FIRST_JOINED_SCRIPT
                if joined or word[0] == "*":
                    bits |= _OPEN_LEFT
                if joined or word[-1] == "*":
                    bits |= _OPEN_RIGHT
                _table[stem] = _table.get(stem, 0) | bits
    lengths: dict[str, set[int]] = {}
    for stem in _table:
        lengths.setdefault(stem[0], set()).add(len(stem))
    _lengths.update((head, tuple(sorted(sizes, reverse=True))) for head, sizes in lengths.items())
    _phrases.update((first, tuple(known.items())) for first, known in phrases.items())


_load()


def _scan(run: str) -> tuple[Hit, ...]:
    hits: list[Hit] = []
    at, size = 0, len(run)
    while at < size:
        step = 1
        for length in _lengths.get(run[at], ()):
            end = at + length
            bits = _table.get(run[at:end]) if end <= size else None
            if bits is None:
                continue
            if (at and not bits & _OPEN_LEFT) or (end < size and not bits & _OPEN_RIGHT):
                continue
            hits.append((at, end, bits & _ROLE_BITS))
            step = length
            break
        at += step
    return tuple(hits)


def scan(run: str) -> tuple[Hit, ...]:
    """The keywords in `run`, a folded lower-case run of letters without spaces or digits."""
    if len(run) > _LONGEST_WORD and run[0] < _FIRST_JOINED_SCRIPT:
        return ()
    return _scan(run)


@lru_cache(maxsize=16384)
def _known(word: str) -> tuple[tuple[Hit, ...], tuple[tuple[str, int], ...]] | None:
    """The keywords in a word and the phrases that it begins; None for most words."""
    hits, phrases = _scan(word), _phrases.get(word, ())
    return (hits, phrases) if hits or phrases else None


_WORD = re.compile(
    r"[a-z]+|[^\x00-\xbf\u060c\u061b\u061f\u06d4\u0964\u0965\u0589\u10fb\u104a\u104b\u1361-\u1368"
    r"\u17d4\u17d5\u2000-\u206f\u2100-\u2bff\u3000-\u3004\u3008-\u3020\uff00-\uff0f\uff1a-\uff20"
    r"\uff3b-\uff40\uff5b-\uff65]+"
)
_ASCII_WORD = re.compile(r"[a-z]+")


def keywords(low: str) -> list[Hit]:
    """The keywords of a folded lower-case text, in its order, each with the role it plays there.

    "Number" is a code after "verification" and a label elsewhere; "code" beside "promo" is none.
    """
    hits: list[Hit] = []
    phrase_end = 0
    for match in (_ASCII_WORD if low.isascii() else _WORD).finditer(low):
        word = match[0]
        # Long runs are not remembered, or a flood of them would fill the memory.
        known = _known(word) if len(word) <= _LONGEST_WORD else (scan(word), ())
        if known is None:
            continue
        start = match.start()
        if start < phrase_end:
            continue
        found, phrases = known
        for phrase, bits in phrases:
            if low.startswith(phrase, start):
                phrase_end = start + len(phrase)
                found = ((0, len(phrase), bits),)
                break
        for first, last, bits in found:
            _append(hits, start + first, start + last, bits)
    return hits


def _append(hits: list[Hit], first: int, last: int, bits: int) -> None:
    if hits and bits & (CODE | NUMBER | KIND | VERIFY):
        previous_first, previous_last, previous = hits[-1]
        gap = first - previous_last
        if bits & (CODE | NUMBER) and not bits & ONCE and gap <= 2 and previous & KIND:
            bits = KIND
        elif bits & NUMBER and gap <= 6 and previous & (VERIFY | PASSWORD | ONCE):
            bits = CODE
        elif bits & VERIFY and gap <= 5 and previous & NUMBER:
            hits[-1] = (previous_first, previous_last, CODE)
        elif bits & KIND and gap <= 4 and previous & CODE and not previous & (ONCE | VERIFY):
            hits[-1] = (previous_first, previous_last, KIND)
    hits.append((first, last, bits))
