"""The schedules' work. Each job may run twice, or twice at once, and changes nothing by it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib import telemetry
from chalicelib.domain.ids import RentalId
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.errors import BusyError
from chalicelib.services.catalogue import Catalogue
from chalicelib.services.closings import Closings
from chalicelib.services.inbound import Inbound
from chalicelib.services.managers import Managers
from chalicelib.services.numbers import Numbers
from chalicelib.services.otp_sending import OtpSending
from chalicelib.services.polls import Polls
from chalicelib.services.retention import Retention
from chalicelib.services.rollups import Rollups
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import queues

BUDGET = 40 * SECOND
"""How long a job works by itself; its Lambda has 60 s."""

_PAGE = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What happens without anybody asking."""

    settings: Settings
    clock: Clock
    closings: Closings
    polls: Polls
    numbers: Numbers
    catalogue: Catalogue
    webhooks: Webhooks
    managers: Managers
    rollups: Rollups
    otp_sending: OtpSending
    inbound: Inbound
    retention: Retention

    def expire_rentals(self) -> None:
        """Close the rentals whose time is over, the longest first.

        What does not fit in this run's time goes to the sweeps queue by the page, to be done by
        several Lambdas at once.
        """
        ends = self._ends()
        for page in self.closings.overdue(limit=_PAGE):
            if self.clock() < ends:
                self.expire_page(page)
            else:
                queues.send(self.settings.sweeps_queue, {"expire": page})

    def expire_page(self, rental_ids: Sequence[RentalId]) -> None:
        """Close these rentals; one that can't be closed now is left for the next run."""
        for rental_id in rental_ids:
            with telemetry.bound(rental_id=rental_id, correlation_id=rental_id):
                self._expire(rental_id)

    def _expire(self, rental_id: RentalId) -> None:
        try:
            self.closings.expire(rental_id)
        except BusyError:
            log.warning("rental %s could not be closed, left for the next run", rental_id)
        except Exception:
            # One rental that can't be closed must not keep the others' money.
            log.exception("rental %s could not be closed", rental_id)

    def end_rests(self) -> None:
        """Free the numbers that have rested."""
        self.numbers.end_rests(self._ends())

    def count_stock(self) -> None:
        """Count the free numbers into the item that everybody reads."""
        self.catalogue.count_stock()

    def requeue_deliveries(self) -> None:
        """Tell the webhooks queue what it was not told of, or has lost."""
        self.webhooks.queues.requeue_due(self._ends())

    def requeue_polls(self) -> None:
        """Ask again for the SMS of bought numbers that nobody has asked for in time."""
        self.polls.requeue_due(self._ends())

    def join_parts(self) -> None:
        """Join the long SMS of which parts have been missing for too long."""
        self.inbound.parts.join_overdue(self._ends())

    def requeue_otp(self) -> None:
        """Have codes sent that nobody has sent in time."""
        self.otp_sending.requeue_due(self._ends())

    def roll_up(self) -> None:
        """Write the rollups of the minutes whose time has come."""
        self.rollups.roll_up(self._ends())

    def purge_sms(self) -> None:
        """Remove the SMS whose time is over."""
        self.retention.purge_sms(self._ends())

    def credit_markups(self) -> None:
        """Credit managers with what their users earned them on the last days."""
        self.managers.credit_markups(self._ends())

    def _ends(self) -> Millis:
        return Millis(self.clock() + BUDGET)
