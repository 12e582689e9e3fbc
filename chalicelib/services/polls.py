"""SMS of bought numbers, asked for at their suppliers until the rental's end."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from chalicelib.domain.ids import RentalId
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.providers.contract import InboundSms
from chalicelib.services.inbound import Inbound
from chalicelib.services.purchases import FIRST_POLL, POLL_GRACE, ask_to_poll
from chalicelib.settings import Settings
from chalicelib.stores import purchases as store
from chalicelib.stores import shards
from chalicelib.stores.db import RefusedError
from chalicelib.suppliers.contract import Supplier, SupplierError

LEASE = 25 * SECOND
"""How long one poll may take: the supplier's deadline, and the SMS to be recorded."""

LONGEST_WAIT = 15 * SECOND
LAST_POLL = 3 * SECOND
"""How long before the end of a rental one more poll is made: an SMS may come until then."""

_GROWTH = 1.5
_JITTER = 0.2
_PAGE = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Polls:
    """Asks suppliers for SMS, and hands them to the inbound service like any provider's."""

    settings: Settings
    clock: Clock
    random: Random
    suppliers: Mapping[str, Supplier]
    inbound: Inbound

    def poll(self, rental_id: RentalId, polls: int, poll_at: Millis) -> None:
        """Ask once, unless somebody else is at it or the rental is over; then ask for the next.

        `polls` counts those before: they begin 2 s apart and end 15 s apart. `poll_at` is what the
        rental says of the poll that is meant, so that a message that comes twice is one poll.
        """
        now = self.clock()
        lease = Millis(now + LEASE)
        held = store.lease_poll(rental_id, now, poll_at=poll_at, until=lease)
        if held is None:
            return
        rental, had = held
        supplier = self.suppliers.get(rental.supplier)
        if supplier is not None and rental.is_open(now):
            had = self._take(supplier, rental, had)
        now = self.clock()
        wait = self._wait_after(polls, left=rental.expires_at - now)
        swept_at = Millis(now + wait + POLL_GRACE)
        try:
            store.polled(rental_id, lease=lease, count=had, poll_at=swept_at)
        except RefusedError:
            return
        if supplier is not None and rental.is_open(Millis(now + wait)):
            self._ask(rental_id, polls + 1, swept_at, wait)

    def take_now(self, rental: Rental) -> None:
        """Ask at once, whoever else may be at it: an SMS is stored once all the same."""
        supplier = self.suppliers.get(rental.supplier)
        if supplier is not None and supplier.needs_polling:
            self._take(supplier, rental, 0)

    def requeue_due(self, ends: Millis) -> None:
        """Ask for the polls that were forgotten: a lost message, a Lambda that died."""
        now = self.clock()
        for shard in shards.keys(shards.POLLS):
            start = None
            while self.clock() < ends:
                due, start = store.due_polls(shard, now, limit=_PAGE, start=start)
                for rental_id, poll_at in due:
                    self._ask(rental_id, 0, poll_at, 0)
                if start is None:
                    break

    def _take(self, supplier: Supplier, rental: Rental, had: int) -> int:
        """Record the SMS after the first `had`; how many are in hand then."""
        try:
            messages = supplier.messages(rental.upstream_id or "")
        except SupplierError as error:
            log.warning("rental %s: %s", rental.rental_id, error)
            return had
        for position, message in enumerate(messages[had:], start=had):
            sms = InboundSms(
                message_id=str(position),
                sender=message.sender,
                to=rental.phone_number,
                text=message.text,
                received_at=message.received_at,
            )
            self.inbound.receive(supplier.name, rental.rental_id, sms)
        return max(had, len(messages))

    def _wait_after(self, polls: int, *, left: int) -> int:
        wait = min(LONGEST_WAIT, FIRST_POLL * _GROWTH ** min(polls, 10))
        wait = round(wait * self.random.uniform(1 - _JITTER, 1 + _JITTER))
        return min(wait, left - LAST_POLL) if left > LAST_POLL else wait

    def _ask(self, rental_id: RentalId, polls: int, poll_at: Millis, wait: int) -> None:
        ask_to_poll(self.settings.polls_queue, rental_id, polls, poll_at, wait)
