"""Twilio as one that sends: the requests are those of Twilio's own SDK, and so are the receipts."""

import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from contract_suite import ANY_TEXT, FUZZ, NOW
from hypothesis import given
from hypothesis import strategies as st
from requests.auth import _basic_auth_str
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import VoiceResponse

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import VOICE_LANGUAGES, Channel, Gender
from chalicelib.errors import InvalidInputError
from chalicelib.outbound import Fetched, NotSentError, OutboundError, OutcomeUnknownError
from chalicelib.providers import registry, twilio
from chalicelib.providers.contract import InboundPost
from chalicelib.providers.sending import Line, OutboundSms, Receipt, ReceiptStatus, SendError
from chalicelib.settings import ProviderAccount

ACCOUNT_SID = "AC00000000000000000000000000000001"
TOKEN = "0123456789abcdef0123456789abcdef"
KEY_SID, KEY_SECRET = "SK00000000000000000000000000000002", "api-key-secret"
SERVICE = "MG00000000000000000000000000000003"
SID = "SM3f1a9d0c7b2e4856a0c9d8e7f6b5a4c3"
CALL_SID = "CA5b8f03d9f1f4ab8d5f4c6f0a0de9a7b1"
TO, FROM = E164("+447700900123"), "+14155550100"
RECEIPTS = "https://sesame.example/inbound/twilio/main/receipt"
FIXTURES = Path(__file__).parent / "fixtures/twilio/receipts"
SMS = OutboundSms(
    reference="ref-1",
    to=TO,
    text="Your code is 482913 <&> é 🔐",
    channel=Channel.SMS,
    sender="",
    language="en-US",
    gender=Gender.FEMALE,
    valid_seconds=300,
)
CALL = replace(SMS, channel=Channel.VOICE)
ACCOUNT = ProviderAccount("main", (TOKEN,), {"account_sid": ACCOUNT_SID, "from": FROM})


@dataclass(frozen=True)
class Asked:
    """A request, whoever makes it."""

    method: str
    url: str
    form: list[tuple[str, str]]
    authorization: str
    accept: str


@dataclass
class Twilio:
    """Answers every request by `answer`, or fails by it, and keeps the requests."""

    answer: Fetched | OutboundError
    asked: list[Asked] = field(default_factory=list)

    def __call__(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        deadline_seconds: float,
    ) -> Fetched:
        assert 0 < deadline_seconds <= 8
        pairs = sorted(parse_qsl(urlencode(form), keep_blank_values=True))
        self.asked.append(Asked(method, url, pairs, headers["authorization"], headers["accept"]))
        if isinstance(self.answer, OutboundError):
            raise self.answer
        return self.answer


