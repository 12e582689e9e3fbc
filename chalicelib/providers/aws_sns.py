"""What Amazon SNS posts, whatever is published: its envelope, its signature, its confirmations.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html,
…/http-subscription-confirmation-json.html and …/sns-message-delivery-retries.html

A signature covers what was published (message, its id and time, topic, type), not our URL, and
proves no more than that SNS published it: anybody may own a topic. The certificate counts
because it came by HTTPS from SNS's own host; neither its issuer nor its dates are looked at.
"""

import base64
import re
from collections.abc import Collection, Mapping

from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers.contract import InboundPost, json_object

NOTIFICATION = "Notification"
_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED_FIELDS = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMED,
    "UnsubscribeConfirmation": _CONFIRMED,
}
# A region, and nothing like one: sns.s3.amazonaws.com would be somebody's bucket.
_SNS = r"https://sns\.[a-z]{2}(?:-[a-z]{1,20}){1,3}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?/"
_CERTIFICATE_URL = re.compile(_SNS + r"[A-Za-z0-9_-]{1,200}\.pem")
_SUBSCRIBE_URL = re.compile(_SNS + r"\?[!-~]{1,2000}")

Envelope = Mapping[str, str]
"""The texts that a signature covers, by their names, in its order."""


def envelope(body: bytes) -> Envelope:
    """What SNS posted, genuine or not. Raises InvalidInputError naming the field."""
    return _signed_fields(json_object(body))


def genuine(post: InboundPost, topics: Collection[str]) -> Envelope | None:
    """What SNS posted, if it signed it for one of `topics` (ARNs); else None. Never raises.

    `post.certificate` is what was found at `certificate_url`; without it nothing is genuine.
    """
    try:
        fields = json_object(post.body)
        found = _signed_fields(fields)
    except InvalidInputError:
        return None
    if _certificate_url(fields) is None or found["TopicArn"] not in topics:
        return None
    signature, version = fields.get("Signature"), fields.get("SignatureVersion")
    if not isinstance(signature, str) or not isinstance(version, str):
        return None
    text = "".join(f"{name}\n{value}\n" for name, value in found.items())
    # Lone surrogates must not raise, nor be taken for one another.
    signed = text.encode("utf-8", "surrogatepass")
    return found if _is_signed(signed, signature, version, post.certificate) else None


def certificate_url(post: InboundPost, topics: Collection[str]) -> str | None:
    """Where the certificate of the post's signer is, if that is SNS's own host and the post says
    that it is of one of `topics`; else None.
    """
    try:
        fields = json_object(post.body)
    except InvalidInputError:
        return None
    return _certificate_url(fields) if fields.get("TopicArn") in topics else None


def confirmation_url(post: InboundPost, topics: Collection[str]) -> str | None:
    """What is to be fetched for SNS to post to us, if this genuinely asks to confirm a
    subscription to one of `topics`; else None.
    """
    found = genuine(post, topics)
    if found is None or found["Type"] != "SubscriptionConfirmation":
        return None
    url = found["SubscribeURL"]
    return url if _SUBSCRIBE_URL.fullmatch(url) else None


def _certificate_url(fields: Mapping[str, object]) -> str | None:
    url = fields.get("SigningCertURL")
    return url if isinstance(url, str) and _CERTIFICATE_URL.fullmatch(url) else None


def _signed_fields(fields: Mapping[str, object]) -> Envelope:
    kind = fields.get("Type")
    if kind is None:
        raise MissingInputError("Type", "the type of SNS's message")
    names = _SIGNED_FIELDS.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise InvalidInputError("Type", f"one of {', '.join(_SIGNED_FIELDS)}")
    return {
        name: _signed_text(fields, name)
        for name in names
        if name != "Subject" or fields.get(name) is not None
    }


def _signed_text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise MissingInputError(name, "a text")
    # Names and values are signed as lines: only one value may have several, or a captured post
    # could be cut up differently.
    if not isinstance(value, str) or (name != "Message" and "\n" in value):
        raise InvalidInputError(name, "a text of one line")
    return value


def _is_signed(signed: bytes, signature: str, version: str, certificate: bytes) -> bool:
    """Whether `signature`, of SNS's `version`, is of `signed` by the certificate's RSA key."""
    # Imported here, as it takes longer than all else that most Lambdas load.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    # SNS signs by SHA-1 unless the topic's SignatureVersion is set to 2.
    digests: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # nosec B303
    digest = digests.get(version)
    if digest is None:
        return False
    try:
        given = base64.b64decode(signature, validate=True)
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(given, signed, PKCS1v15(), digest)
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True
