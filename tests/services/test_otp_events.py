"""otp_sent, otp_failed and otp_validated: told once each to those who ask, with no code in them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.deliveries import DeliveryState
from chalicelib.domain.events import OTP_FAILED, OTP_SENT, OTP_VALIDATED, TICKET_EVENTS
from chalicelib.domain.rollups import Counts, Unit
from chalicelib.domain.times import HOUR, SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.services.otp import Generated
from chalicelib.services.otp_sending import GRACE, LEASE
from chalicelib.stores.outbox_items import EventRow
from tests.conftest import Stack
from tests.sellers import CrashError, die, done_then_die, queue_tapped
from tests.sendings import HOOK, NEVER, NUMBER, SMS_PRICE, Carrier, Post, post_in
from tests.wire import let_through, reply_lost, tapped
from tests.world import meanwhile, together


@pytest.fixture
def post(stack: Stack) -> Post:
    return post_in(stack)


@pytest.fixture
def user(post: Post) -> User:
    user = post.user()
    post.webhook(user, HOOK, *TICKET_EVENTS)
    return user


@pytest.fixture
def first(post: Post) -> Carrier:
    return post.carriers["first"]


def events(post: Post, user: User) -> list[EventRow]:
    """The user's events: those of one millisecond have no order of their own."""
    return sorted(post.events(user), key=lambda event: TICKET_EVENTS.index(event.type))


def told(post: Post, user: User) -> list[str]:
    return [event.type for event in events(post, user)]


def bodies(post: Post, user: User) -> list[dict[str, Any]]:
    return [json.loads(event.body) for event in events(post, user)]


def refuse(post: Post) -> None:
    for carrier in post.carriers.values():
        carrier.script = [NEVER] * 9


def use(post: Post, user: User, made: Generated) -> None:
    """Validate the code that was sent first."""
    assert post.validate(user, made, post.code(post.carriers["first"].sent[0])) == 0


def test_each_is_told_once_and_says_what_happened(post: Post, user: User) -> None:
    at = "2023-11-14T22:13:20"
    made = post.sent(user)
    post.carriers["first"].script = [NEVER]
    post.carriers["second"].script = [NEVER]
    post.carriers["third"].script = [NEVER]
    failed = post.sent(user, channel="voice_sms", phone_number="+14155552672")
    use(post, user, made)
    post.advance_tickets()
    for _ in range(2):
        post.advance(made)
        post.advance(failed)
        post.sweep(600)
    sent, lost, validated = bodies(post, user)
    times = [body["data"].pop("at") for body in (sent, lost, validated)]
    assert all(time.startswith(at) for time in times)
    number, other = {"phone_number": NUMBER}, {"phone_number": "+14155552672"}
    mine = {"ticket_number": made.ticket_number, **number}
    assert sent == {"event": OTP_SENT, "data": {**mine, "channel": "sms", "provider": "first"}}
    its = {"ticket_number": failed.ticket_number, **other, "channel": "voice_sms"}
    assert lost == {"event": OTP_FAILED, "data": its}
    assert validated == {"event": OTP_VALIDATED, "data": mine}
    assert [event.reference for event in events(post, user)] == [
        made.ticket_number,
        failed.ticket_number,
        made.ticket_number,
    ]
    post.assert_over(user, made)
    post.assert_over(user, failed)


