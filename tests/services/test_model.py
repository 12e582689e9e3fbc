"""I1, I2, I4, I5 and I7 in any order of calls: the platform against a model of thirty lines."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.domain.ids import E164, RentalId
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import MOST_MESSAGES
from chalicelib.domain.times import DAY, HOUR, MINUTE, SECOND, Millis, day_number
from chalicelib.domain.user import User
from chalicelib.errors import (
    ConflictError,
    InsufficientBalanceError,
    NotFoundError,
    SesameError,
)
from chalicelib.stores import db, rentals
from chalicelib.stores.inbound import Fate
from chalicelib.stores.tables import NumberRow, RentalRow, UserRow
from local.engine import Engine
from tests.conftest import Stack
from tests.world import PRICE, World

LONG_AFTER = Millis(4_102_444_800_000)
"""The engine ends TTLs by the machine's clock: all of these must lie ahead of it, in 2100."""

NUMBERS = 4
USERS = 2
BALANCE = Micros(4 * PRICE + 7)
PLACES = st.integers(0, 1_000)
ADVANCES = [1, SECOND, 10 * MINUTE, 20 * MINUTE - 1, 20 * MINUTE, HOUR, 72 * HOUR, 45 * DAY]
WHO = st.integers(0, USERS - 1)


@dataclass
class Tenancy:
    """A rental as it should be; `paid` says it of each message."""

    rental_id: RentalId
    owner: int
    number: E164
    ends: int
    status: str = "active"
    refund: int = 0
    paid: list[bool] = field(default_factory=list)


@dataclass
class Phone:
    """A number as it should be: rented, else resting until a moment, else free."""

    tenancy: Tenancy | None = None
    rests_until: int | None = None
    uses: list[tuple[str, int, int]] = field(default_factory=list)

    def is_free(self) -> bool:
        return self.tenancy is None and self.rests_until is None

    def suits(self, service: str, owner: int, today: int) -> bool:
        others = [day for used, by, day in self.uses if used == service and by != owner]
        return not service or all(day <= today - 45 for day in others)


