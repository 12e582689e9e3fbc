import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.urls import checked_webhook_url, is_private
from chalicelib.errors import InvalidInputError

PUBLIC = [
    "https://example.com",
    "https://example.com/hook?x=1&y=%20",
    "https://example.com:8443/hook",
    "HTTPS://EXAMPLE.COM/",
    "https://xn--bcher-kva.example/",
    "https://93.184.216.34/hook",
    "https://[2606:2800:220:1::1]/hook",
    "https://example.com./",
]
LOOPBACK = [
    "http://127.0.0.1:8000/hook",
    "http://127.9.9.9/",
    "http://localhost:3000/",
    "https://localhost/",
    "http://[::1]:80/",
    "http://[::ffff:127.0.0.1]/",
]
NEVER = [
    "",
    "example.com",
    "//example.com/",
    "http://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "https://",
    "https:///hook",
    "https://./",
    "https://intranet/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[::7f00:1]/",
    "https://[fec0::1]/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[::]/",
    "https://[::ffff:10.0.0.1]/",
    "https://2130706433/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://app.localhost/",
    "https://APP.LOCALHOST./",
    "https://user@example.com/",
    "https://user:word@example.com/",
    "https://@example.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:http/",
    "https://exa mple.com/",
    "https://example.com/\nhook",
    "https://exam\tple.com/",
    "https://example.com/\x00",
    "https://[::1/",
    "https://example.com/" + "x" * 2_000,
]


@pytest.mark.parametrize("url", PUBLIC)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_public_https_is_taken(url: str, allow_loopback: bool) -> None:
    assert checked_webhook_url(f" {url} ", allow_loopback=allow_loopback) == url


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_nothing_private_nor_plain_nor_strange_is(url: str, allow_loopback: bool) -> None:
    with pytest.raises(InvalidInputError) as refused:
        checked_webhook_url(url, allow_loopback=allow_loopback)
    assert refused.value.field == "url"


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_taken_only_where_a_setting_allows_it(url: str) -> None:
    assert checked_webhook_url(url, allow_loopback=True) == url
    with pytest.raises(InvalidInputError):
        checked_webhook_url(url, allow_loopback=False)


@given(st.text(max_size=40) | st.text("htps:/@.[]10%#?\\ ", max_size=40))
def test_any_text_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        assert checked_webhook_url(text, allow_loopback=False) == text.strip()
    except InvalidInputError:
        return
    assert text.strip().lower().startswith("https://")


@given(st.ip_addresses())
def test_an_address_is_public_or_private_whatever_it_is(address: object) -> None:
    url = f"https://[{address}]/" if ":" in str(address) else f"https://{address}/"
    try:
        checked_webhook_url(url, allow_loopback=False)
    except InvalidInputError:
        assert is_private(str(address))
    else:
        assert not is_private(str(address))
