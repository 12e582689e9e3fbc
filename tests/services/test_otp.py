"""Codes that are asked for: what they cost, when one is sent again, what refuses them."""

from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.models import Model

from chalicelib.domain.fraud import Mode, RuleName
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.otp import Channel
from chalicelib.domain.requests import KEPT_FOR, RequestKey, request_key
from chalicelib.domain.ticket import MOST_SENDINGS, Ticket, Verdict
from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ForbiddenError,
    InsufficientBalanceError,
    InvalidInputError,
    LimitExceededError,
    RequestKeyReusedError,
    SesameError,
)
from chalicelib.services.otp import Generated
from chalicelib.stores import db
from chalicelib.stores.decisions import NotedDecision
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.tables import LedgerRow, LimitRow, RequestRow, UserRow
from chalicelib.stores.ticket_items import TicketRow
from tests.conftest import START, Stack
from tests.wire import TRANSACT, conflict, let_through, reply_lost, tapped, unreachable
from tests.world import BALANCE, World, meanwhile, together

NUMBER = "+14155550100"
SMS_PRICE, CALL_PRICE = Micros(40_000), Micros(100_000)
WINDOW = 600
# What is left of the window that START lies in.
LEFT = 400
OFF = {name: {"mode": "off"} for name in RuleName}
LIMITED = [name for name in RuleName if name is not RuleName.COUNTRY]

PRICED: list[tuple[dict[str, object], int, Micros]] = [
    ({"text": "x" * 154 + "{code}"}, 1, SMS_PRICE),
    ({"text": "x" * 155 + "{code}"}, 2, Micros(2 * SMS_PRICE)),
    ({"text": "x" * 155 + "{code}", "code_length": 5}, 1, SMS_PRICE),
    ({"text": "x" * 1224}, 8, Micros(8 * SMS_PRICE)),
    ({"text": "ж" * 64 + "{code}"}, 1, SMS_PRICE),
    ({"text": "ж" * 65 + "{code}"}, 2, Micros(2 * SMS_PRICE)),
    ({"text": "€" * 77 + "{code}"}, 1, SMS_PRICE),
    ({"text": "€" * 78 + "{code}"}, 2, Micros(2 * SMS_PRICE)),
    ({"text": "x" * 147 + "{hh:mm:ss}{code}"}, 2, Micros(2 * SMS_PRICE)),
    ({"text": "x" * 600 + "{code}", "channel": "voice_sms"}, 1, CALL_PRICE),
]
SHAPES: list[tuple[dict[str, object], dict[str, object], bool]] = [
    ({}, {"code_length": 6}, True),
    ({}, {"code_length": "6"}, True),
    ({}, {"code_length": 8}, False),
    ({"code_length": 8}, {}, True),
    ({"code_length": 8}, {"code_length": "rubbish"}, True),
    ({}, {"allow_upper_case": True}, False),
    ({}, {"allow_digits": True}, True),
    ({"code_length": 8}, {"allow_digits": True}, False),
    ({}, {"channel": "voice_sms"}, True),
    ({}, {"recipient_ip": "192.0.2.1"}, False),
    ({"recipient_ip": "192.0.2.1"}, {}, False),
    ({"recipient_ip": "192.0.2.1"}, {"recipient_ip": "::ffff:192.0.2.1"}, True),
    ({"recipient_ip": "192.0.2.1"}, {"recipient_ip": "192.0.2.2"}, False),
    ({}, {"recipient_ip": "nowhere"}, True),
]


