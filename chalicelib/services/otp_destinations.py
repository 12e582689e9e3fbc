"""Where codes are sent to, by what, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Autofill, Channel, OtpDefaults, OtpRequest, Warning
from chalicelib.domain.otp_text import render_sms, with_autofill
from chalicelib.domain.phone import is_costly
from chalicelib.domain.segments import segment_count
from chalicelib.errors import ForbiddenError
from chalicelib.settings import Settings


@dataclass(frozen=True, slots=True)
class Destinations:
    """The destinations that our routes and prices make."""

    settings: Settings

    def routed(self, wanted: OtpRequest) -> tuple[OtpRequest, Sequence[Warning]]:
        """The request by a channel that there is: a call that nobody makes becomes an SMS."""
        price = self.settings.otp_tariff.price(wanted.country, wanted.channel)
        if wanted.channel is Channel.SMS or price is not None:
            return wanted, ()
        why = f"There are no calls to {wanted.country}."
        warning = Warning("channel", str(wanted.channel), str(Channel.SMS), why)
        return replace(wanted, channel=Channel.SMS), (warning,)

    def price(self, wanted: OtpRequest, defaults: OtpDefaults) -> tuple[Micros, int]:
        """What sending costs, and its segments.

        Raises ForbiddenError if it is not for sale, for a number that is called for money, and for
        a sender that the account does not allow.
        """
        _check(wanted, defaults)
        price = self.settings.otp_tariff.price(wanted.country, wanted.channel)
        if price is None or not self.settings.otp_routes.to(wanted.country):
            raise no_destination(f"Nothing is sent to {wanted.country}.")
        segments = 1
        if wanted.channel is Channel.SMS:
            # Of any code of this shape: all that codes are made of is in the GSM alphabet.
            code = "0" * wanted.shape.length
            template = with_autofill(wanted.text, defaults.autofill)
            text = render_sms(template, code, wanted.validity_period, Autofill())
            segments = segment_count(text)
        return Micros(price * segments), segments


def _check(wanted: OtpRequest, defaults: OtpDefaults) -> None:
    if not wanted.country:
        raise no_destination("Nothing is sent to numbers that are of no country.")
    if is_costly(wanted.phone_number):
        raise no_destination("Nothing is sent to premium-rate and shared-cost numbers.")
    if wanted.sender and defaults.senders and wanted.sender not in defaults.senders:
        raise ForbiddenError(
            "sender_forbidden", "sender: expected one that the account allows.", field="sender"
        )


def no_destination(message: str) -> ForbiddenError:
    """What is said of a number that is not sent to."""
    return ForbiddenError("destination_forbidden", message, field="phone_number")
