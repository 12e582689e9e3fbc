"""Managers: their own users, and money from their own balance."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chalicelib.domain.ids import new_ulid
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.user import User
from chalicelib.errors import InsufficientBalanceError
from chalicelib.services.administration import Placement
from tests.api.faces import ADMIN, Caller, holder
from tests.api.shapes import refused
from tests.wire import conflict, tapped
from tests.world import BALANCE, PRICE, World, meanwhile, post, together

ACTS = ("approve", "activate", "deactivate", "fund", "keys")


@dataclass
class Team:
    """A manager with one approved user, each with a key."""

    manager: User
    me: Caller
    user: User
    theirs: Caller


def managed(world: World, *, balance: Micros = BALANCE) -> Team:
    administration = world.stack.platform.administration
    manager, user = world.user(balance=balance), world.user(balance=Micros(0))
    administration.place(manager.user_id, Placement(is_manager=True))
    administration.place(user.user_id, Placement(manager=manager.user_id))
    return Team(
        world.find(manager), holder(world.key(manager)), world.find(user), holder(world.key(user))
    )


@pytest.fixture
def team(world: World) -> Team:
    return managed(world)


def path(user: User, act: str = "") -> str:
    return f"/manager/users/{user.user_id}" + (f"/{act}" if act else "")


def test_a_manager_creates_lists_and_shows_their_users(world: World, team: Team) -> None:
    made = team.me.ok("POST", "/manager/users", {"login": "Ann", "name": "Ann A"})["user"]
    assert (made["login"], made["status"], made["manager_id"]) == (
        "ann",
        "pending",
        team.manager.user_id,
    )
    listed = team.me.ok("GET", "/manager/users")
    assert {user["user_id"] for user in listed["users"]} == {made["user_id"], team.user.user_id}
    assert listed["next_cursor"] is None
    assert team.me.ok("GET", f"/manager/users/{made['user_id']}")["user"] == made
    assert team.theirs.ok("GET", "/account")["account"]["manager_id"] == team.manager.user_id


def test_users_come_in_pages(world: World, team: Team) -> None:
    for at in range(4):
        team.me.ok("POST", "/manager/users", {"login": f"user{at}x", "name": "U"})
    pages = team.me.pages("/manager/users", "users", limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({user["user_id"] for page in pages for user in page}) == 5


def test_listing_is_two_round_trips(team: Team) -> None:
    team.me.ok("GET", "/manager/users")
    with tapped() as wire:
        team.me.ok("GET", "/manager/users")
    assert wire.operations() == ["Query", "BatchGetItem"]


def test_a_user_is_approved_stopped_and_let_go_on(world: World, team: Team) -> None:
    made = team.me.ok("POST", "/manager/users", {"login": "ann", "name": "Ann"})["user"]
    user = world.stack.platform.accounts.find(made["user_id"])
    assert team.me.ok("POST", path(user, "approve"))["user"]["status"] == "approved"
    caller = holder(team.me.ok("POST", path(user, "keys"), {"label": "first"})["api_key"])
    assert caller.ok("GET", "/account")
    assert team.me.ok("POST", path(user, "deactivate"))["user"]["active"] is False
    refused(caller.call("GET", "/account"), 403, "account_inactive")
    assert team.me.ok("POST", path(user, "activate"))["user"]["active"] is True
    assert caller.ok("GET", "/account")


def test_403_to_let_act_again_whom_the_admin_stopped(team: Team) -> None:
    by_admin = f"/admin/users/{team.user.user_id}"
    ADMIN.ok("POST", f"{by_admin}/deactivate")
    for act in ("deactivate", "approve"):
        team.me.ok("POST", path(team.user, act))
    refused(team.me.call("POST", path(team.user, "activate")), 403, "blocked_by_admin")
    assert ADMIN.ok("GET", by_admin)["user"]["blocked"] is True
    refused(team.theirs.call("GET", "/account"), 403, "account_inactive")
    ADMIN.ok("POST", f"{by_admin}/activate")
    assert team.theirs.ok("GET", "/account")
    for act in ("deactivate", "activate"):
        team.me.ok("POST", path(team.user, act))
    assert team.theirs.ok("GET", "/account")


def test_403_to_let_act_again_whom_the_admin_stops_meanwhile(world: World, team: Team) -> None:
    team.me.ok("POST", path(team.user, "deactivate"))
    stop = world.elsewhere().accounts.set_active
    with tapped(meanwhile(lambda: stop(team.user.user_id, False)), only="UpdateItem"):
        refused(team.me.call("POST", path(team.user, "activate")), 403, "blocked_by_admin")
    assert not world.find(team.user).active


@pytest.mark.parametrize("act", ["", *ACTS])
def test_404_alike_for_others_users_and_for_none(world: World, team: Team, act: str) -> None:
    other = managed(world)
    method = "POST" if act else "GET"
    body: dict[str, object] | None = {"amount": "1"} if act == "fund" else {} if act else None
    answers = []
    for user_id in (
        other.user.user_id,
        other.manager.user_id,
        team.manager.user_id,
        world.user().user_id,
        new_ulid(world.stack.clock.now),
        "nobody",
        team.user.login,
        f"login%23{team.user.login}",
    ):
        response = team.me.call(
            method, f"/manager/users/{user_id}" + (f"/{act}" if act else ""), body
        )
        answers.append(refused(response, 404, "user_not_found", "user_id"))
    assert all(answer == answers[0] for answer in answers)
    world.assert_i2(team.manager, other.user, other.manager)


CALLS = [
    ("GET", "/manager/users"),
    ("POST", "/manager/users"),
    ("PATCH", "/manager"),
    ("GET", "/manager/users/x"),
    *[("POST", f"/manager/users/x/{act}") for act in ACTS],
]


@pytest.mark.parametrize(("method", "where"), CALLS)
def test_403_for_somebody_who_manages_nobody(team: Team, method: str, where: str) -> None:
    refused(team.theirs.call(method, where, {}), 403, "not_a_manager")


@pytest.mark.parametrize(("method", "where"), CALLS)
def test_401_without_a_key(world: World, method: str, where: str) -> None:
    refused(Caller({}).call(method, where, {}), 401, "missing_api_key", "Authorization")


# Money.


@pytest.mark.parametrize("amount", ["12.5", 12.5, "12.500000"])
def test_i2_funding_moves_money_in_two_entries(world: World, team: Team, amount: object) -> None:
    told = team.me.ok("POST", path(team.user, "fund"), {"amount": amount})
    assert told["amount"] == 12.5
    assert (told["user_id"], told["reference"]) == (team.user.user_id, team.manager.user_id)
    assert world.balance(team.manager) == BALANCE - 12_500_000
    assert world.balance(team.user) == 12_500_000
    (gained,) = world.ledger(team.user)
    (paid,) = [line for line in world.ledger(team.manager) if line.kind == "transfer"]
    assert gained.cause == paid.cause == told["movement_id"]
    assert (gained.kind, paid.kind) == ("transfer", "transfer")
    assert gained.amount == -paid.amount == 12_500_000
    world.assert_i2(team.manager, team.user)


def test_funding_is_one_round_trip(team: Team) -> None:
    team.me.ok("GET", "/manager/users")
    with tapped() as wire:
        team.me.ok("POST", path(team.user, "fund"), {"amount": 1}, idempotency_key="a")
    assert wire.operations() == ["TransactWriteItems"]


def test_funding_outlives_conflicts(world: World, team: Team) -> None:
    with tapped(conflict, conflict, only="TransactWriteItems"):
        team.me.ok("POST", path(team.user, "fund"), {"amount": 1})
    assert world.balance(team.user) == UNIT
    world.assert_i2(team.manager, team.user)


@pytest.mark.parametrize(
    "amount",
    [
        0,
        "0",
        "0.00",
        -1,
        "-1",
        "0.0000001",
        1e-7,
        "1e400",
        "NaN",
        "inf",
        True,
        [1],
        {},
        "1,5",
        "\u0661",
    ],
)
def test_400_for_an_amount_that_is_none(world: World, team: Team, amount: object) -> None:
    answer = team.me.call("POST", path(team.user, "fund"), {"amount": amount})
    refused(answer, 400, "invalid_parameter", "amount")
    assert world.balance(team.user) == 0


@pytest.mark.parametrize("body", [{}, {"amount": None}, {"amount": ""}])
def test_400_without_an_amount(team: Team, body: dict[str, object]) -> None:
    answer = team.me.call("POST", path(team.user, "fund"), body)
    refused(answer, 400, "missing_parameter", "amount")


def test_402_for_more_than_the_balance(world: World, team: Team) -> None:
    body: dict[str, object] = {"amount": "100.000001"}
    refused(team.me.call("POST", path(team.user, "fund"), body), 402, "insufficient_balance")
    assert (world.balance(team.manager), world.balance(team.user)) == (BALANCE, 0)
    team.me.ok("POST", path(team.user, "fund"), {"amount": "100"})
    assert world.balance(team.manager) == 0
    world.assert_i2(team.manager, team.user)


def test_403_once_the_manager_is_none_any_more(world: World, team: Team) -> None:
    administration = world.elsewhere().administration
    team.me.ok("GET", "/manager/users")
    administration.place(team.user.user_id, Placement(manager=""))
    administration.place(team.manager.user_id, Placement(is_manager=False))
    answer = team.me.call("POST", path(team.user, "fund"), {"amount": 1})
    refused(answer, 404, "user_not_found", "user_id")
    world.stack.clock.advance(seconds=30)
    refused(team.me.call("GET", "/manager/users"), 403, "not_a_manager")


def test_i2_32_funds_at_once_from_a_balance_for_7_make_7(world: World) -> None:
    team = managed(world, balance=Micros(7 * UNIT + UNIT // 2))
    managers = world.stack.platform.managers

    def fund() -> object:
        return managers.fund(team.manager.user_id, team.user.user_id, Micros(UNIT))

    answers = together(*[fund] * 32)
    refusals = [answer for answer in answers if isinstance(answer, InsufficientBalanceError)]
    assert (len(answers) - len(refusals), len(refusals)) == (7, 25)
    assert world.balance(team.manager) == UNIT // 2
    assert world.balance(team.user) == 7 * UNIT
    world.assert_i2(team.manager, team.user)


def test_i3_a_repeat_moves_money_once_and_gets_the_first_answer(world: World, team: Team) -> None:
    where, body = path(team.user, "fund"), {"amount": "1"}
    first = team.me.ok("POST", where, body, idempotency_key="k1")
    world.stack.clock.advance(seconds=5)
    assert team.me.ok("POST", where, body, idempotency_key="k1") == first
    assert world.balance(team.user) == UNIT
    answer = team.me.call("POST", where, {"amount": "2"}, idempotency_key="k1")
    refused(answer, 422, "idempotency_key_reused", "Idempotency-Key")
    other = team.me.ok("POST", "/manager/users", {"login": "ann", "name": "Ann"})["user"]
    answer = team.me.call(
        "POST", f"/manager/users/{other['user_id']}/fund", body, idempotency_key="k1"
    )
    refused(answer, 422, "idempotency_key_reused", "Idempotency-Key")
    assert world.balance(team.user) == UNIT
    world.assert_i2(team.manager, team.user)


def test_i3_a_refusal_may_be_tried_again(world: World, team: Team) -> None:
    where, body = path(team.user, "fund"), {"amount": "101"}
    refused(team.me.call("POST", where, body, idempotency_key="k"), 402, "insufficient_balance")
    world.stack.platform.administration.credit(team.manager.user_id, Micros(UNIT), "more")
    team.me.ok("POST", where, body, idempotency_key="k")
    assert world.balance(team.user) == 101 * UNIT


def test_i3_the_same_fund_16_times_at_once_moves_money_once(world: World, team: Team) -> None:
    calls: list[Callable[[], object]] = [
        lambda: team.me.ok("POST", path(team.user, "fund"), {"amount": 1}, idempotency_key="k")
    ] * 16
    answers = together(*calls)
    assert len({json.dumps(answer) for answer in answers}) == 1
    assert world.balance(team.user) == UNIT
    world.assert_i2(team.manager, team.user)


# Keys, markup, renting.


def test_a_lost_key_is_replaced_and_the_oldest_of_two_ends(world: World, team: Team) -> None:
    world.stack.clock.advance(seconds=1)
    second = holder(team.me.ok("POST", path(team.user, "keys"))["api_key"])
    assert team.theirs.ok("GET", "/account")
    world.stack.clock.advance(seconds=1)
    third = holder(team.me.ok("POST", path(team.user, "keys"), {"label": "new"})["api_key"])
    refused(team.theirs.call("GET", "/account"), 401, "invalid_api_key", "api_key")
    assert second.ok("GET", "/account")
    assert [key["label"] for key in third.ok("GET", "/account/keys")["keys"]] == ["", "new"]


@pytest.mark.parametrize(("markup", "price"), [(0, 0.05), ("12.5", 0.05625), (300, 0.2)])
def test_a_markup_is_on_every_price_of_their_users(
    world: World, team: Team, markup: object, price: float
) -> None:
    world.stock(2)
    assert team.me.ok("PATCH", "/manager", {"markup": markup})["markup"] == float(str(markup))
    team.me.ok("POST", path(team.user, "fund"), {"amount": 1})
    listed = team.theirs.ok("GET", "/getNumbers")["numbers"]
    assert [offer["price_per_sms"] for offer in listed] == [price]
    assert team.theirs.ok("POST", "/rentNumber", {"country": "US"})["price"] == price
    assert team.me.ok("POST", "/rentNumber", {"country": "US"})["price"] == PRICE / UNIT


@pytest.mark.parametrize("markup", [-1, 300.01, "300.01", "0.001", "ten", True, "", None])
def test_400_for_a_markup_out_of_range(team: Team, markup: object) -> None:
    code = "missing_parameter" if markup in ("", None) else "invalid_parameter"
    refused(team.me.call("PATCH", "/manager", {"markup": markup}), 400, code, "markup")


def test_users_of_an_inactive_manager_can_not_rent(world: World, team: Team) -> None:
    world.stock(1)
    team.me.ok("POST", path(team.user, "fund"), {"amount": 1})
    world.stack.platform.accounts.set_active(team.manager.user_id, False)
    answer = team.theirs.call("POST", "/rentNumber", {"country": "US"})
    assert answer.status_code == 403
    assert json.loads(answer.body)["message"] == "Manager inactive. Contact support."


def test_a_manager_with_users_can_not_close_their_account(world: World, team: Team) -> None:
    body: dict[str, object] = {"confirm": team.manager.login}
    refused(team.me.call("DELETE", "/account", body), 409, "has_users")
    team.theirs.ok("DELETE", "/account", {"confirm": team.user.login})
    assert team.me.ok("GET", "/manager/users")["users"] == []
    team.me.ok("DELETE", "/account", body)


def test_400_for_unknown_fields(team: Team) -> None:
    body: dict[str, object] = {"amount": 1, "currency": "EUR"}
    answer = team.me.call("POST", path(team.user, "fund"), body)
    refused(answer, 400, "unknown_parameter", "currency")


def test_a_form_is_taken_as_well(world: World, team: Team) -> None:
    response = post(
        path(team.user, "fund"),
        b"amount=1.5",
        headers=team.me.headers,
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200, response.body
    assert world.balance(team.user) == 1_500_000