class Sender:
    """A user who asks for codes."""

    def __init__(self, world: World, user: User) -> None:
        self.world, self.user = world, user

    def send(
        self, number: object = NUMBER, request: RequestKey | None = None, **given: object
    ) -> Generated:
        return self.world.stack.platform.otp.generate(
            self.user, {"phone_number": number, **given}, request
        )

    def key(self, name: str = "k", **given: object) -> RequestKey:
        return request_key(self.user.user_id, name, "POST /generate", given)

    def change(self, **fields: object) -> None:
        self.world.stack.platform.otp_accounts.change(self.user.user_id, fields)
        self.user = self.world.find(self.user)

    def limit(self, name: RuleName, mode: Mode, limit: object = 2, seconds: int = WINDOW) -> None:
        """Have this rule and no other."""
        self.change(rules={**OFF, name: {"mode": mode, "limit": limit, "seconds": seconds}})

    def ticket(self, made: Generated) -> Ticket:
        return self.world.stack.platform.otp_tickets.find(self.user, made.ticket_number).ticket

    def guess(self, made: Generated, code: str = "wrong") -> Verdict:
        given = {"code": code, "otp_request_token": made.token}
        return self.world.stack.platform.otp_tickets.validate(self.user, given).verdict

    def decisions(self) -> list[NotedDecision]:
        accounts = self.world.stack.platform.otp_accounts
        return list(accounts.decisions(self.user.user_id, None, limit=100)[0])[::-1]

    def spent(self) -> Micros:
        """What codes have cost; I2 holds, and each is in the ledger by its ticket."""
        self.world.assert_i2(self.user)
        codes = [e for e in self.world.ledger(self.user) if e.kind is EntryKind.OTP]
        assert self.world.find(self.user).otp_total == len(codes)
        assert -sum(entry.amount for entry in codes) == BALANCE - self.world.balance(self.user)
        return Micros(BALANCE - self.world.balance(self.user))

    def use_up(self, made: Generated) -> None:
        """Validate the ticket with its code."""
        row = db.get(TicketRow, made.token)
        assert row is not None
        row.last_guess = row.digest
        db.write(row)


@pytest.fixture
def me(world: World) -> Sender:
    return Sender(world, world.user())


@pytest.fixture
def free(me: Sender) -> Sender:
    """A sender without limits."""
    me.change(rules=OFF)
    return me


def kept(*models: type[Model]) -> list[str]:
    """The items of some tables."""
    found = [db.scan(model).items for model in models]
    return sorted(str(sorted(row.serialize().items())) for rows in found for row in rows)


def tickets() -> int:
    return len([row for row in db.scan(TicketRow).items if row.digest])


def unchanged(act: Callable[[], object], error: type[SesameError]) -> SesameError:
    """The refusal of `act`, which leaves no trace but a decision: no limit counts it either."""
    changed = (TicketRow, LimitRow, LedgerRow, RequestRow, UserRow)
    before = kept(*changed)
    with pytest.raises(error) as refused:
        act()
    assert kept(*changed) == before
    return refused.value


def test_i2_a_code_is_charged_when_it_is_asked_for(me: Sender) -> None:
    made = me.send()
    assert me.spent() == SMS_PRICE
    (entry,) = [e for e in me.world.ledger(me.user) if e.kind is EntryKind.OTP]
    assert (entry.amount, entry.reference) == (-SMS_PRICE, made.ticket_number)
    ticket = me.ticket(made)
    assert (ticket.phone_number, ticket.country) == (NUMBER, "US")
    assert (ticket.max_attempts, ticket.expires_at) == (5, START + 300 * SECOND)
    assert (ticket.shape.length, ticket.shape.alphabet) == (6, "0123456789")
    (sending,) = ticket.sendings
    assert (sending.price, sending.segments, sending.channel) == (SMS_PRICE, 1, Channel.SMS)
    assert not made.warnings


def test_segments_and_the_channel_decide_the_price(me: Sender) -> None:
    spent = 0
    for at, (given, segments, price) in enumerate(PRICED):
        (sending,) = me.ticket(me.send(f"+1415555{at:04}", **given)).sendings
        assert (sending.segments, sending.price) == (segments, price), given
        spent += price
    assert me.spent() == spent


def test_the_lines_for_autofill_are_paid_too(me: Sender) -> None:
    text = "x" * 150 + "{code}"
    assert me.ticket(me.send(text=text)).sendings[0].segments == 1
    me.change(android_hash="FA+9qCX9VSu", apple_domain="example.com")
    assert me.ticket(me.send("+14155550177", text=text)).sendings[0].segments == 2


