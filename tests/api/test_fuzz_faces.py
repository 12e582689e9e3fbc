"""Whatever is sent to the faces beside the rental API: never a 5xx, and a refusal says why."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from chalice.test import Client, HTTPResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from app import app
from chalicelib.services.administration import Placement
from tests.api.test_fuzz import ANY_TEXT, FUZZ, JSON, WELL_FORMED
from tests.world import World

# Those that test_fuzz.py fuzzes with genuine signatures and rentals.
ELSEWHERE = ("/getNumbers", "/getSMS", "/rentNumber", "/cancelNumber", "/inbound/", "/v1/")
ROUTES = [
    (method, path)
    for path, entries in sorted(app.routes.items())
    for method in sorted(entries)
    if not path.startswith(ELSEWHERE)
]
FIELDS = (
    *("login", "name", "confirm", "label", "overlap", "amount", "reference", "markup", "price"),
    *("webhook_url", "webhook_events", "number_format", "time_zone", "manager_id", "is_manager"),
    *("country", "operator_id", "service", "cursor", "limit", "order", "format", "status", "fate"),
    *("state", "from", "to", "bucket", "user_id", "country_id"),
)
USUAL = st.sampled_from(
    ["", "0", "1", "-1", "US", "840", "1e5", "0.05", "2023-11-14", "hour", "asc", "csv", "demo"]
)
BODIES = st.dictionaries(st.sampled_from(FIELDS) | ANY_TEXT, USUAL | JSON, max_size=5) | JSON
QUERIES = st.dictionaries(st.sampled_from(FIELDS) | WELL_FORMED, USUAL | WELL_FORMED, max_size=4)
PARTS = st.sampled_from(["<mine>", "<prefix>", "<key>", "x"]) | WELL_FORMED.filter(bool)
FEW = settings(FUZZ, max_examples=12)


@dataclass(frozen=True)
class Holder:
    """Somebody who may do everything: a manager with a user, and the admin's key."""

    key: str
    prefix: str
    user_id: str

    def path(self, template: str, parts: list[str]) -> str:
        known = {"<mine>": self.user_id, "<prefix>": self.prefix, "<key>": self.key}
        made = []
        for part in template.split("/"):
            given_part = parts[len(made) % len(parts)]
            made.append(
                quote(known.get(given_part, given_part), safe="") if part[:1] == "{" else part
            )
        return "/".join(made)


@pytest.fixture
def holder(world: World) -> Holder:
    world.stock(3)
    platform = world.stack.platform
    boss, theirs = world.user(), world.user()
    platform.administration.place(boss.user_id, Placement(is_manager=True))
    platform.administration.place(theirs.user_id, Placement(manager=boss.user_id))
    key = world.key(boss)
    (found,) = platform.key_ring.live(boss.user_id)
    return Holder(key, found.prefix, theirs.user_id)


def check(response: HTTPResponse) -> None:
    assert response.status_code < 500, response.body
    assert response.headers["X-Request-Id"]
    if response.status_code >= 400:
        body = json.loads(response.body)
        assert body["status"] == "error"
        assert body["message"]


@pytest.mark.parametrize(
    ("method", "template"), ROUTES, ids=[f"{method}-{path}" for method, path in ROUTES]
)
@given(data=st.data())
@FEW
def test_anything(holder: Holder, method: str, template: str, data: Any) -> None:
    parts = data.draw(st.lists(PARTS, min_size=1, max_size=3))
    query = data.draw(QUERIES)
    body = json.dumps(data.draw(BODIES)).encode()
    headers = {
        "Authorization": f"Bearer {holder.key}",
        "X-Admin-Key": "the-admin-key",
        "Content-Type": "application/json",
    }
    path = holder.path(template, parts) + (f"?{urlencode(query)}" if query else "")
    with Client(app) as client:
        check(client.http.request(method, path, headers=headers, body=body))
