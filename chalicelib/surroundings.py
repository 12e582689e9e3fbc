"""What the platform is made from: its settings, and the parts that reach outside."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from chalicelib.domain.times import Clock, Millis
from chalicelib.outbound import Fetch, HttpFetch, Post
from chalicelib.settings import Settings


def system_clock() -> Millis:
    """The machine's time."""
    return Millis(time.time_ns() // 1_000_000)


@dataclass(frozen=True)
class Surroundings:
    """One environment. The parts that reach outside can be handed in."""

    settings: Settings
    clock: Clock = system_clock
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=secrets.SystemRandom)
    post: Post | None = None
    fetch: Fetch | None = None

    @property
    def outside(self) -> Fetch:
        """How other servers are asked."""
        return self.fetch or HttpFetch(self.settings.allow_loopback)
