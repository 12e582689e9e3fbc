"""Rentals: a number rented, from our own stock or from another server, and shown."""

from dataclasses import dataclass, replace

from chalicelib import telemetry
from chalicelib.domain.events import RENTAL_EVENTS, rental_event
from chalicelib.domain.ids import E164, RentalId, is_rental_id, new_rental_id
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.pricing import marked_up, markup_on
from chalicelib.domain.rental import Rental, RentalStatus, load
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.stock import OWN, Offer, PastUse, pool_of
from chalicelib.domain.times import Clock, day_number, later
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ForbiddenError,
    InsufficientBalanceError,
    LimitExceededError,
    NotFoundError,
)
from chalicelib.services.catalogue import Catalogue
from chalicelib.services.low_balance import LowBalance, watched
from chalicelib.services.purchases import Purchases
from chalicelib.services.webhooks import Webhooks
from chalicelib.settings import Settings
from chalicelib.stores import rentals as store
from chalicelib.stores import requests, shards, users
from chalicelib.stores.db import RefusedError
from chalicelib.suppliers.stock import StockSupplier

_LONGEST_RENT_SECONDS = 8
"""No supplier is asked any more when a rent has taken this long."""


@dataclass(frozen=True, slots=True)
class Rentals:
    """Opens and shows rentals."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    stock: StockSupplier
    purchases: Purchases
    webhooks: Webhooks
    low_balance: LowBalance

    def rent(
        self,
        user: User,
        country: str,
        service: str,
        request: RequestKey | None = None,
        *,
        operator_id: int | None = None,
        manager: User | None = None,
    ) -> Rental:
        """Rent a number of `country` (alpha-2), of one operator or of the cheapest with stock.

        The user's balance pays for the first SMS at once, with the markup of the user's
        `manager`. A repeat with the same `request` gets the first rental. Raises NotFoundError
        (no number), InsufficientBalanceError, LimitExceededError, ForbiddenError,
        RequestKeyReusedError.
        """
        ends = later(self.clock(), seconds=_LONGEST_RENT_SECONDS)
        for offer in self.catalogue.stock().in_country(country, operator_id, service):
            draft = self._draft(user, offer, service, manager)
            try:
                if offer.supplier == OWN:
                    rental = self._from_stock(draft, request)
                else:
                    rental = self.purchases.buy(draft, request, ends=ends)
            except RefusedError as refusal:
                if request is not None and "request" in refusal.why:
                    return load(first_answer(request, refusal.why["request"]))
                raise self._why_refused(refusal, draft) from None
            if rental is not None:
                telemetry.bind(rental_id=rental.rental_id)
                telemetry.count("RentalsOpened", supplier=rental.supplier)
                self.low_balance.look_after(rental)
                return rental
        if request is not None:
            seen = requests.get(request, self.clock())
            if seen is not None:
                return load(first_answer(request, seen))
        raise NotFoundError("no_numbers", f"No number is available in {country}.", field="country")

    def can_pay(
        self, user: User, country: str, operator_id: int | None, manager: User | None
    ) -> bool:
        """Whether the user's balance would pay for a number there, if there were one.

        As far as there is a price: of what was rented last too.
        """
        markup = manager.markup if manager is not None else 0
        prices = [
            marked_up(offer.price, markup)
            for offer in self.catalogue.stock().offers
            if offer.country == country and operator_id in (None, offer.operator_id)
        ]
        found = users.get(user.user_id)
        return not prices or found is None or found.balance >= min(prices)

    def find(self, user: User, rental_id: str) -> Rental:
        """The user's rental of that id, as far as it is kept.

        Raises NotFoundError, also for somebody else's.
        """
        rental = store.get(RentalId(rental_id)) if is_rental_id(rental_id) else None
        now = self.clock()
        if rental is None or rental.user_id != user.user_id:
            raise unknown_rental()
        if rental.is_forgotten(now, envelope_days=self.settings.envelope_retention_days):
            raise unknown_rental()
        telemetry.bind(rental_id=rental.rental_id)
        return rental.kept_at(now, sms_days=self.settings.sms_retention_days)

    def _draft(self, user: User, offer: Offer, service: str, manager: User | None) -> Rental:
        """The rental that an offer would become, without its number."""
        now = self.clock()
        price = offer.price_for(service)
        markup = markup_on(price, manager.markup) if manager is not None else NOTHING
        return Rental(
            rental_id=new_rental_id(now),
            user_id=user.user_id,
            phone_number=E164(""),
            country=offer.country,
            operator_id=offer.operator_id,
            service=service,
            price=Micros(price + markup),
            supplier=offer.supplier,
            status=RentalStatus.REQUESTING,
            created_at=now,
            expires_at=later(now, seconds=self.settings.rental_seconds),
            cancel_after=self.settings.cancel_after,
            message_count=0,
            messages=(),
            manager_id=user.manager_id,
            markup=markup,
            cost=offer.cost,
            upstream_operator=offer.upstream_operator,
            tells=(*user.asked_for(RENTAL_EVENTS), *watched(user)),
        )

    def _from_stock(self, draft: Rental, request: RequestKey | None) -> Rental | None:
        """The rental with a free number of our own, None if others took all that were found.

        Raises RefusedError unless it is the number that was refused.
        """
        today = day_number(draft.created_at)
        use = PastUse(draft.service, draft.user_id, today)
        found = self.stock.candidates(
            [pool_of(draft.country, draft.operator_id, shard) for shard in range(shards.FREE)],
            lambda number: number.suits(
                draft.service, draft.user_id, since_day=today - self.settings.reuse_days
            ),
        )
        for number in found:
            rental = replace(draft, phone_number=number.phone_number, status=RentalStatus.ACTIVE)
            event = rental_event(rental, self.clock())
            try:
                store.open(
                    rental,
                    number,
                    number.used_again(use),
                    most_open=self.settings.limits.open_rentals,
                    request=request,
                    event=event,
                    retention_days=self.settings.sms_retention_days,
                )
            except RefusedError as refusal:
                if set(refusal.why) != {"number"}:
                    raise
            else:
                self.webhooks.tell(event)
                return rental
        return None

    def _why_refused(self, refusal: RefusedError, draft: Rental) -> Exception:
        user: User | None = refusal.why.get("user")
        if "user" in refusal.why and (user is None or not user.may_act()):
            return ForbiddenError("account_inactive", "This account is not approved or not active.")
        if user is not None and user.open_rentals >= self.settings.limits.open_rentals:
            return LimitExceededError(
                "too_many_open_rentals",
                f"An account holds at most {self.settings.limits.open_rentals} open rentals.",
                retry_after=60,
            )
        if user is not None and user.balance < draft.price:
            return InsufficientBalanceError()
        return BusyError()


def unknown_rental() -> NotFoundError:
    """What is said of a rental that does not exist, or is somebody else's."""
    return NotFoundError("rental_not_found", "There is no such rental.", field="rental_id")
