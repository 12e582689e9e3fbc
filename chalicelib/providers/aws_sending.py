"""How AWS End User Messaging SMS and Voice v2 sends: the half of aws.py that asks AWS.

Sources: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/ (SendTextMessage,
SendVoiceMessage) and botocore's model of it, which the tests check against.

The account's options: `region`; `origination_identity` (a number, pool or sender ID, by name or
ARN; without it AWS chooses for an SMS, and nothing can be spoken), `voice_identity` (instead of
it for calls), `configuration_set` (which says where events go), `max_price` per SMS and
`max_price_per_minute` (US dollars). Its secrets play no part: the Lambda's role signs.

AWS takes no key that would make a repeat safe: what timed out may be sent twice, with the same
code in it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore import exceptions

from chalicelib.domain.otp import Channel, Gender
from chalicelib.providers.sending import Line, OutboundSms, SendError
from chalicelib.settings import ProviderAccount

CHANNELS = frozenset({Channel.SMS, Channel.VOICE})

SERVICE = "pinpoint-sms-voice-v2"
LEAST_TIME_TO_LIVE, MOST_TIME_TO_LIVE = 5, 259_200
"""Seconds that AWS takes."""

VOICES: Mapping[str, Mapping[Gender, str]] = {
    language: {Gender.FEMALE: female, Gender.MALE: male}
    for language, female, male in (
        ("en-US", "JOANNA", "MATTHEW"),
        ("en-GB", "AMY", "BRIAN"),
        ("pl-PL", "EWA", "JACEK"),
        # The right language matters more than the gender, of which there is one.
        ("sv-SE", "ASTRID", "ASTRID"),
        ("de-DE", "MARLENE", "HANS"),
        ("es-ES", "CONCHITA", "ENRIQUE"),
        ("es-LA", "PENELOPE", "MIGUEL"),
        ("fr-FR", "CELINE", "MATHIEU"),
        ("it-IT", "CARLA", "GIORGIO"),
        ("pt-BR", "VITORIA", "RICARDO"),
        ("ru-RU", "TATYANA", "MAXIM"),
    )
}
"""Amazon Polly's voices. It has none for el-GR and hu-HU that this service would take."""

_BY_REASON = {
    "ACCOUNT_DISABLED": "not_authorized",
    "COUNTRY_CODE_MISMATCH": "country_refused",
    "COUNTRY_NOT_ENABLED": "country_refused",
    "DAILY_DESTINATION_CALL_LIMIT": "number_refused",
    "DESTINATION_COUNTRY_BLOCKED": "country_refused",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "country_refused",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "number_refused",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "number_not_verified",
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "opted_out",
    "INSUFFICIENT_ACCOUNT_REPUTATION": "not_authorized",
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": "country_refused",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": "sender_refused",
    "MAXIMUM_SIZE_EXCEEDED": "text_refused",
    "MESSAGE_TYPE_MISMATCH": "sender_refused",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": "spend_limit",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE": "spend_limit",
    "NO_ORIGINATION_IDENTITIES_FOUND": "sender_refused",
    "NUMBER_CAPABILITIES_MISMATCH": "sender_refused",
    "PRICE_OVER_THRESHOLD": "too_expensive",
    "SENDER_ID_NOT_REGISTERED": "sender_refused",
    "SENDER_ID_NOT_SUPPORTED": "sender_refused",
    "SENDER_ID_REQUIRES_REGISTRATION": "sender_refused",
    "VOICE_CAPABILITY_NOT_AVAILABLE": "sender_refused",
}
_BY_FIELD = {
    "destinationphonenumber": "number_refused",
    "messagebody": "text_refused",
    "originationidentity": "sender_refused",
}
_BY_CODE = {
    "AccessDeniedException": "not_authorized",
    "ExpiredTokenException": "not_authorized",
    "IncompleteSignatureException": "not_authorized",
    "InvalidSignatureException": "not_authorized",
    "MissingAuthenticationTokenException": "not_authorized",
    "ServiceQuotaExceededException": "quota_exceeded",
    "UnrecognizedClientException": "not_authorized",
}
_TOO_MANY = frozenset({"ThrottlingException", "TooManyRequestsException"})
_MISCONFIGURED = (
    exceptions.BaseEndpointResolverError,
    exceptions.EndpointProviderError,
    exceptions.NoCredentialsError,
    exceptions.ParamValidationError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.ValidationError,
)
"""Among them, that the region is none and that the model forbids a parameter."""


