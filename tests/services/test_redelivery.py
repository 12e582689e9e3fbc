"""Sent again on request: the same event under the same id, only where it has somewhere to go."""

import json
from dataclasses import replace

import pytest

from chalicelib.domain.deliveries import Delivery, DeliveryState
from chalicelib.domain.ids import ulid_time
from chalicelib.domain.times import DAY, MINUTE, SECOND, Millis
from chalicelib.errors import ConflictError, NotFoundError
from chalicelib.outbound import Answer
from chalicelib.services import redelivery
from chalicelib.services.redelivery import Redelivery
from chalicelib.stores import db
from chalicelib.stores.tables import DeliveryRow
from tests.conftest import START
from tests.subscribers import FAILURE, OK, URL, During, Subscriber
from tests.world import World

GONE = Answer(status=410)


@pytest.fixture
def again(world: World) -> Redelivery:
    return world.stack.platform.redelivery


def ids(subscriber: Subscriber) -> list[str]:
    """The webhook-ids in the order in which they came."""
    return [headers["webhook-id"] for _, _, headers in subscriber.receiver.received]


def refused(code: str, call: object, *arguments: object) -> None:
    with pytest.raises(ConflictError) as refusal:
        call(*arguments)  # type: ignore[operator]
    assert refusal.value.code == code


def failed_for_good(subscriber: Subscriber, count: int) -> list[Delivery]:
    """Deliveries a second apart whose attempts have all been made."""
    made = []
    for _ in range(count):
        made.append(subscriber.told())
        subscriber.world.stack.clock.advance(seconds=1)
    for delivery in made:
        row = DeliveryRow(delivery.delivery_id)
        db.update(row, [DeliveryRow.attempts.set(12)], DeliveryRow.state.exists())
        subscriber.deliver(delivery)
        assert subscriber.get(delivery).state is DeliveryState.FAILED
    subscriber.world.queued()
    return made


def test_a_delivered_one_is_sent_again_with_its_id(
    subscriber: Subscriber, again: Redelivery
) -> None:
    (delivery,) = subscriber.attempts(OK)
    subscriber.world.queued()
    pending = again.resend(subscriber.user.user_id, delivery.delivery_id)
    assert (pending.state, pending.attempts, pending.finished_at) == (
        DeliveryState.PENDING,
        0,
        None,
    )
    subscriber.world.deliver()
    assert subscriber.get(delivery).state is DeliveryState.DELIVERED
    assert ids(subscriber) == [delivery.event_id] * 2


def test_a_failed_one_begins_its_schedule_anew_days_later(
    subscriber: Subscriber, again: Redelivery
) -> None:
    (delivery,) = failed_for_good(subscriber, 1)
    subscriber.world.stack.clock.now = Millis(START + 6 * DAY)
    again.resend(subscriber.user.user_id, delivery.delivery_id)
    subscriber.receiver.answers = [FAILURE]
    found = subscriber.deliver(delivery)
    assert (found.state, found.attempts) == (DeliveryState.PENDING, 1)


def test_a_waiting_one_is_brought_forward(subscriber: Subscriber, again: Redelivery) -> None:
    (delivery,) = subscriber.attempts(FAILURE)
    assert delivery.not_before > START
    again.resend(subscriber.user.user_id, delivery.delivery_id)
    assert subscriber.deliver(delivery).state is DeliveryState.DELIVERED


def test_one_that_is_being_attempted_is_not_sent_beside_it(
    subscriber: Subscriber, again: Redelivery
) -> None:
    delivery = subscriber.told()
    call = (again.resend, subscriber.user.user_id, delivery.delivery_id)
    post = During(lambda: refused("delivery_in_progress", *call), OK)
    subscriber.posting_by(post).deliver(delivery.delivery_id, subscriber.user.user_id)
    assert post.calls == 1
    assert subscriber.get(delivery).state is DeliveryState.DELIVERED


def test_a_resend_that_the_queue_was_not_told_of_is_made_up_for(
    subscriber: Subscriber, again: Redelivery
) -> None:
    (delivery,) = subscriber.attempts(OK)
    again.resend(subscriber.user.user_id, delivery.delivery_id)
    subscriber.world.queued()
    subscriber.world.stack.clock.advance(seconds=60)
    subscriber.world.stack.platform.jobs.requeue_deliveries()
    subscriber.world.deliver()
    assert len(ids(subscriber)) == 2


@pytest.mark.parametrize("delivery_id", ["", "x", "01HF7YAT00KN72RTCCVJF755NM", "../x", "Ω" * 26])
def test_an_unknown_delivery_is_not_found(
    subscriber: Subscriber, again: Redelivery, delivery_id: str
) -> None:
    with pytest.raises(NotFoundError):
        again.resend(subscriber.user.user_id, delivery_id)


