"""A platform on a fresh embedded engine, made for one measurement."""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chalicelib import bootstrap, settings
from chalicelib.bootstrap import Platform
from chalicelib.domain.ids import E164
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.stock import RANKS
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.outbound import Answer
from chalicelib.stores import catalogue, numbers
from chalicelib.stores.catalogue import Operator
from chalicelib.stores.numbers import MOST_AT_ONCE, NewNumber
from local import resources, template
from local.engine import Engine
from local.home import Home

PRICE = Micros(50_000)
BALANCE = Micros(10_000 * UNIT)
NO_LIMIT = "1000000"


@dataclass(frozen=True)
class Stack:
    """A platform, and what its callers and its gateway know."""

    platform: Platform
    environment: dict[str, str]
    engine_url: str
    generic_secret: str

    def user(self, login: str) -> User:
        """An approved user with money."""
        accounts = self.platform.accounts
        user = accounts.approve(accounts.create(login, login).user_id)
        self.platform.administration.credit(user.user_id, BALANCE, "bench")
        return accounts.find(user.user_id)

    def stock(self, country: str, operator_id: int, count: int) -> None:
        """Free numbers of one operator. They are nobody's: nothing here looks at their country."""
        catalogue.put_operator(Operator(operator_id, country, f"Operator {operator_id}", PRICE))
        random = Random(operator_id)
        new = [
            NewNumber(
                E164(f"+1{operator_id:03d}{at:07d}"),
                country,
                operator_id,
                random.randrange(RANKS),
                None,
                None,
            )
            for at in range(count)
        ]
        for at in range(0, count, MOST_AT_ONCE):
            numbers.add_all(new[at : at + MOST_AT_ONCE])


@contextmanager
def fresh(pools: Sequence[tuple[str, int, int]]) -> Iterator[Stack]:
    """A stack with these pools (country, operator id, numbers), whose webhooks are all taken."""
    with tempfile.TemporaryDirectory(prefix="sesame-bench-") as folder:
        engine = Engine.ensure(Path(folder), persist=False)
        try:
            stack = _stack(Home(Path(folder)), engine.url)
            for pool in pools:
                stack.stock(*pool)
            stack.platform.catalogue.count_stock()
            yield stack
        finally:
            engine.stop()


def _stack(home: Home, engine_url: str) -> Stack:
    environment = {
        **resources.create(template.load(), engine_url),
        "AWS_ENDPOINT_URL": engine_url,
        "AWS_DEFAULT_REGION": resources.REGION,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "SESAME_PUBLIC_URL": "http://127.0.0.1",
        "SESAME_SECRETS": home.platform_secrets(),
        "SESAME_ALLOW_LOOPBACK": "1",
        "SESAME_MAX_CALLS_PER_MINUTE": NO_LIMIT,
        "SESAME_MAX_OPEN_RENTALS": NO_LIMIT,
        "SESAME_MAX_UNUSED_CANCELS_PER_HOUR": NO_LIMIT,
        "SESAME_REST_SECONDS": "0",
        "SESAME_REST_UNUSED_SECONDS": "0",
    }
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
    platform = bootstrap.use(Platform(settings.load(environment), post=_take))
    secret = home.secrets()["providers"]["generic"]
    return Stack(platform, environment, engine_url, str(secret))


def _take(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:  # noqa: ARG001
    """The users' endpoint: its own time is none of ours."""
    return Answer(status=204)


def now() -> Millis:
    """The machine's time."""
    return Millis(time.time_ns() // 1_000_000)


def as_json(**fields: object) -> bytes:
    """A request body."""
    return json.dumps(fields).encode()
