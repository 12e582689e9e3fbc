"""The one connection of an exchange: opened to a checked address, cut from outside at the deadline.

A timeout on a socket is over one read: a server that sends a byte a second never meets it. So a
connection can be cut by another thread than the one that waits for it.
"""

import contextlib
import ipaddress
import socket
import time
from threading import Lock

from chalicelib.domain.urls import is_private
from chalicelib.outbound.answers import (
    Fetched,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
    Resolve,
)

CONNECT_SECONDS = 3


class Line:
    """A connection that is not there yet, is open, or was cut.

    `local` says that it may lead to this machine, and nowhere else.
    """

    def __init__(self, *, local: bool, resolve: Resolve, deadline_seconds: float) -> None:
        self._local = local
        self._resolve = resolve
        self._seconds = deadline_seconds
        self._ends = time.monotonic() + deadline_seconds
        self._lock = Lock()
        self._is_cut = False
        self._may_have_sent = False
        self._head: Fetched | None = None
        self._handle: socket.socket | None = None

    def open(self, host: str, port: int, *, tls: bool) -> socket.socket:
        """A socket connected to `host`. Raises NotSentError.

        The host is resolved once, and the address that was checked is the one connected to.
        """
        try:
            found = self._resolve(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotSentError("connection_failed") from None
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not (tls or self._local) or not all(map(self._may_reach, addresses)):
            raise NotSentError("address_not_allowed")
        opened = self._connect(addresses, port)
        with self._lock:
            if self._is_cut:
                opened.close()
                raise NotSentError("timeout")
            # TLS takes the socket over; a second handle on the connection stays ours to cut.
            self._handle = opened.dup()
        return opened

    def is_open(self) -> None:
        """Note that the request may leave from here on. Raises NotSentError if cut before."""
        with self._lock:
            if self._is_cut:
                raise NotSentError("timeout")
            self._may_have_sent = True

    def has_answered(self, head: Fetched) -> None:
        """Note the status and headers that came."""
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

    def _connect(self, addresses: list[str], port: int) -> socket.socket:
        reason = "connection_failed"
        for address in addresses:
            try:
                timeout = min(CONNECT_SECONDS, self._left())
                opened = socket.create_connection((address, port), timeout)
            except TimeoutError:
                reason = "timeout"
            except OSError:
                reason = "connection_failed"
            else:
                opened.settimeout(self._seconds)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
        raise NotSentError(reason)

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NotSentError("timeout")
        return left

    def _may_reach(self, address: str) -> bool:
        if self._local:
            return ipaddress.ip_address(address).is_loopback
        return not is_private(address)

    def _failure(self, reason: str) -> OutboundError:
        if self._may_have_sent:
            return OutcomeUnknownError(reason, self._head)
        return NotSentError(reason)
