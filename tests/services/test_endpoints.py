"""Endpoints that are slow, failing or gone: left alone, handed over, switched off and said so."""

import json
from collections.abc import Mapping
from dataclasses import replace
from threading import Barrier

import pytest

from chalicelib.domain.deliveries import Delivery, DeliveryState, Lane
from chalicelib.domain.endpoint_health import OPENS_AFTER, SLOW_FOR, Health, failed, succeeded
from chalicelib.domain.times import DAY, HOUR, MINUTE, SECOND, Millis
from chalicelib.outbound import Answer
from chalicelib.services.delivery_queues import HELD
from chalicelib.services.webhooks import LEASE, SPREAD
from chalicelib.stores import endpoints, queues
from tests.conftest import START
from tests.subscribers import FAILURE, OK, TIMEOUT, URL, During, Subscriber
from tests.wire import reply_lost, tapped
from tests.world import World, together

GONE = Answer(status=410)


def posts(subscriber: Subscriber) -> int:
    return len(subscriber.receiver.received)


def reason(delivery: Delivery) -> tuple[DeliveryState, str | None]:
    return delivery.state, delivery.last_error


# Two lanes.


def test_what_times_out_in_the_fast_lane_is_handed_over_and_no_attempt(
    subscriber: Subscriber,
) -> None:
    delivery = subscriber.told()
    subscriber.world.queued()
    subscriber.receiver.answers = [TIMEOUT]
    waiting = subscriber.deliver(delivery)
    assert (reason(waiting), waiting.attempts) == ((DeliveryState.PENDING, "timeout"), 0)
    assert subscriber.health.failures == 0
    assert subscriber.world.queued() == []
    (message,) = subscriber.world.queued_slowly()
    assert message == {"delivery_id": delivery.delivery_id, "user_id": subscriber.user.user_id}
    done = subscriber.deliver(delivery, lane=Lane.SLOW)
    assert (done.state, done.attempts, done.lane) == (DeliveryState.DELIVERED, 1, Lane.SLOW)
    assert posts(subscriber) == 2


def test_a_slow_endpoint_is_not_connected_to_by_the_fast_lane_for_ten_minutes(
    subscriber: Subscriber,
) -> None:
    subscriber.attempts(TIMEOUT)
    subscriber.world.queued_slowly()
    later = subscriber.told()
    waiting = subscriber.deliver(later, START + SLOW_FOR - 1)
    assert (waiting.state, waiting.attempts, posts(subscriber)) == (DeliveryState.PENDING, 0, 1)
    assert len(subscriber.world.queued_slowly()) == 1
    again = subscriber.told()
    assert subscriber.deliver(again, START + SLOW_FOR).state is DeliveryState.DELIVERED
    assert posts(subscriber) == 2


def test_a_slow_endpoint_stays_slow_while_it_answers_slowly(subscriber: Subscriber) -> None:
    (delivery,) = subscriber.attempts(TIMEOUT)
    subscriber.receiver.answers = [Answer(status=200, millis=9_000)]
    now = START + SLOW_FOR - MINUTE
    subscriber.deliver(delivery, now, Lane.SLOW)
    assert subscriber.health.slow_until == now + SLOW_FOR


def test_a_timeout_in_the_slow_lane_is_a_failure_of_the_schedule(subscriber: Subscriber) -> None:
    (delivery,) = subscriber.attempts(TIMEOUT)
    subscriber.receiver.answers = [TIMEOUT]
    waiting = subscriber.deliver(delivery, lane=Lane.SLOW)
    assert (waiting.attempts, subscriber.health.failures) == (1, 1)
    assert waiting.not_before > START


def test_another_users_deliveries_stay_in_the_fast_lane(
    subscriber: Subscriber, world: World
) -> None:
    subscriber.attempts(TIMEOUT)
    world.stock(1, first=3_000_000)
    other = world.user()
    world.webhook(other, URL)
    world.sms(world.rent(other).phone_number)
    world.deliver()
    (delivery,) = world.deliveries(other)
    assert (delivery.state, delivery.lane) == (DeliveryState.DELIVERED, Lane.FAST)


