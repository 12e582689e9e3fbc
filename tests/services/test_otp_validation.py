"""Codes that are given back: compared at most so often, right at most once, refused alike."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from chalicelib.domain.fraud import RuleName
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.ticket import Judgement, Ticket, TicketState, Verdict
from chalicelib.domain.times import SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.services.otp import Generated
from chalicelib.stores import db
from chalicelib.stores.ticket_items import TicketRow
from tests.conftest import START
from tests.wire import conflict, reply_lost, tapped, unreachable
from tests.world import World, meanwhile

NUMBER = "+14155550100"
GUESSES, THREADS = 1_000, 32
CALL_ID_LENGTH = 32
WRONG, USED, EXPIRED = Verdict.WRONG_CODE, Verdict.NOT_FOUND, Verdict.EXPIRED
REACHED, SUCCESS = Verdict.ATTEMPTS_REACHED, Verdict.SUCCESS


class Guesser:
    """A user who has codes sent and validates them."""

    def __init__(self, world: World, user: User) -> None:
        self.world, self.user = world, user

    def send(self, number: str = NUMBER, **given: object) -> Generated:
        given = {"phone_number": number, "max_wrong_attempts": 3, **given}
        return self.world.stack.platform.otp.generate(self.user, given)

    def give(self, **given: object) -> Judgement:
        return self.world.stack.platform.otp_tickets.validate(self.user, given)

    def guess(self, made: Generated, code: object, **more: object) -> Judgement:
        return self.give(code=code, otp_request_token=made.token, **more)

    def verdict(self, made: Generated, code: object, **more: object) -> Verdict:
        return self.guess(made, code, **more).verdict

    def ticket(self, made: Generated) -> Ticket:
        return self.world.stack.platform.otp_tickets.find(self.user, made.ticket_number).ticket

    def code(self, made: Generated) -> str:
        pepper = self.world.stack.platform.settings.secrets.pepper
        return derive_code(pepper, made.token, self.ticket(made).shape)

    def wrong(self, made: Generated) -> str:
        code = self.code(made)
        return ("1" if code[0] == "0" else "0") + code[1:]


@pytest.fixture
def me(world: World) -> Guesser:
    user = world.user()
    rules = {name: {"mode": "off"} for name in RuleName}
    world.stack.platform.otp_accounts.change(user.user_id, {"rules": rules})
    return Guesser(world, world.find(user))


def test_the_right_code_validates_once(me: Guesser) -> None:
    made = me.send()
    assert me.guess(made, me.code(made)) == Judgement(SUCCESS)
    assert me.guess(made, me.code(made)) == Judgement(USED)
    assert me.guess(made, me.wrong(made)) == Judgement(USED)
    assert me.ticket(made).attempts == 1


def test_wrong_codes_count_down_and_then_the_right_one_is_too_late(me: Guesser) -> None:
    made = me.send()
    remaining = [me.guess(made, me.wrong(made)) for _ in range(3)]
    assert remaining == [Judgement(WRONG, left) for left in (2, 1, 0)]
    assert me.guess(made, me.code(made)) == Judgement(REACHED)
    assert me.guess(made, me.wrong(made)) == Judgement(REACHED)
    assert me.ticket(made).attempts == 3


def test_the_right_code_after_wrong_ones_and_at_the_last_attempt(me: Guesser) -> None:
    made = me.send()
    for _ in range(2):
        me.guess(made, me.wrong(made))
    assert me.verdict(made, me.code(made)) is SUCCESS
    assert me.verdict(made, me.code(made)) is USED


def test_a_code_expires_exactly_at_its_moment(me: Guesser) -> None:
    made, clock = me.send(validity_period=30), me.world.stack.clock
    clock.now = Millis(START + 30 * SECOND)
    assert me.guess(made, me.code(made)) == Judgement(EXPIRED)
    clock.now = Millis(START + 30 * SECOND - 1)
    assert me.verdict(made, me.code(made)) is SUCCESS


def test_what_is_missing_comes_first(me: Guesser) -> None:
    made, code = me.send(), "1"
    by_token = {"otp_request_token": made.token}
    for given, verdict in (
        ({}, Verdict.RECIPIENT_MISSING),
        ({"code": code}, Verdict.RECIPIENT_MISSING),
        ({"code": code, "otp_request_token": " ", "phone_number": ""}, Verdict.RECIPIENT_MISSING),
        ({"code": code, "phone_number": "rubbish"}, Verdict.RECIPIENT_MISSING),
        ({"otp_request_token": "rubbish"}, Verdict.CODE_MISSING),
        (by_token, Verdict.CODE_MISSING),
        ({**by_token, "code": ""}, Verdict.CODE_MISSING),
        ({**by_token, "code": " " * 9}, Verdict.CODE_MISSING),
        ({**by_token, "code": None}, Verdict.CODE_MISSING),
        ({**by_token, "code": True}, Verdict.CODE_MISSING),
        ({**by_token, "code": [1]}, Verdict.CODE_MISSING),
        ({**by_token, "code": {"$ne": ""}}, Verdict.CODE_MISSING),
    ):
        assert me.give(**given) == Judgement(verdict), given
    assert me.ticket(made).attempts == 0


def test_where_several_answers_fit_used_precedes_expired_precedes_attempts(me: Guesser) -> None:
    used, full, both = me.send("+14155550101"), me.send("+14155550102"), me.send("+14155550103")
    for made in (full, both):
        for _ in range(3 - (made is both)):
            me.guess(made, me.wrong(made))
    for made in (used, both):
        assert me.verdict(made, me.code(made)) is SUCCESS
    assert [me.verdict(made, "1") for made in (used, full, both)] == [USED, REACHED, USED]
    me.world.stack.clock.advance(seconds=300)
    assert [me.verdict(made, "1") for made in (used, full, both)] == [USED, EXPIRED, USED]


def test_by_phone_it_is_the_last_ticket(me: Guesser) -> None:
    first, second = me.send(), me.send(code_length=8)
    assert me.give(code=me.code(first), phone_number=NUMBER).verdict is WRONG
    assert (me.ticket(first).attempts, me.ticket(second).attempts) == (0, 1)
    for number in ("001 415 555 0100", 14155550100, "tel:+1-415-555-0100"):
        assert me.give(code="1", phone_number=number).verdict in (WRONG, REACHED), number
    assert me.verdict(first, me.code(first)) is SUCCESS
    assert me.give(code="1", phone_number="+14155550199").verdict is USED


def test_a_token_counts_before_a_phone_number(me: Guesser) -> None:
    first, other = me.send(), me.send("+14155550101")
    code = me.code(first)
    assert me.verdict(first, code, phone_number="+14155550101") is SUCCESS
    assert me.ticket(other).attempts == 0


def test_somebody_elses_token_is_not_found_and_counts_nothing(me: Guesser, world: World) -> None:
    made, other = me.send(), Guesser(world, world.user())
    assert other.guess(made, me.code(made)) == Judgement(Verdict.NOT_FOUND)
    assert other.give(code=me.code(made), phone_number=NUMBER).verdict is Verdict.NOT_FOUND
    assert me.ticket(made).attempts == 0
    assert me.verdict(made, me.code(made)) is SUCCESS
    assert other.guess(made, me.code(made)) == Judgement(Verdict.NOT_FOUND)


def test_a_ticket_bound_to_an_ip_is_validated_from_there_only(me: Guesser) -> None:
    made = me.send(recipient_ip="192.0.2.1")
    code = me.code(made)
    assert me.guess(made, code) == Judgement(WRONG, 2)
    assert me.guess(made, code, recipient_ip="192.0.2.2") == Judgement(WRONG, 1)
    assert me.guess(made, code, recipient_ip="::ffff:192.0.2.1") == Judgement(SUCCESS)


def test_a_bound_ticket_by_phone_and_junk_for_an_address(me: Guesser) -> None:
    made = me.send(recipient_ip="2001:DB8::1")
    given = {"code": me.code(made), "phone_number": NUMBER}
    for address in ("rubbish", None):
        assert me.give(**given, recipient_ip=address).verdict is WRONG
    assert me.give(**given, recipient_ip="2001:db8:0::1").verdict is SUCCESS


def test_a_ticket_that_is_bound_to_no_ip_takes_any(me: Guesser) -> None:
    made = me.send(recipient_ip="dropped: no address")
    assert me.verdict(made, me.code(made), recipient_ip="192.0.2.2") is SUCCESS


def test_a_code_however_it_is_typed(me: Guesser) -> None:
    typed: list[Callable[[str], str]] = [
        lambda code: f" {code}\n",
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: "\u2013".join(code),
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
        lambda code: "".join(chr(0x660 + int(digit)) for digit in code),
        lambda code: "\u200e" + code + "\u200b",
    ]
    for at, type_ in enumerate(typed):
        made = me.send(f"+1415555{at:04}")
        assert me.verdict(made, type_(me.code(made))) is SUCCESS, at


def test_a_code_as_a_number(me: Guesser) -> None:
    at = 0
    while (made := me.send(f"+1415555{at:04}")) and me.code(made).startswith("0"):
        at += 1
    assert me.verdict(made, float(me.code(made))) is SUCCESS
    while (made := me.send(f"+1415556{at:04}")) and me.code(made).startswith("0"):
        at += 1
    assert me.verdict(made, int(me.code(made))) is SUCCESS


def test_letters_and_specials_are_compared_as_they_are(me: Guesser) -> None:
    given = {"allow_upper_case": True, "allow_lower_case": True, "allow_special_chars": True}
    made = me.send(code_length=32, **given)
    code = me.code(made)
    assert me.verdict(made, code.swapcase()) is WRONG
    assert me.verdict(made, code) is SUCCESS


def test_wrong_codes_of_any_kind_count(me: Guesser) -> None:
    for at, wrong in enumerate(
        ["x" * 10_000, "\ud800", "\x00", "-" * 9, -5, 1e300, float("inf"), 10**400, "{code}"]
    ):
        made = me.send(f"+1415555{at:04}")
        assert me.guess(made, wrong) == Judgement(WRONG, 2), wrong
    made = me.send()
    assert me.guess(made, me.code(made) + "0") == Judgement(WRONG, 2)
    assert me.guess(made, me.code(made)[:-1]) == Judgement(WRONG, 1)


def test_junk_for_a_token_is_not_found(me: Guesser) -> None:
    made, code = me.send(), ""
    code = me.code(made)
    token, bound = made.token, made.token.replace("otp_", "otpi_")
    junk = ["x", "x" * 10_000, token + "x", token[:-1], token.upper(), bound, token + "=" * 9_999]
    junk += ["otp_" + "A" * 43, "otpi_" + "A" * 43, f"last#{me.user.user_id}#{NUMBER}", "\ud800"]
    junk += [token + "\ud800", token[:20] + "\x00" + token[20:], "otp_" + "é" * 43]
    for given in junk:
        verdict = me.give(code=code, otp_request_token=given).verdict
        assert verdict is Verdict.NOT_FOUND, given[:80]
    for absent in (None, 1, True, [token], {"S": token}, "", "  "):
        verdict = me.give(code=code, otp_request_token=absent).verdict
        assert verdict is Verdict.RECIPIENT_MISSING, absent
    assert me.ticket(made).attempts == 0
    assert me.give(code=code, otp_request_token=f" {token}\n").verdict is SUCCESS


def at_once(me: Guesser, made: Generated, codes: Sequence[str]) -> Counter[Verdict]:
    """The verdicts on all these codes, given by many threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(lambda code: me.verdict(made, code), codes))


