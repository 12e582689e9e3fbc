"""Two Sesames on one machine, the second selling the first's numbers, and a bad server beside."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from test_run import Receiver, Stack, close

from tests.servers import (
    HTML,
    SLOW_BODY,
    SLOW_HEADERS,
    TEN_MEGABYTES,
    Behave,
    Received,
    Server,
    answer,
    drop,
    hang,
)

pytestmark = pytest.mark.long

ANSWER_SECONDS = 10.0
"""How long any client of ours waits: what is documented comes within it."""

GB, NO, SE = 826, 578, 752
MARKUP = 1.25
SE_PRICE = 0.045


@dataclass
class Partner:
    """A spec B server that is the cheapest of all, lists well, and rents as its `mode` says."""

    mode: Behave = HTML
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.server = Server([self._behave])

    def _behave(self, connection: socket.socket, request: Received) -> None:
        if request.path == "/getNumbers":
            numbers = [
                {"country": code, "country_name": code, "available": 9, "price_per_sms": 0.01}
                for code in ("SE", "NO")
            ]
            answer({"status": "success", "numbers": numbers})(connection, request)
        elif request.path == "/cancelNumber":
            answer({"status": "success", "rental_id": "r-1", "refund_amount": 0.01})(
                connection, request
            )
        else:
            self.mode(connection, request)


@dataclass
class Pair:
    """The two, and the server that is no good."""

    first: Stack
    second: Stack
    bad: Partner

    def get_number(self, country_id: int) -> requests.Response:
        """Ask the second by spec A; raises if no answer comes in time."""
        return requests.get(
            f"{self.second.demo['url']}/api/get-number/{self.second.demo['api_key']}",
            params={"country_id": country_id},
            timeout=ANSWER_SECONDS,
        )

    def rented(self) -> str:
        """A number of the first's, of a country that the second has none of."""
        answered = self.get_number(SE)
        assert answered.status_code == 200, answered.text
        return str(answered.json()["data"]["phone_number"])

    def rental_of(self, stack: Stack, number: str) -> dict[str, Any]:
        """The rental of a number, as its holder sees it."""
        return next(r for r in self.history(stack, "rentals") if r["number"] == number)

    def history(self, stack: Stack, name: str) -> list[dict[str, Any]]:
        """A user's own list, whole."""
        found: list[dict[str, Any]] = []
        query = {"limit": "100"}
        while True:
            answered = requests.get(
                f"{stack.demo['url']}/account/{name}",
                params=query,
                headers={"Authorization": f"Bearer {stack.demo['api_key']}"},
                timeout=ANSWER_SECONDS,
            )
            assert answered.status_code == 200, answered.text
            page = answered.json()
            found += page["entries" if name == "ledger" else name]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    def money(self) -> float:
        """The sum of the ledger of the second's user."""
        return sum(entry["amount"] for entry in self.history(self.second, "ledger"))

    def assert_i2(self) -> None:
        """I2 at both: what manage.py calls the balance is the sum of the ledger."""
        for stack in (self.first, self.second):
            amounts = [entry["amount"] for entry in self.history(stack, "ledger")]
            assert stack.balance() == pytest.approx(sum(amounts))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    first = Stack(tmp_path_factory.mktemp("first") / "home")
    bad = Partner()
    second = Stack(tmp_path_factory.mktemp("second") / "home")
    try:
        first.start()
        suppliers = [
            {"name": name, "kind": "partner", "url": url, "cost_cap": "1", "markup": 2500}
            for name, url in (("bad", bad.server.url), ("first", first.demo["url"]))
        ]
        second.environment = {
            "SESAME_SUPPLIERS": json.dumps(suppliers),
            "SESAME_SUPPLIER_KEYS": json.dumps({"bad": "key", "first": first.demo["api_key"]}),
            "SESAME_DEMO_COUNTRIES": "GB",
        }
        second.start()
        yield Pair(first, second, bad)
    finally:
        close(second)
        close(first)
        bad.server.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_the_second_lists_its_own_and_the_firsts(pair: Pair) -> None:
    data = requests.get(
        f"{pair.second.demo['url']}/api/init/{pair.second.demo['api_key']}", timeout=ANSWER_SECONDS
    ).json()["data"]
    listed = {country["id"] for country in data["countries"]}
    assert {GB, NO, SE} < listed
    assert {operator["country_id"] for operator in data["operators"]} == listed
    kept = json.loads((pair.second.home / "environment.json").read_text())
    assert "SESAME_SUPPLIER_KEYS" not in kept


