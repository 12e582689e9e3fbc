"""A user's own account: profile, keys, history, closing, registration."""

import csv
import io
import json
from typing import Any

import pytest

from chalicelib.domain.keys import hash_key
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.times import DAY, HOUR
from chalicelib.domain.user import User
from chalicelib.services.profiles import Changes
from tests.api.faces import NOBODY, Caller, holder
from tests.api.shapes import refused
from tests.conftest import Stack
from tests.wire import cut_short, stored, tapped
from tests.world import BALANCE, World, get, meanwhile, together

URL = "https://hooks.example.com/sesame"


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def me(world: World, user: User) -> Caller:
    return holder(world.key(user))


# The profile.


def test_a_profile_has_every_field(user: User, me: Caller) -> None:
    assert me.ok("GET", "/account")["account"] == {
        "user_id": user.user_id,
        "login": user.login,
        "name": "A user",
        "status": "approved",
        "active": True,
        "balance": 100.0,
        "open_rentals": 0,
        "rentals_total": 0,
        "manager_id": None,
        "number_format": "full",
        "time_zone": "UTC",
        "webhook": None,
        "low_balance": 0.0,
        "limits": {
            "open_rentals": 100,
            "unused_cancels_per_hour": 30,
            "calls_per_minute": 100000,
            "live_keys": 2,
        },
    }


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic abc"}, {"X-Admin-Key": "x"}])
def test_401_without_a_bearer_key(headers: dict[str, str], stack: Stack) -> None:
    refused(Caller(headers).call("GET", "/account"), 401, "missing_api_key", "Authorization")


def test_a_key_in_the_query_opens_nothing(world: World, user: User) -> None:
    refused(get("/account", api_key=world.key(user)), 401, "missing_api_key", "Authorization")


def test_401_for_an_unknown_key(stack: Stack) -> None:
    refused(holder("sesame_x").call("GET", "/account"), 401, "invalid_api_key", "api_key")


def test_403_for_a_user_who_may_not_act(world: World, user: User, me: Caller) -> None:
    world.stack.platform.accounts.set_active(user.user_id, False)
    refused(me.call("GET", "/account"), 403, "account_inactive")


def test_a_profile_is_one_round_trip(me: Caller) -> None:
    me.ok("GET", "/account")
    with tapped() as wire:
        me.ok("GET", "/account")
    assert wire.operations() == ["GetItem"]


def test_every_field_can_be_changed(me: Caller) -> None:
    answer = me.ok(
        "PATCH",
        "/account",
        {
            "name": " Joe Ångström ",
            "number_format": "national",
            "time_zone": "Europe/Berlin",
            "webhook_url": URL,
            "webhook_events": ["sms_received"],
        },
    )
    assert answer["webhook_secret"].startswith("whsec_")
    changed = me.ok("GET", "/account")["account"]
    assert changed == answer["account"]
    assert (changed["name"], changed["number_format"]) == ("Joe Ångström", "national")
    assert changed["time_zone"] == "Europe/Berlin"
    webhook = {"url": URL, "events": ["otp_received", "sms_received"], "enabled": True}
    assert changed["webhook"] == webhook
    again = me.ok("PATCH", "/account", {"name": "Joe"})
    assert "webhook_secret" not in again
    assert (again["account"]["webhook"], again["account"]["name"]) == (webhook, "Joe")


def test_an_empty_change_changes_nothing(me: Caller) -> None:
    assert me.ok("PATCH", "/account", {})["account"] == me.ok("GET", "/account")["account"]


@pytest.mark.parametrize("nothing", ["", None])
def test_a_webhook_is_removed_and_its_next_secret_is_another(me: Caller, nothing: object) -> None:
    first = me.ok("PATCH", "/account", {"webhook_url": URL})["webhook_secret"]
    removed = me.ok("PATCH", "/account", {"webhook_url": nothing})
    assert removed["account"]["webhook"] is None
    assert "webhook_secret" not in removed
    assert me.ok("PATCH", "/account", {"webhook_url": URL})["webhook_secret"] != first


