"""Codes taken to providers: in order, until one takes it; sent or refunded, wherever it dies."""

import logging

import pytest

from chalicelib.domain.events import OTP_FAILED, OTP_SENT
from chalicelib.domain.otp import Autofill, Channel
from chalicelib.domain.otp_text import render_sms, render_voice
from chalicelib.domain.segments import segment_count
from chalicelib.domain.ticket import SendingState, TicketState
from chalicelib.domain.times import SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.services.otp import Generated
from chalicelib.services.otp_sending import GRACE, LEASE, ROUND_WAIT, ROUNDS
from chalicelib.stores.tickets import TOLD_WITHIN
from tests.conftest import Stack
from tests.sellers import CrashError, die, done_then_die, queue_tapped
from tests.sendings import (
    BUSY,
    CALL_PRICE,
    HOOK,
    NEVER,
    NUMBER,
    SMS_PRICE,
    Carrier,
    Post,
    post_in,
)
from tests.wire import TRANSACT, Fault, let_through, reply_lost, tapped, unreachable
from tests.world import BALANCE, meanwhile, together


@pytest.fixture
def post(stack: Stack) -> Post:
    return post_in(stack)


@pytest.fixture
def user(post: Post) -> User:
    return post.user()


@pytest.fixture
def first(post: Post) -> Carrier:
    return post.carriers["first"]


@pytest.fixture
def second(post: Post) -> Carrier:
    return post.carriers["second"]


@pytest.fixture
def third(post: Post) -> Carrier:
    return post.carriers["third"]


def outcomes(post: Post, made: Generated) -> list[tuple[str, str]]:
    return [(each.provider, each.outcome) for each in post.last(made).tries]


def test_providers_are_asked_in_order_until_one_takes_it(
    post: Post, user: User, first: Carrier, second: Carrier
) -> None:
    first.script = [NEVER]
    made = post.sent(user)
    assert outcomes(post, made) == [("first", "number_refused"), ("second", "accepted")]
    sending = post.last(made)
    assert (sending.state, sending.provider, sending.account) == ("sent", "second", "main")
    assert (sending.message_id, sending.sent_at) == ("second-1", post.stack.clock.now)
    assert post.asked == ["first", "second"]
    assert post.balance(user) == BALANCE - SMS_PRICE
    post.assert_over(user, made)


def test_each_country_has_its_routes_and_any_other_the_general_ones(stack: Stack) -> None:
    post = Post(stack).open(GB=["third:main", "first:main"], everywhere=["second:main"])
    post.carriers["third"].script = [NEVER]
    user = post.user()
    made = post.sent(user, phone_number="+447400123456")
    assert outcomes(post, made) == [("third", "number_refused"), ("first", "accepted")]
    assert outcomes(post, post.sent(user)) == [("second", "accepted")]


def test_routes_that_are_gone_when_it_is_sent_fail_it(post: Post, user: User) -> None:
    made = post.generate(user)
    post.stack.configure(SESAME_OTP_ROUTES='{"GB": ["first:main"]}')
    post.advance_tickets()
    assert (post.last(made).state, post.last(made).tries) == ("failed", ())
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)


def test_a_provider_that_does_not_offer_the_channel_is_passed_over(
    post: Post, user: User, first: Carrier
) -> None:
    first.CHANNELS = frozenset({Channel.SMS})
    made = post.sent(user, channel="voice_sms")
    assert outcomes(post, made) == [("first", "channel_not_offered"), ("second", "accepted")]
    assert post.asked == ["second"]


def test_what_is_not_configured_is_passed_over(stack: Stack) -> None:
    post = Post(stack).open(everywhere=["nobody:main", "first:other", "first:main"])
    made = post.sent(post.user())
    wanted = [("nobody", "not_configured"), ("first", "not_configured"), ("first", "accepted")]
    assert outcomes(post, made) == wanted
    assert [each.account for each in post.last(made).tries] == ["main", "other", "main"]
    assert post.carriers["first"].accounts == ["main"]


def test_i2_what_all_refuse_for_good_fails_at_once_and_is_refunded_once(
    post: Post, user: User
) -> None:
    for carrier in post.carriers.values():
        carrier.script = [NEVER]
    made = post.sent(user)
    sending = post.last(made)
    assert (sending.state, sending.rounds, len(sending.tries)) == ("failed", 1, 3)
    assert post.lookup(user, made).state is TicketState.FAILED
    for _ in range(2):
        post.advance(made)
        post.sweep()
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)
    assert len(post.asked) == 3


