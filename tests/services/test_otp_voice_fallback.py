"""An SMS followed by silence is followed by a call: once, paid, and only if it is of use."""

import json
from collections.abc import Callable

import pytest

from chalicelib.domain.otp import Channel
from chalicelib.domain.otp_text import render_voice
from chalicelib.domain.ticket import TicketState
from chalicelib.domain.times import SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.services.otp import Generated
from chalicelib.services.otp_sending import GRACE, LEASE
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.conftest import Stack
from tests.sellers import CrashError, die, done_then_die, queue_tapped
from tests.sendings import BUSY, CALL_PRICE, NEVER, SMS_PRICE, Carrier, Post, post_in
from tests.wire import let_through, tapped
from tests.world import BALANCE, meanwhile, together

SILENCE = 30
PRICES = {"*": {"sms": "0.04", "voice_sms": "0.1"}}


@pytest.fixture
def post(stack: Stack) -> Post:
    return post_in(stack)


@pytest.fixture
def user(post: Post) -> User:
    user = post.user()
    post.stack.platform.otp_accounts.change(user.user_id, {"voice_after": SILENCE})
    return user


@pytest.fixture
def first(post: Post) -> Carrier:
    return post.carriers["first"]


def channels(post: Post, made: Generated) -> list[str]:
    return [each.channel for each in post.ticket(made).sendings]


def fall_silent(post: Post, made: Generated, seconds: float = SILENCE) -> None:
    """The message that comes after the silence, and what it leads to."""
    post.stack.clock.advance(seconds=seconds)
    post.advance(made)
    post.advance_tickets()


