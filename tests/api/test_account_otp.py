"""An account's defaults for codes, its limits on them, and what these decided."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.domain.fraud import DEFAULT_RULES, RuleName
from chalicelib.domain.fraud_rules import changed_rules
from chalicelib.domain.otp import OtpDefaults
from chalicelib.domain.otp_defaults import changed_defaults
from chalicelib.domain.user import User
from chalicelib.errors import InvalidInputError, SesameError
from chalicelib.services.otp_accounts import RULES as RULES_FIELD
from tests.api.faces import NOBODY, Caller, holder
from tests.api.shapes import refused
from tests.wire import conflict, failed, let_through, tapped
from tests.world import World, meanwhile, together

NUMBER = "+14155552671"
SENDERS = [f"Brand{at}" for at in range(21)]
USUAL = {
    "text": "",
    "texts": {},
    "channel": "sms",
    "sender": "",
    "code_length": 6,
    "allow_digits": True,
    "allow_upper_case": False,
    "allow_lower_case": False,
    "allow_special_chars": False,
    "remove_confusing_characters": False,
    "validity_period": 300,
    "longest_validity": 600,
    "max_wrong_attempts": 5,
    "voice_language": "en-US",
    "voice_gender": "female",
    "default_country": "",
    "android_hash": "",
    "apple_domain": "",
    "senders": [],
    "countries": [],
    "voice_after": 0,
}
RULES = {
    "recipient": {"mode": "block", "limit": 5, "seconds": 600},
    "account": {"mode": "block", "limit": 1000, "seconds": 3600},
    "ip": {"mode": "monitor", "limit": 10, "seconds": 3600},
    "prefix": {"mode": "monitor", "limit": 50, "seconds": 3600},
    "sequence": {"mode": "monitor", "limit": 5, "seconds": 3600},
    "spend": {"mode": "monitor", "limit": 100.0, "seconds": 86400},
    "country": {"mode": "block"},
}
CHANGES: dict[str, tuple[object, object]] = {
    "text": ("Your {code}", "Your {code}"),
    "texts": ({"de": "Ihr {code}"}, {"de": "Ihr {code}"}),
    "channel": ("voice_sms", "voice_sms"),
    "sender": ("Acme", "Acme"),
    "code_length": ("8", 8),
    "allow_digits": (True, True),
    "allow_upper_case": ("true", True),
    "allow_lower_case": ("1", True),
    "allow_special_chars": (True, True),
    "remove_confusing_characters": (True, True),
    "validity_period": (600, 600),
    "longest_validity": (3600, 3600),
    "max_wrong_attempts": (1, 1),
    "voice_language": ("de-DE", "de-DE"),
    "voice_gender": ("male", "male"),
    "default_country": ("gb", "GB"),
    "android_hash": ("FA+9qCX9VSu", "FA+9qCX9VSu"),
    "apple_domain": ("Example.com", "example.com"),
    "senders": (["Acme", "Bcme", "Acme"], ["Acme", "Bcme"]),
    "countries": ("us, GB", ["US", "GB"]),
    "voice_after": (15, 15),
}
JUNK: list[object] = [[], {}, [[]], {"a": {}}, -1, 1.5, 10**30, "\ud800", "x" * 5_000, "٣"]


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def me(world: World, user: User) -> Caller:
    return holder(world.key(user))


def settings_of(me: Caller) -> dict[str, Any]:
    found: dict[str, Any] = me.ok("GET", "/account/otp")["otp"]
    return found


def change(me: Caller, **fields: object) -> dict[str, Any]:
    changed: dict[str, Any] = me.ok("PATCH", "/account/otp", fields)["otp"]
    assert settings_of(me) == changed
    return changed


def generate(world: World, user: User, number: str = NUMBER, **given: object) -> str | None:
    """The number of the ticket of a code that is asked for, None if that is refused."""
    fresh = world.stack.platform.accounts.find(user.user_id)
    try:
        made = world.stack.platform.otp.generate(fresh, {"phone_number": number, **given})
    except SesameError:
        return None
    return made.ticket_number


def test_a_new_account_has_the_defaults_of_the_design(me: Caller) -> None:
    assert settings_of(me) == {**USUAL, "rules": RULES}


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_401_without_a_key(world: World, method: str) -> None:
    for path in ("/account/otp", "/account/otp/decisions")[: 2 if method == "GET" else 1]:
        refused(NOBODY.call(method, path), 401, "missing_api_key", "Authorization")
        answer = holder("sesame_x").call(method, path)
        refused(answer, 401, "invalid_api_key", "api_key")


def test_each_field_can_be_set_is_kept_and_set_back(world: World, user: User, me: Caller) -> None:
    assert CHANGES.keys() == USUAL.keys()
    changed = change(me, **{name: given for name, (given, _) in CHANGES.items()})
    assert changed == {**{name: kept for name, (_, kept) in CHANGES.items()}, "rules": RULES}
    assert change(me) == changed
    assert change(me, **dict.fromkeys(USUAL)) == {**USUAL, "rules": RULES}


def test_one_field_changes_no_other(me: Caller) -> None:
    change(me, validity_period=120, rules={"ip": {"mode": "off"}})
    changed = change(me, voice_after=30)
    rules = {**RULES, "ip": {"mode": "off", "limit": 10, "seconds": 3600}}
    assert changed == {**USUAL, "validity_period": 120, "voice_after": 30, "rules": rules}


def test_what_is_set_counts_for_the_next_code(world: World, user: User, me: Caller) -> None:
    change(me, rules={"recipient": {"limit": 1}}, countries=["US"])
    assert generate(world, user) is not None
    assert generate(world, user) is None
    assert generate(world, user, "+447400123456") is None


def test_a_form_is_taken_too(me: Caller) -> None:
    fields = {"allow_upper_case": "1", "countries": "US,GB", "voice_after": "20"}
    headers = {**me.headers, "Content-Type": "application/x-www-form-urlencoded"}
    with Client(app) as client:
        body = urlencode(fields).encode()
        answer = client.http.request("PATCH", "/account/otp", headers=headers, body=body)
    assert answer.status_code == 200, answer.body
    wanted = {"allow_upper_case": True, "countries": ["US", "GB"], "voice_after": 20}
    assert settings_of(me) == {**USUAL, **wanted, "rules": RULES}


WRONG: list[tuple[str, object]] = [
    ("text", "no code"),
    ("text", "{code}" + "x" * 1_224),
    ("text", "{code}\x00"),
    ("texts", ["{code}"]),
    ("texts", {"german": "{code}"}),
    ("texts", {"de": "no code"}),
    ("channel", "fax"),
    ("sender", "To long a sender"),
    ("sender", "Ac"),
    ("code_length", 3),
    ("code_length", 33),
    ("code_length", True),
    ("code_length", 6.0),
    ("allow_digits", "maybe"),
    ("allow_digits", False),
    ("allow_digits", 1),
    ("validity_period", 601),
    ("validity_period", 0),
    ("longest_validity", 3_601),
    ("longest_validity", 299),
    ("max_wrong_attempts", 6),
    ("max_wrong_attempts", 0),
    ("voice_language", "tlh"),
    ("voice_gender", "other"),
    ("default_country", "XX"),
    ("default_country", "GBR"),
    ("android_hash", "short"),
    ("apple_domain", "localhost"),
    ("apple_domain", "https://example.com"),
    ("senders", SENDERS),
    ("senders", ["Acme", ""]),
    ("countries", ["US", "XX"]),
    ("countries", [None]),
    ("voice_after", 14),
    ("voice_after", 601),
    ("rules", []),
    ("rules", "off"),
]


def test_what_is_wrong_is_refused_by_name_and_changes_nothing(me: Caller) -> None:
    for field, value in WRONG:
        body = {"voice_language": "de-DE", "rules": {"ip": {"mode": "off"}}, field: value}
        refused(me.call("PATCH", "/account/otp", body), 400, "invalid_parameter", field)
    assert settings_of(me) == {**USUAL, "rules": RULES}


def test_a_sender_is_one_of_the_senders(me: Caller) -> None:
    body = {"sender": "Acme", "senders": ["Bcme"]}
    refused(me.call("PATCH", "/account/otp", body), 400, "invalid_parameter", "sender")


def test_an_unknown_field_is_refused_by_name(me: Caller) -> None:
    for name in ("balance", "user_id", "x" * 65):
        answer = me.call("PATCH", "/account/otp", {name: 1})
        refused(answer, 400, "unknown_parameter", name[:64])


WRONG_RULES: list[tuple[str, object, str]] = [
    ("nonsense", {}, "rules.nonsense"),
    ("x" * 99, {}, "rules." + "x" * 64),
    ("ip", [], "rules.ip"),
    ("ip", None, "rules.ip"),
    ("ip", {"modes": "off"}, "rules.ip"),
    ("ip", {"mode": "on"}, "rules.ip.mode"),
    ("ip", {"mode": None}, "rules.ip.mode"),
    ("ip", {"mode": True}, "rules.ip.mode"),
    ("ip", {"mode": []}, "rules.ip.mode"),
    ("ip", {"mode": {}}, "rules.ip.mode"),
    ("ip", {"limit": 0}, "rules.ip.limit"),
    ("ip", {"limit": "5"}, "rules.ip.limit"),
    ("ip", {"limit": 1_000_001}, "rules.ip.limit"),
    ("ip", {"limit": True}, "rules.ip.limit"),
    ("ip", {"seconds": 0}, "rules.ip.seconds"),
    ("ip", {"seconds": 86_401}, "rules.ip.seconds"),
    ("spend", {"limit": 0}, "rules.spend.limit"),
    ("spend", {"limit": -1}, "rules.spend.limit"),
    ("spend", {"limit": "0.0000001"}, "rules.spend.limit"),
    ("spend", {"limit": [1]}, "rules.spend.limit"),
    ("spend", {"limit": True}, "rules.spend.limit"),
    ("spend", {"limit": 1e300}, "rules.spend.limit"),
    ("country", {"limit": 5}, "rules.country"),
    ("country", {"seconds": 5}, "rules.country"),
]


def test_a_rule_that_is_wrong_is_refused_by_name(me: Caller) -> None:
    for rule, given, field in WRONG_RULES:
        body: dict[str, object] = {"rules": {"recipient": {"mode": "off"}, rule: given}}
        refused(me.call("PATCH", "/account/otp", body), 400, "invalid_parameter", field)
    assert settings_of(me)["rules"] == RULES


@pytest.mark.parametrize(("limit", "kept"), [(0.5, 0.5), ("12.25", 12.25), (1_000_000_000, 1e9)])
def test_the_limit_of_spending_is_money(me: Caller, limit: object, kept: float) -> None:
    changed = change(me, rules={"spend": {"mode": "block", "limit": limit, "seconds": 60}})
    assert changed["rules"]["spend"] == {"mode": "block", "limit": kept, "seconds": 60}


@pytest.mark.parametrize("name", [*USUAL, "rules", *(f"rules.{name}" for name in RuleName)])
def test_no_junk_in_any_field_is_an_accident(name: str) -> None:
    outer, _, rule = name.partition(".")
    for value in JUNK:
        try:
            if outer == RULES_FIELD:
                changed_rules(DEFAULT_RULES, {rule: value} if rule else value)
            else:
                changed_defaults(OtpDefaults(), {name: value})
        except InvalidInputError as refusal:
            named = refusal.field or ""
        else:
            named = name
        assert named.startswith(name)


def test_what_would_be_too_large_is_refused(me: Caller) -> None:
    """Each call's body is small enough, what they come to is not."""
    text = "{code}" + "\u8a9e" * 1_192

    def patch(fields: dict[str, object]) -> HTTPResponse:
        raw = json.dumps(fields, ensure_ascii=False).encode()
        headers = {**me.headers, "Content-Type": "application/json"}
        with Client(app) as client:
            return client.http.request("PATCH", "/account/otp", headers=headers, body=raw)

    texts = {f"a{letter}": text for letter in "abcdefghijklmnopqr"}
    assert patch({"texts": texts}).status_code == 200
    refused(patch({"text": text}), 400, "invalid_parameter", "texts")
    assert settings_of(me)["text"] == ""


