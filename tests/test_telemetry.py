"""What is logged and measured: ids that join it, nothing that is anybody's secret (I8)."""

import io
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import settings, telemetry
from chalicelib.api.background import HandlerFailedError
from chalicelib.domain import keys
from chalicelib.domain.events import EVENT_TYPES
from chalicelib.domain.ids import UserId
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.rental import RentalStatus
from chalicelib.domain.times import Millis
from chalicelib.outbound import Answer
from chalicelib.services.closings import STUCK_AFTER
from chalicelib.services.jobs import Jobs
from chalicelib.settings import SettingsError
from chalicelib.stores import purchases
from infra import alarms
from tests.conftest import Stack
from tests.subscribers import FAILURE, TIMEOUT
from tests.world import World, get, post, post_generic

ROOT = Path(__file__).resolve().parent.parent
URL = "https://hooks.subscriber.test/hook"
TEXT = "Acme: your code is 482913, do not tell"
FIELDS = {"level", "logger", "message", "time"}
ALLOWED = FIELDS | telemetry.Ids.__annotations__.keys() | {"method", "status", "millis"}


@dataclass
class Log:
    """What was written: lines that are records, and lines that are metrics."""

    stream: io.StringIO

    @property
    def text(self) -> str:
        """All of it without the metrics' times, in whose digits a code may be found by chance."""
        return re.sub(r'"Timestamp": \d+', '"Timestamp": 1', self.stream.getvalue())

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [line for line in self._all() if "_aws" not in line]

    def metrics(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self._all() if "_aws" in line and name in line]

    def of(self, logger: str, message: str = "") -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines
            if line["logger"].endswith(logger) and message in line["message"]
        ]

    def _all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Logging as it was, after tests that set it as a serving process does."""
    root, measures = logging.getLogger(), logging.getLogger("sesame.metrics")
    monkeypatch.setattr(telemetry, "_namespace", None)
    monkeypatch.setattr(measures, "handlers", measures.handlers)
    monkeypatch.setattr(measures, "propagate", measures.propagate)
    names = (None, "chalicelib", "sesame.metrics", "botocore", "pynamodb", "urllib3")
    levels = [(logger, logger.level) for logger in map(logging.getLogger, names)]
    # Pytest's capturing handlers are there for one phase of a test each: it takes its own away.
    capturing = type(caplog.handler)
    lasting = [handler for handler in root.handlers if not isinstance(handler, capturing)]
    yield
    passing = [handler for handler in root.handlers if isinstance(handler, capturing)]
    root.handlers = [*lasting, *passing]
    for logger, level in levels:
        logger.setLevel(level)


@pytest.fixture
def log() -> Log:
    stream = io.StringIO()
    telemetry.write_json("Sesame/test", stream)
    logging.getLogger("chalicelib").setLevel("DEBUG")
    return Log(stream)


def run(name: str, messages: list[dict[str, Any]]) -> Any:
    """A queue's Lambda with these messages."""
    with Client(app) as client:
        event = client.events.generate_sqs_event([json.dumps(each) for each in messages])
        return client.lambda_.invoke(name, event).payload


def scheduled(name: str) -> None:
    with Client(app) as client:
        client.lambda_.invoke(name, client.events.generate_cw_event("", "", {}, ""))


def assert_nothing_of(log: Log, *secret: str) -> None:
    assert log.lines
    for one in secret:
        assert one
        assert one not in log.text
    for line in log.lines:
        assert line.keys() <= ALLOWED
        assert line.keys() >= FIELDS


def inbound(world: World, to: str, message_id: str) -> str:
    """An SMS by HTTP; the id of that call."""
    body: dict[str, object] = {"message_id": message_id, "from": "Acme", "to": to, "text": TEXT}
    response = post_generic(world.stack, body)
    assert response.status_code == 200
    return str(response.headers["X-Request-Id"])


