"""AWS as a sender, asked through botocore, whose model each request must fit."""

import inspect
import json
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.session import get_session
from botocore.stub import Stubber
from contract_suite import NOW

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import VOICE_LANGUAGES, Channel, Gender
from chalicelib.providers import registry
from chalicelib.providers.aws_sending import (
    CHANNELS,
    LEAST_TIME_TO_LIVE,
    MOST_TIME_TO_LIVE,
    SERVICE,
    VOICES,
    send,
)
from chalicelib.providers.sending import Line, OutboundSms, SendError
from chalicelib.settings import ProviderAccount
from tests.servers import HTML, answer, cut_short, drop, raw, refused_url, serving

ID = "862a8790-60c0-4430-9b2b-658bd0a1b2c3"
REGION = "eu-west-1"
NUMBER, TEXT = E164("+447700900123"), "Your code is 482913 é 🔐"
SMS = OutboundSms(
    reference="01H2ZJ5Q1V7N8W3M4K5P6R7S8T#1",
    to=NUMBER,
    text=TEXT,
    channel=Channel.SMS,
    sender="",
    language="en-GB",
    gender=Gender.FEMALE,
    valid_seconds=300,
)
CALL = replace(SMS, channel=Channel.VOICE)
OPTIONS = {"region": REGION, "origination_identity": "+12065550152"}
EVERY_OPTION = {
    **OPTIONS,
    "voice_identity": "phone-0123456789abcdef",
    "configuration_set": "sesame",
    "max_price": "0.50",
    "max_price_per_minute": "1.25",
}
ASKED = {
    "DestinationPhoneNumber": NUMBER,
    "OriginationIdentity": "+12065550152",
    "MessageBody": TEXT,
    "TimeToLive": 300,
    "Context": {"reference": "01H2ZJ5Q1V7N8W3M4K5P6R7S8T#1"},
}
AS_TEXT = {**ASKED, "MessageType": "TRANSACTIONAL"}
AS_CALL = {**ASKED, "MessageBodyTextType": "TEXT", "VoiceId": "AMY"}
MODEL = get_session().get_service_model(SERVICE)


def client(endpoint: str | None = None) -> Any:
    return get_session().create_client(
        SERVICE,
        region_name=REGION,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="example",
        endpoint_url=endpoint,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5),
    )


@pytest.fixture(scope="module")
def real() -> Any:
    return client()


@pytest.fixture
def aws(real: Any) -> Iterator[Stubber]:
    """AWS, which answers what it is told to, if the request is in its model."""
    with Stubber(real) as stub:
        yield stub
        stub.assert_no_pending_responses()


