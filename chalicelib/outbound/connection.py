"""The standard library's HTTP, over a line of ours: it connects nothing itself, all is counted."""

import io
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from chalicelib.domain.urls import HTTPS_PORT
from chalicelib.outbound.line import Line


class Connection(HTTPConnection):
    """HTTP with the target of `line`, over TLS if that is secure."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.target.host, line.target.port)
        self._line = line
        self.response_class = partial(_Answer, line)  # type: ignore[assignment]
        if line.target.secure:
            self.default_port = HTTPS_PORT

    def connect(self) -> None:
        """Open the line. Raises NotSentError."""
        self.sock = self._line.open()


class _Answer(HTTPResponse):
    """An answer whose every byte is counted, those of headers and interim answers too."""

    def __init__(self, line: Line, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), line))


class _Counted(io.RawIOBase):
    def __init__(self, source: Any, line: Line) -> None:
        self._source = source
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._source.readinto(buffer))
        self._line.took(count)
        return count

    def close(self) -> None:
        self._source.close()
        super().close()
