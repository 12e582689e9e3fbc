"""Suppliers without a network: scripted servers that sell numbers, and a world that buys them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError

from chalicelib import bootstrap
from chalicelib.bootstrap import Platform
from chalicelib.domain.ids import E164
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import RequestKey, request_key
from chalicelib.domain.times import Millis, later
from chalicelib.domain.user import User
from chalicelib.stores import connection, db, ledger, queues
from chalicelib.stores.numbers import NumberState
from chalicelib.stores.purchases import HOUSE
from chalicelib.stores.tables import NumberRow, RentalRow
from chalicelib.suppliers.contract import (
    Cancelled,
    Reason,
    Supplier,
    SupplierMessage,
    SupplierNumber,
    SupplierOffer,
    SupplierRefusedError,
    UpstreamCatalogue,
)
from tests.conftest import SECRETS, TestClock
from tests.world import World

COST = Micros(40_000)
CAP = Micros(100_000)
MARKUP = 2_500
COUNTRY = "GB"
POSTED_BY = "whsec_bWFpbi1zdXBwbGllci1zZWNyZXQtMDAwMDAx"
"""What the first of the sellers signs its webhooks with."""

SOLD_AT = Micros(50_000)
"""COST with MARKUP (25 %)."""

T = TypeVar("T")


class CrashError(BaseException):
    """The Lambda dies here: nothing after it is done."""


@dataclass
class Seller:
    """A supplier that does as its script says, and keeps books as a Sesame would.

    What stands in `before` and `after` a call's name is raised, or called, one each time: before
    the supplier has done its part, or when it has.
    """

    name: str
    clock: TestClock
    first: int
    cost: Micros = COST
    needs_polling: bool = True
    can_cancel: bool = True
    refunds: bool = True
    knows_keys: bool = True
    lives: int = 1200
    numbers: list[str] = field(default_factory=list)
    before: dict[str, list[Any]] = field(default_factory=dict)
    after: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    rented: dict[str, SupplierNumber] = field(default_factory=dict)
    inbox: dict[str, list[SupplierMessage]] = field(default_factory=dict)
    cancelled: dict[str, bool] = field(default_factory=dict)

    def offers(self) -> list[SupplierOffer]:
        return self._do("offers", lambda: [SupplierOffer(COUNTRY, "", None, 9, self.cost)])

    def rent(
        self,
        country: str,
        service: str,
        upstream_operator: int | None,
        key: str,
        *,
        within: float | None = None,
    ) -> SupplierNumber:
        return self._do("rent", lambda: self._rented(key))

    def messages(self, upstream_id: str) -> list[SupplierMessage]:
        return self._do("messages", lambda: list(self.inbox[upstream_id]))

    def cancel(self, upstream_id: str, *, within: float | None = None) -> Cancelled:
        return self._do("cancel", lambda: self._cancelled(upstream_id))

    def catalogue(self) -> UpstreamCatalogue:
        return self._do("catalogue", UpstreamCatalogue)

    def gets(self, rental: Rental, text: str = "Your code is 482913") -> None:
        """An SMS comes to a number that it rented to us."""
        message = SupplierMessage("Acme", text, self.clock.now)
        self.inbox[rental.upstream_id or ""].append(message)

    def kept(self) -> int:
        """What it has had of us and not given back."""
        return sum(
            (number.cost or 0)
            for number in self.rented.values()
            if not self.cancelled.get(number.upstream_id)
        )

    def _do(self, call: str, act: Callable[[], T]) -> T:
        self.asked.append(call)
        _play(self.before.get(call))
        done = act()
        _play(self.after.get(call))
        return done

    def _rented(self, key: str) -> SupplierNumber:
        if self.knows_keys and key in self.rented:
            return self.rented[key]
        count = len(self.rented)
        number = self.numbers.pop(0) if self.numbers else f"+44770090{self.first + count:04d}"
        made = SupplierNumber(
            upstream_id=f"{self.name}-{count}",
            phone_number=E164(number),
            expires_at=later(self.clock.now, seconds=self.lives) if self.needs_polling else None,
            cost=self.cost,
        )
        self.rented[key if key not in self.rented else f"{key}-{count}"] = made
        self.inbox[made.upstream_id] = []
        return made

    def _cancelled(self, upstream_id: str) -> Cancelled:
        if not self.can_cancel:
            raise SupplierRefusedError(self.name, Reason.UNSUPPORTED)
        refunded = self.refunds and not self.inbox[upstream_id]
        return Cancelled(self.cancelled.setdefault(upstream_id, refunded))


def _play(script: list[Any] | None) -> None:
    step = script.pop(0) if script else None
    if isinstance(step, BaseException):
        raise step
    if step is not None:
        step()


@dataclass(frozen=True)
class Trading(Platform):
    """A platform that buys from the sellers."""

    sellers: Mapping[str, Supplier] = field(default_factory=dict)

    @cached_property
    def suppliers(self) -> Mapping[str, Supplier]:
        """The sellers."""
        return self.sellers


class Market(World):
    """A world with sellers, cheapest first, and what they offer counted."""

    def open(self, *sellers: Seller, **variables: str) -> "Market":
        configs = [
            {
                "name": seller.name,
                "kind": "partner",
                "url": "http://127.0.0.1:9",
                "cost_cap": "0.1",
                "markup": MARKUP,
            }
            for seller in sellers
        ]
        keys = {
            "suppliers": {seller.name: "key" for seller in sellers},
            "providers": {
                **SECRETS["providers"],  # type: ignore[dict-item]
                "main": {sellers[0].name: {"secrets": [POSTED_BY]}},
            },
        }
        self.stack.configure(
            SESAME_SUPPLIERS=json.dumps(configs),
            SESAME_SECRETS=json.dumps({**SECRETS, **keys}),
            **variables,
        )
        self.sellers = {seller.name: seller for seller in sellers}
        self.stack.platform = bootstrap.use(self.elsewhere())
        self.stack.platform.jobs.count_stock()
        return self

    def elsewhere(self, now: Millis | None = None) -> Trading:
        """The platform as another Lambda has it."""
        return Trading(
            settings=self.stack.platform.settings,
            clock=self.stack.clock if now is None else lambda: now,
            sleep=self.stack.clock.sleep,
            random=self.stack.platform.random,
            post=self.stack.receiver,
            sellers=dict(self.sellers),
        )

    def buy(self, user: User, request: RequestKey | None = None, **options: Any) -> Rental:
        """A rental of a number of the sellers'."""
        return self.stack.platform.rentals.rent(user, COUNTRY, "", request, **options)

    def row(self, rental: Rental) -> RentalRow:
        """The rental's item."""
        row = db.get(RentalRow, rental.rental_id)
        assert row is not None
        return row

    def poll(self, rental: Rental, polls: int = 0) -> None:
        """The poll that is due, as its message would have it made."""
        poll_at = Millis(self.row(rental).poll_at or 0)
        self.elsewhere().polls.poll(rental.rental_id, polls, poll_at)

    def sweep(self, seconds: float = 61) -> None:
        """The schedule that closes what is over, `seconds` later."""
        self.stack.clock.advance(seconds=seconds)
        self.elsewhere().jobs.expire_rentals()

    def losses(self) -> int:
        """What the house has lost."""
        lines, _ = ledger.lines(HOUSE, newest_first=False, beyond=None, limit=100)
        return -sum(entry.amount for entry in lines)

    def assert_settled(self, *users: User) -> None:
        """I1, I2, I5: no money is held, and what is open belongs to one rental."""
        self.assert_i2(*users)
        rows = [row for user in users for row in rentals_of(user)]
        assert all(row.state != RentalStatus.REQUESTING for row in rows)
        opened = {row.rental_id for row in rows if row.state == RentalStatus.ACTIVE}
        numbers = db.scan(NumberRow).items
        rented = [row.rental_id for row in numbers if row.state == NumberState.RENTED]
        assert sorted(rented) == sorted(opened)
        for user in users:
            mine = [row for row in rentals_of(user) if row.state == RentalStatus.ACTIVE]
            assert self.find(user).open_rentals == len(mine)
            refunds = [e.reference for e in self.ledger(user) if e.kind == "refund"]
            assert len(refunds) == len(set(refunds))


