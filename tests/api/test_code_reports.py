"""Wrong codes: reported by the SMS's own user, read by the admin, kept as long as the SMS."""

import pytest

from chalicelib.domain.rental import Rental
from chalicelib.domain.user import User
from tests.api.faces import ADMIN, NOBODY, Caller, holder
from tests.api.shapes import refused
from tests.world import PRICE, World, get

TEXT = "Acme: 482913 is your code, 1234 is not."


@pytest.fixture
def user(world: World) -> User:
    world.stock(2)
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    rental = world.rent(user)
    world.sms(rental.phone_number, TEXT)
    return rental


@pytest.fixture
def account(world: World, user: User) -> Caller:
    return holder(world.key(user))


def path(rental: Rental, number: int = 1) -> str:
    return f"/account/messages/{rental.rental_id}.{number}/code"


def reports() -> list[dict[str, object]]:
    return [report for page in ADMIN.pages("/admin/code-reports", "reports") for report in page]


def test_a_report_is_kept_for_the_admin(user: User, rental: Rental, account: Caller) -> None:
    told = account.ok("POST", path(rental), {"code": "1234"})
    assert told == {"id": f"{rental.rental_id}.1", "code": "1234"}
    (report,) = reports()
    at = report.pop("at")
    assert isinstance(at, str)
    assert report == {
        "id": f"{rental.rental_id}.1",
        "user_id": user.user_id,
        "sender": "Acme",
        "text": TEXT,
        "found": "482913",
        "code": "1234",
    }


def test_getsms_shows_the_id_that_a_report_takes(
    world: World, user: User, rental: Rental, account: Caller
) -> None:
    shown = get("/getSMS", api_key=world.key(user), rental_id=rental.rental_id).json_body
    (message,) = shown["messages"]
    account.ok("POST", f"/account/messages/{message['id']}/code", {"code": None})
    assert [report["code"] for report in reports()] == [None]


def test_the_last_report_of_an_sms_counts(rental: Rental, account: Caller) -> None:
    for code in ("1234", None, "9999"):
        account.ok("POST", path(rental), {"code": code})
    assert [report["code"] for report in reports()] == ["9999"]


def test_reports_come_the_newest_first_in_pages(
    world: World, user: User, rental: Rental, account: Caller
) -> None:
    world.sms(rental.phone_number, TEXT)
    for number in (1, 2):
        world.stack.clock.advance(seconds=1)
        account.ok("POST", path(rental, number), {"code": "1234"})
    pages = ADMIN.pages("/admin/code-reports", "reports", limit=1)
    found = [report["id"] for page in pages for report in page]
    assert found == [f"{rental.rental_id}.2", f"{rental.rental_id}.1"]


@pytest.mark.parametrize("code", ["", "x" * 33, 5, True, [], {}, "a\nb", "\ud800"])
def test_what_is_no_code_is_refused(rental: Rental, account: Caller, code: object) -> None:
    answer = account.call("POST", path(rental), {"code": code})
    refused(answer, 400, "invalid_parameter", "code")
    assert reports() == []


def test_a_report_needs_the_code(rental: Rental, account: Caller) -> None:
    refused(account.call("POST", path(rental), {}), 400, "missing_parameter", "code")
    unknown = account.call("POST", path(rental), {"code": "1", "x": 1})
    refused(unknown, 400, "unknown_parameter", "x")


@pytest.mark.parametrize("number", ["0", "2", "01", "11", "-1", "x", "1.1", ""])
def test_an_sms_that_is_not_there_can_not_be_reported(
    rental: Rental, account: Caller, number: str
) -> None:
    answer = account.call(
        "POST", f"/account/messages/{rental.rental_id}.{number}/code", {"code": "1"}
    )
    refused(answer, 404, "sms_not_found", "id")


def test_somebody_elses_sms_can_not_be_reported(world: World, rental: Rental) -> None:
    other = holder(world.key(world.user()))
    answer = other.call("POST", path(rental), {"code": "1"})
    refused(answer, 404, "rental_not_found", "rental_id")
    answer = NOBODY.call("POST", path(rental), {"code": "1"})
    refused(answer, 401, "missing_api_key", "Authorization")
    answer = NOBODY.call("GET", "/admin/code-reports")
    refused(answer, 401, "invalid_admin_key", "X-Admin-Key")
    assert reports() == []


def test_an_sms_that_is_not_paid_can_not_be_reported(
    world: World, user: User, rental: Rental, account: Caller
) -> None:
    poor = world.user(balance=PRICE)
    theirs = world.rent(poor)
    world.sms(theirs.phone_number, TEXT)
    world.sms(theirs.phone_number, TEXT)
    unpaid = holder(world.key(poor)).call("POST", path(theirs, 2), {"code": "1"})
    refused(unpaid, 404, "sms_not_found", "id")


def test_reports_are_shown_no_longer_than_the_sms(
    world: World, rental: Rental, account: Caller
) -> None:
    world.stack.clock.advance(seconds=86_400)
    account.ok("POST", path(rental), {"code": "1234"})
    world.stack.clock.advance(seconds=6 * 86_400)
    assert reports() == []
    refused(account.call("POST", path(rental), {"code": "1234"}), 404, "sms_not_found", "id")


def test_reports_are_no_unclaimed_sms(rental: Rental, account: Caller) -> None:
    account.ok("POST", path(rental), {"code": "1234"})
    assert ADMIN.ok("GET", "/admin/inbound")["messages"] == []