def test_nobody_resends_anothers_nor_one_that_is_past_its_time(
    subscriber: Subscriber, again: Redelivery, world: World
) -> None:
    (delivery,) = subscriber.attempts(OK)
    other = world.user()
    world.webhook(other, URL)
    with pytest.raises(NotFoundError):
        again.resend(other.user_id, delivery.delivery_id)
    world.stack.clock.now = Millis(START + 9 * DAY)
    with pytest.raises(NotFoundError):
        again.resend(subscriber.user.user_id, delivery.delivery_id)
    assert subscriber.get(delivery) == delivery


def test_nothing_is_sent_again_where_it_can_not_go(
    subscriber: Subscriber, again: Redelivery, world: World
) -> None:
    unasked = subscriber.deliver(subscriber.told("See you at the station tonight"))
    user_id = subscriber.user.user_id
    refused("not_subscribed", again.resend, user_id, unasked.delivery_id)
    assert again.recover(user_id, START) == (0, None)
    subscriber.attempts(GONE)
    for call in ((again.resend, user_id, unasked.delivery_id), (again.recover, user_id, START)):
        refused("endpoint_disabled", *call)
    refused("endpoint_disabled", again.test, user_id)
    nowhere = world.user()
    for call in ((again.recover, nowhere.user_id, START), (again.test, nowhere.user_id)):
        refused("no_endpoint", *call)


def test_all_that_failed_since_a_moment_is_recovered_and_nothing_else(
    subscriber: Subscriber, again: Redelivery
) -> None:
    delivered = subscriber.attempts(OK)
    subscriber.world.stack.clock.advance(seconds=1)
    failed = failed_for_good(subscriber, 4)
    subscriber.receiver.received.clear()
    since = ulid_time(failed[1].delivery_id)
    assert again.recover(subscriber.user.user_id, since) == (3, None)
    subscriber.world.deliver()
    assert sorted(ids(subscriber)) == sorted(each.event_id for each in failed[1:])
    assert subscriber.get(failed[0]).state is DeliveryState.FAILED
    assert subscriber.get(delivered[0]) == delivered[0]
    assert again.recover(subscriber.user.user_id, since) == (0, None)


def test_what_was_skipped_while_the_webhook_was_off_is_recovered_once_it_is_on(
    subscriber: Subscriber, again: Redelivery
) -> None:
    subscriber.attempts(GONE)
    missed = [subscriber.told(), subscriber.told()]
    subscriber.world.deliver()
    subscriber.world.stack.platform.endpoints.enable(subscriber.user.user_id)
    subscriber.receiver.received.clear()
    count, _ = again.recover(subscriber.user.user_id, START)
    assert count == 3
    subscriber.world.deliver()
    assert {each.event_id for each in missed} < set(ids(subscriber))


def test_a_recovery_goes_on_where_the_last_call_ended(
    subscriber: Subscriber, again: Redelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_for_good(subscriber, 7)
    monkeypatch.setattr(redelivery, "MOST_RECOVERED", 3)
    monkeypatch.setattr(redelivery, "_PAGE", 2)
    counts, since = [], START
    while since is not None:
        count, since = again.recover(subscriber.user.user_id, since)  # type: ignore[assignment]
        counts.append(count)
    assert counts == [3, 3, 1]
    assert all(subscriber.get(each).state is DeliveryState.PENDING for each in failed)


def test_a_recovery_ends_in_time_and_says_where_to_go_on(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_for_good(subscriber, 4)
    monkeypatch.setattr(redelivery, "_PAGE", 2)
    clock = subscriber.world.stack.clock

    def hurried() -> Millis:
        clock.advance(seconds=20)
        return clock.now

    again = replace(subscriber.world.stack.platform.redelivery, clock=hurried)
    first, since = again.recover(subscriber.user.user_id, START)
    assert (first, since is not None) == (2, True)


def test_a_test_arrives_whatever_is_subscribed_and_is_in_the_feed(
    subscriber: Subscriber, again: Redelivery
) -> None:
    event = again.test(subscriber.user.user_id)
    subscriber.world.deliver()
    ((url, body, headers),) = subscriber.receiver.received
    assert (url, headers["webhook-id"]) == (URL, event.event_id)
    assert json.loads(body) == {"event": "test", "data": {"message": "This is a test."}}
    (row,) = subscriber.world.events(subscriber.user)
    assert (row.type, row.event_id) == ("test", event.event_id)


def test_a_resend_outlives_a_message_of_before(subscriber: Subscriber, again: Redelivery) -> None:
    """The message of a retry that was brought forward comes all the same, and changes nothing."""
    (delivery,) = subscriber.attempts(FAILURE)
    again.resend(subscriber.user.user_id, delivery.delivery_id)
    subscriber.deliver(delivery)
    subscriber.deliver(delivery, START + 10 * MINUTE)
    assert len(ids(subscriber)) == 2
    assert subscriber.world.stack.clock.now - START == 600 * SECOND
