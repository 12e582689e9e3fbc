"""The messages that codes are sent in: the one place where a code is put into words."""

from chalicelib.domain.otp import Autofill, Channel
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.otp_text import render_sms, render_voice
from chalicelib.domain.ticket import Sending, Ticket
from chalicelib.domain.times import SECOND, Millis
from chalicelib.providers.sending import OutboundSms


def message_of(pepper: bytes, ticket: Ticket, sending: Sending, now: Millis) -> OutboundSms:
    """What a provider is to send, or to say, with the code that the ticket's token has."""
    code = derive_code(pepper, ticket.token, ticket.shape)
    seconds = max(1, (ticket.expires_at - now) // SECOND)
    if sending.channel is Channel.VOICE:
        text = render_voice(sending.text, code, seconds, sending.language)
    else:
        text = render_sms(sending.text + sending.autofill, code, seconds, Autofill())
    return OutboundSms(
        reference=sending.sending_id,
        to=ticket.phone_number,
        text=text,
        channel=sending.channel,
        sender=sending.sender,
        language=sending.language,
        gender=sending.gender,
        valid_seconds=seconds,
    )
