"""Spec B servers, good ones and bad: what their answers mean for us. Real sockets on loopback."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socket import socket
from threading import Event
from typing import Any

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis, parse_iso
from chalicelib.outbound import HttpFetch
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers.breaker import MOST_FAILURES, PAUSE
from chalicelib.suppliers.contract import (
    Cancelled,
    Reason,
    Supplier,
    SupplierError,
    SupplierJunkError,
    SupplierMessage,
    SupplierNumber,
    SupplierOffer,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
    UpstreamCatalogue,
)
from chalicelib.suppliers.partner import PartnerSupplier
from tests import servers
from tests.conftest import START, TestClock
from tests.servers import Behave, Received, Server, answer, serving

KEY = "sk_partner/key+1"
RENTAL = "rent_01HF7YAT00000000000000000A"
SHORT = 0.5
LONG = 30.0

NUMBERS = {
    "status": "success",
    "numbers": [
        {"country": "US", "country_name": "United States", "available": 5, "price_per_sms": 0.05},
        {"country": "GB", "country_name": "United Kingdom", "available": 0, "price_per_sms": 1},
    ],
}
RENTED = {
    "status": "success",
    "number": "+14155552671",
    "rental_id": "rent_12345",
    "expires_at": "2023-11-14T22:33:20Z",
    "country": "US",
}
MESSAGE = {
    "sender": "Facebook",
    "text": "Your verification code is: 123456",
    "received_at": "2023-11-14T22:10:30Z",
}
SMS = {"status": "success", "messages": [MESSAGE], "number": "+14155552671"}
CANCELLED = {
    "status": "success",
    "message": "Number rental cancelled successfully",
    "rental_id": "rent_12345",
    "refund_amount": 0.05,
}


def partner_at(url: str, clock: TestClock | None = None, seconds: float = LONG) -> PartnerSupplier:
    config = SupplierConfig("other", "partner", url, Micros(100_000), None, 0, KEY)
    return PartnerSupplier(config, HttpFetch(True), clock or TestClock(), call_seconds=seconds)


def offers(supplier: Supplier) -> object:
    return supplier.offers()


def rent(supplier: Supplier) -> object:
    return supplier.rent("US", "facebook", None, RENTAL)


def messages(supplier: Supplier) -> object:
    return supplier.messages("rent_12345")


def cancel(supplier: Supplier) -> object:
    return supplier.cancel("rent_12345")


Ask = Callable[[Supplier], object]
READS = [offers, messages]
ACTS = [rent, cancel]
GOOD = {offers: NUMBERS, rent: RENTED, messages: SMS, cancel: CANCELLED}


def error_of(ask: Ask, *behave: Behave, seconds: float = LONG) -> tuple[SupplierError, Server]:
    """The error that a server makes of a call, and the server."""
    with serving(*behave) as server:
        with pytest.raises(SupplierError) as caught:
            ask(partner_at(server.url, seconds=seconds))
        assert KEY not in repr(caught.value)
    return caught.value, server


def with_field(name: str, value: Any, body: dict[str, Any]) -> dict[str, Any]:
    """`body` with a field changed, `list.field` in the list's first item, `…` taken out."""
    changed = json.loads(json.dumps(body))
    *path, last = name.split(".")
    at = changed[path[0]][0] if path else changed
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return changed


class TestWhatItAsks:
    def test_is_what_the_document_says(self) -> None:
        with serving(*(answer(GOOD[ask]) for ask in GOOD)) as server:
            partner = partner_at(server.url)
            for ask in GOOD:
                ask(partner)
        numbers, rented, sms, cancelled = server.received
        assert (numbers.method, numbers.path) == ("GET", "/getNumbers")
        assert numbers.query == {"api_key": KEY}
        assert (rented.method, rented.path, rented.query) == ("POST", "/rentNumber", {})
        assert rented.json() == {"api_key": KEY, "country": "US", "service": "facebook"}
        assert rented.headers["idempotency-key"] == RENTAL
        assert (sms.method, sms.path) == ("GET", "/getSMS")
        assert sms.query == {"api_key": KEY, "rental_id": "rent_12345"}
        assert (cancelled.method, cancelled.path) == ("POST", "/cancelNumber")
        assert cancelled.json() == {"api_key": KEY, "rental_id": "rent_12345"}

    def test_names_no_service_that_is_none(self) -> None:
        with serving(answer(RENTED)) as server:
            partner_at(server.url).rent("US", "", None, RENTAL)
        assert server.received[0].json() == {"api_key": KEY, "country": "US"}

    def test_has_no_operators_to_ask_for(self) -> None:
        with serving(answer(RENTED)) as server, pytest.raises(SupplierRefusedError) as caught:
            partner_at(server.url).rent("US", "", 7, RENTAL)
        assert caught.value.reason is Reason.UNSUPPORTED
        assert server.received == []

    def test_says_what_it_can(self) -> None:
        partner = partner_at(servers.refused_url())
        assert (partner.name, partner.needs_polling, partner.can_cancel) == ("other", True, True)
        assert partner.catalogue() == UpstreamCatalogue()