def line(made: Any) -> Line:
    def aws_client(service: str, region: str) -> Any:
        assert (service, region) == ("pinpoint-sms-voice-v2", REGION)
        if isinstance(made, Exception):
            raise made
        return made

    def unused(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("AWS is asked by botocore alone")

    return Line(unused, "https://sesame.example", "", NOW, unused, aws_client)


def sent(sms: OutboundSms, aws: Stubber, **options: str) -> str:
    return send(sms, ProviderAccount("main", (), {**OPTIONS, **options}), line(aws.client))


@contextmanager
def refused(reason: str, *, again: bool = False) -> Iterator[None]:
    with pytest.raises(SendError) as caught:
        yield
    assert (caught.value.reason, caught.value.again) == (reason, again)
    assert re.fullmatch(r"[a-z_]+", reason)
    # What was to be sent, and to whom, is in no log.
    told = "".join(traceback.format_exception(caught.value))
    assert NUMBER not in told
    assert "482913" not in told


def test_it_is_listed_as_a_sender() -> None:
    found = registry.sender("aws")
    assert found is not None
    assert found.send is send
    assert found.CHANNELS == CHANNELS == {Channel.SMS, Channel.VOICE}


def test_a_text_is_sent_from_the_accounts_identity(aws: Stubber) -> None:
    aws.add_response("send_text_message", {"MessageId": ID}, AS_TEXT)
    assert sent(SMS, aws) == ID


def test_a_text_is_sent_from_the_sender_that_it_names(aws: Stubber) -> None:
    asked = {**AS_TEXT, "OriginationIdentity": "Sesame"}
    aws.add_response("send_text_message", {"MessageId": ID}, asked)
    assert sent(replace(SMS, sender="Sesame"), aws) == ID


def test_without_an_identity_aws_chooses_one_for_a_text(aws: Stubber) -> None:
    asked = {name: value for name, value in AS_TEXT.items() if name != "OriginationIdentity"}
    for options in ({"region": REGION}, {**OPTIONS, "origination_identity": ""}):
        aws.add_response("send_text_message", {"MessageId": ID}, asked)
        assert send(SMS, ProviderAccount("main", (), options), line(aws.client)) == ID


def test_every_option_of_a_text_is_passed_on(aws: Stubber) -> None:
    asked = {**AS_TEXT, "ConfigurationSetName": "sesame", "MaxPrice": "0.50"}
    aws.add_response("send_text_message", {"MessageId": ID}, asked)
    assert sent(SMS, aws, **EVERY_OPTION) == ID


def test_a_code_is_spoken_from_the_accounts_identity(aws: Stubber) -> None:
    aws.add_response("send_voice_message", {"MessageId": ID}, AS_CALL)
    assert sent(replace(CALL, sender="Sesame"), aws) == ID


def test_every_option_of_a_call_is_passed_on(aws: Stubber) -> None:
    asked = {
        **AS_CALL,
        "OriginationIdentity": "phone-0123456789abcdef",
        "ConfigurationSetName": "sesame",
        "MaxPricePerMinute": "1.25",
    }
    aws.add_response("send_voice_message", {"MessageId": ID}, asked)
    assert sent(CALL, aws, **EVERY_OPTION) == ID


@pytest.mark.parametrize("gender", Gender)
@pytest.mark.parametrize("language", VOICES)
def test_a_language_is_spoken_by_a_voice_of_it(aws: Stubber, language: str, gender: Gender) -> None:
    asked = {**AS_CALL, "VoiceId": VOICES[language][gender]}
    aws.add_response("send_voice_message", {"MessageId": ID}, asked)
    assert sent(replace(CALL, language=language, gender=gender), aws) == ID


def test_every_voice_is_in_the_model_and_speaks_one_language() -> None:
    # botocore leaves enumerations to AWS.
    known = set(MODEL.shape_for("VoiceId").enum)
    spoken = [set(voices.values()) for voices in VOICES.values()]
    assert set.union(*spoken) <= known
    assert sum(map(len, spoken)) == len(set.union(*spoken))
    assert [language for language, voices in VOICES.items() if len({*voices.values()}) < 2] == [
        "sv-SE"
    ]
    assert "TEXT" in MODEL.shape_for("VoiceMessageBodyTextType").enum
    assert "TRANSACTIONAL" in MODEL.shape_for("MessageType").enum


def test_a_language_without_a_voice_is_another_providers() -> None:
    silent = set(VOICE_LANGUAGES) - VOICES.keys()
    assert silent == {"el-GR", "hu-HU"}
    for language in silent:
        with refused("language_unsupported"):
            send(
                replace(CALL, language=language),
                ProviderAccount("main", (), OPTIONS),
                line(AssertionError("not asked")),
            )


def test_every_language_can_be_written(aws: Stubber) -> None:
    for language in VOICE_LANGUAGES:
        aws.add_response("send_text_message", {"MessageId": ID}, AS_TEXT)
        assert sent(replace(SMS, language=language), aws) == ID


@pytest.mark.parametrize(
    ("valid", "told"), [(-1, 5), (0, 5), (5, 5), (6, 6), (259_200, 259_200), (10**6, 259_200)]
)
@pytest.mark.parametrize("message", [SMS, CALL])
def test_the_time_to_live_is_one_that_aws_takes(
    aws: Stubber, message: OutboundSms, valid: int, told: int
) -> None:
    method, asked = (
        ("send_text_message", AS_TEXT) if message is SMS else ("send_voice_message", AS_CALL)
    )
    aws.add_response(method, {"MessageId": ID}, {**asked, "TimeToLive": told})
    assert sent(replace(message, valid_seconds=valid), aws) == ID


def test_the_bounds_are_those_of_the_model() -> None:
    bounds = MODEL.shape_for("TimeToLive").metadata
    assert (bounds["min"], bounds["max"]) == (LEAST_TIME_TO_LIVE, MOST_TIME_TO_LIVE)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (SMS, {}),
        (SMS, {"region": ""}),
        (CALL, {"region": REGION}),
        (CALL, {"region": REGION, "origination_identity": ""}),
    ],
)
def test_what_the_account_lacks_is_said_before_aws_is_asked(
    message: OutboundSms, options: dict[str, str]
) -> None:
    with refused("not_configured"):
        send(message, ProviderAccount("main", (), options), line(AssertionError("not asked")))


