"""Webhooks through crashes of the deliverer at every step: each delivered, none lost."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from chalicelib.bootstrap import Platform
from chalicelib.domain.deliveries import DeliveryState, Lane
from chalicelib.domain.events import Event, test_event
from chalicelib.domain.ids import DeliveryId, UserId
from chalicelib.domain.times import DAY, MINUTE, SECOND, Millis
from chalicelib.outbound import Answer
from chalicelib.services.profiles import Changes
from chalicelib.settings import Settings
from chalicelib.stores import connection, db, deliveries, endpoints, queues, shards
from chalicelib.stores.outbox_items import DeliveryRow

USERS = 20
URL = "http://127.0.0.1:9/hook"
COMES_AGAIN = 180 * SECOND
"""When the message of a deliverer that died is visible again."""

_LONGEST = 30 * DAY
_AT_ONCE = 4
_BATCH = 100


class CrashError(BaseException):
    """The Lambda is gone, at whatever it was. Nothing may catch it."""


@dataclass
class Crashes:
    """Ends what is under way at a call to DynamoDB, SQS or an endpoint: before it or after it.

    `strikes` is asked each time, while armed: of `before PutItem`, `after the post` …
    """

    strikes: Callable[[str], bool]
    armed: bool = False
    at: Counter[str] = field(default_factory=Counter)

    def maybe(self, step: str) -> None:
        """Crash if it strikes."""
        if self.armed and self.strikes(step):
            self.at[step] += 1
            raise CrashError(step)

    def on(self, client: Any) -> Callable[..., None]:
        """A handler of botocore's that does so around each request of `client`."""

        def handle(request: Any, **_: Any) -> None:
            target = request.headers["X-Amz-Target"]
            operation = (target.decode() if isinstance(target, bytes) else target).split(".")[-1]
            self.maybe(f"before {operation}")
            after = f"after {operation}"
            if self.armed and self.strikes(after):
                client._endpoint.http_session.send(request)
                self.at[after] += 1
                raise CrashError(operation)

        return handle


@dataclass
class Endpoint:
    """What takes webhooks: most of them, not always at once, and in time."""

    crashes: Crashes
    random: Random
    received: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002
        """Take a webhook, or not; say so, or be too late to."""
        self.crashes.maybe("before the post")
        with self._lock:
            self.posts += 1
            chance = self.random.random()
            if chance < 0.1:
                return Answer(status=503)
            self.received[headers["webhook-id"]] += 1
        self.crashes.maybe("after the post")
        return Answer(error="timeout") if chance < 0.12 else Answer(status=200)


@dataclass
class Clock:
    """Time as the run sets it."""

    now: Millis

    def __call__(self) -> Millis:
        """The moment that it stands at."""
        return self.now


@dataclass(frozen=True)
class Report:
    """What came of a run. `lost` were never received, `unfinished` are not marked delivered."""

    events: int
    crashes: int
    steps: dict[str, int]
    posts: int
    received_twice_or_more: int
    lost: int
    strangers: int
    unfinished: int
    virtual_hours: float


def run(settings: Settings, start: Millis, *, events: int, chance: float, seed: int = 1) -> Report:
    """Deliver `events` of 20 users, each call of the deliverer crashing by that chance."""
    random = Random(seed)
    crashes, clock = Crashes(lambda _: random.random() < chance / 2), Clock(start)
    endpoint = Endpoint(crashes, random)
    platform = Platform(settings, clock, lambda _: None, random, endpoint)
    users = [_user(platform, number) for number in range(USERS)]
    with crashing(crashes):
        owners = itertools.islice(itertools.cycle(users), events)
        made = [_told(platform, owner, crashes) for owner in owners]
        _deliver_all(platform, clock, crashes)
    delivered = _delivered(made)
    ids = {event.event_id for event in made}
    return Report(
        events=events,
        crashes=sum(crashes.at.values()),
        steps=dict(crashes.at.most_common()),
        posts=endpoint.posts,
        received_twice_or_more=sum(count > 1 for count in endpoint.received.values()),
        lost=len(ids - endpoint.received.keys()),
        strangers=len(endpoint.received.keys() - ids),
        unfinished=events - delivered,
        virtual_hours=round((clock.now - start) / (3_600 * SECOND), 1),
    )