def test_events_alone_keep_url_and_secret(me: Caller) -> None:
    me.ok("PATCH", "/account", {"webhook_url": URL})
    answer = me.ok("PATCH", "/account", {"webhook_events": ["otp_received", "sms_received"]})
    assert "webhook_secret" not in answer
    assert answer["account"]["webhook"]["url"] == URL
    assert answer["account"]["webhook"]["events"] == ["otp_received", "sms_received"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", "x" * 101),
        ("name", "a\nb"),
        ("name", "\ud800"),
        ("number_format", "e164"),
        ("number_format", ["full"]),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "europe/berlin"),
        ("webhook_url", "http://hooks.example.com/"),
        ("webhook_url", "https://10.0.0.1/"),
        ("webhook_url", "https://u:p@hooks.example.com/"),
        ("webhook_url", 5),
        ("webhook_events", ["no_such"]),
        ("webhook_events", []),
        ("webhook_events", [5]),
        ("webhook_events", ["otp_received"]),
    ],
)
def test_400_names_the_field_and_changes_nothing(me: Caller, field: str, value: object) -> None:
    before = me.ok("GET", "/account")
    body = {"name": "Another", field: value}
    refused(me.call("PATCH", "/account", body), 400, "invalid_parameter", field)
    assert me.ok("GET", "/account") == before


