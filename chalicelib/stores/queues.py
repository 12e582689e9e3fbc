"""SQS: telling a queue's Lambda what to look at. Messages carry ids, never contents."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.outbound.aws_clients import SharedClient

T = TypeVar("T")

MOST_DELAY_SECONDS = 900
MOST_BATCH = 10


class QueueError(Exception):
    """The queue could not be told. What it was to be told of is in a table, and is swept."""


def send(
    queue_url: str,
    message: Mapping[str, object],
    *,
    delay_seconds: int = 0,
    group: str | None = None,
) -> None:
    """Put one message on a queue, hidden for `delay_seconds` (at most 900). Raises QueueError.

    `group` is whose it is: a standard queue serves groups fairly, one with a backlog last
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
    """
    try:
        client().send_message(
            QueueUrl=queue_url,
            MessageBody=json.dumps(message),
            DelaySeconds=delay_seconds,
            **_grouped(group),
        )
    except (BotoCoreError, ClientError) as error:
        raise QueueError(type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class Message:
    """What a queue is to be told, hidden for `delay_seconds`; `group` is whose it is."""

    body: Mapping[str, object]
    delay_seconds: int = 0
    group: str | None = None


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items` in the portions that `send_all` takes."""
    for at in range(0, len(items), MOST_BATCH):
        yield items[at : at + MOST_BATCH]


def send_all(queue_url: str, messages: Sequence[Message]) -> Sequence[int]:
    """Put up to ten messages on a queue; the positions of those that were taken.

    Raises QueueError when none was.
    """
    entries = [
        {
            "Id": str(at),
            "MessageBody": json.dumps(message.body),
            "DelaySeconds": message.delay_seconds,
            **_grouped(message.group),
        }
        for at, message in enumerate(messages)
    ]
    try:
        answer = client().send_message_batch(QueueUrl=queue_url, Entries=entries)
    except (BotoCoreError, ClientError) as error:
        raise QueueError(type(error).__name__) from error
    return [int(taken["Id"]) for taken in answer.get("Successful", [])]


def _grouped(group: str | None) -> dict[str, str]:
    return {"MessageGroupId": group} if group is not None else {}


def client() -> Any:
    """The process's one client, connected when first asked for."""
    return _shared.get()


def forget_client() -> None:
    """Drop the client, so that the next call connects by the environment as it then is."""
    _shared.forget()


_shared = SharedClient(
    "sqs",
    Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=16,
    ),
)
