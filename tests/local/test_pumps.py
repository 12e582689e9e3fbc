"""Queues reach their functions as SQS event source mappings bring them, on the real engine."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from chalice import Chalice
from chalice.app import SQSEvent
from chalice.config import Config

from local import pumps
from local.engine import Engine
from local.errors import LocalRunError
from local.pumps import Function, FunctionError, FunctionTimeoutError, Pump, failed_ids
from local.serve import sqs_client

SENT = frozenset({"a", "b", "c"})
REGION = "eu-west-1"
CONFIG = Config(
    chalice_stage="dev",
    config_from_disk={
        "lambda_timeout": 28,
        "stages": {"dev": {"lambda_functions": {"work": {"lambda_timeout": 60}}}},
    },
)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[Any]:
    client = sqs_client(engine.url, {"AWS_DEFAULT_REGION": REGION})
    yield client
    client.close()


def make_queue(client: Any, **attributes: str) -> str:
    name = f"queue-{uuid.uuid4().hex}"
    url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def arn(client: Any, url: str) -> str:
    names = ["QueueArn"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return str(answer["Attributes"]["QueueArn"])


def left(client: Any, url: str) -> int:
    """How many messages the queue still holds, hidden ones too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def send(client: Any, url: str, *bodies: str) -> None:
    for body in bodies:
        client.send_message(QueueUrl=url, MessageBody=body)


def pump(client: Any, url: str, handler: Callable[..., Any], timeout: float = 20) -> Pump:
    return Pump(Function("work", handler, timeout), url, 10, client, REGION, wait=0)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        {"batchItemFailures": []},
        {"batchItemFailures": None},
        {"other": 1},
    ],
)
def test_an_answer_without_failures_means_that_all_succeeded(answer: Any) -> None:
    assert failed_ids(answer, SENT) == frozenset()


def test_named_messages_failed_and_the_others_did_not() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": name} for name in ("a", "c", "a")]}
    assert failed_ids(answer, SENT) == {"a", "c"}


@pytest.mark.parametrize(
    "entry",
    [
        {"itemIdentifier": "unknown"},
        {"itemIdentifier": ""},
        {"itemIdentifier": None},
        {"itemIdentifier": 7},
        {"itemIdentifier": ["a"]},
        {"itemidentifier": "a"},
        {},
        "a",
        None,
    ],
)
def test_one_entry_that_names_no_message_fails_the_batch(entry: Any) -> None:
    assert failed_ids({"batchItemFailures": [{"itemIdentifier": "a"}, entry]}, SENT) == SENT


@pytest.mark.parametrize(
    "answer", ["ok", "", 0, 1, True, ["a"], {"batchItemFailures": "a"}, {"batchItemFailures": {}}]
)
def test_an_answer_of_another_shape_fails_the_batch(answer: Any) -> None:
    assert failed_ids(answer, SENT) == SENT


def test_the_event_is_the_one_that_lambda_gets(client: Any) -> None:
    url, events = make_queue(client), []
    client.send_message(
        QueueUrl=url,
        MessageBody="héllo",
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "v"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\xff"},
        },
    )

    def handler(event: Any, context: Any) -> None:
        events.append((event, context))

    assert pump(client, url, handler).poll() == 1
    [(event, context)] = events
    [record] = event["Records"]
    assert record["body"] == "héllo"
    assert record["md5OfBody"] == "be50e8478cf24ff3595bc7307fb91b50"
    assert record["messageId"]
    assert record["receiptHandle"]
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(
        record["attributes"]
    )
    assert record["messageAttributes"] == {
        "text": {
            "stringValue": "v",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        },
        "bytes": {
            "binaryValue": "/w==",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "Binary",
        },
    }
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == f"arn:aws:sqs:{REGION}:000000000000:{url.split('/')[-1]}"
    assert record["awsRegion"] == REGION
    assert context.function_name == "work"
    assert 0 < context.get_remaining_time_in_millis() <= 20_000


def test_a_done_batch_is_deleted(client: Any) -> None:
    url, seen = make_queue(client), []
    send(client, url, *"abc")
    worker = pump(client, url, lambda event, _: seen.extend(event["Records"]))
    while worker.poll():
        pass
    assert sorted(record["body"] for record in seen) == ["a", "b", "c"]
    assert left(client, url) == 0


def test_only_the_reported_failure_comes_again(client: Any) -> None:
    url, seen = make_queue(client, VisibilityTimeout="0"), []
    send(client, url, "good", "bad")

    def handler(event: Any, context: Any) -> Any:
        failures = []
        for record in event["Records"]:
            attempt = record["attributes"]["ApproximateReceiveCount"]
            seen.append((record["body"], attempt))
            if (record["body"], attempt) == ("bad", "1"):
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    worker = pump(client, url, handler)
    while worker.poll():
        pass
    assert sorted(seen) == [("bad", "1"), ("bad", "2"), ("good", "1")]
    assert left(client, url) == 0


