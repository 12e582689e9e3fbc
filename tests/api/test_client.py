"""Spec A's get-number refuses: every row of its error table to the letter, and their order."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chalicelib.domain import keys
from chalicelib.domain.ids import UserId
from chalicelib.domain.user import UserStatus
from chalicelib.services.rentals import Rentals
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.api.clients import MISSING, US, Caller, caller_in, number_of, told
from tests.wire import failed, stored, tapped, unreachable
from tests.world import PRICE, World, get

NO = False


@pytest.fixture
def caller(world: World) -> Caller:
    return caller_in(world)


def pay_nothing(caller: Caller) -> None:
    caller.spoil(balance=PRICE - 1)


def take_the_last(caller: Caller) -> None:
    caller.world.rent(caller.world.user())


def deactivate_manager(caller: Caller) -> None:
    manager = caller.world.user()
    db.update(UserRow(manager.user_id), [UserRow.active.set(NO)], UserRow.status.exists())
    caller.spoil(manager_id=manager.user_id)


def revoke(caller: Caller) -> None:
    key_ring = caller.world.stack.platform.key_ring
    key_ring.revoke(caller.user.user_id, keys.shown_prefix(caller.key))


def set_key(text: str) -> Callable[[Caller], None]:
    return lambda caller: setattr(caller, "key", text)


def ask_for(**query: object) -> Callable[[Caller], None]:
    return lambda caller: caller.query.update(query)


def leave_out(name: str) -> Callable[[Caller], None]:
    return lambda caller: caller.query.pop(name, None)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a call, and what is said of it. `rank` is its place in the order."""

    rank: int
    name: str
    status: int
    message: str
    make: Callable[[Caller], object]

    def __str__(self) -> str:
        return self.name


UNKNOWN_KEY = keys.new_key(UserId("0" * 26))
KEY_FAULTS = [
    Fault(0, "malformed key", 401, MISSING, set_key("junk")),
    Fault(0, "blank key", 401, MISSING, set_key("%20")),
    Fault(0, "unknown key", 401, "Invalid api_key", set_key(UNKNOWN_KEY)),
    Fault(0, "revoked key", 401, "Invalid api_key", revoke),
    Fault(0, "pending user", 401, "Invalid api_key", lambda c: c.spoil(status=UserStatus.PENDING)),
    Fault(0, "inactive user", 401, "Invalid api_key", lambda c: c.spoil(active=NO)),
]
NOT_FOUND = "Target user not found or inactive"
SYSTEM_FAULTS = [
    Fault(1, "no user_id", 400, "user_id is required with api_key", leave_out("user_id")),
    Fault(1, "blank user_id", 400, "user_id is required with api_key", ask_for(user_id=" ")),
    Fault(2, "junk user", 404, NOT_FOUND, ask_for(user_id="junk")),
    Fault(2, "unknown user", 404, NOT_FOUND, ask_for(user_id="0" * 26)),
    Fault(2, "inactive user", 404, NOT_FOUND, lambda c: c.spoil(active=NO)),
    Fault(2, "pending user", 404, NOT_FOUND, lambda c: c.spoil(status=UserStatus.PENDING)),
]
COMMON_FAULTS = [
    Fault(3, "manager", 403, "Manager inactive. Contact support.", deactivate_manager),
    Fault(4, "no country", 400, "country_id is required", leave_out("country_id")),
    Fault(4, "blank country", 400, "country_id is required", ask_for(country_id="")),
    Fault(4, "country is text", 400, "country_id must be an integer", ask_for(country_id="US")),
    Fault(4, "unknown country", 400, "country_id: there is no such country", ask_for(country_id=1)),
    Fault(5, "operator is text", 400, "operator_id must be an integer", ask_for(operator_id="x1")),
    Fault(
        6,
        "unknown format",
        400,
        "number_format: expected full, national or remove_plus.",
        ask_for(number_format="short"),
    ),
    Fault(7, "balance", 402, "Insufficient balance", pay_nothing),
    Fault(8, "no number", 404, "No number received", take_the_last),
]


@pytest.mark.parametrize("fault", KEY_FAULTS + COMMON_FAULTS, ids=str)
def test_get_number_by_a_users_key_refuses(caller: Caller, fault: Fault) -> None:
    fault.make(caller)
    before = stored()
    told(caller.ask(), fault.status, fault.message)
    assert stored() == before


@pytest.mark.parametrize("fault", SYSTEM_FAULTS + COMMON_FAULTS, ids=str)
def test_get_number_by_the_system_key_refuses(caller: Caller, fault: Fault) -> None:
    caller.by_system()
    fault.make(caller)
    told(caller.ask(), fault.status, fault.message)


def ranked(*faults: Fault) -> list[tuple[Fault, Fault]]:
    """Every two of which one comes first, one of each kind."""
    kinds = [next(group) for _, group in itertools.groupby(faults, lambda fault: fault.rank)]
    return list(itertools.combinations(kinds, 2))


@pytest.mark.parametrize(("first", "second"), ranked(KEY_FAULTS[2], *COMMON_FAULTS), ids=str)
def test_the_earlier_error_of_a_users_key_wins(caller: Caller, first: Fault, second: Fault) -> None:
    for fault in (second, first):
        fault.make(caller)
    told(caller.ask(), first.status, first.message)


@pytest.mark.parametrize(
    ("first", "second"), ranked(*SYSTEM_FAULTS[:1], SYSTEM_FAULTS[4], *COMMON_FAULTS), ids=str
)
def test_the_earlier_error_of_the_system_key_wins(
    caller: Caller, first: Fault, second: Fault
) -> None:
    caller.by_system()
    for fault in (second, first):
        fault.make(caller)
    told(caller.ask(), first.status, first.message)


def test_get_number_without_service_data_is_500(caller: Caller) -> None:
    assert get(f"/api/init/{caller.key}").status_code == 200
    caller.world.stack.clock.advance(seconds=10)
    with tapped(*[unreachable] * 3, only="GetItem"):
        told(caller.ask(), 500, "Could not fetch service data")


def test_get_number_that_fails_is_500(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"on the way: {caller.key}")

    monkeypatch.setattr(Rentals, "rent", fail)
    told(caller.ask(), 500, "Unable to get number")
    assert "on the way" in caplog.text
    assert caller.key not in caplog.text


def test_get_number_that_meets_conflicts_may_come_again(caller: Caller) -> None:
    with tapped(*[failed("TransactionConflictException")] * 6, only="TransactWriteItems"):
        response = caller.ask()
    told(response, 503, "The service is busy. Try again.")
    assert response.headers["Retry-After"] == "1"
    assert number_of(caller.ask())


@pytest.mark.parametrize("path", ["/api/get-number", "/api/init"])
def test_a_path_without_a_key_is_refused(world: World, path: str) -> None:
    told(get(path, country_id=US), 401, MISSING)


def test_the_number_of_a_stack_without_stock_is_404(world: World) -> None:
    user = world.user()
    told(get(f"/api/get-number/{world.key(user)}", country_id=US), 404, "No number received")
