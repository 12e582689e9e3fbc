"""The process's AWS clients: one a service, made when first asked for.

Each has a session of its own: a session keeps the environment that it was made in.
"""

import threading
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config

_lock = threading.Lock()
_made: dict[tuple[str, str], "SharedClient"] = {}


def client(service: str, region: str) -> Any:
    """The process's client of a service in a region: one attempt, as who asks has others to ask."""
    made = _made.get((service, region))
    if made is None:
        config = Config(
            connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 1}
        )
        made = _made.setdefault((service, region), SharedClient(service, config, region=region))
    return made.get()


class SharedClient:
    """One service's client, for all threads. `prepare` is called with it when it is made."""

    def __init__(
        self,
        service: str,
        config: Config,
        prepare: Callable[[Any], object] = lambda _: None,
        *,
        region: str | None = None,
    ) -> None:
        self._service = service
        self._config = config
        self._prepare = prepare
        self._region = region
        self._client: Any = None

    def get(self) -> Any:
        """The client, by the environment as it was when it was first asked for."""
        if self._client is None:
            with _lock:
                if self._client is None:
                    self._client = self._made()
        return self._client

    def forget(self) -> None:
        """Drop the client, so that the next call connects by the environment as it then is."""
        with _lock:
            self._client = None

    def _made(self) -> Any:
        made = botocore.session.get_session().create_client(
            self._service, region_name=self._region, config=self._config
        )
        self._prepare(made)
        return made
