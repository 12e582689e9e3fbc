"""getSMS: the wait for the first SMS, and the SMS that waits for money."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from chalicelib.bootstrap import Platform
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import MINUTE, SECOND, Millis, later
from chalicelib.domain.user import User
from chalicelib.errors import NotFoundError
from chalicelib.stores import limits
from chalicelib.stores.ledger import EntryKind
from tests.conftest import START, Stack
from tests.wire import tapped
from tests.world import PRICE, World, meanwhile, together


@dataclass
class Sleeper:
    """Sleeps by the stack's clock; something may happen in the n-th sleep."""

    stack: Stack
    during: dict[int, Callable[[], object]] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.stack.clock.sleep(seconds)
        self.during.get(len(self.slept), lambda: None)()


@pytest.fixture
def sleeper(stack: Stack) -> Sleeper:
    return Sleeper(stack)


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    world.stock(1)
    return world.rent(user)


def read(sleeper: Sleeper, rental: Rental, *, wait: float = 0.0, holder: str = "key") -> Rental:
    stack = sleeper.stack
    here = Platform(
        stack.platform.settings, stack.clock, sleeper, random=Random(1), post=stack.receiver
    )
    user = here.accounts.find(rental.user_id)
    until = later(stack.clock.now, seconds=wait)
    return here.inbox.read(user, rental.rental_id, wait_until=until, holder=holder)


@pytest.mark.parametrize(
    ("wait", "sleeps"), [(-5, 0), (0, 0), (0.999, 0), (1, 1), (3.5, 3), (25, 25)]
)
def test_a_wait_ends_when_it_was_to_end(
    sleeper: Sleeper, rental: Rental, wait: float, sleeps: int
) -> None:
    assert read(sleeper, rental, wait=wait) == rental
    assert sleeper.slept == [1.0] * sleeps
    assert sleeper.stack.clock.now <= max(START, later(START, seconds=wait))
    assert limits.held("waits#key") == [0, 0, 0]


def test_a_wait_ends_with_the_first_sms(world: World, sleeper: Sleeper, rental: Rental) -> None:
    sleeper.during[3] = lambda: world.sms(rental.phone_number)
    (message,) = read(sleeper, rental, wait=25).messages
    assert message.code == "482913"
    assert len(sleeper.slept) == 3
    assert limits.held("waits#key") == [0, 0, 0]


def test_nobody_waits_for_a_second_sms(world: World, sleeper: Sleeper, rental: Rental) -> None:
    world.sms(rental.phone_number)
    assert len(read(sleeper, rental, wait=25).messages) == 1
    assert sleeper.slept == []


@pytest.mark.parametrize("swept", [False, True])
def test_nobody_waits_for_an_expired_rental(
    world: World, sleeper: Sleeper, rental: Rental, swept: bool
) -> None:
    world.stack.clock.now = rental.expires_at
    if swept:
        world.stack.platform.jobs.expire_rentals()
    assert read(sleeper, rental, wait=25).status_at(rental.expires_at) == "expired"
    assert sleeper.slept == []


def test_nobody_waits_for_a_cancelled_rental(
    world: World, sleeper: Sleeper, user: User, rental: Rental
) -> None:
    world.stack.platform.closings.cancel(user, rental.rental_id)
    assert read(sleeper, rental, wait=25).refund == PRICE
    assert sleeper.slept == []


def test_a_wait_ends_with_its_rental(
    world: World, sleeper: Sleeper, user: User, rental: Rental
) -> None:
    sleeper.during[2] = lambda: world.stack.platform.closings.cancel(user, rental.rental_id)
    assert read(sleeper, rental, wait=25).status == "cancelled"
    assert len(sleeper.slept) == 2


def test_a_wait_ends_when_its_rental_expires(sleeper: Sleeper, rental: Rental) -> None:
    sleeper.stack.clock.now = Millis(rental.expires_at - 4 * SECOND)
    read(sleeper, rental, wait=25)
    assert len(sleeper.slept) == 4


def test_a_fourth_wait_of_a_key_answers_at_once(
    world: World, sleeper: Sleeper, rental: Rental
) -> None:
    def wait_again() -> None:
        read(sleeper, rental, wait=25)

    def wait_a_fourth_time() -> None:
        assert 0 not in limits.held("waits#key")
        wait_again()
        assert len(sleeper.slept) == 3
        sleeper.during[4] = lambda: world.sms(rental.phone_number)

    sleeper.during |= {1: wait_again, 2: wait_again, 3: wait_a_fourth_time}
    assert read(sleeper, rental, wait=25).messages == world.rental(rental).messages
    assert len(sleeper.slept) == 4
    assert limits.held("waits#key") == [0, 0, 0]


def test_a_slot_given_back_can_be_waited_in(sleeper: Sleeper, rental: Rental) -> None:
    for _ in range(4):
        read(sleeper, rental, wait=2)
    assert len(sleeper.slept) == 8


