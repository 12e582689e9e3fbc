"""Which providers send to a country, in which order, and what that costs.

    routes  {"*": ["twilio:main", "vonage:main"], "GB": ["aws:eu"]}
    prices  {"*": {"sms": "0.05", "voice_sms": "0.1"}, "US": {"sms": "0.01"}}

`*` is every country that is not named. A country without routes is not sent to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.countries import find
from chalicelib.domain.money import Micros, parse_amount
from chalicelib.domain.otp import Channel
from chalicelib.errors import InvalidInputError

ELSEWHERE = "*"
MOST_ROUTES = 5
"""Providers asked in a row: together they must be done while one Lambda lives."""

_COUNTRIES = "countries (alpha-2, or *)"


@dataclass(frozen=True, slots=True)
class Route:
    """An account of ours at a provider."""

    provider: str
    account: str


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of each country (alpha-2, or `*`), the first choice first."""

    by_country: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)

    def to(self, country: str) -> tuple[Route, ...]:
        """The routes to `country`, in order; none if it is not sent to."""
        return self.by_country.get(country, self.by_country.get(ELSEWHERE, ()))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a segment of an SMS, or a call, costs in each country (alpha-2, or `*`)."""

    by_country: Mapping[str, Mapping[Channel, Micros]] = field(default_factory=dict)

    def price(self, country: str, channel: Channel) -> Micros | None:
        """The price of a segment, or of a call; None if it is not for sale."""
        for where in (country, ELSEWHERE):
            price = self.by_country.get(where, {}).get(channel)
            if price is not None:
                return price
        return None


def parse_routes(found: object) -> Routes:
    """The routes in a JSON object. Raises InvalidInputError."""
    by_country = {}
    for country, names in _countries(found, "routes").items():
        if not isinstance(names, list) or not 0 < len(names) <= MOST_ROUTES:
            raise InvalidInputError(country, f"1 to {MOST_ROUTES} routes in a list")
        by_country[country] = tuple(_route(country, name) for name in names)
    return Routes(by_country)


def parse_tariff(found: object) -> Tariff:
    """The prices in a JSON object. Raises InvalidInputError."""
    channels = ", ".join(Channel)
    by_country = {}
    for country, prices in _countries(found, "prices").items():
        if not isinstance(prices, dict) or not prices.keys() <= set(Channel):
            raise InvalidInputError(country, f"an object with prices of {channels}")
        by_country[country] = {
            Channel(name): parse_amount(price if isinstance(price, str) else "", field=country)
            for name, price in prices.items()
        }
    return Tariff(by_country)


def _countries(found: object, what: str) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise InvalidInputError(what, f"a JSON object of {_COUNTRIES}")
    by_country = {country.upper(): value for country, value in found.items()}
    known = all(country == ELSEWHERE or _is_country(country) for country in by_country)
    if not known or len(by_country) < len(found):
        raise InvalidInputError(what, _COUNTRIES)
    return by_country


def _is_country(code: str) -> bool:
    # Two-letter codes that stand for another country would never be looked up.
    found = find(code) if len(code) == 2 else None
    return found is not None and found.code == code


def _route(country: str, name: object) -> Route:
    provider, colon, account = (name if isinstance(name, str) else "").partition(":")
    if not (colon and provider and account):
        raise InvalidInputError(country, "routes such as twilio:main")
    return Route(provider, account)
