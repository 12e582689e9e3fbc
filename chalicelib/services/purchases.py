"""Numbers bought from other servers: held, bought, settled, given back.

One purchase is a saga: the user's money is held, the supplier is asked, and the rental becomes
active or fails with its money given back. Whatever dies in between, a sweep settles. Source:
DESIGN.md, "Decided" 3.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from chalicelib.domain.events import rental_event
from chalicelib.domain.ids import RentalId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import RequestKey
from chalicelib.domain.stock import OWN
from chalicelib.domain.times import SECOND, Clock, Millis, later
from chalicelib.errors import BusyError
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import purchases as store
from chalicelib.stores import queues, rentals
from chalicelib.stores.db import RefusedError
from chalicelib.suppliers.contract import (
    Reason,
    Supplier,
    SupplierError,
    SupplierNumber,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
)

HELD_FOR = 60 * SECOND
"""How long a purchase may take before the sweep settles it; a call takes ten seconds at most."""

FIRST_POLL = 2 * SECOND
POLL_GRACE = 60 * SECOND
_LONGEST_CALL_SECONDS = 4.0
_SHORTEST_CALL_SECONDS = 0.5
_LEAST_CANCEL_SECONDS = 1.0
_POSTED_BY = "main"
"""The provider by whose URL suppliers that are not polled post their SMS to us."""

_OVER = (Reason.CLOSED, Reason.NOT_FOUND)

log = logging.getLogger(__name__)


class GivenBack(Enum):
    """What came of giving a number back to its supplier."""

    REFUNDED = auto()
    """It keeps nothing, or takes nothing back."""
    KEPT = auto()
    """It keeps our money."""
    OVER = auto()
    """It was over there before: without an SMS, that has cost nothing."""


@dataclass(frozen=True, slots=True)
class Purchases:
    """Buys numbers from the suppliers of the settings."""

    settings: Settings
    clock: Clock
    suppliers: Mapping[str, Supplier]
    webhooks: Webhooks

    def buy(self, rental: Rental, request: RequestKey | None, *, ends: Millis) -> Rental | None:
        """The rental with a number from its supplier, None if that gave none by `ends`.

        Raises RefusedError as `stores.purchases.hold` does: the user can't have one.
        """
        supplier = self.suppliers.get(rental.supplier)
        within = min(_LONGEST_CALL_SECONDS, self._seconds_until(ends))
        if supplier is None or within < _SHORTEST_CALL_SECONDS:
            return None
        store.hold(
            rental,
            sweep_at=Millis(self.clock() + HELD_FOR),
            most_open=self.settings.limits.open_rentals,
            request=request,
        )
        try:
            number = supplier.rent(
                rental.country,
                rental.service,
                rental.upstream_operator,
                rental.rental_id,
                within=within,
            )
        except SupplierOutcomeUnknownError as error:
            log.warning("rental %s: %s", rental.rental_id, error)
            self._give_up(supplier, rental, error.upstream_id, request, ends)
        except SupplierError as error:
            log.info("rental %s: %s", rental.rental_id, error)
            self._release(rental, NOTHING, request)
        else:
            return self._take_in(supplier, rental, number, request, ends)
        return None

    def settle(self, rental: Rental) -> None:
        """Give back the money of a purchase that was never finished.

        The supplier is asked once more what came of it, so that a number it gave can be returned.
        """
        supplier = self.suppliers.get(rental.supplier)
        if supplier is None or not supplier.can_cancel:
            # What could not be returned is not asked for again.
            self._release(rental, rental.cost, None)
            return
        upstream_id = None
        try:
            number = supplier.rent(
                rental.country, rental.service, rental.upstream_operator, rental.rental_id
            )
            upstream_id = number.upstream_id
            rental = replace(rental, cost=number.cost if number.cost is not None else rental.cost)
        except SupplierOutcomeUnknownError as error:
            upstream_id = error.upstream_id
        except SupplierError as error:
            # Not even a refusal tells: it may be of the repetition.
            log.warning("rental %s: %s", rental.rental_id, error)
        self._give_up(supplier, rental, upstream_id, None)

    def give_back(self, rental: Rental) -> GivenBack:
        """Cancel at the supplier; whether it keeps our money.

        Raises BusyError if it did not, or if what came of it is not known: nothing has changed
        here.
        """
        supplier = self.suppliers.get(rental.supplier)
        if supplier is None or not supplier.can_cancel or rental.upstream_id is None:
            return GivenBack.REFUNDED
        try:
            refunded = supplier.cancel(rental.upstream_id).refunded
        except SupplierError as error:
            if isinstance(error, SupplierRefusedError) and error.reason in _OVER:
                return GivenBack.OVER
            log.warning("rental %s: %s", rental.rental_id, error)
            raise BusyError from error
        return GivenBack.REFUNDED if refunded else GivenBack.KEPT

    def end(self, rental: Rental) -> None:
        """Give back the number of a rental that has expired here; it may live longer there."""
        if rental.supplier == OWN:
            return
        try:
            self.book(rental, self.give_back(rental))
        except BusyError:
            log.warning("rental %s was not given back", rental.rental_id)

    def book(self, rental: Rental, given_back: GivenBack | None) -> None:
        """Note as our loss what we refunded and the supplier keeps."""
        supplier = self.suppliers.get(rental.supplier)
        if supplier is None or rental.refund == 0 or rental.cost == 0:
            return
        if given_back is GivenBack.KEPT or not supplier.can_cancel:
            store.book_loss(rental, self.clock())

    def _take_in(
        self,
        supplier: Supplier,
        rental: Rental,
        number: SupplierNumber,
        request: RequestKey | None,
        ends: Millis,
    ) -> Rental | None:
        now = self.clock()
        expires_at = later(now, seconds=self.settings.rental_seconds)
        active = replace(
            rental,
            status=RentalStatus.ACTIVE,
            phone_number=number.phone_number,
            upstream_id=number.upstream_id,
            cost=number.cost if number.cost is not None else rental.cost,
            expires_at=min(expires_at, number.expires_at or expires_at),
        )
        if active.cost > self._cost_cap(supplier):
            log.warning("rental %s: %s asks more than the cap", rental.rental_id, supplier.name)
            self._give_up(supplier, active, number.upstream_id, request, ends)
            return None
        polled = supplier.needs_polling
        poll_at = Millis(now + FIRST_POLL + POLL_GRACE)
        event = rental_event(active, now)
        try:
            store.activate(
                active,
                provider=supplier.name if polled else _POSTED_BY,
                account=rental.rental_id if polled else supplier.name,
                poll_at=poll_at if polled else None,
                request=request,
                event=event,
                retention_days=self.settings.sms_retention_days,
            )
        except RefusedError as refusal:
            # A number that somebody holds here, or a sweep that came first.
            log.warning("rental %s: %s", rental.rental_id, refusal)
            if _is_held_by_another(active, refusal):
                # Cancelled, it would be taken from them.
                self._release(rental, NOTHING, request)
            else:
                self._give_up(supplier, active, number.upstream_id, request, ends)
            return None
        self.webhooks.tell(event)
        if polled:
            queue = self.settings.polls_queue
            ask_to_poll(queue, rental.rental_id, polls=0, poll_at=poll_at, wait=FIRST_POLL)
        return active

    def _give_up(
        self,
        supplier: Supplier,
        rental: Rental,
        upstream_id: str | None,
        request: RequestKey | None,
        ends: Millis | None = None,
    ) -> None:
        """Return what the supplier may have rented to us; what it keeps is our loss."""
        loss = rental.cost
        if upstream_id is not None and supplier.can_cancel:
            within = None
            if ends is not None:
                within = max(_LEAST_CANCEL_SECONDS, self._seconds_until(ends))
            try:
                if supplier.cancel(upstream_id, within=within).refunded:
                    loss = NOTHING
            except SupplierError as error:
                log.warning("rental %s: %s", rental.rental_id, error)
        self._release(rental, loss, request)

    def _release(self, rental: Rental, loss: Micros, request: RequestKey | None) -> None:
        days = self.settings.envelope_retention_days
        try:
            store.release(rental, self.clock(), loss=loss, envelope_days=days, request=request)
        except RefusedError as refusal:
            if set(refusal.why) == {"request"}:
                self._release(rental, loss, None)
                return
            log.info("rental %s was settled meanwhile", rental.rental_id)

    def _cost_cap(self, supplier: Supplier) -> Micros:
        caps = [s.cost_cap for s in self.settings.suppliers if s.name == supplier.name]
        return caps[0] if caps else NOTHING

    def _seconds_until(self, moment: Millis) -> float:
        return (moment - self.clock()) / SECOND


def ask_to_poll(queue: str, rental_id: RentalId, polls: int, poll_at: Millis, wait: int) -> None:
    """Have a rental polled in `wait` ms; if the queue fails, the sweep does it after `poll_at`."""
    message = {"rental_id": rental_id, "polls": polls, "poll_at": poll_at}
    try:
        queues.send(queue, message, delay_seconds=-(-wait // SECOND))
    except queues.QueueError as error:
        log.warning("rental %s is polled by the sweep: %s", rental_id, error)


def _is_held_by_another(rental: Rental, refusal: RefusedError) -> bool:
    """Whether what the supplier gave is what it has given us for another rental."""
    number = refusal.why.get("number")
    if number is None or number.rental_id is None:
        return False
    other = rentals.get(RentalId(number.rental_id))
    return other is not None and (other.supplier, other.upstream_id) == (
        rental.supplier,
        rental.upstream_id,
    )
