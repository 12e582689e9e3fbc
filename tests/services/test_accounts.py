"""Accounts: users, credits, and the endpoints that users are told at."""

import pytest

from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.money import LARGEST, UNIT, Micros
from chalicelib.domain.requests import RequestKey
from chalicelib.domain.signatures import is_secret
from chalicelib.domain.user import Endpoint, UserStatus
from chalicelib.errors import (
    BusyError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SesameError,
)
from chalicelib.services.accounts import Accounts
from chalicelib.services.administration import Administration
from chalicelib.services.profiles import Changes
from tests.conftest import START, Stack
from tests.wire import let_through, stored, tapped
from tests.world import World, meanwhile


@pytest.fixture
def accounts(stack: Stack) -> Accounts:
    return stack.platform.accounts


@pytest.fixture
def administration(stack: Stack) -> Administration:
    return stack.platform.administration


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


@pytest.mark.parametrize("name", ["", "x", "x" * 65, "x" * 5_000, "İ" * 64, "a#b", "\ud800"])
def test_a_name_that_is_no_login_is_not_looked_for(accounts: Accounts, name: str) -> None:
    with tapped() as wire, pytest.raises(NotFoundError) as error:
        accounts.find(name)
    assert code_of(error) == ("user_not_found", "user")
    assert wire.attempts == []


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


def test_i2_a_credit_is_added_and_written_down(
    world: World, administration: Administration
) -> None:
    user = world.user(balance=Micros(0))
    assert administration.credit(user.login, Micros(1), "the first").amount == 1
    administration.credit(user.user_id, LARGEST, "the second")
    assert world.balance(user) == LARGEST + 1
    lines = sorted(world.ledger(user), key=lambda entry: entry.amount)
    assert [(line.amount, line.reference, line.kind) for line in lines] == [
        (1, "the first", "credit"),
        (LARGEST, "the second", "credit"),
    ]
    world.assert_i2(user)


@pytest.mark.parametrize("amount", [0, -1, -UNIT])
def test_i2_a_credit_of_nothing_is_refused(
    world: World, administration: Administration, amount: int
) -> None:
    user = world.user()
    items = stored()
    with pytest.raises(InvalidInputError) as error:
        administration.credit(user.user_id, Micros(amount), "test")
    assert error.value.field == "amount"
    assert stored() == items


def test_a_credit_to_nobody_is_not_found(administration: Administration) -> None:
    with pytest.raises(NotFoundError):
        administration.credit(UserId(new_ulid(START)), Micros(1), "test")
    assert stored() == []


def test_a_credit_to_an_account_that_closes_meanwhile_is_refused(
    world: World, administration: Administration
) -> None:
    user = world.user()
    close = world.elsewhere().profiles.close
    closing = meanwhile(lambda: close(user.user_id, confirm=user.login))
    with tapped(closing, only="TransactWriteItems"), pytest.raises(ConflictError) as error:
        administration.credit(user.user_id, Micros(1), "too late")
    assert error.value.code == "account_closed"
    world.assert_i2(user)


def test_a_repeated_credit_is_told_again_after_the_account_was_closed(
    world: World, administration: Administration
) -> None:
    user, request = world.user(), RequestKey("admin#k", "same")
    first = administration.credit(user.user_id, Micros(1), "once", request)
    world.stack.platform.profiles.close(user.user_id, confirm=user.login)
    assert administration.credit(user.user_id, Micros(1), "once", request) == first
    world.assert_i2(user)


def test_a_webhook_is_set_with_a_secret_that_is_shown_and_not_kept(world: World) -> None:
    user = world.user()
    first = world.webhook(user, " https://example.com/hook ")
    endpoint = world.find(user).endpoint
    assert endpoint is not None
    assert (endpoint.url, endpoint.enabled) == ("https://example.com/hook", True)
    assert endpoint.events == ("otp_received",)
    assert is_secret(first)
    assert not any(first.removeprefix("whsec_") in item for item in stored())
    second = world.webhook(user, "https://example.com/hook", "sms_received")
    assert second != first
    endpoint = world.find(user).endpoint
    assert endpoint is not None
    assert endpoint.events == ("otp_received", "sms_received")