class Recorder(HttpClient):
    """The SDK's way out: keeps the request and answers as Twilio does."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=False)
        self.status, self.body = status, body
        self.asked: list[Asked] = []

    def request(
        self, method: str, uri: str, params: Any = None, data: Any = None, *args: Any, **kw: Any
    ) -> Response:
        assert not params
        assert kw["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
        pairs = sorted(parse_qsl(urlencode(data, doseq=True), keep_blank_values=True))
        authorization = _basic_auth_str(*kw["auth"])
        self.asked.append(Asked(method, uri, pairs, authorization, kw["headers"]["Accept"]))
        return Response(self.status, self.body)


def resource(**changes: Any) -> str:
    return json.dumps({"sid": SID, "status": "queued", "error_code": None, **changes})


def refusal(code: int, status: int = 400) -> str:
    message = f"The number {TO} is refused"
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json.dumps({"code": code, "message": message, "more_info": more, "status": status})


def line(fetch: Twilio) -> Line:
    def unused(*_: Any) -> Any:
        raise AssertionError("not Twilio's to ask")

    return Line(fetch, "https://sesame.example", RECEIPTS, NOW, unused, unused)


def sent(
    sms: OutboundSms = SMS, account: ProviderAccount = ACCOUNT, body: str = resource()
) -> tuple[str, Asked]:
    twilio_ = Twilio(Fetched(201, body.encode(), {}))
    sid = twilio.send(sms, account, line(twilio_))
    (asked,) = twilio_.asked
    return sid, asked


def failure(
    answer: Fetched | OutboundError, sms: OutboundSms = SMS, account: ProviderAccount = ACCOUNT
) -> SendError:
    """How sending fails, having told nothing of what was sent."""
    with pytest.raises(SendError) as caught:
        twilio.send(sms, account, line(Twilio(answer)))
    told = "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for secret in (TOKEN, KEY_SECRET, sms.text, "482913", TO, FROM):
        assert secret not in told
        assert secret not in repr(caught.value)
    assert caught.value.reason.replace("_", "").isalpha()
    assert caught.value.reason.islower()
    return caught.value


def by_sdk(client: Client, recorder: Recorder) -> Asked:
    assert client.http_client is recorder
    (asked,) = recorder.asked
    return asked


class TestTheRequestIsTheSdks:
    def compare_message(self, sms: OutboundSms, account: ProviderAccount, **extra: Any) -> None:
        recorder = Recorder(201, resource())
        client = Client(ACCOUNT_SID, TOKEN, http_client=recorder)
        message = client.messages.create(
            to=sms.to,
            body=sms.text,
            status_callback=RECEIPTS,
            validity_period=sms.valid_seconds,
            **extra,
        )
        sid, asked = sent(sms, account)
        assert asked == by_sdk(client, recorder)
        assert sid == message.sid == SID

    def test_for_a_message_from_the_accounts_number(self) -> None:
        self.compare_message(SMS, ACCOUNT, from_=FROM)

    def test_for_a_message_from_a_sender_id(self) -> None:
        account = replace(ACCOUNT, options={**ACCOUNT.options, "messaging_service_sid": SERVICE})
        self.compare_message(replace(SMS, sender="Acme"), account, from_="Acme")

    def test_for_a_message_by_a_messaging_service(self) -> None:
        account = replace(ACCOUNT, options={**ACCOUNT.options, "messaging_service_sid": SERVICE})
        self.compare_message(SMS, account, messaging_service_sid=SERVICE)

    @FUZZ
    @given(text=st.text(max_size=80), sender=st.text(max_size=11), seconds=st.integers(1, 36_000))
    def test_for_any_message(self, text: str, sender: str, seconds: int) -> None:
        sms = replace(SMS, text=text, sender=sender, valid_seconds=seconds)
        self.compare_message(sms, ACCOUNT, from_=sender or FROM)

    def test_with_an_api_key(self) -> None:
        recorder = Recorder(201, resource())
        client = Client(KEY_SID, KEY_SECRET, ACCOUNT_SID, http_client=recorder)
        client.messages.create(
            to=TO, body=SMS.text, from_=FROM, status_callback=RECEIPTS, validity_period=300
        )
        keys = {"api_key_sid": KEY_SID, "api_key_secret": KEY_SECRET}
        account = replace(ACCOUNT, options={**ACCOUNT.options, **keys})
        assert sent(SMS, account)[1] == by_sdk(client, recorder)

    @FUZZ
    @given(
        text=st.text("ab 1<>&\"'é🔐\t\n", min_size=1, max_size=60),
        language=st.sampled_from([code for code in VOICE_LANGUAGES if code != "es-LA"]),
    )
    def test_for_a_call(self, text: str, language: str) -> None:
        sms = replace(CALL, text=text, language=language)
        sid, asked = sent(sms, body=resource(sid=CALL_SID))
        recorder = Recorder(201, resource(sid=CALL_SID))
        client = Client(ACCOUNT_SID, TOKEN, http_client=recorder)
        spoken = VoiceResponse()
        spoken.say(text, voice=voice_of(asked), language=language)
        call = client.calls.create(
            to=TO,
            from_=FROM,
            twiml=str(spoken),
            status_callback=RECEIPTS,
            status_callback_event=["completed"],
        )
        assert asked == by_sdk(client, recorder)
        assert sid == call.sid == CALL_SID


def voice_of(asked: Asked) -> str:
    twiml = dict(asked.form)["Twiml"]
    return twiml.partition(' voice="')[2].partition('"')[0]


class TestACall:
    def test_every_language_has_a_voice_of_its_own(self) -> None:
        voices = {
            (language, gender): voice_of(sent(replace(CALL, language=language, gender=gender))[1])
            for language in VOICE_LANGUAGES
            for gender in Gender
        }
        for (language, gender), voice in voices.items():
            assert voice.startswith(("Polly.", "Google."))
            if voice.startswith("Google."):
                assert language in voice
            same = [other for other, used in voices.items() if used == voice]
            assert {other for other, _ in same} == {language}
            if language not in ("el-GR", "hu-HU"):
                assert same == [(language, gender)]

    def test_latin_american_spanish_is_that_of_the_us(self) -> None:
        _, asked = sent(replace(CALL, language="es-LA", gender=Gender.MALE))
        assert '<Say language="es-US" voice="Polly.Miguel">' in dict(asked.form)["Twiml"]

    def test_an_unknown_language_is_spoken_as_english(self) -> None:
        _, asked = sent(replace(CALL, language='xx"><Hangup/>'))
        assert '<Response><Say language="en-US" voice="Polly.Joanna">' in dict(asked.form)["Twiml"]

    def test_a_text_can_not_add_a_verb(self) -> None:
        _, asked = sent(replace(CALL, text="</Say><Dial>+1900</Dial>&amp;\"'"))
        twiml = dict(asked.form)["Twiml"]
        assert twiml.count("<") == 5
        assert "&lt;/Say&gt;&lt;Dial&gt;" in twiml
        assert "&amp;amp;" in twiml

    def test_what_xml_can_not_hold_is_left_out(self) -> None:
        _, asked = sent(replace(CALL, text="a\0\x08\x1b\ud800\ufffe\uffffb"))
        assert ">ab</Say>" in dict(asked.form)["Twiml"]

    def test_a_number_is_shown_and_never_a_sender_id(self) -> None:
        assert dict(sent(replace(CALL, sender="Acme"))[1].form)["From"] == FROM
        assert dict(sent(replace(CALL, sender="+15005550006"))[1].form)["From"] == "+15005550006"


class TestAMessage:
    @pytest.mark.parametrize(
        ("seconds", "told"), [(-1, "1"), (0, "1"), (1, "1"), (36_000, "36000"), (36_001, "36000")]
    )
    def test_its_validity_keeps_to_twilios_bounds(self, seconds: int, told: str) -> None:
        _, asked = sent(replace(SMS, valid_seconds=seconds))
        assert dict(asked.form)["ValidityPeriod"] == told

    def test_the_auth_token_may_be_an_option(self) -> None:
        options = {**ACCOUNT.options, "auth_token": "other"}
        account = ProviderAccount("main", ("shared key",), options)
        assert sent(SMS, account)[1].authorization == _basic_auth_str(ACCOUNT_SID, "other")

    @pytest.mark.parametrize("half", [{"api_key_sid": KEY_SID}, {"api_key_secret": KEY_SECRET}])
    def test_half_an_api_key_counts_for_none(self, half: dict[str, str]) -> None:
        account = replace(ACCOUNT, options={**ACCOUNT.options, **half})
        assert sent(SMS, account)[1].authorization == _basic_auth_str(ACCOUNT_SID, TOKEN)

    def test_twilio_is_a_sender_of_both_channels(self) -> None:
        sender = registry.sender("twilio")
        assert sender is twilio
        assert set(Channel) == sender.CHANNELS


class TestNotConfigured:
    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize(
        ("secrets", "options"),
        [
            ((TOKEN,), {}),
            ((TOKEN,), {"from": FROM}),
            ((TOKEN,), {"account_sid": ACCOUNT_SID}),
            ((TOKEN,), {"account_sid": ACCOUNT_SID + "/..", "from": FROM}),
            ((TOKEN,), {"account_sid": KEY_SID, "from": FROM}),
            ((), {"account_sid": ACCOUNT_SID, "from": FROM}),
            ((), {"account_sid": ACCOUNT_SID, "from": FROM, "api_key_sid": KEY_SID}),
        ],
    )
    def test_nothing_is_sent(
        self, channel: Channel, secrets: tuple[str, ...], options: dict[str, str]
    ) -> None:
        account, twilio_ = ProviderAccount("main", secrets, options), Twilio(OutboundError("never"))
        with pytest.raises(SendError) as caught:
            twilio.send(replace(SMS, channel=channel), account, line(twilio_))
        assert (caught.value.reason, caught.value.again) == ("not_configured", False)
        assert twilio_.asked == []

    @pytest.mark.parametrize("options", [{"messaging_service_sid": SERVICE}, {"from": "Acme"}])
    def test_a_call_needs_a_number_to_come_from(self, options: dict[str, str]) -> None:
        account = replace(ACCOUNT, options={"account_sid": ACCOUNT_SID, **options})
        assert failure(OutboundError("never"), CALL, account).reason == "not_configured"


class TestARefusal:
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (21211, "number_refused"),
            (21214, "number_refused"),
            (21217, "number_refused"),
            (21608, "number_refused"),
            (21612, "number_refused"),
            (21614, "number_refused"),
            (21635, "number_refused"),
            (21610, "opted_out"),
            (13227, "country_refused"),
            (21215, "country_refused"),
            (21408, "country_refused"),
            (21210, "sender_refused"),
            (21212, "sender_refused"),
            (21606, "sender_refused"),
            (21659, "sender_refused"),
            (21617, "text_refused"),
            (21609, "not_configured"),
            (21703, "not_configured"),
            (20003, "not_authorized"),
            (99999, "refused"),
        ],
    )
    def test_has_a_reason_by_its_code(self, code: int, reason: str) -> None:
        recorder = Recorder(400, refusal(code))
        client = Client(ACCOUNT_SID, TOKEN, http_client=recorder)
        with pytest.raises(TwilioRestException) as caught:
            client.messages.create(to=TO, from_=FROM, body="x")
        assert caught.value.code == code
        error = failure(Fetched(400, refusal(code).encode(), {}))
        assert (error.reason, error.again) == (reason, False)

    @pytest.mark.parametrize(
        ("status", "code", "reason", "again"),
        [
            (401, 20003, "not_authorized", False),
            (403, 21408, "country_refused", False),
            (404, 20404, "not_configured", False),
            (429, 20429, "too_many", True),
            (400, 21611, "too_many", True),
            (500, 20500, "unavailable", True),
            (503, 20503, "unavailable", True),
        ],
    )
    def test_says_whether_to_come_again(
        self, status: int, code: int, reason: str, again: bool
    ) -> None:
        error = failure(Fetched(status, refusal(code, status).encode(), {}))
        assert (error.reason, error.again) == (reason, again)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b'{"code": "21610"}'])
    @pytest.mark.parametrize(
        ("status", "reason", "again"),
        [
            (302, "refused", False),
            (400, "refused", False),
            (401, "not_authorized", False),
            (403, "not_authorized", False),
            (404, "not_configured", False),
            (429, "too_many", True),
            (502, "unavailable", True),
        ],
    )
    def test_without_a_readable_body_goes_by_its_status(
        self, status: int, reason: str, again: bool, body: bytes
    ) -> None:
        error = failure(Fetched(status, body, {}))
        assert (error.reason, error.again) == (reason, again)

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"[]", b"{}", b'{"sid": 7}', b'{"sid": "SM1"}', b'{"sid": null}'],
    )
    def test_success_without_a_sid_is_not_tried_again(self, body: bytes) -> None:
        error = failure(Fetched(201, body, {}))
        assert (error.reason, error.again) == ("bad_answer", False)

    @FUZZ
    @given(
        status=st.integers(100, 599),
        body=st.binary(max_size=60)
        | st.fixed_dictionaries(
            {}, optional={"sid": ANY_TEXT, "code": st.integers() | st.floats() | st.none()}
        ).map(lambda fields: json.dumps(fields).encode()),
    )
    def test_nothing_else_is_raised_for_any_answer(self, status: int, body: bytes) -> None:
        failure(Fetched(status, body, {}))


class TestABrokenExchange:
    def test_that_never_began_is_tried_again(self) -> None:
        error = failure(NotSentError("connection_failed"))
        assert (error.reason, error.again) == ("connection_failed", True)

    def test_of_unknown_outcome_is_tried_again(self) -> None:
        for answer in (None, Fetched(201, b"", {})):
            error = failure(OutcomeUnknownError("too_large", answer))
            assert (error.reason, error.again) == ("timeout", True)


def receipts(pairs: Mapping[str, str]) -> list[Receipt]:
    return twilio.receipts(InboundPost(RECEIPTS, {}, urlencode(pairs).encode()), NOW)


class TestReceipts:
    @pytest.mark.parametrize(
        ("name", "sid", "status", "detail"),
        [
            ("delivered", SID, ReceiptStatus.DELIVERED, "delivered"),
            ("undelivered", SID, ReceiptStatus.UNDELIVERED, "30003"),
            ("answered_call", CALL_SID, ReceiptStatus.DELIVERED, "completed"),
            ("unanswered_call", CALL_SID, ReceiptStatus.UNDELIVERED, "no-answer"),
        ],
    )
    def test_genuine_ones_are_accepted_and_read(
        self, name: str, sid: str, status: ReceiptStatus, detail: str
    ) -> None:
        body = (FIXTURES / f"{name}.post").read_bytes()
        fields = dict(parse_qsl(body.decode()))
        signature = RequestValidator(TOKEN).compute_signature(RECEIPTS, fields)
        post = InboundPost(RECEIPTS, {"x-twilio-signature": signature}, body)
        assert twilio.verify(post, ACCOUNT, NOW)
        assert twilio.receipts(post, NOW) == [Receipt(sid, status, detail, NOW)]

    def test_a_receipt_names_what_send_returned(self) -> None:
        sid, _ = sent()
        (receipt,) = receipts({"MessageSid": sid, "MessageStatus": "sent"})
        assert receipt.message_id == sid

    @pytest.mark.parametrize(
        ("status", "meaning"),
        [
            *((word, "on_its_way") for word in ("accepted", "scheduled", "queued", "sending")),
            ("sent", "on_its_way"),
            ("delivered", "delivered"),
            ("read", "delivered"),
            *((word, "undelivered") for word in ("undelivered", "failed", "canceled")),
        ],
    )
    def test_what_a_message_status_means(self, status: str, meaning: str) -> None:
        (receipt,) = receipts({"MessageSid": SID, "MessageStatus": status})
        assert (receipt.status, receipt.detail) == (meaning, status)

    @pytest.mark.parametrize(
        ("status", "meaning"),
        [
            *((word, "on_its_way") for word in ("queued", "initiated", "ringing")),
            *((word, "delivered") for word in ("in-progress", "completed")),
            *((word, "undelivered") for word in ("busy", "no-answer", "failed", "canceled")),
        ],
    )
    def test_what_a_call_status_means(self, status: str, meaning: str) -> None:
        (receipt,) = receipts({"CallSid": CALL_SID, "CallStatus": status})
        assert (receipt.status, receipt.detail) == (meaning, status)

    @pytest.mark.parametrize("code", ["", "0", "x", "30003 ", "1234567", "\uff13"])
    def test_an_error_code_that_is_none_is_not_passed_on(self, code: str) -> None:
        fields = {"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": code}
        assert receipts(fields)[0].detail == "failed"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({}, "MessageStatus"),
            ({"MessageSid": SID}, "MessageStatus"),
            ({"MessageSid": SID, "MessageStatus": "lost"}, "MessageStatus"),
            ({"MessageSid": SID, "MessageStatus": "completed"}, "MessageStatus"),
            ({"MessageStatus": "sent"}, "MessageSid"),
            ({"MessageStatus": "sent", "MessageSid": "SM1"}, "MessageSid"),
            ({"CallSid": CALL_SID}, "CallStatus"),
            ({"CallSid": CALL_SID, "CallStatus": "delivered"}, "CallStatus"),
            ({"CallSid": "CA1", "CallStatus": "busy"}, "CallSid"),
        ],
    )
    def test_a_missing_or_wrong_field_is_named(self, fields: dict[str, str], named: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            receipts(fields)
        assert caught.value.field == named

    @FUZZ
    @given(
        body=st.binary(max_size=80)
        | ANY_TEXT.map(lambda text: f"MessageSid={text}".encode("utf-8", "surrogatepass"))
    )
    def test_nothing_else_is_raised_for_any_bytes(self, body: bytes) -> None:
        with pytest.raises(InvalidInputError):
            twilio.receipts(InboundPost(RECEIPTS, {}, body), NOW)
