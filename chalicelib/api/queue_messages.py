"""Messages of our own queues: read, handed to a service, and answered by what is to come again."""

import json
from typing import Any

from chalicelib.bootstrap import platform
from chalicelib.domain.ids import DeliveryId, RentalId, UserId


def deliver_webhooks(event: Any) -> dict[str, Any]:
    """Attempt the deliveries of a batch; those that could not be written down come again."""
    messages = {record: json.loads(record.body) for record in event}
    wanted = [
        (DeliveryId(message["delivery_id"]), UserId(message["user_id"]))
        for message in messages.values()
    ]
    failed = set(platform().webhooks.deliver_all(wanted))
    return _failures(
        record for record, message in messages.items() if message["delivery_id"] in failed
    )


def run_sweep_page(event: Any) -> dict[str, Any]:
    """Close the rentals of a page."""
    for record in event:
        page = json.loads(record.body)
        platform().jobs.expire_page([RentalId(rental_id) for rental_id in page["expire"]])
    return _failures(())


def _failures(records: Any) -> dict[str, Any]:
    return {
        "batchItemFailures": [
            {"itemIdentifier": record.to_dict()["messageId"]} for record in records
        ]
    }
