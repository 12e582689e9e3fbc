import fcntl
import http.client
import http.server
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import Session

from local.engine import ROOT, Engine
from local.engine_main import _only_reads
from local.errors import LocalRunError

pytestmark = pytest.mark.long

DEADLINE_SECONDS = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    if (home / "engine.json").exists():
        record = json.loads((home / "engine.json").read_text())
        pid, port, secret, persist = (record[k] for k in ("pid", "port", "secret", "persist"))
        Engine(home.resolve(), pid, port, secret, persist).stop()


@lru_cache(maxsize=4)
def client(engine: Engine, service: str) -> Any:
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=engine.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )


def put(engine: Engine, note: str) -> None:
    """Write the note into a table and a queue, which are created if need be."""
    dynamodb, sqs = client(engine, "dynamodb"), client(engine, "sqs")
    if "notes" not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName="notes",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "note", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "note", "KeyType": "HASH"}],
        )
    dynamodb.put_item(TableName="notes", Item={"note": {"S": note}, "raw": {"B": b"\x00\xff"}})
    queue = sqs.create_queue(QueueName="notes")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=note)


def notes(engine: Engine) -> list[str]:
    """The notes in the table, in order; it must hold what the queue holds."""
    dynamodb, sqs = client(engine, "dynamodb"), client(engine, "sqs")
    if "notes" not in dynamodb.list_tables()["TableNames"]:
        return []
    items = dynamodb.scan(TableName="notes")["Items"]
    assert all(item["raw"]["B"] == b"\x00\xff" for item in items)
    found = sorted(item["note"]["S"] for item in items)
    queue = sqs.get_queue_url(QueueName="notes")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) == len(found)
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(home: Path) -> bool:
    with (home / "engine.alive").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def kill(engine: Engine) -> None:
    os.kill(engine.pid, signal.SIGKILL)
    wait_for(lambda: not alive(engine.home))


def snapshot_holds(engine: Engine, note: str) -> bool:
    state = engine.home / "state.json"
    return state.exists() and note in state.read_text()


class Foreigner(http.server.ThreadingHTTPServer):
    """Another program, which answers as the engine of `home` would if it had no secret."""

    def __init__(self, home: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), ForeignHandler)
        self.home = home
        self.asked: list[str] = []


