"""An account's own rules: changed by it, shown to it."""

from collections.abc import Mapping

from chalicelib.domain.fraud import Mode, Rule, RuleName, Rules
from chalicelib.domain.money import LARGEST, Micros, decimal, parse_amount
from chalicelib.domain.times import DAY, SECOND
from chalicelib.errors import InvalidInputError

MOST_SENDINGS = 1_000_000
LONGEST_SECONDS = DAY // SECOND

_FIELDS = frozenset({"mode", "limit", "seconds"})
_MODES = ", ".join(Mode)
_NAMES = ", ".join(RuleName)


def changed_rules(current: Rules, given: object) -> Rules:
    """`current` with the rules of a JSON object in their place, of each only what it names.

    `{"recipient": {"mode": "block", "limit": 5, "seconds": 600}}`; the limit of `spend` is an
    amount of money, and `country` has a mode only. Raises InvalidInputError naming the field.
    """
    if not isinstance(given, Mapping):
        raise InvalidInputError("rules", "an object of rules by name")
    changed = dict(current)
    for name, fields in given.items():
        if name not in set(RuleName):
            raise InvalidInputError(f"rules.{name[:64]}", f"one of {_NAMES}")
        rule_name = RuleName(name)
        changed[rule_name] = _changed(changed[rule_name], rule_name, fields)
    return changed


def shown(rules: Rules) -> dict[str, object]:
    """`rules` as they are given and shown."""
    return {name: _shown(name, rules[name]) for name in RuleName}


def _changed(rule: Rule, name: RuleName, given: object) -> Rule:
    field = f"rules.{name}"
    known = _FIELDS if name is not RuleName.COUNTRY else {"mode"}
    if not isinstance(given, Mapping) or not given.keys() <= known:
        raise InvalidInputError(field, f"an object with {', '.join(sorted(known))}")
    mode = given.get("mode", rule.mode)
    if not isinstance(mode, str) or mode not in set(Mode):
        raise InvalidInputError(f"{field}.mode", f"one of {_MODES}")
    limit, seconds = rule.limit, rule.seconds
    if "limit" in given:
        limit = _limit(name, given["limit"])
    if "seconds" in given:
        seconds = _whole(f"{field}.seconds", given["seconds"], LONGEST_SECONDS)
    return Rule(Mode(mode), limit, seconds)


def _limit(name: RuleName, given: object) -> int:
    field = f"rules.{name}.limit"
    if name is not RuleName.SPEND:
        return _whole(field, given, MOST_SENDINGS)
    amount = parse_amount(_text(given), field=field)
    if not 0 < amount <= LARGEST:
        raise InvalidInputError(field, "an amount more than 0")
    return amount


def _text(given: object) -> str:
    """A decimal that came as a number or as text."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return ""
    return given if isinstance(given, str) else repr(given)


def _whole(field: str, given: object, most: int) -> int:
    if type(given) is not int or not 1 <= given <= most:
        raise InvalidInputError(field, f"a whole number from 1 to {most}")
    return given


def _shown(name: RuleName, rule: Rule) -> dict[str, object]:
    if name is RuleName.COUNTRY:
        return {"mode": rule.mode}
    limit = decimal(Micros(rule.limit)) if name is RuleName.SPEND else rule.limit
    return {"mode": rule.mode, "limit": limit, "seconds": rule.seconds}