def test_a_closed_account_is_shown_nothing_and_changes_nothing(
    world: World, user: User, me: Caller
) -> None:
    settings_of(me)
    world.elsewhere().profiles.close(user.user_id, confirm=user.login)
    # This Lambda takes the key to be as it was for a while.
    answer = me.call("PATCH", "/account/otp", {"voice_after": 30})
    refused(answer, 409, "account_closed")
    found = world.stack.platform.accounts.find(user.user_id)
    assert (found.otp, found.otp_rules) == ("", "")


def test_changes_at_once_are_all_kept(world: World, user: User) -> None:
    fields: list[dict[str, object]] = [
        {"voice_after": 30},
        {"rules": {"ip": {"mode": "off"}}},
    ]

    def by(given: dict[str, object]) -> Callable[[], object]:
        return lambda: world.elsewhere().otp_accounts.change(user.user_id, given)

    together(*[by(given) for given in fields])
    found = world.stack.platform.otp_accounts.find(user.user_id)
    assert found.defaults.voice_after == 30
    assert found.rules[RuleName.IP].mode == "off"


def test_a_change_that_others_come_before_is_made_on_theirs(
    world: World, user: User, me: Caller
) -> None:
    settings_of(me)

    def theirs() -> None:
        world.elsewhere().otp_accounts.change(user.user_id, {"validity_period": 120})

    with tapped(let_through, meanwhile(theirs)):
        changed = me.ok("PATCH", "/account/otp", {"voice_after": 30})["otp"]
    assert (changed["voice_after"], changed["validity_period"]) == (30, 120)


