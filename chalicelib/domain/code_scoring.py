"""Weighing the candidates of one SMS by the keywords around them.

A score is the sum of what the shape is worth, how near the words for "code", "password" or
"verify" are, what names the number as something else, and what the whole message is about.
"""

import re
from bisect import bisect_left

from .code_shapes import Candidate
from .code_words import (
    BANK,
    CODE,
    ENTER,
    ENTERED,
    GUARD,
    KIND,
    LABEL,
    MONEY,
    NOTICE,
    NUMBER,
    ONCE,
    OPTOUT,
    PASSWORD,
    PROMO,
    UNIT,
    VERIFY,
    Hit,
    Reading,
)

THRESHOLD = 3.5
_IMPOSSIBLE = -9.0
_CODE_PULL = 4.0
_ONCE_PULL = 4.6
_VERIFY_PULL = 2.2
_INVITED = 1.8
_NEIGHBOURS = 8
_MOST_CANDIDATES = 24
ANNOUNCES = CODE | ONCE | PASSWORD
_ATTRACTS = ANNOUNCES | VERIFY
_NAMES_OTHER = LABEL | KIND | NUMBER | OPTOUT
_INVITES = ENTER | ENTERED | LABEL
_AGAINST = KIND | OPTOUT | PROMO | BANK | NOTICE
_LIFTS = _ATTRACTS | ENTER | ENTERED | GUARD | UNIT

_BREAK = re.compile(r"[.!?\n。！？।။។](?:(?<![.!?])|(?<!\sр\.)(?<!\sруб\.)(?<!\sгрн\.)(?= ))")
_APART = re.compile(
    r"[.!?] (?![#:0-9])|[,;\n，、。！？।။។0-9]"
    r"|\b(?:with|using|or|oder|ou|или|mit|con|avec|com|med|cu)\b"
)
_OPENERS = " \t\n\"'“”«»‘’„([<{#「『*"
_LINK_ENDS = frozenset(":=>-为為是は은는")
_LINKING = """
is es e est ist er ar on je jest la adalah ialah este esta as lautet are code otp with by ειναι ye
ay ni huwa yw
"""
_LINK_WORDS = frozenset(_LINKING.split())
_DATED = re.compile(
    r"(?:[0-9](?:st|nd|rd|th)?[,.]?|©|\b(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]{0,6}[.,]?|copyright|in|since|de|of))\s$"
)
_POLISH_IS = re.compile(r"\b(?:kod|haslo)\b[^.,;:!?\n0-9]{0,70} to\s{1,2}$")
_LINE_EDGE = frozenset(("", "\n", "\r"))
_SENT_TO = re.compile(r"(?:^|\s)(?:to|2|al|au|an|na|на|no|ao|til|naar)\s{1,2}$")


Near = tuple[list[Hit], list[Hit]]
"""The keywords before and after a candidate."""
Pull = tuple[float, float]
"""How strongly a candidate is announced as a code, and as something that verifies."""
_NO_PULL = (0.0, 0.0)


Ranked = tuple[float, Candidate]
"""A candidate after its score."""


