"""Measures the code finder: `python -m bench.code_finder FILE.jsonl`.

Each line of FILE is a JSON object with `text`, `code` (null: no code), and optionally
`code_alt`, `service`, `lang`, `cats` and `id`. Prints raw numbers only.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.machine import machine
from chalicelib.domain.code_finder import FoundCode, find_code

Row = dict[str, Any]

ROUNDS = 40
TEN_KB = 10_000
ADVERSARIAL: dict[str, str] = {
    "digits": "1" * TEN_KB,
    "digit space": "1 " * (TEN_KB // 2),
    "digit hyphen": "1-" * (TEN_KB // 2),
    "digit dot": "1." * (TEN_KB // 2),
    "six digits": "123456 " * (TEN_KB // 7),
    "six digits, commas": "123456, " * (TEN_KB // 8),
    "letters": "a" * TEN_KB,
    "capitals": "A" * TEN_KB,
    "letter digit": "a1" * (TEN_KB // 2),
    "capital hyphen": "A-" * (TEN_KB // 2),
    "code words": "code " * (TEN_KB // 5),
    "codes and numbers": "code 123456 " * (TEN_KB // 12),
    "codes and years": "code:2024 " * (TEN_KB // 10),
    "half dates": "2024-01-" * (TEN_KB // 8),
    "domains": "a.b." * (TEN_KB // 4),
    "at signs": "@a " * (TEN_KB // 3),
    "at and hash": "@aaa #" * (TEN_KB // 6),
    "slashes": "http://" * (TEN_KB // 7),
    "brackets": "[(【" * (TEN_KB // 3),
    "spaces": " " * TEN_KB,
    "to a name": "to A    " * (TEN_KB // 8),
    "newlines": "\n" * TEN_KB,
    "han": "验" * TEN_KB,
    "han words": "验证码" * (TEN_KB // 3),
    "thai": "รหัส" * (TEN_KB // 4),
    "arabic digits": "٣" * TEN_KB,
    "accents": "é" * TEN_KB,
    "combining": "e\u0301" * (TEN_KB // 2),
    "long ligature": "\ufdfa" * TEN_KB,
    "surrogates": "\ud800" * TEN_KB,
    "zero bytes": "\0" * TEN_KB,
    "your name": "your A" * (TEN_KB // 6),
    "minutes": "5 min " * (TEN_KB // 6),
    "small domains": "a.b " * (TEN_KB // 4),
    "apostrophes": "ক'ড " * (TEN_KB // 4),
    "mixed scripts": "код 1٣验证码e\u0301१ " * (TEN_KB // 12),
    "cyrillic codes": "код 1234 " * (TEN_KB // 9),
    "single digits": "1-2-3-4 " * (TEN_KB // 8),
    "entered": "123456 girin " * (TEN_KB // 13),
    "leads": "Bank a: " * (TEN_KB // 8),
    "stars": "*_*1" * (TEN_KB // 4),
}


def main(path: str) -> None:
    """Prints the report for the labelled messages in `path`."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows: list[Row] = [json.loads(line) for line in lines if line.strip()]
    started = time.process_time()
    found = [find_code(row["text"]) for row in rows]
    first_pass = time.process_time() - started
    for name, value in machine().items():
        print(f"{name:<10} {value}")
    print(f"file       {path}, {len(rows)} messages")
    print("method     one process, one core; exact = code or code_alt equal, null for negatives")
    _report_quality(rows, found)
    _report_groups("language", rows, found, lambda row: [row.get("lang") or "?"])
    _report_groups("category", rows, found, lambda row: row.get("cats") or ["?"])
    _report_failures(rows, found)
    _report_speed([row["text"] for row in rows], first_pass)
    _report_adversarial()


def _is_exact(row: Row, found: FoundCode | None) -> bool:
    if row["code"] is None or found is None:
        return row["code"] is None and found is None
    return found.code in (row["code"], row.get("code_alt"))


def _report_quality(rows: list[Row], found: list[FoundCode | None]) -> None:
    exact = sum(map(_is_exact, rows, found))
    right = sum(f is not None and _is_exact(r, f) for r, f in zip(rows, found, strict=True))
    returned = sum(f is not None for f in found)
    positives = sum(row["code"] is not None for row in rows)
    negatives = len(rows) - positives
    alarms = sum(r["code"] is None and f is not None for r, f in zip(rows, found, strict=True))
    named = [
        (r, f) for r, f in zip(rows, found, strict=True) if f and r["code"] and r.get("service")
    ]
    same = sum(r["service"].lower() == f.service for r, f in named)
    print(f"exact      {_share(exact, len(rows))}")
    print(f"precision  {_share(right, returned)}")
    print(f"recall     {_share(right, positives)}")
    print(f"alarms     {_share(alarms, negatives)} of the negatives")
    print(f"service    {_share(same, len(named))} of the found ones that have a label")
    reasons = Counter(f.reason for f in found if f)
    print("reasons    " + ", ".join(f"{name} {count}" for name, count in reasons.most_common()))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.2f} %" if whole else "0/0"


def _report_groups(
    title: str,
    rows: list[Row],
    found: list[FoundCode | None],
    groups: Callable[[Row], Iterable[str]],
) -> None:
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    for row, result in zip(rows, found, strict=True):
        for group in groups(row):
            total[group] += 1
            exact[group] += _is_exact(row, result)
    print(f"\nexact by {title}")
    for group, count in sorted(total.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {group:24} {_share(exact[group], count)}")


def _report_failures(rows: list[Row], found: list[FoundCode | None]) -> None:
    print("\nfailures")
    for row, result in zip(rows, found, strict=True):
        if not _is_exact(row, result):
            got = result and (result.code, result.confidence, result.reason)
            print(f"  {row.get('id', '?')} wanted {row['code']!r} got {got!r}: {row['text']!r}")


def _report_speed(texts: list[str], first_pass: float) -> None:
    rates: list[float] = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for text in texts:
            find_code(text)
        rates.append(len(texts) / (time.process_time() - started))
    print("\nmessages per second (CPU time; the keyword cache is cold in the first pass only)")
    print(f"  first pass  {len(texts) / first_pass:.0f}")
    print(f"  rounds      {ROUNDS}, mean length {statistics.mean(map(len, texts)):.0f}")
    print(f"  best        {max(rates):.0f}")
    print(f"  median      {statistics.median(rates):.0f}")
    print(f"  worst       {min(rates):.0f}")


def _report_adversarial() -> None:
    print("\nworst-case ms (CPU time) of 5 runs, 10 KB inputs")
    worst = 0.0
    for name, text in ADVERSARIAL.items():
        times: list[float] = []
        for _ in range(5):
            started = time.process_time()
            find_code(text, text)
            times.append((time.process_time() - started) * 1000)
        worst = max(worst, *times)
        print(f"  {name:24} {max(times):.3f}")
    print(f"  {'worst of all':24} {worst:.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bench.code_finder FILE.jsonl")
    main(sys.argv[1])
