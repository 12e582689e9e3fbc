"""What a user's own account has seen: the ledger, rentals, deliveries, in pages."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, paging, rendering
from chalicelib.api.edge import Body, Call, route
from chalicelib.api.paging import Paging
from chalicelib.bootstrap import platform
from chalicelib.domain.money import UNIT, Micros, decimal
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.times import Millis, iso
from chalicelib.errors import InvalidInputError
from chalicelib.services.history import Line, Place

routes = Blueprint(__name__)

COLUMNS = ("entry_id", "at", "kind", "amount", "reference", "balance_after")
ORDERS = ("desc", "asc")
FORMATS = ("json", "csv")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@route(routes, "/account/ledger", "GET")
def list_ledger(call: Call) -> Body | Mapping[str, Any]:
    """A statement of the caller's ledger: each movement, and the balance that it led to."""
    _, user = caller.by_token(call)
    order = _chosen(call, "order", ORDERS)
    form = _chosen(call, "format", FORMATS)
    page = paging.of(call, user.user_id, order)
    lines, place = platform().history.statement(
        user.user_id, newest_first=order == "desc", limit=page.limit, place=_place_of(page)
    )
    cursor = page.cursor(place.entry_id, place.total, place.as_of) if place is not None else None
    if form == "csv":
        headers = {"Content-Disposition": 'attachment; filename="ledger.csv"'}
        headers |= {"X-Next-Cursor": cursor} if cursor is not None else {}
        return Body(_csv(lines), "text/csv; charset=utf-8", headers)
    return {
        "status": "success",
        "entries": [_entry(line) for line in lines],
        "next_cursor": cursor,
    }


@route(routes, "/account/rentals", "GET")
def list_rentals(call: Call) -> Mapping[str, Any]:
    """The caller's rentals, the newest first."""
    _, user = caller.by_token(call)
    status = _chosen(call, "status", ("", *RentalStatus))
    page = paging.of(call, user.user_id, status)
    rentals, start = platform().history.rentals(
        user.user_id,
        limit=page.limit,
        before=page.start,
        status=RentalStatus(status) if status else None,
    )
    now = platform().clock()
    return {
        "status": "success",
        "rentals": [_rental(rental, now) for rental in rentals],
        "next_cursor": page.cursor(start),
    }


@route(routes, "/account/deliveries", "GET")
def list_deliveries(call: Call) -> Mapping[str, Any]:
    """The caller's webhook deliveries, the newest first."""
    _, user = caller.by_token(call)
    page = paging.of(call, user.user_id)
    found, start = platform().history.deliveries(user.user_id, limit=page.limit, before=page.start)
    return {
        "status": "success",
        "deliveries": [rendering.delivery(delivery) for delivery in found],
        "next_cursor": page.cursor(start),
    }


def _chosen(call: Call, name: str, choices: Sequence[str]) -> str:
    """One of `choices`, the first unless told. Raises InvalidInputError naming it."""
    text = call.query.get(name) or choices[0]
    if text not in choices:
        raise InvalidInputError(name, f"one of {', '.join(filter(None, choices))}")
    return text


def _place_of(page: Paging) -> Place | None:
    if page.position is None:
        return None
    entry_id, total, as_of = page.position
    known = Micros(total) if isinstance(total, int) else None
    return Place(str(entry_id), known, Millis(int(as_of or 0)))


def _entry(line: Line) -> dict[str, Any]:
    after = line.balance_after
    return {
        "entry_id": line.entry.entry_id,
        "at": iso(line.entry.at),
        "kind": line.entry.kind,
        "amount": decimal(line.entry.amount),
        "reference": line.entry.reference,
        "balance_after": decimal(after) if after is not None else None,
    }


def _csv(lines: Sequence[Line]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for line in lines:
        shown = _entry(line)
        for name in ("entry_id", "kind", "reference"):
            shown[name] = _harmless(shown[name])
        shown["amount"] = _exact(line.entry.amount)
        after = line.balance_after
        shown["balance_after"] = _exact(after) if after is not None else ""
        writer.writerow(shown[name] for name in COLUMNS)
    return text.getvalue()


def _harmless(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula."""
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def _exact(amount: Micros) -> str:
    sign, whole = "-" if amount < 0 else "", abs(amount)
    return f"{sign}{whole // UNIT}.{whole % UNIT:06d}"


def _rental(rental: Rental, now: Millis) -> dict[str, Any]:
    return {
        "rental_id": rental.rental_id,
        "number": rental.phone_number or None,
        "country": rental.country,
        "service": rental.service,
        "price": decimal(rental.price),
        "rental_status": rental.status_at(now),
        "created_at": iso(rental.created_at),
        "expires_at": iso(rental.expires_at),
        "closed_at": rendering.moment(rental.closed_at),
        "refund_amount": decimal(rental.refund),
        "message_count": rental.message_count,
    }