def rentals_of(user: User) -> list[RentalRow]:
    """Every rental of a user."""
    found = db.query(RentalRow, RentalRow.user_id == user.user_id, index="by_user").items
    rows = [db.get(RentalRow, row.rental_id) for row in found]
    return [row for row in rows if row is not None]


def key_of(user: User, name: str = "the-key") -> RequestKey:
    """An idempotency key of that user."""
    return request_key(user.user_id, name, "/rentNumber", {"country": COUNTRY})


@contextmanager
def queue_tapped(*, lost: bool = False) -> Iterator[list[dict[str, Any]]]:
    """What is put on queues, each message with its `delay`; the queue may be `lost`."""
    told: list[dict[str, Any]] = []

    def see(request: AWSPreparedRequest, **_: Any) -> None:
        if lost:
            raise ConnectionClosedError(endpoint_url=request.url)
        body = json.loads(request.body)
        message = json.loads(body["MessageBody"])
        told.append({**message, "delay": body["DelaySeconds"]})

    events = queues.client().meta.events
    events.register("before-send.sqs.SendMessage", see, unique_id="queue-tap")
    try:
        yield told
    finally:
        events.unregister("before-send.sqs.SendMessage", unique_id="queue-tap")


def die(request: AWSPreparedRequest) -> None:
    """The Lambda dies before this request is sent."""
    raise CrashError


def done_then_die(request: AWSPreparedRequest) -> None:
    """It dies when the engine has done it, before it hears so."""
    connection.client()._endpoint.http_session.send(request)
    raise CrashError
