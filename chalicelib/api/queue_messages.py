"""Messages of our own queues: read, handed to a service, and answered by what is to come again."""

import json
import logging
from collections.abc import Iterable
from typing import Any

from chalicelib import telemetry
from chalicelib.bootstrap import platform
from chalicelib.domain.deliveries import Lane
from chalicelib.domain.ids import DeliveryId, RentalId, UserId
from chalicelib.domain.times import Millis
from chalicelib.errors import BusyError

log = logging.getLogger(__name__)


def deliver_webhooks(event: Any) -> dict[str, Any]:
    """Attempt the deliveries of a batch; those that could not be written down come again."""
    return _deliver(event, Lane.FAST)


def deliver_slow_webhooks(event: Any) -> dict[str, Any]:
    """The same for endpoints that keep us waiting."""
    return _deliver(event, Lane.SLOW)


def _deliver(event: Any, lane: Lane) -> dict[str, Any]:
    wanted: dict[str, tuple[DeliveryId, UserId]] = {}
    correlations: dict[DeliveryId, str] = {}
    unreadable = []
    for message_id, body in _messages(event):
        try:
            delivery_id = DeliveryId(body["delivery_id"])
            wanted[message_id] = delivery_id, UserId(body["user_id"])
            if known := body.get("correlation_id"):
                correlations[delivery_id] = known
        except (KeyError, TypeError):
            # It goes to the dead-letter queue alone, not with the batch that it came in.
            log.error("message %s of the %s webhooks queue is unreadable", message_id, lane)
            unreadable.append(message_id)
    failed = set(platform().webhooks.deliver_all(list(wanted.values()), lane, correlations))
    return _failures(
        [*unreadable, *(message_id for message_id, ids in wanted.items() if ids[0] in failed)]
    )


def poll_suppliers(event: Any) -> dict[str, Any]:
    """Ask suppliers for the SMS of bought numbers."""
    failed = []
    for message_id, body in _messages(event):
        try:
            poll_at = Millis(int(body["poll_at"]))
            rental_id = RentalId(body["rental_id"])
            with telemetry.bound(rental_id=rental_id, correlation_id=rental_id):
                platform().polls.poll(rental_id, int(body["polls"]), poll_at)
        except (BusyError, AttributeError, KeyError, TypeError):
            log.exception("message %s of the polls queue", message_id)
            failed.append(message_id)
    return _failures(failed)


def send_otp(event: Any) -> dict[str, Any]:
    """Do what is due of tickets."""
    failed = []
    for message_id, body in _messages(event):
        try:
            with telemetry.bound(correlation_id=body.get("correlation_id")):
                platform().otp_sending.advance(str(body["token"]))
        except (BusyError, AttributeError, KeyError, TypeError):
            log.exception("message %s of the otp queue", message_id)
            failed.append(message_id)
    return _failures(failed)


def run_sweep_page(event: Any) -> dict[str, Any]:
    """Close the rentals of a page."""
    for _, body in _messages(event):
        platform().jobs.expire_page([RentalId(rental_id) for rental_id in body["expire"]])
    return _failures([])


def _messages(event: Any) -> Iterable[tuple[str, Any]]:
    for record in event:
        try:
            yield record.to_dict()["messageId"], json.loads(record.body)
        except ValueError:
            yield record.to_dict()["messageId"], None


def _failures(message_ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in message_ids]}
