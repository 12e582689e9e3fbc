"""One table of keywords in every language, and the search for them in a run of letters.

The languages' words are in code_words_*.py, by role. `word` must be a whole word, `word*` may
begin one, `*word` may end one and `*word*` may stand anywhere in one; `two_words` is a phrase.
From the Hebrew block on every keyword but the shortest may stand anywhere in a run.
"""

import re
from dataclasses import dataclass
from itertools import chain

from .code_fold import fold
from .code_words_asia import ASIA
from .code_words_cyrillic import CYRILLIC
from .code_words_east import EAST
from .code_words_enter import ENTER as ENTERING
from .code_words_noise import NOISE
from .code_words_offers import OFFERS
from .code_words_small import SMALL
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
OPTOUT = 16384
ENTERED = 32768

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
    "optout": OPTOUT,
    "entered": ENTERED,
}

_FAMILIES = (WEST, EAST, CYRILLIC, ASIA, SMALL, ENTERING, OFFERS, NOISE)

Hit = tuple[int, int, int]
"""Where a keyword starts and ends, and the roles it may play."""

Phrases = tuple[tuple[str, int], ...]
Known = tuple[str, tuple[Hit, ...], Phrases]
"""A word between two spaces, the keywords in it, and the phrases that it may begin."""

_OPEN_LEFT = 1 << 20
_OPEN_RIGHT = 1 << 21
_ROLE_BITS = _OPEN_LEFT - 1
_FIRST_JOINED_SCRIPT = "\u0590"
_FIRST_UNSPACED_SCRIPT = "\u0e00"
_LONGEST_WORD = 40

_WORD = re.compile(
    r"[^\x00-\xbf\u060c\u061b\u061f\u06d4\u0964\u0965\u0589\u10fb\u104a\u104b\u1361-\u1368"
    r"\u17d4\u17d5\u2000-\u206f\u2100-\u2bff\u3000-\u3004\u3008-\u3020\uff00-\uff0f\uff1a-\uff20"
    r"\uff3b-\uff40\uff5b-\uff65]+|[a-z]+|№"
)
_ONLY_LETTERS = bytes(point if chr(point).islower() else 32 for point in range(256))
_RENAMED = CODE | NUMBER | PASSWORD | KIND | VERIFY
_FAR = 6
_SENTENCE_ENDS = frozenset(".!?。！？।")
_MOST_REMEMBERED = 16384

_table: dict[str, int] = {}
_starting: dict[str, tuple[int, ...]] = {}
_inside: dict[str, tuple[int, ...]] = {}
_phrases: dict[str, Phrases] = {}


def _lengths_of(stems: list[str]) -> dict[str, tuple[int, ...]]:
    """First two letters of keywords → the lengths of those that start so, the longest first."""
    lengths: dict[str, set[int]] = {}
    for stem in stems:
        lengths.setdefault(stem[:2], set()).add(len(stem))
    for head, sizes in lengths.items():
        # After "ab" may come the keyword "a" as well.
        sizes |= lengths.get(head[0], set())
    return {head: tuple(sorted(sizes, reverse=True)) for head, sizes in lengths.items()}


def _load() -> None:
    phrases: dict[str, dict[str, int]] = {}
    for language in chain.from_iterable(family.values() for family in _FAMILIES):
        for role, words in language.items():
            for word in fold(words).lower().split():
                bits = _ROLES[role]
                if "_" in word or "'" in word:
                    phrase = word.replace("_", " ")
                    known = phrases.setdefault(_WORD.findall(phrase)[0], {})
                    known[phrase] = known.get(phrase, 0) | bits
                    continue
                stem = word.strip("*")
                # Hebrew to Indic words stand apart: two letters in the midst of one say little.
                whole = len(stem) < 3 and stem[0] < _FIRST_UNSPACED_SCRIPT
                joined = stem[0] >= _FIRST_JOINED_SCRIPT and not whole
                if joined or word[0] == "*":
                    bits |= _OPEN_LEFT
                if joined or word[-1] == "*":
                    bits |= _OPEN_RIGHT
                _table[stem] = _table.get(stem, 0) | bits
    _starting.update(_lengths_of(list(_table)))
    _inside.update(_lengths_of([stem for stem, bits in _table.items() if bits & _OPEN_LEFT]))
    for first, known in phrases.items():
        _phrases[first] = tuple(sorted(known.items(), key=lambda item: -len(item[0])))


