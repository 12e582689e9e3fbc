"""`make demo`: the whole loop over real HTTP, against a fresh stack, told step by step."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import requests
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from local.engine import ROOT
from local.sms import send

START_SECONDS = 40
STEP_SECONDS = 40
RENTAL_SECONDS = 12
# Schedules run each minute; in the demo a minute is two seconds.
MINUTE_SECONDS = 2
CODE = "482913"
# A number in GB, one in SE, and an SMS of our own.
PAID = 0.06 + 0.045 + 0.04


class DemoError(Exception):
    """A step of the demo did not show what it should."""


class Receiver(ThreadingHTTPServer):
    """A user's webhook endpoint: keeps what it is sent, headers and all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.received: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_port}/webhook"
        Thread(target=self.serve_forever, daemon=True).start()


class _Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Take a webhook."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((body, {k.lower(): v for k, v in self.headers.items()}))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the page of the demo is what is to be read."""


@dataclass
class Demo:
    """One run of the demo against a stack of its own."""

    home: Path
    details: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to a GET with the demo key."""
        key = {"api_key": self.details["api_key"]}
        return _body(requests.get(self.details["url"] + path, {**key, **query}, timeout=30))

    def post(self, path: str, **fields: object) -> dict[str, Any]:
        """The answer to a POST with the demo key."""
        body = {"api_key": self.details["api_key"], **fields}
        return _body(requests.post(self.details["url"] + path, json=body, timeout=30))

    def otp(self, method: str, path: str, *, status: int = 200, **fields: object) -> dict[str, Any]:
        """The answer of the OTP API to the demo user."""
        answer = requests.request(
            method,
            f"{self.details['url']}/v1/public/service/otp/{path}",
            headers={"api-login": self.details["login"], "api-key": self.details["api_key"]},
            json=fields,
            timeout=30,
        )
        body = dict(answer.json())
        _check(answer.status_code == status, f"otp/{path} was answered {body}")
        return body

    def manage(self, *arguments: str) -> dict[str, Any]:
        """What manage.py answers."""
        answer = subprocess.run(
            [sys.executable, "manage.py", "--json", *arguments],
            env={**os.environ, "SESAME_HOME": str(self.home)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise DemoError(f"manage.py {' '.join(arguments)}: {answer.stdout}{answer.stderr}")
        return dict(json.loads(answer.stdout))

    def balance(self) -> float:
        """The demo user's balance."""
        return float(self.manage("users", "show", "demo")["user"]["balance"])

    def say(self, what: str) -> None:
        """One line of the page, with the seconds since the line before."""
        now = time.monotonic()
        click.echo(f"  {now - self.started:6.2f} s  {what}")
        self.started = now


@click.command()
def main() -> None:
    """Show the whole loop on a stack of its own, then stop it."""
    click.echo("\nSesame, from a number to its code and back\n")
    with tempfile.TemporaryDirectory(prefix="sesame-demo-") as folder:
        home = Path(folder)
        with (home / "run.log").open("w") as log:
            stack = _start(home, log)
            try:
                _show(Demo(home), stack)
            except (DemoError, requests.RequestException) as error:
                click.echo(f"\ndemo: failed: {error}\n", err=True)
                click.echo((home / "run.log").read_text()[-4000:], err=True)
                sys.exit(1)
            finally:
                stack.send_signal(signal.SIGINT)
                stack.wait(STEP_SECONDS)
    click.echo("\ndemo: ok")


def _start(home: Path, log: Any) -> "subprocess.Popen[bytes]":
    settings = {"SESAME_RENTAL_SECONDS": str(RENTAL_SECONDS), "SESAME_HOME": str(home)}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SESAME_TABLE_")}
    command = [sys.executable, "-m", "local.run", "--port", "0", "--minute", str(MINUTE_SECONDS)]
    return subprocess.Popen(
        command, env={**inherited, **settings}, cwd=ROOT, stdout=log, stderr=log
    )


def _show(demo: Demo, stack: "subprocess.Popen[bytes]") -> None:
    _wait_for(lambda: stack.poll() is not None or (demo.home / "demo.json").exists())
    if stack.poll() is not None:
        raise DemoError("the stack did not start")
    demo.details = json.loads((demo.home / "demo.json").read_text())
    demo.say(f"a fresh stack serves at {demo.details['url']}")

    receiver = Receiver()
    endpoint = demo.manage("webhook", "set", "demo", receiver.url)
    demo.say(f"webhook set to {receiver.url}, its secret shown once")
    before = demo.balance()
    demo.say(f"balance {before:.2f}")

    _show_code(demo, receiver, endpoint["secret"])
    _show_own_code(demo, receiver, endpoint["secret"])
    _show_cancel(demo)
    _show_expiry(demo, before)