@pytest.mark.parametrize("fault", [conflict, failed("ThrottlingException")], ids=["busy", "slow"])
def test_503_when_it_can_not_be_written_now(me: Caller, fault: Any) -> None:
    settings_of(me)
    tries = 6 if fault is conflict else 3
    with tapped(*[fault] * tries, only="UpdateItem"):
        answer = me.call("PATCH", "/account/otp", {"voice_after": 30})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert settings_of(me)["voice_after"] == 0


def test_decisions_are_listed_the_newest_first_by_pages(
    world: World, user: User, me: Caller
) -> None:
    assert me.ok("GET", "/account/otp/decisions") == {"decisions": [], "next_cursor": None}
    change(
        me,
        rules={
            "recipient": {"limit": 2},
            "prefix": {"limit": 1, "mode": "monitor"},
            "account": {"mode": "off"},
        },
    )
    tickets = []
    for _ in range(4):
        tickets.append(generate(world, user))
        world.stack.clock.advance(seconds=1)
    assert [ticket is None for ticket in tickets] == [False, False, True, True]
    whole = me.ok("GET", "/account/otp/decisions")["decisions"]
    times = [decision.pop("at") for decision in whole]
    assert times == sorted(times, reverse=True)
    ids = [decision.pop("decision_id") for decision in whole]
    assert ids == sorted(set(ids), reverse=True)
    blocked = {"outcome": "blocked", "phone_number": NUMBER, "ticket_number": None}
    monitored = {"outcome": "monitored", "phone_number": NUMBER, "ticket_number": tickets[1]}
    assert whole == [
        {"rule": "recipient", **blocked},
        {"rule": "recipient", **blocked},
        {"rule": "prefix", **monitored},
    ]
    for limit in (1, 2, 3):
        pages = me.pages("/account/otp/decisions", "decisions", limit=limit)
        assert [each["decision_id"] for page in pages for each in page] == ids
        assert max(map(len, pages)) == limit


