"""The local stack as a process: what is promised stays true over kills, stops and restarts."""

import json
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from local.engine import ROOT, Engine
from local.seed import BALANCE, LOGIN, is_key, seed

pytestmark = pytest.mark.long

DEADLINE_SECONDS = 90.0
PYTHON = {name: os.environ[name] for name in ("SESAME_ENGINE_PYTHON",) if name in os.environ}
KEPT = {
    name: value
    for name, value in os.environ.items()
    if name != "PORT" and not name.startswith(("AWS_", "SESAME_"))
}


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives, once that is something."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def run(*module: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command of the project, run to its end."""
    return subprocess.run(
        [sys.executable, *module],
        cwd=ROOT,
        env={**KEPT, **PYTHON, **environment},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


@dataclass
class Stack:
    """`python -m local.run` in a home of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    demo: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start it, and wait until it says that it takes requests."""
        written = self.home / "demo.json"
        before = written.stat().st_mtime_ns if written.exists() else None
        command = [sys.executable, "-m", "local.run", "--home", str(self.home)]
        with (self.home.parent / "run.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--port", "0", "--minute", "2"],
                cwd=ROOT,
                env={**KEPT, **PYTHON, **self.environment},
                stdout=log,
                stderr=log,
            )
        self.process = process

        def is_ready() -> bool:
            assert process.poll() is None, (self.home.parent / "run.log").read_text()[-4000:]
            return written.exists() and written.stat().st_mtime_ns != before

        until(is_ready)
        self.demo = json.loads(written.read_text())

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)

    def engine_pid(self) -> int:
        return int(json.loads((self.home / "engine.json").read_text())["pid"])

    def get(self, path: str, **query: object) -> dict[str, Any]:
        answer = requests.get(
            self.demo["url"] + path,
            params={"api_key": self.demo["api_key"], **query},
            timeout=DEADLINE_SECONDS,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rent(self, country: str = "US") -> dict[str, Any]:
        body = {"api_key": self.demo["api_key"], "country": country}
        url = self.demo["url"] + "/rentNumber"
        answer = requests.post(url, json=body, timeout=DEADLINE_SECONDS)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post_sms(self, to: str, code: str) -> None:
        """An SMS with that code, as any gateway would post it."""
        account = self.demo["inbound"]["generic"]
        body = json.dumps(
            {"message_id": code, "from": "Acme", "to": to, "text": f"Your Acme code is {code}"}
        )
        now = datetime.now(UTC)
        answer = requests.post(
            f"{self.demo['url']}/inbound/generic/{account['account']}",
            data=body,
            headers={
                "webhook-id": code,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(account["secret"]).sign(code, now, body),
                "content-type": "application/json",
            },
            timeout=DEADLINE_SECONDS,
        )
        assert answer.status_code == 200, answer.text

    def codes(self, rental: dict[str, Any]) -> list[str]:
        shown = self.get("/getSMS", rental_id=rental["rental_id"])
        return [message["code"] for message in shown["messages"]]

    def manage(self, *arguments: str) -> dict[str, Any]:
        answer = run("manage.py", "--json", *arguments, SESAME_HOME=str(self.home))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return dict(json.loads(answer.stdout))

    def balance(self) -> float:
        return float(self.manage("users", "show", "demo")["user"]["balance"])


class Receiver(ThreadingHTTPServer):
    """A webhook endpoint that takes, refuses, or leaves without an answer what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self.server_port}/webhook"
        self.mode = "take"
        self.tried = 0
        self.taken: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def next_event(self, secret: str) -> dict[str, Any]:
        """The next webhook that was taken; its signature is good."""
        body, headers = self.taken.get(timeout=DEADLINE_SECONDS)
        event = dict(Webhook(secret).verify(body, headers))
        return {**event, "id": headers["webhook-id"]}


class Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        mode = self.server.mode
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tried += 1
        if mode == "hold":
            self.server.closing.wait(DEADLINE_SECONDS)
            self.close_connection = True
            return
        if mode == "take":
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.taken.put((body, headers))
        self.send_response(204 if mode == "take" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for the tests that leave it as it is."""
    stack = Stack(tmp_path_factory.mktemp("standing") / "home")
    try:
        stack.start()
        yield stack
    finally:
        close(stack)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack for a test that ends it."""
    stack = Stack(tmp_path / "home")
    try:
        stack.start()
        yield stack
    finally:
        close(stack)


def close(stack: Stack) -> None:
    if stack.process is not None and stack.process.poll() is None:
        stack.end(signal.SIGINT)
    if (stack.home / "engine.json").exists():
        Engine.ensure(stack.home).stop()


def test_a_fresh_home_has_what_scripts_need(standing: Stack) -> None:
    demo = json.loads((standing.home / "demo.json").read_text())
    plain = {"url", "login", "user_id", "api_key", "system_api_key", "admin_key"}
    assert set(demo) == plain | {"inbound"}
    assert all(isinstance(demo[name], str) and demo[name] for name in plain)
    assert set(demo["inbound"]) == {"generic", "twilio", "simulator"}
    assert all(set(account) == {"account", "secret"} for account in demo["inbound"].values())


def test_what_is_secret_is_its_owners(standing: Stack) -> None:
    assert stat.S_IMODE(standing.home.stat().st_mode) == 0o700
    for name in ("demo.json", "environment.json", "secrets.json"):
        assert stat.S_IMODE((standing.home / name).stat().st_mode) == 0o600


def test_a_fresh_home_has_numbers_of_five_countries_and_a_user_with_money(standing: Stack) -> None:
    numbers = standing.get("/getNumbers")["numbers"]
    assert len({offer["country"] for offer in numbers}) == 5
    assert sum(offer["available"] for offer in numbers) >= 200
    assert standing.balance() == 100.0


def test_64_clients_at_once_are_all_answered(standing: Stack) -> None:
    gate = threading.Barrier(64)

    def ask(_: int) -> int:
        gate.wait(DEADLINE_SECONDS)
        query = {"api_key": standing.demo["api_key"]}
        url = standing.demo["url"] + "/getNumbers"
        return requests.get(url, params=query, timeout=DEADLINE_SECONDS).status_code

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(ask, range(64))) == [200] * 64


def test_a_second_run_in_the_same_home_is_refused_in_one_line(standing: Stack) -> None:
    refused = run("-m", "local.run", "--home", str(standing.home), "--port", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        f"sesame: A stack already runs in {standing.home}; stop it, or choose another SESAME_HOME."
    ]


def test_a_taken_port_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("-m", "local.run", "--home", str(tmp_path / "home"), "--port", str(port))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        f"sesame: Port {port} is taken; choose another with PORT=..."
    ]
    assert not (tmp_path / "home" / "engine.json").exists()


def test_a_missing_engine_is_told_in_one_line(tmp_path: Path) -> None:
    missing = str(tmp_path / "python")
    home = ["--home", str(tmp_path / "home"), "--port", "0"]
    refused = run("-m", "local.run", *home, SESAME_ENGINE_PYTHON=missing)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        f"sesame: the engine's Python {missing} is missing: run `make install`"
    ]


def test_a_home_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run("-m", "local.run", "--home", str(tmp_path / "file" / "home"), "--port", "0")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "SESAME_HOME" in refused.stderr


def test_an_sms_is_shown_and_told(standing: Stack, receiver: Receiver) -> None:
    secret = standing.manage("webhook", "set", "demo", receiver.url)["secret"]
    rental = standing.rent()
    standing.post_sms(rental["number"], "482913")
    assert standing.codes(rental) == ["482913"]
    event = receiver.next_event(secret)
    assert event["event"] == "otp_received"
    assert event["data"]["otp_code"] == "482913"


def test_make_sms_reaches_the_rented_number(standing: Stack) -> None:
    rental = standing.rent("SE")
    told = {"SESAME_HOME": str(standing.home), "TO": rental["number"], "TEXT": "It's 739204."}
    assert run("-m", "local.sms", **told).stdout == "the stack answered 200\n"
    shown = standing.get("/getSMS", rental_id=rental["rental_id"])
    assert [message["text"] for message in shown["messages"]] == ["It's 739204."]


def test_make_sms_without_a_stack_is_told_in_one_line(tmp_path: Path) -> None:
    refused = run("-m", "local.sms", "--to", "+14155550100", "--home", str(tmp_path))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "make run" in refused.stderr


def test_i4_an_sms_answered_just_before_a_kill_is_told_after_it(
    own: Stack, receiver: Receiver
) -> None:
    """Whether the queue was told, read, or neither: the receiver refuses until the kill."""
    receiver.mode = "refuse"
    secret = own.manage("webhook", "set", "demo", receiver.url)["secret"]
    rental, key, engine = own.rent(), own.demo["api_key"], own.engine_pid()
    own.post_sms(rental["number"], "482913")
    assert own.end(signal.SIGKILL) == -signal.SIGKILL
    receiver.mode = "take"
    own.start()
    assert (own.demo["api_key"], own.engine_pid()) == (key, engine)
    assert own.codes(rental) == ["482913"]
    assert receiver.next_event(secret)["data"]["otp_code"] == "482913"


def test_i4_a_kill_with_one_post_refused_and_the_others_held_loses_none(
    own: Stack, receiver: Receiver
) -> None:
    receiver.mode = "refuse"
    secret = own.manage("webhook", "set", "demo", receiver.url)["secret"]
    rental, engine = own.rent(), own.engine_pid()
    posted = ["482913", "739204", "561872", "204739"]
    for number, code in enumerate(posted, start=1):
        own.post_sms(rental["number"], code)
        # Of the last nobody can tell whether it was read before the kill.
        if number < len(posted):
            until(lambda number=number: receiver.tried >= number)
        receiver.mode = "hold"
    assert own.end(signal.SIGKILL) == -signal.SIGKILL
    receiver.mode = "take"
    own.start()
    assert own.engine_pid() == engine
    assert own.codes(rental) == posted
    events = [receiver.next_event(secret) for _ in posted]
    assert sorted(event["data"]["otp_code"] for event in events) == sorted(posted)
    assert len({event["id"] for event in events}) == len(posted)
    paid = rental["price"] * len(posted)
    assert own.balance() == pytest.approx(100 - paid)


def test_ctrl_c_ends_the_engine_and_keeps_the_data(own: Stack) -> None:
    rental, key, engine = own.rent("GB"), own.demo["api_key"], own.engine_pid()
    own.post_sms(rental["number"], "482913")
    assert own.end(signal.SIGINT) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)
    own.start()
    assert own.demo["api_key"] == key
    assert own.codes(rental) == ["482913"]
    assert own.balance() == pytest.approx(100 - rental["price"])


def test_a_stack_that_lost_its_data_is_seeded_again(own: Stack) -> None:
    key = own.demo["api_key"]
    own.end(signal.SIGINT)
    (own.home / "state.json").unlink()
    own.start()
    assert own.demo["api_key"] != key
    assert own.get("/getNumbers")["numbers"]
    assert own.balance() == 100.0


def test_a_seeding_that_broke_off_is_done_again_and_a_repeat_credits_nothing(stack: Any) -> None:
    platform = stack.platform
    platform.accounts.create(LOGIN, "Demo user")
    user_id, key = seed(platform)
    assert is_key(platform, key)
    again = seed(platform)
    assert again[0] == user_id
    assert is_key(platform, again[1])
    assert not is_key(platform, key)
    assert platform.accounts.find(LOGIN).balance == BALANCE
