"""`GET /account/summary` and `GET /admin/summary`: shapes, ranges, and who is shown what."""

import json
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.domain.times import DAY, HOUR, MINUTE, Millis, iso
from chalicelib.domain.user import User
from tests.conftest import START
from tests.wire import tapped
from tests.world import World, get

ADMIN = {"X-Admin-Key": "the-admin-key"}
ZEROS: dict[str, Any] = {
    "requested": 0,
    "cancelled": 0,
    "expired": 0,
    "failed": 0,
    "sms": 0,
    "codes": 0,
    "money_in": 0.0,
    "charged": 0.0,
    "refunded": 0.0,
    "transferred": 0.0,
    "markup": 0.0,
}
DONE = ZEROS | {"requested": 1, "sms": 2, "codes": 1, "money_in": 100.0, "charged": 0.1}


@pytest.fixture
def user(world: World) -> User:
    """Somebody with a rental and two SMS, the second without a code and paid."""
    world.stock(3)
    user = world.user()
    rental = world.rent(user)
    world.sms(rental.phone_number)
    world.sms(rental.phone_number, "hello")
    return user


@pytest.fixture
def bearer(world: World, user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(user)}"}


def ok(response: HTTPResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.body
    body: dict[str, Any] = json.loads(response.body)
    assert body.pop("status") == "success"
    return body


def refused(response: HTTPResponse, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.body)
    assert (response.status_code, body["status"], body["code"]) == (status, "error", code)
    return body


def test_a_summary_has_its_range_its_totals_and_every_bucket(bearer: dict[str, str]) -> None:
    query = {"from": "2023-11-14T21:00:00Z", "to": "2023-11-15T00:30:00+01:00", "bucket": "hour"}
    assert ok(get("/account/summary", bearer, **query)) == {
        "bucket": "hour",
        "from": "2023-11-14T21:00:00Z",
        "to": "2023-11-15T00:00:00Z",
        "active": 1,
        "totals": DONE,
        "buckets": [
            {"start": "2023-11-14T21:00:00Z", **ZEROS},
            {"start": "2023-11-14T22:00:00Z", **DONE},
            {"start": "2023-11-14T23:00:00Z", **ZEROS},
        ],
    }


@pytest.mark.parametrize(
    ("bucket", "start", "buckets"),
    [("minute", "2023-11-13T22:13:00Z", 1441), ("hour", "2023-11-13T22:00:00Z", 25),
     ("day", "2023-11-13T00:00:00Z", 2)],
)  # fmt: skip
def test_without_a_range_it_is_the_last_day(
    bearer: dict[str, str], bucket: str, start: str, buckets: int
) -> None:
    summary = ok(get("/account/summary", bearer, bucket=bucket))
    assert summary["from"] == start
    assert len(summary["buckets"]) == buckets
    assert summary["buckets"][-1] == {"start": summary["buckets"][-1]["start"], **DONE}
    assert summary["totals"] == DONE


def test_hours_are_what_is_told_unless_asked_otherwise(bearer: dict[str, str]) -> None:
    assert ok(get("/account/summary", bearer))["bucket"] == "hour"


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ("2023-11-14", "2023-11-14T00:00:00Z"),
        ("2023-11-14T20:00", "2023-11-14T20:00:00Z"),
        ("2023-11-14t20:59:59.999z", "2023-11-14T20:00:00Z"),
        ("2023-11-14T20:00:00-02:00", "2023-11-14T22:00:00Z"),
        (" 2023-11-14 ", "2023-11-14T00:00:00Z"),
    ],
)
def test_moments_are_dates_or_rfc_3339(bearer: dict[str, str], given: str, start: str) -> None:
    assert ok(get("/account/summary", bearer, **{"from": given}))["from"] == start


@pytest.mark.parametrize("path", ["/account/summary", "/admin/summary"])
@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("bucket", {"bucket": "week"}),
        ("bucket", {"bucket": "Hour"}),
        ("from", {"from": "yesterday"}),
        ("from", {"from": "2023-02-30"}),
        ("from", {"from": "2023-11-14T25:00:00Z"}),
        ("from", {"from": "1700000000"}),
        ("from", {"from": "1999-12-31"}),
        ("from", {"from": "٢٠٢٣-11-14"}),
        ("to", {"to": "20231114"}),
        ("to", {"to": "9999-12-31"}),
        ("to", {"to": "2023-11-14T20:00:00+25:00"}),
        ("from", {"from": "2023-11-15"}),
        ("from", {"from": "2023-11-14", "to": "2023-11-14"}),
        ("from", {"from": "2023-11-14", "to": "2023-11-13"}),
        ("from", {"from": "2023-01-01", "to": "2023-11-14"}),
        ("from", {"from": "2023-11-12", "to": "2023-11-14", "bucket": "minute"}),
        ("from", {"from": "2000-01-01", "to": "2099-12-31", "bucket": "day"}),
    ],
)
def test_what_can_not_be_shown_is_refused_by_name(
    bearer: dict[str, str], path: str, field: str, query: dict[str, object]
) -> None:
    answer = refused(get(path, bearer | ADMIN, **query), 400, "invalid_parameter")
    assert answer["field"] == field
    assert answer["message"].startswith(f"{field}: expected ")


