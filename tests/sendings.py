"""Codes on their way, in tests: carriers that do as they are told, and what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.bootstrap import Platform
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel
from chalicelib.domain.ticket import Sending, SendingState, Ticket
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.providers.contract import InboundPost
from chalicelib.providers.sending import (
    Line,
    OutboundSms,
    Receipt,
    ReceiptStatus,
    Sender,
    SendError,
)
from chalicelib.services.otp import Generated
from chalicelib.services.otp_lines import Lines
from chalicelib.services.otp_sending import OtpSending
from chalicelib.services.otp_tickets import Found
from chalicelib.settings import ProviderAccount
from chalicelib.stores import db, ticket_sendings, tickets
from chalicelib.stores.ticket_items import TicketRow
from tests.carriers import Loop
from tests.conftest import SECRETS, Stack
from tests.world import World

NUMBER = "+14155552671"
SMS_PRICE, CALL_PRICE = Micros(40_000), Micros(100_000)
HOOK = "http://127.0.0.1:9/hook"
BUSY = SendError("unavailable", again=True)
NEVER = SendError("number_refused", again=False)


@dataclass
class Carrier:
    """A provider that sends: of each message, the next of its `script` is raised, called, or is
    the id that it gives; then it takes everything."""

    name: str
    script: list[Any] = field(default_factory=list)
    sent: list[OutboundSms] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    CHANNELS: frozenset[Channel] = frozenset(Channel)

    def send(self, sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
        self.sent.append(sms)
        self.lines.append(line)
        self.accounts.append(account.name)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        found = step() if callable(step) else step
        return found if isinstance(found, str) else f"{self.name}-{len(self.sent)}"

    def receipts(self, post: InboundPost, now: Millis) -> list[Receipt]:
        raise AssertionError("nobody posts to it")


class Post(World):
    """A stack whose codes go by carriers of its own."""

    carriers: dict[str, Carrier]

    def open(self, **routes: list[str]) -> "Post":
        """Send by carriers `first`, `second` and `third`, whose account is `main`.

        `everywhere` are the routes of `*`.
        """
        names = ("first", "second", "third")
        self.carriers = {name: Carrier(name) for name in names}
        accounts = {name: {"main": {"secrets": ["s"]}} for name in names}
        providers = {**SECRETS["providers"], **accounts}  # type: ignore[dict-item]
        by_country = {name if name != "everywhere" else "*": to for name, to in routes.items()}
        self.stack.configure(
            SESAME_SECRETS=json.dumps({**SECRETS, "providers": providers}),
            SESAME_OTP_ROUTES=json.dumps({"*": [f"{name}:main" for name in names], **by_country}),
        )
        return self

    @property
    def asked(self) -> list[str]:
        """Which carriers were asked, each as often as it was."""
        return [name for name, carrier in self.carriers.items() for _ in carrier.sent]

    def sending(self, platform: Platform | None = None) -> OtpSending:
        """What the send_otp Lambda does, in a Lambda of its own."""
        here = platform or self.elsewhere()
        find: Callable[[str], Sender | None] = self.carriers.get
        lines = Lines(here.settings, Loop(down=True))
        return replace(here.otp_sending, find_sender=find, make_line=lines.to)

    def advance(self, made: Generated) -> None:
        """One message of the queue, come to a Lambda of its own."""
        self.sending().advance(made.token)

    def advance_tickets(self) -> None:
        while tokens := self._drain(self.stack.platform.settings.otp_queue):
            for message in tokens:
                self.sending().advance(message["token"])

    def sweep(self, seconds: float = 76) -> None:
        """The schedule, so much later, and what it has done."""
        self.stack.clock.advance(seconds=seconds)
        self.elsewhere().jobs.requeue_otp()
        self.advance_tickets()

    def generate(self, user: User, **given: object) -> Generated:
        """A code that the user asks for, not sent yet."""
        fresh = self.find(user)
        return self.stack.platform.otp.generate(fresh, {"phone_number": NUMBER, **given})

    def sent(self, user: User, **given: object) -> Generated:
        """A code that the user asks for, and that is sent."""
        made = self.generate(user, **given)
        self.advance_tickets()
        return made

    def ticket(self, made: Generated) -> Ticket:
        found = tickets.get_any([made.token])
        assert found is not None
        return found

    def last(self, made: Generated) -> Sending:
        """A ticket's last sending."""
        return self.ticket(made).sendings[-1]

    def row(self, made: Generated) -> TicketRow:
        row = db.get(TicketRow, made.token)
        assert row is not None
        return row

    def lookup(self, user: User, made: Generated) -> Found:
        return self.elsewhere().otp_tickets.find(user, made.ticket_number)

    def code(self, sms: OutboundSms) -> str:
        """The code in an SMS of the built-in text."""
        (found,) = [word.strip(".") for word in sms.text.split() if word.strip(".").isdigit()]
        return found

    def validate(self, user: User, made: Generated, code: str) -> int:
        given = {"otp_request_token": made.token, "code": code}
        return int(self.elsewhere().otp_tickets.validate(user, given).verdict)

    def hears(self, made: Generated, status: str, detail: str = "", *, position: int = -1) -> None:
        """A receipt of one of its sendings."""
        of = self.ticket(made).sendings[position]
        now = self.stack.clock.now
        receipt = Receipt(of.message_id, ReceiptStatus(status), detail, now)
        self.elsewhere().otp_receipts.receive(of.provider, of.account, receipt)

    def refunds(self, user: User) -> list[str]:
        """The causes of a user's refunds."""
        return [entry.cause for entry in self.ledger(user) if entry.kind == "refund"]

    def causes(self, user: User, made: Generated, kind: str) -> list[str]:
        """Those of a ticket's entries of that kind."""
        lines = [entry for entry in self.ledger(user) if entry.reference == made.ticket_number]
        return [entry.cause for entry in lines if entry.kind == kind]

    def assert_over(self, user: User, made: Generated) -> None:
        """Each sending was sent or refunded, once and never both, and nothing is due."""
        row, sendings = self.row(made), self.ticket(made).sendings
        assert all(each.state is not SendingState.QUEUED for each in sendings)
        failed = [each.sending_id for each in sendings if each.state is SendingState.FAILED]
        assert self.causes(user, made, "refund") == sorted(failed)
        paid = self.causes(user, made, "otp")
        assert paid == sorted(each.sending_id for each in sendings)
        assert (row.lease, row.lease_until, row.due, row.due_at) == (None, 0, None, None)
        self.assert_i2(user)


def post_in(stack: Stack) -> Post:
    """It, with three carriers."""
    return Post(stack).open()


def heard(post: Post, made: Generated) -> list[list[str]]:
    """The statuses of each sending's receipts."""
    return [
        [each.status for each in of_one] for of_one in ticket_sendings.heard_of(post.ticket(made))
    ]