class ForeignHandler(http.server.BaseHTTPRequestHandler):
    server: Foreigner

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        pid = json.loads((self.server.home / "engine.json").read_text())["pid"]
        body = json.dumps({"pid": pid, "proof": self.path.partition("=")[2]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def foreigner(home: Path, port: int) -> Iterator[Foreigner]:
    """Run the other program on the port, 0 for any."""
    server = Foreigner(home, port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_data_survive_a_stop_and_a_start(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    engine.stop()
    assert not alive(home)
    again = Engine.ensure(home)
    assert notes(again) == ["first"]
    assert (again.pid != engine.pid, again.port) == (True, engine.port)


def test_data_survive_a_kill_after_a_snapshot(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    wait_for(lambda: snapshot_holds(engine, "first"))
    put(engine, "second")
    wait_for(lambda: snapshot_holds(engine, "second"))
    kill(engine)
    assert notes(Engine.ensure(home)) == ["first", "second"]


def test_an_interrupt_saves_too(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    os.kill(engine.pid, signal.SIGINT)
    wait_for(lambda: not alive(home))
    assert notes(Engine.ensure(home)) == ["first"]


def test_a_kill_during_a_snapshot_leaves_the_one_before(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    engine.stop()
    (home / "state.json.tmp").write_text('{"dynamodb": {"tab')
    assert notes(Engine.ensure(home)) == ["first"]


def test_an_unreadable_snapshot_is_refused_and_kept(home: Path) -> None:
    home.mkdir()
    (home / "state.json").write_text("{")
    with pytest.raises(LocalRunError, match=r"cannot read the state in .*state\.json"):
        Engine.ensure(home)
    assert (home / "state.json").read_text() == "{"


@pytest.mark.parametrize(
    ("method", "target", "reads"),
    [
        ("GET", "", True),
        ("POST", "DynamoDB_20120810.Query", True),
        ("POST", "DynamoDB_20120810.TransactGetItems", True),
        ("POST", "DynamoDB_20120810.BatchGetItem", True),
        ("POST", "AmazonSQS.ReceiveMessage", True),
        ("POST", "AmazonSQS.DeleteMessage", False),
        ("POST", "DynamoDB_20120810.BatchWriteItem", False),
        ("POST", "DynamoDB_20120810.TransactWriteItems", False),
        ("POST", "DynamoDB_20120810.UpdateItem", False),
        ("POST", "", False),
    ],
)
def test_only_changes_lead_to_a_snapshot(method: str, target: str, reads: bool) -> None:
    headers = [(b"x-amz-target", target.encode())] if target else []
    assert _only_reads({"method": method, "headers": headers}) is reads


def test_without_persistence_nothing_is_kept(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    put(engine, "first")
    engine.stop()
    assert not (home / "state.json").exists()
    assert notes(Engine.ensure(home, persist=False)) == []


def test_the_other_mode_is_refused_while_one_runs(home: Path) -> None:
    Engine.ensure(home, persist=False)
    with pytest.raises(LocalRunError, match="runs without persistence; stop it first"):
        Engine.ensure(home)


def run(code: str, *arguments: object) -> str:
    """What another Python process of the project prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout.strip()


ENSURE = """
import sys
from pathlib import Path
from local.engine import Engine
print(Engine.ensure(Path(sys.argv[1]), persist=sys.argv[2] == "True").pid, flush=True)
"""


def test_an_engine_is_adopted_after_its_starter_is_gone(home: Path) -> None:
    pid = int(run(ENSURE, home, True))
    engine = Engine.ensure(home)
    assert engine.pid == pid
    put(engine, "first")
    assert notes(Engine.ensure(home)) == ["first"]


def test_without_persistence_the_engine_ends_with_its_starter(home: Path) -> None:
    run(ENSURE, home, False)
    wait_for(lambda: not alive(home))


def test_the_engine_is_in_a_session_of_its_own(home: Path) -> None:
    engine = Engine.ensure(home)
    assert os.getsid(engine.pid) == engine.pid != os.getsid(0)


def test_a_foreign_program_on_the_recorded_port_is_not_adopted(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    engine.stop()
    with foreigner(home, engine.port):
        again = Engine.ensure(home)
        assert again.port != engine.port
        assert notes(again) == ["first"]


def test_a_program_without_the_secret_does_not_pass_for_the_engine(home: Path) -> None:
    engine = Engine.ensure(home)
    assert engine._answers()
    with foreigner(home, 0) as server:
        imitation = Engine(home, engine.pid, server.server_port, engine.secret, engine.persist)
        assert not imitation._answers()
        assert len(server.asked) == 1


def test_two_starters_at_once_get_one_engine(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: Engine.ensure(home), range(2)))
        pids = list(pool.map(lambda _: int(run(ENSURE, home, True)), range(2)))
    assert {engine.pid for engine in engines} | set(pids) == {engines[0].pid}


def test_two_starting_processes_get_one_engine(home: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        pids = set(pool.map(lambda _: run(ENSURE, home, True), range(3)))
    assert len(pids) == 1


def test_a_second_engine_on_one_home_refuses_to_run(home: Path) -> None:
    Engine.ensure(home)
    python = os.environ.get("SESAME_ENGINE_PYTHON", str(ROOT / ".venv-engine" / "bin" / "python"))
    command = [python, "-I", str(ROOT / "local" / "engine_main.py"), "--home", str(home)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert f"another engine uses {home}" in second.stderr


def test_stopping_twice_is_no_error(home: Path) -> None:
    engine = Engine.ensure(home)
    engine.stop()
    engine.stop()
    assert not alive(home)


def test_reset_drops_everything(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    put(engine, "first")
    engine.reset()
    assert client(engine, "dynamodb").list_tables()["TableNames"] == []
    assert client(engine, "sqs").list_queues().get("QueueUrls", []) == []


def test_a_reset_is_kept_over_a_kill(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    wait_for(lambda: snapshot_holds(engine, "first"))
    engine.reset()
    wait_for(lambda: not snapshot_holds(engine, "first"))
    kill(engine)
    assert notes(Engine.ensure(home)) == []


def test_rewind_goes_back_to_the_mark_each_time(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    put(engine, "first")
    engine.mark()
    for _ in range(2):
        put(engine, "second")
        engine.rewind()
        assert notes(engine) == ["first"]


def test_rewind_without_a_mark_is_refused(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    with pytest.raises(LocalRunError, match="answered 409 to /_sesame/rewind"):
        engine.rewind()


def test_an_engine_that_is_gone_says_so(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    engine.stop()
    with pytest.raises(LocalRunError, match="does not answer"):
        engine.reset()


def test_a_web_page_cannot_reach_it(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    put(engine, "first")
    connection = http.client.HTTPConnection("127.0.0.1", engine.port)
    connection.request("POST", "/_ministack/reset", headers={"Origin": "https://example.com"})
    assert connection.getresponse().status == 403
    connection.close()
    assert notes(engine) == ["first"]


def test_only_the_owner_reads_the_home(home: Path) -> None:
    engine = Engine.ensure(home)
    put(engine, "first")
    engine.stop()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in home.iterdir()} == dict.fromkeys(
        ("engine.alive", "engine.json", "engine.lock", "engine.log", "state.json"), 0o600
    )


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="asks Linux's /proc")
def test_it_listens_on_loopback_only(home: Path) -> None:
    engine = Engine.ensure(home, persist=False)
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    lines += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    listening = "0A"
    addresses = [line[1].split(":") for line in lines if line[3] == listening]
    mine = [address for address, port in addresses if int(port, 16) == engine.port]
    loopback = int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder)
    assert [int(address, 16) for address in mine] == [loopback]


def test_a_missing_engine_names_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESAME_ENGINE_PYTHON", "/nowhere/python")
    with pytest.raises(LocalRunError, match="/nowhere/python is missing: run `make install`"):
        Engine.ensure(home)


def test_a_python_without_ministack_names_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESAME_ENGINE_PYTHON", sys.executable)
    with pytest.raises(LocalRunError, match="No module named 'ministack': run `make install`"):
        Engine.ensure(home)
