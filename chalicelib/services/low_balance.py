"""Telling users that their balance is low: once each time it falls below what they had set.

Who has set nothing, or did not ask for the event, costs nothing. The others' balance is looked at
after each payment and each refund: found below, it is told of once; found at or above again, it
is ready to be told of once more. Between two looks, it is as if nothing had happened.
"""

import logging
from dataclasses import dataclass

from chalicelib.domain.events import BALANCE_LOW, balance_low_event
from chalicelib.domain.ids import UserId
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import Clock
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import low_balance as store
from chalicelib.stores import users
from chalicelib.stores.db import RefusedError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LowBalance:
    """Looks at balances."""

    settings: Settings
    clock: Clock
    webhooks: Webhooks

    def look_after(self, rental: Rental) -> None:
        """Look at the balance that a rental was paid from or refunded to, if its user wants it."""
        if BALANCE_LOW in rental.tells:
            self.look(rental.user_id)

    def look(self, user_id: UserId) -> None:
        """Tell of a balance that has fallen, or note that it has risen.

        Money has moved by now, so an outage is no error: the next look does it.
        """
        try:
            user = users.get(user_id)
            if user is not None and watched(user):
                self._judge(user)
        except BusyError:
            log.warning("the balance of %s is looked at next time", user_id)

    def _judge(self, user: User) -> None:
        if user.balance >= user.low_balance:
            if user.low_told:
                store.rose(user.user_id)
            return
        if user.low_told:
            return
        event = balance_low_event(user.user_id, user.balance, user.low_balance, self.clock())
        try:
            store.fell(user, event, retention_days=self.settings.sms_retention_days)
        except RefusedError:
            # Somebody else told, the balance rose, or it is no longer wanted.
            return
        self.webhooks.tell(event)


def watched(user: User) -> tuple[str, ...]:
    """The event that a user is told of a low balance by, none if they do not want it."""
    return user.asked_for([BALANCE_LOW]) if user.low_balance > 0 else ()
