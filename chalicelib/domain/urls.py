"""URLs of other servers: which ones we are willing to call."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.domain.addresses import address_of, is_loopback, is_public
from chalicelib.errors import InvalidInputError

HTTPS_PORT = 443
WEBHOOK_PORTS = (HTTPS_PORT,)

_MOST = 2_000
_MOST_HOST = 253
_EXPECTED = "an https:// URL of a public host (in ASCII), without user name or password"

# Written strictly rather than taken apart: what fits has one meaning to every parser. A name's
# last label begins with a letter, as none of an IPv4 address does in any spelling (127.1, 0x7f.1).
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}\.?")
_NETLOC = re.compile(
    r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<host>[a-z0-9._-]{1,254}))(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,  # or the Kelvin sign would be a k
)
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".localdomain")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: a name or address, in lower case and without brackets, and a port."""

    host: str
    port: int
    secure: bool

    def is_local(self) -> bool:
        """Whether it is named as this machine. Where any other name leads, a resolver knows."""
        return self.host == "localhost" or is_loopback(self.host)


def target_of(
    url: str, *, allow_loopback: bool, allowed_ports: Collection[int] | None = None
) -> Target:
    """Where `url` leads, if we may call it. Raises ValueError if not.

    Only `https://`, by one of `allowed_ports` (None: by any); with `allow_loopback` also `http://`
    and `https://` to this machine by any port. Where a name leads is checked when it is called.
    """
    # A URL parser drops tabs and line ends; some take a backslash for a slash.
    if len(url) > _MOST or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("strange characters")
    parts = urlsplit(url)
    found = _NETLOC.fullmatch(parts.netloc)
    if found is None or parts.scheme not in ("http", "https"):
        raise ValueError("no host, or no HTTP")
    secure = parts.scheme == "https"
    port = int(found["port"] or (HTTPS_PORT if secure else 80))
    target = Target((found["v6"] or found["host"]).lower(), port, secure)
    if not 0 < port < 65_536:
        raise ValueError("no such port")
    if allow_loopback and target.is_local():
        return target
    if not secure or not _may_be_public(target.host):
        raise ValueError("not public")
    if allowed_ports is not None and port not in allowed_ports:
        raise ValueError("another port")
    return target


def checked_webhook_url(
    text: str,
    *,
    allow_loopback: bool,
    allowed_ports: Collection[int] = WEBHOOK_PORTS,
    field: str = "url",
) -> str:
    """`text` if webhooks may go there: see `target_of`. Raises InvalidInputError naming `field`."""
    ports = " or ".join(map(str, sorted(allowed_ports)))
    return _checked(text, allow_loopback, allowed_ports, field, f"{_EXPECTED}, on port {ports}")


def checked_server_url(text: str, *, allow_loopback: bool, field: str = "url") -> str:
    """`text` if it may be a server that we call by our configuration: any port will do.

    Raises InvalidInputError naming `field`.
    """
    return _checked(text, allow_loopback, None, field, _EXPECTED)


def _checked(
    text: str, allow_loopback: bool, ports: Collection[int] | None, field: str, expected: str
) -> str:
    text = text.strip()
    try:
        target_of(text, allow_loopback=allow_loopback, allowed_ports=ports)
    except ValueError:
        raise InvalidInputError(field, expected) from None
    return text


def _may_be_public(host: str) -> bool:
    if address_of(host) is not None:
        return is_public(host)
    if len(host.rstrip(".")) > _MOST_HOST or not _NAME.fullmatch(host):
        return False
    return not host.rstrip(".").endswith(_PRIVATE_NAMES)