def wrong_id(event: Any, context: Any) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": "unknown"}]}


def fails(event: Any, context: Any) -> Any:
    raise RuntimeError("no")


def exits(event: Any, context: Any) -> Any:
    raise SystemExit


def unsendable(event: Any, context: Any) -> Any:
    return {"batchItemFailures": [], "note": {"a set is no JSON"}}


@pytest.mark.parametrize("handler", [wrong_id, fails, exits, unsendable])
def test_a_failed_batch_stays_until_it_is_dead(
    client: Any, handler: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    dead = make_queue(client)
    policy = f'{{"deadLetterTargetArn": "{arn(client, dead)}", "maxReceiveCount": 2}}'
    url = make_queue(client, VisibilityTimeout="0", RedrivePolicy=policy)
    send(client, url, "secret body")
    worker = pump(client, url, handler)
    assert [worker.poll(), worker.poll(), worker.poll()] == [1, 1, 0]
    assert (left(client, url), left(client, dead)) == (0, 1)
    assert "secret body" not in caplog.text


def test_a_handler_past_its_timeout_fails_its_batch(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, release = make_queue(client, VisibilityTimeout="0"), threading.Event()
    send(client, url, "slow")
    calls: list[str] = []

    def handler(event: Any, context: Any) -> None:
        calls.append(event["Records"][0]["body"])
        if len(calls) == 1:
            release.wait(20)

    try:
        assert pump(client, url, handler, timeout=0.05).poll() == 1
        assert left(client, url) == 1
        assert "work timed out after 0.05 s; its 1 messages will come again" in caplog.text
        assert pump(client, url, handler).poll() == 1
    finally:
        release.set()
    assert calls == ["slow", "slow"]
    assert left(client, url) == 0


def test_a_timeout_raised_by_the_handler_is_its_failure_not_lambdas() -> None:
    def handler(event: Any, context: Any) -> None:
        raise TimeoutError("the carrier")

    with pytest.raises(FunctionError, match="work failed") as caught:
        Function("work", handler, 20).invoke({})
    assert not isinstance(caught.value, FunctionTimeoutError)
    assert isinstance(caught.value.__cause__, TimeoutError)


class NoEngine:
    """An SQS client whose engine comes back after some calls; it then ends the poller."""

    def __init__(self, failures: int, stop: "QuickStop") -> None:
        self.failures, self.stop = failures, stop

    def receive_message(self, **_: Any) -> dict[str, Any]:
        self.failures -= 1
        if self.failures == 3:
            raise RuntimeError("not even botocore's error")
        if self.failures > 0:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        self.stop.set()
        return {}


class QuickStop(threading.Event):
    """Notes how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


def test_an_outage_is_one_line_and_ever_longer_waits(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stop = QuickStop()
    worker = pump(NoEngine(9, stop), "http://127.0.0.1:1/0/q", fails)
    worker.run(stop)
    assert stop.waits == [0.25, 0.5, 1, 2, 4, 5, 5, 5]
    assert caplog.text.count("will keep trying: Could not connect") == 1


def make_app(batches: list[list[str]]) -> Chalice:
    app = Chalice("pump-test")

    @app.middleware("sqs")
    def note(event: Any, get_response: Any) -> Any:
        batches.append(["middleware"])
        return get_response(event)

    @app.on_sqs_message(queue="jobs", batch_size=10)
    def work(event: SQSEvent) -> dict[str, Any]:
        batches.append([record.body for record in event])
        return {"batchItemFailures": []}

    return app


def test_the_function_has_the_timeout_of_the_config() -> None:
    assert pumps.function(make_app([]), CONFIG, "work").timeout == 60
    assert pumps.function(make_app([]), Config(config_from_disk={}), "work").timeout == 60
    other = Config(config_from_disk={"lambda_timeout": 28})
    assert pumps.function(make_app([]), other, "work").timeout == 28


def test_an_apps_queue_function_runs_with_its_middleware_until_stopped(client: Any) -> None:
    url, batches, stop = make_queue(client), [], threading.Event()
    threads = pumps.start(
        make_app(batches),
        queue_urls={"work": url},
        client=client,
        region=REGION,
        config=CONFIG,
        stop=stop,
    )
    try:
        assert len(threads) >= 2
        send(client, url, "one")
        until(lambda: left(client, url) == 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert batches == [["middleware"], ["one"]]
    assert not any(thread.is_alive() for thread in threads)


def test_a_function_without_a_queue_is_one_clear_line() -> None:
    with pytest.raises(LocalRunError, match=r"^No queue for the function work\.$"):
        pumps.start(
            make_app([]),
            queue_urls={},
            client=None,
            region=REGION,
            config=CONFIG,
            stop=threading.Event(),
        )
