"""Delivery receipts: what providers say became of the messages that they took."""

from dataclasses import dataclass

from chalicelib.domain.times import DAY, Clock, Millis
from chalicelib.providers.sending import Receipt, ReceiptStatus
from chalicelib.services.otp_tickets import OtpTickets
from chalicelib.settings import Settings
from chalicelib.stores import ticket_sendings
from chalicelib.stores.db import RefusedError
from chalicelib.stores.ticket_sendings import Heard


@dataclass(frozen=True, slots=True)
class OtpReceipts:
    """Keeps receipts with the sendings that they are of."""

    settings: Settings
    clock: Clock
    tickets: OtpTickets

    def receive(self, provider: str, account: str, receipt: Receipt) -> None:
        """Keep a receipt; a failure brings the call forward that follows an SMS.

        It may come before we have written down who took the message. Raises BusyError: the
        provider is to post it again.
        """
        key = ticket_sendings.receipts_key(provider, account, receipt.message_id)
        kept_until = Millis(self.clock() + self.settings.sms_retention_days * DAY)
        heard = Heard(receipt.status, receipt.detail, receipt.at)
        token = ticket_sendings.hear(key, heard, kept_until)
        if token is None or receipt.status is not ReceiptStatus.UNDELIVERED:
            return
        try:
            ticket_sendings.hasten(token, self.clock())
        except RefusedError:
            # Nothing waits for it: no call follows.
            return
        self.tickets.tell(token)
