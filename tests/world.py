"""What tests say in one line: a user with money, numbers in stock, an SMS that arrives."""

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlencode

from botocore.awsrequest import AWSPreparedRequest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.bootstrap import Platform
from chalicelib.domain import signatures
from chalicelib.domain.deliveries import Delivery, Lane
from chalicelib.domain.ids import E164
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.errors import SesameError
from chalicelib.providers.contract import InboundSms
from chalicelib.services.profiles import Changes
from chalicelib.stores import catalogue, db, ledger, numbers, rentals, users
from chalicelib.stores.catalogue import Operator
from chalicelib.stores.inbound import Fate
from chalicelib.stores.numbers import NewNumber
from chalicelib.stores.tables import EventRow, InboundRow, NumberRow
from tests.conftest import SECRETS, Stack
from tests.wire import Fault

PRICE = Micros(50_000)
BALANCE = Micros(100 * UNIT)
_logins = itertools.count()
_messages = itertools.count()


@dataclass
class World:
    """A stack with somebody in it."""

    stack: Stack
    prices: dict[str, Micros] = field(default_factory=dict)

    def user(self, *, balance: Micros = BALANCE) -> User:
        """An approved user with money."""
        accounts = self.stack.platform.accounts
        user = accounts.create(f"user-{next(_logins)}", "A user")
        accounts.approve(user.user_id)
        if balance:
            self.stack.platform.administration.credit(user.user_id, balance, "test")
        return accounts.find(user.user_id)

    def key(self, user: User) -> str:
        """A key of that user, in clear."""
        return self.stack.platform.key_ring.issue(user.user_id).text

    def webhook(self, user: User, url: str, *events: str) -> str:
        """Have the user's webhooks sent to `url`; the signing secret."""
        changes = Changes(webhook_url=url, webhook_events=events or None)
        _, secret = self.stack.platform.profiles.change(user.user_id, changes)
        assert secret is not None
        return secret

    def stock(
        self,
        count: int,
        *,
        country: str = "US",
        operator_id: int = 1,
        price: Micros = PRICE,
        first: int = 2_000_000,
        **bound: str,
    ) -> list[E164]:
        """Free numbers of an operator, counted."""
        catalogue.put_operator(Operator(operator_id, country, f"Operator {operator_id}", price))
        made = [E164(f"+1415{first + at:07d}") for at in range(count)]
        for number in made:
            rank = self.stack.platform.random.randrange(10**9)
            provider, account = bound.get("provider"), bound.get("account")
            new = NewNumber(number, country, operator_id, rank, provider, account)
            numbers.add_all([new])
        self.stack.platform.catalogue.count_stock()
        return made

    def rent(self, user: User, country: str = "US", service: str = "") -> Rental:
        """A rental of that user."""
        return self.stack.platform.rentals.rent(user, country, service)

    def sms(
        self,
        to: str,
        text: str = "Your code is 482913",
        *,
        message_id: str | None = None,
        provider: str = "generic",
        account: str = "demo",
    ) -> Fate:
        """An SMS that a provider brings, past its signature."""
        sms = InboundSms(
            message_id=message_id or f"m{next(_messages)}",
            sender="Acme",
            to=to,
            text=text,
            received_at=self.stack.clock.now,
        )
        return self.stack.platform.inbound.receive(provider, account, sms)

    def balance(self, user: User) -> Micros:
        """The user's balance as it stands."""
        found = users.get(user.user_id)
        assert found is not None
        return found.balance

    def ledger(self, user: User) -> list[ledger.Entry]:
        """All ledger lines of a user."""
        lines: list[ledger.Entry] = []
        more = True
        while more:
            beyond = lines[-1].entry_id if lines else None
            page, more = ledger.lines(user.user_id, newest_first=False, beyond=beyond, limit=100)
            lines += page
        return lines

    def assert_i2(self, *owners: User) -> None:
        """I2: a balance equals the sum of its ledger."""
        for user in owners:
            assert self.balance(user) == sum(entry.amount for entry in self.ledger(user))

    def queued(self) -> list[dict[str, Any]]:
        """The messages that wait on the webhooks queue, taken off it."""
        return self._drain(self.stack.platform.settings.webhooks_queue)

    def queued_slowly(self) -> list[dict[str, Any]]:
        """The messages that wait on the slow webhooks queue, taken off it."""
        return self._drain(self.stack.platform.settings.webhooks_slow_queue)

    def deliver(self) -> None:
        """Do what the two deliver_… Lambdas do with what is on their queues."""
        webhooks = self.stack.platform.webhooks
        for message in self.queued():
            webhooks.deliver(message["delivery_id"], message["user_id"])
        for message in self.queued_slowly():
            webhooks.deliver(message["delivery_id"], message["user_id"], Lane.SLOW)

    def advance_tickets(self) -> None:
        """Do what the send_otp Lambda does with what is on its queue, until there is no more."""
        while tokens := self._drain(self.stack.platform.settings.otp_queue):
            for message in tokens:
                self.stack.platform.otp_sending.advance(message["token"])

    def swept(self) -> list[dict[str, Any]]:
        """The messages that wait on the sweeps queue, taken off it."""
        return self._drain(self.stack.platform.settings.sweeps_queue)

    def elsewhere(self, now: Millis | None = None) -> Platform:
        """The platform as another Lambda has it, with nothing cached; its clock stands at `now`."""
        return Platform(
            settings=self.stack.platform.settings,
            clock=self.stack.clock if now is None else lambda: now,
            sleep=self.stack.clock.sleep,
            random=Random(),
            post=self.stack.receiver,
        )

    def find(self, user: User) -> User:
        """The user as it stands."""
        return self.stack.platform.accounts.find(user.user_id)

    def rental(self, rental: Rental) -> Rental:
        """The rental as it stands."""
        found = rentals.get(rental.rental_id)
        assert found is not None
        return found

    def number(self, phone_number: str) -> NumberRow:
        """The number as it stands."""
        row = db.get(NumberRow, phone_number)
        assert row is not None
        return row

    def kept(self, message_id: str, by: str = "generic#demo") -> InboundRow | None:
        """An SMS as it was kept, whatever became of it."""
        return db.get(InboundRow, f"{by}#{message_id}")

    def events(self, user: User) -> list[EventRow]:
        """A user's feed, the oldest first."""
        return db.query(EventRow, EventRow.user_id == user.user_id).items

    def deliveries(self, user: User) -> list[Delivery]:
        """A user's deliveries, the newest first."""
        found, _ = self.stack.platform.history.deliveries(user.user_id, limit=100, before=None)
        return list(found)

    def _drain(self, queue_url: str) -> list[dict[str, Any]]:
        from chalicelib.stores import queues

        found: list[dict[str, Any]] = []
        while True:
            answer = queues.client().receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                found.append(json.loads(message["Body"]))
                queues.client().delete_message(
                    QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"]
                )


