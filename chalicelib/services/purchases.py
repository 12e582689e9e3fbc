"""Numbers bought from other servers: held, bought, settled, given back.

One purchase is a saga: the user's money is held, the supplier is asked, and the rental becomes
active or fails with its money given back. Whatever dies in between, a sweep settles. Source:
DESIGN.md, "Decided" 3.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import RequestKey
from chalicelib.domain.times import SECOND, Clock, Millis, later
from chalicelib.errors import BusyError
from chalicelib.settings import Settings
from chalicelib.stores import purchases as store
from chalicelib.stores import queues
from chalicelib.stores.db import RefusedError
from chalicelib.suppliers.contract import (
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
_POSTED_BY = "main"
"""The provider by whose URL suppliers that are not polled post their SMS to us."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purchases:
    """Buys numbers from the suppliers of the settings."""

    settings: Settings
    clock: Clock
    suppliers: Mapping[str, Supplier]

    def buy(self, rental: Rental, request: RequestKey | None, *, ends: Millis) -> Rental | None:
        """The rental with a number from its supplier, None if that gave none by `ends`.

        Raises RefusedError as `stores.purchases.hold` does: the user can't have one.
        """
        supplier = self.suppliers.get(rental.supplier)
        within = min(_LONGEST_CALL_SECONDS, (ends - self.clock()) / SECOND)
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
            self._give_up(supplier, rental, error.upstream_id, request)
        except SupplierError as error:
            log.info("rental %s: %s", rental.rental_id, error)
            self._release(rental, NOTHING, request)
        else:
            return self._take_in(supplier, rental, number, request)
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
        try:
            number = supplier.rent(
                rental.country, rental.service, rental.upstream_operator, rental.rental_id
            )
        except SupplierRefusedError:
            self._release(rental, NOTHING, None)
        except SupplierOutcomeUnknownError as error:
            self._give_up(supplier, rental, error.upstream_id, None)
        except SupplierError:
            self._release(rental, rental.cost, None)
        else:
            self._give_up(supplier, rental, number.upstream_id, None)

    def give_back(self, rental: Rental) -> bool:
        """Cancel at the supplier; whether it keeps our money.

        Raises BusyError if what came of it is not known: nothing has changed here.
        """
        supplier = self.suppliers.get(rental.supplier)
        if supplier is None or not supplier.can_cancel or rental.upstream_id is None:
            return False
        try:
            return not supplier.cancel(rental.upstream_id).refunded
        except SupplierRefusedError:
            # It is over there, and so has cost what it cost.
            return True
        except SupplierError as error:
            log.warning("rental %s: %s", rental.rental_id, error)
            raise BusyError from error

    def _take_in(
        self,
        supplier: Supplier,
        rental: Rental,
        number: SupplierNumber,
        request: RequestKey | None,
    ) -> Rental | None:
        now = self.clock()
        ends = later(now, seconds=self.settings.rental_seconds)
        active = replace(
            rental,
            status=RentalStatus.ACTIVE,
            phone_number=number.phone_number,
            upstream_id=number.upstream_id,
            cost=number.cost if number.cost is not None else rental.cost,
            expires_at=min(ends, number.expires_at or ends),
        )
        polled = supplier.needs_polling
        try:
            store.activate(
                active,
                provider=supplier.name if polled else _POSTED_BY,
                account=rental.rental_id if polled else supplier.name,
                poll_at=Millis(now + FIRST_POLL + POLL_GRACE) if polled else None,
                request=request,
            )
        except RefusedError as refusal:
            # A number that somebody else holds, or a sweep that came first.
            log.warning("rental %s: %s gave what we have", rental.rental_id, supplier.name)
            if "number" in refusal.why:
                self._give_up(supplier, rental, number.upstream_id, request)
            return None
        if polled:
            self._ask_to_poll(active)
        return active

    def _ask_to_poll(self, rental: Rental) -> None:
        message = {"rental_id": rental.rental_id, "polls": 0}
        try:
            queues.send(self.settings.polls_queue, message, delay_seconds=FIRST_POLL // SECOND)
        except queues.QueueError as error:
            log.warning("rental %s is polled by the sweep: %s", rental.rental_id, error)

    def _give_up(
        self,
        supplier: Supplier,
        rental: Rental,
        upstream_id: str | None,
        request: RequestKey | None,
    ) -> None:
        """Return what the supplier may have rented to us; what it keeps is our loss."""
        loss = rental.cost
        if upstream_id is not None and supplier.can_cancel:
            try:
                if supplier.cancel(upstream_id).refunded:
                    loss = NOTHING
            except SupplierError as error:
                log.warning("rental %s: %s", rental.rental_id, error)
        self._release(rental, loss, request)

    def _release(self, rental: Rental, loss: Micros, request: RequestKey | None) -> None:
        try:
            store.release(rental, self.clock(), loss=loss, request=request)
        except RefusedError:
            log.info("rental %s was settled meanwhile", rental.rental_id)