def test_what_was_asked_for_again_has_the_same_code_and_is_paid_again(me: Sender) -> None:
    first = me.send()
    me.world.stack.clock.advance(seconds=30)
    again = me.send(text="Once more: {code}", sender="Acme")
    assert (again.token, again.ticket_number) == (first.token, first.ticket_number)
    ticket = me.ticket(first)
    assert [sending.sender for sending in ticket.sendings] == ["", "Acme"]
    assert ticket.expires_at == START + 300 * SECOND
    assert me.spent() == 2 * SMS_PRICE
    assert tickets() == 1


def test_a_code_is_sent_again_while_that_is_worth_it(free: Sender) -> None:
    cases = [(300, 240, True), (300, 240.001, False), (10, 5, True), (10, 5.001, False)]
    for at, (validity, after, is_same) in enumerate([*cases, (600, 540, True)]):
        number = f"+1415555{at:04}"
        first = free.send(number, validity_period=validity)
        free.world.stack.clock.advance(seconds=after)
        assert (free.send(number).token == first.token) is is_same, (validity, after)


def test_a_code_of_another_shape_or_bound_elsewhere_is_a_new_one(free: Sender) -> None:
    for at, (first, then, is_same) in enumerate(SHAPES):
        number = f"+1415555{at:04}"
        made, before = free.send(number, **first), tickets()
        again = free.send(number, **then)
        assert (again.ticket_number == made.ticket_number) is is_same, (first, then)
        assert tickets() == before + (not is_same)
        assert len(free.ticket(made).sendings) == 1 + is_same


def test_new_defaults_of_the_account_make_no_new_code(free: Sender) -> None:
    made = free.send()
    free.change(code_length=8)
    assert free.send().token == made.token
    assert free.send(code_length=8).token != made.token


def test_what_a_code_sent_again_keeps_is_told(free: Sender) -> None:
    free.send(validity_period=300, max_wrong_attempts=4)
    warned = free.send(validity_period=400, max_wrong_attempts=5).warnings
    assert [(w["field"], w["given"], w["used"]) for w in warned] == [
        ("validity_period", 400, 300),
        ("max_wrong_attempts", 5, 4),
    ]


@pytest.mark.parametrize("stricter", [{"validity_period": 100}, {"max_wrong_attempts": 2}])
def test_a_code_that_is_to_be_safer_than_the_last_is_another(
    free: Sender, stricter: dict[str, int]
) -> None:
    made = free.send(validity_period=300)
    assert free.send(**stricter).token != made.token


def test_a_code_that_was_used_or_guessed_at_too_often_is_replaced(free: Sender) -> None:
    made = free.send()
    free.use_up(made)
    second = free.send()
    assert second.token != made.token
    assert [free.guess(second) for _ in range(5)] == [Verdict.WRONG_CODE] * 5
    third = free.send()
    assert third.token not in (made.token, second.token)
    assert free.send().token == third.token
    assert free.spent() == 4 * SMS_PRICE


def test_a_code_is_sent_no_more_often_than_it_may_be(free: Sender) -> None:
    made = [free.send() for _ in range(MOST_SENDINGS + 2)]
    assert [m.token == made[0].token for m in made] == [True] * MOST_SENDINGS + [False] * 2
    assert made[-1].token == made[-2].token


def test_sending_again_gives_no_attempts_back(free: Sender) -> None:
    made = free.send()
    free.guess(made)
    free.send()
    assert free.ticket(made).attempts == 1


def test_users_have_tickets_of_their_own_for_one_number(world: World) -> None:
    one, other = Sender(world, world.user()), Sender(world, world.user())
    assert one.send().token != other.send().token
    assert tickets() == 2


