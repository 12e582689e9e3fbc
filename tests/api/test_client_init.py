"""Spec A's init: what it lists, from where, and every row of its error table to the letter."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib import bootstrap
from chalicelib.bootstrap import Platform
from chalicelib.domain import keys
from chalicelib.domain.ids import UserId
from chalicelib.domain.operators import operator_id
from chalicelib.domain.times import DAY, SECOND
from chalicelib.outbound import Fetched, NotSentError, OutcomeUnknownError
from chalicelib.services.listings import FRESH_FOR, Listings
from chalicelib.stores import listings
from tests.api.clients import SYSTEM_KEY, Caller, caller_in, told
from tests.conftest import SECRETS, Stack
from tests.wire import tapped, unreachable
from tests.world import World, get

SOURCE = {
    "name": "upstream",
    "kind": "main",
    "url": "https://upstream.test",
    "cost_cap": "1",
    "cost": "0.05",
}
LISTED: dict[str, Any] = {
    "status": "success",
    "data": {
        "countries": [
            {"id": 1, "name": "United States", "phone_code": "1"},
            {"id": 2, "name": "Great Britain", "phone_code": "44", "code": "GB"},
            {"id": 3, "name": "Atlantis", "phone_code": "99"},
        ],
        "operators": [
            {"id": 101, "name": "Operator X", "country_id": 1},
            {"id": 102, "name": "Operator Y", "country_id": 2},
            {"id": 103, "name": "operator  y", "country_id": 2},
            {"id": 104, "name": "Operator Z", "country_id": 3},
        ],
    },
}
SHOWN = {
    "countries": [
        {"id": 826, "name": "United Kingdom", "phone_code": "44", "code": "GB"},
        {"id": 840, "name": "United States", "phone_code": "1", "code": "US"},
    ],
    "operators": [
        {"id": operator_id("US", "Operator X", {}), "name": "Operator X", "country_id": 840},
        {"id": operator_id("GB", "Operator Y", {}), "name": "Operator Y", "country_id": 826},
    ],
}
UNREACHABLE = [
    NotSentError("connection_failed"),
    OutcomeUnknownError("timeout"),
    Fetched(200, b"<html>", {}),
    Fetched(502, b"<html>", {}),
    Fetched(200, b'{"status": "success", "data": []}', {}),
]


@dataclass
class Upstream:
    """The source as a network would have it: answers as told, or fails."""

    says: Fetched | Exception = field(
        default_factory=lambda: Fetched(200, json.dumps(LISTED).encode(), {})
    )
    asked: int = 0

    def __call__(self, method: str, url: str, **_: Any) -> Fetched:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def caller(world: World) -> Caller:
    return caller_in(world)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def serve(stack: Stack, upstream: Upstream, source: str = "upstream") -> None:
    """Serve as a Lambda that has just started, with that source."""
    stack.configure(
        SESAME_SUPPLIERS=json.dumps([SOURCE]),
        SESAME_SECRETS=json.dumps({**SECRETS, "suppliers": {"upstream": "key"}}),
        SESAME_CATALOGUE_SOURCE=source,
    )
    stack.platform = bootstrap.use(
        Platform(stack.platform.settings, stack.clock, random=Random(7), fetch=upstream)
    )


def init(caller: Caller) -> HTTPResponse:
    return get(f"/api/init/{caller.key}")


def data_of(response: HTTPResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.body
    assert response.headers["Content-Type"] == "application/json"
    data: dict[str, Any] = json.loads(response.body)["data"]
    assert json.loads(response.body) == {"status": "success", "data": data}
    return data


def error(status: int, text: str, **headers: str) -> Fetched:
    return Fetched(status, json.dumps({"status": "error", "message": text}).encode(), headers)


def test_lists_the_countries_and_operators_that_have_stock(caller: Caller) -> None:
    caller.world.stock(1, country="GB", operator_id=2, first=3_000_000)
    caller.world.stock(0, country="DE", operator_id=3)
    response = init(caller)
    assert data_of(response) == {
        "countries": SHOWN["countries"],
        "operators": [
            {"id": 2, "name": "Operator 2", "country_id": 826},
            {"id": 1, "name": "Operator 1", "country_id": 840},
        ],
    }
    assert "Warning" not in response.headers


def test_opens_to_both_kinds_of_keys(caller: Caller) -> None:
    mine = init(caller).body
    caller.key = SYSTEM_KEY
    assert init(caller).body == mine


@pytest.mark.parametrize(
    "key",
    ["%20", "junk", keys.new_key(UserId("0" * 26)), "the-admin-key"],
    ids=["blank", "junk", "unknown", "admin"],
)
def test_without_a_good_key_is_401(caller: Caller, key: str) -> None:
    caller.key = key
    told(init(caller), 401, "Unauthorized")


@pytest.mark.parametrize("what", ["inactive", "revoked"])
def test_of_who_may_not_act_is_401(caller: Caller, what: str) -> None:
    if what == "inactive":
        caller.spoil(active=False)
    else:
        key_ring = caller.world.stack.platform.key_ring
        key_ring.revoke(caller.user.user_id, keys.shown_prefix(caller.key))
    told(init(caller), 401, "Unauthorized")


@pytest.mark.parametrize("source", ["nobody", "stock"])
def test_without_credentials_for_the_source_is_500(
    caller: Caller, stack: Stack, upstream: Upstream, source: str
) -> None:
    serve(stack, upstream, source)
    told(init(caller), 500, "System configuration error")
    assert get(f"/getNumbers?api_key={caller.key}").status_code == 200


def test_from_a_source_that_lists_no_catalogue_is_500(caller: Caller, stack: Stack) -> None:
    partner = {**SOURCE, "kind": "partner"}
    del partner["cost"]
    stack.configure(
        SESAME_SUPPLIERS=json.dumps([partner]),
        SESAME_SECRETS=json.dumps({**SECRETS, "suppliers": {"upstream": "key"}}),
        SESAME_CATALOGUE_SOURCE="upstream",
    )
    told(init(caller), 500, "System configuration error")


@pytest.mark.parametrize("says", UNREACHABLE, ids=str)
def test_from_an_unreachable_source_is_500(
    caller: Caller, stack: Stack, says: Fetched | Exception
) -> None:
    serve(stack, Upstream(says))
    told(init(caller), 500, "Service fetch failed")


def test_that_cant_read_our_own_stock_is_500(caller: Caller) -> None:
    init(caller)
    caller.world.stack.clock.advance(seconds=10)
    with tapped(*[unreachable] * 3, only="GetItem"):
        told(init(caller), 500, "Service fetch failed")


def test_that_fails_is_500(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listings, "current", lambda _: [][0])
    told(init(caller), 500, "Service fetch failed")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Unauthorized"),
        (402, "Pay first"),
        (418, "Ein Teekännchen"),
        (500, "System configuration error"),
        (503, "Down for an hour"),
    ],
)
def test_passes_on_an_error_of_the_source(
    caller: Caller, stack: Stack, status: int, message: str
) -> None:
    serve(stack, Upstream(error(status, message)))
    response = init(caller)
    told(response, status, message)
    assert ("Retry-After" in response.headers) == (status == 503)


def test_passes_on_when_to_come_back_and_not_our_key(caller: Caller, stack: Stack) -> None:
    serve(stack, Upstream(error(429, "No more for key", **{"retry-after": "17"})))
    response = init(caller)
    told(response, 429, "No more for …")
    assert response.headers["Retry-After"] == "17"


def test_lists_what_the_source_lists_with_the_ids_that_get_number_takes(
    caller: Caller, stack: Stack, upstream: Upstream
) -> None:
    serve(stack, upstream)
    response = init(caller)
    assert data_of(response) == SHOWN
    assert "Warning" not in response.headers
    stack.platform.jobs.count_stock()
    offered = {o.operator_id for o in stack.platform.catalogue.stock().offers if o.available}
    assert {operator["id"] for operator in SHOWN["operators"]} < offered


def test_does_not_ask_again_while_it_is_fresh(
    caller: Caller, stack: Stack, upstream: Upstream
) -> None:
    serve(stack, upstream)
    with tapped() as wire:
        init(caller)
    assert wire.operations() == ["BatchGetItem", "PutItem"]
    with tapped() as wire:
        assert data_of(init(caller)) == SHOWN
    assert (wire.operations(), upstream.asked) == ([], 1)
    stack.clock.advance(seconds=FRESH_FOR / SECOND)
    upstream.says = error(401, "Unauthorized")
    told(init(caller), 401, "Unauthorized")


@pytest.mark.parametrize("says", UNREACHABLE, ids=str)
@pytest.mark.parametrize("process", ["same", "another"])
def test_serves_what_was_fetched_in_the_last_day_with_a_warning(
    caller: Caller, stack: Stack, upstream: Upstream, says: Fetched | Exception, process: str
) -> None:
    serve(stack, upstream)
    init(caller)
    upstream.says = says
    if process == "another":
        serve(stack, upstream)
    stack.clock.advance(seconds=DAY / SECOND)
    get(f"/getNumbers?api_key={caller.key}")
    with tapped() as wire:
        response = init(caller)
    assert wire.operations() == ["GetItem"]
    assert data_of(response) == SHOWN
    assert response.headers["Warning"] == '110 - "Response is Stale"'
    stack.clock.advance(seconds=1)
    told(init(caller), 500, "Service fetch failed")
    upstream.says = Upstream().says
    stack.clock.advance(seconds=60)
    assert "Warning" not in init(caller).headers


def test_what_cant_be_kept_is_served_all_the_same(
    caller: Caller, stack: Stack, upstream: Upstream
) -> None:
    serve(stack, upstream)
    with tapped(*[unreachable] * 3, only="PutItem"):
        assert data_of(init(caller)) == SHOWN
    operators = [{"id": n, "name": f"{n} {'x' * 90}", "country_id": 1} for n in range(4_000)]
    body = {"status": "success", "data": {**LISTED["data"], "operators": operators}}
    upstream.says = Fetched(200, json.dumps(body).encode(), {})
    stack.clock.advance(seconds=60)
    assert len(data_of(init(caller))["operators"]) == 4_000
    assert listings.get("upstream") is None


def test_of_our_own_stock_is_one_round_trip_each_ten_seconds(caller: Caller) -> None:
    init(caller)
    with tapped() as wire:
        assert init(caller).status_code == 200
    assert wire.operations() == []
    caller.world.stack.clock.advance(seconds=10)
    with tapped() as wire:
        init(caller)
    assert wire.operations() == ["GetItem"]