def rank(reading: Reading, choices: list[Candidate]) -> list[Ranked]:
    """The candidates that score above zero, the best first; of equals, the earlier one.

    None at all where no word could lift any candidate over the threshold.
    """
    low, hits, roles = reading.low, reading.hits, reading.roles
    marked = "<#>" in low or "[#]" in low
    if not roles & _LIFTS and not marked:
        return []
    mood = _mood(reading) + marked
    if mood < 0 and roles & ANNOUNCES and _opens(reading, choices[0]):
        mood *= 0.3
    if mood + _most_it_can_reach(roles) < THRESHOLD:
        return []
    if len(choices) > _MOST_CANDIDATES:
        choices = choices[: _MOST_CANDIDATES // 2] + choices[-_MOST_CANDIDATES // 2 :]
    ranked: list[Ranked] = []
    for choice in choices:
        score = mood + _score(reading, choice, around(hits, choice))
        if score > 0:
            ranked.append((score, choice))
    if len(ranked) > 1:
        ranked.sort(key=_by_score)
    return ranked


def _opens(reading: Reading, first: Candidate) -> bool:
    """Whether the message begins with a code and says so, before it turns to anything else."""
    end = _BREAK.search(reading.low, first.end)
    if first.start > 3 or not first.code.isdigit() or not end:
        return False
    roles = 0
    for start, _, bits in reading.hits:
        if start < end.start():
            roles |= bits
    return roles & ANNOUNCES > 0 and not roles & (_AGAINST | LABEL)


def _by_score(ranked: Ranked) -> float:
    return -ranked[0]


def _most_it_can_reach(roles: int) -> float:
    """What the best of shapes in the best of places scores in a message of these roles."""
    most = 1.5 + 0.8 + 1.0
    if roles & ANNOUNCES:
        most += _ONCE_PULL + 0.8
    if roles & VERIFY:
        most += _VERIFY_PULL
    return most + _INVITED if roles & (ENTER | ENTERED) else most


def around(hits: list[Hit], choice: Candidate) -> Near:
    """The keywords nearest to a candidate, before and after it, both in the text's order."""
    passed = bisect_left(hits, (choice.start,))
    after = hits[passed : passed + _NEIGHBOURS]
    while after and after[0][0] < choice.end:
        del after[0]
    return hits[passed - _NEIGHBOURS if passed > _NEIGHBOURS else 0 : passed], after


def _mood(reading: Reading) -> float:
    """What the message as a whole adds to, or takes from, each of its candidates."""
    low, hits, roles = reading.low, reading.hits, reading.roles
    mood = 0.0
    if roles & (GUARD | UNIT):
        for start, _, bits in hits:
            if bits & GUARD or (bits & UNIT and low[max(0, start - 2) : start].strip().isdigit()):
                mood += 0.5
                if mood == 1.0:
                    break
    if not roles & _AGAINST and "%" not in low:
        return mood
    promo = bank = notice = 0
    for _, _, bits in hits:
        if bits & PROMO:
            promo += 1
        if bits & BANK:
            bank += 1
        if bits & NOTICE:
            notice += 1
    against = (1.5 if roles & KIND else 0.0) + (0.8 if roles & OPTOUT else 0.0)
    against += min(4.0, promo * 2.0) + min(1.5, bank) + min(2.0, notice) + ("%" in low)
    if roles & ONCE or (roles & ANNOUNCES and roles & VERIFY):
        against *= 0.3
    elif roles & ANNOUNCES and roles & GUARD:
        against *= 0.6
    return mood - against


def _score(reading: Reading, choice: Candidate, near: Near) -> float:
    low, roles = reading.low, reading.roles
    start = choice.start
    if roles & (UNIT | MONEY) and is_amount(low, choice, near):
        return _IMPOSSIBLE
    announced, verified = _attraction(low, choice, near) if roles & _ATTRACTS else _NO_PULL
    lead = low[start - 14 if start > 14 else 0 : start].rstrip(_OPENERS)
    last_word = lead.rpartition(" ")[2]
    linked = lead[-1:] in _LINK_ENDS or last_word in _LINK_WORDS
    if last_word == "to" and not linked:
        linked = _POLISH_IS.search(low, max(0, start - 80), start) is not None
    score = choice.worth + announced + verified * (0.5 if announced else 1.0)
    if linked:
        # "Code: 4829" says it outright, whatever else the message is about.
        score += 1.6 if announced > 3.7 else 0.8
    if low[start - 1 : start] in _LINE_EDGE and low[choice.end : choice.end + 1] in _LINE_EDGE:
        score += 1.0
    if roles & _INVITES:
        invited = invitation(low, choice, near, linked)
        score += invited * 0.5 if announced and invited > 0 else invited
    if roles & _NAMES_OTHER:
        given = linked and roles & (VERIFY | ONCE) and _is_given(low, start, near[0])
        score += _misnaming(low, choice, near, (announced, verified), given=bool(given))
    if len(choice.code) == 4 and choice.code[:2] in ("19", "20"):
        dated = _DATED.search(low, max(0, start - 14), start)
        score -= 4.0 if dated else 0.3 if announced > 2.5 else 2.5
    return score


def is_amount(low: str, choice: Candidate, near: Near) -> bool:
    """Whether a currency or a unit stands beside the candidate, and is not its neighbour's."""
    before, after = near
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


def _attraction(low: str, choice: Candidate, near: Near) -> Pull:
    """How strongly the words that announce a code, and those that speak of verifying, pull."""
    before, after = near
    start, end = choice.start, choice.end
    announced = verified = 0.0
    # The nearest first: then few of the others need be looked at for what stands between.
    for first, last, bits in before[::-1] + after:
        if not bits & _ATTRACTS:
            continue
        left, right, pull = (last, start, 1.0) if first < start else (end, first, 0.97)
        gap = right - left
        pull = pull - gap * 0.008 if gap < 84 else 0.3
        weight = _VERIFY_PULL
        if bits & ANNOUNCES:
            weight = _ONCE_PULL if bits & ONCE else _CODE_PULL
        if pull * weight <= (announced if weight > _VERIFY_PULL else verified):
            continue
        if gap > 2 and _BREAK.search(low, left, right):
            pull *= 0.7 if bits & (CODE | ONCE | VERIFY) else 0.5
        pull *= weight
        if weight > _VERIFY_PULL:
            announced = max(announced, pull)
        else:
            verified = max(verified, pull)
    return announced, verified


def invitation(low: str, choice: Candidate, near: Near, linked: bool) -> float:
    """What "enter" beside it adds; what "text YES to" before a short number takes."""
    before, after = near
    invited = 0.0
    sent = False
    for _, last, bits in before:
        gap = choice.start - last
        if bits & ENTER and gap < 12:
            invited = _INVITED if gap < 3 else 1.2
        if bits & LABEL and gap < 45:
            sent = True
    if after and after[0][2] & ENTERED and after[0][0] - choice.end < 9:
        invited = _INVITED
    if sent and not linked and _SENT_TO.search(low, max(0, choice.start - 6), choice.start):
        invited -= 5.0
    return invited


def _is_given(low: str, start: int, before: list[Hit]) -> bool:
    """Whether a clause that began with the word for a code goes on to what starts here."""
    for _, last, bits in before[::-1]:
        if bits & (CODE | ONCE):
            return not _APART.search(low, last, start)
        if bits & KIND:
            return False
    return False


def _misnaming(low: str, choice: Candidate, near: Near, pull: Pull, *, given: bool) -> float:
    """What a word beside the candidate takes that names it an order, a card, a telephone …

    A label in the midst of "your code for your account is" names no number that is `given` so.
    """
    before, after = near
    penalty = 0.0
    if before:
        _, last, bits = before[-1]
        gap = choice.start - last
        if (
            bits & _NAMES_OTHER
            and not bits & ANNOUNCES
            and not given
            and gap <= 14
            and not _APART.search(low, last, choice.start)
        ):
            penalty -= 5.0
    announced, verified = pull
    if after and not announced:
        first, _, bits = after[0]
        names = KIND if verified and bits & NUMBER else LABEL | KIND
        if bits & names and not _APART.search(low, choice.end, first):
            penalty -= 2.0
    return penalty
