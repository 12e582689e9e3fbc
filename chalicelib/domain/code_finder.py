"""Finding the one-time code in an SMS.

Every piece of the text that could be a code is scored by its shape, by the words around it (in
any of some eighty languages) and by what the whole message is about; the best one wins if it is
good enough. Time is linear in the text, which is cut at `MAX_ANALYSED` characters.
"""

import re
from typing import NamedTuple

from .code_fold import fold
from .code_guess import by_structure, may_be_spelled, spelled
from .code_scoring import THRESHOLD, rank
from .code_services import service_of
from .code_shapes import Candidate, candidates, without_urls
from .code_words import read

MAX_ANALYSED = 1600


class FoundCode(NamedTuple):
    """The code of an SMS, as its user would type it, and how it was found.

    `reason` is one of "bound" (`@domain #code`), "alone" (nothing else in the text), "keyword",
    "structure" (unknown words, telling places) and "letters" (no digit in it).
    """

    code: str
    service: str | None
    confidence: float
    reason: str
    others: tuple[str, ...]


_BOUND = re.compile(r"(?:^|\s)@[A-Za-z0-9.-]{3,80} #([A-Za-z0-9-]{3,12})(?![A-Za-z0-9])")
_ALONE = re.compile(r"[\s\W]*(?:[A-Z]{1,4}-)?([0-9]{3}[- ]?[0-9]{3}|[0-9]{4,8})[\s\W]*")
_APP_HASH = re.compile(r"\s[A-Za-z0-9+/]{11}")
_LONGEST_ALONE = 30


def find_code(text: str, sender: str | None = None) -> FoundCode | None:
    """The one-time code in `text`, or None if it holds none.

    `sender` is the SMS's alphanumeric sender, if any; it only helps to name the service.
    Never raises, whatever the characters.
    """
    folded = fold(text[:MAX_ANALYSED])[:MAX_ANALYSED]
    if "@" in folded and "#" in folded:
        bound = _BOUND.search(folded)
        if bound and 3 <= len(_typed(bound[1])) <= 10:
            return _found(text, sender, _typed(bound[1]), 0.99, "bound")
    if len(folded) < _LONGEST_ALONE:
        alone = _ALONE.fullmatch(folded)
        if alone:
            return _found(text, sender, _typed(alone[1]), 0.8, "alone")
    return _by_words(text, sender, _without_hash(without_urls(folded)))


def _by_words(text: str, sender: str | None, folded: str) -> FoundCode | None:
    choices = candidates(folded)
    if not choices and not may_be_spelled(folded):
        return None
    reading = read(folded.lower())
    ranked = rank(reading, choices) if choices else []
    if ranked and ranked[0][0] >= THRESHOLD:
        score, best = ranked[0]
        confidence = round(0.5 + (score - THRESHOLD) * 0.1, 2)
        others = _others(best, [choice for _, choice in ranked])
        return _found(text, sender, best.code, min(0.99, confidence), "keyword", others)
    lone = by_structure(reading, choices) if choices else None
    if lone is not None:
        return _found(text, sender, lone.code, 0.55, "structure", _others(lone, choices))
    letters = spelled(folded, reading)
    if letters is not None:
        return _found(text, sender, letters.code, 0.6, "letters", _others(letters, choices))
    return None


def _others(best: Candidate, choices: list[Candidate]) -> tuple[str, ...]:
    if len(choices) < 2 and not best.alternative:
        return ()
    codes = [best.alternative, *(choice.code for choice in choices)]
    return tuple(code for code in dict.fromkeys(codes) if code and code != best.code)


def _found(
    text: str,
    sender: str | None,
    code: str,
    confidence: float,
    reason: str,
    others: tuple[str, ...] = (),
) -> FoundCode:
    return FoundCode(code, service_of(text, sender), confidence, reason, others)


def _typed(code: str) -> str:
    return code.replace("-", "").replace(" ", "")


def _without_hash(folded: str) -> str:
    """`folded` without the 11 characters by which an Android app knows that an SMS is its own."""
    tail = folded[-16:].rstrip()[-12:]
    if not tail[:1].isspace() or not _APP_HASH.fullmatch(tail) or tail[1:].islower():
        return folded
    return folded[: folded.rindex(tail)]