_load()


def scan(run: str) -> tuple[Hit, ...]:
    """The keywords in `run`, a folded lower-case run of letters without spaces or digits."""
    size = len(run)
    if size > _LONGEST_WORD and run[0] < _FIRST_JOINED_SCRIPT:
        return ()
    hits: list[Hit] = []
    lengths = _starting
    at = 0
    while at < size:
        step = 1
        for length in lengths.get(run[at : at + 2]) or lengths.get(run[at], ()):
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
        lengths = _inside
    return tuple(hits)


class _Memory(dict[str, Known | None]):
    """What is known of each word that was met before; of a new one it is found out."""

    def __missing__(self, word: str) -> Known | None:
        hits, phrases = scan(word), _phrases.get(word, ())
        known = (f" {word} ", hits, phrases) if hits or phrases else None
        # Long runs are not remembered, and the memory has an end, or a flood would fill it.
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[word] = known
        return known


_memory = _Memory()


def words_in(run: str) -> tuple[Hit, ...]:
    """What `scan` says of a short `run`, from memory if it has been asked before."""
    known = _memory[run]
    return known[1] if known else ()


@dataclass(slots=True)
class Reading:
    """A folded text in lower case, its keywords in their order, and all the roles they play."""

    low: str
    hits: list[Hit]
    roles: int


def _placed_ascii(low: str) -> list[tuple[int, Known]]:
    spaced = f" {low.encode().translate(_ONLY_LETTERS).decode()} "
    placed: list[tuple[int, Known]] = []
    at = -1
    for known in filter(None, map(_memory.__getitem__, spaced.split())):
        at = spaced.find(known[0], at + 1)
        placed.append((at, known))
    return placed


def _placed(low: str) -> list[tuple[int, Known]]:
    memory = _memory
    return [(match.start(), known) for match in _WORD.finditer(low) if (known := memory[match[0]])]


def read(low: str) -> Reading:
    """The keywords of a folded lower-case text, each with the role it plays there.

    "Number" is a code after "verification" and a label elsewhere; "code" beside "promo" is none.
    """
    hits: list[Hit] = []
    passed = phrase_end = roles = 0
    renamed = False
    for at, (_, found, phrases) in _placed_ascii(low) if low.isascii() else _placed(low):
        if at < phrase_end:
            continue
        for phrase, bits in phrases:
            if low.startswith(phrase, at):
                phrase_end = at + len(phrase)
                found = ((0, len(phrase), bits),)
                break
        for first, last, bits in found:
            first += at
            if bits & _RENAMED and first - passed <= _FAR and hits:
                between = low[passed:first]
                if _SENTENCE_ENDS.isdisjoint(between):
                    bits = _renamed(hits, len(between), bits)
                    renamed = True
            passed = at + last
            roles |= bits
            hits.append((first, passed, bits))
    if renamed:
        roles = 0
        for _, _, bits in hits:
            roles |= bits
    return Reading(low, hits, roles)


def _renamed(hits: list[Hit], gap: int, bits: int) -> int:
    """The roles of a keyword `gap` characters after the last of `hits`; may change that one's."""
    previous_first, previous_last, previous = hits[-1]
    if bits & (CODE | NUMBER | PASSWORD) and not bits & ONCE and gap <= 2 and previous & KIND:
        return KIND
    if bits & NUMBER and previous & (VERIFY | PASSWORD | ONCE):
        return CODE
    if bits & VERIFY and gap <= 5 and previous & NUMBER:
        hits[-1] = (previous_first, previous_last, CODE)
    elif bits & KIND and gap <= 4 and previous & CODE and not previous & (ONCE | VERIFY):
        hits[-1] = (previous_first, previous_last, KIND)
    return bits
