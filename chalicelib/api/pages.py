"""Pages and probes that need no key."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.edge import Body, Call, route

routes = Blueprint(__name__)

_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


@route(routes, "/", "GET")
def index(_call: Call) -> Body:
    """The front page: what this is and how to call it."""
    page = resources.files("chalicelib.web").joinpath("index.html").read_text(encoding="utf-8")
    return Body(page, "text/html; charset=utf-8", _SECURITY)


@route(routes, "/health", "GET")
def health(_call: Call) -> Mapping[str, Any]:
    """Whether the API Lambda runs. Reads nothing, so that probes cost nothing."""
    return {"status": "ok"}
