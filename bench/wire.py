"""What goes over the wire to DynamoDB: requests, round trips in sequence, refusals."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.stores import connection

CONFLICTS = {"TransactionConflictException", "TransactionInProgressException"}


@dataclass
class Wire:
    """The requests sent since it was made, each with its begin and its end."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    conflicts: int = 0

    def trips(self) -> int:
        """Round trips in sequence: requests that are under way together count once."""
        count, ends = 0, 0.0
        for begin, end in sorted(self.spans):
            if begin >= ends:
                count, ends = count + 1, end
            else:
                ends = min(ends, end)
        return count

    def begin(self, context: dict[str, Any], **_: Any) -> None:
        """Called by botocore before a request."""
        context["bench_begin"] = time.perf_counter()

    def end(self, context: dict[str, Any], model: Any, parsed: dict[str, Any], **_: Any) -> None:
        """Called by botocore after its answer."""
        self.spans.append((context["bench_begin"], time.perf_counter()))
        self.operations[model.name] += 1
        reasons = {reason.get("Code") for reason in parsed.get("CancellationReasons", [])}
        code = parsed.get("Error", {}).get("Code")
        self.refused += "ConditionalCheckFailed" in reasons
        self.conflicts += "TransactionConflict" in reasons or code in CONFLICTS


@contextmanager
def watched() -> Iterator[Wire]:
    """Watch the process's DynamoDB client."""
    wire = Wire()
    events = connection.client().meta.events
    events.register("before-call.dynamodb", wire.begin)
    events.register("after-call.dynamodb", wire.end)
    try:
        yield wire
    finally:
        events.unregister("before-call.dynamodb", wire.begin)
        events.unregister("after-call.dynamodb", wire.end)
