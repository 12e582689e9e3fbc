"""A user's own API keys. An answer that holds one is told once and never replayed."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.api import caller, fields, parameters, rendering
from chalicelib.api.edge import Call, route
from chalicelib.bootstrap import platform
from chalicelib.services.key_ring import MOST_OVERLAP_SECONDS, OVERLAP_SECONDS

routes = Blueprint(__name__)

LABEL = "at most 64 printable characters"
MOST_LABEL = 64


@route(routes, "/account/keys", "GET")
def list_keys(call: Call) -> Mapping[str, Any]:
    """The caller's live keys, the oldest first."""
    _, user = caller.by_token(call)
    found = platform().key_ring.live(user.user_id)
    return {"status": "success", "keys": [rendering.key(key) for key in found]}


@route(routes, "/account/keys", "POST")
def issue_key(call: Call) -> Mapping[str, Any]:
    """A further key, in clear this once."""
    _, user = caller.by_token(call)
    given = fields.of(call, "label")
    label = parameters.optional_text(given, "label", LABEL, most=MOST_LABEL)
    issued = platform().key_ring.issue(user.user_id, label)
    return {"status": "success", "api_key": issued.text, "key": rendering.key(issued.key)}


@route(routes, "/account/keys/{prefix}", "DELETE")
def revoke_key(call: Call) -> Mapping[str, Any]:
    """End a key, be it the one that calls."""
    _, user = caller.by_token(call)
    revoked = platform().key_ring.revoke(user.user_id, call.path["prefix"])
    return {"status": "success", "key": rendering.key(revoked)}


@route(routes, "/account/keys/{prefix}/rotate", "POST")
def rotate_key(call: Call) -> Mapping[str, Any]:
    """A new key in place of one, which works on for `overlap` seconds."""
    _, user = caller.by_token(call)
    given = fields.of(call, "overlap")
    overlap = parameters.whole_number(
        given, "overlap", default=OVERLAP_SECONDS, most=MOST_OVERLAP_SECONDS
    )
    issued = platform().key_ring.rotate(user.user_id, call.path["prefix"], overlap=overlap)
    return {"status": "success", "api_key": issued.text, "key": rendering.key(issued.key)}