def test_i2_silence_is_followed_by_one_call_that_is_paid(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.sent(user)
    fall_silent(post, made, SILENCE - 0.001)
    assert channels(post, made) == ["sms"]
    fall_silent(post, made, 0.001)
    assert channels(post, made) == ["sms", "voice_sms"]
    sms, call = first.sent
    assert (call.channel, call.sender, call.to) == (Channel.VOICE, "", sms.to)
    code = post.code(sms)
    template = post.ticket(made).voice_text
    assert call.text == render_voice(template, code, 300 - SILENCE, "en-US")
    assert post.balance(user) == BALANCE - SMS_PRICE - CALL_PRICE
    for _ in range(3):
        fall_silent(post, made)
    assert len(first.sent) == 2
    assert post.validate(user, made, code) == 0
    post.assert_over(user, made)


def test_a_call_speaks_as_the_code_was_asked_for(post: Post, user: User, first: Carrier) -> None:
    made = post.generate(user, text="Hallo {code}", voice_language="de-DE", voice_gender="male")
    post.advance_tickets()
    fall_silent(post, made)
    call = first.sent[-1]
    assert (call.channel, call.language, call.gender) == (Channel.VOICE, "de-DE", "male")
    code = first.sent[0].text.split()[1]
    assert call.text == render_voice("Hallo {code}", code, 300 - SILENCE, "de-DE")
    assert (post.last(made).segments, post.last(made).price) == (1, CALL_PRICE)


def test_the_queue_brings_the_call_when_it_is_due(post: Post, user: User) -> None:
    made = post.generate(user)
    with queue_tapped() as told:
        post.advance(made)
        assert told == [{"token": made.token, "delay": SILENCE}]
        post.stack.clock.advance(seconds=SILENCE)
        post.advance(made)
        assert told[1:] == [{"token": made.token, "delay": 0}]
        post.advance(made)
    assert len(told) == 2
    assert channels(post, made) == ["sms", "voice_sms"]
    post.assert_over(user, made)


def test_the_sweep_makes_the_call_if_the_queue_lost_it(post: Post, user: User) -> None:
    with queue_tapped(lost=True):
        made = post.generate(user)
        post.advance(made)
    due = SILENCE + GRACE / SECOND
    post.sweep(due - 0.001)
    assert channels(post, made) == ["sms"]
    with queue_tapped(lost=True):
        post.stack.clock.advance(seconds=0.001)
        post.advance(made)
    post.sweep(10)
    assert channels(post, made) == ["sms", "voice_sms"]
    post.assert_over(user, made)


def test_a_message_that_comes_early_changes_nothing(post: Post, user: User) -> None:
    made = post.sent(user)
    for _ in range(3):
        post.advance(made)
    due_at = post.row(made).due_at
    assert due_at is not None
    assert SILENCE * SECOND <= due_at - post.stack.clock.now <= SILENCE * SECOND + GRACE
    fall_silent(post, made)
    assert channels(post, made) == ["sms", "voice_sms"]


def deliver(post: Post, user: User, made: Generated) -> None:
    post.hears(made, "delivered")


def deliver_and_not(post: Post, user: User, made: Generated) -> None:
    post.hears(made, "delivered")
    post.hears(made, "undelivered")


def use(post: Post, user: User, made: Generated) -> None:
    assert post.validate(user, made, post.code(post.carriers["first"].sent[0])) == 0


def lock(post: Post, user: User, made: Generated) -> None:
    while post.validate(user, made, "wrong") != 196:
        pass


def expire(post: Post, user: User, made: Generated) -> None:
    post.stack.clock.now = Millis(post.ticket(made).expires_at - SILENCE * SECOND)


def grow_poor(post: Post, user: User, made: Generated) -> None:
    spare = post.balance(user) - CALL_PRICE + 1
    actions = [UserRow.balance.add(-spare)]
    db.update(UserRow(user.user_id), actions, UserRow.status.exists())


def stop(post: Post, user: User, made: Generated) -> None:
    post.stack.platform.accounts.set_active(user.user_id, False)


def sell_no_calls(post: Post, user: User, made: Generated) -> None:
    post.stack.configure(SESAME_OTP_PRICES=json.dumps({"*": {"sms": "0.04"}}))


@pytest.mark.parametrize(
    "reason",
    [deliver, deliver_and_not, use, lock, expire, grow_poor, stop, sell_no_calls],
    ids=lambda reason: reason.__name__,
)
def test_no_call_where_it_is_of_no_use_or_not_to_be_had(
    post: Post,
    user: User,
    first: Carrier,
    reason: Callable[[Post, User, Generated], None],
) -> None:
    made = post.sent(user)
    reason(post, user, made)
    post.advance_tickets()
    balance = post.balance(user)
    fall_silent(post, made)
    for _ in range(2):
        post.sweep()
    assert len(first.sent) == 1
    assert channels(post, made) == ["sms"]
    assert post.balance(user) == balance
    row = post.row(made)
    assert (row.due, row.due_at, row.lease, row.lease_until) == (None, None, None, 0)


def test_none_for_an_account_that_wants_none(post: Post) -> None:
    user = post.user()
    made = post.sent(user)
    fall_silent(post, made)
    assert channels(post, made) == ["sms"]
    post.assert_over(user, made)


@pytest.mark.parametrize("script", [[NEVER] * 9, []], ids=["failed", "a call already"])
def test_no_call_after_an_sms_that_nobody_took_or_after_a_call(
    post: Post, user: User, script: list[object]
) -> None:
    for carrier in post.carriers.values():
        carrier.script = list(script)
    made = post.sent(user, channel="sms" if script else "voice_sms")
    fall_silent(post, made)
    assert len(channels(post, made)) == 1
    post.assert_over(user, made)


def test_an_sms_that_was_on_its_way_only_is_silence(post: Post, user: User) -> None:
    made = post.sent(user)
    post.hears(made, "on_its_way")
    fall_silent(post, made)
    assert channels(post, made) == ["sms", "voice_sms"]


def test_that_it_was_not_delivered_brings_the_call_forward(post: Post, user: User) -> None:
    made = post.sent(user)
    post.stack.clock.advance(seconds=1)
    post.hears(made, "undelivered")
    post.hears(made, "undelivered")
    post.advance_tickets()
    assert channels(post, made) == ["sms", "voice_sms"]
    assert post.last(made).at == post.stack.clock.now
    post.hears(made, "undelivered")
    post.hears(made, "undelivered", position=0)
    fall_silent(post, made)
    assert channels(post, made) == ["sms", "voice_sms"]
    assert post.lookup(user, made).state is TicketState.UNDELIVERED
    post.assert_over(user, made)


def test_the_sweep_brings_it_forward_if_the_queue_lost_it(post: Post, user: User) -> None:
    made = post.sent(user)
    with queue_tapped(lost=True):
        post.hears(made, "undelivered")
    post.sweep(1)
    assert channels(post, made) == ["sms", "voice_sms"]


def test_of_an_sms_sent_again_the_later_one_counts(post: Post, user: User) -> None:
    made = post.sent(user)
    post.stack.clock.advance(seconds=SILENCE - 1)
    post.sent(user)
    post.hears(made, "delivered", position=0)
    fall_silent(post, made, SILENCE - 1)
    assert channels(post, made) == ["sms", "sms"]
    fall_silent(post, made, 1)
    assert channels(post, made) == ["sms", "sms", "voice_sms"]
    post.assert_over(user, made)


def test_i2_a_call_that_nobody_takes_is_refunded(post: Post, user: User) -> None:
    made = post.sent(user)
    for carrier in post.carriers.values():
        carrier.script = [NEVER]
    fall_silent(post, made)
    assert [each.state for each in post.ticket(made).sendings] == ["sent", "failed"]
    assert post.balance(user) == BALANCE - SMS_PRICE
    assert post.lookup(user, made).state is TicketState.SENT
    post.assert_over(user, made)


def test_i2_lambdas_at_once_make_one_call(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    post.stack.clock.advance(seconds=SILENCE)
    together(*[lambda: post.advance(made)] * 4)
    post.advance_tickets()
    assert channels(post, made) == ["sms", "voice_sms"]
    assert len(first.sent) == 2
    assert post.balance(user) == BALANCE - SMS_PRICE - CALL_PRICE
    post.assert_over(user, made)


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("death", [die, done_then_die], ids=["before it", "after it"])
def test_i2_one_call_wherever_a_lambda_dies(
    post: Post, user: User, step: int, death: Callable[..., None]
) -> None:
    """As it takes the ticket, as it reads the receipts, as the call is paid."""
    made = post.sent(user)
    post.stack.clock.advance(seconds=SILENCE)
    with tapped(*[let_through] * step, death), pytest.raises(CrashError):
        post.advance(made)
    for _ in range(3):
        post.sweep(LEASE / SECOND)
    assert channels(post, made) == ["sms", "voice_sms"]
    assert post.balance(user) == BALANCE - SMS_PRICE - CALL_PRICE
    post.assert_over(user, made)


@pytest.mark.parametrize("step", [1, 2], ids=["before the receipts are read", "after it"])
def test_a_code_asked_for_again_as_the_call_falls_due_is_sent_at_once(
    post: Post, user: User, step: int
) -> None:
    """And no call is made, as there is a later SMS to wait for."""
    made = post.sent(user)
    post.stack.clock.advance(seconds=SILENCE)

    def again() -> None:
        post.generate(user)
        post.advance_tickets()

    with tapped(*[let_through] * step, meanwhile(again)):
        post.advance(made)
    post.sweep(10)
    assert channels(post, made) == ["sms", "sms"]
    assert [each.state for each in post.ticket(made).sendings] == ["sent", "sent"]


def test_a_call_speaks_no_lines_for_autofill(post: Post, user: User, first: Carrier) -> None:
    lines = {"android_hash": "FA+9qCX9VSu", "apple_domain": "example.com"}
    post.stack.platform.otp_accounts.change(user.user_id, lines)
    made = post.sent(user)
    fall_silent(post, made)
    sms, call = first.sent
    assert "FA+9qCX9VSu" in sms.text
    assert call.channel is Channel.VOICE
    assert "FA+9qCX9VSu" not in call.text
    assert "example.com" not in call.text


def test_a_call_that_is_put_off_is_tried_again(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    for carrier in post.carriers.values():
        carrier.script = [BUSY]
    fall_silent(post, made)
    assert [each.state for each in post.ticket(made).sendings] == ["sent", "queued"]
    post.sweep()
    assert [each.state for each in post.ticket(made).sendings] == ["sent", "sent"]
    post.assert_over(user, made)


def test_where_the_silence_ends_late_the_sweep_still_calls_while_it_is_of_use(
    post: Post, user: User
) -> None:
    with queue_tapped(lost=True):
        made = post.generate(user, validity_period=80)
        post.advance(made)
    expires_at = post.ticket(made).expires_at
    due_at = post.row(made).due_at
    assert due_at is not None
    assert due_at < expires_at
