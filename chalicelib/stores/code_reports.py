"""Reports of wrong codes, among the inbound SMS and under the fate `reported`: one for each SMS."""

from collections.abc import Sequence

from chalicelib.domain.code_reports import CodeReport
from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.times import Millis, epoch_seconds
from chalicelib.stores import db
from chalicelib.stores.inbound import Fate
from chalicelib.stores.tables import InboundRow


def keep(report: CodeReport, *, until: Millis) -> None:
    """Keep a report as long as its SMS; said again of the same SMS, the last one counts."""
    db.write(
        InboundRow(
            f"report#{report.sms_id}",
            fate=Fate.REPORTED,
            sender=report.sender,
            recipient=report.user_id,
            text=report.text,
            received_at=report.at,
            stored_at=report.at,
            code_found=report.found,
            code_right=report.right,
            unclaimed_id=new_ulid(report.at),
            ttl=epoch_seconds(until),
        )
    )


def page(
    before: str | None, now: Millis, *, limit: int
) -> tuple[Sequence[tuple[str, CodeReport]], bool]:
    """One page of the reports, the newest first, each with its position; whether there are more.

    Those whose time is over are not shown, though they may be there yet.
    """
    condition = InboundRow.fate == Fate.REPORTED
    if before is not None:
        condition &= InboundRow.unclaimed_id < before
    found = db.query(InboundRow, condition, index="unclaimed", limit=limit + 1, forward=False)
    more = len(found.items) > limit or found.start is not None
    kept = [row for row in found.items[:limit] if row.ttl > epoch_seconds(now)]
    return [(row.unclaimed_id or "", _report_of(row)) for row in kept], more and bool(kept)


def _report_of(row: InboundRow) -> CodeReport:
    return CodeReport(
        sms_id=row.message_key.removeprefix("report#"),
        user_id=UserId(row.recipient),
        sender=row.sender,
        text=row.text,
        found=row.code_found or "",
        right=row.code_right or "",
        at=Millis(row.stored_at),
    )