def test_i3_one_request_key_is_one_charge(me: Sender) -> None:
    request = me.key(text="a")
    first = me.send(request=request, text="no placeholder")
    me.world.stack.clock.advance(seconds=1000)
    assert me.send(request=request, text="no placeholder") == first
    assert first.warnings
    with pytest.raises(RequestKeyReusedError):
        me.send(request=me.key(text="b"))
    assert me.spent() == SMS_PRICE
    me.world.stack.clock.now = Millis(START + KEPT_FOR)
    assert me.send(request=request).token != first.token


def test_i3_a_repeat_of_a_code_sent_again_has_its_token(me: Sender) -> None:
    for name, bound in (("a", {}), ("b", {"recipient_ip": "192.0.2.1"})):
        first = me.send(**bound)
        again = me.send(request=me.key(name), **bound)
        assert me.send(request=me.key(name), **bound) == again
        assert again.token == first.token
        assert len(me.ticket(first).sendings) == 2


def test_i3_a_request_is_repeated_past_limits_and_without_money(world: World) -> None:
    me = Sender(world, world.user(balance=SMS_PRICE))
    me.limit(RuleName.RECIPIENT, Mode.BLOCK, 1)
    first = me.send(request=me.key())
    assert me.send(request=me.key()) == first
    assert world.balance(me.user) == 0


def test_i3_a_request_is_repeated_though_the_account_allows_it_no_longer(me: Sender) -> None:
    first = me.send(request=me.key(), sender="Acme")
    me.change(countries=["GB"], senders=["Other"])
    assert me.send(request=me.key(), sender="Acme") == first
    assert not me.decisions()


def test_i3_a_refusal_may_be_tried_again_with_its_key(world: World) -> None:
    me = Sender(world, world.user(balance=Micros(SMS_PRICE - 1)))
    unchanged(lambda: me.send(request=me.key()), InsufficientBalanceError)
    world.stack.platform.administration.credit(me.user.user_id, Micros(1), "top-up")
    assert me.send(request=me.key()).ticket_number


def test_i3_a_key_in_use_is_not_answered_yet(me: Sender) -> None:
    request = me.key()
    db.write(
        RequestRow(
            request.request_id,
            parameters=request.parameters,
            answer="",
            expires_at=START + DAY,
            ttl=0,
        )
    )
    assert unchanged(lambda: me.send(request=request), SesameError).code == "request_in_progress"


def test_a_balance_that_can_not_pay_refuses(world: World) -> None:
    me = Sender(world, world.user(balance=Micros(2 * SMS_PRICE - 1)))
    unchanged(lambda: me.send(text="x" * 161), InsufficientBalanceError)
    unchanged(lambda: me.send(channel="voice_sms"), InsufficientBalanceError)
    me.send()
    unchanged(me.send, InsufficientBalanceError)
    world.assert_i2(me.user)


@pytest.mark.parametrize("change", [UserRow.active.set(False), UserRow.status.set("pending")])
def test_an_account_that_may_not_act_sends_nothing(me: Sender, change: Any) -> None:
    """It was allowed to a moment ago, and is trusted for some seconds."""
    db.update(UserRow(me.user.user_id), [change], UserRow.status.exists())
    assert unchanged(me.send, ForbiddenError).code == "account_inactive"


def test_costly_numbers_are_sent_nothing(me: Sender) -> None:
    for number in ("+19002345678", "+448431234567", "+33897123456"):
        error = unchanged(lambda to=number: me.send(to), ForbiddenError)
        assert (error.code, error.field) == ("destination_forbidden", "phone_number")


def test_only_senders_that_the_account_allows(me: Sender) -> None:
    me.change(senders=["Acme", "Other"])
    error = unchanged(lambda: me.send(sender="Bank"), ForbiddenError)
    assert (error.code, error.field) == ("sender_forbidden", "sender")
    unchanged(lambda: me.send(sender=" B-a-n-k "), ForbiddenError)
    assert me.send(sender="Acme")
    assert me.send()


def test_without_a_usable_number_nothing_is_sent(me: Sender) -> None:
    for number in (None, "", " ", "rubbish", 12, True, [], {}, "+1", "4155550100"):
        error = unchanged(lambda to=number: me.send(to), InvalidInputError)
        assert error.field == "phone_number"


