"""Weighing the candidates of one SMS by the keywords around them.

A score is the sum of what the shape is worth, how near the words for "code", "password" or
"verify" are, what names the number as something else, and what the whole message is about.
"""

import re
from bisect import bisect_left
from typing import NamedTuple

from .code_shapes import Candidate
from .code_words import (
    BANK,
    CODE,
    ENTER,
    GUARD,
    KIND,
    LABEL,
    MONEY,
    NOTICE,
    NUMBER,
    ONCE,
    PASSWORD,
    PROMO,
    UNIT,
    VERIFY,
    Hit,
    scan,
)

THRESHOLD = 3.5
_IMPOSSIBLE = -9.0
_NEIGHBOURS = 8
_MOST_CANDIDATES = 24
_ANNOUNCES = CODE | ONCE | PASSWORD
_ATTRACTS = _ANNOUNCES | VERIFY
_NAMES_OTHER = LABEL | KIND | NUMBER
_NO_LOGIN = LABEL | KIND | PROMO | BANK | NOTICE | MONEY

_BREAK = re.compile(r"[.!?\n。！？।။។](?:(?<![.!?])|(?= ))")
_APART = re.compile(
    r"[.!?] (?![#:0-9])|[,;\n，、。！？।။។0-9]"
    r"|\b(?:with|using|or|oder|ou|или|mit|con|avec|com|med|cu)\b"
)
_OPENERS = " \t\n\"'“”«»‘’„([<{#「『*"
_LINKS = (
    *(":", "=", ">", "-", "为", "為", "是", "は", "은", "는", " is", " es", " e", " est", " ist"),
    *(" er", " ar", " on", " je", " jest", " la", " adalah", " ialah", " este", " esta", " as"),
    *(" lautet", " are", " code", " otp", " with", " by", " ειναι", " είναι"),
)
_ENGLISH = re.compile(r"\b(?:the|your|you|and|this|have|from|new)\b")
_DATED = re.compile(
    r"(?:[0-9](?:st|nd|rd|th)?[,.]?|©|\b(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]{0,6}[.,]?|copyright|in|since|de|of))\s$"
)
_LINE_EDGE = ("", "\n", "\r")
_SENT_TO = re.compile(r"(?:^|\s)(?:to|2|al|au|an|na|на|no|ao|til|naar)\s{1,2}$")


class Ranked(NamedTuple):
    """A candidate and its score."""

    score: float
    choice: Candidate