@pytest.mark.parametrize("field", ["name", "number_format", "time_zone"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_400_for_a_field_that_can_not_be_empty(me: Caller, field: str, value: object) -> None:
    refused(me.call("PATCH", "/account", {field: value}), 400, "missing_parameter", field)


def test_400_names_unknown_fields(me: Caller) -> None:
    body: dict[str, object] = {"name": "X", "balance": 5, "is_manager": True}
    refused(me.call("PATCH", "/account", body), 400, "unknown_parameter", "balance, is_manager")


# Keys.


def test_keys_are_issued_listed_and_revoked(world: World, user: User, me: Caller) -> None:
    issued = me.ok("POST", "/account/keys", {"label": "laptop"})
    text, key = issued["api_key"], issued["key"]
    assert (key["label"], key["expires_at"]) == ("laptop", None)
    assert text.startswith(key["prefix"])
    listed = me.ok("GET", "/account/keys")["keys"]
    assert len(listed) == 2
    assert key in listed
    assert text not in json.dumps(listed)
    refused(me.call("POST", "/account/keys"), 409, "too_many_keys")
    me.ok("DELETE", f"/account/keys/{key['prefix']}")
    refused(holder(text).call("GET", "/account"), 401, "invalid_api_key", "api_key")
    assert len(me.ok("GET", "/account/keys")["keys"]) == 1


@pytest.mark.parametrize("prefix", ["s", "sesame_", "nothing"])
def test_404_for_a_prefix_that_is_not_whole(me: Caller, prefix: str) -> None:
    refused(me.call("DELETE", f"/account/keys/{prefix}"), 404, "key_not_found", "prefix")
    refused(me.call("POST", f"/account/keys/{prefix}/rotate"), 404, "key_not_found", "prefix")


def test_somebody_elses_key_is_not_there(world: World, me: Caller) -> None:
    other = holder(world.key(world.user()))
    prefix = other.ok("GET", "/account/keys")["keys"][0]["prefix"]
    refused(me.call("DELETE", f"/account/keys/{prefix}"), 404, "key_not_found", "prefix")
    assert other.ok("GET", "/account")


@pytest.mark.parametrize(("overlap", "seconds"), [(None, DAY // 1000), (60, 60), (604800, 604800)])
def test_a_rotated_key_works_until_its_overlap_ends(
    world: World, me: Caller, overlap: int | None, seconds: int
) -> None:
    prefix = me.ok("GET", "/account/keys")["keys"][0]["prefix"]
    body: dict[str, object] = {} if overlap is None else {"overlap": overlap}
    text = me.ok("POST", f"/account/keys/{prefix}/rotate", body)["api_key"]
    world.stack.clock.advance(seconds=seconds - 1)
    assert len(me.ok("GET", "/account/keys")["keys"]) == 2
    world.stack.clock.advance(seconds=1)
    refused(me.call("GET", "/account"), 401, "invalid_api_key", "api_key")
    assert len(holder(text).ok("GET", "/account/keys")["keys"]) == 1


def test_a_key_rotated_without_overlap_ends_at_once(me: Caller) -> None:
    me.ok("POST", "/account/keys")
    prefix = me.ok("GET", "/account/keys")["keys"][0]["prefix"]
    text = me.ok("POST", f"/account/keys/{prefix}/rotate", {"overlap": 0})["api_key"]
    refused(me.call("GET", "/account"), 401, "invalid_api_key", "api_key")
    assert len(holder(text).ok("GET", "/account/keys")["keys"]) == 2


def test_a_second_rotation_lengthens_no_life(world: World, me: Caller) -> None:
    prefix = me.ok("GET", "/account/keys")["keys"][0]["prefix"]
    new = holder(me.ok("POST", f"/account/keys/{prefix}/rotate", {"overlap": 60})["api_key"])
    refused(
        new.call("POST", f"/account/keys/{prefix}/rotate", {"overlap": 600}), 409, "too_many_keys"
    )
    world.stack.clock.advance(seconds=60)
    refused(me.call("GET", "/account"), 401, "invalid_api_key", "api_key")


@pytest.mark.parametrize("overlap", [-1, 604801, "soon", 1.5, True])
def test_400_for_an_overlap_out_of_range(me: Caller, overlap: object) -> None:
    prefix = me.ok("GET", "/account/keys")["keys"][0]["prefix"]
    answer = me.call("POST", f"/account/keys/{prefix}/rotate", {"overlap": overlap})
    refused(answer, 400, "invalid_parameter", "overlap")


def test_two_at_once_never_make_a_third_key(world: World, user: User, me: Caller) -> None:
    ring = world.stack.platform.key_ring
    together(*[lambda: ring.issue(user.user_id, "")] * 8)
    assert len(ring.live(user.user_id)) == 2


def test_i8_no_key_at_rest(me: Caller) -> None:
    text = me.ok("POST", "/account/keys", {"label": "x"})["api_key"]
    assert not any(text in item for item in stored())
    assert any(hash_key(text) in item for item in stored())


# The ledger.


def entries(me: Caller, **query: object) -> list[dict[str, Any]]:
    return [line for page in me.pages("/account/ledger", "entries", **query) for line in page]


def with_movements(world: World, user: User, count: int) -> None:
    """Rentals and refunds, a moment between any two."""
    world.stock(count)
    rentals = []
    for _ in range(count):
        world.stack.clock.advance(seconds=1)
        rentals.append(world.rent(user))
    for rental in rentals[::2]:
        world.stack.clock.advance(seconds=1)
        world.stack.platform.closings.cancel(user, rental.rental_id)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_i2_a_statement_adds_up_in_either_order(
    world: World, user: User, me: Caller, order: str, limit: int
) -> None:
    with_movements(world, user, 4)
    found = entries(me, order=order, limit=limit)
    oldest_first = found if order == "asc" else found[::-1]
    assert [line["entry_id"] for line in oldest_first] == [e.entry_id for e in world.ledger(user)]
    total = 0.0
    for line in oldest_first:
        total += line["amount"]
        assert line["balance_after"] == pytest.approx(total)
    assert found[0 if order == "desc" else -1]["balance_after"] == world.balance(user) / UNIT
    world.assert_i2(user)


def test_a_ledger_line_has_every_field(world: World, user: User, me: Caller) -> None:
    (line,) = entries(me)
    assert line["entry_id"].endswith("#credit")
    del line["entry_id"]
    assert line == {
        "at": "2023-11-14T22:13:20Z",
        "kind": "credit",
        "amount": 100.0,
        "reference": "test",
        "balance_after": 100.0,
    }


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_refund_between_two_pages_disturbs_no_sum(
    world: World, user: User, me: Caller, order: str
) -> None:
    """A refund is filed beside its rental: between pages it comes to stand among older lines."""
    world.stock(5)
    rentals = []
    for _ in range(5):
        world.stack.clock.advance(seconds=1)
        rentals.append(world.rent(user))
    first = me.ok("GET", "/account/ledger", query={"limit": 2, "order": order})
    world.stack.clock.advance(seconds=1)
    for rental in rentals:
        world.stack.platform.closings.cancel(user, rental.rental_id)
    rest = entries(me, limit=2, order=order, cursor=first["next_cursor"])
    lines = first["entries"] + rest
    assert [line["kind"] for line in lines].count("rental") == 5
    assert "refund" not in {line["kind"] for line in lines}
    oldest_first = lines if order == "asc" else lines[::-1]
    assert [line["balance_after"] for line in oldest_first] == [
        100,
        99.95,
        99.9,
        99.85,
        99.8,
        99.75,
    ]


def test_a_movement_while_a_statement_is_read_is_read_again(
    world: World, user: User, me: Caller
) -> None:
    credited = []
    world.stack.clock.advance(seconds=1)

    def credit() -> None:
        if not credited:
            credited.append(True)
            world.stack.platform.administration.credit(user.user_id, Micros(UNIT), "meanwhile")

    with tapped(meanwhile(credit), only="Query"):
        found = me.ok("GET", "/account/ledger")["entries"]
    assert [line["balance_after"] for line in found] == [101, 100]


def test_a_page_of_a_statement_is_three_round_trips_and_then_one(
    world: World, user: User, me: Caller
) -> None:
    with_movements(world, user, 4)
    me.ok("GET", "/account")
    with tapped() as wire:
        cursor = me.ok("GET", "/account/ledger", query={"limit": 3})["next_cursor"]
    assert wire.operations() == ["GetItem", "Query", "GetItem"]
    with tapped() as wire:
        me.ok("GET", "/account/ledger", query={"limit": 3, "cursor": cursor})
    assert wire.operations() == ["Query"]


@pytest.mark.parametrize(
    "cursor",
    ["x", "====", "AAAA", "a" * 2000, "ÿ", "eyJhIjoxfQ", "null", "W10", " ", "../..", "%00"],
)
@pytest.mark.parametrize("path", ["ledger", "rentals", "deliveries"])
def test_400_for_a_cursor_that_is_not_ours(me: Caller, path: str, cursor: str) -> None:
    answer = me.call("GET", f"/account/{path}", query={"cursor": cursor})
    refused(answer, 400, "invalid_parameter", "cursor")


def test_400_for_the_cursor_of_another_list_order_or_user(
    world: World, user: User, me: Caller
) -> None:
    with_movements(world, user, 3)
    cursor = me.ok("GET", "/account/ledger", query={"limit": 1})["next_cursor"]
    other = holder(world.key(world.user()))
    for who, path, more in (
        (me, "/account/rentals", {}),
        (me, "/account/ledger", {"order": "asc"}),
        (other, "/account/ledger", {}),
        (me, "/account/ledger", {"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")}),
    ):
        query = {"cursor": cursor, **more}
        refused(who.call("GET", path, query=query), 400, "invalid_parameter", "cursor")


@pytest.mark.parametrize("limit", [0, -1, 101, "many"])
def test_400_for_a_limit_out_of_range(me: Caller, limit: object) -> None:
    for path in ("ledger", "rentals", "deliveries"):
        answer = me.call("GET", f"/account/{path}", query={"limit": limit})
        refused(answer, 400, "invalid_parameter", "limit")


@pytest.mark.parametrize(("name", "value"), [("order", "random"), ("format", "xml")])
def test_400_for_an_unknown_choice(me: Caller, name: str, value: str) -> None:
    answer = me.call("GET", "/account/ledger", query={name: value})
    refused(answer, 400, "invalid_parameter", name)


def test_csv_is_a_page_with_its_cursor_in_a_header(world: World, user: User, me: Caller) -> None:
    with_movements(world, user, 2)
    query: dict[str, object] = {"format": "csv", "limit": 2}
    response = me.call("GET", "/account/ledger", query=query)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.body.decode())))
    assert len(rows) == 2
    amounts = {line["entry_id"]: line for line in entries(me)}
    for row in rows:
        line = amounts[row["entry_id"]]
        assert float(row["amount"]) == line["amount"]
        assert float(row["balance_after"]) == line["balance_after"]
    rest = me.call(
        "GET", "/account/ledger", query={**query, "cursor": response.headers["X-Next-Cursor"]}
    )
    assert "X-Next-Cursor" not in rest.headers
    assert len(list(csv.DictReader(io.StringIO(rest.body.decode())))) == 2


@pytest.mark.parametrize("reference", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", '=HYPERLINK("x")'])
def test_csv_holds_no_formula(world: World, me: Caller, user: User, reference: str) -> None:
    world.stack.platform.administration.credit(user.user_id, Micros(1), reference)
    body = me.call("GET", "/account/ledger", query={"format": "csv"}).body.decode()
    cells = [row["reference"] for row in csv.DictReader(io.StringIO(body))]
    assert "'" + reference in cells
    assert "0.000001" in body


# Rentals and deliveries.


def test_rentals_come_newest_first_in_pages(world: World, user: User, me: Caller) -> None:
    world.stock(5)
    made = []
    for _ in range(5):
        world.stack.clock.advance(seconds=1)
        made.append(world.rent(user).rental_id)
    pages = me.pages("/account/rentals", "rentals", limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["rental_id"] for page in pages for one in page] == made[::-1]


def test_a_rental_of_the_list_has_every_field(world: World, user: User, me: Caller) -> None:
    (number,) = world.stock(1)
    rental = world.rent(user, service="acme")
    world.sms(number)
    assert me.ok("GET", "/account/rentals")["rentals"] == [
        {
            "rental_id": rental.rental_id,
            "number": number,
            "country": "US",
            "service": "acme",
            "price": 0.05,
            "rental_status": "active",
            "created_at": "2023-11-14T22:13:20Z",
            "expires_at": "2023-11-14T22:33:20Z",
            "closed_at": None,
            "refund_amount": 0.0,
            "message_count": 1,
        }
    ]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_rentals_are_listed_by_status(world: World, user: User, me: Caller, limit: int) -> None:
    world.stock(6)
    made = []
    for at in range(6):
        world.stack.clock.advance(seconds=1)
        rental = world.rent(user)
        if at % 2:
            world.stack.platform.closings.cancel(user, rental.rental_id)
            made.append(rental.rental_id)
    found = me.pages("/account/rentals", "rentals", status="cancelled", limit=limit)
    assert [one["rental_id"] for page in found for one in page] == made[::-1]
    world.stack.clock.advance(seconds=1200)
    found = me.pages("/account/rentals", "rentals", status="expired", limit=limit)
    assert sum(map(len, found)) == 3
    assert not any(me.pages("/account/rentals", "rentals", status="active"))


def test_400_for_an_unknown_status(me: Caller) -> None:
    answer = me.call("GET", "/account/rentals", query={"status": "lost"})
    refused(answer, 400, "invalid_parameter", "status")


def test_nobody_sees_anothers_rentals_or_deliveries(world: World, user: User, me: Caller) -> None:
    (number,) = world.stock(1)
    world.rent(user)
    world.sms(number)
    other = holder(world.key(world.user()))
    assert other.ok("GET", "/account/rentals")["rentals"] == []
    assert other.ok("GET", "/account/deliveries")["deliveries"] == []


def test_deliveries_come_in_pages(world: World, user: User, me: Caller) -> None:
    (number,) = world.stock(1)
    me.ok("PATCH", "/account", {"webhook_url": URL})
    world.rent(user)
    for _ in range(3):
        world.stack.clock.advance(seconds=1)
        world.sms(number)
    world.deliver()
    pages = me.pages("/account/deliveries", "deliveries", limit=2)
    assert [len(page) for page in pages] == [2, 1]
    told = pages[0][0]
    assert (told["event"], told["state"], told["attempts"]) == ("otp_received", "delivered", 1)
    assert (told["last_status"], told["next_at"]) == (200, None)
    assert "482913" not in json.dumps(pages)


def test_deliveries_go_on_where_dynamodb_cuts_a_page_short(
    world: World, user: User, me: Caller
) -> None:
    (number,) = world.stock(1)
    me.ok("PATCH", "/account", {"webhook_url": URL})
    world.rent(user)
    for _ in range(3):
        world.stack.clock.advance(seconds=1)
        world.sms(number)
    with tapped(*[cut_short(1)] * 2, only="Query"):
        pages = me.pages("/account/deliveries", "deliveries")
    assert [len(page) for page in pages] == [1, 1, 1]
    assert len({delivery["delivery_id"] for page in pages for delivery in page}) == 3


# Closing.


def test_closing_erases_what_is_personal_and_keeps_the_ledger(world: World) -> None:
    accounts = world.stack.platform.accounts
    user = accounts.create("joe-the-login", "Joe Theuser")
    accounts.approve(user.user_id)
    world.stack.platform.administration.credit(user.user_id, BALANCE, "cash")
    me = holder(world.key(user))
    me.ok("PATCH", "/account", {"webhook_url": "https://theuser.example.com/"})
    me.ok("POST", "/account/keys", {"label": "of Joe Theuser"})
    world.stock(1)
    rental = world.rent(user)
    world.stack.platform.closings.cancel(user, rental.rental_id)
    closed = me.ok("DELETE", "/account", {"confirm": "Joe-The-Login"})
    assert closed == {"user_id": user.user_id, "balance": 100.0}
    refused(me.call("GET", "/account"), 401, "invalid_api_key", "api_key")
    everything = "\n".join(stored()).lower()
    assert "joe" not in everything
    assert "theuser" not in everything
    world.assert_i2(user)
    assert len(world.ledger(user)) == 3
    after = world.find(user)
    assert (after.status, after.active, after.name) == ("closed", False, "")
    assert accounts.create("joe-the-login", "Another").user_id != user.user_id


def test_a_closed_account_stays_closed(world: World, user: User, me: Caller) -> None:
    me.ok("DELETE", "/account", {"confirm": user.login})
    accounts, ring = world.stack.platform.accounts, world.stack.platform.key_ring
    administration, profiles = world.stack.platform.administration, world.stack.platform.profiles
    items = stored()
    for act in (
        lambda: accounts.approve(user.user_id),
        lambda: accounts.set_active(user.user_id, True),
        lambda: ring.replace_lost(user.user_id, ""),
        lambda: ring.issue(user.user_id),
        lambda: administration.credit(user.user_id, Micros(1), "late"),
        lambda: profiles.change(user.user_id, Changes(webhook_url=URL)),
        lambda: profiles.change(user.user_id, Changes(name="Joe")),
    ):
        (answer,) = together(act)
        assert getattr(answer, "code", None) == "account_closed"
    assert stored() == items


def test_409_while_a_rental_is_open(world: World, user: User, me: Caller) -> None:
    world.stock(1)
    rental = world.rent(user)
    body: dict[str, object] = {"confirm": user.login}
    refused(me.call("DELETE", "/account", body), 409, "open_rentals")
    world.stack.platform.closings.cancel(user, rental.rental_id)
    me.ok("DELETE", "/account", body)


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "missing_parameter"), ({"confirm": "yes"}, "invalid_parameter")],
)
def test_400_unless_the_login_confirms_it(me: Caller, body: dict[str, object], code: str) -> None:
    refused(me.call("DELETE", "/account", body), 400, code, "confirm")
    assert me.ok("GET", "/account")


