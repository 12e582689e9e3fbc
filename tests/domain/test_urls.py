import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.addresses import is_public
from chalicelib.domain.urls import (
    Target,
    checked_server_url,
    checked_webhook_url,
    target_of,
)
from chalicelib.errors import InvalidInputError
from tests.addresses import NOT_PUBLIC, PUBLIC, SPELLINGS

TAKEN = {
    "https://example.com": "example.com",
    "https://example.com/hook?x=1&y=%20": "example.com",
    "https://example.com:443/hook": "example.com",
    "https://example.com:0443/hook": "example.com",
    "HTTPS://EXAMPLE.COM/": "example.com",
    "https://xn--bcher-kva.example/": "xn--bcher-kva.example",
    "https://my_host.a-b.example.com?x": "my_host.a-b.example.com",
    "https://example.com#x": "example.com",
    "https://example.com./": "example.com.",
    "https://1.1.1.1.example.com/@127.0.0.1": "1.1.1.1.example.com",
    "https://example.com/a%0d%0ab//../é": "example.com",
    "https://[2606:2800:0220:0001::0001]/": "2606:2800:0220:0001::0001",
    "https://" + "a." * 125 + "com/": "a." * 125 + "com",
}
LOOPBACK = [
    "http://127.0.0.1:8000/hook",
    "http://127.9.9.9/",
    "http://localhost:3000/",
    "https://localhost/",
    "https://localhost:8443/",
    "http://[::1]:80/",
]
NEVER = [
    "",
    "example.com",
    "//example.com/",
    "http://example.com/",
    "http://example.com:443/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "https:example.com",
    "https:/example.com",
    "https:\\\\example.com",
    "https://",
    "https:///hook",
    "https://./",
    "https://intranet/",
    "https://example.com/\nhook",
    "https://example.com/\thook",
    "https://example.com/\\hook",
    "https://example.com/\x00",
    "\x01https://example.com/",
    "ht\ttps://example.com/",
    "https://example.com/" + "x" * 2_000,
]


def netloc_of(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def url_of(address: str) -> str:
    return f"https://{netloc_of(address)}/"


@pytest.mark.parametrize(("url", "host"), TAKEN.items())
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_public_https_is_taken(url: str, host: str, allow_loopback: bool) -> None:
    assert checked_webhook_url(f" {url} ", allow_loopback=allow_loopback) == url
    assert target_of(url, allow_loopback=allow_loopback) == Target(host, 443, secure=True)


def test_public_addresses_are_taken() -> None:
    for address in PUBLIC:
        assert target_of(url_of(address), allow_loopback=False).host == address


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_nothing_plain_nor_strange_is(url: str, allow_loopback: bool) -> None:
    with pytest.raises(InvalidInputError) as refused:
        checked_webhook_url(url, allow_loopback=allow_loopback)
    assert refused.value.field == "url"


@pytest.mark.parametrize("rest", ["/x", "?x", "#x"])
def test_no_host_is_that_is_not_public_or_might_be_another(rest: str) -> None:
    for host in (*SPELLINGS, *map(netloc_of, NOT_PUBLIC)):
        try:
            checked_webhook_url(f"https://{host}{rest}", allow_loopback=False)
        except InvalidInputError:
            continue
        pytest.fail(f"taken: {host}")


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_taken_only_where_a_setting_allows_it(url: str) -> None:
    assert checked_webhook_url(url, allow_loopback=True) == url
    assert target_of(url, allow_loopback=True).is_local()
    with pytest.raises(InvalidInputError):
        checked_webhook_url(url, allow_loopback=False)


def test_other_ports_are_taken_only_where_a_setting_allows_them() -> None:
    url = "https://example.com:8443/"
    assert checked_webhook_url(url, allow_loopback=False, allowed_ports=[443, 8443]) == url
    with pytest.raises(InvalidInputError, match="on port 443 or 9443"):
        checked_webhook_url(url, allow_loopback=False, allowed_ports={9443, 443})
    with pytest.raises(InvalidInputError, match="on port 8443"):
        checked_webhook_url("https://example.com/", allow_loopback=False, allowed_ports=[8443])


def test_a_server_of_our_configuration_may_use_any_port_and_no_more() -> None:
    url = "https://example.com:8443/api"
    assert checked_server_url(url, allow_loopback=False) == url
    for refused in ("http://example.com/", "https://10.0.0.1:8443/", "https://u@example.com/"):
        with pytest.raises(InvalidInputError):
            checked_server_url(refused, allow_loopback=False)


@given(st.text(max_size=40) | st.text("htps:/@.[]10%#?\\ ", max_size=40))
def test_any_text_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        assert checked_webhook_url(text, allow_loopback=False) == text.strip()
    except InvalidInputError:
        return
    assert text.strip().lower().startswith("https://")


@given(st.text("aZ09.-_:[]@%x\\\uff11\u212a\u017f\u3002\t", max_size=30))
def test_any_host_that_is_taken_is_one_name_or_public_address(host: str) -> None:
    try:
        target = target_of(f"https://{host}/", allow_loopback=False)
    except ValueError:
        return
    assert target.host.isascii()
    assert host.lower().strip("[]").startswith(target.host)
    assert is_public(target.host) or target.host.rstrip(".").rpartition(".")[2][0].isalpha()


@given(st.ip_addresses())
def test_an_address_is_taken_if_it_is_public(address: object) -> None:
    url = url_of(str(address))
    try:
        target_of(url, allow_loopback=False)
    except ValueError:
        assert not is_public(str(address))
    else:
        assert is_public(str(address))
