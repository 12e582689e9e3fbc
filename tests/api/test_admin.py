"""The admin's routes: users, who manages whom, prices, the stock, SMS that nobody took."""

import json

import pytest

from chalicelib.domain.keys import hash_key
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.user import User
from chalicelib.services.administration import UNCLAIMED
from tests.api.faces import ADMIN, Caller, holder
from tests.api.shapes import refused
from tests.conftest import Stack
from tests.wire import cut_short, tapped
from tests.world import BALANCE, World, get, together

CALLS = [
    ("GET", "/admin/users"),
    ("POST", "/admin/users"),
    ("GET", "/admin/users/x"),
    ("PATCH", "/admin/users/x"),
    *[
        ("POST", f"/admin/users/x/{act}")
        for act in ("approve", "activate", "deactivate", "credit", "keys", "close")
    ],
    ("GET", "/admin/prices"),
    ("PUT", "/admin/prices"),
    ("GET", "/admin/inbound"),
    ("GET", "/admin/numbers"),
]
OF_A_USER = [(method, path) for method, path in CALLS if path.startswith("/admin/users/x")]


@pytest.fixture
def user(world: World) -> User:
    return world.user()


def path(user: User, act: str = "") -> str:
    return f"/admin/users/{user.user_id}" + (f"/{act}" if act else "")


# The key.


@pytest.mark.parametrize(("method", "where"), CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Admin-Key": ""},
        {"X-Admin-Key": "the-system-key"},
        {"X-Admin-Key": hash_key("the-admin-key")},
        {"X-Admin-Key": "the-admin-key "},
        {"X-Admin-Key": "thé"},
        {"Authorization": "Bearer the-admin-key"},
        {"X-Api-Key": "the-admin-key"},
    ],
)
def test_401_without_the_admin_key(
    stack: Stack, method: str, where: str, headers: dict[str, str]
) -> None:
    with tapped() as wire:
        answer = Caller(headers).call(method, where, {})
        refused(answer, 401, "invalid_admin_key", "X-Admin-Key")
    assert wire.operations() == []


def test_the_admin_key_in_the_query_opens_nothing(stack: Stack) -> None:
    for name in ("X-Admin-Key", "x-admin-key", "admin_key", "api_key"):
        answer = get("/admin/users", **{name: "the-admin-key"})
        refused(answer, 401, "invalid_admin_key", "X-Admin-Key")


def test_a_users_key_opens_no_admin_route(world: World, user: User) -> None:
    key = world.key(user)
    for caller in (holder(key), Caller({"X-Admin-Key": key})):
        refused(caller.call("GET", "/admin/users"), 401, "invalid_admin_key", "X-Admin-Key")


def test_the_admin_key_opens_no_account(stack: Stack) -> None:
    refused(ADMIN.call("GET", "/account"), 401, "missing_api_key", "Authorization")


# Users.


def test_a_user_is_made_approved_credited_and_given_a_key(stack: Stack) -> None:
    made = ADMIN.ok("POST", "/admin/users", {"login": "Joe", "name": "Joe Smith"})["user"]
    assert (made["login"], made["status"], made["balance"]) == ("joe", "pending", 0)
    where = f"/admin/users/{made['user_id']}"
    assert ADMIN.ok("POST", f"{where}/approve")["user"]["status"] == "approved"
    told = ADMIN.ok("POST", f"{where}/credit", {"amount": "12.5", "reference": "cash"})
    assert (told["amount"], told["reference"], told["user_id"]) == (12.5, "cash", made["user_id"])
    key = ADMIN.ok("POST", f"{where}/keys", {"label": "first"})["api_key"]
    assert holder(key).ok("GET", "/account")["account"]["balance"] == 12.5
    assert ADMIN.ok("GET", "/admin/users/joe")["user"] == ADMIN.ok("GET", where)["user"]


def test_a_user_reads_whole(user: User) -> None:
    assert ADMIN.ok("GET", path(user))["user"] == {
        "user_id": user.user_id,
        "login": user.login,
        "name": "A user",
        "status": "approved",
        "active": True,
        "balance": 100.0,
        "open_rentals": 0,
        "rentals_total": 0,
        "manager_id": None,
        "blocked": False,
        "is_manager": False,
        "markup": 0.0,
        "number_format": "full",
        "time_zone": "UTC",
        "webhook": None,
    }


def test_all_users_come_in_pages(world: World) -> None:
    made = {world.user(balance=Micros(0)).user_id for _ in range(5)}
    pages = ADMIN.pages("/admin/users", "users", limit=3)
    assert {user["user_id"] for page in pages for user in page} == made
    assert sum(map(len, pages)) == 5


def test_a_user_is_stopped_and_let_go_on(world: World, user: User) -> None:
    me = holder(world.key(user))
    assert me.ok("GET", "/account")
    assert ADMIN.ok("POST", path(user, "deactivate"))["user"]["active"] is False
    refused(me.call("GET", "/account"), 403, "account_inactive")
    assert ADMIN.ok("POST", path(user, "activate"))["user"]["active"] is True
    assert me.ok("GET", "/account")