def test_i6_of_a_thousand_guesses_at_once_as_many_are_compared_as_may_be(me: Guesser) -> None:
    made = me.send(max_wrong_attempts=5)
    right = int(me.code(made))
    with ThreadPoolExecutor(THREADS) as pool:
        guesses = [f"{(right + at) % 10**6:06}" for at in range(1, GUESSES + 1)]
        answers = list(pool.map(lambda code: me.guess(made, code), guesses))
    compared = [answer.remaining for answer in answers if answer.verdict is WRONG]
    assert sorted(compared) == [0, 1, 2, 3, 4]
    assert sum(answer.verdict is REACHED for answer in answers) == GUESSES - 5
    assert me.ticket(made).attempts == 5


def test_i6_with_the_right_code_among_them_at_most_one_succeeds(me: Guesser) -> None:
    shuffled, successes = Random(6), 0
    for at in range(4):
        made = me.send(f"+1415555{at:04}", max_wrong_attempts=5)
        guesses = [me.wrong(made)] * 8 + [me.code(made)] * 24
        shuffled.shuffle(guesses)
        verdicts = at_once(me, made, guesses)
        succeeded = verdicts[SUCCESS]
        assert succeeded <= 1
        assert verdicts[WRONG] + succeeded == me.ticket(made).attempts <= 5
        assert set(verdicts) <= {WRONG, SUCCESS, USED if succeeded else REACHED}
        successes += succeeded
    assert successes


