"""What a provider that sends is given, and what it says: see contract.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import Channel, Gender
from chalicelib.domain.times import Millis
from chalicelib.outbound import Fetch
from chalicelib.providers.contract import InboundPost
from chalicelib.settings import ProviderAccount

SEND_SECONDS = 8
"""How long one provider may take."""


@dataclass(frozen=True, slots=True)
class OutboundSms:
    """A message to be sent, or (by channel) spoken. `text` is what is written, or said.

    `sender` is a sender ID, "" for the account's own. `reference` is our id of this sending: the
    same when it is tried again. After `valid_seconds` it is of no use to anybody.
    """

    reference: str
    to: E164
    text: str = field(repr=False)
    channel: Channel
    sender: str
    language: str
    gender: Gender
    valid_seconds: int


@dataclass(frozen=True, slots=True)
class Line:
    """How a provider's module reaches the outside.

    `receipt_url` is where its receipts are to be posted. `aws_client` makes a client of an AWS
    service in a region. `is_ours` tells whether a number is one of our stock.
    """

    fetch: Fetch
    public_url: str
    receipt_url: str
    now: Millis
    is_ours: Callable[[E164], bool]
    aws_client: Callable[[str, str], Any]


class SendError(Exception):
    """A provider did not take a message.

    `reason` is a short code of lower-case letters and underscores, with nothing that a message
    holds in it: `not_configured`, `number_refused`, `sender_refused`, `timeout` … `again` says
    that the same provider may take the same message later.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class ReceiptStatus(StrEnum):
    """What a delivery receipt says. The last two are final."""

    ON_ITS_WAY = "on_its_way"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message, by the provider's id of it. `detail` is the provider's own code."""

    message_id: str
    status: ReceiptStatus
    detail: str
    at: Millis


class Sender(Protocol):
    """The contract of a provider that sends."""

    CHANNELS: frozenset[Channel]

    def send(self, sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
        """Send `sms`; the provider's id of it. Raises SendError, and nothing else."""

    def receipts(self, post: InboundPost, now: Millis) -> list[Receipt]:
        """The receipts in a genuine post. Raises InvalidInputError naming the field."""