class TestOffers:
    def test_are_its_countries_with_their_prices(self) -> None:
        with serving(answer(NUMBERS)) as server:
            assert partner_at(server.url).offers() == [
                SupplierOffer("US", "", None, 5, Micros(50_000)),
                SupplierOffer("GB", "", None, 0, Micros(1_000_000)),
            ]

    def test_leave_out_what_is_no_country_and_keep_the_cheaper_of_two(self) -> None:
        entry = NUMBERS["numbers"][0]
        listed = [
            {**entry, "country": "XX"},
            {**entry, "price_per_sms": 0.30000000000000004},
            {**entry, "price_per_sms": 0.2},
            {**entry, "price_per_sms": 0.25},
        ]
        with serving(answer({"status": "success", "numbers": listed})) as server:
            (offer,) = partner_at(server.url).offers()
        assert (offer.country, offer.cost) == ("US", 200_000)


class TestRent:
    def test_gives_the_number(self) -> None:
        with serving(answer(RENTED)) as server:
            assert rent(partner_at(server.url)) == SupplierNumber(
                "rent_12345", "+14155552671", parse_iso("2023-11-14T22:33:20Z")
            )

    @pytest.mark.parametrize(
        ("price", "cost"), [(0.07, 70_000), (0, 0), ("0.07", None), (None, None)]
    )
    def test_tells_the_cost_that_a_sesame_names(self, price: object, cost: int | None) -> None:
        with serving(answer({**RENTED, "price": price})) as server:
            rented = partner_at(server.url).rent("US", "", None, RENTAL)
        assert rented.cost == cost

    def test_takes_a_number_however_it_is_written(self) -> None:
        with serving(answer({**RENTED, "number": "1 (415) 555-2671"})) as server:
            rented = partner_at(server.url).rent("US", "", None, RENTAL)
        assert rented.phone_number == "+14155552671"

    def test_junk_names_the_rental_so_that_it_can_be_cancelled(self) -> None:
        error, server = error_of(rent, answer({**RENTED, "number": "12"}))
        assert isinstance(error, SupplierOutcomeUnknownError)
        assert error.upstream_id == "rent_12345"
        assert len(server.received) == 1

    def test_a_request_still_in_progress_is_no_refusal(self) -> None:
        body = {"status": "error", "code": "request_in_progress", "message": "Wait."}
        error, _ = error_of(rent, answer(body, 409))
        assert isinstance(error, SupplierOutcomeUnknownError)

    def test_within_shortens_it(self) -> None:
        with serving(servers.hang) as server:
            with pytest.raises(SupplierOutcomeUnknownError):
                partner_at(server.url).rent("US", "", None, RENTAL, within=SHORT)
            assert server.was_closed()

    def test_without_time_is_not_asked(self) -> None:
        with serving(answer(RENTED)) as server, pytest.raises(SupplierUnavailableError):
            partner_at(server.url).rent("US", "", None, RENTAL, within=-1)
        assert server.received == []


