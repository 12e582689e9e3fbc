"""Who may post for a provider that signs nothing."""

import base64
import secrets

import pytest
from contract_suite import ANY_TEXT, FUZZ
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.providers.contract import InboundPost
from chalicelib.providers.unsigned import may_post
from chalicelib.settings import ProviderAccount

OURS, NEW, OTHERS = "sesame:pa:ss wörd", "sesame:n3w", "sesame:guess"
UNGUESSABLE = "Zk3_0pQm-9vXy2LrTb7HcA"
THERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"
NETWORKS = ("192.0.2.1", "203.0.113.0/24", "2001:db8::/32")


def basic(secret: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(secret.encode()).decode()}"


def may(
    authorization: str | None = None,
    *,
    name: str = "main",
    live: tuple[str, ...] = (),
    allow_ips: tuple[str, ...] = (),
    source_ip: str = THERE,
) -> bool:
    headers = {} if authorization is None else {"authorization": authorization}
    post = InboundPost("https://sesame.example/", headers, b"", source_ip=source_ip)
    return may_post(post, ProviderAccount(name, live, allow_ips=allow_ips))


@pytest.mark.parametrize("live", [(OURS,), (OURS, NEW), (NEW, OURS), ("", ":", OURS)])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_any_live_password_opens_the_account(live: tuple[str, ...], scheme: str) -> None:
    assert may(basic(OURS, scheme), live=live)
    assert not may(basic(OTHERS, scheme), live=live)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        basic(""),
        basic(":"),
        basic("sesame:"),
        basic("sesame"),
        basic(OURS)[:-1],
        basic(OURS) + "=",
        basic(OURS) + " ",
        basic(OURS).swapcase(),
        basic(OURS, "Bearer"),
        basic(OURS, "Basic "),
        basic(OURS).removeprefix("Basic "),
        f"Basic {OURS}",
        "Basic \ud800\uff12é\0",
    ],
)
def test_an_account_with_passwords_asks_for_one_of_them(header: str | None) -> None:
    # Neither its name nor its address stand in for it.
    assert not may(header, live=(OURS, NEW), name=UNGUESSABLE, allow_ips=NETWORKS)


@pytest.mark.parametrize("worthless", ["", ":", "sesame", "sesame:"])
def test_an_empty_password_opens_nothing(worthless: str) -> None:
    assert not may(basic(worthless), live=(worthless,), name=UNGUESSABLE)
    assert not may(None, live=(worthless,), name=UNGUESSABLE, allow_ips=NETWORKS)
    assert may(basic(OURS), live=(worthless, OURS))


def test_a_password_without_a_user_is_one() -> None:
    assert may(basic(":only"), live=(":only",))


@pytest.mark.parametrize(
    "address",
    [THERE, "203.0.113.0", "203.0.113.255", "192.0.2.1", "2001:db8::7", f"::ffff:{THERE}"],
)
def test_an_address_on_the_allow_list_may_post(address: str) -> None:
    assert may(allow_ips=NETWORKS, source_ip=address)


@pytest.mark.parametrize(
    "address",
    ["", "junk", "203.0.114.0", "192.0.2.2", "2001:db9::", f"{THERE}, {ELSEWHERE}", f" {THERE}"],
)
def test_an_allow_list_holds_whatever_else_is_known(address: str) -> None:
    assert not may(allow_ips=NETWORKS, source_ip=address)
    assert not may(allow_ips=NETWORKS, source_ip=address, name=UNGUESSABLE)
    assert not may(basic(OURS), live=(OURS,), allow_ips=NETWORKS, source_ip=address)


def test_an_address_does_not_stand_in_for_a_password() -> None:
    assert may(basic(OURS), live=(OURS,), allow_ips=NETWORKS)
    assert not may(basic(OTHERS), live=(OURS,), allow_ips=NETWORKS)


@pytest.mark.parametrize(
    ("name", "enough"),
    [
        (UNGUESSABLE, True),
        (UNGUESSABLE + "x" * 42, True),
        (UNGUESSABLE[:-1], False),
        ("main", False),
        ("", False),
        (UNGUESSABLE[:-1] + "é", False),
        (UNGUESSABLE[:-1] + "\uff12", False),
        (UNGUESSABLE + "\n", False),
        (UNGUESSABLE + "/", False),
    ],
)
def test_without_either_the_account_needs_a_name_that_nobody_guesses(
    name: str, enough: bool
) -> None:
    assert may(name=name) is enough
    assert may(basic(OURS), name=name) is enough


def test_the_documented_command_makes_such_a_name() -> None:
    assert may(name=secrets.token_urlsafe(16))


@FUZZ
@given(header=ANY_TEXT, live=st.lists(ANY_TEXT), address=ANY_TEXT | st.ip_addresses().map(str))
def test_nothing_that_is_sent_raises(header: str, live: list[str], address: str) -> None:
    assert not may(header, live=tuple(live), source_ip=address)
    assert not may(f"Basic {header}", live=(OURS, *live), source_ip=address)
    may(header, live=tuple(live), allow_ips=NETWORKS, source_ip=address)