def test_one_id_leads_from_an_inbound_sms_to_its_webhook_and_no_secret_is_told(
    world: World, log: Log
) -> None:
    (number,) = world.stock(1)
    user = world.user()
    secret, key = world.webhook(user, URL, *EVENT_TYPES), world.key(user)
    rented = post("/rentNumber", {"api_key": key, "country": "US"}).json_body
    run("deliver_webhooks", world.queued())
    call = inbound(world, number, "m-loop")
    world.stack.clock.advance(seconds=3)
    messages = world.queued()
    assert [message["correlation_id"] for message in messages] == [call]
    assert run("deliver_webhooks", messages) == {"batchItemFailures": []}
    get("/getSMS", api_key=key, rental_id=rented["rental_id"])
    post("/cancelNumber", {"api_key": key, "rental_id": rented["rental_id"]})
    found = [line for line in log.lines if line.get("correlation_id") == call]
    came, answered, delivered = found
    assert (came["message"], came["rental_id"]) == ("an SMS came: matched", rented["rental_id"])
    assert (answered["route"], answered["status"]) == ("/inbound/{provider}/{account}", 200)
    assert came["request_id"] == answered["request_id"] == call
    assert delivered["message"] == "attempt 1 delivered otp_received"
    assert delivered["function"] == "deliver_webhooks"
    assert {delivered["delivery_id"]} == {message["delivery_id"] for message in messages}
    for shared in ("event_id", "delivery_id", "user_id"):
        assert came[shared] == delivered[shared]
    (waited,) = log.metrics("SmsToWebhookSeconds")
    assert (waited["SmsToWebhookSeconds"], waited["correlation_id"]) == (3, call)
    assert world.stack.receiver.received[-1][0] == URL
    hidden = (TEXT, "482913", number, number[1:], "Acme", key, key[31:], secret, URL, "hooks.subs")
    assert_nothing_of(log, *hidden, "?", "/generic/demo")


def test_one_id_leads_from_a_wanted_code_to_its_sending_and_its_webhook(
    world: World, log: Log
) -> None:
    user = world.user()
    key, number = world.key(user), "+14155552671"
    world.webhook(user, URL, *EVENT_TYPES)
    headers = {"api-login": user.login, "api-key": key}
    path = "/v1/public/service/otp"
    made = post(f"{path}/generate", {"phone_number": number}, headers)
    call = made.headers["X-Request-Id"]
    url = world.stack.platform.settings.otp_queue
    run("send_otp", world._drain(url))
    run("deliver_webhooks", world.queued())
    answer = made.json_body
    ticket = world.stack.platform.otp_tickets.find(
        world.find(user), str(answer["ticket_number"])
    ).ticket
    pepper = world.stack.platform.settings.secrets.pepper
    code = derive_code(pepper, ticket.token, ticket.shape)
    found = [line for line in log.lines if line.get("correlation_id") == call]
    assert [line["message"] for line in found] == [
        f"POST {path}/generate 200",
        "the sending by sms: sent",
        "attempt 1 delivered otp_sent",
    ]
    assert {line["user_id"] for line in found} == {user.user_id}
    assert {line["ticket_number"] for line in found[:2]} == {ticket.ticket_number}
    (sent,) = log.metrics("CodesSent")
    assert (sent["channel"], sent["correlation_id"]) == ("sms", call)
    hidden = (ticket.token, number, number[1:], key, user.login, URL)
    assert_nothing_of(log, *hidden)
    assert not any(code in line["message"] for line in log.lines)


def test_retries_and_the_slow_lane_keep_the_id(world: World, log: Log) -> None:
    (number,) = world.stock(1)
    user = world.user()
    world.webhook(user, URL)
    world.rent(user)
    call = inbound(world, number, "m-retried")
    world.stack.receiver.answers = [FAILURE, TIMEOUT, Answer(status=200)]
    run("deliver_webhooks", world.queued())
    world.stack.clock.advance(seconds=40)
    (delivery,) = world.deliveries(user)
    again = {"delivery_id": delivery.delivery_id, "user_id": user.user_id, "correlation_id": call}
    run("deliver_webhooks", [again])
    (handed,) = world.queued_slowly()
    assert handed["correlation_id"] == call
    run("deliver_slow_webhooks", [handed])
    said = [line["message"] for line in log.of("webhooks") if line["correlation_id"] == call]
    assert said[0] == "attempt 1 to deliver otp_received failed: http_5xx"
    assert said[-1].endswith("delivered otp_received")
    (failed,) = log.metrics("DeliveriesFailed")
    assert failed["reason"] == "http_5xx"


