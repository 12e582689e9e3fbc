"""Spec A's get-number gives a number: to whom, how written, how often, and at what cost."""

import logging
import threading

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.phone import NumberFormat
from chalicelib.services.rentals import Rentals
from tests.api.clients import GB, MISSING, SYSTEM_KEY, US, Caller, caller_in, number_of, told
from tests.wire import tapped, unreachable
from tests.world import BALANCE, PRICE, World, get, post

NO_SUCH_OPERATOR = 77
FORMATS = [("full", "+14152000000"), ("national", "(415) 200-0000"), ("remove_plus", "14152000000")]


@pytest.fixture
def caller(world: World) -> Caller:
    return caller_in(world)


@pytest.mark.parametrize("system", [False, True], ids=["user's key", "system key"])
def test_i2_get_number_rents_for_its_user(caller: Caller, system: bool) -> None:
    if system:
        caller.by_system()
    else:
        caller.query["user_id"] = "ignored"
    number = number_of(caller.ask())
    row = caller.world.number(number)
    assert (row.state, row.user_id) == ("rented", caller.user.user_id)
    assert caller.world.balance(caller.user) == BALANCE - PRICE
    assert caller.world.find(caller.user).rentals_total == 1
    caller.world.assert_i2(caller.user)


@pytest.mark.parametrize(("form", "written"), FORMATS)
@pytest.mark.parametrize("given", ["asked for", "preferred", "preferred, another asked for"])
def test_the_number_is_written_as_wanted(
    caller: Caller, form: str, written: str, given: str
) -> None:
    if given == "preferred":
        caller.spoil(number_format=form)
    else:
        caller.query["number_format"] = form
    if given == "preferred, another asked for":
        others = {each for each, _ in FORMATS} - {form}
        caller.spoil(number_format=NumberFormat(min(others)))
    assert number_of(caller.ask()) == written


def test_an_operator_is_honoured_strictly(caller: Caller) -> None:
    caller.world.stock(1, operator_id=2, price=Micros(PRICE * 2), first=3_000_000)
    caller.query["operator_id"] = 2
    assert number_of(caller.ask()) == "+14153000000"
    told(caller.ask(), 404, "No number received")
    for unknown in (NO_SUCH_OPERATOR, -1, 10**20):
        caller.query["operator_id"] = unknown
        told(caller.ask(), 404, "No number received")
    del caller.query["operator_id"]
    assert number_of(caller.ask()) == "+14152000000"


def test_i3_a_repeat_gets_the_same_number(caller: Caller) -> None:
    caller.world.stock(1, first=3_000_000)
    once = {"Idempotency-Key": "once"}
    first = caller.ask(**once)
    assert caller.ask(**once).body == first.body
    assert caller.world.balance(caller.user) == BALANCE - PRICE
    assert number_of(caller.ask()) != number_of(first)
    caller.query["number_format"] = "national"
    assert caller.ask(**once).status_code == 422
    caller.query = {"country_id": GB}
    refused = caller.ask(**{"Idempotency-Key": "other"})
    told(refused, 404, "No number received")
    caller.world.stock(1, country="GB", operator_id=3, first=4_000_000)
    assert number_of(caller.ask(**{"Idempotency-Key": "other"}))
    caller.world.assert_i2(caller.user)


@pytest.mark.parametrize("system", [False, True], ids=["user's key", "system key"])
def test_get_number_is_two_round_trips(caller: Caller, system: bool) -> None:
    caller.world.stock(20, first=3_000_000)
    if system:
        caller.by_system()
    caller.query["country_id"] = GB
    caller.ask()
    caller.query["country_id"] = US
    with tapped() as wire:
        number_of(caller.ask())
    assert wire.operations() == ["Query", "TransactWriteItems"]


def test_i8_the_system_key_opens_spec_a_and_nothing_else(caller: Caller) -> None:
    bearer = {"Authorization": f"Bearer {SYSTEM_KEY}"}
    answers = [
        get("/getNumbers", api_key=SYSTEM_KEY),
        get("/getNumbers", bearer),
        get("/getSMS", api_key=SYSTEM_KEY, rental_id="rent_1"),
        post("/rentNumber", {"api_key": SYSTEM_KEY, "country": "US"}),
        post("/cancelNumber", {"api_key": SYSTEM_KEY, "rental_id": "rent_1"}),
        get("/account", bearer),
        get("/manager/users", bearer),
        get("/admin/users", bearer),
        get("/admin/users", {"X-Admin-Key": SYSTEM_KEY}),
    ]
    assert {answer.status_code for answer in answers} <= {401, 403, 404}
    assert answers[0].status_code == 401
    caller.key = "the-admin-key"
    told(caller.ask(), 401, MISSING)


def test_i8_no_key_is_in_any_log_record(
    caller: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    users_key = caller.key
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            caller.ask()
            get(f"/api/init/{caller.key}")
            with tapped(unreachable, unreachable, unreachable):
                caller.query["country_id"] = GB
                caller.ask()
            caller.by_system()
        monkeypatch.setattr(Rentals, "rent", lambda *_, **__: [][0])
        caller.ask()
    assert caplog.records
    for record in caplog.records:
        line = f"{record.getMessage()} {record.args} {record.exc_text}"
        assert users_key not in line
        assert SYSTEM_KEY not in line


def test_threads_of_one_process_rent_a_number_each(caller: Caller) -> None:
    caller.world.stock(7, first=3_000_000)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(number_of(caller.ask()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 8
