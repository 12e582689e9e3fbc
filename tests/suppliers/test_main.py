"""Spec A servers, good ones and bad: what their answers mean for us. Real sockets on loopback."""

import json
from typing import Any

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis
from chalicelib.outbound import HttpFetch
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers.contract import (
    Reason,
    SupplierError,
    SupplierJunkError,
    SupplierNumber,
    SupplierOffer,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
    UpstreamAnswer,
    UpstreamCountry,
    UpstreamOperator,
)
from chalicelib.suppliers.main import CATALOGUE_AGE, MainSupplier
from tests import servers
from tests.conftest import TestClock
from tests.servers import Behave, answer, serving

KEY = "user key/1"
RENTAL = "rent_01HF7YAT00000000000000000A"
COST = Micros(70_000)
SHORT = 0.5
LONG = 30.0

INIT: dict[str, Any] = {
    "status": "success",
    "data": {
        "countries": [
            {"id": 1, "name": "United States", "phone_code": "1"},
            {"id": 2, "name": "Great Britain", "phone_code": "44", "code": "GB"},
            {"id": 3, "name": "Atlantis", "phone_code": "99"},
            {"id": 4, "name": "Germany", "phone_code": "+49"},
        ],
        "operators": [
            {"id": 101, "name": "Operator X", "country_id": 1},
            {"id": 102, "name": "Operator Y", "country_id": 2},
            {"id": 103, "name": "Operator Z", "country_id": 1},
            {"id": 104, "name": "Operator of Atlantis", "country_id": 3},
            {"id": 105, "name": "Operator of nowhere", "country_id": 9},
        ],
    },
}
NUMBER = {"status": "success", "data": {"phone_number": "+14155552671"}}


def main_at(url: str, clock: TestClock | None = None, seconds: float = LONG) -> MainSupplier:
    config = SupplierConfig("mains", "main", url, Micros(100_000), COST, 0, KEY)
    return MainSupplier(config, HttpFetch(True), clock or TestClock(), call_seconds=seconds)


def rent_error(*behave: Behave, seconds: float = LONG) -> tuple[SupplierError, int]:
    """The error of a rent whose catalogue is known already, and how often it was asked for."""
    with serving(answer(INIT), *behave) as server:
        main = main_at(server.url)
        main.catalogue()
        with pytest.raises(SupplierError) as caught:
            main.rent("US", "", None, RENTAL, within=seconds)
        return caught.value, len(server.received) - 1


def init_with(kind: str, **fields: Any) -> dict[str, Any]:
    """INIT, the first country or operator with other fields; those that are `…` taken out."""
    changed: dict[str, Any] = json.loads(json.dumps(INIT))
    entry = changed["data"][kind][0]
    entry.update(fields)
    for name in [name for name, value in fields.items() if value is ...]:
        del entry[name]
    return changed


