"""SQS event source mappings on one machine: poll a queue, call its Lambda, delete what is done.

`Function` is the Lambda itself, as the gateway and the schedules call it too.
"""

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Chalice, SQSEventConfig
from chalice.config import Config
from chalice.local import Clock, LambdaContext

from local.errors import LocalRunError

log = logging.getLogger(__name__)

ACCOUNT = "000000000000"
REGION = "us-east-1"
LONG_POLL = 2
LONGEST_BACKOFF = 5.0
MOST_POLLERS = 8
RECEIVE_LIMIT = 10


class FunctionError(Exception):
    """A Lambda function failed; the cause is the handler's own exception."""


class FunctionTimeoutError(FunctionError):
    """A Lambda function took longer than its timeout. Its thread may still be running."""


class _Monotonic(Clock):
    def time(self) -> float:
        return time.monotonic()


class Context(LambdaContext):
    """What Lambda hands to a handler beside the event; its time left follows a steady clock."""

    def __init__(self, name: str, memory: int, timeout: float) -> None:
        super().__init__(name, memory, int(timeout * 1000), _Monotonic())
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self.log_group_name = f"/aws/lambda/{name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout, never below zero."""
        return max(0, int(super().get_remaining_time_in_millis()))


@dataclass(frozen=True)
class Function:
    """One Lambda function: a handler of (event, context) with its timeout (s) and memory (MB)."""

    name: str
    handler: Callable[[dict[str, Any], LambdaContext], Any]
    timeout: float
    memory: int = 128

    def context(self) -> Context:
        """A new invocation's context, whose time starts now."""
        return Context(self.name, self.memory, self.timeout)

    def invoke(self, event: dict[str, Any], context: LambdaContext | None = None) -> Any:
        """Call the handler in a thread of its own and return its answer, which must be JSON.

        Raises FunctionTimeoutError past the timeout, leaving the thread to itself, and
        FunctionError for whatever the handler raised or returned that Lambda could not pass on.
        """
        outcome: Future[Any] = Future()
        arguments = (outcome, event, context or self.context())
        threading.Thread(
            target=self._run, args=arguments, name=f"lambda-{self.name}", daemon=True
        ).start()
        try:
            error = outcome.exception(self.timeout)
        except TimeoutError:
            raise FunctionTimeoutError(f"{self.name} timed out after {self.timeout:g} s") from None
        if error is not None:
            raise FunctionError(f"{self.name} failed") from error
        return outcome.result()

    def _run(self, outcome: Future[Any], event: dict[str, Any], context: LambdaContext) -> None:
        try:
            answer = self.handler(event, context)
            json.dumps(answer)
        except BaseException as error:  # noqa: BLE001  (even sys.exit() fails only this one)
            outcome.set_exception(error)
        else:
            outcome.set_result(answer)


def function(app: Chalice, config: Config, name: str) -> Function:
    """The queue or schedule function of that name, as .chalice/config.json sets it up.

    `config` is for one stage; what it leaves out has Chalice's defaults (60 s, 128 MB).
    """
    scoped = config.scope(config.chalice_stage, name)
    return Function(
        name,
        app.handler_map[name],
        timeout=scoped.lambda_timeout or 60,
        memory=scoped.lambda_memory_size or 128,
    )