def send(sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
    """Send or speak `sms`; AWS's id of it. Raises SendError, and nothing else."""
    region = account.options.get("region")
    if not region:
        raise SendError("not_configured", again=False)
    # Asked for before the client is made: what can't be said in a language costs no connection.
    spoken = sms.channel is Channel.VOICE
    asked = _call(sms, account.options) if spoken else _text(sms, account.options)
    try:
        client = line.aws_client(SERVICE, region)
        answer = (client.send_voice_message if spoken else client.send_text_message)(**asked)
    except exceptions.ClientError as error:
        raise _refusal(error.response, sms) from None
    except exceptions.BotoCoreError as error:
        raise _failure(error) from None
    except (AttributeError, TypeError):
        # Of botocore's own parser, for an answer that is none of its model's.
        raise SendError("bad_answer", again=False) from None
    found = answer.get("MessageId")
    if not isinstance(found, str) or not found:
        # It was taken, most likely: sent again, it would come twice.
        raise SendError("bad_answer", again=False)
    return found


def _text(sms: OutboundSms, options: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_common(sms, options),
        **_given("OriginationIdentity", sms.sender or options.get("origination_identity")),
        **_given("MaxPrice", options.get("max_price")),
        "MessageType": "TRANSACTIONAL",
    }


def _call(sms: OutboundSms, options: Mapping[str, str]) -> dict[str, Any]:
    """A sender ID calls nobody: the account's own identity does."""
    identity = options.get("voice_identity") or options.get("origination_identity")
    if not identity:
        raise SendError("not_configured", again=False)
    voices = VOICES.get(sms.language)
    if voices is None:
        raise SendError("language_unsupported", again=False)
    return {
        **_common(sms, options),
        **_given("MaxPricePerMinute", options.get("max_price_per_minute")),
        "OriginationIdentity": identity,
        "MessageBodyTextType": "TEXT",
        "VoiceId": voices[sms.gender],
    }


def _common(sms: OutboundSms, options: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_given("ConfigurationSetName", options.get("configuration_set")),
        "DestinationPhoneNumber": sms.to,
        "MessageBody": sms.text,
        "TimeToLive": min(max(sms.valid_seconds, LEAST_TIME_TO_LIVE), MOST_TIME_TO_LIVE),
        "Context": {"reference": sms.reference},
    }


def _given(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}


def _failure(error: exceptions.BotoCoreError) -> SendError:
    """What it means that AWS could not be asked, or was not heard."""
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError):
        return SendError("timeout", again=True)
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return SendError("connection_failed", again=True)
    if isinstance(error, _MISCONFIGURED):
        return SendError("not_configured", again=False)
    return SendError("unavailable", again=True)


def _refusal(answer: Mapping[str, Any], sms: OutboundSms) -> SendError:
    """What AWS's answer means. Its own text stays out: it may quote the number or the message."""
    code = answer.get("Error", {}).get("Code")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if code in _TOO_MANY or status == 429:
        return SendError("too_many", again=True)
    if status >= 500:
        return SendError("unavailable", again=True)
    if code == "ResourceNotFoundException":
        own = sms.channel is Channel.VOICE or not sms.sender
        return SendError("not_configured" if own else "sender_refused", again=False)
    reason = _BY_REASON.get(str(answer.get("Reason"))) or _by_field(answer.get("Fields") or ())
    return SendError(reason or _BY_CODE.get(str(code), "refused"), again=False)


def _by_field(fields: Iterable[Mapping[str, str]]) -> str | None:
    names = (str(field.get("Name")).lower() for field in fields)
    return next((_BY_FIELD[name] for name in names if name in _BY_FIELD), None)