def _show_code(demo: Demo, receiver: Receiver, secret: str) -> None:
    offers = demo.get("/getNumbers")["numbers"]
    told = ", ".join(f"{o['country']} {o['available']} at {o['price_per_sms']}" for o in offers)
    demo.say(f"numbers: {told}")
    rental = demo.post("/rentNumber", country="GB", service="acme")
    demo.say(f"rented {rental['number']} in {rental['country']} for {rental['price']}")
    text = f"{CODE} is your Acme verification code. Do not share it."
    status = send(demo.details, sender="Acme", to=rental["number"], text=text)
    _check(status == 200, f"the inbound SMS was answered {status}")
    demo.say(f"a carrier posted an SMS from Acme: {text!r}")
    messages = demo.get("/getSMS", rental_id=rental["rental_id"], wait=10)["messages"]
    _check([m["code"] for m in messages] == [CODE], f"getSMS shows {messages}")
    demo.say(f"getSMS shows it, with its code {messages[0]['code']}")
    event = _received(receiver, secret)
    _check(event["data"]["otp_code"] == CODE, f"the webhook says {event}")
    demo.say(f"the webhook {event['event']} brought {event['data']['otp_code']}, signature good")


def _show_own_code(demo: Demo, receiver: Receiver, secret: str) -> None:
    rental = demo.post("/rentNumber", country="SE", service="sesame")
    made = demo.otp("POST", "generate", phone_number=rental["number"], code_length="six")
    (warning,) = made["warnings"]
    demo.say(f"had a code sent to {rental['number']}; code_length 'six' became {warning['used']}")
    messages = demo.get("/getSMS", rental_id=rental["rental_id"], wait=20)["messages"]
    _check(len(messages) == 1 and bool(messages[0]["code"]), f"getSMS shows {messages}")
    code = messages[0]["code"]
    event = _received(receiver, secret)
    _check(event["data"]["otp_code"] == code, f"the webhook says {event}")
    demo.say(f"it came back as an SMS, and as a webhook with the code {code}")
    asked = {"otp_request_token": made["otp_request_token"], "code": code}
    _check(demo.otp("PUT", "validate", **asked)["code"] == 0, "the code did not validate")
    again = demo.otp("PUT", "validate", status=400, **asked)
    _check(again["code"] in (197, 198), f"it validated again: {again}")
    demo.say(f"it validates once; the second time it is answered {again['code']}")


def _received(receiver: Receiver, secret: str) -> dict[str, Any]:
    """The next webhook, its signature checked."""
    try:
        body, headers = receiver.received.get(timeout=STEP_SECONDS)
        return dict(Webhook(secret).verify(body, headers))
    except queue.Empty:
        raise DemoError("no webhook came") from None
    except WebhookVerificationError as error:
        raise DemoError(f"the webhook's signature is wrong: {error}") from None


def _show_cancel(demo: Demo) -> None:
    rental = demo.post("/rentNumber", country="US")
    cancelled = demo.post("/cancelNumber", rental_id=rental["rental_id"])
    _check(cancelled["refund_amount"] == rental["price"], f"the cancel answered {cancelled}")
    demo.say(f"rented {rental['number']} and cancelled it: {cancelled['refund_amount']} came back")


def _show_expiry(demo: Demo, before: float) -> None:
    rental = demo.post("/rentNumber", country="DE")
    demo.say(f"rented {rental['number']} and forgot it; it expires at {rental['expires_at']}")

    def is_expired() -> bool:
        shown = demo.get("/getSMS", rental_id=rental["rental_id"])
        return bool(shown["rental_status"] == "expired")

    _wait_for(is_expired)
    demo.say("getSMS calls it expired")
    paid = round(before - PAID, 6)
    _wait_for(lambda: demo.balance() == paid)
    demo.say(f"the schedule refunded it: balance {paid:.3f}, two numbers and one code sent paid")


def _body(answer: requests.Response) -> dict[str, Any]:
    body = dict(answer.json())
    _check(answer.status_code == 200, f"{answer.request.method} was answered {body}")
    return body


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoError(otherwise)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + max(START_SECONDS, STEP_SECONDS)
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError("waited in vain")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
