"""The built-in carrier of the demo. It speaks the generic format and signs as generic does.

What is sent to one of our own numbers comes back as an inbound SMS, by HTTP as from a carrier, and
is followed by a receipt. What is sent to any other number goes nowhere, and has no receipt: a code
must not lie in our tables for a number that is not ours. Of the account's options, `refuse` lists
prefixes of numbers (`+1,+4420`) that are refused, to show what happens then.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import Channel
from chalicelib.domain.signatures import is_secret, signed_headers
from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.outbound import NotSentError, OutboundError
from chalicelib.providers.contract import EARLIEST, InboundPost, json_object, message_id, required
from chalicelib.providers.generic import METHODS, accepted, parse, verify
from chalicelib.providers.sending import (
    SEND_SECONDS,
    Line,
    OutboundSms,
    Receipt,
    ReceiptStatus,
    SendError,
)
from chalicelib.settings import ProviderAccount

__all__ = [
    "CHANNELS",
    "METHODS",
    "accepted",
    "parse",
    "receipts",
    "send",
    "signed_post",
    "verify",
]

CHANNELS = frozenset({Channel.SMS, Channel.VOICE})
SENDER = "Sesame"
CALLER = "voice"
"""From whom a spoken code comes; what is said is what is posted."""

RECEIPT_SECONDS = 2
MOST_RECEIPTS = 100


def signed_post(
    account: ProviderAccount, sender: str, to: str, text: str, message_id: str, now: Millis
) -> tuple[dict[str, str], bytes]:
    """The headers and body of an inbound post, signed by each of the account's secrets.

    The caller posts them to `/inbound/simulator/{account}`. `message_id` is the `webhook-id` too,
    so it has no full stop and no space. Raises ValueError if a secret is not base 64.
    """
    # Epoch seconds with a fraction: in whole seconds an SMS could precede the rental it is for.
    fields = {
        "message_id": message_id,
        "from": sender,
        "to": to,
        "text": text,
        "received_at": now / SECOND,
    }
    return _signed(account, fields, message_id, now)


def send(sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
    """Deliver `sms` if its number is ours; its id, the same for every try. Raises SendError.

    That the receipt does not arrive is no failure of the sending.
    """
    if _is_refused(sms.to, account.options.get("refuse", "")):
        raise SendError("number_refused", again=False)
    # Hashed, for a reference may have characters that an id may not.
    sent = "sim_" + hashlib.sha256(sms.reference.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    if not line.is_ours(sms.to):
        return sent
    signing = replace(account, secrets=tuple(filter(is_secret, account.secrets)))
    if not signing.secrets:
        raise SendError("not_configured", again=False)
    _deliver(sms, sent, signing, line)
    _tell(sent, signing, line)
    return sent


def receipts(post: InboundPost, now: Millis) -> list[Receipt]:
    """The receipts of the post. Raises InvalidInputError naming the field.

        {"receipts": [{"message_id": "…", "status": "delivered", "at": 1686843045.678,
                       "detail": "…"}]}

    `at` is in epoch seconds; absent it is `now`, and so it is if it is ahead by less than a day.
    `detail` may be absent.
    """
    found = json_object(post.body).get("receipts")
    if not isinstance(found, list) or len(found) > MOST_RECEIPTS:
        raise InvalidInputError("receipts", f"a list of at most {MOST_RECEIPTS} objects")
    return [_receipt(fields, now) for fields in found]


def _is_refused(to: E164, prefixes: str) -> bool:
    return to.startswith(tuple(filter(None, map(str.strip, prefixes.split(",")))))


def _deliver(sms: OutboundSms, sent: str, account: ProviderAccount, line: Line) -> None:
    sender = CALLER if sms.channel is Channel.VOICE else sms.sender or SENDER
    headers, body = signed_post(account, sender, sms.to, sms.text, sent, line.now)
    try:
        answer = line.fetch(
            "POST",
            f"{line.public_url}/inbound/simulator/{account.name}",
            body=body,
            headers=headers,
            deadline_seconds=SEND_SECONDS - RECEIPT_SECONDS,
        )
    except OutboundError as error:
        reason = error.reason if isinstance(error, NotSentError) else "timeout"
        raise SendError(reason, again=True) from None
    if not 200 <= answer.status < 300:
        raise SendError("unavailable", again=True)


def _tell(sent: str, account: ProviderAccount, line: Line) -> None:
    receipt = {
        "message_id": sent,
        "status": ReceiptStatus.DELIVERED,
        "at": line.now / SECOND,
        "detail": "simulated",
    }
    headers, body = _signed(account, {"receipts": [receipt]}, f"{sent}_receipt", line.now)
    with suppress(OutboundError):
        line.fetch(
            "POST", line.receipt_url, body=body, headers=headers, deadline_seconds=RECEIPT_SECONDS
        )


def _signed(
    account: ProviderAccount, fields: Mapping[str, Any], webhook_id: str, now: Millis
) -> tuple[dict[str, str], bytes]:
    body = json.dumps(fields).encode()
    headers = signed_headers(account.secrets, webhook_id, now, body)
    return {"content-type": "application/json", **headers}, body


def _receipt(fields: object, now: Millis) -> Receipt:
    if not isinstance(fields, dict):
        raise InvalidInputError("receipts", "a list of objects")
    status = required(fields, "status")
    if status not in list(ReceiptStatus):
        raise InvalidInputError("status", f"one of {', '.join(ReceiptStatus)}")
    return Receipt(
        message_id=message_id(fields, "message_id"),
        status=ReceiptStatus(status),
        detail=required(fields, "detail", most=64) if "detail" in fields else "",
        at=_at(fields.get("at"), now),
    )


def _at(value: object, now: Millis) -> Millis:
    if value is None:
        return now
    # Infinity (as 1e999) is a float, and beyond any moment.
    if isinstance(value, int | float) and EARLIEST <= value * SECOND <= now + DAY:
        return min(Millis(round(value * SECOND)), now)
    raise InvalidInputError("at", "epoch seconds since 2000 and not ahead of now")
