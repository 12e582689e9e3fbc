"""What an account's limits decided: kept as long as its events, newest first when read."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.fraud import Decision, RuleName
from chalicelib.domain.ids import E164, UserId, new_ulid
from chalicelib.domain.times import DAY, SECOND, Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.outbox_items import EventRow

BLOCKED = "blocked"
MONITORED = "monitored"


@dataclass(frozen=True, slots=True)
class NotedDecision:
    """A decision as it is listed. `reference` is the ticket's number, "" for what was refused."""

    decision_id: str
    rule: RuleName
    outcome: str
    phone_number: E164
    reference: str


def steps(
    user_id: UserId,
    number: E164,
    reference: str,
    found: Sequence[Decision],
    now: Millis,
    retention_days: int,
) -> dict[str, db.Step]:
    """The parts of a transaction that note decisions."""
    return {
        f"decision_{decision.rule}": db.put(
            _row_of(user_id, number, reference, decision, now, retention_days),
            EventRow.event_id.does_not_exist(),
        )
        for decision in found
    }


def note(
    user_id: UserId, number: E164, decision: Decision, now: Millis, retention_days: int
) -> None:
    """Note a decision by which nothing was sent."""
    db.write(_row_of(user_id, number, "", decision, now, retention_days))


def of_user(
    user_id: UserId, before: str | None, now: Millis, *, limit: int
) -> tuple[Sequence[NotedDecision], bool]:
    """One page of a user's decisions, the newest first, older than that id; whether there are
    more. Without those whose time is over, removed yet or not."""
    condition = EventRow.user_id == _partition(user_id)
    if before is not None:
        condition &= EventRow.event_id < before
    found = db.query(EventRow, condition, limit=limit + 1, forward=False)
    kept = [row for row in found.items if row.ttl * SECOND > now]
    more = len(kept) > limit or (found.start is not None and len(kept) == len(found.items))
    return [_decision_of(row) for row in kept[:limit]], more


def _row_of(
    user_id: UserId,
    number: E164,
    reference: str,
    decision: Decision,
    now: Millis,
    retention_days: int,
) -> EventRow:
    return EventRow(
        _partition(user_id),
        new_ulid(now),
        type=f"{decision.rule}#{BLOCKED if decision.blocked else MONITORED}",
        body=number,
        reference=reference,
        ttl=epoch_seconds(Millis(now + retention_days * DAY)),
    )


def _decision_of(row: EventRow) -> NotedDecision:
    rule, _, outcome = row.type.partition("#")
    return NotedDecision(
        decision_id=row.event_id,
        rule=RuleName(rule),
        outcome=outcome,
        phone_number=E164(row.body),
        reference=row.reference,
    )


def _partition(user_id: UserId) -> str:
    return f"decisions#{user_id}"