def test_i6_lost_replies_count_once_and_tell_the_same(me: Guesser) -> None:
    for fault in (reply_lost, unreachable, conflict):
        made = me.send(f"+1415555{fault.__name__.encode()[0]:04}")
        answers = []
        for code in (me.wrong(made), me.wrong(made), me.code(made), me.code(made)):
            with tapped(fault, only="UpdateItem"):
                answers.append(me.guess(made, code))
        expected = [Judgement(WRONG, 2), Judgement(WRONG, 1), Judgement(SUCCESS), Judgement(USED)]
        assert answers == expected
        assert me.ticket(made).attempts == 3


def test_i6_the_last_attempt_with_a_lost_reply(me: Guesser) -> None:
    for code_of, expected in ((me.wrong, Judgement(WRONG, 0)), (me.code, Judgement(SUCCESS))):
        made = me.send(f"+1415555{expected.verdict:04}", max_wrong_attempts=1)
        with tapped(reply_lost, reply_lost, only="UpdateItem"):
            assert me.guess(made, code_of(made)) == expected
        assert me.ticket(made).attempts == 1


def test_i6_a_guess_between_a_lost_reply_and_its_repeat(me: Guesser) -> None:
    """Nobody's right code is overwritten, and no guess is compared beyond those allowed."""
    made = me.send()
    other: list[Judgement] = []

    def lost_then_other(request: Any) -> Any:
        try:
            return reply_lost(request)
        finally:
            other.append(me.guess(made, me.wrong(made)))

    with tapped(lost_then_other, only="UpdateItem"):
        answer = me.guess(made, me.code(made))
    assert (answer, other) == (Judgement(SUCCESS), [Judgement(USED)])

    made, other = me.send("+14155550101"), []
    with tapped(lost_then_other, only="UpdateItem"):
        assert me.guess(made, me.wrong(made)).verdict is WRONG
    assert other[0].verdict is WRONG
    assert me.ticket(made).attempts <= 3


