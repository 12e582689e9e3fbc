"""Starts, finds again, resets and stops the embedded engine (`local/engine_main.py`).

The engine is a process of its own that outlives the app, so that a Ctrl-C or a crash of the
app costs no data. Its home holds `engine.json` (the running engine), `engine.log`,
`engine.alive` (locked by the engine as long as it lives) and `state.json` (the snapshot).
"""

import fcntl
import hashlib
import hmac
import http.client
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.errors import LocalRunError

START_SECONDS = 30.0
STOP_SECONDS = 20.0
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.02
ROOT = Path(__file__).resolve().parent.parent

# Held until `stop` reaps them: a Popen that is dropped while its process runs raises a warning.
_started: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Engine:
    """A running engine: DynamoDB and SQS on one loopback port."""

    home: Path
    pid: int
    port: int
    secret: str = field(repr=False)
    persist: bool

    @classmethod
    def ensure(cls, home: Path, *, persist: bool = True) -> "Engine":
        """The engine of `home`: the one that runs, or else a new one.

        With `persist` the data are in `home` and outlive the engine, which outlives its starter.
        Without, nothing is kept, and the engine ends when the process that started it ends.
        Raises LocalRunError if the engine is not installed, cannot start, or runs in the other
        mode.
        """
        home = home.resolve()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        with _locked(home / "engine.lock"):
            engine = _running(home) or _start(home, persist)
        if engine.persist != persist:
            raise LocalRunError(
                f"the engine in {home} runs {'with' if engine.persist else 'without'} persistence;"
                " stop it first"
            )
        return engine

    @property
    def url(self) -> str:
        """The endpoint of both services."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Drop every table and queue (for tests)."""
        self._post("/_ministack/reset")

    def mark(self) -> None:
        """Remember all tables and queues as they are, for `rewind` (for tests)."""
        self._post("/_sesame/mark")

    def rewind(self) -> None:
        """Go back to the last `mark`: far quicker than a reset and creating all again."""
        self._post("/_sesame/rewind")

    def stop(self) -> None:
        """End the engine, its state saved; killed if it does not end in time. Idempotent."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if _holder(self.home) != self.pid:
                break
            os.kill(self.pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while _holder(self.home) == self.pid and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        process = _started.pop(self.pid, None)
        if process is not None:
            process.wait(STOP_SECONDS)

    def _answers(self) -> bool:
        """Whether the engine of our record, and no other program, answers on its port."""
        nonce = secrets.token_hex(16)
        proof = hmac.new(self.secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
        try:
            status, body = self._ask("GET", f"/_sesame/engine?nonce={nonce}")
            answer = json.loads(body)
            return (
                status == 200
                and answer["pid"] == self.pid
                and hmac.compare_digest(answer["proof"], proof)
            )
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            return False

    def _post(self, path: str) -> None:
        try:
            status, _ = self._ask("POST", path)
        except (OSError, http.client.HTTPException) as error:
            raise LocalRunError(f"the engine at {self.url} does not answer: {error}") from error
        if status != 200:
            raise LocalRunError(f"the engine at {self.url} answered {status} to {path}")

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file: of two starters at once, the second finds the first one's engine."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _holder(home: Path) -> int | None:
    """The pid of the engine that is alive in `home`, or None.

    Asks the lock rather than the pid: a pid may be another process by now, or a dead child that
    nobody has reaped.
    """
    try:
        file = os.open(home / "engine.alive", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return int(os.pread(file, 20, 0) or 0)
    finally:
        os.close(file)


def _recorded(home: Path) -> Engine | None:
    try:
        record = json.loads((home / "engine.json").read_text(encoding="utf-8"))
        return Engine(
            home,
            int(record["pid"]),
            int(record["port"]),
            str(record["secret"]),
            bool(record["persist"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _running(home: Path) -> Engine | None:
    """The recorded engine once it answers; None as soon as none is alive."""
    deadline = time.monotonic() + START_SECONDS
    while (holder := _holder(home)) is not None:
        engine = _recorded(home)
        if engine is not None and engine._answers():
            return engine
        if time.monotonic() > deadline:
            raise LocalRunError(f"the engine in {home} (process {holder}) does not answer; end it")
        time.sleep(POLL_SECONDS)
    return None


def _start(home: Path, persist: bool) -> Engine:
    last = _recorded(home)
    # The port of the last time keeps queue URLs and open consoles valid over a restart.
    command = [str(_python()), "-I", "-Wignore", str(ROOT / "local" / "engine_main.py")]
    command += ["--home", str(home), "--port", str(last.port if last else 0)]
    command += [] if persist else ["--no-persist"]
    log = os.open(home / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise LocalRunError(
            f"cannot run the engine's Python: {error}; run `make install`"
        ) from None
    finally:
        os.close(log)
    _started[process.pid] = process
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        engine = _recorded(home)
        if engine is not None and engine.pid == process.pid and engine._answers():
            return engine
        time.sleep(POLL_SECONDS)
    process.kill()
    _started.pop(process.pid).wait()
    raise LocalRunError(f"the engine did not start: {_last_line(home / 'engine.log')}")


def _python() -> Path:
    given = os.environ.get("SESAME_ENGINE_PYTHON")
    python = Path(given) if given else ROOT / ".venv-engine" / "bin" / "python"
    if not python.is_file():
        raise LocalRunError(f"the engine's Python {python} is missing: run `make install`")
    return python


def _environment() -> dict[str, str]:
    """What the engine needs: nothing that could turn on other parts of ministack."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1]} ({log})" if lines else f"it said nothing in {log}"