class TestCatalogue:
    def test_is_as_the_server_lists_it(self) -> None:
        with serving(answer(INIT)) as server:
            found = main_at(server.url).catalogue()
            (asked,) = server.received
        assert (asked.method, asked.path, asked.query) == ("GET", "/api/init/user%20key%2F1", {})
        assert found.countries == (
            UpstreamCountry(1, "United States", "1", "US"),
            UpstreamCountry(2, "Great Britain", "44", "GB"),
            UpstreamCountry(3, "Atlantis", "99", None),
            UpstreamCountry(4, "Germany", "+49", "DE"),
        )
        assert found.operators == (
            UpstreamOperator(101, "Operator X", 1),
            UpstreamOperator(102, "Operator Y", 2),
            UpstreamOperator(103, "Operator Z", 1),
            UpstreamOperator(104, "Operator of Atlantis", 3),
        )

    @pytest.mark.parametrize(
        ("fields", "country"),
        [
            ({"name": "germany", "phone_code": "49"}, "DE"),
            ({"name": "Allemagne", "phone_code": "49", "iso": "de"}, "DE"),
            ({"name": "Allemagne", "phone_code": "49", "country_code": "49"}, None),
            ({"name": "Germany", "phone_code": "44"}, None),
            ({"name": "Jersey", "phone_code": "44"}, "JE"),
            ({"name": "Dominican Republic", "phone_code": "1-809"}, "DO"),
            ({"name": "Germany", "phone_code": "x"}, None),
            ({"name": "Kosovo", "phone_code": "383"}, "XK"),
        ],
    )
    def test_knows_a_country_by_code_or_name_never_by_id(
        self, fields: dict[str, Any], country: str | None
    ) -> None:
        with serving(answer(init_with("countries", id=276, **fields))) as server:
            assert main_at(server.url).catalogue().countries[0].country == country

    def test_takes_the_first_of_two_with_one_id(self) -> None:
        twice = json.loads(json.dumps(INIT))
        for kind in ("countries", "operators"):
            twice["data"][kind] += [{**entry, "name": "Late"} for entry in twice["data"][kind]]
        with serving(answer(INIT), answer(twice)) as server:
            main = main_at(server.url)
            assert main.catalogue() == main.catalogue()

    def test_passes_on_what_the_server_says_of_an_error(self) -> None:
        body = {"status": "error", "message": "System configuration error"}
        with serving(answer(body, 500)) as server, pytest.raises(SupplierError) as caught:
            main_at(server.url).catalogue()
        assert isinstance(caught.value, SupplierUnavailableError)
        assert caught.value.answer == UpstreamAnswer(500, "System configuration error")

    @pytest.mark.parametrize(
        "body",
        [
            {"status": "success"},
            {"status": "success", "data": []},
            {"status": "success", "data": {"countries": []}},
            {"status": "success", "data": {"countries": {}, "operators": []}},
            *[
                init_with("countries", id=value)
                for value in (..., None, "1", -1, 1.0, True, 10**12)
            ],
            *[
                init_with("countries", name=value)
                for value in (..., None, 1, "", "x" * 101, "a\n\x00")
            ],
            *[init_with("countries", phone_code=value) for value in (..., None, 1, "", "1" * 17)],
            *[init_with("operators", id=value) for value in (..., None, "1", -1, [], 10**12)],
            *[init_with("operators", name=value) for value in (..., None, 1, " ", "x" * 101)],
            *[init_with("operators", country_id=value) for value in (..., None, "1", -1)],
        ],
    )
    def test_that_is_not_of_the_protocol_is_junk(self, body: Any) -> None:
        with serving(answer(body)) as server:
            main = main_at(server.url)
            with pytest.raises(SupplierJunkError):
                main.catalogue()
            # Nothing can have been rented by asking for the catalogue.
            with pytest.raises(SupplierUnavailableError):
                main.rent("US", "", None, RENTAL)
            assert {asked.path for asked in server.received} == {"/api/init/user%20key%2F1"}

    @pytest.mark.parametrize("behave", [servers.HTML, servers.MANY_HEADERS, servers.TEN_MEGABYTES])
    def test_never_raises_anything_else(self, behave: Behave) -> None:
        with (
            serving(behave) as server,
            pytest.raises((SupplierJunkError, SupplierUnavailableError)),
        ):
            main_at(server.url).catalogue()


class TestOffers:
    def test_are_its_operators_at_the_configured_cost(self) -> None:
        with serving(answer(INIT)) as server:
            assert main_at(server.url).offers() == [
                SupplierOffer("US", "Operator X", 101, 1, COST),
                SupplierOffer("US", "Operator Z", 103, 1, COST),
                SupplierOffer("GB", "Operator Y", 102, 1, COST),
                SupplierOffer("DE", "", None, 1, COST),
            ]