class Market(RuleBasedStateMachine):
    """Two users and four numbers. Each rule says what must come of a call, then makes it."""

    def __init__(self, stack: Stack, engine: Engine) -> None:
        super().__init__()
        engine.rewind()
        stack.clock.now = LONG_AFTER
        # Time goes by in months: what is kept for how long is not this model's.
        stack.configure(
            SESAME_MAX_UNUSED_CANCELS_PER_HOUR="1000",
            SESAME_SMS_RETENTION_DAYS="3650",
            SESAME_ENVELOPE_RETENTION_DAYS="3650",
        )
        self.stack, self.world = stack, World(stack)
        self.users = [self.world.user(balance=BALANCE) for _ in range(USERS)]
        self.balances: list[int] = [BALANCE] * USERS
        self.phones = {number: Phone() for number in self.world.stock(NUMBERS)}
        self.tenancies: list[Tenancy] = []
        self.posted: dict[str, E164] = {}
        self.counted = NUMBERS

    @property
    def now(self) -> Millis:
        return self.stack.clock.now

    def owner(self, tenancy: Tenancy) -> User:
        return self.users[tenancy.owner]

    def end(self, tenancy: Tenancy, status: str) -> None:
        """What ending a rental does to the model."""
        tenancy.status = status
        tenancy.refund = 0 if tenancy.paid else PRICE
        self.balances[tenancy.owner] += tenancy.refund
        phone = self.phones[tenancy.number]
        phone.tenancy = None
        phone.rests_until = self.now + (72 * HOUR if tenancy.paid else 20 * MINUTE)

    @rule(who=WHO, service=st.sampled_from(["", "acme"]))
    def rent(self, who: int, service: str) -> None:
        today = day_number(self.now)
        suitable = [
            number
            for number, phone in self.phones.items()
            if phone.is_free() and phone.suits(service, who, today)
        ]
        expected: type[SesameError] | None = None
        if not suitable or not self.counted:
            expected = NotFoundError
        elif self.balances[who] < PRICE:
            expected = InsufficientBalanceError
        try:
            rental = self.world.rent(self.users[who], service=service)
        except SesameError as refusal:
            refused = type(refusal)
        else:
            refused = None
        assert refused is expected
        if refused is not None:
            return
        assert rental.phone_number in suitable
        tenancy = Tenancy(rental.rental_id, who, rental.phone_number, rental.expires_at)
        self.tenancies.append(tenancy)
        phone = self.phones[rental.phone_number]
        phone.tenancy = tenancy
        phone.uses.append((service, who, today))
        self.balances[who] -= PRICE

    @rule(place=PLACES)
    def sms(self, place: int) -> None:
        number = sorted(self.phones)[place % NUMBERS]
        tenancy = self.phones[number].tenancy
        expected = Fate.MATCHED
        if tenancy is None:
            expected = Fate.NO_RENTAL
        elif self.now >= tenancy.ends:
            expected = Fate.LATE
        elif len(tenancy.paid) >= MOST_MESSAGES:
            expected = Fate.FULL
        message_id = f"model-{len(self.posted)}"
        assert self.world.sms(number, message_id=message_id) is expected
        self.posted[message_id] = number
        if expected is Fate.MATCHED and tenancy is not None:
            price = PRICE if tenancy.paid else 0
            tenancy.paid.append(price <= self.balances[tenancy.owner])
            if tenancy.paid[-1]:
                self.balances[tenancy.owner] -= price

    @precondition(lambda self: self.posted)
    @rule(place=PLACES)
    def repeat_an_sms(self, place: int) -> None:
        message_id = sorted(self.posted)[place % len(self.posted)]
        self.world.sms(self.posted[message_id], message_id=message_id)

    @precondition(lambda self: self.tenancies)
    @rule(place=PLACES, who=WHO)
    def cancel(self, place: int, who: int) -> None:
        tenancy = self.tenancies[place % len(self.tenancies)]
        expected: type[SesameError] | None = None
        if tenancy.owner != who:
            expected = NotFoundError
        elif tenancy.status != "cancelled" and self.now >= tenancy.ends:
            expected = ConflictError
        try:
            closed = self.stack.platform.closings.cancel(self.users[who], tenancy.rental_id)
        except SesameError as refusal:
            refused = type(refusal)
        else:
            refused = None
        assert refused is expected
        if refused is not None:
            return
        if tenancy.status == "active":
            self.end(tenancy, "cancelled")
        assert (closed.status, closed.refund) == ("cancelled", tenancy.refund)

    @precondition(lambda self: self.tenancies)
    @rule(place=PLACES)
    def read(self, place: int) -> None:
        tenancy = self.tenancies[place % len(self.tenancies)]
        for at, paid in enumerate(tenancy.paid):
            if not paid and self.balances[tenancy.owner] < PRICE:
                break
            if not paid:
                tenancy.paid[at] = True
                self.balances[tenancy.owner] -= PRICE
        shown = self.stack.platform.inbox.read(
            self.owner(tenancy), tenancy.rental_id, wait_until=Millis(0), holder="key"
        )
        assert [message.paid for message in shown.messages] == tenancy.paid

    @rule(by=st.sampled_from(ADVANCES))
    def advance(self, by: int) -> None:
        self.stack.clock.now = Millis(self.now + by)

    @rule()
    def sweep(self) -> None:
        self.stack.platform.jobs.expire_rentals()
        for tenancy in self.tenancies:
            if tenancy.status == "active" and self.now >= tenancy.ends:
                self.end(tenancy, "expired")

    @rule()
    def end_rests(self) -> None:
        self.stack.platform.jobs.end_rests()
        for phone in self.phones.values():
            if phone.rests_until is not None and phone.rests_until <= self.now:
                phone.rests_until = None

    @rule()
    def count(self) -> None:
        self.stack.platform.jobs.count_stock()
        self.counted = sum(phone.is_free() for phone in self.phones.values())
        offers = self.stack.platform.catalogue.stock().offers
        assert sum(offer.available for offer in offers) == self.counted

    @rule(who=WHO, amount=st.sampled_from([1, PRICE, 3 * PRICE]))
    def credit(self, who: int, amount: int) -> None:
        self.stack.platform.administration.credit(self.users[who].user_id, Micros(amount), "top-up")
        self.balances[who] += amount

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        keys: list[db.Key] = [(UserRow, user.user_id, None) for user in self.users]
        keys += [(NumberRow, number, None) for number in self.phones]
        keys += [(RentalRow, tenancy.rental_id, None) for tenancy in self.tenancies]
        rows = db.get_all(*keys)
        users, numbers, found = rows[:USERS], rows[USERS:][:NUMBERS], rows[USERS + NUMBERS :]
        assert [row.balance for row in users] == self.balances
        active = [tenancy.owner for tenancy in self.tenancies if tenancy.status == "active"]
        assert [row.open_rentals for row in users] == [active.count(who) for who in range(USERS)]
        for row, phone in zip(numbers, self.phones.values(), strict=True):
            assert row.rental_id == (phone.tenancy.rental_id if phone.tenancy else None)
            assert row.rest_until == phone.rests_until
            assert (row.free is not None) is phone.is_free()
        for row, tenancy in zip(found, self.tenancies, strict=True):
            rental = rentals.rental_of(row)
            assert (rental.status, rental.refund) == (tenancy.status, tenancy.refund)
            assert [message.paid for message in rental.messages] == tenancy.paid

    @invariant()
    def i2_balances_are_the_sums_of_their_ledgers(self) -> None:
        for user, balance in zip(self.users, self.balances, strict=True):
            assert sum(entry.amount for entry in self.world.ledger(user)) == balance >= 0

    def teardown(self) -> None:
        for who, user in enumerate(self.users):
            paid = sum(sum(t.paid) for t in self.tenancies if t.owner == who)
            assert len(self.world.events(user)) == len(self.world.deliveries(user)) == paid
        assert all(self.world.kept(message_id) for message_id in self.posted)


def test_any_order_of_calls_keeps_i1_i2_i4_i5_and_i7(stack: Stack, engine: Engine) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Market(stack, engine),
        settings=settings(
            max_examples=24,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
