"""A flood of inbound posts, each SMS of which must be there once at its end.

Some are posted twice, long ones by vonage in parts and in any order, some meet conflicts in
DynamoDB, which no local engine raises: those are put in here. Source: DESIGN.md, I2 and I4.
"""

import io
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from chalice.config import Config

from bench.carriers import JOINS_NOT, Carriers, Post, Text
from chalicelib.domain.ids import E164
from chalicelib.domain.rental import MOST_MESSAGES
from chalicelib.domain.times import Clock
from chalicelib.providers.contract import Part
from chalicelib.stores import connection
from local.gateway import Answer, Gateway, HttpRequest

TWICE = 0.10
"""The share of posts that repeat another."""

LONG = 0.05
"""The share of messages that come in parts."""

STUBBORN, PASSING = 2, 10
"""Of 100 writes of SMS, how many meet conflicts until we give up, and how many meet one."""

MOST_SENDINGS = 10
AGAIN_AFTER = 50
"""How many other posts come before one that was answered 503 is posted again."""

_PART_LENGTH = 67


@dataclass(frozen=True)
class Message:
    """An SMS as its recipient must have it."""

    carrier: str
    to: E164
    text: str
    parts: int


@dataclass(frozen=True)
class Plan:
    """What is sent, and the posts that bring it, in their order."""

    messages: Sequence[Message]
    posts: Sequence[Post]
    repeats: int

    def out_of_order(self) -> int:
        """How many long SMS have a part that comes before an earlier one."""
        seen: dict[str, int] = {}
        late = set()
        for post in self.posts:
            if post.sms.part is not None:
                text = post.sms.message_id
                if post.sms.part.number < seen.get(text, 0):
                    late.add(text)
                seen[text] = max(seen.get(text, 0), post.sms.part.number)
        return len(late)


@dataclass
class Sent:
    """What the carriers saw: answers by status, and the posts given up."""

    statuses: Counter[int] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    given_up: int = 0


@dataclass
class Conflicts:
    """How many conflicts were put in: `stubborn` counts the calls that never got through."""

    met: int = 0
    stubborn: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Called by botocore before each attempt to send."""
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        if operation == "UpdateItem":
            # It has no token: each attempt is on its own.
            return self._conflict(request) if random.randrange(100) < PASSING else None
        if operation != "TransactWriteItems":
            return None
        token = json.loads(request.body)["ClientRequestToken"]
        draw = crc32(token.encode()) % 100
        if draw < STUBBORN:
            self.stubborn.add(token)
            return self._conflict(request)
        if draw < STUBBORN + PASSING and token not in self._seen:
            self._seen.add(token)
            return self._conflict(request)
        return None

    def _conflict(self, request: AWSPreparedRequest) -> AWSResponse:
        self.met += 1
        actions = json.loads(request.body).get("TransactItems", [])
        name = "TransactionCanceledException" if actions else "TransactionConflictException"
        body: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{name}"}
        if actions:
            body["CancellationReasons"] = [{"Code": "TransactionConflict"} for _ in actions]
        headers = HeadersDict({"Content-Type": "application/x-amz-json-1.0"})
        return AWSResponse(request.url, 400, headers, _Raw(json.dumps(body).encode()))


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


def plan(carriers: Carriers, numbers: Sequence[E164], posts: int, draw: random.Random) -> Plan:
    """At most `posts` posts to `numbers`, of at most ten SMS each, shuffled as they would come."""
    spread = max(8, min(200, posts // 10))
    signers = carriers.signers()
    repeats = round(posts * TWICE)
    messages: list[Message] = []
    firsts: list[tuple[float, Post]] = []
    for at in range(len(numbers) * MOST_MESSAGES):
        message = _message(at, numbers[at % len(numbers)], list(signers), draw)
        if len(firsts) + message.parts > posts - repeats:
            break
        messages.append(message)
        texts = list(_texts(message, f"{draw.getrandbits(128):032x}", at))
        for text, later in zip(texts, _disorder(len(texts), spread, draw), strict=True):
            post = Post(message.carrier, text, signers[message.carrier])
            firsts.append((len(firsts) + later, post))
    # Every other repeat is next in line, so that another thread sends it at the same moment.
    seconds = [
        (place + (0.0 if at % 2 else draw.uniform(0, spread)), post)
        for at, (place, post) in enumerate(draw.sample(firsts, min(repeats, len(firsts))))
    ]
    order = sorted([*firsts, *seconds], key=lambda placed: placed[0])
    return Plan(messages, [post for _, post in order], len(seconds))


def send(
    posts: Sequence[Post], answer: Callable[[HttpRequest], Answer], clock: Clock, *, threads: int
) -> Sent:
    """Post them all from `threads` threads; what is answered 503 comes again later."""
    sent, lock = Sent(), Lock()
    waiting = deque((post, 1) for post in posts)

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                post, sending = waiting.popleft()
            got = answer(post.request(clock()))
            with lock:
                sent.statuses[got.status] += 1
                if got.status not in (200, 503):
                    sent.odd[
                        f"{post.carrier} {got.status} {got.body.decode(errors='replace')}"
                    ] += 1
                if got.status == 503 and sending < MOST_SENDINGS:
                    waiting.insert(min(AGAIN_AFTER, len(waiting)), (post, sending + 1))
                sent.given_up += got.status == 503 and sending == MOST_SENDINGS

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(threads)]:
            done.result()
    return sent


def gateway() -> Gateway:
    """What calls the app as API Gateway does, from any thread."""
    from app import app

    return Gateway(app, Config(chalice_stage="dev", config_from_disk={"lambda_timeout": 29}))


@contextmanager
def conflicting() -> Iterator[Conflicts]:
    """Put conflicts in the way of the process's DynamoDB client."""
    conflicts = Conflicts()
    events = connection.client().meta.events
    events.register("before-send.dynamodb", conflicts, unique_id="flood")
    try:
        yield conflicts
    finally:
        events.unregister("before-send.dynamodb", unique_id="flood")


def _message(at: int, to: E164, carriers: Sequence[str], draw: random.Random) -> Message:
    parts = draw.randint(2, 4) if draw.random() < LONG else 1
    text = f"Acme: your code is {100_000 + at}. Message {at} to {to}. "
    text += "x" * ((parts - 1) * _PART_LENGTH)
    return Message(JOINS_NOT if parts > 1 else draw.choice(carriers), to, text, parts)


def _texts(message: Message, message_id: str, at: int) -> Iterator[Text]:
    if message.parts == 1:
        yield Text(message_id, message.to, message.text)
        return
    for number in range(1, message.parts + 1):
        end = number * _PART_LENGTH if number < message.parts else None
        piece = message.text[(number - 1) * _PART_LENGTH : end]
        # Carriers count long SMS with a byte.
        part = Part(str(at % 256), number, message.parts)
        yield Text(message_id, message.to, piece, part)


def _disorder(count: int, spread: float, draw: random.Random) -> list[float]:
    """How much later than its place each part of a long SMS comes: never all in their order."""
    while True:
        later = [draw.uniform(0, spread) for _ in range(count)]
        places = [at + each for at, each in enumerate(later)]
        if count == 1:
            return [0.0]
        if places != sorted(places):
            return later