def test_countries_without_routes_or_prices_are_sent_nothing(me: Sender, stack: Stack) -> None:
    prices = '{"US": {"sms": "0.04"}, "GB": {"sms": "0.05", "voice_sms": "0.1"}}'
    stack.configure(
        SESAME_OTP_ROUTES='{"US": ["simulator:demo"], "DE": ["simulator:demo"]}',
        SESAME_OTP_PRICES=prices,
    )
    for number in ("+447400123456", "+4915123456789", "+33612345678"):
        error = unchanged(lambda to=number: me.send(to), ForbiddenError)
        assert error.code == "destination_forbidden"
    made = me.send(channel="voice_sms")
    assert [(w["field"], w["used"]) for w in made.warnings] == [("channel", "sms")]
    assert me.ticket(made).sendings[0].channel is Channel.SMS


@pytest.mark.parametrize("mode", Mode)
def test_the_country_list_of_an_account(me: Sender, mode: Mode) -> None:
    me.change(countries=["GB", "DE"], rules={"country": {"mode": mode}})
    if mode is Mode.BLOCK:
        error = unchanged(me.send, ForbiddenError)
        assert (error.code, error.field) == ("destination_forbidden", "phone_number")
        assert len(me.decisions()) == 1
        reference, outcome = "", "blocked"
    else:
        reference, outcome = me.send().ticket_number, "monitored"
    noted = [(d.rule, d.outcome, d.phone_number, d.reference) for d in me.decisions()]
    assert noted == ([] if mode is Mode.OFF else [("country", outcome, NUMBER, reference)])
    me.send("+447400123456")
    assert len(me.decisions()) == len(noted)


def test_a_country_list_blocks_once_it_is_set(me: Sender) -> None:
    me.send()
    me.change(countries=["GB"])
    unchanged(me.send, ForbiddenError)


def met_by(name: RuleName, at: int) -> dict[str, object]:
    """The request number `at` that counts in the same bucket of this rule as the others."""
    if name is RuleName.RECIPIENT:
        return {}
    if name is RuleName.PREFIX:
        return {"number": f"+1415555{at}1{at}1"}
    if name is RuleName.SEQUENCE:
        return {"number": f"+141555501{at:02}"}
    elsewhere = {"number": f"+1{415 + 91 * at}5550100"}
    if name is RuleName.IP:
        return {**elsewhere, "recipient_ip": f"2001:db8:1:2::{at}"}
    return elsewhere


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", LIMITED)
def test_a_limit(me: Sender, name: RuleName, mode: Mode) -> None:
    me.limit(name, mode, "0.08" if name is RuleName.SPEND else 2)
    passed = [me.send(**met_by(name, at)) for at in range(2)]
    assert not me.decisions()
    for at in (2, 3):
        if mode is Mode.BLOCK:
            error = unchanged(lambda at=at: me.send(**met_by(name, at)), LimitExceededError)
            assert (error.code, error.retry_after) == ("otp_limit_reached", LEFT)
        else:
            passed.append(me.send(**met_by(name, at)))
    outcome = "blocked" if mode is Mode.BLOCK else "monitored"
    references = ["", ""] if mode is Mode.BLOCK else [made.ticket_number for made in passed[2:]]
    noted = [(d.rule, d.outcome, d.phone_number, d.reference) for d in me.decisions()]
    expected = [
        (name, outcome, met_by(name, at).get("number", NUMBER), reference)
        for at, reference in zip((2, 3), references, strict=True)
    ]
    assert sorted(noted) == ([] if mode is Mode.OFF else sorted(expected))
    assert me.spent() == len(passed) * SMS_PRICE


