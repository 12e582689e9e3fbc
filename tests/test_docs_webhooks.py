"""docs/webhooks.md is true: its events are those of the code, its snippets verify what we sign."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import events
from chalicelib.domain.events import Event
from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.otp import Channel, CodeShape, Gender
from chalicelib.domain.rental import Message, Rental, RentalStatus
from chalicelib.domain.retry_schedule import JITTER, WAITS
from chalicelib.domain.signatures import derive_secret, signed_headers
from chalicelib.domain.ticket import Sending, SendingState, Ticket
from chalicelib.domain.ticket_events import event_of as ticket_event
from chalicelib.domain.times import SECOND, Millis
from tests.conftest import START

PAGE = (Path(__file__).parent.parent / "docs/webhooks.md").read_text()
USER = UserId("01HF7YAT00ZSBK2V87461NE70A")
RENTAL = RentalId("rent_01HF7YAT00ZSBK2V87461NE70A")
NUMBER = E164("+14155550100")

MESSAGE = Message(
    message_id="m1",
    sender="Acme",
    text="Your code is 482913",
    code="482913",
    service="acme",
    provider="twilio",
    received_at=START,
    paid=True,
)
OPENED = Rental(
    rental_id=RENTAL,
    user_id=USER,
    phone_number=NUMBER,
    country="US",
    operator_id=1,
    service="acme",
    price=Micros(50_000),
    supplier="own",
    status=RentalStatus.ACTIVE,
    created_at=START,
    expires_at=Millis(START + 1_200 * SECOND),
    cancel_after=0,
    message_count=0,
    messages=(),
    tells=events.RENTAL_EVENTS,
)
SENDING = Sending(
    sending_id="s1",
    at=START,
    channel=Channel.SMS,
    sender="",
    text="{code}",
    language="en",
    gender=Gender.FEMALE,
    segments=1,
    price=Micros(40_000),
    state=SendingState.SENT,
    provider="twilio",
)
TICKET = Ticket(
    token="t",
    ticket_number="01HF7YAT00ZSBK2V87461NE70A",
    user_id=USER,
    phone_number=E164("+447700900000"),
    country="GB",
    shape=CodeShape(6, "0123456789"),
    digest="",
    recipient_ip="",
    max_attempts=5,
    created_at=START,
    expires_at=Millis(START + 300 * SECOND),
    voice_after=0,
    tells=events.TICKET_EVENTS,
    sendings=(SENDING,),
)


def made() -> list[Event]:
    """One event of every type, as the platform makes it."""
    found = [
        events.sms_event(USER, RENTAL, NUMBER, MESSAGE, START),
        events.sms_event(USER, RENTAL, NUMBER, replace(MESSAGE, code=None), START),
        *(
            events.rental_event(replace(OPENED, status=status), START)
            for status in (RentalStatus.ACTIVE, RentalStatus.CANCELLED, RentalStatus.EXPIRED)
        ),
        events.balance_low_event(USER, Micros(4_950_000), Micros(5 * UNIT), START),
        ticket_event(TICKET, events.OTP_SENT, SENDING, START),
        ticket_event(TICKET, events.OTP_FAILED, replace(SENDING, state=SendingState.FAILED), START),
        ticket_event(TICKET, events.OTP_VALIDATED, None, START),
        events.webhook_disabled_event(USER, "https://example.com/h", "failing", START, START),
        events.test_event(USER, START),
    ]
    return [event for event in found if event is not None]


def snippets(language: str) -> list[str]:
    """The page's code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def shape(value: object) -> object:
    """The names in an object, and what sort of thing each of them holds."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return type(value).__name__


EXAMPLES: Sequence[dict[str, Any]] = [
    example for example in map(json.loads, snippets("json")) if "event" in example
]


def test_every_type_of_event_has_an_example() -> None:
    shown = [example["event"] for example in EXAMPLES]
    assert sorted(shown) == sorted({*events.EVENT_TYPES, events.TEST})
    assert sorted(shown) == sorted(event.type for event in made())


@pytest.mark.parametrize("event", made(), ids=lambda event: event.type)
def test_an_example_looks_as_the_event_does(event: Event) -> None:
    (example,) = [each for each in EXAMPLES if each["event"] == event.type]
    body = json.loads(event.body)
    assert shape(example) == shape(body)
    assert list(example["data"]) == list(body["data"])


def test_the_feeds_example_is_what_the_feed_answers() -> None:
    (answer,) = [each for each in map(json.loads, snippets("json")) if "events" in each]
    assert list(answer) == ["status", "events", "cursor", "has_more"]
    (event,) = answer["events"]
    assert list(event) == ["id", "type", "at", "data"]
    (example,) = [each for each in EXAMPLES if each["event"] == event["type"]]
    assert event["data"] == example["data"]


@dataclass(frozen=True)
class Case:
    """A webhook as it arrives; `now` is None for the machine's time."""

    secret: str
    headers: Mapping[str, str]
    body: bytes
    good: bool
    now: int | None = START // SECOND


