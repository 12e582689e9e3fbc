"""Vonage keeps the contract; signatures and requests are those of Vonage's own SDK."""

import hashlib
import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import pytest
import requests
from contract_suite import ANY_TEXT, FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter
from vonage_http_client import Auth, HttpClient
from vonage_jwt import verify_signature
from vonage_sms import Sms, SmsMessage

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import Channel, Gender
from chalicelib.domain.times import SECOND, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.outbound import Fetched, NotSentError, OutcomeUnknownError
from chalicelib.providers import vonage
from chalicelib.providers.contract import InboundPost, Part, Reply
from chalicelib.providers.sending import Line, OutboundSms, ReceiptStatus, SendError
from chalicelib.settings import ProviderAccount

SECRET = "vAnJ1y5yU0nQm2b8Wf3sXk6tRz9cHd4eLp7gTq"
FIELDS = {
    "msisdn": "447700900001",
    "to": "447700900123",
    "messageId": "0A0000000123ABCD1",
    "text": "Your code is 482913",
    "type": "text",
    "keyword": "YOUR",
    "message-timestamp": "2023-06-15 15:29:45",
    "timestamp": "1686843045",
    "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
}
RECEIPT = {
    "msisdn": "447700900001",
    "to": "AcmeInc",
    "network-code": "23410",
    "messageId": "0A0000001234567B",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2306151529",
    "err-code": "0",
    "message-timestamp": "2023-06-15 15:29:45",
}
METHODS = ("md5", "sha1", "sha256", "sha512")


def read(body: bytes) -> list[tuple[str, Any]]:
    if body.startswith(b"{"):
        return list(json.loads(body).items())
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")


def written(fields: dict[str, Any], like: bytes) -> bytes:
    if like.startswith(b"{"):
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return urlencode(fields).encode()


def sdk_signed(fields: dict[str, Any], secret: str, method: str) -> dict[str, Any]:
    auth = Auth(api_key="abcd1234", signature_secret=secret, signature_method=method)
    unsigned = {name: value for name, value in fields.items() if name != "sig"}
    return {**unsigned, "sig": auth.sign_params(dict(unsigned))}


def string_signed(fields: dict[str, str]) -> bytes:
    return "".join(f"&{name}={fields[name]}" for name in sorted(fields)).encode()


class VonageContract(ProviderContract):
    name = "vonage"
    secret = SECRET
    other_secret = SECRET[::-1]
    worthless_secret = ""
    window_seconds = 300
    covers_url = False
    reply = Reply("", "text/plain")

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field