def test_a_number_of_the_first_is_sold_by_the_second(pair: Pair, receiver: Receiver) -> None:
    secret = pair.second.manage("webhook", "set", "demo", receiver.url)["secret"]
    before = (pair.first.balance(), pair.second.balance())
    number = pair.rented()
    pair.first.post_sms(number, "482913")
    event = receiver.next_event(secret)
    assert event["data"] == {
        "phone_number": number,
        "otp_code": "482913",
        "provider": "first",
        "sms_text": "Your Acme code is 482913",
    }
    after = (pair.first.balance(), pair.second.balance())
    paid = [was - now for was, now in zip(before, after, strict=True)]
    assert paid == pytest.approx([SE_PRICE, SE_PRICE * MARKUP], abs=1e-6)
    shown = pair.second.get("/getSMS", rental_id=pair.rental_of(pair.second, number)["rental_id"])
    assert [message["code"] for message in shown["messages"]] == ["482913"]
    pair.assert_i2()


def test_a_cancel_refunds_at_both(pair: Pair) -> None:
    before = (pair.first.balance(), pair.second.balance())
    number = pair.rented()
    rental_id = pair.rental_of(pair.second, number)["rental_id"]
    for _ in range(2):
        body = {"api_key": pair.second.demo["api_key"], "rental_id": rental_id}
        url = pair.second.demo["url"] + "/cancelNumber"
        answered = requests.post(url, json=body, timeout=ANSWER_SECONDS)
        assert answered.status_code == 200, answered.text
        assert answered.json()["refund_amount"] == pytest.approx(SE_PRICE * MARKUP, abs=1e-6)
    assert pair.rental_of(pair.first, number)["rental_status"] == "cancelled"
    assert (pair.first.balance(), pair.second.balance()) == pytest.approx(before)
    pair.assert_i2()


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def given(number: object, **fields: object) -> Behave:
    """A rent that is answered with that number."""
    body = {"status": "success", "number": number, "rental_id": "r-1", "country": "SE"}
    return answer({**body, "expires_at": in_an_hour(), **fields})


MODES = {
    "hung": hang,
    "slow headers": SLOW_HEADERS,
    "slow body": SLOW_BODY,
    "dropped": drop,
    "HTML": HTML,
    "10 MB": TEN_MEGABYTES,
    "no list": answer([1, 2, 3]),
    "a number that is a number": given(46701740605),
    "another country's": given("+447700900001"),
    "a time that is none": given("+46701740699", expires_at="soon"),
}


@pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))
def test_a_bad_partner_costs_nobody_anything(pair: Pair, mode: Behave) -> None:
    """The next one serves, or a documented error comes, in time, and no money stays held."""
    before = pair.money()
    pair.bad.mode = mode
    with ThreadPoolExecutor(2) as pool:
        served, refused = pool.map(pair.get_number, (SE, NO))
    assert served.status_code == 200, served.text
    message = {"status": "error", "message": "No number received"}
    assert (refused.status_code, refused.json()) == (404, message)
    number = served.json()["data"]["phone_number"]
    assert pair.rental_of(pair.first, number)["rental_status"] == "active"
    assert pair.money() == pytest.approx(before - SE_PRICE * MARKUP, abs=1e-6)


def test_i1_a_number_that_is_rented_already_is_not_taken_again(pair: Pair) -> None:
    number = pair.rented()
    before = pair.money()
    pair.bad.mode = given(number)
    other = pair.rented()
    assert other != number
    assert pair.money() == pytest.approx(before - SE_PRICE * MARKUP, abs=1e-6)
    holders = [r for r in pair.history(pair.second, "rentals") if r["number"] == number]
    assert [r["rental_status"] for r in holders] == ["active"]
    pair.assert_i2()


def test_a_killed_partner_is_passed_over(pair: Pair) -> None:
    """The last: neither it nor, then, the first comes back."""
    before = pair.money()
    pair.bad.server.stop()
    assert pair.rented()
    pair.assert_i2()
    close(pair.first)
    answered = pair.get_number(SE)
    message = {"status": "error", "message": "No number received"}
    assert (answered.status_code, answered.json()) == (404, message)
    assert pair.get_number(GB).status_code == 200
    assert before - pair.money() == pytest.approx(SE_PRICE * MARKUP + 0.06, abs=1e-6)
    states = {rental["rental_status"] for rental in pair.history(pair.second, "rentals")}
    assert states <= {"active", "cancelled", "failed"}
    assert pair.second.balance() == pytest.approx(pair.money())