@pytest.mark.parametrize(
    ("code", "details", "reason"),
    [
        ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", "opted_out"),
        ("ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "number_not_verified"),
        (
            "ConflictException",
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
            "country_refused",
        ),
        (
            "ConflictException",
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
            "number_refused",
        ),
        ("ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND", "sender_refused"),
        ("ConflictException", "NUMBER_CAPABILITIES_MISMATCH", "sender_refused"),
        ("ConflictException", "MESSAGE_TYPE_MISMATCH", "sender_refused"),
        ("ConflictException", "RESOURCE_NOT_ACTIVE", "refused"),
        ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", "country_refused"),
        ("ValidationException", "COUNTRY_NOT_ENABLED", "country_refused"),
        ("ValidationException", "COUNTRY_CODE_MISMATCH", "country_refused"),
        ("ValidationException", "INTERNATIONAL_SENDING_NOT_SUPPORTED", "country_refused"),
        ("ValidationException", "SENDER_ID_NOT_REGISTERED", "sender_refused"),
        ("ValidationException", "SENDER_ID_NOT_SUPPORTED", "sender_refused"),
        ("ValidationException", "SENDER_ID_REQUIRES_REGISTRATION", "sender_refused"),
        ("ValidationException", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", "sender_refused"),
        ("ValidationException", "VOICE_CAPABILITY_NOT_AVAILABLE", "sender_refused"),
        ("ValidationException", "PRICE_OVER_THRESHOLD", "too_expensive"),
        ("ValidationException", "MAXIMUM_SIZE_EXCEEDED", "text_refused"),
        ("ValidationException", "OTHER", "refused"),
        ("AccessDeniedException", "ACCOUNT_DISABLED", "not_authorized"),
        ("AccessDeniedException", "INSUFFICIENT_ACCOUNT_REPUTATION", "not_authorized"),
        ("AccessDeniedException", None, "not_authorized"),
        ("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "spend_limit"),
        ("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE", "spend_limit"),
        ("ServiceQuotaExceededException", "DAILY_DESTINATION_CALL_LIMIT", "number_refused"),
        ("ServiceQuotaExceededException", None, "quota_exceeded"),
        ("UnrecognizedClientException", None, "not_authorized"),
        ("ExpiredTokenException", None, "not_authorized"),
        ("InvalidSignatureException", None, "not_authorized"),
        ("SomethingNewException", None, "refused"),
    ],
)
def test_what_aws_refuses_is_another_providers(
    aws: Stubber, code: str, details: str | None, reason: str
) -> None:
    fields = {"Reason": details} if details else {}
    if details:
        assert details in MODEL.shape_for(f"{code}Reason").enum
    aws.add_client_error("send_text_message", code, f"{NUMBER}: {TEXT}", 400, modeled_fields=fields)
    with refused(reason):
        sent(SMS, aws)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("ThrottlingException", 400, "too_many"),
        ("TooManyRequestsException", 429, "too_many"),
        ("SomethingNew", 429, "too_many"),
        ("InternalServerException", 500, "unavailable"),
        ("ServiceUnavailable", 503, "unavailable"),
        ("", 502, "unavailable"),
    ],
)
@pytest.mark.parametrize("message", [SMS, CALL])
def test_what_passes_may_be_tried_again(
    aws: Stubber, message: OutboundSms, code: str, status: int, reason: str
) -> None:
    method = "send_text_message" if message is SMS else "send_voice_message"
    aws.add_client_error(method, code, f"{NUMBER}: {TEXT}", status)
    with refused(reason, again=True):
        sent(message, aws)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["DestinationPhoneNumber"], "number_refused"),
        (["destinationPhoneNumber"], "number_refused"),
        (["MaxPrice", "OriginationIdentity"], "sender_refused"),
        (["MessageBody"], "text_refused"),
        (["MaxPrice"], "refused"),
        ([], "refused"),
    ],
)
def test_the_field_that_aws_refuses_is_told(aws: Stubber, names: list[str], reason: str) -> None:
    fields = [{"Name": name, "Message": f"{NUMBER} is wrong"} for name in names]
    aws.add_client_error(
        "send_text_message",
        "ValidationException",
        modeled_fields={"Reason": "FIELD_VALIDATION_FAILED", "Fields": fields},
    )
    with refused(reason):
        sent(SMS, aws)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (SMS, "not_configured"),
        (replace(SMS, sender="Sesame"), "sender_refused"),
        (replace(CALL, sender="Sesame"), "not_configured"),
    ],
)
def test_an_unknown_identity_is_the_senders_fault_or_the_accounts(
    aws: Stubber, message: OutboundSms, reason: str
) -> None:
    method = "send_text_message" if message.channel is Channel.SMS else "send_voice_message"
    aws.add_client_error(method, "ResourceNotFoundException")
    with refused(reason):
        sent(message, aws)