def test_1500_buckets_are_shown_and_one_more_is_not(bearer: dict[str, str]) -> None:
    start = Millis(START - START % DAY - 62 * DAY)
    end = Millis(start + 1_500 * HOUR)
    query = {"from": iso(start), "bucket": "hour"}
    assert len(ok(get("/account/summary", bearer, to=iso(end), **query))["buckets"]) == 1_500
    over = iso(Millis(end + MINUTE))
    refused(get("/account/summary", bearer, to=over, **query), 400, "invalid_parameter")


def test_the_first_and_the_last_day_that_can_be_asked_for(bearer: dict[str, str]) -> None:
    for start, end in (("2000-01-01", "2000-01-02"), ("2099-12-31", "2099-12-31T23:59:59Z")):
        query = {"from": start, "to": end, "bucket": "day"}
        assert ok(get("/account/summary", bearer, **query))["totals"] == ZEROS


def test_a_user_is_shown_only_what_they_did(world: World, bearer: dict[str, str]) -> None:
    other = world.user()
    query = {"from": "2023-11-14", "to": "2023-11-16", "bucket": "day"}
    theirs = {"Authorization": f"Bearer {world.key(other)}"}
    for _ in range(2):
        assert ok(get("/account/summary", bearer, **query))["totals"] == DONE
        summary = ok(get("/account/summary", theirs, **query))
        assert summary["totals"] == ZEROS | {"money_in": 100.0}
        assert summary["active"] == 0
        world.stack.clock.advance(seconds=30 * 60)
        world.stack.platform.jobs.roll_up()


def test_the_admin_is_shown_all_of_it_and_what_we_lost(world: World, user: User) -> None:
    world.user()
    query = {"from": "2023-11-14", "to": "2023-11-15", "bucket": "day"}
    summary = ok(get("/admin/summary", ADMIN, **query))
    assert summary["totals"] == DONE | {"money_in": 200.0, "lost": 0.0}
    assert summary["active"] == 1
    assert summary["buckets"] == [{"start": "2023-11-14T00:00:00Z", **summary["totals"]}]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_api_key"),
        ({"Authorization": "Basic dTpw"}, "missing_api_key"),
        ({"Authorization": "Bearer nonsense"}, "invalid_api_key"),
        ({"Authorization": "Bearer the-admin-key"}, "invalid_api_key"),
        (ADMIN, "missing_api_key"),
    ],
)
def test_the_account_is_behind_an_api_key(world: World, headers: dict[str, str], code: str) -> None:
    refused(get("/account/summary", headers), 401, code)


def test_admin_is_behind_the_admin_key_in_its_header(world: World, bearer: dict[str, str]) -> None:
    system = {"X-Admin-Key": "the-system-key"}
    for headers in ({}, {"X-Admin-Key": ""}, system, bearer, {"X-Admin-Key": "the-admin-key "}):
        refused(get("/admin/summary", headers), 401, "invalid_admin_key")
    with tapped() as wire:
        refused(get("/admin/summary", admin_key="the-admin-key"), 401, "invalid_admin_key")
    assert wire.attempts == []


def test_the_job_is_a_lambda_of_its_own(world: World, user: User) -> None:
    from chalice.test import Client

    from app import app

    world.stack.platform.jobs.roll_up()
    world.stack.clock.advance(seconds=180)
    with Client(app) as client:
        client.lambda_.invoke("roll_up", {**_scheduled()})
    before = world.stack.clock.now
    query = {"from": "2023-11-14", "to": iso(before), "bucket": "day"}
    with tapped() as wire:
        assert ok(get("/admin/summary", ADMIN, **query))["totals"]["requested"] == 1
    assert any("by_minute" in str(request) for request in wire.sent("Query"))


def _scheduled() -> dict[str, Any]:
    """The event of a schedule."""
    return {
        "version": "0",
        "account": "1",
        "region": "us-east-1",
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2023-11-14T22:16:20Z",
        "id": "1",
        "resources": [],
    }
