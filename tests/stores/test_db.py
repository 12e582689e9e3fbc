"""The stores' base when it writes: conflicts repeated, lost replies counted once."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.ids import DeliveryId, UserId
from chalicelib.domain.times import Millis
from chalicelib.errors import BusyError
from chalicelib.stores import connection, db, deliveries
from chalicelib.stores.tables import DeliveryRow, LimitRow
from tests.conftest import START
from tests.wire import (
    Fault,
    cancelled,
    conflict,
    failed,
    let_through,
    reply_lost,
    tapped,
    unreachable,
)

ATTEMPTS = connection.RETRIES + 1
BOTOCORE_ATTEMPTS = 3
THROTTLES = ["ThrottlingException", "ProvisionedThroughputExceededException"]


pytestmark = pytest.mark.usefixtures("stack")


def row(name: str, total: int = 0) -> LimitRow:
    return LimitRow(name, total=total)


def put_new(name: str, total: int = 0) -> db.Step:
    return db.put(row(name, total), LimitRow.bucket.does_not_exist())


def total(name: str) -> int | None:
    found = db.get(LimitRow, name)
    return found.total if found is not None else None


def add_one(name: str) -> db.Step:
    return db.change(LimitRow(name), [LimitRow.total.add(1)], LimitRow.bucket.exists())


def update_one(name: str) -> LimitRow:
    return db.update(LimitRow(name), [LimitRow.total.add(1)], LimitRow.bucket.exists())


def tokens(requests: list[dict[str, str]]) -> set[str]:
    return {request["ClientRequestToken"] for request in requests}


def test_a_transaction_that_meets_two_conflicts_is_applied_once_by_one_token() -> None:
    db.write(row("one"))
    with tapped(conflict, conflict) as wire:
        db.transact(count=add_one("one"), new=put_new("two"))
    sent = wire.sent("TransactWriteItems")
    assert len(sent) == 3
    assert len(tokens(sent)) == 1
    assert (total("one"), total("two")) == (1, 0)


def test_two_transactions_have_two_tokens() -> None:
    db.write(row("one"))
    with tapped() as wire:
        db.transact(count=add_one("one"))
        db.transact(count=add_one("one"))
    assert len(tokens(wire.sent("TransactWriteItems"))) == 2
    assert total("one") == 2


def test_a_transaction_whose_conflicts_do_not_end_is_busy_and_applied_not_at_all() -> None:
    db.write(row("one"))
    with tapped(*[conflict] * ATTEMPTS) as wire, pytest.raises(BusyError) as raised:
        db.transact(count=add_one("one"), new=put_new("two"))
    assert raised.value.retry_after
    assert len(wire.attempts) == ATTEMPTS == 6
    assert (total("one"), total("two")) == (0, None)


def test_the_last_retry_may_still_succeed() -> None:
    db.write(row("one"))
    with tapped(*[conflict] * connection.RETRIES):
        db.transact(count=add_one("one"))
    assert total("one") == 1


@pytest.mark.parametrize(
    "codes",
    [
        ("None", "TransactionConflict"),
        ("TransactionConflict", "ThrottlingError"),
        ("ProvisionedThroughputExceeded", "None"),
    ],
)
def test_reasons_that_pass_are_retried(codes: tuple[str, ...]) -> None:
    db.write(row("one"))
    with tapped(cancelled(*codes)) as wire:
        db.transact(count=add_one("one"), new=put_new("two"))
    assert len(wire.attempts) == 2
    assert (total("one"), total("two")) == (1, 0)


def test_a_condition_beside_a_conflict_is_a_refusal_with_its_item() -> None:
    seen = {"bucket": {"S": "one"}, "total": {"N": "7"}}
    with (
        tapped(cancelled("ConditionalCheckFailed", "TransactionConflict", items={0: seen})) as wire,
        pytest.raises(db.RefusedError) as raised,
    ):
        db.transact(count=add_one("one"), new=put_new("two"))
    assert list(raised.value.why) == ["count"]
    assert raised.value.why["count"].total == 7
    assert len(wire.attempts) == 1


def test_a_refusal_names_each_step_and_what_it_found() -> None:
    db.write(row("there", 5))
    with pytest.raises(db.RefusedError) as raised:
        db.transact(
            good=put_new("new"), absent=add_one("absent"), left_out=None, put=put_new("there")
        )
    assert set(raised.value.why) == {"absent", "put"}
    assert raised.value.why["absent"] is None
    assert raised.value.why["put"].total == 5
    assert total("new") is None


def test_a_reason_that_does_not_pass_is_told_as_it_is() -> None:
    with (
        tapped(cancelled("ValidationError", "TransactionConflict")) as wire,
        pytest.raises(ClientError),
    ):
        db.transact(one=put_new("one"), two=put_new("two"))
    assert len(wire.attempts) == 1


def test_an_update_that_meets_conflicts_is_applied_once() -> None:
    db.write(row("one"))
    with tapped(conflict, conflict, only="UpdateItem") as wire:
        after = update_one("one")
    assert after.total == 1
    assert len(wire.attempts) == 3


@pytest.mark.parametrize("write", [update_one, lambda name: db.write(row(name, 9))])
def test_a_single_write_whose_conflicts_do_not_end_is_busy(write: Callable[[str], object]) -> None:
    db.write(row("one"))
    with tapped(*[conflict] * ATTEMPTS) as wire, pytest.raises(BusyError):
        write("one")
    assert len(wire.attempts) == ATTEMPTS
    assert total("one") == 0


def test_a_transaction_whose_reply_is_lost_is_applied_once() -> None:
    db.write(row("one"))
    with tapped(reply_lost) as wire:
        db.transact(count=add_one("one"), new=put_new("two"))
    assert len(tokens(wire.sent("TransactWriteItems"))) == 1
    assert len(wire.attempts) == 2
    assert (total("one"), total("two")) == (1, 0)


def test_a_transaction_that_committed_and_then_met_a_conflict_is_applied_once() -> None:
    db.write(row("one"))
    with tapped(reply_lost, conflict, let_through) as wire:
        db.transact(count=add_one("one"), new=put_new("two"))
    assert len(wire.attempts) == 3
    assert total("one") == 1


def test_a_lease_whose_reply_is_lost_is_counted_once() -> None:
    delivery_id = DeliveryId("01HF7YAT00CTAE28EPGQW4913Y")
    db.write(delivery(delivery_id))
    with tapped(reply_lost, only="UpdateItem") as wire:
        leased = deliveries.lease(delivery_id, "lease-1", START, until=Millis(START + 25_000))
    assert wire.operations() == ["UpdateItem", "UpdateItem"]
    assert leased is not None
    assert (leased.attempts, leased.lease) == (1, "lease-1")
    assert deliveries.lease(delivery_id, "lease-2", START, until=Millis(START + 25_000)) is None


@pytest.mark.parametrize("code", THROTTLES)
def test_throttling_that_outlasts_botocore_is_busy(code: str) -> None:
    faults = [failed(code)] * BOTOCORE_ATTEMPTS
    with tapped(*faults) as wire, pytest.raises(BusyError):
        db.get(LimitRow, "one")
    assert len(wire.attempts) == BOTOCORE_ATTEMPTS


@pytest.mark.parametrize("fault", [failed("InternalServerError", 500), unreachable])
def test_an_outage_is_busy_and_a_short_one_goes_unseen(fault: Fault) -> None:
    db.write(row("one", 3))
    with tapped(fault):
        assert total("one") == 3
    with tapped(*[fault] * BOTOCORE_ATTEMPTS), pytest.raises(BusyError):
        db.get(LimitRow, "one")


def test_an_error_of_ours_is_not_taken_for_an_outage() -> None:
    with tapped(failed("ValidationException")) as wire, pytest.raises(ClientError):
        db.get(LimitRow, "one")
    assert len(wire.attempts) == 1


def delivery(delivery_id: DeliveryId) -> DeliveryRow:
    return DeliveryRow(
        delivery_id,
        user_id=UserId("01HF7YAT0082NBZ2K5339C2K5A"),
        event_id="event",
        type="otp_received",
        body="{}",
        state="pending",
        created_at=START,
        attempts=0,
        due="0",
        next_at=START,
        not_before=START,
        lease_until=0,
        ttl=0,
    )