def test_a_limit_ends_with_its_window(me: Sender) -> None:
    clock = me.world.stack.clock
    ends = Millis(START + LEFT * SECOND)
    for name in LIMITED:
        clock.now = Millis(ends - 1)
        me.limit(name, Mode.BLOCK, "0.04" if name is RuleName.SPEND else 1)
        me.send(**met_by(name, 0))
        with pytest.raises(LimitExceededError) as refused:
            me.send(**met_by(name, 1))
        assert refused.value.retry_after == 1
        clock.now = ends
        assert me.send(**met_by(name, 1))
        ends = Millis(ends + WINDOW * SECOND)


def test_what_does_not_count_together(me: Sender) -> None:
    for name, numbers in (
        (RuleName.RECIPIENT, [NUMBER, "+14155550101"]),
        (RuleName.PREFIX, [NUMBER, "+14155560100"]),
        (RuleName.SEQUENCE, [NUMBER, "+14155550111", NUMBER]),
    ):
        me.limit(name, Mode.BLOCK, 1)
        for number in numbers:
            assert me.send(number), name
    me.limit(RuleName.IP, Mode.BLOCK, 1)
    for address in ("2001:db8:1:2::1", "2001:db8:1:3::1", "192.0.2.1", "192.0.2.2", "rubbish", ""):
        assert me.send(recipient_ip=address), address


def test_limits_are_of_one_account(world: World) -> None:
    for _ in range(2):
        me = Sender(world, world.user())
        me.limit(RuleName.ACCOUNT, Mode.BLOCK, 1)
        assert me.send()


def test_the_usual_limits(me: Sender) -> None:
    """Five in ten minutes to one number; sequences are watched."""
    for _ in range(5):
        me.send()
    unchanged(me.send, LimitExceededError)
    assert [d.rule for d in me.decisions()] == ["recipient"]
    for at in range(6):
        assert me.send(f"+1415555020{at}")
    noted = sorted((d.rule, d.outcome) for d in me.decisions())
    assert noted == [("recipient", "blocked"), ("sequence", "monitored")]


def test_a_spend_that_one_code_would_exceed(me: Sender) -> None:
    me.limit(RuleName.SPEND, Mode.BLOCK, "0.1")
    unchanged(lambda: me.send(text="x" * 459), LimitExceededError)
    me.send()
    unchanged(lambda: me.send(text="x" * 161), LimitExceededError)
    me.send()
    unchanged(me.send, LimitExceededError)


def test_a_refusal_for_money_counts_in_no_limit(world: World) -> None:
    me = Sender(world, world.user(balance=Micros(0)))
    unchanged(me.send, InsufficientBalanceError)


@pytest.mark.parametrize("name", LIMITED)
def test_many_at_once_never_pass_a_blocking_limit(me: Sender, name: RuleName) -> None:
    me.limit(name, Mode.BLOCK, "0.12" if name is RuleName.SPEND else 3)
    calls = [lambda at=at: me.send(**met_by(name, at)) for at in range(8)]
    answers = together(*calls)
    passed = [answer for answer in answers if isinstance(answer, Generated)]
    assert len(passed) == 3
    assert sum(isinstance(answer, LimitExceededError) for answer in answers) == 5
    assert me.spent() == 3 * SMS_PRICE
    assert tickets() == len({made.token for made in passed})


def test_a_number_next_to_others_is_counted_when_it_commits(me: Sender) -> None:
    """As above, but in one order: the other number is sent to after this one's limit was read."""
    me.limit(RuleName.SEQUENCE, Mode.BLOCK, 1)
    other = meanwhile(lambda: me.send("+14155550101"))
    with tapped(other, only=TRANSACT), pytest.raises(LimitExceededError):
        me.send("+14155550102")


def test_many_at_once_to_one_number_are_one_ticket(free: Sender) -> None:
    answers = together(*[free.send] * MOST_SENDINGS)
    assert len({answer.token for answer in answers if isinstance(answer, Generated)}) == 1
    assert not [answer for answer in answers if isinstance(answer, SesameError)]
    assert tickets() == 1
    assert free.spent() == MOST_SENDINGS * SMS_PRICE


