"""A user whose webhooks go somewhere, and endpoints in whose calls things happen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from chalicelib.bootstrap import Platform
from chalicelib.domain.deliveries import Delivery, Lane
from chalicelib.domain.endpoint_health import Health
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.outbound import Answer, Post
from chalicelib.services.webhooks import Webhooks
from chalicelib.stores import db, deliveries, endpoints
from chalicelib.stores.tables import DeliveryRow
from tests.conftest import Receiver
from tests.world import World

URL = "http://127.0.0.1:9/hook"
OK = Answer(status=200)
FAILURE = Answer(status=500)
TIMEOUT = Answer(error="timeout", millis=2_000)


@dataclass
class Subscriber:
    """A user with an endpoint and a rental, whose SMS become deliveries."""

    world: World
    user: User
    rental: Rental

    @property
    def receiver(self) -> Receiver:
        return self.world.stack.receiver

    @property
    def webhooks(self) -> Webhooks:
        return self.world.stack.platform.webhooks

    def told(self, text: str = "Your code is 482913") -> Delivery:
        """A new delivery that the queue was told of."""
        before = self.world.deliveries(self.user)
        self.world.sms(self.rental.phone_number, text)
        (new,) = (
            delivery for delivery in self.world.deliveries(self.user) if delivery not in before
        )
        return new

    def deliver(
        self, delivery: Delivery, now: float | None = None, lane: Lane = Lane.FAST
    ) -> Delivery:
        """An attempt at it, at `now`, and what came of it."""
        if now is not None:
            self.world.stack.clock.now = Millis(round(now))
        self.webhooks.deliver(delivery.delivery_id, self.user.user_id, lane)
        return self.get(delivery)

    def attempts(self, *answers: Answer) -> list[Delivery]:
        """New deliveries that are answered so, one after the other."""
        made = [self.told() for _ in answers]
        self.receiver.answers = list(answers)
        return [self.deliver(delivery) for delivery in made]

    @property
    def health(self) -> Health:
        _, health = endpoints.with_user(self.user.user_id)
        return health

    def get(self, delivery: Delivery) -> Delivery:
        row = db.get(DeliveryRow, delivery.delivery_id)
        assert row is not None
        return deliveries.delivery_of(row)

    def posting_by(self, post: Post) -> Webhooks:
        """A deliverer whose posts go elsewhere."""
        here = self.world.stack.platform
        return Platform(here.settings, here.clock, here.sleep, Random(2), post).webhooks


@dataclass
class During:
    """An endpoint in whose call something happens, once."""

    action: Callable[[], object]
    answer: Answer = FAILURE
    calls: int = 0

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.calls += 1
        if self.calls == 1:
            self.action()
        return self.answer


def crash() -> None:
    raise MemoryError
