"""Whether a stack works, looked at from outside: its tables, its queues, its address."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.outbound import Fetch, OutboundError
from chalicelib.settings import Settings
from chalicelib.stores import health

PATIENCE_SECONDS = 20.0
"""For /health, with a Lambda that has to start."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it, if anything is."""

    part: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Checkup:
    """Looks at one stack. That there are settings means that its secrets could be read."""

    settings: Settings
    fetch: Fetch

    def findings(self) -> Iterator[Finding]:
        """Each part of the stack, one after the other."""
        yield Finding("settings and secrets", None)
        for name, table in sorted(self.settings.tables.items()):
            yield Finding(f"table {name}", health.table_problem(table))
        for name, url in self._queues().items():
            yield Finding(f"queue {name}", health.queue_problem(url))
        yield Finding(f"{self.settings.public_url}/health", self._address_problem())

    def _queues(self) -> dict[str, str]:
        names = [name for name in self.settings.__slots__ if name.endswith("_queue")]
        return {name.removesuffix("_queue"): getattr(self.settings, name) for name in sorted(names)}

    def _address_problem(self) -> str | None:
        url = f"{self.settings.public_url}/health"
        try:
            answer = self.fetch("GET", url, deadline_seconds=PATIENCE_SECONDS)
        except OutboundError as error:
            return error.reason
        return None if answer.status == 200 else f"answered {answer.status}"