@pytest.mark.parametrize(("method", "where"), OF_A_USER)
def test_404_for_a_user_that_is_not_there(stack: Stack, method: str, where: str) -> None:
    bodies: dict[str, dict[str, object]] = {
        "credit": {"amount": 1},
        "close": {"confirm": "x"},
        "x": {"markup": 5},
    }
    body = bodies.get(where.rpartition("/")[2], {})
    refused(ADMIN.call(method, where, body), 404, "user_not_found", "user")


def test_409_for_a_login_that_is_taken(user: User) -> None:
    body: dict[str, object] = {"login": user.login, "name": "Another"}
    refused(ADMIN.call("POST", "/admin/users", body), 409, "login_taken", "login")


@pytest.mark.parametrize("amount", [0, -1, "0", "1e400", True, [1]])
def test_400_for_a_credit_of_nothing(world: World, user: User, amount: object) -> None:
    answer = ADMIN.call("POST", path(user, "credit"), {"amount": amount})
    refused(answer, 400, "invalid_parameter", "amount")
    assert world.balance(user) == BALANCE


def test_i3_a_credit_is_made_once(world: World, user: User) -> None:
    where, body = path(user, "credit"), {"amount": 5}
    first = ADMIN.ok("POST", where, body, idempotency_key="k")
    world.stack.clock.advance(seconds=1)
    again = together(*[lambda: ADMIN.ok("POST", where, body, idempotency_key="k")] * 8)
    assert {json.dumps(answer) for answer in again} == {json.dumps(first)}
    assert world.balance(user) == BALANCE + 5 * UNIT
    refused(
        ADMIN.call("POST", where, {"amount": 6}, idempotency_key="k"),
        422,
        "idempotency_key_reused",
        "Idempotency-Key",
    )
    other = world.user()
    refused(
        ADMIN.call("POST", path(other, "credit"), body, idempotency_key="k"),
        422,
        "idempotency_key_reused",
        "Idempotency-Key",
    )
    world.assert_i2(user, other)


def test_an_account_is_closed_once_its_login_confirms_it(world: World, user: User) -> None:
    where = path(user, "close")
    answer = ADMIN.call("POST", where, {"confirm": "yes"})
    refused(answer, 400, "invalid_parameter", "confirm")
    closed = ADMIN.ok("POST", where, {"confirm": user.login})["user"]
    assert (closed["status"], closed["name"], closed["balance"]) == ("closed", "", 100.0)
    for act, body in (
        ("approve", {}),
        ("activate", {}),
        ("keys", {}),
        ("credit", {"amount": 1}),
        ("close", {"confirm": closed["login"]}),
    ):
        refused(ADMIN.call("POST", path(user, act), body), 409, "account_closed")
    refused(ADMIN.call("PATCH", path(user), {"markup": 1}), 409, "account_closed")
    refused(ADMIN.call("GET", f"/admin/users/{user.login}"), 404, "user_not_found", "user")


# Who manages whom.


def test_a_user_is_placed_under_a_manager_and_taken_away(world: World, user: User) -> None:
    manager = world.user()
    placed = ADMIN.ok("PATCH", path(manager), {"is_manager": True, "markup": "12.5"})["user"]
    assert (placed["is_manager"], placed["markup"]) == (True, 12.5)
    placed = ADMIN.ok("PATCH", path(user), {"manager_id": manager.user_id})["user"]
    assert placed["manager_id"] == manager.user_id
    # A change of one thing leaves the others.
    assert ADMIN.ok("PATCH", path(manager), {"markup": 5})["user"]["is_manager"] is True
    assert ADMIN.ok("PATCH", path(user), {"manager_id": None})["user"]["manager_id"] is None


def test_nobody_manages_themselves_and_managers_have_no_manager(world: World, user: User) -> None:
    manager, other = world.user(), world.user()
    for one in (manager, other):
        ADMIN.ok("PATCH", path(one), {"is_manager": True})
    answer = ADMIN.call("PATCH", path(manager), {"manager_id": manager.user_id})
    refused(answer, 400, "invalid_parameter", "manager_id")
    answer = ADMIN.call("PATCH", path(manager), {"manager_id": other.user_id})
    refused(answer, 409, "manager_has_no_manager", "manager_id")
    answer = ADMIN.call("PATCH", path(user), {"manager_id": world.user().user_id})
    refused(answer, 400, "invalid_parameter", "manager_id")
    ADMIN.ok("PATCH", path(user), {"manager_id": manager.user_id})
    answer = ADMIN.call("PATCH", path(user), {"is_manager": True})
    refused(answer, 409, "manager_has_no_manager", "manager_id")
    answer = ADMIN.call("PATCH", path(manager), {"is_manager": False})
    refused(answer, 409, "has_users", "is_manager")