def test_i4_a_hand_over_that_the_queue_was_not_told_of_is_made_up_for(
    subscriber: Subscriber,
) -> None:
    delivery, world = subscriber.told(), subscriber.world
    world.queued()
    good = world.stack.environment["SESAME_QUEUE_WEBHOOKS_SLOW"]
    world.stack.configure(SESAME_QUEUE_WEBHOOKS_SLOW=good + "-gone")
    subscriber.receiver.answers = [TIMEOUT]
    subscriber.deliver(delivery)
    world.stack.configure(SESAME_QUEUE_WEBHOOKS_SLOW=good)
    world.stack.clock.advance(seconds=60)
    world.stack.platform.jobs.requeue_deliveries()
    world.deliver()
    assert subscriber.get(delivery).state is DeliveryState.DELIVERED


def test_the_sweep_leaves_what_the_slow_queue_holds(subscriber: Subscriber) -> None:
    subscriber.attempts(TIMEOUT)
    world = subscriber.world
    world.queued()
    for _ in range(HELD // MINUTE):
        world.stack.clock.advance(seconds=60)
        world.stack.platform.jobs.requeue_deliveries()
    assert world.queued() == []
    world.stack.clock.advance(seconds=60)
    world.stack.platform.jobs.requeue_deliveries()
    assert len(world.queued()) == 1


def test_messages_of_a_user_are_one_group(subscriber: Subscriber) -> None:
    seen: list[dict[str, object]] = []
    events = queues.client().meta.events

    def see(params: dict[str, object], **_: object) -> None:
        seen.append(dict(params))

    events.register("provide-client-params.sqs.*", see)
    try:
        (delivery,) = subscriber.attempts(TIMEOUT)
        subscriber.receiver.answers = [FAILURE]
        subscriber.deliver(delivery, lane=Lane.SLOW)
        subscriber.world.stack.clock.advance(seconds=60)
        subscriber.world.stack.platform.jobs.requeue_deliveries()
    finally:
        events.unregister("provide-client-params.sqs.*", see)
    sent = [params for params in seen if "MessageBody" in params]
    sent += [entry for params in seen for entry in params.get("Entries", [])]  # type: ignore[attr-defined]
    assert len(sent) >= 4
    assert {params["MessageGroupId"] for params in sent} == {subscriber.user.user_id}


# The circuit.


def test_after_five_failures_nobody_connects_and_no_attempt_is_counted(
    subscriber: Subscriber,
) -> None:
    subscriber.attempts(*[FAILURE] * (OPENS_AFTER - 1))
    assert not subscriber.health.is_open(START)
    subscriber.attempts(FAILURE)
    assert subscriber.health.open_until == START + 30 * SECOND
    waiting = subscriber.deliver(subscriber.told(), START + 30 * SECOND - 1)
    assert (reason(waiting), waiting.attempts) == ((DeliveryState.PENDING, "circuit_open"), 0)
    assert START + 30 * SECOND <= waiting.not_before <= START + 30 * SECOND + SPREAD
    assert posts(subscriber) == OPENS_AFTER


def test_one_probe_decides(subscriber: Subscriber) -> None:
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    made = [subscriber.told() for _ in range(4)]
    subscriber.world.stack.clock.now = Millis(START + 30 * SECOND)
    subscriber.receiver.answers = [FAILURE]
    together(*[lambda each=each: subscriber.deliver(each) for each in made])  # type: ignore[misc]
    assert posts(subscriber) == OPENS_AFTER + 1
    assert subscriber.health.open_until == START + 90 * SECOND
    found = [subscriber.get(each) for each in made]
    assert sorted(each.attempts for each in found) == [0, 0, 0, 1]
    subscriber.deliver(made[0], START + 90 * SECOND + SPREAD)
    assert subscriber.health == replace(Health(1), revision=subscriber.health.revision)


def test_a_probe_that_never_comes_back_is_followed_by_another(subscriber: Subscriber) -> None:
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    delivery, at = subscriber.told(), START + 30 * SECOND
    subscriber.world.stack.clock.now = Millis(at)
    endpoint_health = subscriber.webhooks.endpoints.probe(
        subscriber.user.user_id, subscriber.health
    )
    assert endpoint_health is not None
    assert subscriber.deliver(delivery, at + LEASE - 1).attempts == 0
    assert subscriber.deliver(delivery, at + 2 * LEASE + SPREAD).state is DeliveryState.DELIVERED


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    health, pauses = Health(1), []
    for _ in range(15):
        health = failed(health, START, slowly=False)
        pauses.append((health.open_until or START) - START)
    seconds = [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900]
    assert pauses == [each * SECOND for each in seconds]
    assert succeeded(health, START, slowly=False) == Health(1)


@pytest.mark.parametrize("beside", [2, 7])
def test_failures_beside_each_other_count_until_the_circuit_is_open(
    subscriber: Subscriber, beside: int
) -> None:
    made = [subscriber.told() for _ in range(beside)]
    all_in_the_call = Barrier(beside, timeout=10)
    answer = During(lambda: None)

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        all_in_the_call.wait()
        return answer(url, body, headers)

    webhooks = subscriber.posting_by(post)
    webhooks.deliver_all([(each.delivery_id, subscriber.user.user_id) for each in made])
    assert answer.calls == beside
    assert subscriber.health.failures == min(beside, OPENS_AFTER)
    pause = START + 30 * SECOND if beside > OPENS_AFTER else None
    assert subscriber.health.open_until == pause


def test_what_we_had_no_room_for_is_no_failure(subscriber: Subscriber) -> None:
    (delivery,) = subscriber.attempts(Answer(error="too_busy"))
    assert (reason(delivery), delivery.attempts) == ((DeliveryState.PENDING, "too_busy"), 0)
    assert subscriber.health == Health(1)
    assert subscriber.deliver(delivery, START + SPREAD).state is DeliveryState.DELIVERED


def test_what_is_kept_away_for_five_days_fails_visibly(subscriber: Subscriber) -> None:
    delivery = subscriber.told()
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    subscriber.world.stack.clock.now = Millis(START + 5 * DAY + 1)
    user_id = subscriber.user.user_id
    assert subscriber.webhooks.endpoints.probe(user_id, subscriber.health) is not None
    assert reason(subscriber.deliver(delivery)) == (DeliveryState.FAILED, "circuit_open")


def test_a_list_of_users_shows_no_health(subscriber: Subscriber) -> None:
    subscriber.attempts(FAILURE)
    found, _ = subscriber.world.stack.platform.accounts.page()
    assert [user.user_id for user in found] == [subscriber.user.user_id]


def test_a_success_without_failures_writes_nothing_of_health(subscriber: Subscriber) -> None:
    delivery = subscriber.told()
    with tapped() as wire:
        subscriber.deliver(delivery)
    assert "PutItem" not in wire.operations()
    assert subscriber.health == Health(1)


def test_a_webhook_set_again_is_as_good_as_new(subscriber: Subscriber) -> None:
    subscriber.attempts(TIMEOUT)
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    subscriber.world.webhook(subscriber.user, URL)
    assert replace(subscriber.health, revision="") == Health(2)
    (delivery,) = subscriber.attempts(FAILURE)
    assert (delivery.attempts, subscriber.health.failures) == (1, 1)


# Switched off.


def disabled_event(subscriber: Subscriber) -> dict[str, object]:
    (event,) = (
        json.loads(row.body)
        for row in subscriber.world.events(subscriber.user)
        if row.type == "webhook_disabled"
    )
    data: dict[str, object] = event["data"]
    assert event == {"event": "webhook_disabled", "data": data}
    return data


def test_410_ends_all_calls_and_says_so(subscriber: Subscriber) -> None:
    subscriber.world.webhook(subscriber.user, URL + "?key=secret#top", "webhook_disabled")
    first, waiting = subscriber.told(), subscriber.told()
    subscriber.receiver.answers = [GONE]
    assert reason(subscriber.deliver(first)) == (DeliveryState.FAILED, None)
    user = subscriber.world.find(subscriber.user)
    assert user.endpoint is not None
    assert not user.endpoint.enabled
    since = "2023-11-14T22:13:20Z"
    assert disabled_event(subscriber) == {"url": URL, "reason": "gone", "since": since}
    subscriber.world.deliver()
    later = subscriber.told()
    subscriber.deliver(later, START + DAY)
    off = (DeliveryState.SKIPPED, "endpoint_disabled")
    assert {reason(d) for d in subscriber.world.deliveries(user) if d != subscriber.get(first)} == {
        off
    }
    assert reason(subscriber.get(waiting)) == off
    assert posts(subscriber) == 1


def test_five_days_of_failures_switch_it_off(subscriber: Subscriber) -> None:
    days = [subscriber.told() for _ in range(7)]
    subscriber.receiver.answers = [FAILURE] * 7
    for day, delivery in enumerate(days[:5]):
        subscriber.deliver(delivery, START + day * DAY)
    subscriber.deliver(days[5], START + 5 * DAY - 1)
    user = subscriber.world.find(subscriber.user)
    assert user.endpoint is not None
    assert user.endpoint.enabled
    subscriber.deliver(days[6], START + 5 * DAY + HOUR)
    user = subscriber.world.find(subscriber.user)
    assert user.endpoint is not None
    assert not user.endpoint.enabled
    assert disabled_event(subscriber)["reason"] == "failing"
    assert subscriber.health.disabled_at == START + 5 * DAY + HOUR


def test_failures_with_days_of_silence_between_are_not_in_a_row(subscriber: Subscriber) -> None:
    for delivery in [subscriber.told() for _ in range(3)]:
        at = subscriber.world.stack.clock.now
        subscriber.receiver.answers = [FAILURE]
        subscriber.deliver(delivery)
        assert (subscriber.health.failures, subscriber.health.failing_since) == (1, at)
        subscriber.world.stack.clock.advance(seconds=3 * DAY // SECOND)


def test_a_success_begins_the_five_days_anew(subscriber: Subscriber) -> None:
    answers = [FAILURE, FAILURE, FAILURE, OK, FAILURE, FAILURE]
    for day, delivery in enumerate([subscriber.told() for _ in answers]):
        subscriber.receiver.answers = [answers[day]]
        subscriber.deliver(delivery, START + day * DAY)
    assert subscriber.health.failing_since == START + 4 * DAY
    assert not subscriber.health.is_given_up(Millis(START + 5 * DAY))


def test_a_webhook_set_during_the_call_is_not_switched_off_by_its_answer(
    subscriber: Subscriber,
) -> None:
    delivery = subscriber.told()
    post = During(lambda: subscriber.world.webhook(subscriber.user, URL), GONE)
    subscriber.posting_by(post).deliver(delivery.delivery_id, subscriber.user.user_id)
    user = subscriber.world.find(subscriber.user)
    assert user.endpoint is not None
    assert user.endpoint.enabled
    assert [row.type for row in subscriber.world.events(user)] == ["otp_received"]


def test_two_that_are_gone_at_once_say_so_once(subscriber: Subscriber) -> None:
    made = [subscriber.told(), subscriber.told()]
    subscriber.receiver.answers = [GONE]
    post = During(lambda: subscriber.deliver(made[1]), GONE)
    subscriber.posting_by(post).deliver(made[0].delivery_id, subscriber.user.user_id)
    assert disabled_event(subscriber)["reason"] == "gone"


@pytest.mark.parametrize("lane", list(Lane))
def test_a_closed_account_has_no_endpoint(subscriber: Subscriber, lane: Lane) -> None:
    delivery = subscriber.told()
    platform, user = subscriber.world.stack.platform, subscriber.user
    platform.closings.cancel(user, subscriber.rental.rental_id)
    platform.profiles.close(user.user_id, confirm=user.login)
    assert reason(subscriber.deliver(delivery, lane=lane)) == (DeliveryState.SKIPPED, "no_endpoint")
    assert endpoints.with_user(user.user_id)[1] == Health(0)


# A flood.


def test_a_flood_for_an_endpoint_that_is_left_alone_is_passed_on_unread(
    subscriber: Subscriber,
) -> None:
    world, user_id = subscriber.world, subscriber.user.user_id
    subscriber.attempts(TIMEOUT)
    flood = [subscriber.told() for _ in range(4)]
    world.queued_slowly()
    ids = [(each.delivery_id, user_id) for each in flood]
    subscriber.deliver(flood[0])
    world.queued_slowly()
    with tapped() as wire:
        assert subscriber.webhooks.deliver_all(ids) == []
    assert wire.operations() == []
    assert len(world.queued_slowly()) == 4
    assert subscriber.webhooks.deliver_all(ids, Lane.SLOW) == []
    assert {subscriber.get(each).state for each in flood} == {DeliveryState.DELIVERED}


def test_a_flood_waits_out_the_pause(subscriber: Subscriber) -> None:
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    delivery = subscriber.told()
    ids = [(delivery.delivery_id, subscriber.user.user_id)]
    subscriber.deliver(subscriber.told())
    for lane in Lane:
        with tapped() as wire:
            subscriber.webhooks.deliver_all(ids, lane)
        assert wire.operations() == []
    assert subscriber.world.queued_slowly() == []
    assert posts(subscriber) == OPENS_AFTER


def test_what_is_known_of_an_endpoint_is_forgotten_in_seconds(subscriber: Subscriber) -> None:
    subscriber.attempts(*[FAILURE] * OPENS_AFTER)
    subscriber.deliver(subscriber.told())
    subscriber.world.webhook(subscriber.user, URL)
    delivery = subscriber.told()
    subscriber.world.stack.clock.advance(seconds=3)
    subscriber.webhooks.deliver_all([(delivery.delivery_id, subscriber.user.user_id)])
    assert subscriber.get(delivery).state is DeliveryState.DELIVERED


def test_i4_a_flood_that_can_not_be_passed_on_is_attempted(subscriber: Subscriber) -> None:
    subscriber.attempts(TIMEOUT)
    world = subscriber.world
    webhooks = subscriber.webhooks
    settings = world.stack.platform.settings
    webhooks = replace(
        webhooks,
        queues=replace(
            webhooks.queues,
            settings=replace(settings, webhooks_slow_queue=settings.webhooks_slow_queue + "-gone"),
        ),
    )
    delivery, other = subscriber.told(), subscriber.told()
    webhooks.deliver(other.delivery_id, subscriber.user.user_id)
    webhooks.deliver_all([(delivery.delivery_id, subscriber.user.user_id)])
    assert subscriber.get(delivery).next_at == START + MINUTE


def test_a_rotation_whose_reply_is_lost_tells_its_secret(world: World) -> None:
    user = world.user()
    world.webhook(user, "https://example.com/h")
    with tapped(reply_lost, only="UpdateItem"):
        secret = world.stack.platform.endpoints.rotate(user.user_id, overlap=86_400)[0]
    assert secret


def test_a_failure_whose_reply_is_lost_counts_once(world: World) -> None:
    user = world.user()
    world.webhook(user, "https://example.com/h")
    endpoints = world.stack.platform.endpoints
    found, endpoint, health = endpoints.find(user.user_id)
    with tapped(reply_lost, only="PutItem"):
        endpoints.answered(found, endpoint, health, Answer(status=500))
    assert endpoints.find(user.user_id)[2].failures == 1
