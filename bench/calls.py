"""What each call costs: round trips, CPU and time, beside a plain DynamoDB get."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client

from bench.stack import Stack, as_json, now
from bench.wire import watched
from chalicelib.domain.signatures import signed_headers
from chalicelib.domain.times import later
from chalicelib.services.profiles import Changes
from chalicelib.stores import connection
from local.engine import ROOT
from local.pumps import lambda_event
from local.serve import sqs_client

COUNTRY = "US"
POOL = (COUNTRY, 1, 100)
GET = "plain get"
WARM_UP = 10


@dataclass
class Samples:
    """One call's measurements, a value a run; times in milliseconds."""

    requests: list[int] = field(default_factory=list)
    trips: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


@dataclass
class Bench:
    """One user who goes round the loop again and again."""

    stack: Stack
    client: Client
    key: str
    sqs: Any
    samples: dict[str, Samples] = field(default_factory=dict)

    def measure(self, name: str, call: Callable[[], Any]) -> Any:
        """What `call` gives; what it cost goes to the samples of that name."""
        with watched() as wire:
            cpu, wall = time.process_time(), time.perf_counter()
            answer = call()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        samples = self.samples.setdefault(name, Samples())
        samples.requests.append(len(wire.spans))
        samples.trips.append(wire.trips())
        samples.cpu.append(cpu * 1000)
        samples.wall.append(wall * 1000)
        return answer

    def go_round(self) -> None:
        """Each call once."""
        table = self.stack.environment["SESAME_TABLE_CATALOGUE"]
        item = {"kind": {"S": "operator"}, "id": {"S": "1"}}
        dynamodb = connection.client()
        self.measure(GET, lambda: dynamodb.get_item(TableName=table, Key=item, ConsistentRead=True))
        self.measure("getNumbers", lambda: self.get("/getNumbers"))
        rental = self.measure("rentNumber", lambda: self.post("/rentNumber", country=COUNTRY))
        self.sms("inbound, first SMS", rental["number"])
        self.deliver()
        self.sms("inbound, later SMS", rental["number"])
        self.deliver()
        shown = self.measure("getSMS", lambda: self.get("/getSMS", rental_id=rental["rental_id"]))
        _check(len(shown["messages"]) == 2, shown)
        unused = self.post("/rentNumber", country=COUNTRY)
        self.measure(
            "cancelNumber", lambda: self.post("/cancelNumber", rental_id=unused["rental_id"])
        )

        self.post("/cancelNumber", rental_id=rental["rental_id"])
        self.stack.platform.numbers.end_rests(later(now(), seconds=60))

    def get(self, path: str, **query: str) -> Any:
        """A GET with the user's key."""
        answer = self.client.http.get(f"{path}?{urlencode({'api_key': self.key, **query})}")
        return _body(answer)

    def post(self, path: str, **fields: str) -> Any:
        """A POST with the user's key."""
        headers = {"content-type": "application/json"}
        body = as_json(api_key=self.key, **fields)
        return _body(self.client.http.post(path, headers=headers, body=body))

    def sms(self, name: str, to: str) -> None:
        """An SMS with a code, signed as the generic provider does."""
        message_id = str(time.perf_counter_ns())
        body = as_json(
            message_id=message_id, **{"from": "Acme", "to": to, "text": "Your code is 482913"}
        )
        headers = {
            "content-type": "application/json",
            **signed_headers([self.stack.generic_secret], message_id, now(), body),
        }
        http = self.client.http
        answer = self.measure(
            name, lambda: http.post("/inbound/generic/demo", headers=headers, body=body)
        )
        _body(answer)

    def deliver(self) -> None:
        """The webhook of the SMS before, off the queue."""
        url = self.stack.environment["SESAME_QUEUE_WEBHOOKS"]
        answer = self.sqs.receive_message(QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=5)
        [message] = answer["Messages"]
        event = lambda_event([message], url, "us-east-1")
        invoke = self.client.lambda_.invoke
        told = self.measure("deliver", lambda: invoke("deliver_webhooks", event))
        _check(told.payload == {"batchItemFailures": []}, told.payload)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def measure(stack: Stack, runs: int) -> list[dict[str, Any]]:
    """A row for each call, the plain get first."""
    from app import app

    user = stack.user("bench")
    endpoint = Changes(webhook_url="http://127.0.0.1/webhook")
    stack.platform.profiles.change(user.user_id, endpoint)
    key = stack.platform.key_ring.issue(user.user_id).text
    client = Client(app, project_dir=str(ROOT))
    bench = Bench(stack, client, key, sqs_client(stack.engine_url, stack.environment))
    for _ in range(WARM_UP):
        bench.go_round()
    bench.samples.clear()
    for _ in range(runs):
        bench.go_round()
    plain = bench.samples[GET]
    return [_row(name, samples, plain) for name, samples in bench.samples.items()]


def _row(name: str, samples: Samples, plain: Samples) -> dict[str, Any]:
    cpu, wall = statistics.median(samples.cpu), statistics.median(samples.wall)
    return {
        "call": name,
        "runs": len(samples.wall),
        "requests": statistics.median(samples.requests),
        "trips": statistics.median(samples.trips),
        "most_trips": max(samples.trips),
        "cpu_ms": round(cpu, 3),
        "cpu_ms_p95": round(_p95(samples.cpu), 3),
        "cpu_gets": round(cpu / statistics.median(plain.cpu), 2),
        "wall_ms": round(wall, 3),
        "wall_ms_p95": round(_p95(samples.wall), 3),
        "wall_gets": round(wall / statistics.median(plain.wall), 2),
    }


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * 95 // 100)]


def _body(answer: Any) -> Any:
    _check(answer.status_code == 200, answer.body)
    return answer.json_body


def _check(holds: bool, otherwise: object) -> None:
    if not holds:
        raise RuntimeError(f"the bench went wrong: {otherwise!r}")
