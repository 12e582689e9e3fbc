"""How Twilio sends: a text by its Messages, a spoken code by its Calls and TwiML.

Source: https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/voice/twiml/say
and https://www.twilio.com/docs/api/errors

Of the account's options, `account_sid` is always needed, and `from` (a number) or
`messaging_service_sid` where a message names no sender; calls need a number. The password is
`auth_token`, or the first secret if that is not set; `api_key_sid` and `api_key_secret` take the
place of both.
"""

import base64
import html
import re
from collections.abc import Mapping

from chalicelib.domain.otp import Channel, Gender
from chalicelib.errors import InvalidInputError
from chalicelib.outbound import Fetched, NotSentError, OutcomeUnknownError
from chalicelib.providers.contract import json_object
from chalicelib.providers.sending import SEND_SECONDS, Line, OutboundSms, SendError
from chalicelib.settings import ProviderAccount

CHANNELS = frozenset({Channel.SMS, Channel.VOICE})

API = "https://api.twilio.com/2010-04-01"
LONGEST_VALIDITY = 36_000
"""Seconds: more is refused (error 21624), and so is less than one."""

SID = re.compile(r"[0-9A-Za-z]{34}")
_ACCOUNT_SID = re.compile(r"AC[0-9A-Za-z]{32}")
_NUMBER = re.compile(r"\+[0-9]{1,15}")
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What <Say> calls the language, its female voice and its male one. Greek and Hungarian have none of
# the latter. Of American Spanish, only that of the US has both among the standard voices.
_VOICES = {
    "en-US": ("en-US", "Polly.Joanna", "Polly.Matthew"),
    "en-GB": ("en-GB", "Polly.Amy", "Polly.Brian"),
    "el-GR": ("el-GR", "Google.el-GR-Standard-B", "Google.el-GR-Standard-B"),
    "pl-PL": ("pl-PL", "Polly.Ewa", "Polly.Jacek"),
    "hu-HU": ("hu-HU", "Google.hu-HU-Standard-B", "Google.hu-HU-Standard-B"),
    "sv-SE": ("sv-SE", "Polly.Astrid", "Google.sv-SE-Standard-G"),
    "de-DE": ("de-DE", "Polly.Vicki", "Polly.Hans"),
    "es-ES": ("es-ES", "Polly.Lucia", "Polly.Enrique"),
    "es-LA": ("es-US", "Polly.Lupe", "Polly.Miguel"),
    "fr-FR": ("fr-FR", "Polly.Lea", "Polly.Mathieu"),
    "it-IT": ("it-IT", "Polly.Bianca", "Polly.Giorgio"),
    "pt-BR": ("pt-BR", "Polly.Camila", "Polly.Ricardo"),
    "ru-RU": ("ru-RU", "Polly.Tatyana", "Polly.Maxim"),
}

_REASONS: Mapping[str, str] = {
    "number_refused": "21211 21214 21216 21217 21219 21604 21608 21612 21614 21635",
    "opted_out": "21610",
    "country_refused": "13227 21215 21408",
    "sender_refused": (
        "21210 21212 21213 21267 21401 21407 21601 21603 21606 21607 21659 21660 21661"
    ),
    "text_refused": "21602 21605 21617 21619",
    "not_configured": "21609 21701 21702 21703 21704 21705",
    "not_authorized": "20003 20005 20403",
}
_REASON_OF = {int(code): reason for reason, codes in _REASONS.items() for code in codes.split()}
_QUEUE_IS_FULL = 21611


def send(sms: OutboundSms, account: ProviderAccount, line: Line) -> str:
    """Hand `sms` to Twilio; the SID that its receipts will name. Raises SendError."""
    options = account.options
    account_sid = options.get("account_sid", "")
    if not _ACCOUNT_SID.fullmatch(account_sid):
        raise SendError("not_configured", again=False)
    if sms.channel is Channel.VOICE:
        resource, form = "Calls", _call(sms, options)
    else:
        resource, form = "Messages", _message(sms, options)
    try:
        answer = line.fetch(
            "POST",
            f"{API}/Accounts/{account_sid}/{resource}.json",
            form={"To": sms.to, "StatusCallback": line.receipt_url, **form},
            headers={"authorization": _authorization(account), "accept": "application/json"},
            deadline_seconds=SEND_SECONDS,
        )
    except NotSentError as error:
        raise SendError(error.reason, again=True) from None
    except OutcomeUnknownError:
        raise SendError("timeout", again=True) from None
    return _sid(answer)


def _message(sms: OutboundSms, options: Mapping[str, str]) -> dict[str, str]:
    fields = {
        "Body": sms.text,
        "ValidityPeriod": str(min(max(sms.valid_seconds, 1), LONGEST_VALIDITY)),
    }
    service = options.get("messaging_service_sid")
    if service and not sms.sender:
        # The service chooses a sender that suits the country.
        return {**fields, "MessagingServiceSid": service}
    sender = sms.sender or options.get("from")
    if not sender:
        raise SendError("not_configured", again=False)
    return {**fields, "From": sender}


def _call(sms: OutboundSms, options: Mapping[str, str]) -> dict[str, str]:
    for caller in (sms.sender, options.get("from", "")):
        if _NUMBER.fullmatch(caller):
            # "completed" comes once, however the call ended.
            return {"From": caller, "Twiml": _twiml(sms), "StatusCallbackEvent": "completed"}
    raise SendError("not_configured", again=False)


def _twiml(sms: OutboundSms) -> str:
    language, female, male = _VOICES.get(sms.language, _VOICES["en-US"])
    voice = male if sms.gender is Gender.MALE else female
    text = html.escape(_NOT_XML.sub("", sms.text), quote=False)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Response><Say language="{language}" voice="{voice}">{text}</Say></Response>'
    )


def _authorization(account: ProviderAccount) -> str:
    options = account.options
    user, password = options.get("api_key_sid", ""), options.get("api_key_secret", "")
    if not (user and password):
        user = options["account_sid"]
        password = options.get("auth_token") or next(iter(account.secrets), "")
    if not password:
        raise SendError("not_configured", again=False)
    pair = f"{user}:{password}".encode("utf-8", "replace")
    return "Basic " + base64.b64encode(pair).decode()


def _sid(answer: Fetched) -> str:
    """The SID in an answer. Raises SendError, with nothing of what the answer says."""
    try:
        fields = json_object(answer.body)
    except InvalidInputError:
        fields = {}
    if 200 <= answer.status < 300:
        sid = fields.get("sid")
        if isinstance(sid, str) and SID.fullmatch(sid):
            return sid
        # It was taken, most likely: sent again, it would come twice.
        raise SendError("bad_answer", again=False)
    code = fields.get("code")
    raise _refusal(answer.status, code if isinstance(code, int) else 0)


def _refusal(status: int, code: int) -> SendError:
    if status == 429 or code == _QUEUE_IS_FULL:
        return SendError("too_many", again=True)
    if status >= 500:
        return SendError("unavailable", again=True)
    if code in _REASON_OF:
        return SendError(_REASON_OF[code], again=False)
    by_status = {401: "not_authorized", 403: "not_authorized", 404: "not_configured"}
    return SendError(by_status.get(status, "refused"), again=False)
