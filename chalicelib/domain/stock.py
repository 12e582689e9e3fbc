"""Stock: which numbers are free, where, and at what price."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis

RANKS = 1_000_000_000
"""A free number's rank is random in [0, RANKS)."""

MOST_HISTORY = 20


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
        """Its history with one use more, the oldest dropped."""
        return (*self.history, use)[-MOST_HISTORY:]


@dataclass(frozen=True, slots=True)
class Offer:
    """What one operator of one country has: how many free numbers, at what price an SMS.

    `country` is ISO 3166-1 alpha-2.
    """

    country: str
    country_name: str
    operator_id: int
    operator_name: str
    price: Micros
    available: int


@dataclass(frozen=True, slots=True)
class Stock:
    """All offers as they were counted at a moment. Everybody's view of what there is."""

    counted_at: Millis
    offers: tuple[Offer, ...]

    def in_country(self, country: str) -> list[Offer]:
        """The offers of a country that have numbers, the cheapest first, then the fullest."""
        offers = [o for o in self.offers if o.country == country and o.available > 0]
        return sorted(offers, key=lambda o: (o.price, -o.available, o.operator_id))

    def countries(self) -> list[str]:
        """The countries that have numbers, in alphabetical order."""
        return sorted({offer.country for offer in self.offers if offer.available > 0})


def pool_of(country: str, operator_id: int, shard: int = 0) -> str:
    """The key under which an operator's free numbers are filed."""
    return f"{country}#{operator_id}#{shard}"


def dump_offers(offers: Iterable[Offer]) -> str:
    """The offers as the text that the stock item holds."""
    return json.dumps([asdict(offer) for offer in offers], ensure_ascii=False)


def load_offers(text: str) -> tuple[Offer, ...]:
    """The offers in the text of a stock item."""
    return tuple(Offer(**fields) for fields in json.loads(text))