def test_what_is_passed_on_unread_keeps_its_id(world: World, log: Log) -> None:
    (number,) = world.stock(1)
    user = world.user()
    world.webhook(user, URL)
    world.rent(user)
    world.stack.receiver.answers = [TIMEOUT]
    calls = []
    for at in range(3):
        calls.append(inbound(world, number, f"m-flood-{at}"))
        run("deliver_webhooks", world.queued())
    assert len(world.stack.receiver.received) == 1
    assert {message["correlation_id"] for message in world.queued_slowly()} == {*calls}


def test_what_the_sweep_tells_of_goes_by_its_own_id(world: World, log: Log) -> None:
    (number,) = world.stock(1)
    user = world.user()
    world.webhook(user, URL)
    world.rent(user)
    inbound(world, number, "m-swept")
    world.queued()
    world.stack.clock.advance(seconds=120)
    scheduled("requeue_deliveries")
    messages = world.queued()
    assert ["correlation_id" in message for message in messages] == [False]
    run("deliver_webhooks", messages)
    (delivered,) = log.of("webhooks")
    assert delivered["correlation_id"] == delivered["event_id"]


def test_no_call_speaks_for_the_next(world: World, log: Log) -> None:
    key = world.key(world.user())
    get("/getNumbers", api_key=key)
    get("/getNumbers", api_key="wrong")
    first, second = log.of("edge")
    assert (first["status"], second["status"]) == (200, 401)
    assert "user_id" in first
    assert "user_id" not in second
    assert first["request_id"] != second["request_id"]
    assert (first["method"], first["route"]) == ("GET", "/getNumbers")


