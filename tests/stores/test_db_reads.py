"""The stores' base when it reads, its one client, and the deadline of a transaction."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.errors import BusyError
from chalicelib.stores import connection, db
from chalicelib.stores.tables import CatalogueRow, LimitRow
from tests.conftest import Stack
from tests.wire import answered, conflict, failed, let_through, tapped

pytestmark = pytest.mark.usefixtures("stack")

THREADS = 32


@dataclass
class Seconds:
    """A clock that stands still unless it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(connection, "monotonic", clock)
    monkeypatch.setattr(connection, "sleep", clock.wait)
    return clock


def slow(seconds: Seconds, taken: float) -> Any:
    """A conflict that comes `taken` seconds after it was asked for."""

    def answer(request: Any) -> Any:
        seconds.wait(taken)
        return conflict(request)

    return answer


def put(name: str) -> db.Step:
    return db.put(LimitRow(name, total=0), LimitRow.bucket.does_not_exist())


def write_operators(count: int) -> None:
    for at in range(count):
        db.write(CatalogueRow("operator", f"{at:03d}", name=f"Operator {at}"))


def test_no_attempt_starts_after_the_deadline(seconds: Seconds) -> None:
    began, starts = seconds.now, []

    def late_conflict(request: Any) -> Any:
        starts.append(seconds.now)
        return slow(seconds, 0.7)(request)

    with (
        tapped(*[late_conflict] * 3) as wire,
        pytest.raises(BusyError),
    ):
        db.transact(one=put("one"))
    assert len(wire.attempts) == len(starts) == 3
    assert starts[-1] - began <= connection.DEADLINE_SECONDS < seconds.now - began
    assert db.get(LimitRow, "one") is None


def test_botocores_own_attempts_keep_the_deadline_too(seconds: Seconds) -> None:
    def outage(request: Any) -> Any:
        seconds.wait(connection.DEADLINE_SECONDS + 0.1)
        return failed("InternalServerError", 500)(request)

    with tapped(outage) as wire, pytest.raises(BusyError):
        db.transact(one=put("one"))
    assert len(wire.attempts) == 1


def test_a_deadline_ends_with_its_transaction(seconds: Seconds) -> None:
    with tapped(slow(seconds, 9.0)), pytest.raises(BusyError):
        db.transact(one=put("one"))
    db.transact(two=put("two"))
    assert db.get(LimitRow, "two") is not None


def test_a_single_write_has_no_deadline(seconds: Seconds) -> None:
    with tapped(*[slow(seconds, 9.0)] * connection.RETRIES):
        db.write(LimitRow("one", total=0))
    assert db.get(LimitRow, "one") is not None


def test_get_all_keeps_the_order_with_gaps_and_repeats_and_over_tables() -> None:
    db.write(LimitRow("a", total=1))
    db.write(LimitRow("b", total=2))
    db.write(CatalogueRow("operator", "a", name="A"))
    with tapped() as wire:
        found = db.get_all(
            (LimitRow, "b", None),
            (LimitRow, "none", None),
            (CatalogueRow, "operator", "a"),
            (LimitRow, "a", None),
            (LimitRow, "b", None),
            (CatalogueRow, "operator", "none"),
        )
    assert [type(item).__name__ for item in found if item is not None] == [
        "LimitRow",
        "CatalogueRow",
        "LimitRow",
        "LimitRow",
    ]
    assert [found[0].total, found[1], found[2].name, found[3].total, found[4].total, found[5]] == [
        2,
        None,
        "A",
        1,
        2,
        None,
    ]
    assert wire.operations() == ["BatchGetItem"]


def test_get_all_asks_again_for_what_was_left_over() -> None:
    table = LimitRow.Meta.table_name
    left = {"Keys": [{"bucket": {"S": "b"}}], "ConsistentRead": True}
    partial = {
        "Responses": {table: [{"bucket": {"S": "a"}, "total": {"N": "1"}}]},
        "UnprocessedKeys": {table: left},
    }
    db.write(LimitRow("b", total=2))
    with tapped(answered(partial)) as wire:
        found = db.get_all((LimitRow, "b", None), (LimitRow, "a", None))
    assert [item.total for item in found] == [2, 1]
    assert wire.sent("BatchGetItem")[1]["RequestItems"] == {table: left}


def test_get_all_that_never_gets_all_is_busy() -> None:
    table = LimitRow.Meta.table_name
    left = {table: {"Keys": [{"bucket": {"S": "a"}}], "ConsistentRead": True}}
    nothing = answered({"Responses": {}, "UnprocessedKeys": left})
    with tapped(*[nothing] * 5), pytest.raises(BusyError):
        db.get_all((LimitRow, "a", None))


def test_reads_are_consistent() -> None:
    with tapped() as wire:
        db.get(LimitRow, "a")
        db.get_all((LimitRow, "a", None))
        db.query(CatalogueRow, CatalogueRow.kind == "operator")
    single, batch, query = (attempt.request for attempt in wire.attempts)
    assert single["ConsistentRead"] is True
    assert batch["RequestItems"][LimitRow.Meta.table_name]["ConsistentRead"] is True
    assert query["ConsistentRead"] is True


def test_a_query_gives_all_by_pages_once_each_and_in_order() -> None:
    write_operators(7)
    ids, start, pages = [], None, 0
    while True:
        page = db.query(CatalogueRow, CatalogueRow.kind == "operator", limit=3, start=start)
        assert page.count == len(page.items) <= 3
        ids += [item.id for item in page.items]
        pages, start = pages + 1, page.start
        if start is None:
            break
    assert ids == [f"{at:03d}" for at in range(7)]
    assert pages == 3


def test_a_query_backwards_and_a_count() -> None:
    write_operators(4)
    kind = CatalogueRow.kind == "operator"
    assert [row.id for row in db.query(CatalogueRow, kind, forward=False, limit=2).items] == [
        "003",
        "002",
    ]
    counted = db.query(CatalogueRow, kind, count_only=True)
    assert (counted.count, counted.items) == (4, [])


def test_a_scan_gives_all_by_pages() -> None:
    write_operators(5)
    seen, start = set(), None
    while True:
        page = db.scan(CatalogueRow, limit=2, start=start)
        seen |= {row.id for row in page.items}
        start = page.start
        if start is None:
            break
    assert seen == {f"{at:03d}" for at in range(5)}


def test_a_read_that_meets_a_conflict_is_asked_again() -> None:
    db.write(LimitRow("a", total=1))
    with tapped(conflict, let_through, only="GetItem") as wire:
        found = db.get(LimitRow, "a")
    assert found is not None
    assert found.total == 1
    assert len(wire.attempts) == 2


def test_threads_at_once_make_one_client(stack: Stack) -> None:
    connection.forget_client()
    barrier = threading.Barrier(THREADS)
    clients: list[Any] = []

    def connect() -> None:
        barrier.wait()
        clients.append(connection.client())

    threads = [threading.Thread(target=connect) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == THREADS
    assert len({id(client) for client in clients}) == 1
    connection.forget_client()
    assert connection.client() is not clients[0]
