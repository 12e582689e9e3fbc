"""Reading a rental's SMS: at once or waiting for the first, and settling what waits for money."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.domain.events import sms_event
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.domain.user import User
from chalicelib.services.limits import WaitSlots
from chalicelib.services.low_balance import LowBalance
from chalicelib.services.rentals import Rentals
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import ledger, messages
from chalicelib.stores.db import RefusedError

LONGEST_WAIT_SECONDS = 25
_BETWEEN_READS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a user is shown of the SMS of their rentals."""

    settings: Settings
    clock: Clock
    sleep: Callable[[float], None]
    rentals: Rentals
    webhooks: Webhooks
    slots: WaitSlots
    low_balance: LowBalance

    def read(self, user: User, rental_id: str, *, wait_until: Millis, holder: str) -> Rental:
        """The rental with its SMS; waits for the first one until `wait_until`.

        `holder` is who waits (a key's hash): it may hold three waits, a fourth answers at once.
        Raises NotFoundError.
        """
        rental = self.rentals.find(user, rental_id)
        if not rental.messages and rental.is_open(self.clock()) and wait_until > self.clock():
            with self.slots.held(holder, wait_until) as mine:
                while mine and not rental.messages and self._may_wait(rental, wait_until):
                    self.sleep(_BETWEEN_READS_SECONDS)
                    rental = self.rentals.find(user, rental_id)
        return self._settle(rental)

    def _may_wait(self, rental: Rental, wait_until: Millis) -> bool:
        now = self.clock()
        return rental.is_open(now) and now + _BETWEEN_READS_SECONDS * SECOND <= wait_until

    def _settle(self, rental: Rental) -> Rental:
        """Pay for the SMS that waited for money, in their order, as far as the balance goes."""
        for position in rental.unpaid():
            now = self.clock()
            message = rental.messages[position]
            payment = ledger.sms_charge(rental.user_id, rental.rental_id, rental.price, now)
            event = sms_event(rental.user_id, rental.rental_id, rental.phone_number, message, now)
            try:
                messages.settle(
                    rental.rental_id,
                    position,
                    payment=payment,
                    event=event,
                    earning=ledger.earned(rental.manager_id, rental.markup, event),
                    retention_days=self.settings.sms_retention_days,
                )
            except RefusedError as refusal:
                if "rental" not in refusal.why:
                    break
            else:
                self.webhooks.tell(event)
                self.low_balance.look_after(rental)
            paid = replace(message, paid=True)
            shown = (*rental.messages[:position], paid, *rental.messages[position + 1 :])
            rental = replace(rental, messages=shown)
        return rental
