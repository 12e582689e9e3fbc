"""Every act that moves money, under conflicts and lost replies: applied once, or not at all."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chalicelib.domain.ids import RentalId
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import RequestKey, request_key
from chalicelib.domain.user import User
from chalicelib.errors import BusyError, NotFoundError, RequestKeyReusedError
from chalicelib.stores import connection
from tests.wire import Fault, conflict, reply_lost, stored, tapped, unreachable
from tests.world import PRICE, World

TRANSACT = "TransactWriteItems"
Scene = tuple[User, Rental]


@dataclass(frozen=True)
class Act:
    """Something that a transaction does, what it costs, and whether a repeat does nothing."""

    name: str
    do: Callable[[World, User, Rental], object]
    moves: Micros
    before: Callable[[World, Rental], object] = lambda world, rental: None

    def __str__(self) -> str:
        return self.name


def request(user: User) -> RequestKey:
    return request_key(user.user_id, "the-key", "/rentNumber", {"country": "US"})


def rent(world: World, user: User, _: Rental) -> Rental:
    return world.stack.platform.rentals.rent(user, "US", "", request(user))


def cancel(world: World, user: User, rental: Rental) -> Rental:
    return world.stack.platform.closings.cancel(user, rental.rental_id)


def sms(world: World, _: User, rental: Rental) -> object:
    return world.sms(rental.phone_number, message_id="the-sms")


def credit(world: World, user: User, _: Rental) -> User:
    return world.stack.platform.administration.credit(user.user_id, Micros(3 * UNIT), "test")


def expire(world: World, _: User, rental: Rental) -> bool:
    return world.stack.platform.closings.expire(rental.rental_id)


ACTS = [
    Act("rent", rent, Micros(-PRICE)),
    Act("cancel", cancel, PRICE),
    Act("first sms", sms, Micros(0)),
    Act("later sms", sms, Micros(-PRICE), lambda world, rental: world.sms(rental.phone_number)),
    Act("credit", credit, Micros(3 * UNIT)),
    Act(
        "expire",
        expire,
        PRICE,
        lambda world, rental: world.stack.clock.advance(seconds=20 * 60),
    ),
]


@pytest.fixture
def scene(world: World) -> Scene:
    world.stock(4)
    user = world.user()
    return user, world.rent(user)


@pytest.mark.parametrize("act", ACTS, ids=str)
@pytest.mark.parametrize(
    "faults",
    [[conflict, conflict], [conflict] * 5, [reply_lost], [conflict, reply_lost, conflict]],
    ids=["two conflicts", "five conflicts", "lost reply", "all mixed"],
)
def test_i2_i3_it_is_applied_once(
    world: World, scene: Scene, act: Act, faults: list[Fault]
) -> None:
    user, rental = scene
    act.before(world, rental)
    before, lines = world.balance(user), len(world.ledger(user))
    with tapped(*faults, only=TRANSACT):
        act.do(world, user, rental)
    assert world.balance(user) - before == act.moves
    assert len(world.ledger(user)) - lines == (1 if act.moves else 0)
    world.assert_i2(user)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_i2_it_is_busy_and_changes_nothing_and_a_repeat_does_it(
    world: World, scene: Scene, act: Act
) -> None:
    user, rental = scene
    act.before(world, rental)
    before, items = world.balance(user), stored()
    faults = [conflict] * (connection.RETRIES + 1)
    with tapped(*faults, only=TRANSACT), pytest.raises(BusyError):
        act.do(world, user, rental)
    assert stored() == items
    act.do(world, user, rental)
    assert world.balance(user) - before == act.moves
    assert stored() != items
    world.assert_i2(user)


def test_i3_a_rent_that_was_never_answered_is_answered_to_its_repeat(
    world: World, scene: Scene
) -> None:
    user, _ = scene
    with (
        tapped(reply_lost, unreachable, unreachable, only=TRANSACT),
        pytest.raises(BusyError),
    ):
        rent(world, user, scene[1])
    charged = world.balance(user)
    rental = rent(world, user, scene[1])
    assert world.balance(user) == charged
    assert [e.reference for e in world.ledger(user)].count(rental.rental_id) == 1
    assert world.stack.platform.rentals.find(user, rental.rental_id) == rental
    world.assert_i2(user)


def test_i3_a_rent_under_conflicts_is_kept_under_its_key(world: World, scene: Scene) -> None:
    user, _ = scene
    with tapped(conflict, reply_lost, only=TRANSACT):
        rental = rent(world, user, scene[1])
    assert rent(world, user, scene[1]) == rental
    other = request_key(user.user_id, "the-key", "/rentNumber", {"country": "GB"})
    with pytest.raises(RequestKeyReusedError):
        world.stack.platform.rentals.rent(user, "US", "", other)


def test_i4_an_sms_that_was_never_answered_is_taken_once(world: World, scene: Scene) -> None:
    user, rental = scene
    with (
        tapped(reply_lost, unreachable, unreachable, only=TRANSACT),
        pytest.raises(BusyError),
    ):
        sms(world, user, rental)
    sms(world, user, rental)
    found = world.stack.platform.rentals.find(user, rental.rental_id)
    assert [message.message_id for message in found.messages] == ["the-sms"]


def test_i5_a_cancel_and_an_sms_that_cross_give_one_of_the_two(world: World, scene: Scene) -> None:
    user, rental = scene
    before = world.balance(user)

    def sms_comes_first(_: object) -> None:
        sms(world, user, rental)

    with tapped(sms_comes_first, only=TRANSACT):
        closed = cancel(world, user, rental)
    assert (closed.status, closed.refund) == (RentalStatus.CANCELLED, 0)
    assert world.balance(user) == before
    assert len(find(world, user, rental.rental_id).messages) == 1
    world.assert_i2(user)


def test_i5_two_cancels_that_cross_refund_once(world: World, scene: Scene) -> None:
    user, rental = scene
    before = world.balance(user)

    def other_comes_first(_: object) -> None:
        cancel(world, user, rental)

    with tapped(other_comes_first, only=TRANSACT):
        closed = cancel(world, user, rental)
    assert closed == find(world, user, rental.rental_id)
    assert world.balance(user) == before + PRICE
    world.assert_i2(user)


def test_i1_the_last_number_goes_to_the_first_commit(world: World) -> None:
    world.stock(1)
    late, early = world.user(), world.user()
    before = world.balance(late)

    def other_comes_first(_: object) -> None:
        world.rent(early)

    with (
        tapped(other_comes_first, only=TRANSACT) as wire,
        pytest.raises(NotFoundError) as raised,
    ):
        world.rent(late)
    assert raised.value.code == "no_numbers"
    assert len(wire.sent(TRANSACT)) >= 2
    assert world.balance(late) == before
    assert world.balance(early) == before - PRICE
    world.assert_i2(late, early)


def find(world: World, user: User, rental_id: RentalId) -> Rental:
    return world.stack.platform.rentals.find(user, rental_id)