@contextmanager
def crashing(crashes: Crashes) -> Iterator[None]:
    """Within this, what is armed strikes."""
    clients = [connection.client(), queues.client()]
    handlers = [(client.meta.events, crashes.on(client)) for client in clients]
    for hooks, handler in handlers:
        hooks.register("before-send", handler)
    try:
        yield
    finally:
        for hooks, handler in handlers:
            hooks.unregister("before-send", handler)


def _user(platform: Platform, number: int) -> UserId:
    user = platform.accounts.create(f"crash-{number}", "Somebody")
    platform.accounts.approve(user.user_id)
    platform.profiles.change(user.user_id, Changes(webhook_url=URL))
    return user.user_id


def _told(platform: Platform, user_id: UserId, crashes: Crashes) -> Event:
    event = test_event(user_id, platform.clock())
    endpoints.write_event(event, platform.settings.sms_retention_days)
    until_it_crashes(crashes, lambda: platform.webhooks.tell(event))
    return event


def _deliver_all(platform: Platform, clock: Clock, crashes: Crashes) -> None:
    """What the Lambdas and the schedule do, until nothing waits any more."""
    again: list[tuple[Millis, Lane, DeliveryId, UserId]] = []
    lanes = {
        Lane.FAST: platform.settings.webhooks_queue,
        Lane.SLOW: platform.settings.webhooks_slow_queue,
    }
    ends = clock.now + _LONGEST
    while clock.now < ends:
        for lane, url in lanes.items():
            due = [each for each in again if each[0] <= clock.now and each[1] is lane]
            again = [each for each in again if each not in due]
            wanted = [each[2:] for each in due] + _taken_off(url)
            died = _attempt_all(platform, crashes, lane, wanted)
            again += [(Millis(clock.now + COMES_AGAIN), lane, *ids) for ids in died]
        until_it_crashes(crashes, platform.jobs.requeue_deliveries)
        waiting = [
            each
            for shard in shards.keys(shards.DUE)
            for each in deliveries.due(shard, Millis(ends), limit=1)[0]
        ]
        if not waiting:
            return
        # The sweep runs each minute, and where nothing waits for it, nothing happens.
        clock.now = max(Millis(clock.now + MINUTE), min(each.at for each in waiting))


def _attempt_all(
    platform: Platform, crashes: Crashes, lane: Lane, wanted: Sequence[tuple[DeliveryId, UserId]]
) -> list[tuple[DeliveryId, UserId]]:
    """Attempt each, several at once; those whose deliverer died."""

    def attempt(ids: tuple[DeliveryId, UserId]) -> bool:
        try:
            platform.webhooks.deliver(*ids, lane)
        except CrashError:
            return False
        return True

    crashes.armed = True
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lived = list(pool.map(attempt, wanted))
    crashes.armed = False
    return [ids for ids, alive in zip(wanted, lived, strict=True) if not alive]


def _taken_off(url: str) -> list[tuple[DeliveryId, UserId]]:
    found: list[tuple[DeliveryId, UserId]] = []
    while True:
        answer = queues.client().receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        messages = answer.get("Messages", [])
        if not messages:
            return found
        bodies = [json.loads(message["Body"]) for message in messages]
        found += [(DeliveryId(each["delivery_id"]), UserId(each["user_id"])) for each in bodies]
        entries = [
            {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]}
            for at, message in enumerate(messages)
        ]
        queues.client().delete_message_batch(QueueUrl=url, Entries=entries)


def until_it_crashes(crashes: Crashes, act: Callable[[], object]) -> bool:
    """Do it, with crashes; whether there was none."""
    crashes.armed = True
    try:
        act()
    except (CrashError, queues.QueueError):
        return False
    finally:
        crashes.armed = False
    return True


def _delivered(made: Sequence[Event]) -> int:
    keys = [(DeliveryRow, event.delivery_id, None) for event in made]
    rows = [
        row for at in range(0, len(keys), _BATCH) for row in db.get_all(*keys[at : at + _BATCH])
    ]
    return sum(row is not None and row.state == DeliveryState.DELIVERED for row in rows)
