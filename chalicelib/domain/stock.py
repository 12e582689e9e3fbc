"""Stock: which numbers are free, where, and at what price."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.times import Millis

RANKS = 1_000_000_000
"""A free number's rank is random in [0, RANKS)."""

MOST_HISTORY = 20

MOST_OFFERS = 5_000

OWN = "stock"
"""The supplier of the numbers that are ours."""


@dataclass(frozen=True, slots=True)
class PastUse:
    """A past rental of a number: the service it was for, whose it was, and on which day."""

    service: str
    user_id: UserId
    day: int


@dataclass(frozen=True, slots=True)
class FreeNumber:
    """A number that can be rented, as the index of free numbers showed it.

    `uses` counts its rentals: if it still holds, so does `history`.
    """

    phone_number: E164
    uses: int
    history: tuple[PastUse, ...]

    def suits(self, service: str, user_id: UserId, *, since_day: int) -> bool:
        """Whether it may go to this user: no other had it for the same named service lately."""
        return not service or not any(
            use.service == service and use.user_id != user_id and use.day > since_day
            for use in self.history
        )

    def used_again(self, use: PastUse) -> tuple[PastUse, ...]:
        """Its history with one use more, the oldest dropped.

        A use for no named service is no reason against a later one, so it takes nobody's place.
        """
        if not use.service:
            return self.history
        return (*self.history, use)[-MOST_HISTORY:]


@dataclass(frozen=True, slots=True)
class Offer:
    """What one operator of one country has: how many free numbers, at what price an SMS.

    `country` is ISO 3166-1 alpha-2. What another server has comes with that supplier's name, what
    a number costs us there, and the id that it knows the operator by. `price` is that without a
    named service; `service_prices` has those of the services that cost something else.
    """

    country: str
    country_name: str
    operator_id: int
    operator_name: str
    price: Micros
    available: int
    supplier: str = OWN
    cost: Micros = NOTHING
    upstream_operator: int | None = None
    service_prices: tuple[tuple[str, Micros], ...] = ()

    def price_for(self, service: str) -> Micros:
        """What an SMS costs in a rental for a named service, or for any ("")."""
        return dict(self.service_prices).get(service, self.price)


@dataclass(frozen=True, slots=True)
class Stock:
    """All offers as they were counted at a moment. Everybody's view of what there is."""

    counted_at: Millis
    offers: tuple[Offer, ...]

    def in_country(
        self, country: str, operator_id: int | None = None, service: str = ""
    ) -> list[Offer]:
        """The offers of a country that have numbers, the cheapest first, then the fullest.

        Only those of one operator, if `operator_id` names it. The prices are those for `service`.
        """
        offers = [
            offer
            for offer in self.offers
            if offer.country == country
            and offer.available > 0
            and operator_id in (None, offer.operator_id)
        ]
        return sorted(offers, key=lambda o: (o.price_for(service), -o.available, o.operator_id))


def pool_of(country: str, operator_id: int, shard: int = 0) -> str:
    """The key under which an operator's free numbers are filed."""
    return f"{country}#{operator_id}#{shard}"


def dump_offers(offers: Sequence[Offer]) -> str:
    """The offers as the text that the stock item holds.

    Compressed to about a tenth, and at most MOST_OFFERS: an item holds 400 kB. Of more than that,
    those that have the fewest numbers are left out.
    """
    fullest = sorted(offers, key=lambda offer: -offer.available)[:MOST_OFFERS]
    kept = offers if len(offers) <= MOST_OFFERS else fullest
    text = json.dumps([asdict(offer) for offer in kept], ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode())).decode()


def load_offers(text: str) -> tuple[Offer, ...]:
    """The offers in the text of a stock item."""
    return tuple(map(_offer_of, json.loads(zlib.decompress(base64.b64decode(text)))))


def _offer_of(fields: dict[str, Any]) -> Offer:
    prices = tuple((name, Micros(price)) for name, price in fields.pop("service_prices"))
    return Offer(**fields, service_prices=prices)
