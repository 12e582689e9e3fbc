"""A market of scripted sellers, for the tests of bought numbers."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.user import User
from tests.conftest import Stack
from tests.sellers import Market, Seller
from tests.subscribers import URL, Subscriber
from tests.world import World


@pytest.fixture
def seller(stack: Stack) -> Seller:
    return Seller("partner", stack.clock, 100)


@pytest.fixture
def other(stack: Stack) -> Seller:
    """A second seller, dearer than the first."""
    return Seller("other", stack.clock, 500, cost=Micros(60_000))


@pytest.fixture
def market(stack: Stack, seller: Seller) -> Market:
    return Market(stack).open(seller)


@pytest.fixture
def user(market: Market) -> User:
    return market.user()


@pytest.fixture
def subscriber(world: World) -> Subscriber:
    """A user with an endpoint and a rental, whose SMS become deliveries."""
    world.stock(1)
    user = world.user()
    world.webhook(user, URL)
    return Subscriber(world, user, world.rent(user))
