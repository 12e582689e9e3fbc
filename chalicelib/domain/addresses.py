"""IP addresses: which ones are of the public Internet.

A table of our own: Python 3.11's `is_global` takes site-local, NAT64 and 6to4 addresses for
global. Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (of 2025-10-09), the IPv6
Global Unicast allocation, the clouds' metadata services.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's own services, metadata among them
            "169.254.0.0/16",  # link-local; metadata nearly everywhere
            "172.16.0.0/12",
            "192.0.0.0/24",  # IETF protocols; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)

# All that is allocated to hosts. Beyond it are loopback, ULA, link-local, site-local, multicast,
# NAT64, SRv6 SIDs, and whatever is registered next.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocols: Teredo, benchmarking, AMT, ORCHID, drones' ids
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3ffe::/16",  # 6bone, given back
            "3fff::/20",  # documentation
        ),
    )
)

_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def is_public(text: str) -> bool:
    """Whether `text` is an address that any host of the Internet reaches the same host by.

    Addresses that stand for another one (mapped, NAT64, 6to4, …), or for one of a zone, are not.
    """
    address = address_of(text)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST_V6 and not any(
            address in network for network in _NOT_PUBLIC_V6
        )
    return False


def is_loopback(text: str) -> bool:
    """Whether `text` is an address of this machine, and not one that is mapped to it."""
    address = address_of(text)
    return address is not None and any(address in network for network in _LOOPBACK)


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` is in its usual spelling, without a zone; None if it is none."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
