"""Finding the code of a message whose words say little: by its place, or spelled in letters.

Asked only when no candidate scored enough in code_scoring.
"""

import re

from .code_scoring import ANNOUNCES, around, invitation, is_amount
from .code_shapes import Candidate
from .code_words import (
    BANK,
    ENTER,
    GUARD,
    KIND,
    LABEL,
    MONEY,
    NOTICE,
    OPTOUT,
    PROMO,
    Reading,
    words_in,
)

_NEVER = KIND | PROMO
_SELDOM = BANK | NOTICE | MONEY | OPTOUT
_NO_LOGIN = LABEL | _NEVER | _SELDOM
_ENGLISH = re.compile(r"\b(?:the|your|you|and|this|have|from|new)\b")
_HEADER = re.compile(r"[【\[][^】\]]{1,30}[】\]]")
_DIGIT = re.compile(r"[0-9]")
_LETTERS = re.compile(
    r"((?: is| es| est| ist| e| er| este)?\s?[:=]?\s{0,2}[\"'(\[]?)"
    r"([A-Z]{4,10}|[A-Z]{3,5}-[A-Z]{3,5}|(?<=[:=]\s)[a-z]{5,10}(?=[\"')\].]?\s*$))(?![A-Za-z0-9])"
)
_CLAUSE_ENDS = ("", ".", ",", "!", "\n", "\r")
_CAPITALS = re.compile(r"[A-Z]{4}|[A-Z]{3}-[A-Z]{3}|[:=]\s[\"'(\[]?[a-z]{5,10}[\"')\].]?\s{0,9}$")


def by_structure(reading: Reading, choices: list[Candidate]) -> Candidate | None:
    """The code of a message in words we do not know: six digits that open it or end it.

    None if any known word speaks of an order, money or a promotion, and in plain English, whose
    codes are never without a keyword.
    """
    low, hits, roles = reading.low, reading.hits, reading.roles
    if roles & _NEVER or (roles & _SELDOM and not roles & GUARD):
        return None
    sixes = [c for c in choices if len(c.code) == 6 and c.code.isdigit() and c.worth >= 1]
    if len(sixes) != 1:
        return None
    only = sixes[0]
    near = around(hits, only)
    head, tail = low[: only.start].strip(), low[only.end :].strip(" .!。।")
    headed = _HEADER.fullmatch(head) is not None
    invited = invitation(low, only, near, linked=True) > 1.5
    named = near[0] and near[0][-1][2] & LABEL and only.start - near[0][-1][1] < 4
    telling = _NEVER | _SELDOM if invited and not named else _NO_LOGIN
    if headed and roles & GUARD:
        telling = _NEVER
    if roles & telling or _ENGLISH.search(low) or is_amount(low, only, near):
        return None
    opens = bool(tail) and not tail[0].isdigit() and (headed or not head.strip("[(【<#>"))
    follows = head[-1:] in (":", "=") and (not tail or len(head) < 40)
    ends = len(tail) < 7 and len(head) < 70 and not _DIGIT.search(head + tail)
    guarded = roles & (GUARD | ENTER)
    likely = opens or follows or ends or guarded or invited or only.alternative[:2] == "G-"
    return only if likely else None


def may_be_spelled(text: str) -> bool:
    """Whether anything in `text` has the shape of a code without digits."""
    return _CAPITALS.search(text) is not None


def spelled(text: str, reading: Reading) -> Candidate | None:
    """A code of letters only, directly after the word that announces it."""
    hits, roles = reading.hits, reading.roles
    if not roles & ANNOUNCES or roles & (PROMO | KIND) or text.isupper():
        return None
    for _, end, bits in hits:
        match = _LETTERS.match(text, end) if bits & ANNOUNCES else None
        if not match or words_in(match[2].lower()):
            continue
        if match[1] != " " or text[match.end() : match.end() + 1] in _CLAUSE_ENDS:
            return Candidate(match.start(2), match.end(), match[2].replace("-", ""), 0.0)
    return None
