"""Webhooks: each event taken to its endpoint once, on a clock that the tests set."""

import json

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.domain.deliveries import DeliveryState
from chalicelib.domain.retry_schedule import WAITS
from chalicelib.domain.times import DAY, HOUR, SECOND, Millis
from chalicelib.outbound import Answer
from chalicelib.services.webhooks import LEASE, MOST_ATTEMPTS
from chalicelib.stores import db, deliveries, queues
from chalicelib.stores.tables import DeliveryRow
from chalicelib.surroundings import system_clock
from tests.conftest import START, Stack
from tests.subscribers import FAILURE, URL, During, Subscriber, crash
from tests.world import World, together


def test_the_whole_schedule_and_then_failed(subscriber: Subscriber) -> None:
    delivery, at = subscriber.told(), float(START)
    subscriber.receiver.answers = [FAILURE] * 20
    for failures, wait in enumerate(WAITS, 1):
        assert subscriber.deliver(delivery, at).state is DeliveryState.PENDING
        assert len(subscriber.receiver.received) == failures
        subscriber.deliver(delivery, at + 0.8 * wait - 1)
        assert len(subscriber.receiver.received) == failures
        at += 1.2 * wait
    failed = subscriber.deliver(delivery, at)
    assert (failed.state, failed.attempts, failed.last_status) == (DeliveryState.FAILED, 12, 500)
    assert (failed.finished_at, failed.next_at) == (round(at), None)
    subscriber.deliver(delivery, at + 30 * DAY)
    assert len(subscriber.receiver.received) == 12
    assert 1.2 * 75 * HOUR < at - START < 1.2 * 77 * HOUR


def test_i4_the_sweep_alone_keeps_the_schedule(subscriber: Subscriber) -> None:
    """Every message of the queue is lost: what is due is told again, and given up in the end."""
    delivery, world = subscriber.told(), subscriber.world
    subscriber.receiver.answers = [FAILURE] * 20
    for attempt in range(12):
        world.queued()
        next_at = subscriber.get(delivery).next_at
        assert next_at is not None
        world.stack.clock.now = next_at
        world.stack.platform.jobs.requeue_deliveries()
        world.deliver()
        assert len(subscriber.receiver.received) == attempt + 1
    assert subscriber.get(delivery).state is DeliveryState.FAILED
    assert 0.8 * 75 * HOUR < world.stack.clock.now - START < 1.2 * 77 * HOUR


def delayed(world: World) -> int:
    answer = queues.client().get_queue_attributes(
        QueueUrl=world.stack.platform.settings.webhooks_queue,
        AttributeNames=["ApproximateNumberOfMessagesDelayed"],
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def test_the_queue_delays_the_waits_up_to_15_minutes(subscriber: Subscriber) -> None:
    delivery, at = subscriber.told(), float(START)
    subscriber.receiver.answers = [FAILURE] * 20
    queued = []
    for wait in WAITS[:7]:
        subscriber.deliver(delivery, at)
        queued.append(delayed(subscriber.world))
        at += 1.2 * wait
    assert queued == [1, 2, 3, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("asked", "wait"), [(1, 0.8 * WAITS[0]), (3_600, HOUR), (86_400, DAY), (999_999, DAY)]
)
def test_retry_after_is_honoured_up_to_a_day(
    subscriber: Subscriber, asked: int, wait: float
) -> None:
    delivery = subscriber.told()
    subscriber.receiver.answers = [Answer(status=503, retry_after=asked)]
    subscriber.deliver(delivery)
    assert subscriber.deliver(delivery, START + wait - 1).attempts == 1
    done = subscriber.deliver(delivery, START + max(wait, 1.2 * WAITS[0]))
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 2)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(status=200), DeliveryState.DELIVERED),
        (Answer(status=204), DeliveryState.DELIVERED),
        (Answer(status=301), DeliveryState.PENDING),
        (Answer(status=404), DeliveryState.PENDING),
        (Answer(status=410), DeliveryState.FAILED),
        (Answer(status=503), DeliveryState.PENDING),
        (Answer(error="timeout"), DeliveryState.PENDING),
    ],
)
def test_what_an_answer_means(subscriber: Subscriber, answer: Answer, state: DeliveryState) -> None:
    delivery = subscriber.told()
    subscriber.receiver.answers = [answer]
    done = subscriber.deliver(delivery)
    assert (done.state, done.last_status, done.last_error) == (state, answer.status, answer.error)
    subscriber.deliver(delivery, START + HOUR)
    tries = 2 if state is DeliveryState.PENDING else 1
    assert len(subscriber.receiver.received) == tries


