"""Which addresses are public: a table, checked against IANA's registries by hand."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.addresses import address_of, is_loopback, is_public
from tests.addresses import NOT_PUBLIC, PUBLIC


def test_a_host_of_the_internet_is_public_and_nothing_else_is() -> None:
    assert [address for address in PUBLIC if not is_public(address)] == []
    assert [address for address in NOT_PUBLIC if is_public(address)] == []


NETWORKS = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1
"""


@pytest.mark.parametrize("network", NETWORKS.split())
def test_a_special_network_is_not_public_from_end_to_end(network: str) -> None:
    found = ipaddress.ip_network(network)
    assert not is_public(str(found[0]))
    assert not is_public(str(found[-1]))


@given(st.ip_addresses(v=4))
def test_an_address_that_stands_for_another_is_not_public(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    stands_for = [
        number,  # compatible, which loopback and unspecified look like too
        (0xFFFF << 32) + number,  # mapped
        (0xFFFF << 48) + number,  # translated, RFC 2765
        (0x64FF9B << 96) + number,  # NAT64
        (0x64FF9B0001 << 80) + number,  # NAT64 of a network's own
        (0x2002 << 112) + (number << 80) + 1,  # 6to4
        (0x20010000 << 96) + (number ^ 0xFFFFFFFF),  # Teredo
    ]
    assert not any(is_public(str(ipaddress.IPv6Address(found))) for found in stands_for)


@given(st.ip_addresses())
def test_what_python_knows_to_be_private_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(str(address))


@given(st.text(max_size=20) | st.text("0123456789abcdefx.:%", max_size=20))
def test_text_that_is_no_address_is_not_public(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert address_of(text) is None
        assert not is_public(text)
        assert not is_loopback(text)


def test_loopback_is_this_machine_and_nothing_that_stands_for_it() -> None:
    for address in ("127.0.0.1", "127.255.255.254", "::1"):
        assert is_loopback(address)
    for address in ("::ffff:127.0.0.1", "::7f00:1", "::", "0.0.0.0", "128.0.0.1", "::1%lo", ""):
        assert not is_loopback(address)
