"""AWS keeps the contract: what SNS publishes, by keys and certificates made here.

The other side is `aws-sns-message-validator`, which knows SNS's first signature version.
"""

import base64
import json
import re
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.session import get_session
from contract_suite import ANY_TEXT, FIXTURES, FUZZ, NOW, ProviderContract
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from sns_message_validator import (
    InvalidMessageTypeException,
    InvalidSignatureVersionException,
    SignatureVerificationFailureException,
    SNSMessageValidator,
)

from chalicelib.domain.times import Millis, iso, later
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import aws
from chalicelib.providers.contract import InboundPost, Reply
from chalicelib.providers.sending import Receipt, ReceiptStatus
from chalicelib.settings import ProviderAccount

TOPIC = "arn:aws:sns:us-west-2:123456789012:sesame-sms"
EVENTS_TOPIC = "arn:aws:sns:us-west-2:123456789012:sesame-events"
CERTIFICATE_URL = (
    "https://sns.us-west-2.amazonaws.com/"
    "SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
)
PLACE = b'"Signature" : "EXAMPLE"'
"""Where the fixtures want their signature."""
ENVELOPE = ("MessageId", "Timestamp", "TopicArn", "Type", "Message")
SIGNED = {
    "Message",
    "MessageId",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
}


@dataclass(frozen=True)
class Signer:
    """Who signs as SNS does: a key, and a certificate that nobody vouches for."""

    key: Any
    certificate: bytes

    def sign(self, fields: dict[str, Any], version: str) -> str:
        names = sorted(SIGNED & fields.keys())
        text = "".join(f"{name}\n{fields[name]}\n" for name in names if fields[name] is not None)
        digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[version]
        signature = self.key.sign(text.encode("utf-8", "surrogatepass"), PKCS1v15(), digest)
        return base64.b64encode(signature).decode()