def test_i4_a_delivery_asked_to_wait_for_ever_fails_visibly_after_five_days(
    subscriber: Subscriber,
) -> None:
    delivery = subscriber.told()
    subscriber.receiver.answers = [Answer(status=503, retry_after=DAY // SECOND)] * 12
    now = START
    for _ in range(7):
        found = subscriber.deliver(delivery, now)
        now = Millis(now + DAY * 1.2)
    assert found.state is DeliveryState.FAILED
    assert len(subscriber.receiver.received) == 6
    row = db.get(DeliveryRow, delivery.delivery_id)
    assert row is not None
    assert row.ttl * SECOND > row.finished_at + DAY


def test_i4_a_delivery_whose_attempts_never_come_back_fails_visibly(
    subscriber: Subscriber,
) -> None:
    delivery = subscriber.told()
    now = Millis(START)
    for attempt in range(MOST_ATTEMPTS):
        now = Millis(now + LEASE)
        assert deliveries.lease(delivery.delivery_id, f"dies-{attempt}", now, until=now)
    found = subscriber.deliver(delivery, now + LEASE)
    assert (found.state, found.last_error) == (DeliveryState.FAILED, "attempts_lost")
    assert subscriber.receiver.received == []


def test_without_an_endpoint_a_delivery_is_skipped_and_can_be_seen(world: World) -> None:
    world.stock(1)
    user = world.user()
    world.sms(world.rent(user).phone_number)
    world.deliver()
    (delivery,) = world.deliveries(user)
    assert (delivery.state, delivery.last_error) == (DeliveryState.SKIPPED, "no_endpoint")
    assert world.stack.receiver.received == []


@pytest.mark.parametrize("subscribed", [False, True])
def test_an_sms_without_a_code_goes_to_those_who_asked_for_it(
    subscriber: Subscriber, subscribed: bool
) -> None:
    if subscribed:
        subscriber.world.webhook(subscriber.user, URL, "sms_received")
    done = subscriber.deliver(subscriber.told("See you at the station tonight"))
    assert done.type == "sms_received"
    if subscribed:
        assert done.state is DeliveryState.DELIVERED
        assert "otp_code" not in json.loads(subscriber.receiver.received[0][1])["data"]
    else:
        assert (done.state, done.last_error) == (DeliveryState.SKIPPED, "not_subscribed")
        assert subscriber.receiver.received == []


def test_deliverers_at_once_post_once(subscriber: Subscriber) -> None:
    delivery = subscriber.told()
    together(*[lambda: subscriber.deliver(delivery)] * 8)
    assert len(subscriber.receiver.received) == 1
    assert subscriber.get(delivery).attempts == 1


def test_a_second_deliverer_during_the_post_posts_nothing(subscriber: Subscriber) -> None:
    delivery = subscriber.told()
    post = During(lambda: subscriber.deliver(delivery), Answer(status=200))
    subscriber.posting_by(post).deliver(delivery.delivery_id, subscriber.user.user_id)
    assert (post.calls, subscriber.receiver.received) == (1, [])
    assert subscriber.get(delivery).state is DeliveryState.DELIVERED


def test_i4_a_deliverer_that_crashes_is_made_up_for(subscriber: Subscriber) -> None:
    delivery, world = subscriber.told(), subscriber.world
    world.queued()
    doomed = subscriber.posting_by(During(crash))
    assert doomed.deliver_all([(delivery.delivery_id, subscriber.user.user_id)]) == [
        delivery.delivery_id
    ]
    subscriber.deliver(delivery, START + LEASE - 1)
    assert subscriber.receiver.received == []
    world.stack.clock.now = Millis(START + LEASE)
    world.stack.platform.jobs.requeue_deliveries()
    world.deliver()
    assert len(subscriber.receiver.received) == 1
    done = subscriber.get(delivery)
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 2)


@pytest.mark.parametrize("late", [Answer(status=200), FAILURE, Answer(status=410)])
def test_an_answer_after_the_lease_changes_nothing(subscriber: Subscriber, late: Answer) -> None:
    delivery = subscriber.told()
    post = During(lambda: subscriber.deliver(delivery, START + LEASE), late)
    subscriber.posting_by(post).deliver(delivery.delivery_id, subscriber.user.user_id)
    done = subscriber.get(delivery)
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 2)
    assert (done.last_status, done.finished_at) == (200, START + LEASE)


def test_i4_one_event_keeps_its_id_and_body_over_all_tries(subscriber: Subscriber) -> None:
    delivery = subscriber.told()
    subscriber.receiver.answers = [FAILURE]
    subscriber.deliver(delivery)
    subscriber.deliver(delivery, START + HOUR)
    (url, body, headers), (_, again, later) = subscriber.receiver.received
    (event,) = subscriber.world.events(subscriber.user)
    assert (url, body, again) == (URL, event.body.encode(), event.body.encode())
    assert headers["webhook-id"] == later["webhook-id"] == event.event_id
    assert int(later["webhook-timestamp"]) - int(headers["webhook-timestamp"]) == HOUR // SECOND


def test_a_webhook_set_again_has_a_new_secret(stack: Stack, subscriber: Subscriber) -> None:
    # The library asks the machine for the time.
    stack.clock.now = system_clock()
    secrets = [subscriber.world.webhook(subscriber.user, URL) for _ in range(3)]
    assert len(set(secrets)) == 3
    stack.clock.now = START
    delivery = subscriber.told()
    subscriber.deliver(delivery, system_clock())
    ((_, body, headers),) = subscriber.receiver.received
    assert Webhook(secrets[-1]).verify(body, dict(headers))["event"] == "otp_received"
    for secret in secrets[:-1]:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, dict(headers))