SECRET, BEFORE, OTHER = (derive_secret(b"pepper", USER, generation) for generation in (2, 1, 9))
BODY = '{"event": "otp_received", "data": {"sms_text": "Code\u00a0482913 \U0001f511"}}'.encode()
SIGNED = signed_headers([SECRET], "01HF7YAT00ZSBK2V87461NE70A", START, BODY)
BOTH = signed_headers([SECRET, BEFORE], "01HF7YAT00ZSBK2V87461NE70A", START, BODY)


def without(name: str) -> dict[str, str]:
    return {header: value for header, value in SIGNED.items() if header != name}


def with_(**changed: str) -> dict[str, str]:
    return {**SIGNED, **{f"webhook-{name}": value for name, value in changed.items()}}


def cases() -> dict[str, Case]:
    at = START // SECOND
    real = signed_headers([SECRET], "id", Millis(round(time.time() * SECOND)), BODY)
    signature = SIGNED["webhook-signature"]
    return {
        "valid": Case(SECRET, SIGNED, BODY, True),
        "valid by the machine's time": Case(SECRET, real, BODY, True, None),
        "two signatures, the first is ours": Case(SECRET, BOTH, BODY, True),
        "two signatures, the second is ours": Case(BEFORE, BOTH, BODY, True),
        "two signatures, neither is ours": Case(OTHER, BOTH, BODY, False),
        "tampered body": Case(SECRET, SIGNED, BODY.replace(b"482913", b"482914"), False),
        "a body that was cut": Case(SECRET, SIGNED, BODY[:-1], False),
        "tampered id": Case(SECRET, with_(id="another"), BODY, False),
        "tampered time": Case(SECRET, with_(timestamp=str(at + 1)), BODY, False),
        "wrong secret": Case(OTHER, SIGNED, BODY, False),
        "just not too old": Case(SECRET, SIGNED, BODY, True, at + 300),
        "too old": Case(SECRET, SIGNED, BODY, False, at + 301),
        "too new": Case(SECRET, SIGNED, BODY, False, at - 301),
        "too old by the machine's time": Case(SECRET, SIGNED, BODY, False, None),
        "no id": Case(SECRET, without("webhook-id"), BODY, False),
        "no time": Case(SECRET, without("webhook-timestamp"), BODY, False),
        "no signature": Case(SECRET, without("webhook-signature"), BODY, False),
        "no headers": Case(SECRET, {}, BODY, False),
        "a time that is none": Case(SECRET, with_(timestamp="now"), BODY, False),
        "a signature that is cut": Case(SECRET, with_(signature=signature[:-1]), BODY, False),
        "a signature that is longer": Case(SECRET, with_(signature=signature + "A"), BODY, False),
        "a signature of another version": Case(
            SECRET, with_(signature=signature.replace("v1,", "v2,")), BODY, False
        ),
    }


JAVASCRIPT = """
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((each) => isOurs(
  each.secret, each.headers, Buffer.from(each.body, "base64"), each.now ?? undefined))));
"""
PHP = """
$cases = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(array_map(fn ($each) => is_ours(
    $each['secret'], $each['headers'], base64_decode($each['body']), $each['now']), $cases));
"""


def by_python(snippet: str, found: Sequence[Case]) -> list[bool]:
    names: dict[str, Any] = {}
    exec(compile(snippet, "docs/webhooks.md", "exec"), names)
    is_ours: Callable[..., bool] = names["is_ours"]
    return [is_ours(case.secret, case.headers, case.body, case.now) for case in found]


def by_command(command: Sequence[str], script: str, found: Sequence[Case]) -> list[bool]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: its snippet was not run")
    given = [
        {
            "secret": case.secret,
            "headers": dict(case.headers),
            "body": base64.b64encode(case.body).decode(),
            "now": case.now,
        }
        for case in found
    ]
    run = subprocess.run(
        [*command, script], input=json.dumps(given).encode(), capture_output=True, timeout=60
    )
    assert run.returncode == 0, run.stderr.decode()
    answers: list[bool] = json.loads(run.stdout)
    return answers


@pytest.mark.parametrize("language", ["python", "javascript", "php"])
def test_a_snippet_takes_what_we_signed_and_nothing_else(language: str) -> None:
    (snippet,) = snippets(language)
    named = cases()
    found = list(named.values())
    if language == "python":
        answers = by_python(snippet, found)
    elif language == "javascript":
        answers = by_command(["node", "-e"], snippet + JAVASCRIPT, found)
    else:
        answers = by_command(["php", "-r"], snippet.removeprefix("<?php") + PHP, found)
    assert dict(zip(named, answers, strict=True)) == {
        name: case.good for name, case in named.items()
    }


def test_what_the_page_says_of_retries_is_what_is_done() -> None:
    units = {"s": 1, "m": 60, "h": 3_600}
    (told,) = re.findall(r"tried again: after (.*?), each ±(\d+) %", " ".join(PAGE.split()))
    waits = [int(n) * units[unit] * SECOND for n, unit in re.findall(r"(\d+) ([smh])", told[0])]
    assert (tuple(waits), int(told[1])) == (WAITS, round(JITTER * 100))
    assert round(sum(WAITS) / SECOND / 3_600) == 76
