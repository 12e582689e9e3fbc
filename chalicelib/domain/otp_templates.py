"""The built-in texts of one-time codes, and which of an account's and ours a recipient gets.

Each of ours is one SMS with a code of six characters in it, worded for the GSM 7 bit alphabet where
the language allows. `{hh:mm:ss}` is how long the code is valid.
"""

from chalicelib.domain.otp import OtpDefaults

FALLBACK = "en"

BUILT_IN = {
    "en": "Your verification code is {code}. It is valid for {hh:mm:ss}. Do not share it.",
    "el": "Ο κωδικός επαλήθευσής σας είναι {code}. Ισχύει για {hh:mm:ss}.",  # noqa: RUF001
    "pl": "Twój kod weryfikacyjny to {code}. Jest ważny przez {hh:mm:ss}.",
    "hu": "Az Ön ellenőrző kódja: {code}. Érvényes: {hh:mm:ss}.",
    "sv": "Din verifieringskod är {code}. Den gäller i {hh:mm:ss}. Dela den inte med någon.",
    "de": "Ihr Bestätigungscode lautet {code}. Er gilt {hh:mm:ss}. Geben Sie ihn nicht weiter.",
    "es": "Su clave es {code}. Caduca en {hh:mm:ss}. No la comparta con nadie.",
    "fr": "Votre code est {code}. Il est valable {hh:mm:ss}. Ne le communiquez à personne.",
    "it": "Il codice di verifica è {code}. Vale per {hh:mm:ss}. Non condividerlo con nessuno.",
    "pt": "Seu código de verificação é {code}. Válido por {hh:mm:ss}.",
    "ru": "Ваш код подтверждения: {code}. Действует {hh:mm:ss}.",
    "nl": "Uw verificatiecode is {code}. De code is {hh:mm:ss} geldig. Deel hem met niemand.",
    "tr": "Doğrulama kodunuz: {code}. Geçerlilik süresi: {hh:mm:ss}.",
    "uk": "Ваш код підтвердження: {code}. Дійсний {hh:mm:ss}.",
    "ro": "Codul dvs. de verificare este {code}. Este valabil {hh:mm:ss}.",
    "cs": "Váš ověřovací kód je {code}. Platí {hh:mm:ss}.",
    "da": "Din bekræftelseskode er {code}. Den gælder i {hh:mm:ss}. Del den ikke med nogen.",
    "nb": "Din bekreftelseskode er {code}. Den gjelder i {hh:mm:ss}. Ikke del den med noen.",
    "fi": "Vahvistuskoodisi on {code}. Se on voimassa {hh:mm:ss}. Älä jaa sitä muille.",
    "ar": "رمز التحقق الخاص بك هو {code}. صالح لمدة {hh:mm:ss}.",
    "ja": "認証コードは {code} です。有効時間: {hh:mm:ss}",
    "zh": "您的验证码是 {code},有效时间 {hh:mm:ss}。请勿泄露。",
    "ko": "인증번호는 {code} 입니다. 유효 시간: {hh:mm:ss}",
    "hi": "आपका सत्यापन कोड {code} है। यह {hh:mm:ss} तक मान्य है।",
    "id": "Kode verifikasi Anda adalah {code}. Berlaku selama {hh:mm:ss}. Jangan bagikan.",
    "vi": "Mã xác minh của bạn là {code}. Có hiệu lực trong {hh:mm:ss}.",
}

_SPOKEN_IN = {
    "el": "GR CY",
    "pl": "PL",
    "hu": "HU",
    "sv": "SE AX",
    "de": "DE AT CH LI",
    "es": "ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR GQ",
    "fr": "FR MC GP MQ GF RE YT PM BL MF NC PF WF SN CI ML BF NE TG BJ GA CG CD LU",
    "it": "IT SM VA",
    "pt": "BR PT AO MZ CV GW ST",
    "ru": "RU BY KZ KG",
    "nl": "NL BE SR AW CW SX BQ",
    "tr": "TR",
    "uk": "UA",
    "ro": "RO MD",
    "cs": "CZ",
    "da": "DK GL",
    "nb": "NO SJ",
    "fi": "FI",
    "ar": "SA AE EG IQ JO KW LB LY OM QA BH SY YE PS SD DZ MA TN MR",
    "ja": "JP",
    "zh": "CN TW HK MO",
    "ko": "KR KP",
    "hi": "IN",
    "id": "ID",
    "vi": "VN",
}
_MAIN_LANGUAGE = {
    country: language for language, countries in _SPOKEN_IN.items() for country in countries.split()
}


def main_language(country: str) -> str:
    """The language of most people in `country` (alpha-2) of those that we have a text in."""
    return _MAIN_LANGUAGE.get(country, FALLBACK)


def template_for(language: str, country: str, defaults: OtpDefaults) -> str:
    """The text for a recipient in `country` (alpha-2): the account's, else the built-in one.

    `language` is a voice's (`pt-BR`) or a text's (`pt`), "" for the country's main one.
    """
    spoken = language.partition("-")[0].lower() or main_language(country)
    own = defaults.texts.get(spoken) or defaults.text
    return own or BUILT_IN.get(spoken, BUILT_IN[FALLBACK])