def test_two_placed_under_each_other_at_once_make_no_circle(world: World) -> None:
    for _ in range(4):
        one, two = world.user(), world.user()
        ADMIN.ok("PATCH", path(one), {"is_manager": True})
        together(
            lambda one=one, two=two: ADMIN.call(  # type: ignore[misc]
                "PATCH", path(two), {"manager_id": one.user_id}
            ),
            lambda two=two: ADMIN.call("PATCH", path(two), {"is_manager": True}),  # type: ignore[misc]
        )
        after = world.find(two)
        assert not (after.is_manager and after.manager_id)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"is_manager": "perhaps"}, "invalid_parameter", "is_manager"),
        ({"markup": 301}, "invalid_parameter", "markup"),
        ({"manager_id": 5}, "invalid_parameter", "manager_id"),
        ({"balance": 5}, "unknown_parameter", "balance"),
    ],
)
def test_400_for_a_place_that_is_none(
    user: User, body: dict[str, object], code: str, field: str
) -> None:
    refused(ADMIN.call("PATCH", path(user), body), 400, code, field)


# The stock.


def test_numbers_are_listed_by_country_and_state(world: World, user: User) -> None:
    world.stock(3)
    world.stock(2, country="GB", operator_id=2, first=3_000_000)
    rental = world.rent(user)
    pages = ADMIN.pages("/admin/numbers", "numbers", limit=2)
    assert sum(map(len, pages)) == 5
    found = ADMIN.pages("/admin/numbers", "numbers", country="gb")
    assert {one["country"] for page in found for one in page} == {"GB"}
    (rented,) = [n for p in ADMIN.pages("/admin/numbers", "numbers", state="rented") for n in p]
    assert (rented["phone_number"], rented["rental_id"]) == (rental.phone_number, rental.rental_id)
    assert rented["rented_until"] == "2023-11-14T22:33:20Z"


@pytest.mark.parametrize(("name", "value"), [("state", "lost"), ("country", "XX")])
def test_400_for_numbers_that_can_not_be(stack: Stack, name: str, value: str) -> None:
    answer = ADMIN.call("GET", "/admin/numbers", query={name: value})
    refused(answer, 400, "invalid_parameter", name)


def test_sms_that_nobody_took_come_newest_first(world: World, user: User) -> None:
    number, other = world.stock(2)
    rental = world.rent(user)
    rented = rental.phone_number
    spare = other if rented == number else number
    world.sms(rented, "taken 111111")
    world.stack.clock.advance(seconds=1)
    world.sms(spare, "no rental 222222", message_id="a#b")
    world.stack.clock.advance(seconds=1)
    world.sms("+14155559999", "unknown 333333")
    world.stack.clock.advance(seconds=1_200)
    world.sms(rented, "late 444444")
    for limit in (1, 2, 50):
        pages = ADMIN.pages("/admin/inbound", "messages", limit=limit)
        found = [sms for page in pages for sms in page]
        assert [sms["fate"] for sms in found] == ["late", "unknown_number", "no_rental"]
        assert all(pages)
    assert [sms["text"][:4] for sms in found] == ["late", "unkn", "no r"]
    (late,) = ADMIN.ok("GET", "/admin/inbound", query={"fate": "late"})["messages"]
    assert (late["provider"], late["account"], late["recipient"]) == ("generic", "demo", rented)
    (unrented,) = ADMIN.ok("GET", "/admin/inbound", query={"fate": "no_rental"})["messages"]
    assert unrented["message_id"] == "a#b"
    assert ADMIN.ok("GET", "/admin/inbound", query={"fate": "full"})["messages"] == []


def test_sms_that_nobody_took_go_on_where_dynamodb_cuts_a_page_short(world: World) -> None:
    (spare,) = world.stock(1)
    for to in (spare, "+14155559999"):
        for at in range(3):
            world.stack.clock.advance(seconds=1)
            world.sms(to, f"number {at}")
    whole = ADMIN.ok("GET", "/admin/inbound")["messages"]
    assert len(whole) == 6
    with tapped(*[cut_short(1)] * len(UNCLAIMED) * 3, only="Query"):
        pages = ADMIN.pages("/admin/inbound", "messages")
    assert [sms for page in pages for sms in page] == whole
    assert len(pages) > 1
    fate: dict[str, object] = {"fate": "no_rental"}
    with tapped(*[cut_short(2)], only="Query"):
        first = ADMIN.ok("GET", "/admin/inbound", query=fate)
    assert (len(first["messages"]), first["next_cursor"] is None) == (2, False)


def test_sms_of_one_fate_are_one_round_trip(world: World) -> None:
    for fate in UNCLAIMED:
        with tapped() as wire:
            ADMIN.ok("GET", "/admin/inbound", query={"fate": fate})
        assert wire.operations() == ["Query"]


@pytest.mark.parametrize("fate", ["matched", "lost"])
def test_400_for_a_fate_that_is_none(stack: Stack, fate: str) -> None:
    answer = ADMIN.call("GET", "/admin/inbound", query={"fate": fate})
    refused(answer, 400, "invalid_parameter", "fate")


@pytest.mark.parametrize("where", ["/admin/users", "/admin/numbers", "/admin/inbound"])
def test_400_for_a_cursor_that_is_not_ours(world: World, where: str) -> None:
    refused(ADMIN.call("GET", where, query={"cursor": "AAAA"}), 400, "invalid_parameter", "cursor")