def certified(key: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime(2023, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@cache
def signer(who: str) -> Signer:
    key = rsa.generate_private_key(65537, 2048)
    return Signer(key, certified(key))


class TestAws(ProviderContract):
    name = "aws"
    # SNS signs by a key of its own and not by a secret of ours: these are names of signers.
    secret = "sns"
    other_secret = "somebody"
    signed_headers = ()
    required_fields = ("originationNumber", "destinationNumber", "inboundMessageId", "messageBody")
    text_field = "messageBody"
    window_seconds = 3_600
    covers_url = False
    reply = Reply("", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return {"content-type": "text/plain; charset=UTF-8"}

    def signed_body(self, body: bytes, secret: str, now: Millis) -> bytes:
        try:
            fields = json.loads(body)
            signature = signer(secret).sign(fields, fields["SignatureVersion"])
        except (ValueError, KeyError, TypeError):
            return body
        return body.replace(PLACE, PLACE.replace(b"EXAMPLE", signature.encode()))

    def post(self, body: bytes, now: Millis = NOW, url: str = "") -> InboundPost:
        return replace(super().post(body, now, url), certificate=signer(self.secret).certificate)

    def account(self, *secrets: str) -> ProviderAccount:
        return ProviderAccount("main", (), {"topic_arn": f"{EVENTS_TOPIC} {TOPIC}"})

    def body(self, **changes: str | None) -> bytes:
        fields = {**sms(), **changes}
        return notification({k: v for k, v in fields.items() if v is not None})

    def same_meaning(self, one: bytes, other: bytes) -> bool:
        # SNS signs values, and neither their spelling in JSON nor what tells how to verify them.
        try:
            return meaning(one) == meaning(other)
        except (ValueError, KeyError, TypeError):
            return False

    def test_another_accounts_secret_is_refused(self) -> None:
        # Another account is another topic: SNS's key is one for all.
        post = self.post(self.body())
        for topics in (EVENTS_TOPIC, TOPIC[:-1], TOPIC + "x", TOPIC.upper(), "", " "):
            assert not aws.verify(post, ProviderAccount("main", (), {"topic_arn": topics}), NOW)
        assert not aws.verify(post, ProviderAccount("main", ("sns", TOPIC)), NOW)

    def test_both_live_secrets_are_accepted(self) -> None:
        # Of topics, an account may have several at once.
        for topic in (TOPIC, EVENTS_TOPIC):
            assert self.verifies(self.post(notification({"a": "b"}, TopicArn=topic)))

    def test_a_worthless_secret_opens_nothing_and_stops_nothing(self) -> None:
        # What everybody has is a key, a certificate and a topic of their own.
        body, post = self.body(), self.post(self.body())
        forged = self.signed_body(body, self.other_secret, NOW)
        assert not self.verifies(replace(post, body=forged))
        assert not self.verifies(replace(post, certificate=signer(self.other_secret).certificate))
        assert not self.verifies(self.post(notification({}, TopicArn=TOPIC[:-3] + "own")))
        assert not aws.verify(
            self.post(notification({}, TopicArn="")), ProviderAccount("main", ()), NOW
        )

    @pytest.mark.parametrize("version", ["1", "2"])
    def test_both_signature_versions_are_accepted_each_by_its_own_digest(
        self, version: str
    ) -> None:
        post = self.post(notification({"a": "b"}, SignatureVersion=version))
        assert self.verifies(post)
        for other in ("1", "2", "3", "", "01", "1 ", "SHA1", None, 1, 2, ["1"]):
            if other == version:
                continue
            altered = {**json.loads(post.body), "SignatureVersion": other}
            assert not self.verifies(replace(post, body=json.dumps(altered).encode())), other

    def test_what_the_validator_accepts_is_accepted_and_what_it_refuses_is_refused(self) -> None:
        for case in self.cases():
            post = self.post(case.read_bytes())
            fields = json.loads(post.body)
            if fields["SignatureVersion"] == "1":
                assert validator_accepts(fields), case.name
            for name in SIGNED & fields.keys():
                altered = {**fields, name: fields[name] + "x"}
                assert not validator_accepts(altered)
                assert not self.verifies(replace(post, body=json.dumps(altered).encode()))

    @FUZZ
    @given(message=ANY_TEXT, subject=st.none() | ANY_TEXT, message_id=ANY_TEXT)
    def test_what_sns_signs_is_accepted_unless_a_line_could_be_two(
        self, message: str, subject: str | None, message_id: str
    ) -> None:
        fields = {"Message": message, "MessageId": message_id, "Subject": subject}
        body = self.signed_body(envelope(**fields), self.secret, NOW)
        whole = "\n" not in f"{subject}{message_id}"
        assert self.verifies(replace(self.post(b""), body=body)) is whole

    def test_a_captured_post_can_not_be_cut_up_differently(self) -> None:
        post = self.post(envelope(Message="1\nMessageId\n2", MessageId="3"))
        assert self.verifies(post)
        recut = {**json.loads(post.body), "Message": "1", "MessageId": "2\nMessageId\n3"}
        assert validator_accepts(recut)
        assert not self.verifies(replace(post, body=json.dumps(recut).encode()))

    def test_a_signature_with_anything_in_it_is_refused(self) -> None:
        post = self.post(self.body())
        fields = json.loads(post.body)
        signature = fields["Signature"]
        for other in (f" {signature}", f"{signature}\n", "&&&&" + signature, f"{signature}AAAA"):
            altered = json.dumps({**fields, "Signature": other}).encode()
            assert not self.verifies(replace(post, body=altered)), other

    def test_lone_surrogates_are_not_taken_for_one_another(self) -> None:
        post = self.post(envelope(Message="\ud800"))
        assert self.verifies(post)
        for other in (b"\\udfff", b"?", "\ufffd".encode()):
            assert not self.verifies(replace(post, body=post.body.replace(b"\\ud800", other)))

    @pytest.mark.parametrize("certificate", ["", "junk", "elliptic", "curve", "truncated", "der"])
    def test_what_is_no_rsa_certificate_opens_nothing(self, certificate: str) -> None:
        genuine = signer(self.secret).certificate
        der = x509.load_pem_x509_certificate(genuine).public_bytes(serialization.Encoding.DER)
        elliptic = certified(ec.generate_private_key(ec.SECP256R1()))
        curve = bytes.fromhex("2a8648ce3d0301")
        unknown = x509.load_pem_x509_certificate(elliptic).public_bytes(serialization.Encoding.DER)
        unknown = unknown.replace(curve + b"\x07", curve + b"\x09", 1)
        given = {
            "": b"",
            "curve": ssl.DER_cert_to_PEM_cert(unknown).encode(),
            "junk": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "elliptic": elliptic,
            "truncated": genuine[:400],
            "der": der,
        }
        post = self.post(self.body())
        assert not self.verifies(replace(post, certificate=given[certificate]))

    @pytest.mark.parametrize(
        "url",
        [
            CERTIFICATE_URL,
            "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-1.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem",
            "https://sns.ap-southeast-5.amazonaws.com/SimpleNotificationService_a.pem",
        ],
    )
    def test_a_certificate_is_fetched_from_sns(self, url: str) -> None:
        post = self.post(notification({"a": "b"}, SigningCertURL=url))
        assert aws.certificate_url(post, self.account()) == url
        assert self.verifies(post)

    @pytest.mark.parametrize(
        "url",
        [
            CERTIFICATE_URL.replace("https", "http"),
            CERTIFICATE_URL.replace("https", "HTTPS"),
            CERTIFICATE_URL.replace("https:", ""),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com.cn.evil.example"),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com:443"),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com@evil.example"),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com\\@evil.example"),
            CERTIFICATE_URL.replace("amazonaws.com", "amazonawsxcom"),
            CERTIFICATE_URL.replace("sns.", "sns-"),
            CERTIFICATE_URL.replace("sns.", "user:password@sns."),
            CERTIFICATE_URL.replace("sns.", "evil.example/sns."),
            CERTIFICATE_URL.replace("sns.", "evil.sns."),
            # Buckets of S3 whose name is "sns", and hosts of no region.
            CERTIFICATE_URL.replace("us-west-2", "s3"),
            CERTIFICATE_URL.replace("us-west-2", "s3-us-west-2"),
            CERTIFICATE_URL.replace("us-west-2", "s3.us-west-2"),
            CERTIFICATE_URL.replace("us-west-2", "us"),
            CERTIFICATE_URL.replace("us-west-2", "us-west-2\u0660"),
            CERTIFICATE_URL.replace(".us-west-2", ""),
            CERTIFICATE_URL + "?x=.pem",
            CERTIFICATE_URL + "#.pem",
            CERTIFICATE_URL + "\n",
            CERTIFICATE_URL + "x",
            CERTIFICATE_URL[:-4],
            CERTIFICATE_URL.replace("Simple", "../Simple"),
            CERTIFICATE_URL.replace("Simple", "%2e%2e%2fSimple"),
            CERTIFICATE_URL.replace("Simple", "a/Simple"),
            " " + CERTIFICATE_URL,
            "",
            None,
            7,
            [CERTIFICATE_URL],
            "\ud800",
        ],
    )
    def test_nothing_is_fetched_from_elsewhere_nor_believed(self, url: Any) -> None:
        post = self.post(notification({"a": "b"}, SigningCertURL=url))
        assert aws.certificate_url(post, self.account()) is None
        assert not self.verifies(post)

    def test_nothing_is_fetched_for_a_topic_that_is_not_ours(self) -> None:
        post = self.post(notification({"a": "b"}, TopicArn=TOPIC + "s"))
        assert aws.certificate_url(post, self.account()) is None

    @FUZZ
    @given(body=st.binary(max_size=100))
    def test_bodies_that_are_no_envelope_want_nothing_fetched(self, body: bytes) -> None:
        post = replace(self.post(b""), body=body)
        assert aws.certificate_url(post, self.account()) is None
        assert aws.confirmation_url(post, self.account()) is None

    def test_our_topics_subscription_is_confirmed(self) -> None:
        post = self.named("subscription")
        url = json.loads(post.body)["SubscribeURL"]
        assert aws.confirmation_url(post, self.account()) == url
        assert aws.parse(post, NOW) == []
        assert aws.receipts(post, NOW) == []

    def test_no_other_subscription_is_confirmed(self) -> None:
        post = self.named("subscription")
        elsewhere = ProviderAccount("main", (), {"topic_arn": EVENTS_TOPIC})
        assert aws.confirmation_url(post, elsewhere) is None
        assert aws.confirmation_url(replace(post, certificate=b""), self.account()) is None
        changed = post.body.replace(b"Token=2336", b"Token=2337")
        assert aws.confirmation_url(replace(post, body=changed), self.account()) is None
        for name in ("unsubscription", "sms", "event"):
            assert aws.confirmation_url(self.named(name), self.account()) is None

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/?Action=ConfirmSubscription",
            "http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com:8443/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com@evil.example/?Action=ConfirmSubscription",
            "https://sns.s3.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com/x?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com/?Action=Confirm Subscription",
            "",
        ],
    )
    def test_a_subscription_is_confirmed_at_sns_only(self, url: str) -> None:
        fields = json.loads((FIXTURES / "aws/subscription.post").read_bytes())
        post = self.post(spelled({**fields, "SubscribeURL": url}))
        assert self.verifies(post)
        assert aws.confirmation_url(post, self.account()) is None

    def test_the_sms_is_as_old_as_its_first_attempt_and_never_ahead(self) -> None:
        for seconds in (-3_000, 3_000):
            at = later(NOW, seconds=seconds)
            post = self.post(notification(sms(), Timestamp=iso(at)))
            assert self.verifies(post)
            (found,) = aws.parse(post, NOW)
            assert found.received_at == min(at - at % 1_000, NOW)

    @pytest.mark.parametrize("at", ["", "soon", "1999-12-31T23:59:59Z", "\ud800"])
    def test_a_time_that_can_not_be_is_refused(self, at: str) -> None:
        post = self.post(notification(sms(), Timestamp=at))
        assert not self.verifies(post)
        with pytest.raises(InvalidInputError) as caught:
            aws.parse(post, NOW)
        assert caught.value.field == "Timestamp"

    @pytest.mark.parametrize("name", ENVELOPE)
    def test_a_missing_field_of_the_envelope_is_named(self, name: str) -> None:
        fields = {k: v for k, v in json.loads(notification(sms())).items() if k != name}
        for value in ({}, {name: None}, {name: 7}, {name: ["x"]}, {name: {}}):
            post = replace(self.post(b""), body=json.dumps({**fields, **value}).encode())
            assert not self.verifies(post)
            for read in (aws.parse, aws.receipts):
                with pytest.raises(InvalidInputError) as caught:
                    read(post, NOW)
                assert caught.value.field == name

    @pytest.mark.parametrize(
        "message", ["", "Successfully validated SNS topic", "[]", "7", '"a"', '{"a":NaN}', "\ud800"]
    )
    def test_what_is_published_must_be_an_object(self, message: str) -> None:
        post = self.post(envelope(Message=message))
        for read in (aws.parse, aws.receipts):
            with pytest.raises(InvalidInputError) as caught:
                read(post, NOW)
            assert caught.value.field == "Message"

    def test_deeply_nested_json_is_refused(self) -> None:
        deep = "[" * 900 + "]" * 900
        for name in ("Type", "SignatureVersion", "Signature", "SigningCertURL", "Subject"):
            plain = json.loads(self.post(self.body()).body)
            body = json.dumps({**plain, name: 0}).replace(f'"{name}": 0', f'"{name}": {deep}')
            assert not self.verifies(replace(self.post(b""), body=body.encode()))

    def test_an_sms_on_the_receipts_url_is_no_receipt(self) -> None:
        assert aws.receipts(self.named("sms"), NOW) == []
        both = {**sms(), **event("TEXT_DELIVERED")}
        assert aws.receipts(self.post(notification(both)), NOW) == []
        assert len(aws.parse(self.post(notification(both)), NOW)) == 1

    def test_an_event_is_a_receipt(self) -> None:
        post = self.named("event")
        assert self.verifies(post)
        assert aws.receipts(post, NOW) == [
            Receipt(
                "862a8790-60c0-4430-9b2b-658bd0a1b2c3",
                ReceiptStatus.DELIVERED,
                "TEXT_DELIVERED",
                Millis(1_686_843_044_321),
            )
        ]

    def test_every_event_of_the_model_has_its_meaning(self) -> None:
        kinds = {
            kind: status
            for status, words in {
                "delivered": "TEXT_DELIVERED TEXT_SUCCESSFUL VOICE_COMPLETED",
                "undelivered": (
                    "TEXT_INVALID TEXT_INVALID_MESSAGE TEXT_UNREACHABLE TEXT_CARRIER_UNREACHABLE "
                    "TEXT_BLOCKED TEXT_CARRIER_BLOCKED TEXT_SPAM TEXT_TTL_EXPIRED "
                    "TEXT_PROTECT_BLOCKED VOICE_BUSY VOICE_NO_ANSWER VOICE_FAILED VOICE_TTL_EXPIRED"
                ),
                "on_its_way": (
                    "TEXT_SENT TEXT_PENDING TEXT_QUEUED TEXT_UNKNOWN VOICE_INITIATED "
                    "VOICE_RINGING VOICE_ANSWERED"
                ),
            }.items()
            for kind in words.split()
        }
        model = get_session().get_service_model("pinpoint-sms-voice-v2")
        known = set(model.shape_for("EventType").enum)
        ours = {kind for kind in known if kind.startswith(("TEXT_", "VOICE_"))}
        assert kinds.keys() == ours - {"TEXT_ALL", "VOICE_ALL"}
        for kind, status in kinds.items():
            (receipt,) = self.receipts(event(kind))
            assert (receipt.status, receipt.detail) == (status, kind)
            (early,) = self.receipts({**event(kind), "isFinal": False})
            assert early.status is ReceiptStatus.ON_ITS_WAY
        for kind in known - ours:
            assert self.receipts(event(kind)) == []

    def test_an_event_that_we_do_not_know_is_on_its_way(self) -> None:
        (receipt,) = self.receipts(event("TEXT_DELIVERED_TWICE"))
        assert receipt.status is ReceiptStatus.ON_ITS_WAY

    def test_an_event_of_another_medium_is_passed_over(self) -> None:
        for kind in ("MEDIA_DELIVERED", "RCS_READ", "REGISTRATION_STATUS", "ALL"):
            assert self.receipts({"eventType": kind}) == []

    @pytest.mark.parametrize("name", ["eventType", "messageId", "eventTimestamp"])
    def test_an_events_field_is_named(self, name: str) -> None:
        whole = event("TEXT_DELIVERED")
        if name != "eventType":
            with pytest.raises(MissingInputError) as caught:
                self.receipts({k: v for k, v in whole.items() if k != name})
            assert caught.value.field == name
        for value in ("", " ", [], {}, 7, True, 1.5, 10**20, "x" * 300, "a\nb\0"):
            with pytest.raises(InvalidInputError) as caught:
                self.receipts({**whole, name: value})
            assert caught.value.field == name

    def test_an_event_ahead_of_us_is_of_now(self) -> None:
        (receipt,) = self.receipts({**event("TEXT_DELIVERED"), "eventTimestamp": NOW + 60_000})
        assert receipt.at == NOW

    @FUZZ
    @given(
        message=st.dictionaries(
            st.sampled_from(["eventType", "eventTimestamp", "messageId", "isFinal"]),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | ANY_TEXT
            | st.sampled_from(["TEXT_SENT", "VOICE_BUSY"])
            | st.lists(ANY_TEXT, max_size=2),
        )
    )
    def test_receipts_raise_nothing_else_for_any_event(self, message: dict[str, Any]) -> None:
        try:
            found = self.receipts(message)
        except InvalidInputError:
            return
        for receipt in found:
            assert receipt.message_id.isprintable()
            assert 0 < receipt.at <= NOW

    def receipts(self, message: dict[str, Any]) -> list[Receipt]:
        return aws.receipts(self.post(notification(message)), NOW)

    def named(self, case: str) -> InboundPost:
        return self.post((FIXTURES / f"aws/{case}.post").read_bytes())


