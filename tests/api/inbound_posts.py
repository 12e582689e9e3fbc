"""Genuine posts of every provider, as SESAME_SECRETS has its accounts, and what each is answered.

Signatures are made here by what the providers document; that their SDKs make the same ones is for
tests/providers to show.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import jwt
from chalice.test import HTTPResponse
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey
from twilio.request_validator import RequestValidator
from vonage_http_client import Auth

from chalicelib.domain import signatures
from chalicelib.domain.times import SECOND, Millis, iso
from chalicelib.outbound import Fetched
from chalicelib.providers import simulator
from chalicelib.settings import ProviderAccount
from tests.conftest import SECRETS
from tests.world import get, post

PUBLIC = "https://sesame.test"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = "Your code is 482913"
TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
SID = "SM" + "0" * 32

TOPIC = "arn:aws:sns:us-west-2:123456789012:sesame-sms"
CERTIFICATE_URL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1.pem"
SUBSCRIBE_URL = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
PASSWORD = "sesame:correct horse"
TELNYX = SigningKey(bytes(range(32)))

REPLIES = {
    "aws": (b"", "text/plain"),
    "bird": (b"", "text/plain"),
    "bird_channels": (b"", "text/plain"),
    "clicksend": (b"", "text/plain"),
    "generic": (b'{"status":"success"}', "application/json"),
    "infobip": (b"", "text/plain"),
    "main": (b'{"status":"success"}', "application/json"),
    "messagebird": (b"OK", "text/plain"),
    "octopush": (b"", "text/plain"),
    "plivo": (TWIML.encode(), "application/xml"),
    "simulator": (b'{"status":"success"}', "application/json"),
    "sinch": (b"", "text/plain"),
    "telnyx": (b"", "text/plain"),
    "twilio": (TWIML.encode(), "text/xml"),
    "vonage": (b"", "text/plain"),
}
"""Body and content type of the 200 that each provider wants, byte for byte."""

BY_GET = ("clicksend", "messagebird", "plivo", "twilio", "vonage")


@dataclass(frozen=True)
class Signed:
    """A post as a provider signs it; by GET, all that it says is in the query."""

    provider: str
    headers: dict[str, str]
    body: bytes
    content_type: str
    query: str = ""
    method: str = "POST"

    def send(self, account: str = "demo", **headers: str) -> HTTPResponse:
        path = f"/inbound/{self.provider}/{account}{self.query}"
        if self.method == "GET":
            return get(path, {**self.headers, **headers})
        return post(path, self.body, {**self.headers, **headers}, self.content_type)


def live_secrets(**accounts: dict[str, Any]) -> str:
    """SESAME_SECRETS with an account `demo` at every provider, changed by `accounts`."""
    providers: dict[str, Any] = SECRETS["providers"]  # type: ignore[assignment]
    standard = {"secrets": [standard_secret()]}
    live = {
        "aws": {"secrets": [], "options": {"topic_arn": TOPIC}},
        "bird": standard,
        "bird_channels": {"secrets": [_SECRET]},
        "clicksend": {"secrets": [PASSWORD]},
        "infobip": {"secrets": [PASSWORD]},
        "main": standard,
        "messagebird": {"secrets": [_SECRET]},
        "octopush": {"secrets": [PASSWORD]},
        "plivo": {"secrets": [_SECRET]},
        "sinch": {"secrets": [_SECRET]},
        "telnyx": {"secrets": [base64.b64encode(TELNYX.verify_key.encode()).decode()]},
        "vonage": {"secrets": [_SECRET]},
        **{name: found["demo"] for name, found in providers.items()},
        **accounts,
    }
    return json.dumps(
        {**SECRETS, "providers": {name: {"demo": account} for name, account in live.items()}}
    )


def standard_secret(provider: str = "generic") -> str:
    """The secret of one of the accounts that every test has."""
    providers: dict[str, dict[str, dict[str, list[str]]]] = SECRETS["providers"]  # type: ignore[assignment]
    return providers[provider]["demo"]["secrets"][0]


def genuine(provider: str, now: Millis, to: str, text: str = TEXT, message_id: str = SID) -> Signed:
    """A post of one SMS."""
    return _MADE[provider](now, to, text, message_id)


def genuine_get(provider: str, now: Millis, to: str, text: str = TEXT) -> Signed:
    """A GET of one SMS, by one of BY_GET."""
    return _MADE_GETS[provider](now, to, text, SID)


def standard(
    provider: str, now: Millis, body: bytes, secret: str | None = None, webhook_id: str = "msg-1"
) -> Signed:
    """A body signed by Standard Webhooks."""
    secret = secret or standard_secret(provider)
    return Signed(provider, signatures.signed_headers([secret], webhook_id, now, body), body, JSON)


def by_twilio(fields: dict[str, str], *, query: str = "", token: str | None = None) -> Signed:
    """A form signed by Twilio's SDK, for a URL with that query."""
    url = f"{PUBLIC}/inbound/twilio/demo{query}"
    signature = RequestValidator(token or standard_secret("twilio")).compute_signature(url, fields)
    return Signed(
        "twilio", {"X-Twilio-Signature": signature}, urlencode(fields).encode(), FORM, query
    )


