"""SQS: telling a queue's Lambda what to look at. Messages carry ids, never contents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.outbound.aws_clients import SharedClient

MOST_DELAY_SECONDS = 900
MOST_BATCH = 10


class QueueError(Exception):
    """The queue could not be told. What it was to be told of is in a table, and is swept."""


def send(queue_url: str, message: Mapping[str, object], *, delay_seconds: int = 0) -> None:
    """Put one message on a queue, hidden for `delay_seconds` (at most 900). Raises QueueError."""
    try:
        client().send_message(
            QueueUrl=queue_url, MessageBody=json.dumps(message), DelaySeconds=delay_seconds
        )
    except (BotoCoreError, ClientError) as error:
        raise QueueError(type(error).__name__) from error


def send_all(queue_url: str, messages: Sequence[tuple[Mapping[str, object], int]]) -> Sequence[int]:
    """Put up to ten messages on a queue, each with its delay; the positions that were taken.

    Raises QueueError when none was.
    """
    entries = [
        {"Id": str(at), "MessageBody": json.dumps(message), "DelaySeconds": delay}
        for at, (message, delay) in enumerate(messages)
    ]
    try:
        answer = client().send_message_batch(QueueUrl=queue_url, Entries=entries)
    except (BotoCoreError, ClientError) as error:
        raise QueueError(type(error).__name__) from error
    return [int(taken["Id"]) for taken in answer.get("Successful", [])]


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
