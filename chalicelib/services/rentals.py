"""Rentals: a number rented, read and given back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalicelib.domain.ids import RentalId, is_rental_id, new_rental_id
from chalicelib.domain.rental import Rental, RentalStatus, load
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.stock import FreeNumber, Offer, PastUse, pool_of
from chalicelib.domain.times import HOUR, SECOND, Clock, Millis, day_number, later
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InsufficientBalanceError,
    LimitExceededError,
    NotFoundError,
)
from chalicelib.services.catalogue import Catalogue
from chalicelib.settings import Settings
from chalicelib.stores import rentals as store
from chalicelib.stores import requests, shards
from chalicelib.stores.db import RefusedError
from chalicelib.stores.rentals import Closing
from chalicelib.suppliers.stock import StockSupplier

SUPPLIER = "stock"
_MOST_CLOSE_TRIES = 12
"""A close loses a race only to an SMS (ten at most) or to another close."""


@dataclass(frozen=True, slots=True)
class Rentals:
    """Opens, shows and closes rentals of numbers of our own stock."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    stock: StockSupplier

    def rent(
        self, user: User, country: str, service: str, request: RequestKey | None = None
    ) -> Rental:
        """Rent a number of `country` (alpha-2) from its cheapest operator with stock.

        The user's balance pays for the first SMS at once. A repeat with the same `request` gets
        the first rental. Raises NotFoundError (no number), InsufficientBalanceError,
        LimitExceededError, ForbiddenError, RequestKeyReusedError.
        """
        for offer, number in self._candidates(user, country, service):
            now = self.clock()
            rental = self._rental_of(user, offer, number, service, now)
            use = PastUse(service, user.user_id, day_number(now))
            try:
                store.open(
                    rental,
                    number,
                    number.used_again(use),
                    most_open=self.settings.limits.open_rentals,
                    request=request,
                )
            except RefusedError as refusal:
                if request is not None and "request" in refusal.why:
                    return load(first_answer(request, refusal.why["request"]))
                if "user" in refusal.why:
                    raise self._why_refused(refusal.why["user"], rental) from None
            else:
                return rental
        if request is not None:
            seen = requests.get(request, self.clock())
            if seen is not None:
                return load(first_answer(request, seen))
        raise NotFoundError("no_numbers", f"No number is available in {country}.", field="country")

    def find(self, user: User, rental_id: str) -> Rental:
        """The user's rental of that id. Raises NotFoundError, also for somebody else's."""
        rental = store.get(RentalId(rental_id)) if is_rental_id(rental_id) else None
        if rental is None or rental.user_id != user.user_id:
            raise _unknown_rental()
        return rental

    def cancel(self, user: User, rental_id: str, request: RequestKey | None = None) -> Rental:
        """Give a rental back: the number rests, and the price comes back if no SMS came.

        A repeat gets the first cancel's answer. Raises NotFoundError, ConflictError (expired, or
        too young), LimitExceededError, RequestKeyReusedError.
        """
        if not is_rental_id(rental_id):
            raise _unknown_rental()
        for _ in range(_MOST_CLOSE_TRIES):
            now = self.clock()
            rental, owner, seen = store.with_user(RentalId(rental_id), user.user_id, request, now)
            if request is not None and seen is not None:
                return load(first_answer(request, seen))
            if rental is None or owner is None or rental.user_id != user.user_id:
                raise _unknown_rental()
            if rental.status is RentalStatus.CANCELLED:
                return rental
            self._check_cancel(rental, owner, now)
            if closed := self._close(rental, RentalStatus.CANCELLED, now, owner, request):
                return closed
        raise BusyError

    def expire(self, rental_id: RentalId) -> bool:
        """Close a rental whose time is over; False if that was not ours to do."""
        for _ in range(_MOST_CLOSE_TRIES):
            now = self.clock()
            rental = store.get(rental_id)
            if rental is None or rental.status is not RentalStatus.ACTIVE or rental.is_open(now):
                return False
            if self._close(rental, RentalStatus.EXPIRED, now):
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
                    yield [RentalId(row.rental_id) for row in page.items]
                start = page.start
                if start is None:
                    break

    def _candidates(
        self, user: User, country: str, service: str
    ) -> Iterator[tuple[Offer, FreeNumber]]:
        since = day_number(self.clock()) - self.settings.reuse_days
        for offer in self.catalogue.stock().in_country(country):
            pools = [pool_of(country, offer.operator_id, shard) for shard in range(shards.FREE)]
            found = self.stock.candidates(
                pools, lambda number: number.suits(service, user.user_id, since_day=since)
            )
            for number in found:
                yield offer, number

    def _rental_of(
        self, user: User, offer: Offer, number: FreeNumber, service: str, now: Millis
    ) -> Rental:
        return Rental(
            rental_id=new_rental_id(now),
            user_id=user.user_id,
            phone_number=number.phone_number,
            country=offer.country,
            operator_id=offer.operator_id,
            service=service,
            price=offer.price,
            supplier=SUPPLIER,
            status=RentalStatus.ACTIVE,
            created_at=now,
            expires_at=later(now, seconds=self.settings.rental_seconds),
            cancel_after=self.settings.cancel_after,
            message_count=0,
            messages=(),
        )

    def _why_refused(self, user: User | None, rental: Rental) -> Exception:
        if user is None or not user.may_act():
            return ForbiddenError("account_inactive", "This account is not approved or not active.")
        if user.open_rentals >= self.settings.limits.open_rentals:
            return LimitExceededError(
                "too_many_open_rentals",
                f"An account holds at most {self.settings.limits.open_rentals} open rentals.",
                retry_after=60,
            )
        if user.balance < rental.price:
            return InsufficientBalanceError()
        return BusyError()

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
        status: RentalStatus,
        now: Millis,
        owner: User | None = None,
        request: RequestKey | None = None,
    ) -> Rental | None:
        """The rental as it was closed; None if something else came first: look again."""
        unused = rental.message_count == 0
        rest = self.settings.rest_unused_seconds if unused else self.settings.rest_seconds
        closed = replace(rental, status=status, closed_at=now, refund=rental.refund_due())
        closing = Closing(
            rental=closed,
            seen_messages=rental.message_count,
            now=now,
            rest_until=later(now, seconds=rest),
            request=request,
        )
        if owner is not None and unused:
            limit = self.settings.limits.unused_cancels_per_hour
            closing = replace(closing, cancels=(owner, limit))
        try:
            store.close(closing)
        except RefusedError as refusal:
            if set(refusal.why) != {"number"}:
                return None
            # The number has left the stock: that must not keep the user's money.
            return self._close_without_number(closing)
        return closed

    def _close_without_number(self, closing: Closing) -> Rental | None:
        try:
            store.close(replace(closing, rest_until=None))
        except RefusedError:
            return None
        return closing.rental


def _unknown_rental() -> NotFoundError:
    return NotFoundError("rental_not_found", "There is no such rental.", field="rental_id")