def lambda_event(
    messages: Iterable[Mapping[str, Any]], queue_url: str, region: str
) -> dict[str, Any]:
    """The event that Lambda builds from received SQS messages."""
    account, name = queue_url.rstrip("/").split("/")[-2:]
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": {
                    key: _attribute(value)
                    for key, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{region}:{account}:{name}",
                "awsRegion": region,
            }
            for message in messages
        ]
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    if "StringValue" in value:
        shape["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shape["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return shape


def failed_ids(answer: Any, sent: frozenset[str]) -> frozenset[str]:
    """Which of the sent message ids failed, by AWS's rules for ReportBatchItemFailures.

    No answer, an empty one, or one without batchItemFailures: none. An entry without an
    itemIdentifier of this batch, or an answer of another shape: all of them.
    """
    if answer in (None, {}, []):
        return frozenset()
    if not isinstance(answer, dict):
        return sent
    entries = answer.get("batchItemFailures")
    if entries is None:
        return frozenset()
    if not isinstance(entries, list):
        return sent
    failed = set()
    for entry in entries:
        name = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in sent:
            return sent
        failed.add(name)
    return frozenset(failed)


@dataclass(frozen=True)
class Pump:
    """One event source mapping: a queue and the function that reads it."""

    function: Function
    queue_url: str
    batch_size: int
    client: Any
    region: str
    wait: int = LONG_POLL

    def poll(self) -> int:
        """Receive one batch, call the function, delete what it did not report as failed.

        Returns the number of messages received. The failed ones stay for their visibility
        timeout, then come again or go to the dead letter queue. Raises botocore's errors.
        """
        messages = self._receive()
        if not messages:
            return 0
        handles = {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        sent = frozenset(handles)
        try:
            answer = self.function.invoke(lambda_event(messages, self.queue_url, self.region))
        except FunctionTimeoutError as error:
            log.error("%s; its %d messages will come again", error, len(messages))
            return len(messages)
        except FunctionError:
            log.exception("%s; its %d messages will come again", self.function.name, len(messages))
            return len(messages)
        self._delete({name: handles[name] for name in sent - failed_ids(answer, sent)})
        return len(messages)

    def _receive(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while len(messages) < self.batch_size:
            asked = min(RECEIVE_LIMIT, self.batch_size - len(messages))
            page = self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=asked,
                WaitTimeSeconds=0 if messages else self.wait,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            messages += page
            if len(page) < asked:
                break
        return messages

    def _delete(self, handles: Mapping[str, str]) -> None:
        entries = [
            {"Id": str(index), "ReceiptHandle": handle}
            for index, handle in enumerate(handles.values())
        ]
        for start in range(0, len(entries), RECEIVE_LIMIT):
            page = entries[start : start + RECEIVE_LIMIT]
            refused = self.client.delete_message_batch(QueueUrl=self.queue_url, Entries=page)
            for failure in refused.get("Failed", []):
                log.warning("%s: a message was not deleted: %s", self.function.name, failure)

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set, whatever happens: an outage is one log line and a wait."""
        backoff = 0.0
        while not stop.is_set():
            try:
                self.poll()
            except (BotoCoreError, ClientError) as error:
                if not backoff:
                    log.warning("%s: no queue, will keep trying: %s", self.function.name, error)
            except Exception:
                log.exception("%s: the poller failed, will keep trying", self.function.name)
            else:
                backoff = 0.0
                continue
            backoff = min(LONGEST_BACKOFF, backoff * 2 or 0.25)
            stop.wait(backoff)


def queue_functions(app: Chalice) -> list[str]:
    """The names of the app's functions that read a queue."""
    return [str(source.name) for source in _sources(app)]


def _sources(app: Chalice) -> list[SQSEventConfig]:
    return [source for source in app.event_sources if isinstance(source, SQSEventConfig)]


def start(
    app: Chalice,
    *,
    queue_urls: Mapping[str, str],
    client: Any,
    region: str,
    config: Config,
    stop: threading.Event,
) -> list[threading.Thread]:
    """Start the pollers of every queue function of the app; they end when `stop` is set.

    `queue_urls` goes from function name to queue URL; `client` is an SQS client. Raises
    LocalRunError for a function without a queue.
    """
    sources = _sources(app)
    if missing := [source.name for source in sources if source.name not in queue_urls]:
        raise LocalRunError(f"No queue for the function {', '.join(missing)}.")
    threads = []
    for source in sources:
        pump = Pump(
            function(app, config, source.name),
            queue_urls[source.name],
            source.batch_size,
            client,
            region,
        )
        pollers = min(MOST_POLLERS, max(2, source.maximum_concurrency or 2))
        for number in range(pollers):
            name = f"poll-{source.name}-{number}"
            thread = threading.Thread(target=pump.run, args=(stop,), name=name, daemon=True)
            thread.start()
            threads.append(thread)
    return threads
