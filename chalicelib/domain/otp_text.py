"""The text of a one-time code: its template filled in, as it is written and as it is spoken.

`{code}` and `{hh:mm:ss}` are filled in at one pass, so what they become is never expanded again.
Autofill lines: https://developers.google.com/identity/sms-retriever/verify (the message holds the
app's 11 characters) and https://wicg.github.io/sms-one-time-codes/ (its last line is
`@domain #code`, so that one comes after Android's).
"""

import re
import unicodedata

from chalicelib.domain.otp import Autofill
from chalicelib.domain.otp_speech import duration, repeated, spelled

CODE = "{code}"
TIME = "{hh:mm:ss}"
_PLACEHOLDER = re.compile(r"\{code\}|\{hh:mm:ss\}")
_PIECE = re.compile(r"\{code\}|\{hh:mm:ss\}|.", re.DOTALL)
_TIME_LENGTH = 8
_LONGEST_CLUSTER = 32
_JOINER = "\u200d"
_MOST_SPOKEN = 2


def render_sms(template: str, code: str, valid_seconds: int, autofill: Autofill) -> str:
    """The SMS of `template` with its code, how long it is valid, and the lines for autofill."""
    filled = _filled(template, code, _clock(valid_seconds))
    return filled + _autofill_lines(autofill, code)


def render_voice(template: str, code: str, valid_seconds: int, language: str) -> str:
    """What a voice of `language` (`de-DE`) says for `template`: plain text, no markup.

    The code is spelled with a pause after each character, twice; the validity is in words.
    """
    spoken = spelled(code, language)
    # Spelled each time, a template of nothing but codes would be a call of an hour.
    filled = _filled(template, spoken, duration(valid_seconds, language), most=_MOST_SPOKEN)
    if template.count(CODE) >= _MOST_SPOKEN:
        return filled
    return f"{filled.rstrip()} {repeated(spoken, language)}"


def with_autofill(template: str, autofill: Autofill) -> str:
    """`template` with the lines for autofill, their code to be filled in with the rest."""
    return template + _autofill_lines(autofill, CODE)


def rendered_length(template: str, code_length: int, autofill: Autofill) -> int:
    """Characters of the SMS that `render_sms` makes with a code of `code_length`."""
    return len(render_sms(template, "0" * code_length, 0, autofill))


def autofill_length(autofill: Autofill, code_length: int) -> int:
    """Characters of an SMS that the lines for autofill take."""
    return len(_autofill_lines(autofill, "0" * code_length))


def fitted(template: str, code_length: int, most: int) -> str:
    """`template` with a `{code}` in it and at most `most` characters long once it is filled in.

    It is cut at the end, between two characters as people see them as far as that can be told
    from each one's own properties, and in no placeholder. A `{code}` that is missing, or was cut
    off, is appended. `most` is at least `code_length`.
    """
    pieces = _PIECE.findall(template)
    kept = _cut(pieces, code_length, most)
    if CODE in kept:
        return "".join(kept)
    before = "".join(_cut(pieces, code_length, most - code_length - 1)).rstrip()
    return f"{before} {CODE}" if before else CODE


def _filled(template: str, code: str, time: str, most: int | None = None) -> str:
    left = len(template) if most is None else most

    def value(placeholder: re.Match[str]) -> str:
        nonlocal left
        if placeholder[0] == TIME:
            return time
        left -= 1
        return code if left >= 0 else ""

    return _PLACEHOLDER.sub(value, template)


def _clock(seconds: int) -> str:
    minutes, second = divmod(max(seconds, 0), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


def _autofill_lines(autofill: Autofill, code: str) -> str:
    hash_line = f"\n{autofill.android_hash}" if autofill.android_hash else ""
    domain_line = f"\n@{autofill.apple_domain} #{code}" if autofill.apple_domain else ""
    return hash_line + domain_line


def _cut(pieces: list[str], code_length: int, most: int) -> list[str]:
    widths = {CODE: code_length, TIME: _TIME_LENGTH}
    length = 0
    for end, piece in enumerate(pieces):
        length += widths.get(piece, 1)
        if length > most:
            return pieces[: _boundary(pieces, end)]
    return pieces


def _boundary(pieces: list[str], end: int) -> int:
    for at in range(end, max(end - _LONGEST_CLUSTER, 0), -1):
        if not _is_joined(pieces, at):
            return at
    # Nobody reads a character of so many parts: cut it where it is.
    return end if end > _LONGEST_CLUSTER else 0


def _is_joined(pieces: list[str], at: int) -> bool:
    before, after = pieces[at - 1], pieces[at]
    if len(after) > 1 or len(before) > 1:
        return False
    if after == _JOINER or before == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if _is_modifier(after):
        return True
    return _is_flag_letter(after) and _flag_letters_before(pieces, at) % 2 == 1


def _is_modifier(character: str) -> bool:
    # Skin tones, and the tags that spell the flags of regions.
    return "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(pieces: list[str], at: int) -> int:
    count = 0
    while count < at and _is_flag_letter(pieces[at - 1 - count]):
        count += 1
    return count
