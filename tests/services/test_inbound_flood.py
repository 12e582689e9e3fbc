"""I4 and I2 in a flood: posts of four carriers at once, repeated, in parts, through conflicts."""

import json
from random import Random

import pytest

from bench import flood
from bench.carriers import Carriers
from bench.outcome import Outcome, examine
from chalicelib.domain.rental import Rental
from chalicelib.domain.user import User
from chalicelib.stores import db
from chalicelib.stores.tables import InboundRow
from tests.conftest import SECRETS
from tests.world import World

POSTS = 250
NUMBERS = 22
THREADS = 4
GOOD = {name: 0 for name in Outcome.__dataclass_fields__ if name != "sms"}


@pytest.fixture
def carriers(world: World) -> Carriers:
    carriers = Carriers("https://sesame.test")
    secrets = {**SECRETS, "providers": carriers.accounts()}
    world.stack.configure(SESAME_SECRETS=json.dumps(secrets))
    return carriers


def rented(world: World, count: int) -> tuple[list[User], list[Rental]]:
    world.stock(count)
    owners = [world.user() for _ in range(3)]
    return owners, [world.rent(owners[at % len(owners)]) for at in range(count)]


def planned(carriers: Carriers, taken: list[Rental], posts: int, seed: int) -> flood.Plan:
    numbers = [rental.phone_number for rental in taken]
    return flood.plan(carriers, numbers, posts, Random(seed))


def test_i2_i4_a_flood_of_posts_loses_and_doubles_nothing(world: World, carriers: Carriers) -> None:
    owners, taken = rented(world, NUMBERS)
    plan = planned(carriers, taken, POSTS, seed=4)
    assert len(plan.posts) == POSTS
    assert plan.repeats == POSTS // 10
    assert {message.carrier for message in plan.messages} == carriers.accounts().keys()
    assert plan.out_of_order() == sum(message.parts > 1 for message in plan.messages) > 5
    with flood.conflicting() as conflicts:
        sent = flood.send(plan.posts, flood.gateway().answer, world.stack.clock, threads=THREADS)
    assert sent.odd == {}
    assert sent.given_up == 0
    assert sent.statuses[200] == POSTS
    assert conflicts.met > 0
    outcome = examine(plan.messages, taken, owners)
    assert vars(outcome) == {"sms": len(plan.messages), **GOOD}


def test_what_is_lost_or_doubled_is_counted(world: World, carriers: Carriers) -> None:
    owners, taken = rented(world, 1)
    plan = planned(carriers, taken, 12, seed=1)
    http = flood.gateway()
    flood.send(plan.posts, http.answer, world.stack.clock, threads=1)
    first, *others = plan.messages
    assert examine(plan.messages, taken, owners).is_good()
    doubled = examine(others, taken, owners)
    assert (doubled.doubled, doubled.events_doubled, doubled.is_good()) == (1, 1, False)
    lost = examine([first, *plan.messages], taken, owners)
    assert (lost.lost, lost.events_missing, lost.is_good()) == (1, 1, False)
    for row in db.scan(InboundRow).items:
        row.event_id = "another"
        db.write(row)
    assert examine(plan.messages, taken, owners).ids_wrong > 0