def rank(low: str, choices: list[Candidate], hits: list[Hit]) -> list[Ranked]:
    """The candidates that score above zero, the best first; of equals, the earlier one."""
    if len(choices) > _MOST_CANDIDATES:
        choices = choices[: _MOST_CANDIDATES // 2] + choices[-_MOST_CANDIDATES // 2 :]
    mood = _mood(low, hits)
    ranked: list[Ranked] = []
    for choice in choices:
        before, after = _around(hits, choice)
        score = mood + _score(low, choice, before, after)
        if score > 0:
            ranked.append(Ranked(score, choice))
    ranked.sort(key=lambda pair: -pair.score)
    return ranked


def _around(hits: list[Hit], choice: Candidate) -> tuple[list[Hit], list[Hit]]:
    """The keywords nearest to a candidate, before and after it, both in the text's order."""
    passed = bisect_left(hits, (choice.start, 0, 0))
    after = hits[passed : passed + _NEIGHBOURS]
    while after and after[0][0] < choice.end:
        del after[0]
    return hits[max(0, passed - _NEIGHBOURS) : passed], after


def _mood(low: str, hits: list[Hit]) -> float:
    """What the message as a whole adds to, or takes from, each of its candidates."""
    roles = promo = bank = notice = guards = 0
    for start, _, bits in hits:
        roles |= bits
        if bits & PROMO:
            promo += 1
        if bits & BANK:
            bank += 1
        if bits & NOTICE:
            notice += 1
        if bits & GUARD or (bits & UNIT and low[max(0, start - 2) : start].strip().isdigit()):
            guards += 1
    mood = min(guards, 2) * 0.5
    if "<#>" in low or "[#]" in low:
        mood += 1.0
    against = 2.5 if roles & KIND else 0.0
    against += min(4.0, promo * 2.0) + min(1.5, bank) + min(2.0, notice) + ("%" in low)
    if roles & ONCE or (roles & _ANNOUNCES and roles & VERIFY):
        against *= 0.3
    elif roles & _ANNOUNCES and roles & GUARD:
        against *= 0.6
    return mood - against


def _score(low: str, choice: Candidate, before: list[Hit], after: list[Hit]) -> float:
    start = choice.start
    if _is_amount(low, choice, before, after):
        return _IMPOSSIBLE
    announced, verified = _attraction(low, choice, before, after)
    linked = low[max(0, start - 14) : start].rstrip(_OPENERS).endswith(_LINKS)
    score = choice.worth + announced + verified * (0.5 if announced else 1.0)
    if linked:
        score += 0.8
    if low[start - 1 : start] in _LINE_EDGE and low[choice.end : choice.end + 1] in _LINE_EDGE:
        score += 1.0
    invited = _invitation(low, start, before, linked)
    score += invited * 0.5 if announced and invited > 0 else invited
    score += _misnaming(low, choice, before, after, announced)
    if len(choice.code) == 4 and choice.code[:2] in ("19", "20"):
        dated = _DATED.search(low, max(0, start - 14), start)
        score -= 4.0 if dated else 0.3 if announced > 2.5 else 2.5
    return score


def _is_amount(low: str, choice: Candidate, before: list[Hit], after: list[Hit]) -> bool:
    """Whether a currency or a unit stands beside the candidate, and is not its neighbour's."""
    if after and after[0][2] & (UNIT | MONEY) and after[0][0] - choice.end <= 1:
        first, last, bits = after[0]
        if last - first > 1 or (first == choice.end and (bits & MONEY or len(choice.code) < 5)):
            return True
    if not before:
        return False
    first, last, bits = before[-1]
    return (
        bool(bits & MONEY)
        and choice.start - last <= 2
        and not low[max(0, first - 2) : first].strip().isdigit()
    )


def _attraction(
    low: str, choice: Candidate, before: list[Hit], after: list[Hit]
) -> tuple[float, float]:
    """How strongly the words that announce a code, and those that speak of verifying, pull."""
    announced = verified = 0.0
    for first, last, bits in before + after:
        if not bits & _ATTRACTS:
            continue
        left, right = (last, choice.start) if last <= choice.start else (choice.end, first)
        pull = (1.0 if right == choice.start else 0.97) - (right - left) * 0.008
        if pull < 0.3:
            pull = 0.3
        if right - left > 2 and _BREAK.search(low, left, right):
            pull *= 0.7 if bits & (CODE | ONCE | VERIFY) else 0.5
        if bits & _ANNOUNCES:
            announced = max(announced, pull * (4.6 if bits & ONCE else 4.0))
        else:
            verified = max(verified, pull * 2.2)
    return announced, verified


def _invitation(low: str, start: int, before: list[Hit], linked: bool) -> float:
    """What "enter" just before adds; what "text YES to" before a short number takes."""
    invited = 0.0
    sent = False
    for _, last, bits in before:
        gap = start - last
        if bits & ENTER and gap < 12:
            invited = 1.8 if gap < 3 else 1.2
        if bits & LABEL and gap < 45:
            sent = True
    if sent and not linked and _SENT_TO.search(low, max(0, start - 6), start):
        invited -= 5.0
    return invited


def _misnaming(
    low: str, choice: Candidate, before: list[Hit], after: list[Hit], announced: float
) -> float:
    """What a word beside the candidate takes that names it an order, a card, a telephone …"""
    penalty = 0.0
    if before:
        _, last, bits = before[-1]
        gap = choice.start - last
        if (
            bits & _NAMES_OTHER
            and not bits & _ANNOUNCES
            and gap <= 14
            and not _APART.search(low, last, choice.start)
        ):
            penalty -= 5.0
    if after and not announced:
        first, _, bits = after[0]
        if bits & (LABEL | KIND) and not _APART.search(low, choice.end, first):
            penalty -= 2.0
    return penalty


def by_structure(low: str, choices: list[Candidate], hits: list[Hit]) -> Candidate | None:
    """The code of a message in words we do not know: six digits that open it or end it.

    None if any known word speaks of an order, money or a promotion, and in plain English, whose
    codes are never without a keyword.
    """
    sixes = [c for c in choices if len(c.code) == 6 and c.code.isdigit() and c.worth >= 1]
    if len(sixes) != 1 or any(bits & _NO_LOGIN for _, _, bits in hits) or _ENGLISH.search(low):
        return None
    only = sixes[0]
    before, after = _around(hits, only)
    if _is_amount(low, only, before, after):
        return None
    head, tail = low[: only.start].strip(), low[only.end :].strip(" .!。।")
    opens = not head.strip("[(【<#>") and bool(tail) and not tail[0].isdigit()
    follows = head[-1:] in (":", "=") and (not tail or len(head) < 40)
    guarded = any(bits & (GUARD | ENTER) for _, _, bits in hits)
    return only if opens or follows or guarded or only.alternative[:2] == "G-" else None


_LETTERS = re.compile(
    r"(?: is| es| est| ist| e| er| este)?\s?[:=]?\s{0,2}[\"'(\[]?"
    r"([A-Z]{4,10}|[A-Z]{3,5}-[A-Z]{3,5}|(?<=[:=]\s)[a-z]{5,10}(?=[\"')\].]?\s*$))(?![A-Za-z0-9])"
)


def spelled(text: str, hits: list[Hit]) -> Candidate | None:
    """A code of letters only, directly after the word that announces it."""
    if text.isupper() or any(bits & (PROMO | KIND) for _, _, bits in hits):
        return None
    for _, end, bits in hits:
        match = _LETTERS.match(text, end) if bits & _ANNOUNCES else None
        if match and not scan(match[1].lower()):
            return Candidate(match.start(1), match.end(1), match[1].replace("-", ""), 0.0)
    return None
