"""AWS End User Messaging SMS: an SMS, or what became of one of ours, published by Amazon SNS.

Sources: https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html,
…/configuration-sets-event-format.html and …/configuration-sets-event-types.html

What SNS signs is in aws_sns.py. As anybody may own a topic, it must be one of those in the
account's option `topic_arn` (several with blanks between them). "Raw message delivery" has no
signature and is refused. How we send, and the options for that, is in aws_sending.py.
"""

import re
from collections.abc import Mapping

from chalicelib.domain.times import SECOND, Millis, parse_iso
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import aws_sns
from chalicelib.providers.aws_sending import CHANNELS, send
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    message_id,
    plausible,
    required,
    sms_text,
)
from chalicelib.providers.sending import Receipt, ReceiptStatus
from chalicelib.settings import ProviderAccount

__all__ = [
    "CHANNELS",
    "METHODS",
    "accepted",
    "certificate_url",
    "confirmation_url",
    "parse",
    "receipts",
    "send",
    "verify",
]

METHODS = frozenset({"POST"})

WINDOW_SECONDS = 3_600
"""A repeat keeps the time of the first attempt, and SNS gives up an hour after that at most."""

_EVENT_TYPE = re.compile(r"[A-Z_]{1,64}")
_DELIVERED = frozenset({"TEXT_DELIVERED", "TEXT_SUCCESSFUL", "VOICE_COMPLETED"})
"""Which of the first two comes depends on the country: some carriers tell no more."""
_UNDELIVERED = frozenset(
    {
        "TEXT_BLOCKED",
        "TEXT_CARRIER_BLOCKED",
        "TEXT_CARRIER_UNREACHABLE",
        "TEXT_INVALID",
        "TEXT_INVALID_MESSAGE",
        "TEXT_PROTECT_BLOCKED",
        "TEXT_SPAM",
        "TEXT_TTL_EXPIRED",
        "TEXT_UNREACHABLE",
        "VOICE_BUSY",
        "VOICE_FAILED",
        "VOICE_NO_ANSWER",
        "VOICE_TTL_EXPIRED",
    }
)


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
    """Whether SNS published this on one of the account's topics, within an hour of `now`.

    `post.certificate` is what was found at `certificate_url`; without it nothing is genuine. The
    account's secrets play no part: there are none.
    """
    envelope = aws_sns.genuine(post, _topics(account))
    if envelope is None:
        return False
    try:
        published_at = parse_iso(envelope["Timestamp"])
    except ValueError:
        return False
    return abs(now // SECOND - published_at // SECOND) <= WINDOW_SECONDS


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The one SMS of the post; none if it is a confirmation, or an event of a message of ours.

    Raises InvalidInputError naming the field. SNS alone says when: the SMS has no time.
    """
    envelope = aws_sns.envelope(post.body)
    message = _message(envelope)
    if message is None or _is_event(message):
        return []
    return [
        InboundSms(
            message_id=message_id(message, "inboundMessageId"),
            sender=required(message, "originationNumber"),
            to=required(message, "destinationNumber"),
            text=sms_text(message, "messageBody"),
            received_at=_published_at(envelope, now),
        )
    ]


def accepted() -> Reply:
    """An empty answer, as SNS reads none. It repeats after a 5xx or 429, and after no other 4xx."""
    return Reply("", "text/plain")


def certificate_url(post: InboundPost, account: ProviderAccount) -> str | None:
    """Where the certificate is that a post of one of the account's topics is signed by; else None.

    It is fetched before it is known whose the post is: only from SNS's own host.
    """
    return aws_sns.certificate_url(post, _topics(account))


def confirmation_url(post: InboundPost, account: ProviderAccount) -> str | None:
    """What is to be fetched for SNS to post to us, if this genuinely asks to confirm a
    subscription to one of the account's topics; else None.
    """
    return aws_sns.confirmation_url(post, _topics(account))


def receipts(post: InboundPost, now: Millis) -> list[Receipt]:
    """The one receipt of the post; none if it is a confirmation, an SMS, or an event of a medium
    that we don't send by.

    Raises InvalidInputError naming the field. What is not final (`isFinal`) is on its way, and so
    is what AWS does not know (TEXT_UNKNOWN) or we don't. `detail` is the event's type.
    """
    message = _message(aws_sns.envelope(post.body))
    if message is None or not _is_event(message):
        return []
    kind = required(message, "eventType")
    if not _EVENT_TYPE.fullmatch(kind):
        raise InvalidInputError("eventType", "capital letters and underscores")
    if not kind.startswith(("TEXT_", "VOICE_")):
        return []
    return [
        Receipt(
            message_id=message_id(message, "messageId"),
            status=_status(kind, is_final=message.get("isFinal") is not False),
            detail=kind,
            at=_event_time(message, now),
        )
    ]


def _topics(account: ProviderAccount) -> list[str]:
    return account.options.get("topic_arn", "").split()


def _message(envelope: aws_sns.Envelope) -> Mapping[str, object] | None:
    """What was published; None in a confirmation. Raises InvalidInputError naming `Message`."""
    if envelope["Type"] != aws_sns.NOTIFICATION:
        return None
    try:
        return json_object(envelope["Message"].encode("utf-8", "surrogatepass"))
    except InvalidInputError:
        raise InvalidInputError("Message", "a JSON object") from None


def _is_event(message: Mapping[str, object]) -> bool:
    """Whether this tells of a message of ours: one topic may carry both, for both our URLs."""
    return "eventType" in message and "inboundMessageId" not in message


def _published_at(envelope: aws_sns.Envelope, now: Millis) -> Millis:
    try:
        moment = parse_iso(envelope["Timestamp"])
    except ValueError:
        raise InvalidInputError("Timestamp", "an ISO 8601 time") from None
    return plausible("Timestamp", moment, now)


def _event_time(message: Mapping[str, object], now: Millis) -> Millis:
    value = message.get("eventTimestamp")
    if value is None:
        raise MissingInputError("eventTimestamp", "epoch milliseconds")
    if not isinstance(value, int):
        raise InvalidInputError("eventTimestamp", "epoch milliseconds")
    return plausible("eventTimestamp", value, now)


def _status(kind: str, *, is_final: bool) -> ReceiptStatus:
    if is_final and kind in _DELIVERED:
        return ReceiptStatus.DELIVERED
    if is_final and kind in _UNDELIVERED:
        return ReceiptStatus.UNDELIVERED
    return ReceiptStatus.ON_ITS_WAY
