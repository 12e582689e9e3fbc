"""Accounts: users, credits, and the endpoints that users are told at."""

import pytest

from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.money import LARGEST, UNIT, Micros
from chalicelib.domain.signatures import is_secret
from chalicelib.domain.user import UserStatus
from chalicelib.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SesameError,
)
from chalicelib.services.accounts import Accounts
from tests.conftest import START, Stack
from tests.wire import stored
from tests.world import World


@pytest.fixture
def accounts(stack: Stack) -> Accounts:
    return stack.platform.accounts


def code_of(error: pytest.ExceptionInfo[SesameError]) -> tuple[str, str | None]:
    return error.value.code, error.value.field


def test_a_new_user_is_pending_with_nothing(accounts: Accounts) -> None:
    user = accounts.create("  Alice@Example.COM ", "  Alice  ")
    assert (user.login, user.name) == ("alice@example.com", "Alice")
    assert (user.status, user.active, user.balance) == (UserStatus.PENDING, True, 0)
    assert (user.key_hashes, user.endpoint, user.open_rentals) == ((), None, 0)
    assert not user.may_act()


def test_a_user_is_found_by_id_and_by_login_in_any_case(accounts: Accounts) -> None:
    user = accounts.create("alice", "Alice")
    for name in (user.user_id, "alice", " ALICE "):
        assert accounts.find(name) == user


@pytest.mark.parametrize(
    "name", ["", "bob", "login#alice", "alic", "alice#", new_ulid(START)], ids=len
)
def test_a_user_who_is_not_there_is_not_found(accounts: Accounts, name: str) -> None:
    accounts.create("alice", "Alice")
    with pytest.raises(NotFoundError) as error:
        accounts.find(name)
    assert code_of(error) == ("user_not_found", "user")


def test_a_login_is_taken_once_whatever_its_case(accounts: Accounts) -> None:
    first = accounts.create("alice", "Alice")
    items = stored()
    with pytest.raises(ConflictError) as error:
        accounts.create(" Alice ", "Another")
    assert code_of(error) == ("login_taken", "login")
    assert stored() == items
    assert accounts.find("alice") == first


@pytest.mark.parametrize(
    "login", ["", " ", "a", " a ", "x" * 65, "a#b", "a\nb", "a\x00b", "\ud800"]
)
def test_a_login_that_can_not_be_one_is_refused(accounts: Accounts, login: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        accounts.create(login, "Name")
    assert error.value.field == "login"
    assert stored() == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_that_can_not_be_one_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        accounts.create("alice", name)
    assert error.value.field == "name"


def test_logins_and_names_may_be_of_any_script(accounts: Accounts) -> None:
    user = accounts.create("алиса", "爱丽丝")
    assert accounts.find("АЛИСА") == user
    assert user.name == "爱丽丝"


def test_approval_lets_a_user_in_and_may_be_repeated(accounts: Accounts) -> None:
    accounts.create("alice", "Alice")
    for _ in range(2):
        assert accounts.approve("alice").may_act()
    with pytest.raises(NotFoundError):
        accounts.approve("bob")


def test_the_pages_list_every_user_once_and_no_logins(accounts: Accounts) -> None:
    made = {accounts.create(f"user-{at}", "Name").user_id for at in range(5)}
    found, start = accounts.page()
    listed = [user.user_id for user in found]
    while start is not None:
        found, start = accounts.page(start)
        listed += [user.user_id for user in found]
    assert len(listed) == 5
    assert set(listed) == made


def test_i2_a_credit_is_added_and_written_down(world: World, accounts: Accounts) -> None:
    user = world.user(balance=Micros(0))
    assert accounts.credit(user.login, Micros(1), "the first").balance == 1
    assert accounts.credit(user.user_id, LARGEST, "the second").balance == LARGEST + 1
    lines = sorted(world.ledger(user), key=lambda entry: entry.amount)
    assert [(line.amount, line.reference, line.kind) for line in lines] == [
        (1, "the first", "credit"),
        (LARGEST, "the second", "credit"),
    ]
    world.assert_i2(user)


@pytest.mark.parametrize("amount", [0, -1, -UNIT])
def test_i2_a_credit_of_nothing_is_refused(world: World, accounts: Accounts, amount: int) -> None:
    user = world.user()
    items = stored()
    with pytest.raises(InvalidInputError) as error:
        accounts.credit(user.user_id, Micros(amount), "test")
    assert error.value.field == "amount"
    assert stored() == items


def test_a_credit_to_nobody_is_not_found(accounts: Accounts) -> None:
    with pytest.raises(NotFoundError):
        accounts.credit(UserId(new_ulid(START)), Micros(1), "test")
    assert stored() == []


def test_a_webhook_is_set_with_a_secret_that_is_shown_and_not_kept(
    world: World, accounts: Accounts
) -> None:
    user = world.user()
    first = accounts.set_webhook(user.login, " https://example.com/hook ")
    assert (first.endpoint.url, first.endpoint.enabled) == ("https://example.com/hook", True)
    assert first.endpoint.events == ("otp_received",)
    assert is_secret(first.secret)
    assert first.secret not in repr(first)
    assert not any(first.secret.removeprefix("whsec_") in item for item in stored())
    second = accounts.set_webhook(user.user_id, "https://example.com/hook", ("sms_received",))
    assert second.secret != first.secret
    assert second.endpoint.events == ("otp_received", "sms_received")
    assert accounts.find(user.user_id).endpoint == second.endpoint


BAD_URLS = [
    "",
    "example.com",
    "http://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "https://",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://localhost/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://intranet/",
    "https://db.internal/",
    "https://printer.local./",
    "https://exa mple.com/",
    "https://example.com/a\nb",
    "https://[::1/",
    "https://example.com/" + "x" * 2_000,
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_we_do_not_call_is_refused(world: World, stack: Stack, url: str) -> None:
    user = world.user()
    accounts = stack.configure(SESAME_ALLOW_LOOPBACK="0").accounts
    with pytest.raises(InvalidInputError) as error:
        accounts.set_webhook(user.user_id, url)
    assert error.value.field == "url"
    assert accounts.find(user.user_id).endpoint is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://localhost/x", "https://[::1]/"])
def test_this_machine_is_called_only_where_a_setting_says_so(
    world: World, stack: Stack, url: str
) -> None:
    user = world.user()
    assert stack.platform.accounts.set_webhook(user.user_id, url).endpoint.url == url
    with pytest.raises(InvalidInputError):
        stack.configure(SESAME_ALLOW_LOOPBACK="0").accounts.set_webhook(user.user_id, url)


@pytest.mark.parametrize("events", [(), ("otp",), ("otp_received", "other")])
def test_events_that_there_are_not_are_refused(
    world: World, accounts: Accounts, events: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInputError) as error:
        accounts.set_webhook(world.user().user_id, "https://example.com/", events)
    assert error.value.field == "events"
