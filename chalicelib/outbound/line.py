"""The one connection of an exchange: opened to a checked address, cut from outside at the deadline.

A timeout on a socket is over one read: a server that sends a byte a second never meets it. So a
connection can be cut by another thread than the one that waits for it.
"""

import contextlib
import socket
import ssl
import time
from threading import Lock

from chalicelib.domain.addresses import is_loopback, is_public
from chalicelib.domain.urls import Target
from chalicelib.outbound.answers import (
    Fetched,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
    Resolve,
    Trust,
)

CONNECT_SECONDS = 3
MOST_ADDRESSES = 4
"""How many of a host's addresses are tried: a name may have a thousand, to knock at for others."""


class Line:
    """A connection to `target` that is not there yet, is open, or was cut.

    A target named as this machine may lead there and nowhere else, any other to public addresses
    alone. At most `most_bytes` are taken from it, whatever they are.
    """

    def __init__(
        self,
        target: Target,
        *,
        resolve: Resolve,
        trust: Trust,
        deadline_seconds: float,
        most_bytes: int,
    ) -> None:
        self.target = target
        self._resolve = resolve
        self._trust = trust
        self._seconds = deadline_seconds
        self._ends = time.monotonic() + deadline_seconds
        self._bytes_left = most_bytes
        self._lock = Lock()
        self._is_cut = False
        self._may_have_sent = False
        self._head: Fetched | None = None
        self._handle: socket.socket | None = None

    def open(self) -> socket.socket:
        """A socket connected to the target, by which the request may leave. Raises NotSentError.

        The host is resolved once, and the address that was checked is the one connected to.
        """
        opened = self._connect(self._addresses())
        with self._lock:
            if self._is_cut:
                opened.close()
                raise NotSentError("timeout")
            # TLS takes the socket over; a second handle on the connection stays ours to cut.
            self._handle = opened.dup()
        if self.target.secure:
            opened = self._secured(opened)
        with self._lock:
            if self._is_cut:
                opened.close()
                raise NotSentError("timeout")
            self._may_have_sent = True
        return opened

    def took(self, count: int) -> None:
        """Note bytes that came. Raises OutboundError if these are too many."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise self.failure("too_large")

    def has_answered(self, head: Fetched) -> None:
        """Note the status and headers that came, and how the body begins."""
        with self._lock:
            self._head = head

    def cut(self) -> OutboundError:
        """Break the connection off, from any thread; what that means for the exchange."""
        with self._lock:
            self._is_cut = True
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)
            return self._failure("timeout")

    def failure(self, reason: str) -> OutboundError:
        """What a failure of the exchange at this point means."""
        with self._lock:
            return self._failure(reason)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _addresses(self) -> list[str]:
        host, port = self.target.host, self.target.port
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotSentError("connection_failed") from None
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        may_reach = is_loopback if self.target.is_local() else is_public
        if not all(map(may_reach, addresses)):
            raise NotSentError("address_not_allowed")
        return addresses[:MOST_ADDRESSES]

    def _connect(self, addresses: list[str]) -> socket.socket:
        reason = "connection_failed"
        for address in addresses:
            try:
                timeout = min(CONNECT_SECONDS, self._left())
                opened = socket.create_connection((address, self.target.port), timeout)
            except TimeoutError:
                reason = "timeout"
            except OSError:
                reason = "connection_failed"
            else:
                opened.settimeout(self._seconds)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
        raise NotSentError(reason)

    def _secured(self, opened: socket.socket) -> socket.socket:
        try:
            name = self.target.host.rstrip(".")
            return self._trust().wrap_socket(opened, server_hostname=name)
        except ssl.SSLError:
            reason = "tls_failed"
        except TimeoutError:
            reason = "timeout"
        except OSError:
            reason = "connection_failed"
        opened.close()
        raise NotSentError(reason)

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NotSentError("timeout")
        return left

    def _failure(self, reason: str) -> OutboundError:
        if self._may_have_sent:
            return OutcomeUnknownError(reason, self._head)
        return NotSentError(reason)