def test_i8_no_code_and_no_token_is_in_them(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    use(post, user, made)
    post.advance_tickets()
    code = post.code(first.sent[0])
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    for event in post.events(user):
        assert made.token not in event.body
        data = json.loads(event.body)["data"]
        assert code not in {str(value) for value in data.values()}
        assert not {"code", "otp_code", "text", "token"} & data.keys()


@pytest.mark.parametrize("asked", [(), (OTP_SENT,), (OTP_FAILED, OTP_VALIDATED)], ids=str)
def test_only_what_was_asked_for_is_told(post: Post, asked: tuple[str, ...]) -> None:
    user = post.user()
    post.webhook(user, HOOK, *(asked or ("sms_received",)))
    made = post.sent(user)
    refuse(post)
    post.sent(user, phone_number="+14155552672")
    use(post, user, made)
    post.sweep(600)
    assert told(post, user) == [kind for kind in TICKET_EVENTS if kind in asked]


def test_who_has_no_endpoint_is_told_nothing(post: Post) -> None:
    user = post.user()
    made = post.sent(user)
    use(post, user, made)
    with queue_tapped() as queued:
        post.advance(made)
    assert (told(post, user), queued) == ([], [])
    post.assert_over(user, made)


def test_each_sending_is_told_of(post: Post, user: User) -> None:
    made = post.sent(user)
    assert post.sent(user).token == made.token
    refuse(post)
    assert post.sent(user).token == made.token
    assert told(post, user) == [OTP_SENT, OTP_SENT, OTP_FAILED]


def test_a_wrong_code_is_told_to_nobody(post: Post, user: User) -> None:
    made = post.sent(user)
    assert post.validate(user, made, "wrong") == 199
    post.advance(made)
    post.sweep(600)
    assert told(post, user) == [OTP_SENT]
    post.assert_over(user, made)


def test_i4_they_are_delivered_as_webhooks_without_waiting_for_a_sweep(
    post: Post, user: User
) -> None:
    made = post.sent(user)
    use(post, user, made)
    post.advance_tickets()
    post.deliver()
    received = [json.loads(body)["event"] for _, body, _ in post.stack.receiver.received]
    assert sorted(received) == [OTP_SENT, OTP_VALIDATED]


def test_i4_the_sweep_delivers_those_that_the_queue_was_not_told_of(post: Post, user: User) -> None:
    with queue_tapped(lost=True):
        made = post.generate(user)
        post.advance(made)
    post.stack.clock.advance(seconds=10)
    post.elsewhere().jobs.requeue_deliveries()
    post.deliver()
    ((url, body, headers),) = post.stack.receiver.received
    (event,) = post.events(user)
    assert (url, body, headers["webhook-id"]) == (HOOK, event.body.encode(), event.event_id)
    (delivery,) = post.deliveries(user)
    assert delivery.state is DeliveryState.DELIVERED


def test_a_validation_that_the_queue_was_not_told_of_is_told_by_the_sweep(
    post: Post, user: User
) -> None:
    made = post.sent(user)
    with queue_tapped(lost=True):
        use(post, user, made)
    post.stack.clock.now = post.ticket(made).expires_at
    post.sweep(GRACE / SECOND)
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.sweep()
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.assert_over(user, made)


def test_a_validation_while_a_provider_is_asked_is_told(
    post: Post, user: User, first: Carrier
) -> None:
    made = post.generate(user)
    first.script = [lambda: use(post, user, made)]
    post.advance_tickets()
    post.sweep(300)
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.assert_over(user, made)


def test_a_validation_while_a_provider_is_asked_waits_for_no_end(
    post: Post, user: User, first: Carrier
) -> None:
    """Whoever reads fast has used the code before the provider has answered."""
    made = post.generate(user)

    def used_and_told() -> None:
        use(post, user, made)
        # Its message comes while the ticket is in other hands.
        post.advance_tickets()

    first.script = [used_and_told]
    post.advance(made)
    post.advance_tickets()
    post.sweep(LEASE / SECOND)
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]


def test_a_validation_in_the_last_moment_is_told(post: Post, user: User) -> None:
    """Its update may reach the table when the sweep has already looked for the last time."""
    made = post.sent(user)
    post.stack.clock.now = Millis(post.ticket(made).expires_at - 1)

    def end() -> None:
        post.sweep(0.001)

    with tapped(meanwhile(end)):
        use(post, user, made)
    post.advance_tickets()
    for _ in range(3):
        post.sweep()
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]


def test_a_code_used_while_it_is_sent_again_is_told_and_refunded(post: Post, user: User) -> None:
    made = post.sent(user)
    post.generate(user)
    use(post, user, made)
    post.advance_tickets()
    assert told(post, user) == [OTP_SENT, OTP_FAILED, OTP_VALIDATED]
    post.assert_over(user, made)


def test_lambdas_at_once_tell_once(post: Post, user: User) -> None:
    made = post.generate(user)
    together(*[lambda: post.advance(made)] * 4)
    use(post, user, made)
    together(*[lambda: post.advance(made)] * 4)
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.assert_over(user, made)


@pytest.mark.parametrize("step", range(2))
@pytest.mark.parametrize("death", [die, done_then_die], ids=["before it", "after it"])
def test_i4_one_of_each_wherever_a_lambda_dies(
    post: Post, user: User, step: int, death: Callable[..., None]
) -> None:
    made = post.generate(user)
    with tapped(*[let_through] * step, death), pytest.raises(CrashError):
        post.advance(made)
    post.sweep()
    use(post, user, made)
    with tapped(*[let_through] * step, death), pytest.raises(CrashError):
        post.advance(made)
    for _ in range(5):
        post.sweep()
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.assert_over(user, made)


def test_i4_one_of_each_whose_reply_is_lost(post: Post, user: User) -> None:
    made = post.generate(user)
    with tapped(let_through, reply_lost):
        post.advance(made)
    use(post, user, made)
    with tapped(let_through, reply_lost):
        post.advance(made)
    assert told(post, user) == [OTP_SENT, OTP_VALIDATED]
    post.assert_over(user, made)


def test_rollups_count_the_money_and_no_sms(post: Post, user: User) -> None:
    made = post.sent(user)
    refuse(post)
    post.sent(user, phone_number="+14155552672")
    use(post, user, made)
    post.sweep(300)
    assert told(post, user) == [OTP_SENT, OTP_FAILED, OTP_VALIDATED]
    now = post.stack.clock.now
    rollups = post.elsewhere().rollups
    summary = rollups.of_user(user.user_id, Unit.MINUTE, Millis(now - HOUR // 2), Millis(now + 1))
    total = sum((counts for _, counts in summary.buckets), Counts())
    assert (total.sms, total.codes, total.requested) == (0, 0, 0)
    assert (total.charged, total.refunded) == (2 * SMS_PRICE, SMS_PRICE)
    assert total.net == post.balance(user)
