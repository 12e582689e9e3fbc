"""Limits on who is sent codes: rules that can be watched before they bite.

What pumps SMS to earn by them asks for many codes to numbers next to each other; what guesses
codes asks for many to one number. Each rule is `off`, `monitor` (what it would refuse is sent, and
noted) or `block`. All counters are of one account: nobody's numbers are blocked by another's calls.
"""

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.times import DAY, HOUR, SECOND, Millis

NEAR = 10
"""Numbers that lie no further apart than this are next to each other."""

_BLOCK_DIGITS = 2
_PREFIX_DIGITS = 4


class Mode(StrEnum):
    """What a rule does when it is met."""

    OFF = "off"
    MONITOR = "monitor"
    BLOCK = "block"


class RuleName(StrEnum):
    """What a rule looks at. `spend` is in micro-units a day, the others in sendings."""

    RECIPIENT = "recipient"
    ACCOUNT = "account"
    IP = "ip"
    PREFIX = "prefix"
    SEQUENCE = "sequence"
    SPEND = "spend"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` in `seconds`; the country rule has neither, its list is the account's."""

    mode: Mode
    limit: int = 0
    seconds: int = 0


Rules = Mapping[RuleName, Rule]

DEFAULT_RULES: Rules = {
    RuleName.RECIPIENT: Rule(Mode.BLOCK, 5, 600),
    RuleName.ACCOUNT: Rule(Mode.BLOCK, 1_000, HOUR // SECOND),
    RuleName.IP: Rule(Mode.MONITOR, 10, HOUR // SECOND),
    RuleName.PREFIX: Rule(Mode.MONITOR, 50, HOUR // SECOND),
    RuleName.SEQUENCE: Rule(Mode.MONITOR, 5, HOUR // SECOND),
    RuleName.SPEND: Rule(Mode.MONITOR, 100 * UNIT, DAY // SECOND),
    RuleName.COUNTRY: Rule(Mode.BLOCK),
}


@dataclass(frozen=True, slots=True)
class Counter:
    """A bucket that a sending counts in: `amount` is added until it ends at `until`.

    `tail` is what the sequence rule keeps of a number: its last digits.
    """

    rule: RuleName
    bucket: str
    amount: int
    most: int
    blocks: bool
    until: Millis
    tail: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What a bucket held when it was read."""

    total: int = 0
    tails: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule that was met: `blocked`, or sent all the same. `until` is when its bucket ends."""

    rule: RuleName
    blocked: bool
    until: Millis


def counters(
    rules: Rules, user_id: UserId, number: E164, recipient_ip: str, price: Micros, now: Millis
) -> list[Counter]:
    """The buckets that a sending to `number` counts in."""
    found = []
    for name, what, tail in _subjects(number, recipient_ip):
        rule = rules[name]
        if rule.mode is Mode.OFF:
            continue
        window = rule.seconds * SECOND
        counter = Counter(
            rule=name,
            bucket=f"otp#{name}#{user_id}#{what}#{now // window}",
            amount=price if name is RuleName.SPEND else 1,
            most=rule.limit,
            blocks=rule.mode is Mode.BLOCK,
            until=Millis(now - now % window + window),
            tail=tail,
        )
        found.append(counter)
    return found


def _subjects(number: E164, recipient_ip: str) -> Iterator[tuple[RuleName, str, int | None]]:
    yield RuleName.RECIPIENT, number, None
    yield RuleName.ACCOUNT, "", None
    if recipient_ip:
        yield RuleName.IP, network_of(recipient_ip), None
    yield RuleName.PREFIX, number[:-_PREFIX_DIGITS], None
    yield RuleName.SEQUENCE, number[:-_BLOCK_DIGITS], int(number[-_BLOCK_DIGITS:])
    yield RuleName.SPEND, "", None


def decisions(counters: Sequence[Counter], counts: Sequence[Count]) -> list[Decision]:
    """The rules that one more sending meets, by what its buckets held."""
    return [
        Decision(counter.rule, counter.blocks, counter.until)
        for counter, count in zip(counters, counts, strict=True)
        if _is_met(counter, count)
    ]


def _is_met(counter: Counter, count: Count) -> bool:
    if counter.tail is None:
        return count.total + counter.amount > counter.most
    near = {tail for tail in count.tails if 0 < abs(tail - counter.tail) <= NEAR}
    return len(near) + 1 > counter.most


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: a household has as many as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def dump(rules: Rules) -> str:
    """`rules` as the JSON that a user's item keeps."""
    return json.dumps({name: [rule.mode, rule.limit, rule.seconds] for name, rule in rules.items()})


def load(text: str) -> Rules:
    """The rules that `dump` wrote; those that it did not know are the defaults."""
    kept = json.loads(text) if text else {}
    known = {
        RuleName(name): Rule(Mode(mode), limit, seconds)
        for name, (mode, limit, seconds) in kept.items()
    }
    return {**DEFAULT_RULES, **known}