class TestRent:
    @pytest.mark.parametrize(
        ("country", "operator", "asked"),
        [
            ("US", None, {"country_id": "1"}),
            ("US", 103, {"country_id": "1", "operator_id": "103"}),
        ],
    )
    def test_gives_the_number(
        self, country: str, operator: int | None, asked: dict[str, str]
    ) -> None:
        with serving(answer(INIT), answer(NUMBER)) as server:
            found = main_at(server.url).rent(country, "facebook", operator, RENTAL)
            _, request = server.received
        assert found == SupplierNumber("+14155552671", "+14155552671", None, COST)
        assert (request.method, request.path) == ("GET", "/api/get-number/user%20key%2F1")
        assert request.query == {**asked, "number_format": "full"}
        assert request.headers["idempotency-key"] == RENTAL

    @pytest.mark.parametrize(("country", "operator"), [("FR", None), ("US", 102), ("US", 999)])
    def test_does_not_ask_for_what_is_not_listed(self, country: str, operator: int | None) -> None:
        with serving(answer(INIT)) as server, pytest.raises(SupplierRefusedError) as caught:
            main_at(server.url).rent(country, "", operator, RENTAL)
        assert caught.value.reason is Reason.NO_NUMBERS
        assert len(server.received) == 1

    def test_asks_for_the_catalogue_again_when_it_is_old(self) -> None:
        clock = TestClock()
        with serving(
            answer(INIT), answer(NUMBER), answer(NUMBER), answer(INIT), answer(NUMBER)
        ) as s:
            main = main_at(s.url, clock)
            main.rent("US", "", None, RENTAL)
            main.rent("US", "", None, RENTAL)
            clock.now = Millis(clock.now + CATALOGUE_AGE + 1)
            main.rent("US", "", None, RENTAL)
            assert [r.path.split("/")[2] for r in s.received] == [
                "init",
                "get-number",
                "get-number",
                "init",
                "get-number",
            ]

    @pytest.mark.parametrize(
        ("status", "message", "reason"),
        [
            (400, "country_id is required", Reason.OTHER),
            (401, "Invalid api_key", Reason.AUTH),
            (402, "Insufficient balance", Reason.PAYMENT),
            (403, "Manager inactive. Contact support.", Reason.AUTH),
            (404, "No number received", Reason.NO_NUMBERS),
            (429, "Too many", Reason.LIMIT),
            (200, "No number", Reason.OTHER),
        ],
    )
    def test_refused_says_why(self, status: int, message: str, reason: Reason) -> None:
        error, asked = rent_error(answer({"status": "error", "message": message}, status))
        assert isinstance(error, SupplierRefusedError)
        assert error.reason is reason
        assert asked == 1

    @pytest.mark.parametrize(
        "number",
        [..., None, 14155552671, "", "Facebook", "415 555 2671", "+447911123456", "1" * 33, [], {}],
    )
    def test_of_no_number_is_an_unknown_outcome(self, number: Any) -> None:
        data = {} if number is ... else {"phone_number": number}
        error, asked = rent_error(answer({"status": "success", "data": data}))
        assert isinstance(error, SupplierOutcomeUnknownError)
        assert asked == 1

    @pytest.mark.parametrize(
        ("behave", "seconds"),
        [
            pytest.param(servers.hang, SHORT, id="hung"),
            pytest.param(servers.SLOW_HEADERS, SHORT, id="slow headers"),
            pytest.param(servers.SLOW_BODY, SHORT, id="slow body"),
            pytest.param(servers.drop, LONG, id="dropped"),
            pytest.param(servers.HTML, LONG, id="HTML"),
            pytest.param(servers.TEN_MEGABYTES, LONG, id="10 MB"),
            pytest.param(servers.MANY_HEADERS, LONG, id="1 MB of headers"),
            pytest.param(answer({}, 302, Location="https://example.com/"), LONG, id="redirect"),
            pytest.param(answer({"status": "error", "message": "x"}, 500), LONG, id="500"),
        ],
    )
    def test_whose_outcome_is_unknown_is_not_asked_again(
        self, behave: Behave, seconds: float
    ) -> None:
        error, asked = rent_error(behave, seconds=seconds)
        assert isinstance(error, SupplierOutcomeUnknownError)
        assert asked == 1

    def test_from_a_killed_server_is_unavailable(self) -> None:
        with pytest.raises(SupplierUnavailableError):
            main_at(servers.refused_url()).rent("US", "", None, RENTAL)

    def test_from_a_server_whose_catalogue_hangs_is_unavailable(self) -> None:
        with serving(servers.hang) as server:
            with pytest.raises(SupplierUnavailableError):
                main_at(server.url, seconds=SHORT).rent("US", "", None, RENTAL)
            assert server.was_closed()


def test_what_the_protocol_has_not() -> None:
    main = main_at(servers.refused_url())
    assert (main.name, main.needs_polling, main.can_cancel) == ("mains", False, False)
    assert main.messages("+14155552671") == []
    with pytest.raises(SupplierRefusedError) as caught:
        main.cancel("+14155552671")
    assert caught.value.reason is Reason.UNSUPPORTED
