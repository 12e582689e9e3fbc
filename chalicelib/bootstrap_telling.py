"""The parts of the platform that tell users what happened, and forget it; see `bootstrap`."""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.outbound import HttpPost
from chalicelib.surroundings import Surroundings

if TYPE_CHECKING:
    from chalicelib.services.delivery_queues import DeliveryQueues
    from chalicelib.services.endpoints import Endpoints
    from chalicelib.services.feed import Feed
    from chalicelib.services.low_balance import LowBalance
    from chalicelib.services.redelivery import Redelivery
    from chalicelib.services.retention import Retention
    from chalicelib.services.webhooks import Webhooks


class TellingServices(Surroundings):
    """The part of a Platform that is about events."""

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Telling users."""
        from chalicelib.domain.deliveries import Lane
        from chalicelib.domain.endpoint_health import FAST_SECONDS
        from chalicelib.services.away import Away
        from chalicelib.services.webhooks import Webhooks

        patient = HttpPost(self.settings.allow_loopback, self.settings.webhook_ports)
        return Webhooks(
            clock=self.clock,
            random=self.random,
            queues=self.delivery_queues,
            endpoints=self.endpoints,
            posts={
                Lane.FAST: self.post or replace(patient, deadline_seconds=FAST_SECONDS),
                Lane.SLOW: self.post or patient,
            },
            away=Away(),
        )

    @cached_property
    def delivery_queues(self) -> "DeliveryQueues":
        """Who is told what to deliver."""
        from chalicelib.services.delivery_queues import DeliveryQueues

        return DeliveryQueues(self.settings, self.clock)

    @cached_property
    def endpoints(self) -> "Endpoints":
        """Where users are told."""
        from chalicelib.services.endpoints import Endpoints

        return Endpoints(self.settings, self.clock)

    @cached_property
    def redelivery(self) -> "Redelivery":
        """Telling them once more, on request."""
        from chalicelib.services.redelivery import Redelivery

        return Redelivery(self.settings, self.clock, self.endpoints, self.delivery_queues)

    @cached_property
    def low_balance(self) -> "LowBalance":
        """Telling them that their balance is low."""
        from chalicelib.services.low_balance import LowBalance

        return LowBalance(self.settings, self.clock, self.webhooks)

    @cached_property
    def feed(self) -> "Feed":
        """Telling them again, in order."""
        from chalicelib.services.feed import Feed

        return Feed(self.settings, self.clock)

    @cached_property
    def retention(self) -> "Retention":
        """Forgetting SMS."""
        from chalicelib.services.retention import Retention

        return Retention(self.settings, self.clock)
