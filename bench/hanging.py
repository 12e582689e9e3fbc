"""One endpoint that hangs, with nine tenths of the traffic: how long the others' events take."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.stack import now
from chalicelib import bootstrap, settings
from chalicelib.bootstrap import Platform
from chalicelib.domain.events import test_event
from chalicelib.domain.ids import UserId
from chalicelib.services.profiles import Changes
from chalicelib.stores import endpoints
from local.engine import ROOT

OTHERS = 9
OTHERS_PER_SECOND = 0.5
HANGING_PER_SECOND = 4.5
HANGS_SECONDS = 15
_READY_SECONDS = 120
_DRAIN_SECONDS = 30


@dataclass(frozen=True)
class Phase:
    """What the others' events took, from being written to being received, in milliseconds."""

    events: int
    received: int
    p50: int
    p95: int
    most: int


@dataclass(frozen=True)
class Report:
    """`quiet` is without the endpoint that hangs, `hanging` with it. `posts` are those to it."""

    quiet: Phase
    hanging: Phase
    ratio: float
    sent_to_the_hanging_one: int
    posts_to_it: int


@dataclass
class Receiver(ThreadingHTTPServer):
    """Notes when a webhook came; `/hang` answers too late."""

    came: dict[str, float] = field(default_factory=dict)
    hung: int = 0
    daemon_threads = True
    request_queue_size = 128

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str) -> str:
        """Where a webhook goes."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        came = time.time() * 1_000
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/hang":
            self.server.hung += 1
            time.sleep(HANGS_SECONDS)
            self.close_connection = True
            return
        self.server.came.setdefault(self.headers["webhook-id"], came)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def run(seconds: int) -> Report:
    """Both phases on one local stack, each of so many seconds."""
    receiver = Receiver()
    with (
        tempfile.TemporaryDirectory(prefix="sesame-bench-") as folder,
        _stack(Path(folder)) as here,
    ):
        others = [_user(here, f"other-{at}", receiver.url(f"{at}")) for at in range(OTHERS)]
        hanging = _user(here, "hanging", receiver.url("hang"))
        _traffic(here, receiver, others, OTHERS_PER_SECOND, 10)
        quiet = _traffic(here, receiver, others, OTHERS_PER_SECOND, seconds)
        sent = _Sender(here, [hanging], HANGING_PER_SECOND)
        sent.start()
        loaded = _traffic(here, receiver, others, OTHERS_PER_SECOND, seconds)
        sent.stop()
        ratio = round(loaded.p95 / quiet.p95, 2)
        report = Report(quiet, loaded, ratio, len(sent.made), receiver.hung)
    receiver.shutdown()
    receiver.server_close()
    return report


class _Sender(threading.Thread):
    """Writes events at a steady rate until stopped, and tells the queue of each."""

    def __init__(self, platform: Platform, users: Sequence[UserId], per_second: float) -> None:
        super().__init__(daemon=True)
        self.made: dict[str, float] = {}
        self._platform, self._users, self._wait = platform, users, 1 / per_second
        self._stopped = threading.Event()

    def run(self) -> None:
        """Send, one event after the other."""
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += self._wait
            event = test_event(self._users[len(self.made) % len(self._users)], now())
            endpoints.write_event(event, 7)
            self.made[event.event_id] = time.time() * 1_000
            self._platform.webhooks.tell(event)

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()
        self.join()


def _traffic(
    platform: Platform, receiver: Receiver, users: Sequence[UserId], rate: float, seconds: int
) -> Phase:
    sender = _Sender(platform, users, rate)
    sender.start()
    time.sleep(seconds)
    sender.stop()
    ends = time.monotonic() + _DRAIN_SECONDS
    while sender.made.keys() - receiver.came.keys() and time.monotonic() < ends:
        time.sleep(0.1)
    # What never came took for ever: left out, it would make the figure better.
    took = sorted(
        receiver.came.get(event_id, float("inf")) - at for event_id, at in sender.made.items()
    )
    received = sum(event_id in receiver.came for event_id in sender.made)
    p95 = statistics.quantiles(took, n=20)[-1]
    return Phase(len(took), received, round(statistics.median(took)), round(p95), round(took[-1]))


@contextmanager
def _stack(home: Path) -> Iterator[Platform]:
    """`python -m local.run` in a process of its own, and its tables and queues from here."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("SESAME_")}
    engine = os.environ.get("SESAME_ENGINE_PYTHON")
    environment = kept | ({"SESAME_ENGINE_PYTHON": engine} if engine else {})
    with (home / "run.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-m", "local.run", "--home", str(home / "home"), "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        ends = time.monotonic() + _READY_SECONDS
        while not (home / "home" / "demo.json").exists():
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError((home / "run.log").read_text()[-2_000:])
            time.sleep(0.1)
        names = json.loads((home / "home" / "environment.json").read_text())
        os.environ.update(names)
        yield bootstrap.use(Platform(settings.load(names)))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _user(platform: Platform, login: str, url: str) -> UserId:
    user = platform.accounts.create(login, login)
    platform.accounts.approve(user.user_id)
    platform.profiles.change(user.user_id, Changes(webhook_url=url))
    return user.user_id