def test_closing_and_renting_at_once_leave_no_open_rental_of_a_closed_account(
    world: World,
) -> None:
    world.stock(8)
    platform = world.stack.platform
    for _ in range(4):
        user = world.user()
        together(
            lambda user=user: platform.profiles.close(user.user_id, confirm=user.login),  # type: ignore[misc]
            lambda user=user: platform.rentals.rent(user, "US", ""),  # type: ignore[misc]
        )
        after = world.find(user)
        assert (after.status == "closed") == (after.open_rentals == 0)
        world.assert_i2(user)


# Registration.


@pytest.fixture
def open_world(world: World) -> World:
    world.stack.configure(SESAME_OPEN_REGISTRATION="1")
    return world


def test_403_unless_registration_is_open(stack: Stack) -> None:
    answer = NOBODY.call("POST", "/register", {"login": "joe", "name": "Joe"})
    refused(answer, 403, "registration_closed")


def test_a_registered_user_is_pending_and_their_key_opens_nothing_yet(open_world: World) -> None:
    made = NOBODY.ok("POST", "/register", {"login": "Joe", "name": "Joe Smith"})
    assert made["account_status"] == "pending"
    me = holder(made["api_key"])
    refused(me.call("GET", "/account"), 403, "account_inactive")
    open_world.stack.platform.accounts.approve(made["user_id"])
    assert me.ok("GET", "/account")["account"]["login"] == "joe"