T = TypeVar("T")


def together(*calls: Callable[[], T]) -> list[T | SesameError]:
    """What each call gave or refused, all let go at one moment in threads of their own."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | SesameError:
        barrier.wait(timeout=20)
        try:
            return call()
        except SesameError as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def meanwhile(action: Callable[[], object]) -> Fault:
    """No fault, but something that happens just before the attempt reaches the engine."""

    def happen(request: AWSPreparedRequest) -> None:
        action()

    return happen


def get(path: str, headers: dict[str, str] | None = None, **query: object) -> HTTPResponse:
    """GET through Chalice, as API Gateway would call it."""
    with Client(app) as client:
        return client.http.get(f"{path}?{urlencode(query)}" if query else path, headers=headers)


def post(
    path: str,
    body: bytes | dict[str, object],
    headers: dict[str, str] | None = None,
    content_type: str | None = "application/json",
) -> HTTPResponse:
    """POST through Chalice; a dict goes as JSON."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    all_headers = {**({"Content-Type": content_type} if content_type else {}), **(headers or {})}
    with Client(app) as client:
        return client.http.post(path, headers=all_headers, body=raw)


def post_generic(stack: Stack, body: dict[str, object], account: str = "demo") -> HTTPResponse:
    """An SMS posted as the generic provider does, signed."""
    raw = json.dumps(body).encode()
    secret = SECRETS["providers"]["generic"][account]["secrets"][0]  # type: ignore[index]
    headers = signatures.signed_headers([secret], "msg-1", stack.clock.now, raw)
    return post(f"/inbound/generic/{account}", raw, headers)
