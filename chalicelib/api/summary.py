"""Summaries: what was done in each minute, hour or day, by a user and by all of them."""

import re
from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.money import decimal
from chalicelib.domain.rollups import Counts, Unit
from chalicelib.domain.times import DAY, Millis, iso, parse_iso
from chalicelib.errors import InvalidInputError
from chalicelib.services.rollups import Summary

routes = Blueprint(__name__)

_MOMENT = "a date or an RFC 3339 moment from 2000 to 2099, such as 2023-06-15T15:30:00Z"
_FORM = re.compile(
    r"20\d\d-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII | re.IGNORECASE
)
_COUNTS = ("requested", "cancelled", "expired", "failed", "sms", "codes")
_SUMS = ("money_in", "charged", "refunded", "transferred", "markup")
_HOUSE_SUMS = (*_SUMS, "lost")


@route(routes, "/account/summary", "GET")
def account_summary(call: Call) -> Mapping[str, Any]:
    """What the caller did, in buckets of `bucket` between `from` and `to`."""
    _, user = caller.by_token(call)
    return _shown(platform().rollups.of_user(user.user_id, *_range(call)), _SUMS)


@route(routes, "/admin/summary", "GET")
def admin_summary(call: Call) -> Mapping[str, Any]:
    """What all users did; also what we lost to suppliers."""
    caller.check_admin(call)
    return _shown(platform().rollups.of_system(*_range(call)), _HOUSE_SUMS)


def _range(call: Call) -> tuple[Unit, Millis, Millis]:
    """The buckets' unit, and from when to when: the last 24 hours unless told."""
    text = call.query.get("bucket") or Unit.HOUR
    if text not in list(Unit):
        raise InvalidInputError("bucket", " or ".join(Unit))
    end = _moment(call, "to", platform().clock())
    return Unit(text), _moment(call, "from", Millis(end - DAY)), end


def _moment(call: Call, name: str, default: Millis) -> Millis:
    text = call.query.get(name, "").strip()
    if not text:
        return default
    try:
        if _FORM.fullmatch(text):
            return parse_iso(text.upper())
    except ValueError:
        pass  # it has the form, but there is no such day or hour
    raise InvalidInputError(name, _MOMENT)


def _shown(summary: Summary, sums: tuple[str, ...]) -> dict[str, Any]:
    return {
        "status": "success",
        "bucket": summary.unit,
        "from": iso(summary.start),
        "to": iso(summary.end),
        "active": summary.active,
        "totals": _counts(summary.totals, sums),
        "buckets": [{"start": iso(at), **_counts(counts, sums)} for at, counts in summary.buckets],
    }


def _counts(counts: Counts, sums: tuple[str, ...]) -> dict[str, Any]:
    return {
        **{name: getattr(counts, name) for name in _COUNTS},
        **{name: decimal(getattr(counts, name)) for name in sums},
    }
