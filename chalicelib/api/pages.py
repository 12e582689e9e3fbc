"""Pages and probes that need no key."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.edge import Body, Call, route

routes = Blueprint(__name__)

_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


@route(routes, "/", "GET")
def index(_call: Call) -> Body:
    """The front page: an account behind its key, and how to call the API."""
    return _file("index.html", "text/html; charset=utf-8")


@route(routes, "/account.js", "GET")
def script(_call: Call) -> Body:
    """What the front page does."""
    return _file("account.js", "text/javascript; charset=utf-8")


@route(routes, "/account.css", "GET")
def style(_call: Call) -> Body:
    """What the front page looks like."""
    return _file("account.css", "text/css; charset=utf-8")


@route(routes, "/health", "GET")
def health(_call: Call) -> Mapping[str, Any]:
    """Whether the API Lambda runs. Reads nothing, so that probes cost nothing."""
    return {"status": "ok"}


def _file(name: str, content_type: str) -> Body:
    text = resources.files("chalicelib.web").joinpath(name).read_text(encoding="utf-8")
    return Body(text, content_type, _SECURITY)
