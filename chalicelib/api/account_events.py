"""A user's feed: every event that they were told of, in order, whether a webhook came or not."""

import json
from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, parameters
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.domain.cursors import seal, unseal
from chalicelib.domain.events import PastEvent
from chalicelib.domain.ids import UserId
from chalicelib.domain.times import iso
from chalicelib.errors import InvalidInputError

routes = Blueprint(__name__)

MOST = 100
_USUAL = 50


@route(routes, "/account/events", "GET")
def list_events(call: Call) -> Mapping[str, Any]:
    """The caller's events after a cursor, the oldest first. The cursor is good for ever."""
    _, user = caller.by_token(call)
    limit = parameters.whole_number(call.query, "limit", default=_USUAL, most=MOST)
    if limit == 0:
        raise InvalidInputError("limit", f"a whole number from 1 to {MOST}")
    after = _position(call, user.user_id)
    found, position, more = platform().feed.read(user.user_id, after, limit=limit)
    return {
        "status": "success",
        "events": [_event(event) for event in found],
        "cursor": seal(platform().settings.secrets.pepper, _scope(user.user_id), (position,)),
        "has_more": more,
    }


def _position(call: Call, user_id: UserId) -> str:
    """The event that the caller goes on from, "" for the beginning."""
    cursor = call.query.get("after")
    if not cursor:
        return ""
    try:
        (position,) = unseal(platform().settings.secrets.pepper, _scope(user_id), cursor)
    except InvalidInputError:
        raise InvalidInputError("after", "a cursor that this list gave") from None
    return str(position)


def _scope(user_id: UserId) -> str:
    # Not how it was asked for: a cursor is kept, and the limit may change.
    return f"events\0{user_id}"


def _event(event: PastEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "type": event.type,
        "at": iso(event.at),
        "data": json.loads(event.body)["data"],
    }