def test_i6_every_reply_is_lost_once_to_many_at_once(me: Guesser) -> None:
    made = me.send(max_wrong_attempts=5)
    guesses = [me.wrong(made)] * 8 + [me.code(made)] * 8
    Random(1).shuffle(guesses)
    lost: set[str] = set()

    def lose_first(request: Any) -> Any:
        values = json.loads(request.body)["ExpressionAttributeValues"].values()
        (call,) = {value["S"] for value in values if len(value.get("S", "")) == CALL_ID_LENGTH}
        if call in lost:
            return None
        lost.add(call)
        return reply_lost(request)

    with tapped(*[lose_first] * 2 * len(guesses), only="UpdateItem"):
        verdicts = at_once(me, made, guesses)
    assert len(lost) == len(guesses) == verdicts.total()
    assert verdicts[SUCCESS] <= 1
    assert verdicts[WRONG] + verdicts[SUCCESS] <= me.ticket(made).attempts <= 5


def test_a_lost_reply_by_phone(me: Guesser) -> None:
    made = me.send()
    with tapped(reply_lost, reply_lost):
        answer = me.give(code=me.code(made), phone_number=NUMBER)
    assert answer == Judgement(SUCCESS)
    assert me.ticket(made).attempts == 1


def test_conflicts_that_do_not_end_are_busy_and_count_nothing(me: Guesser) -> None:
    made = me.send()
    with tapped(*[conflict] * 6, only="UpdateItem"), pytest.raises(BusyError):
        me.guess(made, me.code(made))
    assert me.ticket(made).attempts == 0


def test_a_code_is_used_while_another_guess_is_on_its_way(me: Guesser) -> None:
    made = me.send()
    between = meanwhile(lambda: me.guess(made, me.code(made)))
    with tapped(between, only="UpdateItem"):
        assert me.guess(made, me.code(made)) == Judgement(USED)