def test_events_set_while_the_url_changes_bring_no_old_url_back(world: World) -> None:
    user, events = world.user(), ("otp_received", "sms_received")
    world.webhook(user, "https://example.com/old")
    other = meanwhile(lambda: world.webhook(user, "https://example.com/new"))
    profiles = world.elsewhere().profiles
    with tapped(other, only="UpdateItem"):
        changed, secret = profiles.change(user.user_id, Changes(webhook_events=events))
    assert secret is None
    endpoint = world.find(user).endpoint
    assert changed.endpoint == endpoint == Endpoint("https://example.com/new", 2, events, True)


def test_events_set_while_the_url_is_removed_are_refused(world: World) -> None:
    user = world.user()
    world.webhook(user, "https://example.com/old")
    change = world.stack.platform.profiles.change
    removal = meanwhile(lambda: change(user.user_id, Changes(webhook_url="")))
    with tapped(removal, only="UpdateItem"), pytest.raises(InvalidInputError) as error:
        world.elsewhere().profiles.change(user.user_id, Changes(webhook_events=("sms_received",)))
    assert error.value.field == "webhook_events"
    assert world.find(user).endpoint is None


def test_two_urls_set_at_once_have_two_secrets_and_keep_the_events_of_the_first(
    world: World,
) -> None:
    user = world.user()
    secrets = [world.webhook(user, "https://example.com/0")]
    other = meanwhile(
        lambda: secrets.append(world.webhook(user, "https://example.com/1", "sms_received"))
    )
    with tapped(other, only="UpdateItem"):
        _, secret = world.elsewhere().profiles.change(
            user.user_id, Changes(webhook_url="https://example.com/2")
        )
    assert len({*secrets, secret}) == 3
    events = ("otp_received", "sms_received")
    assert world.find(user).endpoint == Endpoint("https://example.com/2", 3, events, True)


def test_an_endpoint_that_never_was_is_removed_and_set(world: World) -> None:
    user, change = world.user(), world.stack.platform.profiles.change
    for _ in range(2):
        change(user.user_id, Changes(webhook_url=""))
    world.webhook(user, "https://example.com/")
    for _ in range(2):
        assert change(user.user_id, Changes(webhook_url=""))[0].endpoint is None
    world.webhook(user, "https://example.com/")
    endpoint = world.find(user).endpoint
    assert endpoint is not None
    assert endpoint.generation == 2


def test_a_change_that_others_always_forestall_is_given_up(world: World) -> None:
    user = world.user()
    others = [
        meanwhile(lambda: world.webhook(user, "https://example.com/other")),
        let_through,
    ] * 5
    with tapped(*others, only="UpdateItem"), pytest.raises(BusyError):
        world.elsewhere().profiles.change(user.user_id, Changes(webhook_url="https://example.com/"))


BAD_URLS = [
    " ",
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
    profiles = stack.configure(SESAME_ALLOW_LOOPBACK="0").profiles
    with pytest.raises(InvalidInputError) as error:
        profiles.change(user.user_id, Changes(webhook_url=url))
    assert error.value.field == "webhook_url"
    assert profiles.find(user.user_id).endpoint is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://localhost/x", "https://[::1]/"])
def test_this_machine_is_called_only_where_a_setting_says_so(
    world: World, stack: Stack, url: str
) -> None:
    user = world.user()
    assert world.webhook(user, url)
    with pytest.raises(InvalidInputError):
        stack.configure(SESAME_ALLOW_LOOPBACK="0").profiles.change(
            user.user_id, Changes(webhook_url=url)
        )


@pytest.mark.parametrize("events", [(), ("otp",), ("otp_received", "other")])
def test_events_that_there_are_not_are_refused(world: World, events: tuple[str, ...]) -> None:
    changes = Changes(webhook_url="https://example.com/", webhook_events=events)
    with pytest.raises(InvalidInputError) as error:
        world.stack.platform.profiles.change(world.user().user_id, changes)
    assert error.value.field == "webhook_events"
