"""What other servers offer, at the prices that we sell it for."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.domain import countries
from chalicelib.domain.operators import ANY, operator_id, operator_key
from chalicelib.domain.pricing import marked_up
from chalicelib.domain.stock import Offer
from chalicelib.settings import SupplierConfig
from chalicelib.stores.catalogue import Operator
from chalicelib.suppliers.contract import Supplier, SupplierError, SupplierOffer

MOST_BYTES = 120_000
"""What the offers of others may take of the stock item, which holds 400 kB: their operators come
into it once more, with our own."""

_OFFER_BYTES = 250
"""An offer but for its operator's name, as the item has it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The offers of all suppliers: each asked beside the others, so that none holds up another."""

    configs: Sequence[SupplierConfig]
    suppliers: Mapping[str, Supplier]

    def gather(self, operators: Iterable[Operator]) -> tuple[list[Offer], list[Operator]]:
        """What they offer within their cost caps, and the operators that are not known here yet.

        A supplier that does not answer offers nothing until the next count.
        """
        if not self.configs:
            return [], []
        known = {o.operator_id: operator_key(o.country, o.name) for o in operators}
        with ThreadPoolExecutor(len(self.configs)) as pool:
            listings = list(pool.map(self._listing, self.configs))
        offers: list[Offer] = []
        new: list[Operator] = []
        for config, found in _chosen(self.configs, listings):
            country = countries.find(found.country)
            if country is None:
                continue
            name = found.operator_name or ANY
            price = marked_up(found.cost, config.markup)
            number = operator_id(country.code, name, known)
            if number not in known:
                known[number] = operator_key(country.code, name)
                new.append(Operator(number, country.code, name, price))
            offers.append(
                Offer(
                    country=country.code,
                    country_name=country.name,
                    operator_id=number,
                    operator_name=name,
                    price=price,
                    available=found.available,
                    supplier=config.name,
                    cost=found.cost,
                    upstream_operator=found.upstream_operator,
                )
            )
        return offers, new

    def _listing(self, config: SupplierConfig) -> list[SupplierOffer]:
        try:
            return self.suppliers[config.name].offers()
        except SupplierError as error:
            log.warning("no offers from %s", error)
            return []


def _chosen(
    configs: Sequence[SupplierConfig], listings: Sequence[list[SupplierOffer]]
) -> list[tuple[SupplierConfig, SupplierOffer]]:
    """What is taken in, where that is not all: some of every country before more of any."""
    ranked: list[tuple[int, SupplierConfig, SupplierOffer]] = []
    for config, listing in zip(configs, listings, strict=True):
        seen: Counter[str] = Counter()
        for offer in sorted(listing, key=lambda offer: offer.cost):
            if offer.cost <= config.cost_cap:
                ranked.append((seen[offer.country], config, offer))
                seen[offer.country] += 1
    chosen: list[tuple[SupplierConfig, SupplierOffer]] = []
    left = MOST_BYTES
    for _, config, offer in sorted(ranked, key=lambda each: each[0]):
        left -= _OFFER_BYTES + len(offer.operator_name.encode())
        if left < 0:
            log.warning("%d offers of others are left out", len(ranked) - len(chosen))
            break
        chosen.append((config, offer))
    return chosen
