"""Any server that speaks spec B (rental-api.txt): another Sesame too."""

from dataclasses import replace
from decimal import Decimal

from chalicelib.domain.times import DAY, Clock, Millis
from chalicelib.outbound import Fetch
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers import fields
from chalicelib.suppliers.contract import (
    Cancelled,
    Reason,
    SupplierMessage,
    SupplierNumber,
    SupplierOffer,
    SupplierRefusedError,
    UpstreamCatalogue,
)
from chalicelib.suppliers.fields import Fields, JunkError
from chalicelib.suppliers.upstream import CALL_SECONDS, Call, Upstream

MOST_MESSAGES = 100
MOST_TEXT = 4_000
MOST_SENDER = 256
MOST_ID = 255
LONGEST_RENTAL = 366 * DAY


class PartnerSupplier:
    """A spec B server, asked over HTTP. Its SMS are polled."""

    needs_polling = True
    can_cancel = True

    def __init__(
        self,
        config: SupplierConfig,
        fetch: Fetch,
        clock: Clock,
        *,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self.name = config.name
        self._key = {"api_key": config.key}
        self._clock = clock
        self._upstream = Upstream(config, fetch, clock, call_seconds=call_seconds)

    def offers(self) -> list[SupplierOffer]:
        """Its countries, the cheaper entry where it lists one twice."""
        return self._upstream.read(Call("GET", "/getNumbers", params=self._key), _offers)

    def rent(
        self,
        country: str,
        service: str,
        upstream_operator: int | None,
        key: str,
        *,
        within: float | None = None,
    ) -> SupplierNumber:
        """Rent a number; see the contract. Spec B has no operators."""
        if upstream_operator is not None:
            raise SupplierRefusedError(self.name, Reason.UNSUPPORTED)
        asked = {**self._key, "country": country, **({"service": service} if service else {})}
        call = Call(
            "POST",
            "/rentNumber",
            json=asked,
            headers={"Idempotency-Key": key},
            not_found=Reason.NO_NUMBERS,
        )
        return self._upstream.act(
            call,
            lambda found: _rented(found, country, self._clock()),
            repeatable=True,
            within=within,
        )

    def messages(self, upstream_id: str) -> list[SupplierMessage]:
        """The rental's SMS so far, in its order."""
        call = Call("GET", "/getSMS", params={**self._key, "rental_id": upstream_id})
        return self._upstream.read(call, lambda found: _messages(found, self._clock()))

    def cancel(self, upstream_id: str, *, within: float | None = None) -> Cancelled:
        """Give the number back. By the protocol a second cancel does nothing more."""
        call = Call("POST", "/cancelNumber", json={**self._key, "rental_id": upstream_id})
        return self._upstream.act(
            call,
            lambda found: _cancelled(found, upstream_id),
            repeatable=True,
            within=within,
        )

    def catalogue(self) -> UpstreamCatalogue:
        """Nothing: spec B lists no operators."""
        return UpstreamCatalogue()


def _offers(found: Fields) -> list[SupplierOffer]:
    cheapest: dict[str, SupplierOffer] = {}
    for entry in fields.items(found, "numbers"):
        country = fields.country(entry, "country")
        offer = SupplierOffer(
            country=country or "",
            operator_name="",
            upstream_operator=None,
            available=fields.whole(entry, "available"),
            cost=fields.amount(entry, "price_per_sms"),
        )
        known = cheapest.get(offer.country)
        if country is not None and (known is None or offer.cost < known.cost):
            cheapest[country] = offer
    return list(cheapest.values())


def _rented(found: Fields, country: str, now: Millis) -> SupplierNumber:
    upstream_id = fields.line(found, "rental_id", most=MOST_ID)
    try:
        return _number(found, upstream_id, country, now)
    except JunkError as error:
        raise JunkError(error.where, upstream_id) from None


def _number(found: Fields, upstream_id: str, country: str, now: Millis) -> SupplierNumber:
    expires_at = fields.moment(found, "expires_at")
    if not now < expires_at <= now + LONGEST_RENTAL:
        raise JunkError("expires_at")
    if fields.country(found, "country") != country:
        raise JunkError("country")
    number = SupplierNumber(upstream_id, fields.number(found, "number", of=country), expires_at)
    # Not in the document, but a Sesame says what it took.
    if isinstance(found.get("price"), int | Decimal):
        return replace(number, cost=fields.amount(found, "price"))
    return number


def _messages(found: Fields, now: Millis) -> list[SupplierMessage]:
    made = []
    for entry in fields.items(found, "messages")[:MOST_MESSAGES]:
        # A Sesame withholds a text that our balance there can't pay, and shows it later.
        if entry.get("unpaid") is True:
            break
        made.append(
            SupplierMessage(
                sender=fields.prose(entry, "sender", most=MOST_SENDER),
                text=fields.prose(entry, "text", most=MOST_TEXT),
                received_at=min(now, fields.moment(entry, "received_at")),
            )
        )
    return made


def _cancelled(found: Fields, upstream_id: str) -> Cancelled:
    if found.get("rental_id", upstream_id) != upstream_id:
        raise JunkError("rental_id")
    return Cancelled(refunded=fields.amount(found, "refund_amount") > 0)
