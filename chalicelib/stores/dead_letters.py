"""Dead-letter queues: what their queues gave up on, counted and moved back."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.stores.queues import MOST_BATCH, client

_HIDDEN_SECONDS = 60
_VISIBLE = "ApproximateNumberOfMessages"
_IN_HAND = "ApproximateNumberOfMessagesNotVisible"


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds, in hands or not, and how many it gave up on."""

    waiting: int
    in_hand: int
    dead: int


def depth(queue_url: str) -> Depth:
    """How deep a queue and its dead-letter queue are, about: SQS counts no better."""
    attributes = _attributes(queue_url)
    dead = _attributes(_dead_letters_of(attributes))
    return Depth(_visible(attributes), int(attributes[_IN_HAND]), _visible(dead))


def redrive(queue_url: str, most: int) -> int:
    """Move messages from the dead-letter queue back, at most `most` and no more than are there now.

    How many. Each is sent before it is deleted: if this dies in between, it comes twice, which
    changes nothing. What fails again while this runs is not moved again.
    """
    dead_url = _dead_letters_of(_attributes(queue_url))
    left, moved = min(most, _visible(_attributes(dead_url))), 0
    while left > 0:
        messages = (
            client()
            .receive_message(
                QueueUrl=dead_url,
                MaxNumberOfMessages=min(MOST_BATCH, left),
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                AttributeNames=["MessageGroupId"],
            )
            .get("Messages", [])
        )
        if not messages:
            break
        moved += _move(messages, dead_url, queue_url)
        left -= len(messages)
    return moved


def _move(messages: list[dict[str, Any]], dead_url: str, queue_url: str) -> int:
    sent = client().send_message_batch(
        QueueUrl=queue_url, Entries=[_entry(at, message) for at, message in enumerate(messages)]
    )
    taken = [messages[int(each["Id"])] for each in sent.get("Successful", [])]
    if taken:
        client().delete_message_batch(
            QueueUrl=dead_url,
            Entries=[
                {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]}
                for at, message in enumerate(taken)
            ],
        )
    return len(taken)


def _entry(at: int, message: dict[str, Any]) -> dict[str, str]:
    group = message.get("Attributes", {}).get("MessageGroupId")
    whose = {"MessageGroupId": group} if group else {}
    return {"Id": str(at), "MessageBody": message["Body"], **whose}


def _attributes(queue_url: str) -> dict[str, str]:
    answer = client().get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    return dict(answer["Attributes"])


def _dead_letters_of(attributes: dict[str, str]) -> str:
    arn = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
    return str(client().get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def _visible(attributes: dict[str, str]) -> int:
    return int(attributes[_VISIBLE])