def test_i8_an_accident_of_a_schedule_is_told_without_keys_urls_and_numbers(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.new_key(UserId("01HF7YAT00AAAAAAAAAAAAAAAA"))

    def fail(_: object) -> None:
        raise RuntimeError(f"{key} https://a.test/?k=1 +14155552671")

    monkeypatch.setattr(Jobs, "end_rests", fail)
    with pytest.raises(HandlerFailedError, match=r"\ARuntimeError\Z"):
        scheduled("end_rests")
    (line,) = log.of("background")
    assert (line["level"], line["function"]) == ("ERROR", "end_rests")
    assert "RuntimeError" in line["exception"]
    for secret in (key, "a.test", "k=1", "4155552671"):
        assert secret not in log.text


def test_i8_an_accident_with_one_rental_is_told_without_keys(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stock(1)
    rental, key = world.rent(world.user()), keys.new_key(UserId("01HF7YAT00AAAAAAAAAAAAAAAA"))

    def fail(*_: object) -> None:
        raise RuntimeError(key)

    monkeypatch.setattr("chalicelib.services.closings.store.close", fail)
    world.stack.clock.now = rental.expires_at
    run("run_sweep_page", [{"expire": [rental.rental_id]}])
    (line,) = log.of("jobs")
    assert line["rental_id"] == line["correlation_id"] == rental.rental_id
    assert keys.shown_prefix(key) in line["exception"]
    assert key not in log.text


def test_text_is_without_keys_too_and_nothing_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = keys.new_key(UserId("01HF7YAT00AAAAAAAAAAAAAAAA"))
    telemetry.write_text()
    try:
        raise RuntimeError(key)
    except RuntimeError:
        logging.getLogger("chalicelib.x").exception("it failed")
    telemetry.count("Refunds")
    told = capsys.readouterr()
    assert "ERROR chalicelib.x it failed" in told.err
    assert keys.shown_prefix(key) in told.err
    assert key not in told.err
    assert told.out == ""


def test_a_metric_is_counted_as_a_whole_and_by_its_dimensions(log: Log) -> None:
    with telemetry.bound(request_id="r-1", rental_id=None):
        telemetry.count("Refunds", reason="expired")
    telemetry.count("ExpiryLagSeconds", 61.5)
    (refund,), (lag,) = log.metrics("Refunds"), log.metrics("ExpiryLagSeconds")
    assert refund["_aws"].pop("Timestamp") > 0
    assert refund == {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Sesame/test",
                    "Dimensions": [[], ["reason"]],
                    "Metrics": [{"Name": "Refunds", "Unit": "Count"}],
                }
            ]
        },
        "request_id": "r-1",
        "reason": "expired",
        "Refunds": 1,
    }
    assert lag["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]
    assert lag["ExpiryLagSeconds"] == 61.5


def test_what_ends_late_and_what_is_refunded_is_measured(world: World, log: Log) -> None:
    world.stock(1)
    rental = world.rent(world.user())
    world.stack.clock.now = rental.expires_at
    world.stack.clock.advance(seconds=90)
    scheduled("expire_rentals")
    (lag,), (refund,) = log.metrics("ExpiryLagSeconds"), log.metrics("Refunds")
    assert (lag["ExpiryLagSeconds"], refund["reason"]) == (90, "expired")
    assert refund["rental_id"] == rental.rental_id


def test_every_metric_is_used_documented_and_known_to_the_alarms() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    used = re.findall(r'telemetry\.count\(\s*"(\w+)"', sources)
    assert {*used, "CodesSent", "CodesFailed"} == set(telemetry.METRICS)
    documented = re.findall(r"^\| `([A-Z]\w+)` \|", (ROOT / "docs/operating.md").read_text(), re.M)
    assert documented == list(telemetry.METRICS)
    shown = {name for names in alarms.METRICS.values() for name in names}
    assert shown <= set(telemetry.METRICS)
    watched = (ROOT / "infra/alarms.yaml").read_text()
    ours = re.findall(r"Sesame/\$\{AWS::StackName\}\"[,\s]+MetricName: (\w+)", watched)
    assert len(ours) >= 4
    assert set(ours) <= set(telemetry.METRICS)


def test_ids_end_with_their_block_and_go_along_into_threads(log: Log) -> None:
    with telemetry.bound(request_id="r-1"), ThreadPoolExecutor(1) as pool:
        telemetry.bind(user_id="u-1")
        say = logging.getLogger("chalicelib.x").info
        pool.submit(telemetry.carried(say), "carried").result()
        pool.submit(say, "alone").result()
    say("after")
    carried, alone, after = log.of("x")
    assert (carried["request_id"], carried["user_id"]) == ("r-1", "u-1")
    assert not {"request_id", "user_id"} & (alone.keys() | after.keys())


def test_outside_of_blocks_nothing_is_bound(log: Log) -> None:
    telemetry.bind(user_id="u-1")
    telemetry.correlate("c-1", event_id="e-1")
    logging.getLogger("chalicelib.x").info("of nobody")
    (line,) = log.of("x")
    assert line.keys() == FIELDS


def test_a_line_is_json_whatever_was_said(log: Log) -> None:
    # Formatted by itself: what is logged is captured, and a worker can't send a lone surrogate.
    said = 'two\nlines "\ud800" ☎'
    record = logging.LogRecord("chalicelib.x", logging.INFO, "", 0, "%s", (said,), None)
    line = json.loads(telemetry.JsonFormatter().format(record))
    assert line["message"] == said
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


@pytest.mark.parametrize(
    ("form", "name", "namespace"),
    [("", "", None), ("text", "A", None), ("json", "", "Sesame"), ("json", "A/b", "A/b")],
)
def test_the_environment_decides_how_a_process_tells(
    monkeypatch: pytest.MonkeyPatch, form: str, name: str, namespace: str | None
) -> None:
    monkeypatch.setenv("SESAME_LOG_FORMAT", form)
    monkeypatch.setenv("SESAME_METRICS_NAMESPACE", name)
    assert settings.metrics_namespace() == namespace


def test_an_unknown_format_is_named(stack: Stack) -> None:
    with pytest.raises(SettingsError, match=r"^SESAME_LOG_FORMAT: expected text or json\.$"):
        settings.load({**stack.environment, "SESAME_LOG_FORMAT": "xml"})


def test_a_purchase_that_nobody_settles_is_stuck(world: World, log: Log) -> None:
    world.stock(1)
    draft = replace(
        world.rent(world.user()),
        rental_id="r-stuck",
        status=RentalStatus.REQUESTING,
        supplier="gone",
    )
    purchases.hold(draft, sweep_at=world.stack.clock.now, most_open=9, request=None)
    world.stack.clock.now = Millis(world.stack.clock.now + STUCK_AFTER)
    scheduled("expire_rentals")
    assert log.metrics("StuckSagas") == []
    purchases.hold(
        replace(draft, rental_id="r-stuck-2"), sweep_at=draft.created_at, most_open=9, request=None
    )
    world.stack.clock.advance(seconds=0.001)
    scheduled("expire_rentals")
    assert [line["StuckSagas"] for line in log.metrics("StuckSagas")] == [1]