def test_a_refusal_reads_alike_whatever_it_is_for(me: Guesser) -> None:
    """One update of one item, for an unknown token as for a wrong code."""
    made = me.send()
    for given in (made.token, "rubbish", "otp_" + "A" * 43, "\ud800"):
        with tapped() as wire:
            me.give(code="1", otp_request_token=given)
        assert wire.operations() == ["UpdateItem"], given
    for number in (NUMBER, "+14155550199"):
        with tapped() as wire:
            me.give(code="1", phone_number=number)
        assert wire.operations() == ["GetItem", "UpdateItem"], number


def test_an_unknown_token_leaves_nothing_behind(me: Guesser) -> None:
    before = [row.token for row in db.scan(TicketRow).items]
    for given in ("rubbish", "otp_" + "A" * 43):
        me.give(code="1", otp_request_token=given)
    me.give(code="1", phone_number=NUMBER)
    assert [row.token for row in db.scan(TicketRow).items] == before


def test_a_ticket_is_shown_as_it_stands(me: Guesser) -> None:
    def state(made: Generated) -> TicketState:
        return me.world.stack.platform.otp_tickets.find(me.user, made.ticket_number).state

    used, full = me.send("+14155550101"), me.send("+14155550102")
    assert state(used) is TicketState.QUEUED
    me.world.advance_tickets()
    assert state(used) is TicketState.SENT
    me.verdict(used, me.code(used))
    for _ in range(3):
        me.verdict(full, me.wrong(full))
    assert (state(used), state(full)) == (TicketState.VALIDATED, TicketState.LOCKED)
    me.world.stack.clock.advance(seconds=300)
    assert (state(used), state(full)) == (TicketState.VALIDATED, TicketState.EXPIRED)


@dataclass
class Known:
    """What the model knows of a ticket."""

    made: Generated
    number: str
    code: str
    ends: int
    attempts: int = 0
    most: int = 3
    used: bool = False

    def answer(self, code: str, now: int) -> Judgement:
        """What spec C and the design say to this guess."""
        if self.used:
            return Judgement(USED)
        if now >= self.ends:
            return Judgement(EXPIRED)
        if self.attempts >= self.most:
            return Judgement(REACHED)
        self.attempts += 1
        self.used = code == self.code
        return Judgement(SUCCESS) if self.used else Judgement(WRONG, self.most - self.attempts)


@dataclass
class Model:
    """All tickets, and the last one of each number."""

    all: list[Known] = field(default_factory=list)
    last: dict[str, Known] = field(default_factory=dict)


def test_validation_follows_its_model(me: Guesser) -> None:
    numbers = iter(range(10_000))

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.model = Model()
            self.block = next(numbers)

        @rule(which=st.integers(0, 1), validity=st.integers(20, 120), length=st.integers(5, 7))
        def send(self, which: int, validity: int, length: int) -> None:
            number = f"+1415{2_000_000 + self.block * 10 + which}"
            made = me.send(number, validity_period=validity, code_length=length)
            known = next((k for k in self.model.all if k.made.token == made.token), None)
            if known is None:
                ends = me.world.stack.clock.now + validity * SECOND
                known = Known(made, number, me.code(made), ends)
                self.model.all.append(known)
            # What is sent again would validate.
            assert not known.used
            assert known.attempts < known.most
            self.model.last[number] = known

        @precondition(lambda self: self.model.all)
        @rule(data=st.data(), right=st.booleans(), lost=st.booleans(), by_phone=st.booleans())
        def guess(self, data: Any, right: bool, lost: bool, by_phone: bool) -> None:
            known = data.draw(st.sampled_from(self.model.all))
            if by_phone:
                known = self.model.last[known.number]
            given = {"phone_number": known.number}
            if not by_phone:
                given = {"otp_request_token": known.made.token}
            code = known.code if right else "wrong"
            with tapped(*[reply_lost] * lost, only="UpdateItem"):
                answer = me.give(code=code, **given)
            assert answer == known.answer(code, me.world.stack.clock.now)

        @rule(seconds=st.sampled_from([1, 9.999, 20, 60]))
        def wait(self, seconds: float) -> None:
            me.world.stack.clock.advance(seconds=seconds)

    run_machine(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=14,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
