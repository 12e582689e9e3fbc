"""The body of an answer, as it comes."""

import zlib

_PACKED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 47
"""Bits of the window, and 32 to have zlib tell the two headers apart."""


class TooLargeError(Exception):
    """The body is longer than it may be."""


class Body:
    """Bytes taken up to `most_bytes`, unpacked where `encoding` says how. A bomb never unfolds."""

    def __init__(self, encoding: str, most_bytes: int) -> None:
        self._taken = bytearray()
        self._most = most_bytes
        packed = encoding.strip().lower() in _PACKED
        self._unpack = zlib.decompressobj(_GZIP_OR_ZLIB) if packed else None

    def add(self, data: bytes) -> None:
        """Take `data`. Raises TooLargeError, and zlib.error if it can't be unpacked."""
        room = self._most - len(self._taken) + 1
        self._taken += self._unpack.decompress(data, room) if self._unpack else data[:room]
        if len(self._taken) > self._most:
            raise TooLargeError

    def first(self, count: int) -> bytes:
        """The first bytes of what was taken."""
        return bytes(self._taken[:count])

    def whole(self) -> bytes:
        """All of it. Raises zlib.error if it was packed and the end is missing."""
        if self._unpack and self._taken and not self._unpack.eof:
            raise zlib.error("cut short")
        return bytes(self._taken)
