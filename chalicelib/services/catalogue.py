"""The catalogue: what there is to rent, and the count that everybody reads it from."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from chalicelib.domain import countries
from chalicelib.domain.money import Micros
from chalicelib.domain.pricing import PriceRule, marked_up, ruled
from chalicelib.domain.stock import Offer, Stock, pool_of
from chalicelib.domain.times import SECOND, Clock, Millis
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.services.offers import Elsewhere
from chalicelib.stores import catalogue, numbers, shards
from chalicelib.stores.catalogue import Operator
from chalicelib.stores.db import RefusedError

CACHED_FOR = 10 * SECOND
"""How long a process takes the stock that it has read to be the stock."""

_COUNTRY = "an ISO 3166-1 alpha-2 code, such as US"


@dataclass(frozen=True, slots=True)
class CountryOffer:
    """What a country (ISO 3166-1 alpha-2) has: its free numbers, and the lowest price of an SMS."""

    country: str
    country_name: str
    available: int
    price: Micros


class Catalogue:
    """The stock as it was last counted, and the counting."""

    def __init__(self, clock: Clock, elsewhere: Elsewhere | None = None) -> None:
        self._clock = clock
        self._elsewhere = elsewhere or Elsewhere((), {})
        self._lock = Lock()
        self._read: tuple[Millis, Stock] | None = None

    def stock(self) -> Stock:
        """The stock as it was last counted, at most CACHED_FOR later than that was written."""
        with self._lock:
            now = self._clock()
            if self._read is None or not 0 <= now - self._read[0] < CACHED_FOR:
                self._read = now, catalogue.stock()
            return self._read[1]

    def count_stock(self) -> Stock:
        """Count the free numbers of every operator into the stock item: the job of each minute.

        What other servers offer goes in beside them, and operators that they name are added.
        Two at once write the same, or the one that began later wins. The index that is counted
        may be a moment behind the numbers; the next count sees what this one missed.
        """
        now = self._clock()
        rules, operators = self.price_rules(), self.operators()
        bought, new_operators = self._elsewhere.gather(operators)
        for operator in new_operators:
            catalogue.put_operator(operator)
        own = [_counted(operator, rules) for operator in (*operators, *new_operators)]
        stock = Stock(now, (*own, *bought))
        try:
            catalogue.put_stock(stock)
        except RefusedError:
            stock = catalogue.stock()
        with self._lock:
            self._read = self._clock(), stock
        return stock

    def listing(self, country: str | None = None, *, markup: int = 0) -> list[CountryOffer]:
        """The countries that have stock in order of their codes, or only `country`.

        Prices are with a manager's `markup`, in hundredths of a percent.

        Source: getNumbers in spec B. Raises InvalidInputError if there is no such country.
        """
        wanted = None if country is None else self.checked_country(country)
        found: dict[str, list[Offer]] = {}
        for offer in self.stock().offers:
            if offer.available > 0 and wanted in (None, offer.country):
                found.setdefault(offer.country, []).append(offer)
        return [_country_offer(offers, markup) for _, offers in sorted(found.items())]

    @staticmethod
    def checked_country(text: object) -> str:
        """The alpha-2 code that `text` names, in upper case.

        Raises MissingInputError or InvalidInputError, naming `country`.
        """
        if text is None or (isinstance(text, str) and not text.strip()):
            raise MissingInputError("country", _COUNTRY)
        country = countries.find(text) if isinstance(text, str) else None
        if country is None:
            raise InvalidInputError("country", _COUNTRY)
        return country.code

    @staticmethod
    def operators() -> list[Operator]:
        """Every operator of every country, in order of country and id, as it is now."""
        found, start = catalogue.operators()
        while start is not None:
            more, start = catalogue.operators(start)
            found += more
        return sorted(found, key=lambda operator: (operator.country, operator.operator_id))

    @staticmethod
    def price_rules() -> list[PriceRule]:
        """Every price that the admin has set, as it is now."""
        found, start = catalogue.prices()
        while start is not None:
            more, start = catalogue.prices(start)
            found += more
        return found


def _counted(operator: Operator, rules: Sequence[PriceRule]) -> Offer:
    country = countries.find(operator.country)
    price, service_prices = ruled(operator.country, operator.operator_id, operator.price, rules)
    return Offer(
        country=operator.country,
        country_name=country.name if country is not None else operator.country,
        operator_id=operator.operator_id,
        operator_name=operator.name,
        price=price,
        available=sum(
            _count(pool_of(operator.country, operator.operator_id, shard))
            for shard in range(shards.FREE)
        ),
        service_prices=service_prices,
    )


def _count(pool: str) -> int:
    total, start = numbers.count_free(pool)
    while start is not None:
        count, start = numbers.count_free(pool, start)
        total += count
    return total


def _country_offer(offers: list[Offer], markup: int) -> CountryOffer:
    return CountryOffer(
        country=offers[0].country,
        country_name=offers[0].country_name,
        available=sum(offer.available for offer in offers),
        price=marked_up(min(offer.price for offer in offers), markup),
    )