def test_an_answer_without_an_id_is_not_sent_twice(aws: Stubber) -> None:
    for found in ({}, {"MessageId": ""}):
        aws.add_response("send_text_message", found, AS_TEXT)
        with refused("bad_answer"):
            sent(SMS, aws)


def test_a_parameter_that_the_model_forbids_is_no_crash() -> None:
    nothing: Any = None
    with refused("not_configured"):
        send(
            replace(SMS, reference=nothing),
            ProviderAccount("main", (), OPTIONS),
            line(client(refused_url())),
        )


def test_every_failure_of_botocore_is_one_of_ours() -> None:
    made = []
    for error in vars(exceptions).values():
        if not (inspect.isclass(error) and issubclass(error, exceptions.BotoCoreError)):
            continue
        blank = error.__new__(error)
        Exception.__init__(blank, f"{NUMBER}: {TEXT}")
        made.append(blank)
        with pytest.raises(SendError) as caught:
            send(SMS, ProviderAccount("main", (), OPTIONS), line(blank))
        assert caught.value.again is (caught.value.reason != "not_configured")
    assert len(made) > 50


@pytest.mark.parametrize(
    ("error", "reason", "again"),
    [
        (exceptions.NoCredentialsError(), "not_configured", False),
        (exceptions.PartialCredentialsError(provider="p", cred_var="v"), "not_configured", False),
        (exceptions.NoRegionError(), "not_configured", False),
        (exceptions.InvalidRegionError(region_name="x y"), "not_configured", False),
        (
            exceptions.CredentialRetrievalError(provider="p", error_msg=NUMBER),
            "unavailable",
            True,
        ),
        (exceptions.ConnectTimeoutError(endpoint_url="u"), "timeout", True),
        (exceptions.ReadTimeoutError(endpoint_url="u"), "timeout", True),
        (exceptions.SSLError(endpoint_url="u", error="e"), "connection_failed", True),
        (exceptions.ProxyConnectionError(proxy_url="u"), "connection_failed", True),
    ],
)
def test_a_failure_to_ask_has_a_stable_reason(error: Exception, reason: str, again: bool) -> None:
    with refused(reason, again=again):
        send(SMS, ProviderAccount("main", (), OPTIONS), line(error))


def test_the_request_is_one_that_aws_reads() -> None:
    with serving(answer({"MessageId": ID})) as server:
        account = ProviderAccount("main", (), EVERY_OPTION)
        assert send(SMS, account, line(client(server.url))) == ID
        (request,) = server.received
    assert request.method == "POST"
    assert request.headers["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
    asked = {**AS_TEXT, "ConfigurationSetName": "sesame", "MaxPrice": "0.50"}
    assert json.loads(request.body) == asked


@pytest.mark.parametrize(
    ("behave", "reason", "again"),
    [
        (answer({}), "bad_answer", False),
        (answer({"MessageId": None}), "bad_answer", False),
        (HTML, "bad_answer", False),
        (answer(b""), "bad_answer", False),
        (answer({"__type": "x#ConflictException", "Message": NUMBER}, 400), "refused", False),
        (answer({"__type": "ThrottlingException"}, 400), "too_many", True),
        (answer(b"<html>", 503), "unavailable", True),
        (answer(b"", 500), "unavailable", True),
        (answer(b"{", 403), "refused", False),
        (drop, "connection_failed", True),
        (raw(b"junk\r\n\r\n"), "connection_failed", True),
        (cut_short, "bad_answer", False),
        (answer({"MessageId": 7}), "bad_answer", False),
        (answer({"MessageId": {}}), "bad_answer", False),
        (answer([]), "bad_answer", False),
        (answer("x"), "bad_answer", False),
        (answer(7), "bad_answer", False),
        (answer([], 400), "bad_answer", False),
        (answer({"__type": 7, "Reason": [], "Fields": "x"}, 400), "bad_answer", False),
        (
            answer({"__type": "ValidationException", "Reason": [], "Fields": 7}, 400),
            "bad_answer",
            False,
        ),
        (answer({"__type": "ValidationException", "Fields": [7]}, 400), "bad_answer", False),
        (answer({"__type": "ValidationException", "Fields": [{"Name": 7}]}, 400), "refused", False),
    ],
)
def test_whatever_comes_over_the_wire_is_a_reason(behave: Any, reason: str, again: bool) -> None:
    with serving(behave) as server, refused(reason, again=again):
        send(SMS, ProviderAccount("main", (), OPTIONS), line(client(server.url)))


def test_a_connection_that_is_refused_may_be_tried_again() -> None:
    with refused("connection_failed", again=True):
        send(SMS, ProviderAccount("main", (), OPTIONS), line(client(refused_url())))
