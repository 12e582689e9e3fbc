"""Webhook URLs: which ones we are willing to call."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from chalicelib.errors import InvalidInputError

_MOST = 2_000
_EXPECTED = "an https:// URL of a public host, without user name or password"


def checked_webhook_url(text: str, *, allow_loopback: bool, field: str = "url") -> str:
    """`text` if webhooks may go there. Raises InvalidInputError naming `field`.

    Only `https://`; with `allow_loopback` (local runs) also `http://` to this machine. Where a
    name leads is checked again when it is called.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidInputError(field, _EXPECTED) from None
    if len(text) > _MOST or not text.isprintable() or " " in text or not parts.hostname:
        raise InvalidInputError(field, _EXPECTED)
    if parts.username is not None or parts.password is not None or port == 0:
        raise InvalidInputError(field, _EXPECTED)
    if allow_loopback and is_loopback(parts) and parts.scheme in ("http", "https"):
        return text
    if parts.scheme != "https" or is_private(parts.hostname):
        raise InvalidInputError(field, _EXPECTED)
    return text


def is_loopback(parts: SplitResult) -> bool:
    """Whether a URL names this machine."""
    host = parts.hostname or ""
    return host == "localhost" or (_address(host) or _NOWHERE).is_loopback


def is_private(host: str) -> bool:
    """Whether a host is an address, or a name, that is not on the public Internet."""
    address = _address(host)
    if address is not None:
        return not address.is_global or address.is_multicast or _leads_elsewhere(address)
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith((".localhost", ".local", ".internal"))


# IPv6 addresses that stand for IPv4 ones, which may be private: 6to4, Teredo, NAT64 and the old
# compatible form; and site-local ones, which Python 3.11 takes for global.
_ELSEWHERE = tuple(
    map(ipaddress.IPv6Network, ("2002::/16", "2001::/32", "64:ff9b::/96", "::/96", "fec0::/10"))
)
_NOWHERE = ipaddress.ip_address("0.0.0.0")  # noqa: S104  (an address that is no loopback)


def _leads_elsewhere(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _ELSEWHERE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
