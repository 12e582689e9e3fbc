"""Any server that speaks spec A (client-api.txt): numbers by country and operator.

It lists neither prices nor counts, posts its SMS to our webhook, and takes nothing back.
"""

import re
import time
from collections.abc import Iterator
from urllib.parse import quote

from chalicelib.domain import countries
from chalicelib.domain.money import NOTHING
from chalicelib.domain.phone import calling_code
from chalicelib.domain.times import MINUTE, Clock, Millis
from chalicelib.outbound import Fetch
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers import fields
from chalicelib.suppliers.contract import (
    Cancelled,
    Reason,
    SupplierJunkError,
    SupplierMessage,
    SupplierNumber,
    SupplierOffer,
    SupplierRefusedError,
    SupplierUnavailableError,
    UpstreamCatalogue,
    UpstreamCountry,
    UpstreamOperator,
)
from chalicelib.suppliers.fields import Fields, JunkError
from chalicelib.suppliers.upstream import CALL_SECONDS, Call, Upstream

CATALOGUE_AGE = 10 * MINUTE
"""How long a catalogue tells which of a server's ids stands for a country that is rented."""

PRESUMED_AVAILABLE = 1
"""What an operator that is listed has at least."""

MOST_NAME = 100
MOST_ID = 10**12 - 1

_CODE_FIELDS = ("code", "iso", "iso2", "iso_code", "country_code", "alpha2")
_BY_NAME = {
    country.name.casefold(): country.code
    for country in map(countries.by_id, range(1_000))
    if country is not None
}