def test_registration_names_what_is_wrong(open_world: World) -> None:
    bad: list[tuple[dict[str, object], str, str]] = [
        ({"name": "Joe"}, "missing_parameter", "login"),
        ({"login": "joe"}, "missing_parameter", "name"),
        ({"login": "j#", "name": "Joe"}, "invalid_parameter", "login"),
    ]
    for body, code, field in bad:
        refused(NOBODY.call("POST", "/register", body), 400, code, field)


def test_409_for_a_login_that_is_taken(open_world: World) -> None:
    body: dict[str, object] = {"login": "joe", "name": "Joe"}
    NOBODY.ok("POST", "/register", body)
    refused(NOBODY.call("POST", "/register", body), 409, "login_taken", "login")


def test_429_after_so_many_registrations_an_hour(open_world: World) -> None:
    open_world.stack.configure(SESAME_MAX_REGISTRATIONS_PER_HOUR="2")
    for login in ("ann", "bob"):
        NOBODY.ok("POST", "/register", {"login": login, "name": login})
    body: dict[str, object] = {"login": "cat", "name": "Cat"}
    refused(NOBODY.call("POST", "/register", body), 429, "rate_limited")
    open_world.stack.clock.advance(seconds=HOUR // 1000)
    NOBODY.ok("POST", "/register", body)


def test_addresses_are_counted_apart_and_ipv6_by_network(open_world: World) -> None:
    open_world.stack.configure(SESAME_MAX_REGISTRATIONS_PER_HOUR="1")
    register = open_world.stack.platform.profiles.register
    register("ann", "Ann", "192.0.2.1")
    register("bob", "Bob", "192.0.2.2")
    register("cat", "Cat", "2001:db8::1")
    (answer,) = together(lambda: register("dan", "Dan", "2001:db8::2"))
    assert getattr(answer, "code", None) == "rate_limited"


# The page.


def test_the_page_and_its_files_load_nothing_from_elsewhere(stack: Stack) -> None:
    for path, kind in (
        ("/", "text/html"),
        ("/account.js", "text/javascript"),
        ("/account.css", "text/css"),
    ):
        response = get(path)
        assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        text = response.body.decode()
        assert "//" not in text.replace("// ", "").replace("https:///", "")
        assert "localStorage" not in text
        assert "innerHTML" not in text


def test_every_field_of_the_page_has_a_label(stack: Stack) -> None:
    page = get("/").body.decode()
    for field in ("key", "name", "webhook_url", "number_format", "time_zone", "secret"):
        assert f'for="{field}"' in page
        assert f'id="{field}"' in page
    assert "Webhook URL" in page
