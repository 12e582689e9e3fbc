"""Four carriers that post SMS, each signed as by the carrier's own SDK (Telnyx: by its key)."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from nacl.signing import SigningKey
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from vonage_http_client import Auth  # type: ignore[import-untyped]

from chalicelib.domain.ids import E164
from chalicelib.domain.signatures import SECRET_PREFIX, signed_headers
from chalicelib.domain.times import SECOND, Millis
from chalicelib.providers.contract import Part
from local.gateway import HttpRequest

ACCOUNT = "flood"
JOINS_NOT = "vonage"
"""The carrier that posts each part of a long SMS."""

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Text:
    """What a carrier has to post: an SMS, or a part of one. `message_id` has 32 hexadecimals."""

    message_id: str
    to: E164
    text: str
    part: Part | None = None


@dataclass(frozen=True)
class Carriers:
    """The carriers' keys, and the public URL that they post to."""

    public_url: str
    generic_secret: str = field(
        default_factory=lambda: SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    )
    twilio_token: str = field(default_factory=lambda: secrets.token_hex(16))
    vonage_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    telnyx_key: SigningKey = field(default_factory=SigningKey.generate)

    def accounts(self) -> dict[str, Any]:
        """Our accounts with them, as SESAME_SECRETS has `providers`."""
        telnyx = base64.b64encode(self.telnyx_key.verify_key.encode()).decode()
        opens = {
            "generic": self.generic_secret,
            "twilio": self.twilio_token,
            "vonage": self.vonage_secret,
            "telnyx": telnyx,
        }
        return {name: {ACCOUNT: {"secrets": [secret]}} for name, secret in opens.items()}

    def by_generic(self, sms: Text, now: Millis) -> HttpRequest:
        """JSON by Standard Webhooks."""
        fields = {"message_id": sms.message_id, "from": "Acme", "to": sms.to, "text": sms.text}
        body = json.dumps(fields).encode()
        headers = signed_headers([self.generic_secret], sms.message_id, now, body)
        return self._request("generic", body, {"Content-Type": "application/json", **headers})

    def by_twilio(self, sms: Text, now: Millis) -> HttpRequest:  # noqa: ARG002
        """A form, signed with the URL."""
        sid = f"SM{sms.message_id}"
        fields = {"MessageSid": sid, "From": "+14155550123", "To": sms.to, "Body": sms.text}
        url = f"{self.public_url}/inbound/twilio/{ACCOUNT}"
        signature = RequestValidator(self.twilio_token).compute_signature(url, fields)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
        return self._request("twilio", urlencode(fields).encode(), headers)

    def by_vonage(self, sms: Text, now: Millis) -> HttpRequest:
        """A form with its signature in it; each part of a long SMS by itself, under one id."""
        fields = {
            "msisdn": "14155550123",
            "to": sms.to.removeprefix("+"),
            "messageId": sms.message_id.upper(),
            "text": sms.text,
            "type": "text",
            "timestamp": str(now // SECOND),
        }
        if sms.part is not None:
            fields |= {
                "concat": "true",
                "concat-ref": sms.part.group,
                "concat-part": str(sms.part.number),
                "concat-total": str(sms.part.total),
            }
        auth = Auth(api_key="flood", signature_secret=self.vonage_secret, signature_method="sha256")
        body = urlencode({**fields, "sig": auth.sign_params(dict(fields))}).encode()
        return self._request("vonage", body, {"Content-Type": FORM})

    def by_telnyx(self, sms: Text, now: Millis) -> HttpRequest:
        """JSON, its time and body signed by Ed25519."""
        payload = {
            "id": sms.message_id,
            "type": "SMS",
            "from": {"phone_number": "+14155550123"},
            "to": [{"phone_number": sms.to}],
            "text": sms.text,
        }
        body = json.dumps({"data": {"event_type": "message.received", "payload": payload}}).encode()
        stamp = str(now // SECOND)
        signature = self.telnyx_key.sign(stamp.encode() + b"|" + body).signature
        headers = {
            "Content-Type": "application/json",
            "Telnyx-Timestamp": stamp,
            "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
        }
        return self._request("telnyx", body, headers)

    def signers(self) -> Mapping[str, Callable[[Text, Millis], HttpRequest]]:
        """How each carrier posts, by its name."""
        return {
            "generic": self.by_generic,
            "twilio": self.by_twilio,
            "vonage": self.by_vonage,
            "telnyx": self.by_telnyx,
        }

    def _request(self, carrier: str, body: bytes, headers: Mapping[str, str]) -> HttpRequest:
        return HttpRequest("POST", f"/inbound/{carrier}/{ACCOUNT}", list(headers.items()), body)


class Post:
    """One post, signed when it is first sent: whoever sends it again sends the same bytes."""

    def __init__(
        self, carrier: str, sms: Text, sign: Callable[[Text, Millis], HttpRequest]
    ) -> None:
        self.carrier, self.sms = carrier, sms
        self._sign, self._lock = sign, Lock()
        self._request: HttpRequest | None = None

    def request(self, now: Millis) -> HttpRequest:
        """The request, signed at `now` if it was not yet."""
        with self._lock:
            if self._request is None:
                self._request = self._sign(self.sms, now)
            return self._request
