"""I4 through crashes of the deliverer, at each step of each way that an attempt can go.

Thousands of events, and crashes by chance: `python -m bench.webhooks`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bench.crashes import Crashes, crashing, until_it_crashes
from chalicelib.bootstrap import Platform
from chalicelib.domain.deliveries import DeliveryState
from chalicelib.domain.events import Event
from chalicelib.domain.events import test_event as event_of
from chalicelib.domain.user import User
from chalicelib.outbound import Answer
from chalicelib.stores import db, endpoints
from chalicelib.stores.outbox_items import DeliveryRow
from tests.conftest import Receiver
from tests.subscribers import FAILURE, OK, TIMEOUT, URL
from tests.world import World

MOST_ROUNDS = 10


def row_of(event: Event) -> DeliveryRow:
    row = db.get(DeliveryRow, event.delivery_id)
    assert row is not None
    return row


def told(world: World, user: User) -> Event:
    """An event of an endpoint as good as new."""
    world.webhook(user, URL)
    event = event_of(user.user_id, world.stack.clock.now)
    endpoints.write_event(event, 7)
    return event


def deliver(platform: Platform, event: Event) -> None:
    platform.webhooks.tell(event)
    platform.webhooks.deliver(event.delivery_id, event.user_id)


def make_up(world: World, event: Event) -> None:
    """What the schedule and the Lambdas do afterwards, when its time has come."""
    for _ in range(MOST_ROUNDS):
        world.deliver()
        next_at = row_of(event).next_at
        if next_at is None:
            return
        world.stack.clock.now = max(world.stack.clock.now, next_at)
        world.stack.platform.jobs.requeue_deliveries()


@dataclass
class Nth:
    """Strikes at the n-th time that a step is taken, whatever is done beside it."""

    step: str
    nth: int

    def __call__(self, step: str) -> bool:
        if step != self.step:
            return False
        self.nth -= 1
        return self.nth == 0


def attempt(world: World, user: User, answer: Answer, strikes: Callable[[str], bool]) -> Crashes:
    """An event whose first attempt is answered so, and may crash; it arrives all the same."""
    event, crashes, receiver = told(world, user), Crashes(strikes), world.stack.receiver
    world.stack.receiver = doomed = Receiver([answer])
    platform = world.elsewhere()
    object.__setattr__(platform, "post", lambda *call: posted(crashes, doomed, *call))
    with crashing(crashes):
        unhurt = until_it_crashes(crashes, lambda: deliver(platform, event))
    assert unhurt == (not crashes.at)
    world.stack.receiver = receiver
    make_up(world, event)
    assert row_of(event).state == DeliveryState.DELIVERED
    arrived = [headers["webhook-id"] for _, _, headers in doomed.received + receiver.received]
    assert set(arrived) == {event.event_id}
    receiver.received.clear()
    return crashes


@pytest.mark.parametrize("answer", [OK, FAILURE, TIMEOUT])
def test_i4_whatever_step_the_deliverer_dies_at_the_event_arrives_under_one_id(
    world: World, answer: Answer
) -> None:
    user = world.user()
    steps: list[str] = []

    def notes(step: str) -> bool:
        steps.append(step)
        return False

    attempt(world, user, answer, notes)
    times = Counter(steps)
    for step, most in times.items():
        for nth in range(1, most + 1):
            assert attempt(world, user, answer, Nth(step, nth)).at == Counter([step])
    calls = {step.partition(" ")[2] for step in times}
    assert calls >= {"SendMessage", "UpdateItem", "BatchGetItem", "the post"}
    assert {step.partition(" ")[0] for step in times} == {"before", "after"}
    assert ("PutItem" in calls) == (answer is not OK)


def posted(crashes: Crashes, receiver: Receiver, *call: object) -> Answer:
    crashes.maybe("before the post")
    answer = receiver(*call)  # type: ignore[arg-type]
    crashes.maybe("after the post")
    return answer