class TestVonage(VonageContract):
    """The SMS API."""

    signed_headers = ()
    required_fields = ("messageId", "msisdn", "to", "text")
    text_field = "text"

    def cases(self) -> list[Path]:
        return [case for case in super().cases() if not case.name.startswith("messages_")]

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return {}

    def signed_body(self, body: bytes, secret: str, now: Millis) -> bytes:
        fields = {**dict(read(body)), "timestamp": str(now // SECOND)}
        return written(sdk_signed(fields, secret, "sha256"), body)

    def get(self, body: bytes, now: Millis = NOW) -> InboundPost:
        return super().get(urlencode(read(body)).encode(), now)

    def forged(self, body: bytes) -> InboundPost:
        # The SDK refuses to sign by an empty key; an attacker would not.
        fields = dict(read(body))
        sig = hmac.new(b"", string_signed(fields), hashlib.sha256).hexdigest()
        return InboundPost(self.url, {}, written({**fields, "sig": sig}, body))

    def body(self, **changes: str | None) -> bytes:
        fields = {**FIELDS, **changes}
        return urlencode([(k, v) for k, v in fields.items() if v is not None]).encode()

    def same_meaning(self, one: bytes, other: bytes) -> bool:
        # The scheme writes & and = in a value as _, and hexadecimal in either case.
        try:
            first, second = ({(n, covered(n, v)) for n, v in read(text)} for text in (one, other))
        except ValueError:
            return False
        return first == second

    def test_fixtures_are_signed_as_they_stand(self) -> None:
        for case in self.cases():
            body = case.read_bytes()
            assert self.verifies(InboundPost(self.url, {}, body)), case.name
            auth = Auth(api_key="k", signature_secret=SECRET, signature_method="sha256")
            assert auth.check_signature(dict(read(body))), case.name

    @pytest.mark.parametrize("method", METHODS)
    def test_an_account_has_the_method_of_its_option_and_no_other(self, method: str) -> None:
        body = urlencode(sdk_signed(FIELDS, SECRET, method)).encode()
        for configured in (*METHODS, "md5hash", "none", "", "SHA256", "shake_128"):
            account = ProviderAccount("main", (SECRET,), {"signature": configured})
            accepts = vonage.verify(InboundPost(self.url, {}, body), account, NOW)
            assert accepts is (configured == method), configured

    def test_plain_md5_is_accepted_if_it_is_configured(self) -> None:
        # By hand, for the SDK can't: its signature_method=None raises TypeError.
        hashed = hashlib.md5(string_signed(FIELDS) + SECRET.encode()).hexdigest()
        for sig in (hashed, hashed.upper()):
            post = InboundPost(self.url, {}, urlencode({**FIELDS, "sig": sig}).encode())
            configured = ProviderAccount("main", (SECRET,), {"signature": "md5hash"})
            assert vonage.verify(post, configured, NOW)
            assert not self.verifies(post)
        empty = hashlib.md5(string_signed(FIELDS)).hexdigest()
        forged = InboundPost(self.url, {}, urlencode({**FIELDS, "sig": empty}).encode())
        assert not vonage.verify(forged, ProviderAccount("m", ("",), {"signature": "md5hash"}), NOW)

    @pytest.mark.parametrize("field", ["sig", "timestamp"])
    @pytest.mark.parametrize("value", [None, "", " ", "0", "-1", "1686843045.0", "x", "\uff11"])
    def test_without_signature_or_time_it_is_refused(self, field: str, value: str | None) -> None:
        fields = {**FIELDS, field: value or ""}
        if value is None:
            del fields[field]
        signed = sdk_signed(fields, SECRET, "sha256") if field == "timestamp" else fields
        assert not self.verifies(InboundPost(self.url, {}, urlencode(signed).encode()))

    def test_a_signed_post_can_not_be_cut_up_differently(self) -> None:
        # "&to=…" is also a field "messageId=…&text" of another name, and so on: names are whole.
        signed = sdk_signed(FIELDS, SECRET, "sha256")
        names = sorted(set(signed) - {"sig"})
        for first, second in pairwise(names):
            rest = {k: v for k, v in signed.items() if k not in (first, second)}
            joined = {**rest, f"{first}={signed[first]}&{second}": signed[second]}
            assert string_signed({k: v for k, v in joined.items() if k != "sig"}) == string_signed(
                {k: v for k, v in signed.items() if k != "sig"}
            )
            assert not self.verifies(InboundPost(self.url, {}, urlencode(joined).encode()))

    def test_a_field_that_comes_twice_is_refused(self) -> None:
        signed = urlencode(sdk_signed(FIELDS, SECRET, "sha256")).encode()
        for extra in (b"&text=other", b"&text=Your+code+is+482913", b"&sig=x"):
            assert not self.verifies(InboundPost(self.url, {}, signed + extra))
            self.refuses("body", signed + extra)

    def test_the_json_of_a_get_is_not_read(self) -> None:
        signed = json.dumps(sdk_signed(FIELDS, SECRET, "sha256")).encode()
        assert self.verifies(InboundPost(self.url, {}, signed))
        assert not self.verifies(InboundPost(self.url, {}, signed, "GET"))

    @pytest.mark.parametrize("value", [1.5, True, None, ["a"], {"a": "b"}])
    def test_a_json_field_of_a_wrong_type_is_named(self, value: Any) -> None:
        body = json.dumps({**FIELDS, "text": value}).encode()
        self.refuses("text", body)
        assert not self.verifies(InboundPost(self.url, {}, body))

    def test_json_may_have_whole_numbers(self) -> None:
        signed = sdk_signed({**FIELDS, "timestamp": 1_686_843_045}, SECRET, "sha256")
        assert self.verifies(InboundPost(self.url, {}, json.dumps(signed).encode()))

    @pytest.mark.parametrize(
        ("ref", "part", "total", "expected"),
        [
            ("66", "1", "3", Part("66", 1, 3)),
            ("66", "3", "3", Part("66", 3, 3)),
            ("66", "4", "3", None),
            ("66", "0", "3", None),
            ("66", "01", "3", None),
            ("66", "1", "9999", None),
            ("66", "\u0661", "3", None),
            ("", "1", "3", None),
            ("6 6", "1", "3", None),
            ("66", "", "", None),
        ],
    )
    def test_parts_are_read_or_are_whole_messages(
        self, ref: str, part: str, total: str, expected: Part | None
    ) -> None:
        concat = {"concat-ref": ref, "concat-part": part, "concat-total": total}
        (sms,) = self.parse(self.body(concat="true", **concat))
        assert sms.part == expected
        assert self.parse(self.body(concat="false", **concat))[0].part is None

    def test_parts_that_share_an_id_have_ids_of_their_own(self) -> None:
        ids = {
            self.parse(
                self.body(concat="true", **{"concat-ref": "6", "concat-part": n, "concat-total": m})
            )[0].message_id
            for n, m in (("1", "2"), ("2", "2"))
        }
        assert ids == {"0A0000000123ABCD1#1", "0A0000000123ABCD1#2"}
        concat = {"concat-ref": "6", "concat-part": "1", "concat-total": "2"}
        self.refuses("messageId", self.body(concat="true", messageId="x" * 199, **concat))

    def test_a_binary_sms_is_its_content_in_hexadecimal(self) -> None:
        body = self.body(type="binary", text=None, data="48656c6c6f", udh="0605040b8423f0")
        assert self.parse(body)[0].text == "48656c6c6f"
        self.refuses("data", self.body(type="binary"))

    @pytest.mark.parametrize(
        ("stamp", "expected"),
        [
            ("2020-01-01T12:00:00.000+00:00", 1_577_880_000_000),
            ("2020-01-01 12:00:00", 1_577_880_000_000),
            ("2023-06-15 15:40:00", NOW),
            ("1969-12-31 23:00:00", NOW),
            ("yesterday", NOW),
            ("", NOW),
            (None, NOW),
        ],
    )
    def test_a_time_that_can_not_be_read_costs_no_sms(self, stamp: Any, expected: int) -> None:
        assert self.parse(self.body(**{"message-timestamp": stamp}))[0].received_at == expected

    @FUZZ
    @given(
        fields=st.dictionaries(
            st.text(st.characters(exclude_characters="&=", exclude_categories=["Cs"]), min_size=1),
            st.text(),
            max_size=6,
        ),
        secret=st.text(min_size=1),
        method=st.sampled_from(METHODS),
    )
    def test_it_accepts_what_the_sdk_signs(
        self, fields: dict[str, str], secret: str, method: str
    ) -> None:
        signed = sdk_signed({**fields, "timestamp": FIELDS["timestamp"]}, secret, method)
        account = ProviderAccount("main", (secret,), {"signature": method})
        for body in (urlencode(signed).encode(), json.dumps(signed).encode()):
            assert vonage.verify(InboundPost(self.url, {}, body), account, NOW)
        get = InboundPost(f"{self.url.partition('?')[0]}?{urlencode(signed)}", {}, b"", "GET")
        assert vonage.verify(get, account, NOW)

    @FUZZ
    @given(fields=st.dictionaries(st.sampled_from([*FIELDS, "concat", "concat-ref"]), ANY_TEXT))
    def test_parse_raises_nothing_else_for_any_fields(self, fields: dict[str, str]) -> None:
        self.check_parse(urlencode({**FIELDS, **fields}, errors="surrogatepass").encode())
        self.check_parse(json.dumps({**FIELDS, **fields}).encode())


class TestVonageMessages(VonageContract):
    """The Messages API."""

    signed_headers = ("authorization",)
    required_fields = ("channel", "message_uuid", "from", "to", "text")
    text_field = "text"

    def cases(self) -> list[Path]:
        return [case for case in super().cases() if case.name.startswith("messages_")]

    def gets(self) -> list[Path]:
        return []

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        token = self.token(body, now, secret=secret)
        assert verify_signature(token, secret)
        return {"authorization": f"Bearer {token}"}

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        # No library signs by an empty key; an attacker would.
        signing_input = self.token(body, now).rpartition(".")[0]
        digest = hmac.digest(b"", signing_input.encode(), "sha256")
        mac = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return {"authorization": f"Bearer {signing_input}.{mac}"}

    def same_header(self, one: str, other: str) -> bool:
        return one[:6].lower() == other[:6].lower() and one[6:] == other[6:]

    def token(self, body: bytes, now: Millis = NOW, *, secret: str = SECRET, **claims: Any) -> str:
        claimed = {
            "iss": "Vonage",
            "iat": now // SECOND,
            "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "api_key": "abcd1234",
            **claims,
        }
        kept = {name: value for name, value in claimed.items() if value is not None}
        return jwt.encode(kept, secret, "HS256")

    def body(self, **changes: str | None) -> bytes:
        fields = {
            "channel": "sms",
            "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
            "to": "447700900123",
            "from": "447700900001",
            "timestamp": "2023-06-15T15:29:45Z",
            "text": "Your code is 482913",
            **changes,
        }
        return json.dumps({k: v for k, v in fields.items() if v is not None}).encode()

    def parse(self, body: bytes) -> Any:
        return vonage.parse(InboundPost(self.url, {"authorization": "Bearer x"}, body), NOW)

    def test_the_hash_of_the_body_is_compared_as_the_sdk_does_not(self) -> None:
        body = self.body()
        for hashed in (None, "", "0" * 64, hashlib.sha256(b"other").hexdigest(), 7, "\ud800"):
            token = self.token(body, payload_hash=hashed)
            post = InboundPost(self.url, {"authorization": f"Bearer {token}"}, body)
            assert not self.verifies(post), hashed

    @pytest.mark.parametrize("issued", [None, "1686843045", 1_686_843_045.5, True, [], 0, 10**20])
    def test_a_token_that_does_not_say_when_is_refused(self, issued: Any) -> None:
        body = self.body()
        token = jwt.encode({"payload_hash": hashlib.sha256(body).hexdigest()}, SECRET, "HS256")
        if issued is not None:
            token = self.token(body, iat=issued)
        post = InboundPost(self.url, {"authorization": f"Bearer {token}"}, body)
        assert not self.verifies(post)

    @pytest.mark.parametrize(
        ("scheme", "is_one"),
        [("Bearer", True), ("bearer", True), ("BEARER", True), ("Basic", False)],
    )
    def test_the_schemes_name_may_be_written_in_any_case(self, scheme: str, is_one: bool) -> None:
        body = self.body()
        headers = {"authorization": f"{scheme} {self.token(body)}"}
        assert self.verifies(InboundPost(self.url, headers, body)) is is_one

    def test_a_token_does_not_vouch_for_fields_of_the_sms_api(self) -> None:
        body = urlencode(FIELDS).encode()
        post = self.post(body)
        assert self.verifies(post)
        with pytest.raises(InvalidInputError):
            vonage.parse(post, NOW)

    @pytest.mark.parametrize("channel", ["mms", "whatsapp", "SMS", "viber_service"])
    def test_other_channels_hold_no_sms(self, channel: str) -> None:
        assert self.parse(self.body(channel=channel)) == []


class TestReceipts:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("delivered", ReceiptStatus.DELIVERED),
            ("accepted", ReceiptStatus.ON_ITS_WAY),
            ("buffered", ReceiptStatus.ON_ITS_WAY),
            ("unknown", ReceiptStatus.ON_ITS_WAY),
            ("something new", ReceiptStatus.ON_ITS_WAY),
            ("expired", ReceiptStatus.UNDELIVERED),
            ("failed", ReceiptStatus.UNDELIVERED),
            ("rejected", ReceiptStatus.UNDELIVERED),
        ],
    )
    def test_a_receipt_says_what_became_of_a_message(
        self, status: str, expected: ReceiptStatus
    ) -> None:
        fields = {**RECEIPT, "status": status, "timestamp": FIELDS["timestamp"]}
        signed = sdk_signed(fields, SECRET, "sha256")
        account = ProviderAccount("main", (SECRET,))
        for post in (
            InboundPost("https://x/receipt", {}, urlencode(signed).encode()),
            InboundPost("https://x/receipt", {}, json.dumps(signed).encode()),
            InboundPost(f"https://x/receipt?{urlencode(signed)}", {}, b"", "GET"),
        ):
            assert vonage.verify(post, account, NOW)
            (receipt,) = vonage.receipts(post, NOW)
            assert (receipt.message_id, receipt.status) == ("0A0000001234567B", expected)
            assert (receipt.detail, receipt.at) == ("0", 1_686_842_985_000)

    @pytest.mark.parametrize("field", ["messageId", "status"])
    def test_a_missing_field_is_named(self, field: str) -> None:
        body = urlencode({name: value for name, value in RECEIPT.items() if name != field})
        with pytest.raises(InvalidInputError) as caught:
            vonage.receipts(InboundPost("https://x", {}, body.encode()), NOW)
        assert caught.value.field == field

    def test_a_receipt_may_lack_its_code_and_its_time(self) -> None:
        body = json.dumps({"messageId": "m", "status": "delivered"}).encode()
        (receipt,) = vonage.receipts(InboundPost("https://x", {}, body), NOW)
        assert (receipt.detail, receipt.at) == ("", NOW)

    @FUZZ
    @given(body=st.binary(max_size=200))
    def test_anything_else_is_an_invalid_input(self, body: bytes) -> None:
        for post in (
            InboundPost("https://x", {}, body),
            InboundPost("https://x?a", {}, b"", "GET"),
        ):
            with pytest.raises(InvalidInputError):
                vonage.receipts(post, NOW)