class TestMessages:
    def test_come_in_its_order(self) -> None:
        listed = [MESSAGE, {**MESSAGE, "text": ""}, {**MESSAGE, "text": "third", "sender": ""}]
        with serving(answer({**SMS, "messages": listed})) as server:
            found = partner_at(server.url).messages("rent_12345")
        assert [message.text for message in found] == [MESSAGE["text"], "", "third"]
        at = parse_iso("2023-11-14T22:10:30Z")
        assert found[0] == SupplierMessage("Facebook", MESSAGE["text"], at)

    def test_are_bounded_and_mended(self) -> None:
        long = {**MESSAGE, "sender": "x" * 5_000, "text": "\ud800" + "é" * 9_000}
        with serving(answer({**SMS, "messages": [long, *[MESSAGE] * 149]})) as server:
            found = partner_at(server.url).messages("rent_12345")
        assert len(found) == 100
        assert found[0].text == "\ufffd" + "é" * 3_999
        assert found[0].sender == "x" * 256

    def test_end_at_one_that_is_withheld(self) -> None:
        listed = [MESSAGE, {**MESSAGE, "text": "", "unpaid": True}, MESSAGE]
        with serving(answer({**SMS, "messages": listed})) as server:
            assert len(partner_at(server.url).messages("rent_12345")) == 1

    def test_are_not_from_the_future(self) -> None:
        late = {**MESSAGE, "received_at": "2099-01-01T00:00:00Z"}
        with serving(answer({**SMS, "messages": [late]})) as server:
            assert partner_at(server.url).messages("rent_12345")[0].received_at == START


class TestCancel:
    @pytest.mark.parametrize(("amount", "refunded"), [(0.05, True), (0, False), (0.0, False)])
    def test_tells_whether_our_money_comes_back(self, amount: float, refunded: bool) -> None:
        with serving(answer({**CANCELLED, "refund_amount": amount})) as server:
            assert cancel(partner_at(server.url)) == Cancelled(refunded)


REFUSALS = [
    (400, {}, Reason.OTHER),
    (401, {}, Reason.AUTH),
    (402, {}, Reason.PAYMENT),
    (403, {}, Reason.AUTH),
    (409, {"code": "rental_expired"}, Reason.CLOSED),
    (422, {}, Reason.OTHER),
    (429, {}, Reason.LIMIT),
    (404, {"code": "rental_not_found"}, Reason.NOT_FOUND),
    (404, {"code": "no_numbers"}, Reason.NO_NUMBERS),
    (404, {"code": ["no_numbers"]}, None),
    (200, {"code": "insufficient_balance"}, Reason.PAYMENT),
    (200, {}, Reason.OTHER),
]


class TestItSaysNo:
    @pytest.mark.parametrize(("status", "fields", "reason"), REFUSALS)
    @pytest.mark.parametrize("ask", GOOD)
    def test_and_why(
        self, ask: Ask, status: int, fields: dict[str, Any], reason: Reason | None
    ) -> None:
        body = {"status": "error", "message": "No.", **fields}
        error, server = error_of(ask, answer(body, status, Retry_After="9"))
        assert isinstance(error, SupplierRefusedError)
        by_default = Reason.NO_NUMBERS if ask is rent else Reason.NOT_FOUND
        assert error.reason is (reason or by_default)
        assert error.retry_after == 9
        assert len(server.received) == 1

    @pytest.mark.parametrize("ask", GOOD)
    def test_in_a_form_of_its_own(self, ask: Ask) -> None:
        error, _ = error_of(ask, answer(b"<html>Forbidden</html>", 403))
        assert isinstance(error, SupplierRefusedError)
        assert error.reason is Reason.AUTH
        assert error.answer is None

    def test_without_our_key_in_what_it_says(self) -> None:
        message = f"Invalid \nkey {KEY} or sk_partner%2Fkey%2B1 \ud800" + "x" * 500
        error, _ = error_of(offers, answer({"status": "error", "message": message}, 401))
        assert error.answer is not None
        assert error.answer.status == 401
        assert error.answer.message.startswith("Invalid key … or … \ufffdxxx")
        assert len(error.answer.message) <= 200
        assert "xxx" not in str(error)


MISBEHAVIOUR = [
    pytest.param(servers.hang, SHORT, id="hung"),
    pytest.param(servers.SLOW_HEADERS, SHORT, id="slow headers"),
    pytest.param(servers.SLOW_BODY, SHORT, id="slow body"),
    pytest.param(servers.drop, LONG, id="dropped"),
    pytest.param(servers.cut_short, LONG, id="cut short"),
    pytest.param(servers.TEN_MEGABYTES, LONG, id="10 MB"),
    pytest.param(servers.MANY_HEADERS, LONG, id="1 MB of headers"),
    pytest.param(answer(b"Internal Server Error", 500), LONG, id="500"),
    pytest.param(answer({"status": "error", "message": "x"}, 500), LONG, id="500 in form"),
    pytest.param(answer({"message": "Service Unavailable"}, 503), LONG, id="503"),
    pytest.param(answer({"status": "error", "message": "Busy."}, 503), LONG, id="503_in_form"),
    pytest.param(answer({"status": "success"}, 502), LONG, id="502"),
]

