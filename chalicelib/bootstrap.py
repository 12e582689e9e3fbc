"""The composition root: every service made once, when it is first needed, from plain parts."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

from chalicelib import settings as configuration
from chalicelib.domain.times import Clock, Millis
from chalicelib.outbound import HttpPost, Post
from chalicelib.settings import Settings
from chalicelib.stores import tables

if TYPE_CHECKING:
    from chalicelib.services.accounts import Accounts
    from chalicelib.services.catalogue import Catalogue
    from chalicelib.services.inbound import Inbound
    from chalicelib.services.inbox import Inbox
    from chalicelib.services.jobs import Jobs
    from chalicelib.services.limits import CallLimiter
    from chalicelib.services.numbers import Numbers
    from chalicelib.services.rentals import Rentals
    from chalicelib.services.webhooks import Webhooks


def system_clock() -> Millis:
    """The machine's time."""
    return Millis(time.time_ns() // 1_000_000)


@dataclass(frozen=True)
class Platform:
    """The platform in one environment. The parts that reach outside can be handed in."""

    settings: Settings
    clock: Clock = system_clock
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=secrets.SystemRandom)
    post: Post | None = None

    @cached_property
    def accounts(self) -> "Accounts":
        """Users, keys, credits."""
        from chalicelib.services.accounts import Accounts

        return Accounts(self.settings, self.clock)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """What there is to rent."""
        from chalicelib.services.catalogue import Catalogue

        return Catalogue(self.clock)

    @cached_property
    def numbers(self) -> "Numbers":
        """The stock's numbers."""
        from chalicelib.services.numbers import Numbers

        return Numbers(self.clock, self.random, self.catalogue)

    @cached_property
    def rentals(self) -> "Rentals":
        """Renting and giving back."""
        from chalicelib.services.rentals import Rentals
        from chalicelib.stores.numbers import free_near
        from chalicelib.suppliers.stock import StockSupplier

        stock = StockSupplier(free_near, self.random)
        return Rentals(self.settings, self.clock, self.catalogue, stock)

    @cached_property
    def inbox(self) -> "Inbox":
        """Reading SMS."""
        from chalicelib.services.inbox import Inbox
        from chalicelib.services.limits import WaitSlots

        slots = WaitSlots(self.clock)
        return Inbox(self.settings, self.clock, self.sleep, self.rentals, self.webhooks, slots)

    @cached_property
    def inbound(self) -> "Inbound":
        """Taking SMS."""
        from chalicelib.domain.code_finder import find_code
        from chalicelib.services.inbound import Inbound

        return Inbound(self.settings, self.clock, self.webhooks, find_code)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Telling users."""
        from chalicelib.services.webhooks import Webhooks

        post = self.post or HttpPost(self.settings.allow_loopback)
        return Webhooks(self.settings, self.clock, self.random, post)

    @cached_property
    def call_limiter(self) -> "CallLimiter":
        """Calls a minute."""
        from chalicelib.services.limits import CallLimiter

        return CallLimiter(self.clock, self.settings.limits.calls_per_minute)

    @cached_property
    def jobs(self) -> "Jobs":
        """The schedules' work."""
        from chalicelib.services.jobs import Jobs

        return Jobs(
            self.settings, self.clock, self.rentals, self.numbers, self.catalogue, self.webhooks
        )


_platform: Platform | None = None
_lock = RLock()


def platform() -> Platform:
    """The platform of this process's environment, made when first asked for.

    Raises SettingsError naming what the environment lacks.
    """
    with _lock:
        return _platform or use(Platform(configuration.from_environment()))


def use(platform: Platform) -> Platform:
    """Serve from `platform` from now on."""
    global _platform
    with _lock:
        tables.configure(platform.settings.tables)
        _platform = platform
    return platform
