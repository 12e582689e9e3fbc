"""The kit passes servers that keep spec B, ours first, and names the rule that another breaks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl

import pytest
from chalice.config import Config
from click.testing import CliRunner
from click.testing import Result as Run

import manage
from app import app
from chalicelib.domain.times import DAY, MINUTE, Millis, iso
from chalicelib.outbound import Fetched, NotSentError, OutcomeUnknownError
from chalicelib.outbound.answers import Request
from chalicelib.suppliers import conformance
from chalicelib.suppliers.conformance import Outcome, Probe, Result, Target, UnreachableError
from chalicelib.suppliers.conformance.answers import FailedError
from chalicelib.suppliers.conformance.renting import concurrent_rents
from chalicelib.surroundings import system_clock
from local.serve import Server
from tests import servers
from tests.conftest import Stack, TestClock
from tests.world import World

KEY = "sk_the-account-under-test"
OTHER_KEY = "sk_another-account"
FORM = "application/x-www-form-urlencoded"
HTML = b"<!DOCTYPE html><title>Not found</title>"
PRICE = 0.05
MINUTES_20 = 20 * MINUTE

Answer = tuple[int, Any]


@dataclass
class Rented:
    owner: str
    number: str
    expires_at: Millis
    is_open: bool = True
    cancels: int = 0


class Partner:
    """A spec B server that keeps every rule; those below it break one each."""

    lasts = MINUTES_20
    listed = (
        {
            "country": "US",
            "country_name": "United States",
            "available": 5000,
            "price_per_sms": 0.05,
        },
        {"country": "GB", "country_name": "United Kingdom", "available": 1, "price_per_sms": 1},
    )

    def __init__(self) -> None:
        self.clock = TestClock()
        self.lock = Lock()
        self.calls: list[str] = []
        self.rentals: dict[str, Rented] = {
            "rent_1000": Rented("somebody", "+14155550000", Millis(self.clock.now + MINUTES_20))
        }
        self.by_request: dict[str, str] = {}

    def __call__(self, request: Request) -> Fetched:
        path = request.url.rpartition("/")[2]
        with self.lock:
            self.calls.append(path)
            status, body = self.answered(path, request)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Fetched(status, data, self.headers(status, body))

    def headers(self, status: int, body: object) -> dict[str, str]:
        kind = "text/html" if isinstance(body, bytes) else "application/json; charset=utf-8"
        return {"content-type": kind, **({"retry-after": "1"} if status == 503 else {})}

    def answered(self, path: str, request: Request) -> Answer:
        given = self.parameters(request)
        if isinstance(given, tuple):
            return given
        who = given.get("api_key")
        if not self.is_key(who):
            return self.unauthenticated()
        if path == "getNumbers":
            return self.numbers(given)
        if path == "rentNumber":
            return self.rent(who or "", given, request.headers.get("Idempotency-Key"))
        rental_id = given.get("rental_id", "")
        if path == "getSMS":
            return self.sms(who or "", rental_id)
        return self.cancel(who or "", rental_id)

    def parameters(self, request: Request) -> dict[str, str] | Answer:
        if request.method == "GET":
            return dict(request.params or {})
        if request.json is not None:
            return dict(request.json)
        body = request.body or b""
        if len(body) > 100_000:
            return self.huge(body)
        if request.headers["Content-Type"] == FORM:
            return self.form(dict(parse_qsl(body.decode())))
        if request.headers["Content-Type"] != "application/json":
            return self.unsupported()
        try:
            return dict(json.loads(body))
        except ValueError:
            return self.broken_json()

    def huge(self, body: bytes) -> dict[str, str] | Answer:
        return error(413, "too_large")

    def form(self, given: dict[str, str]) -> dict[str, str]:
        return given

    def unsupported(self) -> Answer:
        return error(415, "unsupported")

    def broken_json(self) -> Answer:
        return error(400, "invalid_json")

    def is_key(self, key: str | None) -> bool:
        return key in (KEY, OTHER_KEY)

    def unauthenticated(self) -> Answer:
        return error(401, "invalid_api_key")

    def numbers(self, given: dict[str, str]) -> Answer:
        wanted = given.get("country", "").upper()
        if wanted and wanted not in ("US", "GB"):
            return error(400, "invalid_country")
        shown = [entry for entry in self.listed if not wanted or entry["country"] == wanted]
        return 200, {"status": "success", "numbers": shown}

    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if given.get("country") not in ("US", "GB"):
            return error(400, "invalid_country")
        rental_id = self.by_request.get(request_key or "")
        if rental_id is None:
            rental_id = f"rent_{1000 + len(self.rentals)}"
            ends = Millis(self.clock.now + self.lasts)
            self.rentals[rental_id] = Rented(who, self.number(), ends)
            if request_key is not None:
                self.by_request[request_key] = rental_id
        return 200, self.rented(rental_id, self.rentals[rental_id])

    def number(self) -> str:
        return f"+1415555{len(self.rentals):04d}"

    def rented(self, rental_id: str, rental: Rented) -> dict[str, Any]:
        return {
            "status": "success",
            "number": rental.number,
            "rental_id": rental_id,
            "expires_at": iso(rental.expires_at),
            "country": "US",
        }

    def find(self, who: str, rental_id: str) -> Rented | None:
        found = self.rentals.get(rental_id)
        return found if found is not None and found.owner == who else None

    def sms(self, who: str, rental_id: str) -> Answer:
        rental = self.find(who, rental_id)
        return self.messages(rental) if rental else self.unknown()

    def unknown(self) -> Answer:
        return error(404, "rental_not_found")

    def messages(self, rental: Rented) -> Answer:
        return 200, {"status": "success", "messages": [], "number": rental.number}

    def cancel(self, who: str, rental_id: str) -> Answer:
        rental = self.find(who, rental_id)
        if rental is None:
            return self.unknown()
        rental.is_open = False
        rental.cancels += 1
        return self.cancelled(rental_id, rental)

    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        refund = {"rental_id": rental_id, "refund_amount": PRICE}
        return 200, {"status": "success", "message": "Cancelled", **refund}

    def open(self) -> list[Rented]:
        """What the account under test still holds."""
        return [r for r in self.rentals.values() if r.is_open and r.owner == KEY]


def error(status: int, code: str) -> Answer:
    return status, {"status": "error", "code": code, "message": f"It is {code}."}


def probe_of(server: Partner, **options: Any) -> Probe:
    target = Target("https://partner.test", KEY, server)
    return Probe(target, clock=server.clock, sleep=server.clock.sleep, **options)


def checked(probe: Probe) -> dict[str, Result]:
    """The result of each check by its name."""
    ready, _ = conformance.prepare(probe)
    return {result.check: result for result in conformance.run(ready)}


def failed(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if result.outcome is Outcome.FAILED}


def lines(results: dict[str, Result]) -> str:
    return "\n".join(f"{result.outcome} {name} {result.seen}" for name, result in results.items())


class TestGoodServers:
    def test_one_that_keeps_every_rule_passes_every_check(self) -> None:
        server = Partner()
        results = checked(probe_of(server, wait_expiry=True, other_key=OTHER_KEY))
        assert {r.outcome for r in results.values()} == {Outcome.PASSED}, lines(results)
        assert len(results) == len(conformance.CHECKS)
        assert server.open() == []

    def test_it_is_left_with_nothing_rented_and_within_the_budget(self) -> None:
        server = Partner()
        probe = probe_of(server)
        results = checked(probe)
        assert all(result.is_good() for result in results.values()), lines(results)
        assert server.open() == probe.target.held() == []
        assert probe.target.rents == server.calls.count("rentNumber")
        assert probe.target.rents <= conformance.budget(probe)

    def test_a_run_of_few_at_once_rents_less(self) -> None:
        few, many = (probe_of(Partner(), simultaneous=count) for count in (2, 30))
        checked(few)
        checked(many)
        assert many.target.rents - few.target.rents == 28
        assert conformance.budget(many) - conformance.budget(few) == 28

    def test_no_key_is_in_what_was_seen(self) -> None:
        class TellsTheKey(Partner):
            def unknown(self) -> Answer:
                return 400, {"status": "error", "code": KEY, "message": KEY}

        results = checked(probe_of(TellsTheKey()))
        assert "unknown_rental" in failed(results)
        assert KEY not in lines(results)

    def test_what_it_wrote_is_fit_for_a_terminal(self) -> None:
        class Colours(Partner):
            def number(self) -> str:
                return "\x1b[31m\u202e" + "x" * 1000

        results = checked(probe_of(Colours()))
        assert "rent_fields" in failed(results)
        assert all(r.seen.isprintable() and len(r.seen) < 400 for r in results.values())


class RepeatIsAnError(Partner):
    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        if rental.cancels > 1:
            return error(409, "already_cancelled")
        return super().cancelled(rental_id, rental)


class RepeatRefundsNothing(Partner):
    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        status, body = super().cancelled(rental_id, rental)
        return status, body if rental.cancels == 1 else {**body, "refund_amount": 0}


class ForgetsCancelled(Partner):
    def sms(self, who: str, rental_id: str) -> Answer:
        rental = self.find(who, rental_id)
        return self.messages(rental) if rental and rental.is_open else self.unknown()


class HangsUpOnHuge(Partner):
    def huge(self, body: bytes) -> Answer:
        raise OutcomeUnknownError("connection_failed")


class Busy(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if len(self.open()) > 10:
            return error(503, "busy")
        return super().rent(who, given, request_key)


class Poor(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if len(self.open()) > 4:
            return error(402, "insufficient_balance")
        return super().rent(who, given, request_key)


class SmallStock(Partner):
    listed = ({**Partner.listed[0], "available": 7},)


@pytest.mark.parametrize(
    "server",
    [
        RepeatIsAnError,
        RepeatRefundsNothing,
        ForgetsCancelled,
        HangsUpOnHuge,
        Busy,
        Poor,
        SmallStock,
    ],
)
def test_what_the_rules_leave_open_is_no_fault(server: type[Partner]) -> None:
    results = checked(probe_of(server()))
    assert all(result.is_good() for result in results.values()), lines(results)


@pytest.mark.parametrize(
    ("server", "seen"),
    [
        (Poor, "30 at once: 5 given, all different, 25 x /rentNumber: HTTP 402"),
        (SmallStock, "7 at once (the whole stock): 7 given, all different"),
    ],
)
def test_fewer_at_once_are_reported(server: type[Partner], seen: str) -> None:
    assert checked(probe_of(server()))["concurrent_rents"].seen.startswith(seen)


class Race(Partner):
    """Answers no rent before all are under way, so that all of them find it as it was before."""

    def __init__(self, count: int, *, locked: bool) -> None:
        super().__init__()
        self.barrier = Barrier(count)
        self.locked = locked
        self.found = super().number()

    def __call__(self, request: Request) -> Fetched:
        if request.url.endswith("/rentNumber"):
            self.barrier.wait(servers.PATIENCE)
        return super().__call__(request)

    def number(self) -> str:
        return super().number() if self.locked else self.found


def test_the_many_rents_are_under_way_at_one_moment() -> None:
    probe = probe_of(Race(30, locked=True), country="US")
    assert concurrent_rents(probe) == "30 at once: 30 given, all different"


def test_a_number_given_to_all_who_ask_at_once_is_seen() -> None:
    probe = probe_of(Race(30, locked=False), country="US")
    with pytest.raises(FailedError, match=r"^number \+14155550001 was given 30 times$"):
        concurrent_rents(probe)


def with_field(name: str, value: object) -> Callable[..., type[Partner]]:
    """A server whose answers of one kind have another value in a field; `...` takes it out."""

    def changed(body: dict[str, Any]) -> dict[str, Any]:
        kept = {key: old for key, old in body.items() if key != name}
        return kept if value is ... else {**kept, name: value}

    def make(kind: str) -> type[Partner]:
        class Changed(Partner):
            if kind == "listed":
                listed = (Partner.listed[0], changed(Partner.listed[1]))

            def rented(self, rental_id: str, rental: Rented) -> dict[str, Any]:
                body = super().rented(rental_id, rental)
                return changed(body) if kind == "rented" else body

            def messages(self, rental: Rented) -> Answer:
                status, body = super().messages(rental)
                return status, changed(body) if kind == "messages" else body

            def cancelled(self, rental_id: str, rental: Rented) -> Answer:
                status, body = super().cancelled(rental_id, rental)
                return status, changed(body) if kind == "cancelled" else body

        return Changed

    return make


@pytest.mark.parametrize(
    ("kind", "name", "value", "check"),
    [
        ("listed", "country", "UK", "numbers_fields"),
        ("listed", "country", "gb", "numbers_fields"),
        ("listed", "country", "GBR", "numbers_fields"),
        ("listed", "country_name", ..., "numbers_fields"),
        ("listed", "country_name", None, "numbers_fields"),
        ("listed", "available", "1", "numbers_fields"),
        ("listed", "available", 1.0, "numbers_fields"),
        ("listed", "available", True, "numbers_fields"),
        ("listed", "available", -1, "numbers_fields"),
        ("listed", "price_per_sms", "1", "numbers_fields"),
        ("listed", "price_per_sms", -0.01, "numbers_fields"),
        ("rented", "country", "us", "rent_fields"),
        ("rented", "country", ..., "rent_fields"),
        ("rented", "expires_at", "2023-11-14T22:33:20", "rent_fields"),
        ("rented", "expires_at", "2023-11-14T22:33:20+02:00", "rent_fields"),
        ("rented", "expires_at", 1_700_001_200, "rent_fields"),
        ("messages", "messages", None, "sms_fields"),
        ("messages", "messages", [{"sender": "A", "text": "old", "received_at": ""}], "sms_fields"),
        ("messages", "number", "+14155559999", "sms_fields"),
        ("cancelled", "refund_amount", "0.05", "cancel_fields"),
        ("cancelled", "refund_amount", None, "cancel_fields"),
        ("cancelled", "refund_amount", -1, "cancel_fields"),
        ("cancelled", "message", ..., "cancel_fields"),
        ("cancelled", "rental_id", "rent_1", "cancel_fields"),
    ],
)
def test_a_field_of_another_type_fails_the_check_of_its_call_alone(
    kind: str, name: str, value: object, check: str
) -> None:
    results = checked(probe_of(with_field(name, value)(kind)()))
    assert failed(results) == {check}, lines(results)
    assert results[check].seen.startswith(f"{name}")


class NumberWithoutPlus(Partner):
    def number(self) -> str:
        return super().number().removeprefix("+")


class NumberOfAnotherCountry(Partner):
    def number(self) -> str:
        return f"+4477001{len(self.rentals):05d}"


class IntegerIds(Partner):
    def rented(self, rental_id: str, rental: Rented) -> dict[str, Any]:
        number = int(rental_id.removeprefix("rent_"))
        return {**super().rented(rental_id, rental), "rental_id": number}

    def find(self, who: str, rental_id: str) -> Rented | None:
        return super().find(who, f"rent_{rental_id}")

    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        status, body = super().cancelled(rental_id, rental)
        return status, {**body, "rental_id": int(rental_id)}


class TakesAnyKey(Partner):
    def is_key(self, key: str | None) -> bool:
        return key is not None


class NoKeyIs403(Partner):
    def unauthenticated(self) -> Answer:
        return error(403, "forbidden")


class UnshapedError(Partner):
    def unauthenticated(self) -> Answer:
        return 401, {"error": "invalid key"}


class IgnoresTheFilter(Partner):
    def numbers(self, given: dict[str, str]) -> Answer:
        return super().numbers(given if given.get("country") == "ZZ" else {})


class MindsTheCase(Partner):
    def numbers(self, given: dict[str, str]) -> Answer:
        status, body = super().numbers(given)
        is_lower = given.get("country", "").islower()
        return (status, {**body, "numbers": []}) if is_lower else (status, body)


class NoCountryListsNothing(Partner):
    def numbers(self, given: dict[str, str]) -> Answer:
        if given.get("country") == "ZZ":
            return 200, {"status": "success", "numbers": []}
        return super().numbers(given)


class NoForms(Partner):
    def form(self, given: dict[str, str]) -> dict[str, str]:
        return {}


class AnyCountry(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        return super().rent(who, {"country": "US", **given}, request_key)


class KnownServicesOnly(Partner):
    status = 404

    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if given.get("service"):
            return error(self.status, "unknown_service")
        return super().rent(who, given, request_key)


class UnknownServiceIs400(KnownServicesOnly):
    status = 400


class CancelsTheUnknown(Partner):
    def cancel(self, who: str, rental_id: str) -> Answer:
        if rental_id not in self.rentals:
            return self.cancelled(rental_id, Rented(who, "", self.clock.now))
        return super().cancel(who, rental_id)


class ShowsAnybodys(Partner):
    def sms(self, who: str, rental_id: str) -> Answer:
        rental = self.rentals.get(rental_id)
        return self.messages(rental) if rental else self.unknown()


class RefundsAgain(Partner):
    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        status, body = super().cancelled(rental_id, rental)
        return status, {**body, "refund_amount": PRICE * rental.cancels}


class RepeatIsUnshaped(Partner):
    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        if rental.cancels > 1:
            return 409, {"detail": "gone"}
        return super().cancelled(rental_id, rental)


class GivesTwice(Partner):
    """Once more than three are out, the last number is still the next."""

    def number(self) -> str:
        held = self.open()
        return held[-1].number if len(held) > 3 else super().number()


class GivesOneIdTwice(Partner):
    def rented(self, rental_id: str, rental: Rented) -> dict[str, Any]:
        crowded = len(self.open()) > 3
        return {**super().rented("rent_1003" if crowded else rental_id, rental)}


class EndedAlready(Partner):
    lasts = -MINUTE


class LastsTwoDays(Partner):
    lasts = 2 * DAY


class SameRentalOtherNumber(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        status, body = super().rent(who, given, request_key)
        repeated = request_key is not None and self.calls[-2] == "rentNumber"
        return status, {**body, "number": "+14155559999"} if repeated else body


class TakesBrokenJson(Partner):
    def broken_json(self) -> Answer:
        return 200, {"status": "success"}


class TakesXml(Partner):
    def unsupported(self) -> Answer:
        return 200, self.rented("rent_1000", self.rentals["rent_1000"])


class TakesHuge(Partner):
    def huge(self, body: bytes) -> dict[str, str] | Answer:
        return dict(json.loads(body))


class HangsOnHuge(Partner):
    def huge(self, body: bytes) -> Answer:
        raise OutcomeUnknownError("timeout")


class BreaksUnderLoad(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if len(self.open()) > 3:
            return error(500, "internal_error")
        return super().rent(who, given, request_key)


class BusyWithoutAWord(Busy):
    def headers(self, status: int, body: object) -> dict[str, str]:
        return {"content-type": "application/json"}


class LosesAnswers(Partner):
    def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
        if len(self.open()) > 20:
            raise OutcomeUnknownError("timeout")
        return super().rent(who, given, request_key)


class HtmlErrors(Partner):
    def unknown(self) -> Answer:
        return 404, HTML


class CalledHtml(Partner):
    def headers(self, status: int, body: object) -> dict[str, str]:
        return {"content-type": "text/html"}


class BreaksAfterACancel(Partner):
    def messages(self, rental: Rented) -> Answer:
        return super().messages(rental) if rental.is_open else error(500, "internal_error")


class BreaksOnARepeat(Partner):
    def cancelled(self, rental_id: str, rental: Rented) -> Answer:
        return error(500, "oh") if rental.cancels > 1 else super().cancelled(rental_id, rental)


class BreaksOnBrokenJson(Partner):
    def broken_json(self) -> Answer:
        return error(500, "internal_error")


ONE_RULE: list[tuple[type[Partner], str]] = [
    (NumberWithoutPlus, "rent_fields"),
    (NumberOfAnotherCountry, "rent_fields"),
    (IntegerIds, "rent_fields"),
    (TakesAnyKey, "authentication"),
    (NoKeyIs403, "authentication"),
    (UnshapedError, "authentication"),
    (IgnoresTheFilter, "country_filter"),
    (MindsTheCase, "country_filter"),
    (NoCountryListsNothing, "country_filter"),
    (NoForms, "rent_json_and_form"),
    (AnyCountry, "rent_country"),
    (KnownServicesOnly, "rent_service"),
    (UnknownServiceIs400, "rent_service"),
    (CancelsTheUnknown, "unknown_rental"),
    (ShowsAnybodys, "foreign_rental"),
    (RefundsAgain, "cancel_twice"),
    (RepeatIsUnshaped, "cancel_twice"),
    (GivesTwice, "concurrent_rents"),
    (GivesOneIdTwice, "concurrent_rents"),
    (LosesAnswers, "concurrent_rents"),
    (EndedAlready, "expiry"),
    (LastsTwoDays, "expiry"),
    (TakesBrokenJson, "broken_json"),
    (TakesXml, "content_type"),
    (TakesHuge, "huge_body"),
    (HangsOnHuge, "huge_body"),
    (BreaksUnderLoad, "no_server_errors"),
    (BusyWithoutAWord, "no_server_errors"),
    (HtmlErrors, "json_everywhere"),
    (CalledHtml, "json_everywhere"),
]


@pytest.mark.parametrize(("server", "check"), ONE_RULE, ids=lambda of: getattr(of, "__name__", of))
def test_exactly_the_check_of_the_broken_rule_fails(server: type[Partner], check: str) -> None:
    probe = probe_of(server())
    results = checked(probe)
    assert failed(results) == {check}, lines(results)
    assert not results[check].is_good()
    assert probe.target.rents <= conformance.budget(probe)


@pytest.mark.parametrize(
    ("server", "check"),
    [
        (BreaksAfterACancel, "sms_after_cancel"),
        (BreaksOnARepeat, "cancel_twice"),
        (BreaksOnBrokenJson, "broken_json"),
    ],
)
def test_a_5xx_fails_the_check_that_meets_it_and_the_one_that_counts_them(
    server: type[Partner], check: str
) -> None:
    results = checked(probe_of(server()))
    assert failed(results) == {check, "no_server_errors"}, lines(results)


def test_html_for_everything_shows_nothing_and_breaks_nothing() -> None:
    class Html(Partner):
        def answered(self, path: str, request: Request) -> Answer:
            return 200, HTML

    results = checked(probe_of(Html()))
    assert {"authentication", "numbers_fields", "json_everywhere"} <= failed(results)
    assert not results["rent_fields"].is_good()


def test_every_check_is_failed_by_some_server_of_these() -> None:
    shown = {check for _, check in ONE_RULE}
    shown |= {"numbers_fields", "sms_fields", "cancel_fields", "sms_after_cancel"}
    shown |= {"idempotency_key", "expiry_waited"}
    assert shown == {check.name for check in conformance.CHECKS}


def test_an_idempotency_key_need_not_be_known() -> None:
    class Ignores(Partner):
        def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
            return super().rent(who, given, None)

    server = Ignores()
    results = checked(probe_of(server))
    result = results["idempotency_key"]
    assert (result.outcome, result.required, result.is_good()) == (Outcome.SKIPPED, False, True)
    assert result.seen.startswith("not supported")
    assert server.open() == []


def test_an_idempotency_key_half_known_is_told_and_not_required() -> None:
    results = checked(probe_of(SameRentalOtherNumber()))
    assert failed(results) == {"idempotency_key"}, lines(results)
    assert results["idempotency_key"].is_good()


class TestForeignRentals:
    def test_another_account_sees_what_ids_do_not_show(self) -> None:
        """Ids that nobody could guess, and no look at who asks."""

        class ShowsToAll(ShowsAnybodys):
            def __init__(self) -> None:
                super().__init__()
                self.rentals.clear()

        assert failed(checked(probe_of(ShowsToAll()))) == set()
        assert failed(checked(probe_of(ShowsToAll(), other_key=OTHER_KEY))) == {"foreign_rental"}

    def test_another_account_may_not_cancel(self) -> None:
        class CancelsForAll(Partner):
            def cancel(self, who: str, rental_id: str) -> Answer:
                return super().cancel(KEY, rental_id)

        results = checked(probe_of(CancelsForAll(), other_key=OTHER_KEY))
        assert failed(results) == {"foreign_rental"}

    def test_another_key_that_opens_nothing_shows_nothing(self) -> None:
        result = checked(probe_of(Partner(), other_key="sk_nobody"))["foreign_rental"]
        assert result.outcome is Outcome.SKIPPED
        assert not result.is_good()


class TestExpiry:
    def test_the_rental_is_looked_at_before_its_end_and_after(self) -> None:
        class EndsEarly(Partner):
            def find(self, who: str, rental_id: str) -> Rented | None:
                found = super().find(who, rental_id)
                early = found is not None and self.clock.now > found.expires_at - 8 * MINUTE
                return None if early else found

        results = checked(probe_of(EndsEarly(), wait_expiry=True))
        assert failed(results) == {"expiry_waited"}, lines(results)

    def test_an_accident_after_its_end_is_seen(self) -> None:
        class BreaksAtTheEnd(Partner):
            def messages(self, rental: Rented) -> Answer:
                if self.clock.now > rental.expires_at:
                    return error(500, "internal_error")
                return super().messages(rental)

        results = checked(probe_of(BreaksAtTheEnd(), wait_expiry=True))
        assert failed(results) == {"expiry_waited", "no_server_errors"}, lines(results)

    def test_is_not_waited_for_unless_asked(self) -> None:
        server = Partner()
        before = server.clock.now
        assert "expiry_waited" not in checked(probe_of(server))
        assert server.clock.now == before


class TestWhatCannotBeShown:
    def test_without_stock_the_rents_are_skipped_and_that_is_no_pass(self) -> None:
        class Empty(Partner):
            listed = ({**Partner.listed[0], "available": 0},)

            def rent(self, who: str, given: dict[str, str], request_key: str | None) -> Answer:
                status, body = super().rent(who, given, request_key)
                return error(404, "no_numbers") if status == 200 else (status, body)

        results = checked(probe_of(Empty()))
        assert failed(results) == set(), lines(results)
        for name in ("rent_fields", "cancel_twice", "concurrent_rents"):
            assert results[name].outcome is Outcome.SKIPPED
            assert not results[name].is_good()

    def test_without_a_list_there_is_no_country_unless_told(self) -> None:
        class Bare(Partner):
            listed = ()

        results = checked(probe_of(Bare()))
        assert results["rent_fields"].seen == "no country to rent in"
        assert checked(probe_of(Bare(), country="GB"))["sms_fields"].outcome is Outcome.PASSED

    def test_a_refused_key_ends_the_run(self) -> None:
        class Closed(Partner):
            def is_key(self, key: str | None) -> bool:
                return False

        server = Closed()
        results = checked(probe_of(server))
        assert failed(results) == {"authentication"}
        assert {r.seen for r in results.values()} == {"the API key is refused: HTTP 401"}
        assert server.calls == ["getNumbers", "getNumbers"]

    def test_a_key_that_ends_in_between_ends_the_run(self) -> None:
        class Ends(Partner):
            def is_key(self, key: str | None) -> bool:
                return super().is_key(key) and len(self.calls) < 30

        results = checked(probe_of(Ends()))
        assert len(failed(results)) == 1, lines(results)
        assert results["json_everywhere"].outcome is Outcome.SKIPPED

    def test_what_cannot_be_cancelled_is_told(self) -> None:
        class KeepsThem(Partner):
            def cancel(self, who: str, rental_id: str) -> Answer:
                return error(429, "too_many_cancels")

        server = KeepsThem()
        probe = probe_of(server)
        results = checked(probe)
        assert results["cancel_fields"].outcome is Outcome.SKIPPED
        assert len(probe.target.held()) == len(server.open()) > 30

    @pytest.mark.parametrize("failure", [NotSentError, OutcomeUnknownError])
    def test_no_first_answer_is_an_error_of_its_own(self, failure: type[Exception]) -> None:
        def send(request: Request) -> Fetched:
            raise failure("connection_failed")

        probe = probe_of(Partner())
        with pytest.raises(UnreachableError) as caught:
            conformance.prepare(Probe(Target("https://x.test", KEY, send), probe.clock, print))
        assert caught.value.reason == "connection_failed"


@contextmanager
def serving() -> Iterator[str]:
    """Our own app over HTTP on loopback; its URL."""
    kind = app.__class__
    server = Server(app, Config(chalice_stage="dev", config_from_disk={"lambda_timeout": 20}), 0)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.close(grace=5)
        thread.join()
        app.__class__ = kind  # the gateway made it another


class TestOurOwn:
    @pytest.fixture
    def url(self, stack: Stack, world: World) -> Iterator[str]:
        stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="1000")
        stack.clock.now = system_clock()
        world.stock(80)
        with serving() as url:
            yield url

    def test_a_sesame_passes_every_check(self, stack: Stack, world: World, url: str) -> None:
        user = world.user()
        balance = world.balance(user)
        probe = Probe(
            Target(url, world.key(user), conformance.send_over_http),
            clock=stack.clock,
            sleep=stack.clock.sleep,
            wait_expiry=True,
            other_key=world.key(world.user()),
        )
        results = checked(probe)
        assert {r.outcome for r in results.values()} == {Outcome.PASSED}, lines(results)
        assert "30 at once: 30 given" in results["concurrent_rents"].seen
        stack.platform.jobs.expire_rentals()
        assert world.balance(user) == balance
        world.assert_i2(user)

    def test_a_sesame_that_allows_few_cancels_passes_and_keeps_what_is_left(
        self, stack: Stack, world: World, url: str
    ) -> None:
        stack.configure(SESAME_MAX_UNUSED_CANCELS_PER_HOUR="30")
        target = Target(url, world.key(world.user()), conformance.send_over_http)
        results = checked(Probe(target, clock=stack.clock, sleep=stack.clock.sleep))
        assert all(result.is_good() for result in results.values()), lines(results)
        assert 0 < len(target.held()) < 30

    def test_the_command_prints_a_table(self, world: World, url: str) -> None:
        told = command(url, "--api-key", world.key(world.user()), "--simultaneous", "5")
        assert told.exit_code == 0, told.output
        assert told.stderr == (
            "Rents at most 26 numbers in US, at 0.05 each, 5 of them at once, and cancels each.\n"
        )
        *rows, counted, last = told.stdout.splitlines()
        assert [row.split()[1] for row in rows] == ["passed"] * (len(conformance.CHECKS) - 1)
        assert "answers, the slowest in " in counted
        assert last == "All 20 required checks passed."

    def test_the_command_prints_one_document(self, world: World, url: str) -> None:
        told = command(
            url, "--json", "--api-key", world.key(world.user()), "--simultaneous", "2",
            "--country", "us",
        )  # fmt: skip
        assert told.exit_code == 0, told.output
        document = json.loads(told.stdout)
        assert (document["status"], document["conforms"], document["url"]) == ("success", True, url)
        assert (document["country"], document["not_cancelled"]) == ("US", [])
        assert 0 < document["rents"] <= document["most_rents"]
        assert {"check", "required", "outcome", "seen"} == set(document["checks"][0])

    def test_a_refused_key_is_exit_code_1(self, url: str) -> None:
        told = command(url, "--api-key", "sesame_nobody")
        assert told.exit_code == 1
        assert "1 of 20 required failed: authentication." in told.stdout
        told = command(url, "--api-key", "sesame_nobody", "--json")
        assert (told.exit_code, json.loads(told.stdout)["conforms"]) == (1, False)


def command(*args: str) -> Run:
    return CliRunner().invoke(manage.cli, ["supplier", "check", *args])


class TestTheCommandWithoutAStack:
    @pytest.mark.parametrize(
        ("url", "why"),
        [
            (servers.refused_url(), "no answer (connection_failed)."),
            ("http://partner.example", "expected an https:// URL of a public host"),
            ("https://partner.example?a=1", "url: expected no query and no fragment."),
        ],
        ids=["refused", "no_tls", "query"],
    )
    def test_a_server_that_cannot_be_asked_is_one_line(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, url: str, why: str
    ) -> None:
        monkeypatch.setenv("SESAME_HOME", str(tmp_path))
        told = command(url, "--api-key", KEY)
        assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
        assert why in told.stderr
        document = json.loads(command(url, "--api-key", KEY, "--json").stdout)
        assert document["status"] == "error"
        assert why in document["message"]

    def test_a_blank_key_is_refused(self) -> None:
        told = command("https://partner.example", "--api-key", " ")
        assert (told.exit_code, told.stderr) == (
            1,
            "Error: --api-key: expected a key of the server's.\n",
        )
