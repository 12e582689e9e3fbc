"""What a process tells of its work: lines of a log, metrics, and the ids that join them.

Said are ids of ours, templates of routes, names and numbers; never a path, a query, a body, a key,
a phone number, a text or a code. What is bound is in every line and metric until the block ends.
Sources: docs/operating.md, and for the metrics
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TextIO, TypedDict, TypeVar, Unpack

from chalicelib.domain.keys import masked

P = ParamSpec("P")
T = TypeVar("T")

METRICS: Mapping[str, str] = {
    "RentalsOpened": "Count",
    "Refunds": "Count",
    "SmsReceived": "Count",
    "CodesFound": "Count",
    "DeliveriesSucceeded": "Count",
    "DeliveriesFailed": "Count",
    "DeliveriesGivenUp": "Count",
    "DeliveriesSkipped": "Count",
    "DeliveryMillis": "Milliseconds",
    "SmsToWebhookSeconds": "Seconds",
    "CodesSent": "Count",
    "CodesFailed": "Count",
    "CodesChecked": "Count",
    "FraudDecisions": "Count",
    "ExpiryLagSeconds": "Seconds",
    "StuckSagas": "Count",
}
"""Every metric and its unit. Those that alarms and the dashboard name are in infra/alarms.py."""

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_OURS = "chalicelib"
_CHATTY = ("botocore", "pynamodb", "urllib3")
_URL = re.compile(r"https?://[^\s'\"<>]+")
_PHONE = re.compile(r"\+[0-9]{7,15}")


class Ids(TypedDict, total=False):
    """What may be bound. None is as if it were not given."""

    request_id: str | None
    correlation_id: str | None
    route: str | None
    function: str | None
    user_id: str | None
    rental_id: str | None
    ticket_number: str | None
    event_id: str | None
    delivery_id: str | None


_NOTHING: Mapping[str, str] = MappingProxyType({})
_ids: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NOTHING)
"""What is bound, _NOTHING itself outside all blocks."""

_metrics = logging.getLogger("sesame.metrics")
_namespace: str | None = None


@contextmanager
def bound(**ids: Unpack[Ids]) -> Iterator[None]:
    """Bind ids for a block, or as a decorator for a call; what is bound in it ends with it."""
    token = _ids.set(_with(ids))
    try:
        yield
    finally:
        _ids.reset(token)


def bind(**ids: Unpack[Ids]) -> None:
    """Bind ids that have become known, until the block around ends; nothing outside of blocks."""
    if _ids.get() is not _NOTHING:
        _ids.set(_with(ids))


def correlate(fallback: str, **ids: Unpack[Ids]) -> None:
    """Bind ids as `bind` does, and `fallback` as the correlation id unless one is bound."""
    bind(**ids)
    if "correlation_id" not in _ids.get():
        bind(correlation_id=fallback)


def passed_on(own: Literal["event_id", "ticket_number"]) -> str | None:
    """The correlation id that a message is to carry, if one is bound.

    None too if it is the id that is bound as `own`: that is what the message's reader correlates
    by if it carries none.
    """
    ids = _ids.get()
    known = ids.get("correlation_id")
    return known if known != ids.get(own) else None


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """`work` with the ids that are bound now, to be called once, in another thread."""
    return partial(copy_context().run, work)


def fields(**said: object) -> dict[str, Any]:
    """The argument `extra` of a log line that has fields of its own in JSON."""
    return {"fields": said}


def count(name: str, value: float = 1, **dimensions: str) -> None:
    """Measure one of METRICS: as a whole, and by its dimensions if it has any.

    It is a line in CloudWatch's embedded metric format, and nothing unless lines are JSON.
    """
    if _namespace is None:
        return
    wholly_and_by: list[list[str]] = [[], [*dimensions]] if dimensions else [[]]
    about = {
        "Namespace": _namespace,
        "Dimensions": wholly_and_by,
        "Metrics": [{"Name": name, "Unit": METRICS[name]}],
    }
    metadata = {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [about]}
    line = {"_aws": metadata, **_ids.get(), **dimensions, name: value}
    _metrics.info("%s", json.dumps(line))


class JsonFormatter(logging.Formatter):
    """One line of JSON for each record, without keys, URLs and phone numbers wherever it is from.

    The ids are those of the thread that logs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC)
        said: dict[str, object] = {
            "level": record.levelname,
            "logger": record.name,
            "message": _hidden(record.getMessage()),
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **_ids.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            said["exception"] = _hidden(self.formatException(record.exc_info))
        return json.dumps(said, default=str)


class TextFormatter(logging.Formatter):
    """Lines to be read by people: times, levels, and tracebacks as they are, without keys."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """The record as it is printed."""
        return masked(super().format(record))


def write_json(namespace: str, stream: TextIO | None = None) -> None:
    """Log lines of JSON from here on, and metrics in `namespace`, to stdout if not told.

    The handler that Lambda's runtime has put in place is replaced: it would write lines without
    an end.
    """
    global _namespace
    _handle_by(JsonFormatter(), stream or sys.stdout, level="WARNING")
    plain = logging.StreamHandler(stream or sys.stdout)
    _metrics.handlers, _metrics.propagate = [plain], False
    _metrics.setLevel("INFO")
    _namespace = namespace


def write_text() -> None:
    """Log readable lines to stderr from here on, and no metrics."""
    global _namespace
    _handle_by(TextFormatter(), sys.stderr, level="INFO")
    _namespace = None


def _handle_by(formatter: logging.Formatter, stream: TextIO, *, level: str) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger(_OURS).setLevel("INFO")
    for library in _CHATTY:
        logging.getLogger(library).setLevel("WARNING")


def _with(ids: Ids) -> Mapping[str, str]:
    given = {name: str(value) for name, value in ids.items() if value is not None}
    return {**_ids.get(), **given}


def _hidden(text: str) -> str:
    return _PHONE.sub("+…", _URL.sub("https://…", masked(text)))
