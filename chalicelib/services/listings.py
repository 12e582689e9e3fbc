"""The countries and operators that spec A's `init` lists: our own stock's, or another server's.

Operators have our ids wherever they come from, so that get-number understands them. Source:
client-api.txt; DESIGN.md, "HTTP surface".
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from chalicelib.domain.operators import operator_id, operator_key
from chalicelib.domain.times import DAY, MINUTE, Clock, Millis
from chalicelib.errors import BusyError, ConfigurationError, ServiceFetchError, UpstreamError
from chalicelib.services.catalogue import Catalogue
from chalicelib.settings import OWN_SOURCE, Settings
from chalicelib.stores import listings as store
from chalicelib.stores.db import RefusedError
from chalicelib.suppliers.contract import (
    Supplier,
    SupplierError,
    SupplierRefusedError,
    UpstreamCatalogue,
)

FRESH_FOR = MINUTE
"""How long a process takes what another server listed to be what it lists."""

SERVED_FOR = DAY
"""How long it is served, as stale, when that server can't be asked."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListedOperator:
    """An operator of a country (ISO 3166-1 alpha-2) that numbers can be asked of."""

    operator_id: int
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be asked for; `is_stale` if its source could not say whether it still can."""

    countries: tuple[str, ...]
    operators: tuple[ListedOperator, ...]
    is_stale: bool = False


class Listings:
    """Asks the source that the settings name."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        catalogue: Catalogue,
        suppliers: Mapping[str, Supplier],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._catalogue = catalogue
        self._suppliers = suppliers
        self._fetched: tuple[Millis, Listing] | None = None

    def current(self) -> Listing:
        """The listing as it is now, or as it was at most a day ago.

        Raises ConfigurationError without credentials for the source, UpstreamError with what it
        refused by, ServiceFetchError if it can't be asked.
        """
        source = self._settings.catalogue_source
        if source == OWN_SOURCE:
            return self._own()
        supplier = self._suppliers.get(source)
        if supplier is None or not self._lists(source):
            log.error("SESAME_CATALOGUE_SOURCE: %r is no supplier that lists a catalogue", source)
            raise ConfigurationError
        now = self._clock()
        if self._fetched is not None and 0 <= now - self._fetched[0] < FRESH_FOR:
            return self._fetched[1]
        try:
            listing = _listing_of(supplier.catalogue())
        except SupplierError as error:
            log.warning("no catalogue from %s", error)
            return self._without(source, error, now)
        self._fetched = now, listing
        _keep(source, listing, now)
        return listing

    def _own(self) -> Listing:
        try:
            offers = [offer for offer in self._catalogue.stock().offers if offer.available > 0]
        except BusyError:
            raise ServiceFetchError from None
        operators = {
            offer.operator_id: ListedOperator(offer.operator_id, offer.operator_name, offer.country)
            for offer in offers
        }
        found = sorted({offer.country for offer in offers})
        return Listing(tuple(found), tuple(operators.values()))

    def _without(self, source: str, error: SupplierError, now: Millis) -> Listing:
        """What is served when the source did not list anything. Raises what is said instead."""
        if error.answer is not None and error.answer.status < 600:
            retry_after = error.retry_after if isinstance(error, SupplierRefusedError) else None
            raise UpstreamError(error.answer.status, error.answer.message, retry_after=retry_after)
        kept = max(filter(None, (self._fetched, _kept(source))), default=None, key=_when)
        if kept is None or now - kept[0] > SERVED_FOR:
            raise ServiceFetchError
        return replace(kept[1], is_stale=True)

    def _lists(self, source: str) -> bool:
        return any(s.name == source and s.kind == "main" for s in self._settings.suppliers)


def _listing_of(found: UpstreamCatalogue) -> Listing:
    known = {c.upstream_id: c.country for c in found.countries if c.country is not None}
    taken: dict[int, tuple[str, str]] = {}
    operators: dict[int, ListedOperator] = {}
    for operator in found.operators:
        country = known.get(operator.upstream_country)
        if country is not None:
            number = operator_id(country, operator.name, taken)
            taken[number] = operator_key(country, operator.name)
            operators.setdefault(number, ListedOperator(number, operator.name, country))
    return Listing(tuple(sorted(set(known.values()))), tuple(operators.values()))


def _keep(source: str, listing: Listing, now: Millis) -> None:
    text = json.dumps(asdict(listing), ensure_ascii=False)
    if len(text.encode()) > store.MOST_BYTES:
        log.warning("the catalogue of %s is too large to be kept", source)
        return
    try:
        store.put(source, text, now)
    except (RefusedError, BusyError):
        log.info("the catalogue of %s was not kept", source)


def _kept(source: str) -> tuple[Millis, Listing] | None:
    try:
        found = store.get(source)
    except BusyError:
        return None
    if found is None:
        return None
    fields = json.loads(found[1])
    operators = tuple(ListedOperator(**operator) for operator in fields["operators"])
    return found[0], Listing(tuple(fields["countries"]), operators)


def _when(fetched: tuple[Millis, Listing]) -> Millis:
    return fetched[0]
