"""Wrong codes: reported by users, reviewed by the admin."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.code_reports import CodeReport, parse_sms_id
from chalicelib.domain.times import DAY, Clock, Millis
from chalicelib.domain.user import User
from chalicelib.errors import NotFoundError
from chalicelib.services.rentals import Rentals
from chalicelib.settings import Settings
from chalicelib.stores import code_reports


@dataclass(frozen=True, slots=True)
class CodeReports:
    """Takes reports and lists them."""

    settings: Settings
    clock: Clock
    rentals: Rentals

    def report(self, user: User, sms_id: str, right: str) -> CodeReport:
        """Keep that the code of one of the user's SMS is `right`, or that it has none ("").

        Raises NotFoundError, also for somebody else's SMS, and one that is not paid or not kept.
        """
        now = self.clock()
        place = parse_sms_id(sms_id)
        if place is None:
            raise _unknown_sms()
        rental_id, position = place
        messages = self.rentals.find(user, rental_id).messages
        if position >= len(messages) or not messages[position].paid:
            raise _unknown_sms()
        message = messages[position]
        days = self.settings.sms_retention_days
        until = Millis(message.received_at + days * DAY)
        if now >= until:
            raise _unknown_sms()
        report = CodeReport(
            sms_id=sms_id,
            user_id=user.user_id,
            sender=message.sender,
            text=message.text,
            found=message.code or "",
            right=right,
            at=now,
        )
        code_reports.keep(report, until=until)
        return report

    def page(self, before: str | None, *, limit: int) -> tuple[Sequence[CodeReport], str | None]:
        """One page of all reports, for the admin; the second value continues it."""
        found, more = code_reports.page(before, self.clock(), limit=limit)
        return [report for _, report in found], found[-1][0] if more else None


def _unknown_sms() -> NotFoundError:
    return NotFoundError("sms_not_found", "There is no such SMS.", field="id")
