"""The built-in carrier of the demo. It speaks the generic format and signs as generic does."""

import json

from chalicelib.domain.signatures import signed_headers
from chalicelib.domain.times import SECOND, Millis
from chalicelib.providers.generic import METHODS, accepted, parse, verify
from chalicelib.settings import ProviderAccount

__all__ = ["METHODS", "accepted", "parse", "signed_post", "verify"]


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
    body = json.dumps(fields).encode()
    headers = signed_headers(account.secrets, message_id, now, body)
    return {"content-type": "application/json", **headers}, body
