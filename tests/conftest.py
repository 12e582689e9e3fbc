"""The real engine under every test: clean tables and queues, a clock that tests set."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import botocore.session
import pytest

from chalicelib import bootstrap, settings
from chalicelib.bootstrap import Platform
from chalicelib.domain.keys import hash_key
from chalicelib.domain.times import Millis, later
from chalicelib.outbound import Answer, Fetch
from chalicelib.stores import connection, queues
from local import resources, template
from local.engine import Engine

START = Millis(1_700_000_000_000)
SECRETS = {
    "pepper": "70" * 32,
    "system_key_hash": hash_key("the-system-key"),
    "admin_key_hash": hash_key("the-admin-key"),
    "providers": {
        "generic": {"demo": {"secrets": ["whsec_Z2VuZXJpYy1kZW1vLXNlY3JldC0wMDAx"]}},
        "twilio": {"demo": {"secrets": ["twilio-demo-token"]}},
        "simulator": {"demo": {"secrets": ["whsec_c2ltdWxhdG9yLWRlbW8tc2VjcmV0LTAx"]}},
    },
}


@dataclass
class TestClock:
    """Time as a test sets it. What sleeps by it moves it."""

    __test__ = False

    now: Millis = START

    def __call__(self) -> Millis:
        return self.now

    def advance(self, *, seconds: float) -> None:
        self.now = later(self.now, seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)


@dataclass
class Receiver:
    """A webhook endpoint without a network: answers as told, remembers what it was sent."""

    answers: list[Answer] = field(default_factory=list)
    received: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.received.append((url, body, headers))
        return self.answers.pop(0) if self.answers else Answer(status=200)


@dataclass
class Stack:
    """A whole platform on the engine, nothing in it yet."""

    environment: dict[str, str]
    clock: TestClock
    receiver: Receiver
    platform: Platform
    fetch: Fetch | None = None

    def configure(self, **variables: str) -> Platform:
        """Serve with other settings from here on: `configure(SESAME_REST_SECONDS="0")`."""
        self.environment |= variables
        self.platform = bootstrap.use(
            Platform(
                settings=settings.load(self.environment),
                clock=self.clock,
                sleep=self.clock.sleep,
                random=Random(7),
                post=self.receiver,
                fetch=self.fetch,
            )
        )
        return self.platform


@contextmanager
def environment_kept() -> Iterator[None]:
    """Whatever happens within this, the environment is the same one afterwards, as it was.

    Chalice's test client puts a copy in its place for each call: two calls at once, in threads, may
    leave a copy there for good, with what the test had set in it.
    """
    environment, before = os.environ, dict(os.environ)
    try:
        yield
    finally:
        os.environ = environment  # noqa: B003
        environment.clear()
        environment.update(before)


@pytest.fixture(autouse=True)
def _environment_kept() -> Iterator[None]:
    with environment_kept():
        yield


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the session, keeping nothing."""
    running = Engine.ensure(tmp_path_factory.mktemp("engine"), persist=False)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def resource_names(engine: Engine) -> dict[str, str]:
    """The environment that names the tables and queues, made once and marked."""
    names = resources.create(template.load(), engine.url)
    _stop_reaping(engine.url)
    engine.mark()
    return names


def _stop_reaping(engine_url: str) -> None:
    """Keep what is past its TTL: the engine goes by the machine's clock, years ahead of ours."""
    client = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=engine_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for name in client.list_tables()["TableNames"]:
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if ttl["TimeToLiveStatus"] == "ENABLED":
            off = {"AttributeName": ttl["AttributeName"], "Enabled": False}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=off)
    client.close()


@pytest.fixture
def stack(engine: Engine, resource_names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A clean platform; `stack.clock` is its time, `stack.receiver` its users' endpoint."""
    engine.rewind()
    environment = {
        **resource_names,
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SESAME_PUBLIC_URL": "https://sesame.test",
        "SESAME_SECRETS": json.dumps(SECRETS),
        "SESAME_MAX_CALLS_PER_MINUTE": "100000",
        "SESAME_ALLOW_LOOPBACK": "1",
        "SESAME_OTP_ROUTES": json.dumps({"*": ["simulator:demo"]}),
        "SESAME_OTP_PRICES": json.dumps({"*": {"sms": "0.04", "voice_sms": "0.1"}}),
    }
    for name in [name for name in os.environ if name.startswith(("AWS_", "SESAME_"))]:
        if name != "SESAME_ENGINE_PYTHON":
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(connection, "sleep", lambda _: None)
    clock = TestClock()
    made = Stack(environment, clock, Receiver(), None)  # type: ignore[arg-type]
    made.configure()
    return made


@pytest.fixture(scope="session", autouse=True)
def _forget_clients() -> Iterator[None]:
    """No client outlives the session's engine."""
    yield
    connection.forget_client()
    queues.forget_client()


@pytest.fixture
def world(stack: Stack) -> Any:
    """The stack, and what tests say of it in one line."""
    from tests.world import World

    return World(stack)