def test_many_at_once_with_one_request_key_are_one_sending(me: Sender) -> None:
    answers = together(*[lambda: me.send(request=me.key())] * 8)
    assert answers == [answers[0]] * 8
    assert isinstance(answers[0], Generated)
    assert len(me.ticket(answers[0]).sendings) == 1
    assert me.spent() == SMS_PRICE


def test_many_at_once_with_money_for_two(world: World) -> None:
    me = Sender(world, world.user(balance=Micros(3 * SMS_PRICE - 1)))
    answers = together(*[me.send] * 8)
    assert sum(isinstance(answer, Generated) for answer in answers) == 2
    assert sum(isinstance(answer, InsufficientBalanceError) for answer in answers) == 6
    world.assert_i2(me.user)


def test_one_ticket_though_another_call_opened_it_meanwhile(free: Sender) -> None:
    others: list[Generated] = []
    with tapped(meanwhile(lambda: others.append(free.send())), only=TRANSACT):
        made = free.send()
    assert made.token == others[0].token
    assert tickets() == 1


def test_one_ticket_after_a_used_one_though_another_call_opened_it_meanwhile(free: Sender) -> None:
    free.use_up(free.send())
    others: list[Generated] = []
    between = meanwhile(lambda: others.append(free.send()))
    with tapped(let_through, between, only=TRANSACT):
        made = free.send()
    assert made.token == others[0].token
    assert tickets() == 2


def test_a_code_that_is_used_meanwhile_is_replaced(free: Sender) -> None:
    first = free.send()
    with tapped(meanwhile(lambda: free.use_up(first)), only=TRANSACT):
        made = free.send()
    assert made.token != first.token
    assert len(free.ticket(first).sendings) == 1
    assert free.spent() == 2 * SMS_PRICE


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("fault", [conflict, reply_lost, unreachable])
def test_i2_faults_on_the_way_change_nothing(me: Sender, fault: Any, again: bool) -> None:
    if again:
        me.send()
    with tapped(fault, fault, only=TRANSACT):
        made = me.send(request=me.key())
    assert len(me.ticket(made).sendings) == 1 + again
    assert me.spent() == (1 + again) * SMS_PRICE
    with tapped(fault, fault, only="BatchGetItem"):
        assert me.send(request=me.key()) == made


def test_i2_conflicts_that_do_not_end_are_busy(me: Sender) -> None:
    def send() -> None:
        with tapped(*[conflict] * 6, only=TRANSACT):
            me.send()

    error = unchanged(send, BusyError)
    assert error.retry_after == 1


def test_i3_a_request_whose_answers_were_all_lost_is_repeated(me: Sender) -> None:
    with tapped(*[reply_lost] * 3, only=TRANSACT), pytest.raises(BusyError):
        me.send(request=me.key())
    assert me.spent() == SMS_PRICE
    assert me.send(request=me.key()).ticket_number
    assert me.spent() == SMS_PRICE


def test_a_queue_that_fails_stops_no_code(
    me: Sender, caplog: pytest.LogCaptureFixture, stack: Stack
) -> None:
    stack.configure(SESAME_QUEUE_OTP=stack.environment["SESAME_QUEUE_OTP"] + "-gone")
    made = me.send()
    assert me.spent() == SMS_PRICE
    assert "queue was not told" in caplog.text
    assert made.token not in caplog.text


def test_somebody_elses_ticket_is_not_found(me: Sender, world: World) -> None:
    made, other = me.send(), Sender(world, world.user())
    for number in (made.ticket_number, new_ulid(START), "", "x", made.token, "\ud800"):
        with pytest.raises(SesameError) as refused:
            world.stack.platform.otp_tickets.find(other.user, number)
        assert refused.value.code == "ticket_not_found"


def test_a_free_code_costs_nothing(world: World, stack: Stack) -> None:
    stack.configure(SESAME_OTP_PRICES='{"*": {"sms": "0"}}')
    me = Sender(world, world.user(balance=Micros(0)))
    me.limit(RuleName.SPEND, Mode.BLOCK, UNIT // UNIT)
    assert len({me.send().token, me.send().token}) == 1
    world.assert_i2(me.user)
