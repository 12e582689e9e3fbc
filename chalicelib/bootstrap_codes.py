"""The parts of the platform that send and check codes; see `bootstrap`."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.bootstrap_telling import TellingServices

if TYPE_CHECKING:
    from chalicelib.services.otp import Otp
    from chalicelib.services.otp_receipts import OtpReceipts
    from chalicelib.services.otp_sending import OtpSending
    from chalicelib.services.otp_tickets import OtpTickets


class CodeServices(TellingServices):
    """The part of a Platform that is about codes."""

    @cached_property
    def otp_tickets(self) -> "OtpTickets":
        """Codes that were sent."""
        from chalicelib.services.otp_tickets import OtpTickets

        return OtpTickets(self.settings, self.clock)

    @cached_property
    def otp(self) -> "Otp":
        """Codes that are asked for."""
        from chalicelib.services.otp import Otp
        from chalicelib.services.otp_destinations import Destinations

        return Otp(
            settings=self.settings,
            clock=self.clock,
            tickets=self.otp_tickets,
            destinations=Destinations(self.settings),
            low_balance=self.low_balance,
        )

    @cached_property
    def otp_sending(self) -> "OtpSending":
        """Having them sent."""
        from chalicelib.providers import registry
        from chalicelib.services.otp_lines import Lines
        from chalicelib.services.otp_sending import OtpSending

        lines = Lines(self.settings, self.outside)
        tickets = self.otp_tickets
        return OtpSending(
            self.settings,
            self.clock,
            tickets,
            registry.sender,
            lines.to,
            self.webhooks,
            self.low_balance,
        )

    @cached_property
    def otp_receipts(self) -> "OtpReceipts":
        """What became of them."""
        from chalicelib.services.otp_receipts import OtpReceipts

        return OtpReceipts(self.settings, self.clock, self.otp_tickets)