JUNK = [
    pytest.param(servers.HTML, id="HTML"),
    pytest.param(answer(b""), id="nothing"),
    pytest.param(answer(b"", 204), id="204"),
    pytest.param(answer({}, 302, Location="https://example.com/"), id="redirect"),
    pytest.param(answer([]), id="list"),
    pytest.param(answer({}), id="no status"),
    pytest.param(answer({"status": "ok"}), id="another status"),
    pytest.param(answer({"status": "success"}), id="no fields"),
    pytest.param(answer(b"[" * 500_000), id="deep"),
    pytest.param(answer(b'{"status": "success", "numbers": NaN}'), id="NaN"),
    pytest.param(answer(b'{"status": "success", "a": 1e99999999999999999999}'), id="huge float"),
    pytest.param(answer(b'{"status": "success", "a": ' + b"9" * 9_000 + b"}"), id="huge int"),
    pytest.param(answer(b'{"status": "success\xff"}'), id="not UTF-8"),
]


class TestItMisbehaves:
    @pytest.mark.parametrize(("behave", "seconds"), MISBEHAVIOUR)
    @pytest.mark.parametrize("ask", GOOD)
    def test_a_read_is_unavailable_an_act_unknown(
        self, ask: Ask, behave: Behave, seconds: float
    ) -> None:
        error, server = error_of(ask, behave, seconds=seconds)
        unknown = SupplierOutcomeUnknownError
        assert type(error) is (unknown if ask in ACTS else SupplierUnavailableError)
        assert server.was_closed()
        if seconds == LONG:
            assert len(server.received) == 2

    @pytest.mark.parametrize("behave", JUNK)
    @pytest.mark.parametrize("ask", GOOD)
    def test_junk_to_a_read_is_junk_to_an_act_unknown(self, ask: Ask, behave: Behave) -> None:
        error, server = error_of(ask, behave)
        unknown = SupplierOutcomeUnknownError
        assert type(error) is (unknown if ask in ACTS else SupplierJunkError)
        assert len(server.received) == 1

    @pytest.mark.parametrize("ask", GOOD)
    def test_killed_it_is_unavailable(self, ask: Ask) -> None:
        with pytest.raises(SupplierUnavailableError):
            ask(partner_at(servers.refused_url()))


TEXTS = (..., None, 1, True, [], {}, "", " ")
COUNTS = (..., None, "5", 5.5, -1, True, [], 10**10)
AMOUNTS = (..., None, "0.05", -0.01, True, [], 1e10, 10**400)
MOMENTS = (*TEXTS, "soon", "2023-06-15T15:30:45Z" * 9, "1969-12-31T23:59:59Z", "99999-01-01")
NUMBERS_THAT_ARE_NONE = (*TEXTS, "Facebook", "12345", "+1415555", "+447911123456", "1" * 999)
WRONG: list[tuple[Ask, str, tuple[Any, ...]]] = [
    (offers, "numbers", (..., None, {}, "US", [1], [None], [[]])),
    (offers, "numbers.country", (*TEXTS, "U", "USA", "U5", "ÜS")),
    (offers, "numbers.available", COUNTS),
    (offers, "numbers.price_per_sms", AMOUNTS),
    (rent, "number", NUMBERS_THAT_ARE_NONE),
    (rent, "rental_id", (*TEXTS, "a\nb", "a\x00", "\ud800", "x" * 256)),
    (rent, "expires_at", (*MOMENTS, "2023-11-14T22:13:20Z", "2020-01-01", "2030-01-01T00:00:00Z")),
    (rent, "country", (*TEXTS, "GB", "XX", "USA")),
    (rent, "price", (-1,)),
    (messages, "messages", (..., None, {}, "x", [1], [None], [[]])),
    (messages, "messages.sender", (..., None, 1, True, [], {})),
    (messages, "messages.text", (..., None, 1, True, [], {})),
    (messages, "messages.received_at", MOMENTS),
    (cancel, "refund_amount", AMOUNTS),
    (cancel, "rental_id", (None, 1, "rent_other", "")),
]


