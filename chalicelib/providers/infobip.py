"""Infobip: a batch of SMS as JSON (its format MO_JSON_2), with a password.

Source: https://www.infobip.com/docs/api/channels/sms/inbound-sms/receive-inbound-sms-messages and
https://www.infobip.com/docs/api/platform/subscriptions-api/create-profile

Of the ways to authenticate that the latter offers, BASIC is taken, besides what unsigned lets in.
Which header its HMAC comes in, and over what, was not found; nor when Infobip repeats a post.
`smsCount` is of parts, which Infobip joins.
"""

from functools import partial

from chalicelib.domain.times import Millis
from chalicelib.providers.batches import read_each
from chalicelib.providers.contract import (
    InboundPost,
    InboundSms,
    Reply,
    json_object,
    message_id,
    required,
    sms_text,
)
from chalicelib.providers.fields import Fields, objects, received_at
from chalicelib.providers.unsigned import may_post
from chalicelib.settings import ProviderAccount

METHODS = frozenset({"POST"})


def verify(post: InboundPost, account: ProviderAccount, now: Millis) -> bool:  # noqa: ARG001
    """Whether the post may speak for the account, by unsigned's rules. `now` plays no part."""
    return may_post(post, account)


def parse(post: InboundPost, now: Millis) -> list[InboundSms]:
    """The SMS of the batch, in its order. Raises InvalidInputError naming the field.

    If only some can't be read that is a PartlyReadError, which has the others.
    """
    results = objects(json_object(post.body).get("results"), "results")
    return read_each(results, partial(_sms, now=now))


def accepted() -> Reply:
    """Nothing: what Infobip wants beside a 200 was not found."""
    return Reply("", "text/plain")


def _sms(item: Fields, *, now: Millis) -> InboundSms:
    found = {f"results.{name}": value for name, value in item.items()}
    return InboundSms(
        message_id=message_id(found, "results.messageId"),
        sender=required(found, "results.from"),
        to=required(found, "results.to"),
        # Not cleanText, which lacks the keyword: the first word may be what matters.
        text=sms_text(found, "results.text"),
        received_at=received_at(found.get("results.receivedAt"), now),
    )
