"""`manage.py queues`: depths, and what failed five times moved back."""

import json
from typing import Any

import pytest

from chalicelib.stores import dead_letters, queues
from tests.conftest import Stack
from tests.test_manage import run, tell

BODY = {"delivery_id": "01HF7YAT00KN72RTCCVJF755NM", "user_id": "01HF7YAT00KN72RTCCVJF755NN"}


def dead_url(queue_url: str) -> str:
    return dead_letters._dead_letters_of(dead_letters._attributes(queue_url))


def put(queue_url: str, count: int) -> None:
    for at in range(count):
        queues.send(queue_url, {**BODY, "at": at}, group="somebody")


def taken(queue_url: str) -> list[dict[str, Any]]:
    answer = queues.client().receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_every_queue_is_listed_with_what_it_gave_up_on(stack: Stack) -> None:
    settings = stack.platform.settings
    put(settings.webhooks_queue, 2)
    put(dead_url(settings.webhooks_slow_queue), 3)
    listed = {each.pop("queue"): each for each in tell("queues")["queues"]}
    assert set(listed) == {"webhooks", "webhooks_slow", "sweeps", "polls", "otp"}
    assert listed["webhooks"] == {"waiting": 2, "in_hand": 0, "dead": 0}
    assert listed["webhooks_slow"] == {"waiting": 0, "in_hand": 0, "dead": 3}
    assert "webhooks_slow" in run("queues").stdout


def test_what_a_queue_gave_up_on_is_moved_back(stack: Stack) -> None:
    url = stack.platform.settings.webhooks_queue
    put(dead_url(url), 12)
    told = tell("queues", "redrive", "webhooks")
    assert told == {"queue": "webhooks", "moved": 12, "dead": 0}
    assert dead_letters.depth(url).waiting == 12
    assert {**BODY, "at": 0} in taken(url)
    assert tell("queues", "redrive", "webhooks")["moved"] == 0


def test_no_more_is_moved_than_asked_for(stack: Stack) -> None:
    put(dead_url(stack.platform.settings.otp_queue), 5)
    assert tell("queues", "redrive", "otp", "--most", 3) == {"queue": "otp", "moved": 3, "dead": 2}


def test_an_unknown_queue_is_named(stack: Stack) -> None:
    answer = run("--json", "queues", "redrive", "letters")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["code"] == "invalid_parameter"


def test_a_message_that_was_sent_back_but_not_deleted_comes_twice_and_is_not_lost(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = stack.platform.settings.webhooks_queue
    put(dead_url(url), 1)
    client = queues.client()

    def dies(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, "delete_message_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            dead_letters.redrive(url, 10)
    assert len(taken(url)) == 1
    in_hand = dead_letters._attributes(dead_url(url))["ApproximateNumberOfMessagesNotVisible"]
    assert in_hand == "1"