@pytest.mark.parametrize(
    ("ask", "name", "value"),
    [
        pytest.param(ask, name, value, id=f"{name}-{at}")
        for ask, name, values in WRONG
        for at, value in enumerate(values)
    ],
)
def test_a_field_that_is_not_of_the_protocol_is_junk(ask: Ask, name: str, value: Any) -> None:
    error, _ = error_of(ask, answer(with_field(name, value, GOOD[ask])))
    assert type(error) is (SupplierOutcomeUnknownError if ask in ACTS else SupplierJunkError)
    assert name.rpartition(".")[2] in str(error)


class TestAskingAgain:
    @pytest.mark.parametrize("first", [servers.drop, answer(b"", 500), answer(b"", 503)])
    @pytest.mark.parametrize("ask", GOOD)
    def test_a_second_attempt_can_serve(self, ask: Ask, first: Behave) -> None:
        with serving(first, answer(GOOD[ask])) as server:
            ask(partner_at(server.url))
        assert len(server.received) == 2

    def test_a_rent_is_asked_again_with_the_same_key(self) -> None:
        with serving(servers.drop, answer(RENTED)) as server:
            rent(partner_at(server.url))
        assert [r.headers["idempotency-key"] for r in server.received] == [RENTAL, RENTAL]
        assert server.received[0].body == server.received[1].body

    @pytest.mark.parametrize("second", [answer({"status": "error"}, 402), answer({}, 409)])
    @pytest.mark.parametrize("ask", ACTS)
    def test_a_refusal_after_an_unknown_outcome_proves_nothing(
        self, ask: Ask, second: Behave
    ) -> None:
        error, _ = error_of(ask, servers.drop, second)
        assert isinstance(error, SupplierOutcomeUnknownError)

    @pytest.mark.parametrize("ask", READS)
    def test_a_refusal_of_a_read_is_one(self, ask: Ask) -> None:
        error, _ = error_of(ask, servers.drop, answer({}, 402))
        assert isinstance(error, SupplierRefusedError)


class TestBreaker:
    def test_leaves_a_failing_supplier_alone_then_tries_it_once(self) -> None:
        clock = TestClock()
        with serving(*[answer(b"", 500)] * (MOST_FAILURES + 1), answer(NUMBERS)) as server:
            partner = partner_at(server.url, clock)
            for _ in range(MOST_FAILURES):
                with pytest.raises(SupplierUnavailableError):
                    partner.offers()
            assert len(server.received) == MOST_FAILURES
            with pytest.raises(SupplierUnavailableError, match="breaker"):
                partner.rent("US", "", None, RENTAL)
            assert len(server.received) == MOST_FAILURES
            clock.now = Millis(clock.now + PAUSE)
            with pytest.raises(SupplierUnavailableError):
                partner.offers()
            assert len(server.received) == MOST_FAILURES + 1
            clock.now = Millis(clock.now + PAUSE)
            assert partner.offers()
            assert partner.offers()

    @pytest.mark.parametrize("bad", [servers.HTML, servers.drop, answer(SMS)])
    def test_counts_junk_and_broken_connections(self, bad: Behave) -> None:
        with serving(bad) as server:
            partner = partner_at(server.url)
            for _ in range(MOST_FAILURES + 1):
                with pytest.raises((SupplierJunkError, SupplierUnavailableError)):
                    partner.offers()
            assert len(server.received) == MOST_FAILURES

    def test_does_not_count_refusals(self) -> None:
        with serving(answer({}, 404)) as server:
            partner = partner_at(server.url)
            for _ in range(MOST_FAILURES + 1):
                with pytest.raises(SupplierRefusedError):
                    partner.offers()
            assert len(server.received) == MOST_FAILURES + 1

    def test_is_each_suppliers_own(self) -> None:
        with serving(servers.HTML) as bad, serving(answer(NUMBERS)) as good:
            failing, serving_one = partner_at(bad.url), partner_at(good.url)
            for _ in range(MOST_FAILURES):
                with pytest.raises(SupplierJunkError):
                    failing.offers()
            assert serving_one.offers()


def test_one_supplier_that_hangs_does_not_hold_up_another() -> None:
    release = Event()

    def wait(connection: socket, request: Received) -> None:
        release.wait(servers.PATIENCE)
        answer(NUMBERS)(connection, request)

    with serving(wait) as slow, serving(answer(NUMBERS)) as good, ThreadPoolExecutor(1) as pool:
        hung = pool.submit(partner_at(slow.url).offers)
        assert partner_at(good.url).offers()
        assert not hung.done()
        release.set()
        assert hung.result()