def test_waits_of_other_keys_do_not_count(sleeper: Sleeper, rental: Rental) -> None:
    for slot in range(3):
        limits.hold("waits#other", slot, START, until=later(START, seconds=25))
    read(sleeper, rental, wait=2)
    assert len(sleeper.slept) == 2
    read(sleeper, rental, wait=2, holder="other")
    assert len(sleeper.slept) == 2


def test_what_is_somebody_elses_is_read_by_nobody(world: World, rental: Rental) -> None:
    other = world.user()
    with pytest.raises(NotFoundError):
        world.stack.platform.inbox.read(
            other, rental.rental_id, wait_until=Millis(START + MINUTE), holder="key"
        )


@dataclass
class Unpaid:
    """A rental with one SMS that is paid and some that its user has no money for."""

    world: World
    user: User
    rental: Rental

    def credit(self, amount: int) -> None:
        self.world.stack.platform.administration.credit(self.user.user_id, Micros(amount), "top-up")

    def charges(self) -> int:
        return sum(entry.kind is EntryKind.SMS for entry in self.world.ledger(self.user))

    def told(self) -> list[str]:
        """The texts of the events; those of one moment are in no order."""
        return sorted(event.body.split('"')[-2] for event in self.world.events(self.user))

    def read(self) -> Rental:
        return self.world.stack.platform.inbox.read(
            self.user, self.rental.rental_id, wait_until=Millis(0), holder="key"
        )


def paid(rental: Rental) -> list[bool]:
    return [message.paid for message in rental.messages]


@pytest.fixture
def unpaid(world: World) -> Unpaid:
    world.stock(1)
    user = world.user(balance=PRICE)
    rental = world.rent(user)
    for text in ("code 111111", "code 222222", "code 333333", "code 444444"):
        world.sms(rental.phone_number, text)
        world.stack.clock.advance(seconds=1)
    return Unpaid(world, user, rental)


def test_i4_without_money_an_unpaid_sms_stays_unpaid_and_untold(unpaid: Unpaid) -> None:
    unpaid.credit(PRICE - 1)
    for _ in range(2):
        assert paid(unpaid.read()) == [True, False, False, False]
    assert (unpaid.charges(), unpaid.told()) == (0, ["code 111111"])
    assert unpaid.world.balance(unpaid.user) == PRICE - 1


def test_i4_unpaid_sms_are_settled_in_order_as_far_as_the_money_goes(unpaid: Unpaid) -> None:
    unpaid.world.queued()
    unpaid.credit(2 * PRICE)
    shown = unpaid.read()
    assert paid(shown) == [True, True, True, False]
    assert shown == unpaid.world.rental(unpaid.rental)
    assert unpaid.charges() == 2
    assert unpaid.told() == ["code 111111", "code 222222", "code 333333"]
    assert len(unpaid.world.queued()) == 2
    assert unpaid.world.balance(unpaid.user) == 0
    unpaid.world.stack.clock.advance(seconds=1)
    unpaid.credit(5 * PRICE)
    assert paid(unpaid.read()) == [True] * 4
    assert unpaid.read() == unpaid.world.rental(unpaid.rental)
    assert unpaid.told()[3:] == ["code 444444"]
    assert unpaid.world.balance(unpaid.user) == 4 * PRICE
    unpaid.world.assert_i2(unpaid.user)


def test_i4_8_readers_at_once_settle_once(unpaid: Unpaid) -> None:
    unpaid.credit(10 * PRICE)
    for shown in together(*[unpaid.read] * 8):
        assert isinstance(shown, Rental)
        assert paid(shown) == [True] * 4
    assert unpaid.charges() == 3
    assert len(unpaid.told()) == len(unpaid.world.deliveries(unpaid.user)) == 4
    assert unpaid.world.balance(unpaid.user) == 7 * PRICE
    unpaid.world.assert_i2(unpaid.user)


def test_i4_8_readers_at_once_with_money_for_two(unpaid: Unpaid) -> None:
    unpaid.credit(2 * PRICE)
    for shown in together(*[unpaid.read] * 8):
        assert isinstance(shown, Rental)
        assert not shown.messages[3].paid
    assert paid(unpaid.world.rental(unpaid.rental)) == [True, True, True, False]
    assert unpaid.charges() == 2
    assert unpaid.world.balance(unpaid.user) == 0


def test_i4_an_sms_settled_by_another_between_read_and_commit_is_shown(unpaid: Unpaid) -> None:
    unpaid.credit(PRICE)
    with tapped(meanwhile(unpaid.read), only="TransactWriteItems"):
        assert paid(unpaid.read()) == [True, True, False, False]
    assert unpaid.charges() == 1


def test_i4_an_sms_is_settled_after_the_end_of_its_rental_too(unpaid: Unpaid) -> None:
    unpaid.world.stack.clock.now = unpaid.rental.expires_at
    unpaid.world.stack.platform.jobs.expire_rentals()
    unpaid.credit(3 * PRICE)
    shown = unpaid.read()
    assert (paid(shown), shown.status, shown.refund) == ([True] * 4, "expired", 0)
    assert unpaid.world.balance(unpaid.user) == 0