def by_vonage(now: Millis, to: str, **changes: str) -> Signed:
    """A form signed by Vonage's SDK."""
    return Signed("vonage", {}, urlencode(_vonage_fields(now, to, **changes)).encode(), FORM)


def by_infobip(*items: dict[str, Any], password: str = PASSWORD) -> Signed:
    """A batch."""
    return Signed("infobip", _basic(password), json.dumps({"results": items}).encode(), JSON)


def infobip_sms(message_id: str, to: str, text: str | None = TEXT) -> dict[str, Any]:
    """One SMS of a batch; without its text if that is None."""
    fields = {"messageId": message_id, "from": "14155550123", "to": to, "text": text}
    return {name: value for name, value in fields.items() if value is not None}


def by_sns(now: Millis, topic: str = TOPIC, **fields: str) -> Signed:
    """What SNS publishes, or wants confirmed: signed as its second signature version."""
    envelope = {
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": topic,
        "Timestamp": iso(now),
        **fields,
    }
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in sorted(envelope))
    key, _ = _sns()
    signature = key.sign(signed.encode(), PKCS1v15(), hashes.SHA256())
    body = {
        **envelope,
        "SignatureVersion": "2",
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": CERTIFICATE_URL,
    }
    return Signed("aws", {}, json.dumps(body).encode(), "text/plain; charset=UTF-8")


def confirmation(now: Millis, topic: str = TOPIC) -> Signed:
    """What SNS asks before it posts anything else."""
    return by_sns(
        now,
        topic,
        Type="SubscriptionConfirmation",
        Message="You have chosen to subscribe to the topic.",
        SubscribeURL=SUBSCRIBE_URL,
        Token="2336412f37",
    )


@dataclass
class Sns:
    """What can be fetched of SNS, and what was."""

    asked: list[str] = field(default_factory=list)
    status: int = 200

    def __call__(self, method: str, url: str, **_: object) -> Fetched:
        assert method == "GET"
        self.asked.append(url)
        _, certificate = _sns()
        return Fetched(self.status, {CERTIFICATE_URL: certificate, SUBSCRIBE_URL: b""}[url], {})


_SECRET = "a-secret-of-ours-at-a-provider-01"
_NONCE = "05429567804466091622"


