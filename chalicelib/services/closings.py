"""The ends of rentals: cancelled by their user, or expired by a schedule."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalicelib import telemetry
from chalicelib.domain.events import rental_event
from chalicelib.domain.ids import RentalId, is_rental_id
from chalicelib.domain.money import NOTHING
from chalicelib.domain.rental import Rental, RentalStatus, load
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.stock import OWN
from chalicelib.domain.times import HOUR, MINUTE, SECOND, Clock, Millis, later
from chalicelib.domain.user import User
from chalicelib.errors import BusyError, ConflictError, LimitExceededError
from chalicelib.services.low_balance import LowBalance
from chalicelib.services.polls import Polls
from chalicelib.services.purchases import GivenBack, Purchases
from chalicelib.services.rentals import unknown_rental
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import rentals as store
from chalicelib.stores import shards
from chalicelib.stores.db import RefusedError
from chalicelib.stores.rentals import Closing

_MOST_TRIES = 12
"""A close loses a race only to an SMS (ten at most) or to another close."""

STUCK_AFTER = 5 * MINUTE
"""A purchase that is older and not settled is stuck: the sweep comes for it each minute."""


@dataclass(frozen=True, slots=True)
class Closings:
    """Ends rentals, once each, with the refund that is due."""

    settings: Settings
    clock: Clock
    purchases: Purchases
    polls: Polls
    webhooks: Webhooks
    low_balance: LowBalance

    def cancel(self, user: User, rental_id: str, request: RequestKey | None = None) -> Rental:
        """Give a rental back: the number rests, and the price comes back if no SMS came.

        A bought number is given back to its supplier first, and what that keeps is not refunded.
        A repeat gets the first cancel's answer. Raises NotFoundError, ConflictError (expired, or
        too young), LimitExceededError, RequestKeyReusedError, BusyError.
        """
        if not is_rental_id(rental_id):
            raise unknown_rental()
        given_back: GivenBack | None = None
        for _ in range(_MOST_TRIES):
            now = self.clock()
            rental, owner, seen = store.with_user(RentalId(rental_id), user.user_id, request, now)
            if request is not None and seen is not None:
                return load(first_answer(request, seen))
            if rental is None or owner is None or rental.user_id != user.user_id:
                raise unknown_rental()
            if rental.is_forgotten(now, envelope_days=self.settings.envelope_retention_days):
                raise unknown_rental()
            telemetry.bind(rental_id=rental.rental_id)
            if rental.status is RentalStatus.CANCELLED:
                return rental
            self._check_cancel(rental, owner, now)
            if given_back is None and rental.supplier != OWN:
                given_back = self.purchases.give_back(rental)
                if given_back is not GivenBack.REFUNDED:
                    # An SMS may have come that we have not asked for yet.
                    self.polls.take_now(rental)
                    continue
            refund = NOTHING if given_back is GivenBack.KEPT else rental.refund_due()
            cancelled = replace(rental, status=RentalStatus.CANCELLED, refund=refund)
            if closed := self._close(cancelled, now, owner, request):
                self.purchases.book(closed, given_back)
                return closed
        raise BusyError

    def expire(self, rental_id: RentalId) -> bool:
        """Close a rental whose time is over; False if that was not ours to do.

        A purchase that was never finished is settled.
        """
        for _ in range(_MOST_TRIES):
            now = self.clock()
            rental = store.get(rental_id)
            if rental is not None and rental.is_unfinished(now):
                if now - rental.created_at > STUCK_AFTER:
                    telemetry.count("StuckSagas")
                self.purchases.settle(rental)
                return True
            if rental is None or rental.status is not RentalStatus.ACTIVE or rental.is_open(now):
                return False
            expired = replace(rental, status=RentalStatus.EXPIRED, refund=rental.refund_due())
            if closed := self._close(expired, now):
                self.purchases.end(closed)
                return True
        raise BusyError

    def overdue(self, *, limit: int) -> Iterator[list[RentalId]]:
        """The open rentals whose time is over, the longest first, in pages of `limit`."""
        now = self.clock()
        for shard in shards.keys(shards.DUE):
            start = None
            while True:
                page = store.due(shard, now, limit=limit, start=start)
                if page.items:
                    if start is None:
                        lag = (now - page.items[0].expires_at) / SECOND
                        telemetry.count("ExpiryLagSeconds", lag)
                    yield [RentalId(row.rental_id) for row in page.items]
                start = page.start
                if start is None:
                    break

    def _check_cancel(self, rental: Rental, owner: User, now: Millis) -> None:
        if not rental.is_open(now):
            raise ConflictError("rental_expired", "The rental has expired.", field="rental_id")
        if not rental.can_cancel(now):
            wait = later(rental.created_at, seconds=rental.cancel_after) - now
            raise ConflictError(
                "cancel_too_early",
                f"A rental can be cancelled {rental.cancel_after} s after it began.",
                field="rental_id",
                retry_after=-(-wait // SECOND),
            )
        most = self.settings.limits.unused_cancels_per_hour
        if rental.message_count == 0 and owner.unused_cancels(now // HOUR) >= most:
            raise LimitExceededError(
                "too_many_unused_cancels",
                f"An account cancels at most {most} unused rentals an hour. "
                "This one is refunded when it expires.",
                retry_after=-(-(HOUR - now % HOUR) // SECOND),
            )

    def _close(
        self,
        rental: Rental,
        now: Millis,
        owner: User | None = None,
        request: RequestKey | None = None,
    ) -> Rental | None:
        """Close a rental as it is given; None if something else came first: look again.

        `owner` is the user as read, if it is they who end it.
        """
        unused = rental.message_count == 0
        rest = self.settings.rest_unused_seconds if unused else self.settings.rest_seconds
        closed = replace(rental, closed_at=now)
        closing = Closing(
            rental=closed,
            seen_messages=rental.message_count,
            now=now,
            rest_until=later(now, seconds=rest),
            envelope_days=self.settings.envelope_retention_days,
            retention_days=self.settings.sms_retention_days,
            request=request,
        )
        if owner is not None and unused:
            limit = self.settings.limits.unused_cancels_per_hour
            closing = replace(closing, cancels=(owner, limit))
        try:
            self._write(closing)
        except RefusedError as refusal:
            if set(refusal.why) != {"number"}:
                return None
            # The number has left the stock: that must not keep the user's money.
            return self._close_without_number(closing)
        return closed

    def _close_without_number(self, closing: Closing) -> Rental | None:
        try:
            self._write(replace(closing, frees_number=False))
        except RefusedError:
            return None
        return closing.rental

    def _write(self, closing: Closing) -> None:
        """Have it written, and told of. Raises RefusedError as `stores.rentals.close` does."""
        rental = closing.rental
        event = rental_event(rental, self.clock())
        store.close(replace(closing, event=event))
        self.webhooks.tell(event)
        if rental.refund > 0:
            telemetry.count("Refunds", reason=rental.status)
            self.low_balance.look_after(rental)