def test_decisions_are_nobody_elses(world: World, user: User, me: Caller) -> None:
    change(me, rules={"recipient": {"limit": 1}})
    generate(world, user)
    generate(world, user)
    other = holder(world.key(world.user()))
    assert len(me.ok("GET", "/account/otp/decisions")["decisions"]) == 1
    assert other.ok("GET", "/account/otp/decisions")["decisions"] == []
    generate(world, user)
    cursor = me.ok("GET", "/account/otp/decisions", query={"limit": 1})["next_cursor"]
    answer = other.call("GET", "/account/otp/decisions", query={"cursor": cursor})
    refused(answer, 400, "invalid_parameter", "cursor")


def test_decisions_are_no_events(world: World, user: User, me: Caller) -> None:
    change(me, rules={"recipient": {"limit": 1}})
    generate(world, user)
    generate(world, user)
    world.stack.clock.advance(seconds=10)
    assert world.events(user) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"cursor": "junk"}, "cursor")],
)
def test_a_page_that_there_is_none_of_is_refused(
    me: Caller, query: dict[str, object], field: str
) -> None:
    answer = me.call("GET", "/account/otp/decisions", query=query)
    refused(answer, 400, "invalid_parameter", field)


def test_a_country_that_is_not_allowed_is_a_decision(world: World, user: User, me: Caller) -> None:
    change(me, countries=["GB"])
    assert generate(world, user) is None
    change(me, rules={"country": {"mode": "monitor"}})
    ticket = generate(world, user)
    assert ticket is not None
    change(me, rules={"country": {"mode": "off"}})
    assert generate(world, user) == ticket
    found = me.ok("GET", "/account/otp/decisions")["decisions"]
    outcomes = {(each["rule"], each["outcome"], each["ticket_number"]) for each in found}
    assert outcomes == {("country", "blocked", None), ("country", "monitored", ticket)}
    assert len(found) == 2