@cache
def _sns() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime(2023, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


def _basic(password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"}


def _mac(data: bytes) -> str:
    return base64.b64encode(hmac.digest(_SECRET.encode(), data, "sha256")).decode()


def _aws(now: Millis, to: str, text: str, message_id: str) -> Signed:
    message = {
        "originationNumber": "+14155550123",
        "destinationNumber": to,
        "messageBody": text,
        "inboundMessageId": message_id,
    }
    return by_sns(now, Type="Notification", Message=json.dumps(message))


def _bird(now: Millis, to: str, text: str, message_id: str) -> Signed:
    data = {"sms_id": message_id, "from": "+14155550123", "to": to, "text": text}
    body = json.dumps({"type": "sms.received", "data": data}).encode()
    return standard("bird", now, body, standard_secret())


def _bird_channels(now: Millis, to: str, text: str, message_id: str) -> Signed:
    payload = {
        "id": message_id,
        "sender": {"contact": {"identifierValue": "+14155550123"}},
        "body": {"type": "text", "text": {"text": text}},
    }
    body = json.dumps({"event": "sms.inbound", "payload": payload}).encode()
    query, stamp = f"?to={to.removeprefix('+')}", str(now // SECOND).encode()
    url = f"{PUBLIC}/inbound/bird_channels/demo{query}".encode()
    headers = {
        "MessageBird-Request-Timestamp": stamp.decode(),
        "MessageBird-Signature": _mac(b"\n".join([stamp, url, hashlib.sha256(body).digest()])),
    }
    return Signed("bird_channels", headers, body, JSON, query)


def _clicksend_fields(now: Millis, to: str, text: str, message_id: str) -> dict[str, str]:
    stamp = str(now // SECOND)
    sender = "+61411111111"
    return {"message_id": message_id, "from": sender, "to": to, "body": text, "timestamp": stamp}


def _clicksend(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = _clicksend_fields(now, to, text, message_id)
    return Signed("clicksend", _basic(), urlencode(fields).encode(), FORM)


def _generic(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = {"message_id": message_id, "from": "Acme", "to": to, "text": text}
    return standard("generic", now, json.dumps(fields).encode())


def _infobip(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return by_infobip(infobip_sms(message_id, to, text))


def _main(now: Millis, to: str, text: str, message_id: str) -> Signed:
    data = {"phone_number": to, "otp_code": "482913", "provider": "twilio", "sms_text": text}
    body = json.dumps({"event": "otp_received", "data": data}).encode()
    return standard("main", now, body, standard_secret(), message_id)


def _messagebird_fields(to: str, text: str, message_id: str) -> dict[str, str]:
    recipient = to.removeprefix("+")
    return {"id": message_id, "recipient": recipient, "originator": "14155550123", "body": text}


def _messagebird_token(now: Millis, body: bytes, query: str) -> dict[str, str]:
    url = f"{PUBLIC}/inbound/messagebird/demo{query}"
    claims = {
        "iss": "MessageBird",
        "nbf": now // SECOND,
        "exp": now // SECOND + 60,
        "jti": "93e55006-a0e8-4526-a190-fa5ff00ea116",
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
    }
    if body:
        claims["payload_hash"] = hashlib.sha256(body).hexdigest()
    return {"MessageBird-Signature-JWT": jwt.encode(claims, _SECRET, "HS256")}


def _messagebird(now: Millis, to: str, text: str, message_id: str) -> Signed:
    body = urlencode(_messagebird_fields(to, text, message_id)).encode()
    return Signed("messagebird", _messagebird_token(now, body, ""), body, FORM)


def _octopush(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = {
        "message_id": message_id,
        "number": "+33639980123",
        "text": text,
        "sim_card_number": to,
        "reception_date": "2023-11-14 22:13:19",
    }
    return Signed("octopush", _basic(), json.dumps(fields).encode(), JSON)


def _plivo_fields(to: str, text: str, message_id: str) -> dict[str, str]:
    recipient, uuid = to.removeprefix("+"), str(UUID(hashlib.md5(message_id.encode()).hexdigest()))
    return {"MessageUUID": uuid, "From": "14155550123", "To": recipient, "Text": text}


def _plivo_headers() -> dict[str, str]:
    signature = _mac(f"{PUBLIC}/inbound/plivo/demo{_NONCE}".encode())
    return {"X-Plivo-Signature-V2": signature, "X-Plivo-Signature-V2-Nonce": _NONCE}


def _plivo(now: Millis, to: str, text: str, message_id: str) -> Signed:
    body = urlencode(_plivo_fields(to, text, message_id)).encode()
    return Signed("plivo", _plivo_headers(), body, FORM)


def _simulator(now: Millis, to: str, text: str, message_id: str) -> Signed:
    account = ProviderAccount("demo", (standard_secret("simulator"),))
    headers, body = simulator.signed_post(account, "Acme", to, text, message_id, now)
    return Signed("simulator", headers, body, JSON)


def _sinch(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = {
        "type": "mo_text",
        "id": message_id,
        "from": "14155550123",
        "to": to.removeprefix("+"),
        "body": text,
        "received_at": iso(now),
    }
    body, stamp = json.dumps(fields).encode(), str(now // SECOND)
    name = "X-Sinch-Webhook-Signature"
    headers = {
        name: _mac(body + f".{_NONCE}.{stamp}".encode()),
        f"{name}-Nonce": _NONCE,
        f"{name}-Timestamp": stamp,
        f"{name}-Algorithm": "HmacSHA256",
    }
    return Signed("sinch", headers, body, JSON)


def _telnyx(now: Millis, to: str, text: str, message_id: str) -> Signed:
    payload = {
        "id": message_id,
        "type": "SMS",
        "from": {"phone_number": "+14155550123"},
        "to": [{"phone_number": to}],
        "text": text,
    }
    body = json.dumps({"data": {"event_type": "message.received", "payload": payload}}).encode()
    stamp = str(now // SECOND)
    signature = TELNYX.sign(stamp.encode() + b"|" + body).signature
    headers = {
        "Telnyx-Timestamp": stamp,
        "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
    }
    return Signed("telnyx", headers, body, JSON)


def _twilio(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return by_twilio({"MessageSid": message_id, "From": "Acme", "To": to, "Body": text})


def _vonage_fields(now: Millis, to: str, **changes: str) -> dict[str, str]:
    fields = {
        "msisdn": "14155550123",
        "to": to.removeprefix("+"),
        "messageId": "0A0000000123ABCD1",
        "text": TEXT,
        "type": "text",
        "timestamp": str(now // SECOND),
        **changes,
    }
    auth = Auth(api_key="k", signature_secret=_SECRET, signature_method="sha256")
    return {**fields, "sig": auth.sign_params(dict(fields))}


def _vonage(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return by_vonage(now, to, text=text, messageId=message_id)


def _queried(provider: str, fields: dict[str, str], headers: dict[str, str]) -> Signed:
    return Signed(provider, headers, b"", "", f"?{urlencode(fields)}", "GET")


def _clicksend_get(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return _queried("clicksend", _clicksend_fields(now, to, text, message_id), _basic())


def _messagebird_get(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = _messagebird_fields(to, text, message_id)
    token = _messagebird_token(now, b"", f"?{urlencode(fields)}")
    return _queried("messagebird", fields, token)


def _plivo_get(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return _queried("plivo", _plivo_fields(to, text, message_id), _plivo_headers())


def _twilio_get(now: Millis, to: str, text: str, message_id: str) -> Signed:
    fields = {"MessageSid": message_id, "From": "Acme", "To": to, "Body": text}
    signed = by_twilio({}, query=f"?{urlencode(fields)}")
    return _queried("twilio", fields, signed.headers)


def _vonage_get(now: Millis, to: str, text: str, message_id: str) -> Signed:
    return _queried("vonage", _vonage_fields(now, to, text=text, messageId=message_id), {})


_Make = Callable[[Millis, str, str, str], Signed]
_MADE: dict[str, _Make] = {
    "aws": _aws,
    "bird": _bird,
    "bird_channels": _bird_channels,
    "clicksend": _clicksend,
    "generic": _generic,
    "infobip": _infobip,
    "main": _main,
    "messagebird": _messagebird,
    "octopush": _octopush,
    "plivo": _plivo,
    "simulator": _simulator,
    "sinch": _sinch,
    "telnyx": _telnyx,
    "twilio": _twilio,
    "vonage": _vonage,
}
_MADE_GETS: dict[str, _Make] = {
    "clicksend": _clicksend_get,
    "messagebird": _messagebird_get,
    "plivo": _plivo_get,
    "twilio": _twilio_get,
    "vonage": _vonage_get,
}
