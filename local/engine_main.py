"""The embedded engine: ministack in one process, with snapshots that survive a `kill -9`.

Runs inside the engine's own virtual environment, so it imports nothing of the project
(`python -I` keeps the project off the path). `local/engine.py` starts it. By itself ministack
saves only on a clean exit, one file per service; this saves tables and queues in one file, so
that both always come from the same moment.
"""

import argparse
import asyncio
import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import signal
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs

SERVICES = ("dynamodb", "sqs")
SNAPSHOT_SECONDS = 2.0
SAVER_SECONDS = 300
CLAIM_SECONDS = 1.0
# A lost ReceiveMessage only makes its messages visible sooner, which SQS may do at any time;
# counting it would write a snapshot for every poll of an idle queue.
READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List", "Receive")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

log = logging.getLogger("sesame.engine")


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path`, whole or not at all, readable by the owner only."""
    unfinished = path.with_name(path.name + ".tmp")
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


class Store:
    """The state of ministack's services: taken out and put back through its own contract."""

    def __init__(self) -> None:
        """Load ministack, whose settings must stand in the environment by now."""
        from ministack import app as ministack  # type: ignore[import-not-found,unused-ignore]
        from ministack.core import persistence  # type: ignore[import-not-found,unused-ignore]

        self.app = ministack.app
        self._ministack = ministack
        self._persistence = persistence

    def dump(self) -> str:
        """The state of all services, as JSON text."""
        states = {name: self._ministack._get_module(name).get_state() for name in SERVICES}
        return json.dumps(states, default=self._persistence._json_default)

    def load(self, text: str) -> None:
        """Replace the state of all services by what `dump` gave."""
        states = json.loads(text, object_hook=self._persistence._json_object_hook)
        for name in SERVICES:
            module = self._ministack._get_module(name)
            module.reset()
            module.load_persisted_state(states[name])


class Engine:
    """ministack's ASGI application with our own routes, the count of changes and snapshots."""

    def __init__(self, store: Store, secret: str, snapshot: Path | None) -> None:
        """Serve `store`; save it to the file `snapshot`, or nowhere if None."""
        self._store = store
        self._secret = secret
        self._snapshot = snapshot
        self._mark: str | None = None
        self._changes = 0
        self._saved = 0
        self._parent = os.getppid()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "http":
            if b"origin" in dict(scope["headers"]):
                # A web page in a browser of this machine: the engine has no password.
                await _answer(send, 403, {})
                return
            if scope["path"].startswith("/_sesame/"):
                await self._answer_own(scope, send)
                return
        try:
            await self._store.app(scope, receive, send)
        finally:
            if scope["type"] == "http" and not _only_reads(scope):
                self._changes += 1

    async def _answer_own(self, scope: Scope, send: Send) -> None:
        status, body = 200, {"pid": os.getpid(), "proof": ""}
        route = (scope["method"], scope["path"])
        if route == ("GET", "/_sesame/engine"):
            nonce = parse_qs(scope["query_string"])[b"nonce"][0]
            body["proof"] = hmac.new(self._secret.encode(), nonce, hashlib.sha256).hexdigest()
        elif route == ("POST", "/_sesame/mark"):
            self._mark = self._store.dump()
        elif route == ("POST", "/_sesame/rewind") and self._mark is not None:
            self._store.load(self._mark)
            self._changes += 1
        else:
            status = 409 if route == ("POST", "/_sesame/rewind") else 404
        await _answer(send, status, body)

    async def keep(self, stop: asyncio.Event) -> None:
        """Snapshot what changed every 2 s; without a snapshot file, end with the starter."""
        while not stop.is_set():
            await asyncio.sleep(SNAPSHOT_SECONDS)
            if self._snapshot is None:
                if os.getppid() != self._parent:
                    stop.set()
            elif self._changes != self._saved:
                changes = self._changes
                if await self._save_in_a_copy(self._snapshot):
                    self._saved = changes
                else:
                    log.error("the last snapshot failed; trying again")

    def save(self) -> None:
        """Write the last snapshot, if there is a file for it."""
        if self._snapshot is not None:
            write_atomically(self._snapshot, self._store.dump())

    async def _save_in_a_copy(self, snapshot: Path) -> bool:
        """Whether a forked copy of this process wrote the snapshot.

        The copy has the state of one moment, and a large state stalls no requests meanwhile.
        """
        pid = os.fork()
        if pid == 0:
            self._save_and_exit(snapshot)
        try:
            _, status = await asyncio.to_thread(os.waitpid, pid, 0)
        except asyncio.CancelledError:
            # The last snapshot, which comes now, is newer.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise
        return status == 0

    def _save_and_exit(self, snapshot: Path) -> NoReturn:
        status = 1
        try:
            signal.alarm(SAVER_SECONDS)
            # Or a signal sent to the copy would wake the event loop of the original.
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            write_atomically(snapshot, self._store.dump())
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _only_reads(scope: Scope) -> bool:
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return True
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    return str(target).rpartition(".")[2].startswith(READS)


def claim(home: Path) -> int:
    """Take the home for this process until it ends; its pid is in the file. Exits if taken."""
    alive = os.open(home / "engine.alive", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + CLAIM_SECONDS
    while True:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            # Perhaps only somebody who looks whether an engine is alive.
            if time.monotonic() > deadline:
                sys.exit(f"another engine uses {home}")
            time.sleep(0.01)
    os.truncate(alive, 0)
    os.pwrite(alive, str(os.getpid()).encode(), 0)
    return alive


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1 and the port, or on a free one if another program has it."""
    try:
        return _bound(port)
    except OSError:
        return _bound(0)


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock


def configure(port: int) -> None:
    """Set what ministack reads from the environment when it is imported."""
    os.environ.update(
        GATEWAY_PORT=str(port),
        SERVICES=",".join(SERVICES),
        PERSIST_STATE="0",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="WARNING",
    )


async def serve(engine: Engine, sock: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    from hypercorn.asyncio import serve as hypercorn_serve  # type: ignore[import-not-found,unused-ignore]
    from hypercorn.config import Config  # type: ignore[import-not-found,unused-ignore]

    config = Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.keep_alive_timeout = 600
    config.keep_alive_max_requests = 1_000_000_000
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    keeper = asyncio.create_task(engine.keep(stop))
    # An engine that can no longer save must not look as if it did.
    keeper.add_done_callback(lambda _: stop.set())
    await hypercorn_serve(engine, config, shutdown_trigger=stop.wait)
    keeper.cancel()
    await asyncio.wait([keeper])


def main() -> None:
    """Run the engine of one home directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="where state and records are")
    parser.add_argument("--port", type=int, default=0, help="the port, if it is free")
    parser.add_argument("--no-persist", action="store_true", help="keep nothing on disk")
    options = parser.parse_args()
    os.umask(0o077)
    alive = claim(options.home)
    sock = listen(options.port)
    port = sock.getsockname()[1]
    configure(port)
    try:
        store = Store()
    except ImportError as error:
        sys.exit(f"{error}: run `make install`")
    snapshot = None if options.no_persist else options.home / "state.json"
    if snapshot is not None and snapshot.exists():
        try:
            store.load(snapshot.read_text(encoding="utf-8"))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Going on without it would overwrite it at the next snapshot.
            sys.exit(f"cannot read the state in {snapshot}: {error!r}")
    secret = secrets.token_hex(32)
    record = {
        "pid": os.getpid(),
        "port": port,
        "secret": secret,
        "persist": snapshot is not None,
    }
    write_atomically(options.home / "engine.json", json.dumps(record))
    engine = Engine(store, secret, snapshot)
    asyncio.run(serve(engine, sock))
    engine.save()
    os.close(alive)


if __name__ == "__main__":
    main()