def test_i2_what_nobody_takes_now_is_tried_again_after_5_and_10_seconds_then_refunded(
    post: Post, user: User
) -> None:
    for carrier in post.carriers.values():
        carrier.script = [BUSY] * 10
    made = post.generate(user)
    with queue_tapped() as told:
        for round_ in range(1, ROUNDS + 1):
            assert post.last(made).state is SendingState.QUEUED
            post.advance(made)
            assert post.last(made).rounds == round_
            assert len(post.asked) == 3 * round_
            post.stack.clock.advance(seconds=5 * round_)
    assert told == [{"token": made.token, "delay": 5}, {"token": made.token, "delay": 10}]
    assert len(post.last(made).tries) == 9
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)
    references = {sms.reference for carrier in post.carriers.values() for sms in carrier.sent}
    assert references == {post.last(made).sending_id}


def test_a_later_round_may_take_it(post: Post, user: User, first: Carrier, third: Carrier) -> None:
    post.carriers["second"].script = [NEVER, NEVER]
    first.script, third.script = [BUSY], [NEVER, NEVER]
    made = post.generate(user)
    post.advance(made)
    assert post.row(made).due_at == post.stack.clock.now + ROUND_WAIT + GRACE
    post.advance(made)
    assert [tried for tried, _ in outcomes(post, made)] == ["first", "second", "third", "first"]
    assert (post.last(made).rounds, post.last(made).state) == (2, "sent")
    post.assert_over(user, made)


def test_rounds_are_gone_on_with_by_the_sweep_if_the_queue_loses_them(
    post: Post, user: User
) -> None:
    for carrier in post.carriers.values():
        carrier.script = [BUSY] * 10
    with queue_tapped(lost=True):
        made = post.generate(user)
        post.advance(made)
    for _ in range(3):
        post.sweep()
    assert len(post.asked) == 9
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)


def test_what_the_queue_was_not_told_of_the_sweep_sends(post: Post, user: User) -> None:
    with queue_tapped(lost=True):
        made = post.generate(user)
    post.sweep(TOLD_WITHIN / SECOND - 0.001)
    assert post.asked == []
    post.sweep(0.001)
    assert post.asked == ["first"]
    post.assert_over(user, made)


def test_the_sweep_tells_of_every_ticket_that_is_due(post: Post) -> None:
    users = [post.user() for _ in range(3)]
    with queue_tapped(lost=True):
        made = [post.generate(user) for user in users]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.services.otp_sending._PAGE", 2)
        post.sweep()
    for user, each in zip(users, made, strict=True):
        post.assert_over(user, each)


DEATHS: dict[str, Fault] = {
    "dies before it": die,
    "dies after it": done_then_die,
    "is not reached": unreachable,
    "its reply is lost": reply_lost,
}
SCRIPTS = {
    "taken": [[], [], []],
    "refused": [[NEVER] * 9] * 3,
    "put off": [[BUSY], [BUSY], [NEVER] * 3],
    "never taken": [[BUSY] * 99] * 3,
}


def faults_of(fault: Fault, step: int) -> list[Fault]:
    """This fault at that step, for as long as it is tried again at all."""
    tries = {unreachable: 3, reply_lost: 3}.get(fault, 1)  # type: ignore[call-overload]
    return [*[let_through] * step, *[fault] * tries]


def died(post: Post, made: Generated, fault: Fault, step: int) -> None:
    with tapped(*faults_of(fault, step)):
        try:
            post.advance(made)
        except (CrashError, BusyError):
            return


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("step", [0, 1], ids=["when it is leased", "when it is written down"])
def test_i2_it_ends_sent_or_refunded_wherever_it_dies(
    post: Post, user: User, script: str, step: int
) -> None:
    taken = script in ("taken", "put off")
    for at, (death, fault) in enumerate(DEATHS.items()):
        for carrier, steps in zip(post.carriers.values(), SCRIPTS[script], strict=True):
            carrier.script = list(steps)
        before = post.balance(user)
        made = post.generate(user, phone_number=f"+1415555{2600 + at}")
        post._drain(post.stack.platform.settings.otp_queue)
        died(post, made, fault, step)
        for _ in range(4):
            if post.row(made).due is not None:
                post.sweep()
        assert post.last(made).state == ("sent" if taken else "failed"), death
        assert post.balance(user) == before - (SMS_PRICE if taken else 0), death
        assert post.carriers["first"].sent[-1].reference == post.last(made).sending_id
        post.assert_over(user, made)


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_i2_a_lambda_that_dies_while_it_asks_is_made_up_for(
    post: Post, user: User, first: Carrier, taken: bool
) -> None:
    first.script = [CrashError()]
    if not taken:
        first.script = [CrashError(), NEVER]
        for name in ("second", "third"):
            post.carriers[name].script = [NEVER]
    made = post.generate(user)
    with pytest.raises(CrashError):
        post.advance_tickets()
    post.sweep(LEASE / SECOND - 0.001)
    assert len(first.sent) == 1
    post.sweep(0.001)
    assert len(first.sent) == 2
    assert post.code(first.sent[0]) == post.code(first.sent[1])
    assert post.last(made).state == ("sent" if taken else "failed")
    post.assert_over(user, made)