class Recorder:
    """A Fetch that keeps what it is asked and answers as told."""

    def __init__(self, answer: Fetched | Exception) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def __call__(self, method: str, url: str, **asked: Any) -> Fetched:
        self.asked = {"method": method, "url": url, **asked}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class SdkRecorder(BaseAdapter):
    """The network of the SDK."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        self.request = request
        response = requests.Response()
        response.status_code = 200
        response.headers["content-type"] = "application/json"
        response._content = json.dumps(taken("A", "B")).encode()
        response.request = request
        return response

    def close(self) -> None:
        pass


def taken(*ids: str, status: str = "0") -> dict[str, Any]:
    messages = [{"to": "447700900001", "message-id": name, "status": status} for name in ids]
    return {"message-count": str(len(ids)), "messages": messages}


def covered(name: str, value: Any) -> str:
    return str(value).lower() if name == "sig" else str(value).replace("&", "_").replace("=", "_")


SMS = OutboundSms(
    reference="01H2Z9K0V6Q3A8M5T7R4C1XWEB",
    to=E164("+447700900001"),
    text="Your code is 482913",
    channel=Channel.SMS,
    sender="AcmeInc",
    language="en-US",
    gender=Gender.FEMALE,
    valid_seconds=300,
)
CREDENTIALS = {"api_key": "abcd1234", "api_secret": "s3cr3tS3cr3tS3cr", "from": "+447700900123"}
RECEIPT_URL = "https://sesame.example/inbound/vonage/main/receipt"


def sent(
    fetch: Recorder, sms: OutboundSms = SMS, options: Any = CREDENTIALS, receipts: str = RECEIPT_URL
) -> str:
    line = Line(
        fetch=fetch,
        public_url="https://sesame.example",
        receipt_url=receipts,
        now=NOW,
        is_ours=lambda number: False,
        aws_client=lambda service, region: None,
    )
    return vonage.send(sms, ProviderAccount("main", (SECRET,), options), line)


def answering(fields: Any, status: int = 200) -> Recorder:
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return Recorder(Fetched(status, body, {}))


def with_changes(**changes: Any) -> OutboundSms:
    names = ("reference", "to", "text", "channel", "sender", "language", "gender", "valid_seconds")
    return OutboundSms(**{**{name: getattr(SMS, name) for name in names}, **changes})


class TestSending:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [("Your code is 482913 €", "text"), ("Ваш код: 482913 🔐", "unicode"), ("`1`", "unicode")],
    )
    def test_it_asks_what_the_sdk_asks(self, text: str, kind: str) -> None:
        ours, theirs = answering(taken("A", "B")), SdkRecorder()
        assert sent(ours, with_changes(text=text)) == "A"
        client = HttpClient(Auth(api_key="abcd1234", api_secret=CREDENTIALS["api_secret"]))
        client._session.mount("https://", theirs)
        Sms(client).send(
            SmsMessage(
                to="447700900001",
                from_="AcmeInc",
                text=text,
                type=kind,
                client_ref=SMS.reference,
                ttl=300_000,
                status_report_req=True,
                callback=RECEIPT_URL,
            )
        )
        assert (ours.asked["method"], ours.asked["url"]) == (
            theirs.request.method,
            theirs.request.url,
        )
        form = dict(ours.asked["form"])
        expected = dict(parse_qsl(theirs.request.body))
        assert (form.pop("status-report-req"), expected.pop("status-report-req")) == ("1", "True")
        password = b64decode(theirs.request.headers["authorization"].removeprefix("Basic "))
        assert f"{form.pop('api_key')}:{form.pop('api_secret')}".encode() == password
        assert form == expected

    def test_the_accounts_sender_stands_in(self) -> None:
        fetch = answering(taken("A"))
        sent(fetch, with_changes(sender=""))
        assert fetch.asked["form"]["from"] == "447700900123"

    def test_it_is_tried_for_as_long_as_vonage_allows_at_least(self) -> None:
        for seconds, ttl in ((1, "20000"), (20, "20000"), (21, "21000"), (600, "600000")):
            fetch = answering(taken("A"))
            sent(fetch, with_changes(valid_seconds=seconds))
            assert fetch.asked["form"]["ttl"] == ttl

    def test_a_callback_that_vonage_would_refuse_is_left_out(self) -> None:
        for length in (100, 101):
            fetch = answering(taken("A"))
            sent(fetch, receipts="https://".ljust(length, "x"))
            assert ("callback" in fetch.asked["form"]) is (length == 100)

    @pytest.mark.parametrize("name", CREDENTIALS)
    def test_without_credentials_or_sender_nothing_is_sent(self, name: str) -> None:
        fetch = answering(taken("A"))
        with pytest.raises(SendError) as caught:
            sent(
                fetch, with_changes(sender=""), {k: v for k, v in CREDENTIALS.items() if k != name}
            )
        assert (caught.value.reason, caught.value.again) == ("not_configured", False)
        assert fetch.asked == {}

    @pytest.mark.parametrize(
        ("status", "reason", "again"),
        [
            ("1", "too_many", True),
            ("2", "refused", False),
            ("4", "not_authorized", False),
            ("5", "unavailable", True),
            ("6", "number_refused", False),
            ("7", "number_refused", False),
            ("8", "not_authorized", False),
            ("9", "quota_exceeded", False),
            ("15", "sender_refused", False),
            ("29", "number_refused", False),
            ("99", "refused", False),
            ("zero", "refused", False),
        ],
    )
    def test_a_refusal_has_a_reason(self, status: str, reason: str, again: bool) -> None:
        refused = {"status": status, "error-text": f"{SMS.text} {CREDENTIALS['api_secret']}"}
        for messages in ([refused], [*taken("A")["messages"], refused]):
            self.fails(answering({"messages": messages}), reason, again=again)

    @pytest.mark.parametrize(
        ("status", "reason", "again"),
        [
            (401, "not_authorized", False),
            (403, "not_authorized", False),
            (404, "refused", False),
            (302, "refused", False),
            (429, "too_many", True),
            (500, "unavailable", True),
            (503, "unavailable", True),
        ],
    )
    def test_an_http_error_has_a_reason(self, status: int, reason: str, again: bool) -> None:
        self.fails(answering(taken("A"), status), reason, again=again)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"[]",
            b"\xff",
            b"{}",
            b'{"messages": {}}',
            b'{"messages": []}',
            b'{"messages": [7]}',
            b'{"messages": [{"status": 0}]}',
            b'{"messages": [{"status": "0"}]}',
            b'{"messages": [{"status": "0", "message-id": "a\\u0000"}]}',
        ],
    )
    def test_an_answer_that_can_not_be_read_is_not_asked_for_again(self, body: bytes) -> None:
        self.fails(answering(body), "bad_answer", again=False)

    @pytest.mark.parametrize("error", [NotSentError, OutcomeUnknownError])
    def test_a_broken_exchange_may_be_tried_again(self, error: type[Exception]) -> None:
        self.fails(Recorder(error("connection_failed")), "connection_failed", again=True)

    def fails(self, fetch: Recorder, reason: str, *, again: bool) -> None:
        with pytest.raises(SendError) as caught:
            sent(fetch)
        assert (caught.value.reason, caught.value.again) == (reason, again)
        for hidden in (CREDENTIALS["api_secret"], SMS.text, SMS.to):
            assert hidden not in str(caught.value)
        assert caught.value.__cause__ is None
