"""The composition root: every service made once, when it is first needed, from plain parts."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from chalicelib import settings as configuration
from chalicelib.bootstrap_codes import CodeServices
from chalicelib.outbound.secret_source import SecretSource
from chalicelib.stores import tables

if TYPE_CHECKING:
    from chalicelib.services.accounts import Accounts
    from chalicelib.services.administration import Administration
    from chalicelib.services.catalogue import Catalogue
    from chalicelib.services.closings import Closings
    from chalicelib.services.code_reports import CodeReports
    from chalicelib.services.history import History
    from chalicelib.services.inbound import Inbound
    from chalicelib.services.inbox import Inbox
    from chalicelib.services.jobs import Jobs
    from chalicelib.services.key_ring import KeyRing
    from chalicelib.services.limits import CallLimiter
    from chalicelib.services.listings import Listings
    from chalicelib.services.managers import Managers
    from chalicelib.services.numbers import Numbers
    from chalicelib.services.otp_accounts import OtpAccounts
    from chalicelib.services.polls import Polls
    from chalicelib.services.prices import Prices
    from chalicelib.services.profiles import Profiles
    from chalicelib.services.provider_posts import ProviderPosts
    from chalicelib.services.purchases import Purchases
    from chalicelib.services.rentals import Rentals
    from chalicelib.services.rollups import Rollups
    from chalicelib.suppliers.contract import Supplier


@dataclass(frozen=True)
class Platform(CodeServices):
    """The platform in one environment. The parts that reach outside can be handed in."""

    @cached_property
    def accounts(self) -> "Accounts":
        """Users, keys, credits."""
        from chalicelib.services.accounts import Accounts

        return Accounts(self.settings, self.clock)

    @cached_property
    def key_ring(self) -> "KeyRing":
        """Keys in use."""
        from chalicelib.services.key_ring import KeyRing

        return KeyRing(self.accounts, self.clock)

    @cached_property
    def profiles(self) -> "Profiles":
        """What users change of their accounts."""
        from chalicelib.services.limits import RegistrationLimiter
        from chalicelib.services.profiles import Profiles

        limiter = RegistrationLimiter(self.clock, self.settings.limits.registrations_per_hour)
        return Profiles(self.settings, self.clock, self.accounts, limiter, self.key_ring)

    @cached_property
    def history(self) -> "History":
        """What users are shown of what was."""
        from chalicelib.services.history import History

        return History(self.settings, self.clock)

    @cached_property
    def managers(self) -> "Managers":
        """Users who have users under them."""
        from chalicelib.services.managers import Managers

        return Managers(self.clock, self.accounts, self.key_ring)

    @cached_property
    def administration(self) -> "Administration":
        """The admin's acts."""
        from chalicelib.services.administration import Administration

        return Administration(self.clock, self.accounts)

    @cached_property
    def prices(self) -> "Prices":
        """The admin's prices."""
        from chalicelib.services.prices import Prices

        return Prices(self.catalogue)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """What there is to rent."""
        from chalicelib.services.catalogue import Catalogue
        from chalicelib.services.offers import Elsewhere

        return Catalogue(self.clock, Elsewhere(self.settings.suppliers, self.suppliers))

    @cached_property
    def listings(self) -> "Listings":
        """What spec A lists."""
        from chalicelib.services.listings import Listings

        return Listings(self.settings, self.clock, self.catalogue, self.suppliers)

    @cached_property
    def numbers(self) -> "Numbers":
        """The stock's numbers."""
        from chalicelib.services.numbers import Numbers

        return Numbers(self.clock, self.random, self.catalogue)

    @cached_property
    def rentals(self) -> "Rentals":
        """Renting."""
        from chalicelib.services.rentals import Rentals
        from chalicelib.stores.numbers import free_near
        from chalicelib.suppliers.stock import StockSupplier

        stock = StockSupplier(free_near, self.random)
        return Rentals(
            settings=self.settings,
            clock=self.clock,
            catalogue=self.catalogue,
            stock=stock,
            purchases=self.purchases,
            webhooks=self.webhooks,
            low_balance=self.low_balance,
        )

    @cached_property
    def suppliers(self) -> "Mapping[str, Supplier]":
        """Other servers that we buy numbers from."""
        from chalicelib.suppliers.registry import make_suppliers

        return make_suppliers(self.settings.suppliers, self.outside, self.clock)

    @cached_property
    def purchases(self) -> "Purchases":
        """Buying from them."""
        from chalicelib.services.purchases import Purchases

        return Purchases(self.settings, self.clock, self.suppliers, self.webhooks)

    @cached_property
    def polls(self) -> "Polls":
        """Asking them for SMS."""
        from chalicelib.services.polls import Polls

        return Polls(self.settings, self.clock, self.random, self.suppliers, self.inbound)

    @cached_property
    def closings(self) -> "Closings":
        """Giving back, and running out."""
        from chalicelib.services.closings import Closings

        return Closings(
            settings=self.settings,
            clock=self.clock,
            purchases=self.purchases,
            polls=self.polls,
            webhooks=self.webhooks,
            low_balance=self.low_balance,
        )

    @cached_property
    def inbox(self) -> "Inbox":
        """Reading SMS."""
        from chalicelib.services.inbox import Inbox
        from chalicelib.services.limits import WaitSlots

        return Inbox(
            settings=self.settings,
            clock=self.clock,
            sleep=self.sleep,
            rentals=self.rentals,
            webhooks=self.webhooks,
            slots=WaitSlots(self.clock),
            low_balance=self.low_balance,
        )

    @cached_property
    def code_reports(self) -> "CodeReports":
        """Codes that were found wrong."""
        from chalicelib.services.code_reports import CodeReports

        return CodeReports(self.settings, self.clock, self.rentals)

    @cached_property
    def provider_posts(self) -> "ProviderPosts":
        """What SMS providers post."""
        from chalicelib.services.provider_posts import ProviderPosts

        return ProviderPosts(self.clock, self.outside)

    @cached_property
    def inbound(self) -> "Inbound":
        """Taking SMS."""
        from chalicelib.domain.code_finder import find_code
        from chalicelib.services.inbound import Inbound

        return Inbound(self.settings, self.clock, self.webhooks, find_code, self.low_balance)

    @cached_property
    def otp_accounts(self) -> "OtpAccounts":
        """What accounts ask for of codes."""
        from chalicelib.services.otp_accounts import OtpAccounts

        return OtpAccounts(self.clock, self.accounts)

    @cached_property
    def rollups(self) -> "Rollups":
        """What was done when."""
        from chalicelib.services.rollups import Rollups

        return Rollups(self.settings, self.clock)

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
            settings=self.settings,
            clock=self.clock,
            closings=self.closings,
            polls=self.polls,
            numbers=self.numbers,
            catalogue=self.catalogue,
            webhooks=self.webhooks,
            managers=self.managers,
            rollups=self.rollups,
            otp_sending=self.otp_sending,
            inbound=self.inbound,
            retention=self.retention,
        )


_platform: Platform | None = None
_secrets = SecretSource()
_lock = RLock()

log = logging.getLogger(__name__)


def platform() -> Platform:
    """The platform of this process's environment, made when first asked for.

    Raises SettingsError naming what the environment lacks.
    """
    with _lock:
        if _platform is None:
            return use(Platform(configuration.from_environment(_secrets.read)))
        if _secrets.changed():
            _rotate()
        return _platform


def _rotate() -> None:
    try:
        use(Platform(configuration.from_environment(_secrets.read)))
    except configuration.SettingsError:
        # A slip of whoever rotates must not stop what runs.
        log.exception("the new secrets can't be used; the former ones stay")


def use(platform: Platform) -> Platform:
    """Serve from `platform` from now on."""
    global _platform
    with _lock:
        tables.configure(platform.settings.tables)
        _platform = platform
    return platform