def test_i2_a_provider_that_always_breaks_leaves_nothing_stuck(
    post: Post, user: User, first: Carrier
) -> None:
    first.script = [ZeroDivisionError()] * 99
    made = post.generate(user)
    for _ in range(6):
        try:
            post.sweep()
        except ZeroDivisionError:
            continue
    assert 1 < len(first.sent) < 6
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)


def test_lambdas_at_once_ask_a_provider_once(post: Post, user: User) -> None:
    made = post.generate(user)
    together(*[lambda: post.advance(made)] * 4)
    assert post.asked == ["first"]
    post.assert_over(user, made)


def test_i2_lambdas_at_once_refund_once(post: Post, user: User) -> None:
    for carrier in post.carriers.values():
        carrier.script = [NEVER] * 9
    made = post.generate(user)
    together(*[lambda: post.advance(made)] * 4)
    assert len(post.asked) == 3
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)


def test_nobody_else_asks_while_a_provider_is_being_asked(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.generate(user)

    def others() -> None:
        post.advance(made)
        post.sweep(LEASE / SECOND - 1)

    first.script = [others]
    post.advance(made)
    assert post.asked == ["first"]
    post.assert_over(user, made)


@pytest.mark.parametrize("late", ["late-id", NEVER, BUSY], ids=["taken", "refused", "busy"])
def test_i2_an_answer_after_the_lease_changes_nothing(
    post: Post, user: User, first: Carrier, late: object
) -> None:
    made = post.generate(user)
    for name in ("second", "third"):
        post.carriers[name].script = [NEVER if late is not BUSY else BUSY]

    def others() -> object:
        post.sweep(LEASE / SECOND)
        if isinstance(late, Exception):
            raise late
        return late

    first.script = [others, "in-time"]
    post.advance(made)
    sending = post.last(made)
    assert (sending.state, sending.message_id, len(sending.tries)) == ("sent", "in-time", 1)
    assert post.balance(user) == BALANCE - SMS_PRICE
    post.assert_over(user, made)


def test_a_provider_that_can_not_read_our_tables_now_may_take_it_later(
    post: Post, user: User, first: Carrier
) -> None:
    first.script = [BusyError()]
    post.carriers["second"].script = [NEVER]
    post.carriers["third"].script = [NEVER]
    made = post.generate(user)
    post.advance(made)
    assert outcomes(post, made)[0] == ("first", "busy")
    assert post.last(made).state is SendingState.QUEUED
    post.sweep()
    assert post.last(made).state is SendingState.SENT
    post.assert_over(user, made)


def test_a_message_that_comes_again_sends_nothing_again(post: Post, user: User) -> None:
    made = post.sent(user)
    for _ in range(3):
        post.advance(made)
    assert post.asked == ["first"]
    post.assert_over(user, made)


@pytest.mark.parametrize("token", ["", "otp_" + "A" * 43, f"last#x#{NUMBER}"], ids=repr)
def test_what_is_no_ticket_is_nothing_to_do(post: Post, token: str) -> None:
    if token:
        post.sending().advance(token)
    assert post.asked == []


@pytest.mark.parametrize(
    "answers",
    [[[], [], []], [[NEVER], [NEVER], [NEVER]], [[BUSY], [BUSY], [BUSY]]],
    ids=["sent", "failed", "put off"],
)
def test_a_code_asked_for_again_while_a_provider_is_asked_is_sent_again(
    post: Post, user: User, answers: list[list[object]]
) -> None:
    made = post.generate(user)

    def again() -> None:
        assert post.generate(user).token == made.token
        # Its message comes while the ticket is in other hands.
        post.advance_tickets()
        answer = answers[0][0] if answers[0] else None
        if isinstance(answer, Exception):
            raise answer

    for carrier, script in zip(post.carriers.values(), answers, strict=True):
        carrier.script = list(script)
    post.carriers["first"].script = [again]
    post.advance(made)
    before = post.ticket(made).sendings
    assert [each.state for each in before][1] is SendingState.QUEUED
    assert post.row(made).due is not None
    assert (post.row(made).due_at or 0) <= post.stack.clock.now + ROUND_WAIT + GRACE
    for _ in range(2):
        post.sweep()
    states = [each.state for each in post.ticket(made).sendings]
    assert states == ["failed" if answers[0] == [NEVER] else "sent", "sent"]
    assert post.carriers["first"].sent[-1].reference == before[1].sending_id
    post.assert_over(user, made)


def test_a_code_asked_for_again_meanwhile_waits_for_no_sweep(
    post: Post, user: User, first: Carrier
) -> None:
    """The queue is told when the ticket can be had, or its message would come too early."""
    made = post.generate(user)

    def again() -> None:
        post.generate(user)
        post.advance_tickets()

    first.script = [again]
    # The third transaction (the first is the one that asks again) knows of both sendings.
    faults = (let_through, let_through, meanwhile(post.advance_tickets))
    with tapped(*faults, only=TRANSACT):
        post.advance(made)
    post.advance_tickets()
    assert [each.state for each in post.ticket(made).sendings] == ["sent", "sent"]


def test_codes_asked_for_again_and_again_meanwhile_are_all_sent(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.generate(user)
    first.script = [lambda: [post.generate(user) for _ in range(3)] and None]
    post.advance(made)
    for _ in range(4):
        post.sweep(1)
    assert [each.state for each in post.ticket(made).sendings] == ["sent"] * 4
    assert len(first.sent) == 4
    post.assert_over(user, made)


def test_one_added_between_each_try_to_write_it_down_is_waited_for(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.generate(user)

    def again() -> None:
        if len(post.ticket(made).sendings) < 4:
            post.generate(user)

    first.script = [again]
    faults = [let_through, meanwhile(again), let_through, meanwhile(again), let_through]
    with tapped(*faults, only=TRANSACT):
        post.advance(made)
    sendings = post.ticket(made).sendings
    assert [each.state for each in sendings] == ["sent", "queued", "queued", "queued"]
    for _ in range(4):
        post.sweep(1)
    post.assert_over(user, made)


def use(post: Post, user: User, made: Generated) -> None:
    assert post.validate(user, made, post.code(post.carriers["first"].sent[0])) == 0


def lock(post: Post, user: User, made: Generated) -> None:
    while post.validate(user, made, "wrong") != 196:
        pass


def expire(post: Post, user: User, made: Generated) -> None:
    post.stack.clock.now = post.ticket(made).expires_at


@pytest.mark.parametrize(
    ("end", "state"),
    [(use, TicketState.VALIDATED), (lock, TicketState.LOCKED), (expire, TicketState.EXPIRED)],
)
def test_i2_a_code_of_no_more_use_is_not_sent_and_refunded(
    post: Post, user: User, end: object, state: TicketState
) -> None:
    made = post.sent(user)
    post.generate(user)
    end(post, user, made)  # type: ignore[operator]
    post.advance_tickets()
    assert post.asked == ["first"]
    (tried,) = post.last(made).tries
    assert (post.last(made).state, tried.outcome) == ("failed", "no_longer_valid")
    assert post.lookup(user, made).state is state
    assert post.balance(user) == BALANCE - SMS_PRICE
    post.assert_over(user, made)


def test_an_expired_code_is_asked_of_no_provider(post: Post, user: User) -> None:
    made = post.generate(user)
    post.stack.clock.now = Millis(post.ticket(made).expires_at - 1)
    assert post.ticket(made).is_live(post.stack.clock.now)
    post.stack.clock.advance(seconds=0.001)
    post.advance_tickets()
    assert post.asked == []
    assert post.lookup(user, made).state is TicketState.FAILED
    post.assert_over(user, made)


def test_i2_a_closed_account_gets_its_money_back(post: Post, user: User) -> None:
    for carrier in post.carriers.values():
        carrier.script = [NEVER]
    made = post.generate(user)
    post.elsewhere().profiles.close(user.user_id, confirm=user.login)
    post.advance_tickets()
    assert post.balance(user) == BALANCE
    post.assert_over(user, made)


def test_a_free_code_moves_no_money_when_it_fails(post: Post) -> None:
    post.stack.configure(SESAME_OTP_PRICES='{"*": {"sms": "0"}}')
    user = post.user(balance=SMS_PRICE)
    for carrier in post.carriers.values():
        carrier.script = [NEVER]
    made = post.sent(user)
    assert post.last(made).state is SendingState.FAILED
    assert post.refunds(user) == []
    assert post.balance(user) == SMS_PRICE
    post.assert_i2(user)


def test_the_message_is_the_template_filled_in_and_its_code_validates(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.generate(user, text="Code {code}, good for {hh:mm:ss}. {code}!", sender="Acme")
    post.stack.clock.advance(seconds=60)
    post.advance_tickets()
    (sms,) = first.sent
    code = sms.text.split()[1].strip(",")
    template = post.last(made).text
    assert sms.text == render_sms(template, code, 240, Autofill())
    assert sms.text == f"Code {code}, good for 00:04:00. {code}!"
    assert (sms.to, sms.sender, sms.channel) == (NUMBER, "Acme", Channel.SMS)
    assert (sms.valid_seconds, sms.reference) == (240, post.last(made).sending_id)
    assert post.validate(user, made, code) == 0


def test_a_code_sent_again_is_the_same_one(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    assert post.sent(user).ticket_number == made.ticket_number
    assert post.code(first.sent[0]) == post.code(first.sent[1])
    assert first.sent[0].reference != first.sent[1].reference
    post.assert_over(user, made)


def test_a_call_says_the_code_in_the_voice_that_was_asked_for(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.sent(user, channel="voice_sms", voice_language="de-DE", voice_gender="male")
    (call,) = first.sent
    assert (call.channel, call.language, call.gender) == (Channel.VOICE, "de-DE", "male")
    sending = post.last(made)
    code = "".join(filter(str.isdigit, call.text))[:6]
    assert call.text == render_voice(sending.text, code, 300, "de-DE")
    assert post.validate(user, made, code) == 0
    assert (sending.segments, sending.price) == (1, CALL_PRICE)
    assert post.balance(user) == BALANCE - CALL_PRICE


@pytest.mark.parametrize(
    ("text", "segments"), [("x" * 154 + "{code}", 1), ("x" * 155 + "{code}", 2), ("й" * 65, 2)]
)
def test_what_is_charged_are_the_segments_that_are_sent(
    post: Post, user: User, first: Carrier, text: str, segments: int
) -> None:
    made = post.sent(user, text=text)
    assert segment_count(first.sent[0].text) == post.last(made).segments == segments
    assert post.balance(user) == BALANCE - segments * SMS_PRICE


def test_the_lines_for_autofill_are_sent_once_and_charged(
    post: Post, user: User, first: Carrier
) -> None:
    post.stack.platform.otp_accounts.change(
        user.user_id, {"android_hash": "FA+9qCX9VSu", "apple_domain": "example.com"}
    )
    made = post.sent(user)
    *_, android, apple = first.sent[0].text.split("\n")
    assert android == "FA+9qCX9VSu"
    assert apple.startswith("@example.com #")
    assert post.validate(user, made, apple.partition("#")[2]) == 0
    assert first.sent[0].text.count("FA+9qCX9VSu") == 1
    assert segment_count(first.sent[0].text) == post.last(made).segments


def test_receipts_are_to_be_posted_to_the_account_that_sends(
    post: Post, user: User, first: Carrier, second: Carrier
) -> None:
    first.script = [NEVER]
    post.sent(user)
    for carrier in (first, second):
        url = f"https://sesame.test/inbound/{carrier.name}/main/receipt"
        assert carrier.lines[0].receipt_url == url
        assert carrier.lines[0].now == post.stack.clock.now


def test_i8_no_code_is_in_a_log_a_try_or_what_is_shown(
    post: Post, user: User, first: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    post.webhook(user, HOOK, OTP_SENT, OTP_FAILED)
    first.script = [NEVER, BUSY]
    with caplog.at_level(logging.DEBUG):
        made = post.sent(user)
        post.sent(user)
        with queue_tapped(lost=True):
            post.generate(user)
    code = post.code(first.sent[0])
    ours = [record for record in caplog.records if record.name.startswith("chalicelib")]
    logged = " ".join(record.getMessage() for record in ours)
    assert "ConnectionClosedError" in logged
    told = logged + repr(post.lookup(user, made)) + repr(first.sent) + repr(post.row(made))
    assert code not in told
    assert made.token not in logged + repr(post.ticket(made)) + repr(made)
