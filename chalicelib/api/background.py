"""The edge of queues and schedules: whose run a line is of, and what a failure tells."""

import logging
from collections.abc import Callable
from typing import Any

from chalicelib import telemetry

log = logging.getLogger(__name__)


class HandlerFailedError(Exception):
    """A handler failed by the error of this name; our log says why."""


def told(event: Any, handle: Callable[[Any], Any]) -> Any:
    """What `handle` makes of a queue's or a schedule's event, its lines bound to the run.

    Raises HandlerFailedError, so that Lambda tries again: the runtime prints what is raised as it
    is, and an accident's own words may hold a key.
    """
    run = event.context
    request_id, function = getattr(run, "aws_request_id", None), getattr(run, "function_name", None)
    with telemetry.bound(request_id=request_id, function=function):
        try:
            return handle(event)
        except Exception as error:
            log.exception("the handler failed")
            raise HandlerFailedError(type(error).__name__) from None
