"""Spec B: four calls that rent a number, read its SMS and give it back."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, parameters
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.code_reports import sms_id
from chalicelib.domain.money import decimal
from chalicelib.domain.rental import Message, Rental
from chalicelib.domain.times import Millis, iso, later
from chalicelib.services.inbox import LONGEST_WAIT_SECONDS

routes = Blueprint(__name__)

_SERVICE = "a name of at most 64 printable characters"
_RENTAL_ID = "the rental_id that rentNumber gave"


@route(routes, "/getNumbers", "GET")
def get_numbers(call: Call) -> Mapping[str, Any]:
    """Countries with free numbers, how many, and what an SMS costs there."""
    _, user = caller.of(call, call.query)
    markup = platform().accounts.markup_for(user)
    catalogue = platform().catalogue
    country = None
    if call.query.get("country"):
        country = catalogue.checked_country(call.query["country"])
    return {
        "status": "success",
        "numbers": [
            {
                "country": offer.country,
                "country_name": offer.country_name,
                "available": offer.available,
                "price_per_sms": decimal(offer.price),
            }
            for offer in catalogue.listing(country, markup=markup)
        ],
    }


@route(routes, "/rentNumber", "POST")
def rent_number(call: Call) -> Mapping[str, Any]:
    """A number for the caller, paid from their balance."""
    given = parameters.of(call)
    _, user = caller.of(call, given)
    manager = platform().accounts.manager_of(user)
    country = platform().catalogue.checked_country(given.get("country"))
    service = parameters.optional_text(given, "service", _SERVICE, most=64).casefold()
    request = parameters.idempotency_key(call, user.user_id, given)
    rental = platform().rentals.rent(user, country, service, request, manager=manager)
    return {
        "status": "success",
        "number": rental.phone_number,
        "rental_id": rental.rental_id,
        "expires_at": iso(rental.expires_at),
        "country": rental.country,
        **_standing(rental, rental.created_at),
    }


@route(routes, "/getSMS", "GET")
def get_sms(call: Call) -> Mapping[str, Any]:
    """The SMS of a rental; `wait` seconds long, at most 25, for the first one."""
    key, user = caller.of(call, call.query)
    rental_id = parameters.text(call.query, "rental_id", _RENTAL_ID)
    wait = parameters.whole_number(call.query, "wait", default=0, most=LONGEST_WAIT_SECONDS)
    rental = platform().inbox.read(
        user,
        rental_id,
        wait_until=later(call.received_at, seconds=wait),
        holder=key.key_hash,
    )
    return {
        "status": "success",
        "messages": [
            {"id": sms_id(rental.rental_id, position), **_message(message)}
            for position, message in enumerate(rental.messages)
        ],
        "number": rental.phone_number,
        "rental_id": rental.rental_id,
        "expires_at": iso(rental.expires_at),
        **_standing(rental, platform().clock()),
    }


@route(routes, "/cancelNumber", "POST")
def cancel_number(call: Call) -> Mapping[str, Any]:
    """Give a rental back; refunded in full if no SMS came."""
    given = parameters.of(call)
    _, user = caller.of(call, given)
    rental_id = parameters.text(given, "rental_id", _RENTAL_ID)
    request = parameters.idempotency_key(call, user.user_id, given)
    rental = platform().closings.cancel(user, rental_id, request)
    return {
        "status": "success",
        "message": "The rental is cancelled.",
        "rental_id": rental.rental_id,
        "refund_amount": decimal(rental.refund),
        **_standing(rental, rental.closed_at or rental.created_at),
    }


def _standing(rental: Rental, now: Millis) -> dict[str, Any]:
    """What is told beside the documented fields. `status` says whether the call went well, so
    the rental's own goes by `rental_status` (docs/decisions/005)."""
    return {
        "price": decimal(rental.price),
        "rental_status": rental.status_at(now),
        "can_cancel": rental.can_cancel(now),
        "cancel_after": rental.cancel_after,
    }


def _message(message: Message) -> dict[str, Any]:
    """An SMS. One that waits for money, or whose time is over, says so and has no text."""
    shown = {
        "sender": message.sender,
        "text": message.text if message.paid else "",
        "received_at": iso(message.received_at),
        "code": message.code if message.paid else None,
    }
    if message.purged:
        return {**shown, "purged": True}
    return shown if message.paid else {**shown, "unpaid": True}