def sms() -> dict[str, Any]:
    return {
        "originationNumber": "+14255550182",
        "destinationNumber": "+12125550101",
        "messageBody": "Your code is 482913",
        "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
    }


def event(kind: str) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTimestamp": 1_686_843_044_321,
        "messageId": "862a8790-60c0-4430-9b2b-658bd0a1b2c3",
    }


def notification(message: dict[str, Any], **changes: Any) -> bytes:
    return envelope(Message=json.dumps(message, allow_nan=False), **changes)


def envelope(**changes: Any) -> bytes:
    return spelled(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Timestamp": "2023-06-15T15:30:45.678Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": CERTIFICATE_URL,
            **changes,
        }
    )


def spelled(fields: dict[str, Any]) -> bytes:
    """JSON as SNS spells it."""
    lines = ",\n".join(f'  "{name}" : {json.dumps(value)}' for name, value in fields.items())
    return f"{{\n{lines}\n}}".encode()


def meaning(body: bytes) -> tuple[Any, ...]:
    fields = json.loads(body.decode())
    believed = re.fullmatch(
        r"https://sns\.[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com/[A-Za-z0-9_-]+\.pem",
        fields["SigningCertURL"],
    )
    return (
        {name: fields.get(name) for name in SIGNED},
        fields["SignatureVersion"],
        base64.b64decode(fields["Signature"], validate=True),
        believed is not None,
    )


def validator_accepts(fields: dict[str, Any]) -> bool:
    """Whether the other side takes this for SNS's, with our certificate where it looks for one."""
    validator = SNSMessageValidator()
    found = SimpleNamespace(content=signer("sns").certificate)
    validator._cert_session = SimpleNamespace(get=lambda url: found)
    try:
        validator.validate_message(fields)
    except (
        SignatureVerificationFailureException,
        InvalidMessageTypeException,
        InvalidSignatureVersionException,
    ):
        return False
    return True
