"""Who may post for a provider that signs nothing.

Nothing that such a provider sends proves that a body is its own. What is left is who posts: a
password (HTTP Basic, RFC 7617), an address, or a URL that nobody else knows. So a captured post
can be changed and sent again; only TLS, and the message's id, stand against that.
"""

import base64
import hmac
import ipaddress
import re
from collections.abc import Collection, Iterable

from chalicelib.providers.contract import InboundPost
from chalicelib.settings import ProviderAccount

_UNGUESSABLE = re.compile(r"[A-Za-z0-9_-]{22,}")
"""22 random ones of these 64 characters are 132 bits."""


def may_post(post: InboundPost, account: ProviderAccount) -> bool:
    """Whether `post` may speak for `account`. Never raises.

    An account with secrets (`user:password`) asks for one of them. One without asks for an
    address on its allow list, and one without that list too for a name, which its URL ends in, of
    at least 22 characters. An allow list holds in any case.
    """
    if not is_allowed(post.source_ip, account.allow_ips):
        return False
    if account.secrets:
        return _knows_a_password(post.headers.get("authorization", ""), account.secrets)
    return bool(account.allow_ips) or _UNGUESSABLE.fullmatch(account.name) is not None


def _knows_a_password(header: str, secrets: Iterable[str]) -> bool:
    scheme, _, credentials = header.partition(" ")
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given = credentials.encode("utf-8", "replace")
    good = False
    for secret in filter(_is_password, secrets):
        expected = base64.b64encode(secret.encode("utf-8", "surrogatepass"))
        good |= hmac.compare_digest(expected, given)
    return good and scheme.lower() == "basic"


def _is_password(secret: str) -> bool:
    """Whether `secret` names a user and has a password: an empty one, everybody knows."""
    _, _, password = secret.partition(":")
    return password != ""


def is_allowed(address: str, networks: Collection[str]) -> bool:
    """Whether `address` lies in one of `networks`; any does if there are none."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(network) for network in networks)