class MainSupplier:
    """A spec A server, asked over HTTP."""

    needs_polling = False
    can_cancel = False

    def __init__(
        self,
        config: SupplierConfig,
        fetch: Fetch,
        clock: Clock,
        *,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self.name = config.name
        self._cost = config.cost if config.cost is not None else NOTHING
        self._key = quote(config.key, safe="")
        self._clock = clock
        self._upstream = Upstream(config, fetch, clock, call_seconds=call_seconds)
        self._known: tuple[Millis, UpstreamCatalogue] | None = None

    def offers(self) -> list[SupplierOffer]:
        """Its operators, or its country as a whole where it lists none, at the configured cost."""
        listed = self.catalogue()
        offers: dict[tuple[str, int | None], SupplierOffer] = {}
        for country, operator in _sold(listed):
            upstream_id = operator.upstream_id if operator is not None else None
            name = operator.name if operator is not None else ""
            offer = SupplierOffer(country, name, upstream_id, PRESUMED_AVAILABLE, self._cost)
            offers.setdefault((country, upstream_id), offer)
        return list(offers.values())

    def rent(
        self,
        country: str,
        service: str,  # noqa: ARG002  (spec A's numbers are for any service)
        upstream_operator: int | None,
        key: str,
        *,
        within: float | None = None,
    ) -> SupplierNumber:
        """Rent a number; see the contract. The number itself is the rental's id there.

        The protocol knows no Idempotency-Key, so what may have been done is not asked again; the
        key goes along for a Sesame.
        """
        seconds = self._upstream.call_seconds if within is None else within
        ends = time.monotonic() + seconds
        asked = self._where(country, upstream_operator, within=seconds)
        call = Call(
            "GET",
            f"/api/get-number/{self._key}",
            params={**asked, "number_format": "full"},
            headers={"Idempotency-Key": key},
            not_found=Reason.NO_NUMBERS,
        )

        def rented(found: Fields) -> SupplierNumber:
            number = fields.number(_data(found), "phone_number", of=country)
            return SupplierNumber(number, number, None, self._cost)

        return self._upstream.act(call, rented, repeatable=False, within=ends - time.monotonic())

    def messages(self, upstream_id: str) -> list[SupplierMessage]:  # noqa: ARG002
        """None: it posts them."""
        return []

    def cancel(
        self,
        upstream_id: str,  # noqa: ARG002
        *,
        within: float | None = None,  # noqa: ARG002
    ) -> Cancelled:
        """Refused: the protocol has no such call."""
        raise SupplierRefusedError(self.name, Reason.UNSUPPORTED)

    def catalogue(self) -> UpstreamCatalogue:
        """Its countries and operators as it lists them now."""
        return self._fetch_catalogue(None)

    def _fetch_catalogue(self, within: float | None) -> UpstreamCatalogue:
        listed = self._upstream.read(
            Call("GET", f"/api/init/{self._key}"), _catalogue, within=within
        )
        self._known = self._clock(), listed
        return listed

    def _where(
        self, country: str, upstream_operator: int | None, *, within: float
    ) -> dict[str, str]:
        """The parameters that name a country and operator there."""
        known = self._known
        if known is None or self._clock() - known[0] > CATALOGUE_AGE:
            try:
                listed = self._fetch_catalogue(within)
            except SupplierJunkError as error:
                raise SupplierUnavailableError(self.name, error.why) from None
        else:
            listed = known[1]
        theirs = [entry.upstream_id for entry in listed.countries if entry.country == country]
        if upstream_operator is None and theirs:
            return {"country_id": str(theirs[0])}
        for operator in listed.operators:
            if operator.upstream_id == upstream_operator and operator.upstream_country in theirs:
                return {
                    "country_id": str(operator.upstream_country),
                    "operator_id": str(upstream_operator),
                }
        raise SupplierRefusedError(self.name, Reason.NO_NUMBERS)


def _sold(listed: UpstreamCatalogue) -> Iterator[tuple[str, UpstreamOperator | None]]:
    """Each country that we know with each of its operators, or with None if it has none."""
    for country in listed.countries:
        if country.country is None:
            continue
        theirs = [o for o in listed.operators if o.upstream_country == country.upstream_id]
        yield from ((country.country, operator) for operator in theirs)
        if not theirs:
            yield country.country, None


def _data(found: Fields) -> Fields:
    data = found.get("data")
    if not isinstance(data, dict):
        raise JunkError("data")
    return data


def _catalogue(found: Fields) -> UpstreamCatalogue:
    data = _data(found)
    listed = [_country(entry) for entry in fields.items(data, "countries")]
    known = {country.upstream_id: country for country in reversed(listed)}
    operators = [
        UpstreamOperator(
            upstream_id=fields.whole(entry, "id", most=MOST_ID),
            name=fields.line(entry, "name", most=MOST_NAME),
            upstream_country=fields.whole(entry, "country_id", most=MOST_ID),
        )
        for entry in fields.items(data, "operators")
    ]
    first = {operator.upstream_id: operator for operator in reversed(operators)}
    return UpstreamCatalogue(
        countries=tuple(country for country in listed if known[country.upstream_id] is country),
        operators=tuple(
            operator
            for operator in operators
            if first[operator.upstream_id] is operator and operator.upstream_country in known
        ),
    )


def _country(entry: Fields) -> UpstreamCountry:
    name = fields.line(entry, "name", most=MOST_NAME)
    phone_code = fields.line(entry, "phone_code", most=16)
    return UpstreamCountry(
        upstream_id=fields.whole(entry, "id", most=MOST_ID),
        name=name,
        phone_code=phone_code,
        country=_alpha2(entry, name, re.sub(r"\D", "", phone_code)),
    )


def _alpha2(entry: Fields, name: str, phone_code: str) -> str | None:
    """The country that an entry means: by a code if it has one, else by its name.

    The ids are each server's own. None if its calling code is that of another country.
    """
    given = [str(entry[field]) for field in _CODE_FIELDS if isinstance(entry.get(field), str)]
    codes = [country.code for country in map(countries.find, given) if country is not None]
    code = next(iter(codes), None) or _BY_NAME.get(name.casefold())
    if code is None:
        return None
    expected = calling_code(code)
    agrees = phone_code.startswith(expected) or expected.startswith(phone_code)
    return code if phone_code and agrees else None
