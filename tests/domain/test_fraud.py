"""Limits on who is sent codes: what counts in which bucket, and what that decides."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import fraud, fraud_rules
from chalicelib.domain.fraud import (
    DEFAULT_RULES,
    NEAR,
    Count,
    Counter,
    Decision,
    Mode,
    Rule,
    RuleName,
    Rules,
)
from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.times import DAY, HOUR, SECOND, Millis
from chalicelib.errors import InvalidInputError

USER, OTHER = UserId("01HF7YAT00Q6G5BXXZJS9Q8QQA"), UserId("01HF7YAT00X07S21Z7KBZAD02H")
NUMBER = E164("+14155552671")
NOW = Millis(1_700_000_000_000)
PRICE = Micros(40_000)
COUNTED = set(RuleName) - {RuleName.COUNTRY}


def counters(
    rules: Rules = DEFAULT_RULES,
    *,
    user: UserId = USER,
    number: E164 = NUMBER,
    ip: str = "192.0.2.1",
    now: Millis = NOW,
) -> dict[RuleName, Counter]:
    found = fraud.counters(rules, user, number, ip, PRICE, now)
    assert len({counter.rule for counter in found}) == len(found)
    return {counter.rule: counter for counter in found}


def buckets(**options: object) -> dict[RuleName, str]:
    return {rule: counter.bucket for rule, counter in counters(**options).items()}  # type: ignore[arg-type]


def with_rule(name: RuleName, **fields: object) -> Rules:
    rule = DEFAULT_RULES[name]
    kept = {"mode": rule.mode, "limit": rule.limit, "seconds": rule.seconds}
    return {**DEFAULT_RULES, name: Rule(**{**kept, **fields})}  # type: ignore[arg-type]


def test_the_defaults_are_those_of_the_issue() -> None:
    """Limits per recipient (5 in 10 minutes), per account and the country list block, the rest
    monitor."""
    assert DEFAULT_RULES.keys() == set(RuleName)
    assert DEFAULT_RULES[RuleName.RECIPIENT] == Rule(Mode.BLOCK, 5, 600)
    blocking = {name for name, rule in DEFAULT_RULES.items() if rule.mode is Mode.BLOCK}
    assert blocking == {RuleName.RECIPIENT, RuleName.ACCOUNT, RuleName.COUNTRY}
    assert all(rule.mode is not Mode.OFF for rule in DEFAULT_RULES.values())
    assert DEFAULT_RULES[RuleName.SPEND].seconds * SECOND == DAY


def test_a_sending_counts_once_in_each_rule_that_is_not_off() -> None:
    assert counters().keys() == COUNTED
    assert counters(ip="").keys() == COUNTED - {RuleName.IP}
    for name in COUNTED:
        assert counters(with_rule(name, mode=Mode.OFF)).keys() == COUNTED - {name}
    off: Rules = {name: Rule(Mode.OFF) for name in RuleName}
    assert counters(off) == {}


def test_what_a_counter_adds_and_holds() -> None:
    found = counters()
    assert {rule: counter.amount for rule, counter in found.items()} == {
        **dict.fromkeys(COUNTED, 1),
        RuleName.SPEND: PRICE,
    }
    assert {rule: counter.most for rule, counter in found.items()} == {
        name: DEFAULT_RULES[name].limit for name in COUNTED
    }
    assert {rule for rule, counter in found.items() if counter.blocks} == {
        RuleName.RECIPIENT,
        RuleName.ACCOUNT,
    }
    assert {rule for rule, counter in found.items() if counter.tail is not None} == {
        RuleName.SEQUENCE
    }
    assert found[RuleName.SEQUENCE].tail == 71


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({}, COUNTED),
        ({"user": OTHER}, set()),
        ({"number": E164("+14155552672")}, COUNTED - {RuleName.RECIPIENT}),
        ({"number": E164("+14155552571")}, COUNTED - {RuleName.RECIPIENT, RuleName.SEQUENCE}),
        (
            {"number": E164("+14155562671")},
            COUNTED - {RuleName.RECIPIENT, RuleName.SEQUENCE, RuleName.PREFIX},
        ),
        ({"ip": "192.0.2.2"}, COUNTED - {RuleName.IP}),
        ({"now": Millis(NOW - NOW % HOUR + HOUR - 1)}, None),
    ],
    ids=["same", "user", "neighbour", "hundred", "ten thousand", "ip", "window"],
)
def test_what_counts_together(options: Mapping[str, object], same: set[RuleName] | None) -> None:
    before, after = buckets(), buckets(**options)
    assert before.keys() == after.keys()
    found = {name for name in before if before[name] == after[name]}
    # Later in the hour, all count together but what has windows of ten minutes.
    assert found == (COUNTED - {RuleName.RECIPIENT} if same is None else same)


def test_no_two_subjects_share_a_bucket() -> None:
    names = list(buckets().values())
    assert len(set(names)) == len(names)
    assert buckets(number=E164("+1415")).keys() == COUNTED


@given(st.integers(0, 4_000_000_000_000), st.integers(1, DAY // SECOND))
def test_a_bucket_holds_one_window_and_ends_with_it(at: int, seconds: int) -> None:
    rules = with_rule(RuleName.ACCOUNT, seconds=seconds)
    counter = counters(rules, now=Millis(at))[RuleName.ACCOUNT]
    assert at < counter.until <= at + seconds * SECOND
    last = counters(rules, now=Millis(counter.until - 1))[RuleName.ACCOUNT]
    after = counters(rules, now=counter.until)[RuleName.ACCOUNT]
    assert last.bucket == counter.bucket != after.bucket


@pytest.mark.parametrize(
    ("held", "met"), [(0, False), (3, False), (4, False), (5, True), (9, True)]
)
def test_a_rule_is_met_by_one_more_than_its_limit(held: int, met: bool) -> None:
    counter = counters()[RuleName.RECIPIENT]
    decided = fraud.decisions([counter], [Count(held)])
    assert decided == ([Decision(RuleName.RECIPIENT, True, counter.until)] if met else [])


def test_spending_is_held_against_what_it_would_come_to() -> None:
    counter = counters(with_rule(RuleName.SPEND, limit=UNIT))[RuleName.SPEND]
    assert fraud.decisions([counter], [Count(UNIT - PRICE)]) == []
    (decision,) = fraud.decisions([counter], [Count(UNIT - PRICE + 1)])
    assert decision == Decision(RuleName.SPEND, False, counter.until)


@pytest.mark.parametrize(
    ("tails", "met"),
    [
        (set(), False),
        ({70, 72, 73}, False),
        ({70, 72, 73, 74}, False),
        ({70, 72, 73, 74, 75}, True),
        ({71}, False),
        ({70, 71, 72, 73, 74}, False),
        ({71 - NEAR, 71 + NEAR, 65, 66, 75}, True),
        ({71 - NEAR - 1, 71 + NEAR + 1, 65, 66, 75, 76}, False),
        (set(range(60)), False),
        (set(range(100)), True),
    ],
    ids=repr,
)
def test_numbers_next_to_each_other_are_a_sequence(tails: set[int], met: bool) -> None:
    """How often each of them was sent a code does not matter."""
    counter = counters()[RuleName.SEQUENCE]
    decided = fraud.decisions([counter], [Count(1_000, frozenset(tails))])
    assert [decision.rule for decision in decided] == ([RuleName.SEQUENCE] if met else [])


def test_a_sequence_is_seen_where_the_hundreds_change() -> None:
    """Ten numbers in a row are next to each other whatever their last two digits are."""
    seen: dict[str, set[int]] = {}
    met = []
    for last in range(2_795, 2_806):
        counter = counters(number=E164(f"+1415555{last}"))[RuleName.SEQUENCE]
        tails = seen.setdefault(counter.bucket, set())
        met += fraud.decisions([counter], [Count(0, frozenset(tails))])
        assert counter.tail is not None
        tails.add(counter.tail)
    assert met


def test_counts_are_of_their_counters() -> None:
    found = list(counters().values())
    counts = [Count(10**9, frozenset(range(100))) for _ in found]
    assert {decision.rule for decision in fraud.decisions(found, counts)} == COUNTED
    with pytest.raises(ValueError, match="zip"):
        fraud.decisions(found, counts[1:])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_household_is_one_network(address: str, network: str) -> None:
    assert fraud.network_of(address) == network


@given(st.ip_addresses())
def test_every_address_is_in_a_network(address: object) -> None:
    assert fraud.network_of(str(address)) != "unknown"


MODES = st.sampled_from(Mode)
RULES = st.builds(Rule, MODES, st.integers(1, 10**15), st.integers(1, DAY // SECOND))


@given(st.fixed_dictionaries(dict.fromkeys(RuleName, RULES)))
def test_rules_are_read_as_they_were_kept(rules: Rules) -> None:
    assert fraud.load(fraud.dump(rules)) == rules


def test_rules_that_were_not_known_when_they_were_kept_are_the_defaults() -> None:
    assert fraud.load("") == fraud.load("{}") == DEFAULT_RULES
    kept = json.dumps({"ip": ["off", 1, 2]})
    assert fraud.load(kept) == {**DEFAULT_RULES, RuleName.IP: Rule(Mode.OFF, 1, 2)}


def test_a_change_names_what_it_changes() -> None:
    changed = fraud_rules.changed_rules(DEFAULT_RULES, {"ip": {"limit": 7}, "country": {}})
    assert changed == {**DEFAULT_RULES, RuleName.IP: Rule(Mode.MONITOR, 7, 3_600)}
    assert fraud_rules.changed_rules(changed, {}) == changed


@given(
    st.fixed_dictionaries(
        {
            name: st.builds(Rule, MODES, st.integers(1, 10**6), st.integers(1, 86_400))
            for name in COUNTED
        }
    )
)
def test_what_is_shown_can_be_given_back(rules: dict[RuleName, Rule]) -> None:
    whole = {**rules, RuleName.COUNTRY: Rule(Mode.OFF)}
    shown = json.loads(json.dumps(fraud_rules.shown(whole)))
    assert fraud_rules.changed_rules(DEFAULT_RULES, shown) == whole


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(["mode", "limit", "seconds", "x"]), ANY_JSON, max_size=3)


@given(ANY_JSON | st.dictionaries(st.sampled_from([*RuleName, "nonsense"]), ANY_JSON | FIELDS))
def test_any_json_is_rules_or_a_refusal_that_names_them(found: object) -> None:
    changed: Rules = DEFAULT_RULES
    named = "rules"
    try:
        changed = fraud_rules.changed_rules(DEFAULT_RULES, found)
    except InvalidInputError as refusal:
        named = refusal.field or ""
    assert named.startswith("rules")
    assert fraud.load(fraud.dump(changed)) == changed
