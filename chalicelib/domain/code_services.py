"""Naming the service that an SMS speaks for: by its header, its wording, or its sender."""

import re

from .code_words import scan

_ANALYSED = 400
_KNOWN = """
google_voice google_pay google whatsapp_business whatsapp telegram facebook instagram messenger
microsoft linkedin twitter tiktok snapchat viber wechat weixin kakaotalk kakao discord skype
icloud amazon aws alibaba_cloud alibaba_group alibaba alipay aliexpress taobao tencent weibo
douyin baidu netease naver coupang uber_eats uber lyft gojek go-jek didi yandex_go yandex vk
odnoklassniki mail.ru avito ozon wildberries tinder bumble badoo okcupid airbnb booking.com
expedia ebay etsy paypal venmo cash_app revolut n26 monzo binance coinbase okx bybit kucoin
netflix spotify disney+ epic_games blizzard roblox nintendo playstation sony_entertainment_network
sony xbox twitch reddit pinterest quora yahoo protonmail dropbox adobe github gitlab mozilla
firefox cloudflare digitalocean twilio shopify openai chatgpt doordash deliveroo glovo foodpanda
zomato swiggy instacart postmates walmart ikea shopee lazada tokopedia bukalapak gopay flipkart
paytm phonepe oyo jio airtel mercado_libre mercadolibre mercado_livre mercado_pago rappi nubank
olx allegro vinted leboncoin blablacar zalando klarna wallapop zalo imo likee bigo_live truecaller
login.gov id.me usps dhl fedex careem talabat snapp divar trendyol hepsiburada getir mpesa m-pesa
safaricom mtn opay jumia citi usaa hsbc barclays santander bbva sberbank tinkoff alfabank monobank
privatbank icq wix fiverr upwork lenscrafters
"""
_KNOWN_IF_CAPITAL = """
line signal zoom apple bolt grab meta hinge chase wise kraken steam stripe proton target momo
dana ola ovo noon threads claude ing irs boa wechat_pay
"""


def _brands() -> dict[str, tuple[tuple[str, ...], ...]]:
    """First word of each known name → the rests of the names that start with it, longest first."""
    table: dict[str, list[tuple[str, ...]]] = {}
    for name in (_KNOWN + _KNOWN_IF_CAPITAL).split():
        first, *rest = name.split("_")
        table.setdefault(first, []).append(tuple(rest))
    return {first: tuple(sorted(rests, key=len, reverse=True)) for first, rests in table.items()}


_BRANDS = _brands()
_NEEDS_CAPITAL = frozenset(name.split("_")[0] for name in _KNOWN_IF_CAPITAL.split())
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+&-]*")
_HEADER = re.compile(r"\s*(?:<#>|\[#\])?\s*[【\[(<「]\s*([^】\])>」\n]{2,40})[】\])>」]")
_ANYWHERE = re.compile(r"【([^】\n]{2,40})】")
_NAME = r"([A-Z0-9a-z][\w.&'+-]{1,24}(?: [A-Z0-9][\w.&'+-]{0,24}){0,3})"
_YOUR = re.compile(
    rf"\b(?:[Yy]our|YOUR|[Tt]he)\s(?:one[- ]time\s)?{_NAME}\s(?:account\s)?"
    r"(?:verification|security|confirmation|authentication|activation|log-?in|sign-in|access|"
    r"registration|recovery|one-time|single-use|OTP|otp|PIN|pin|code|passcode|password)\b"
)
_FOR = re.compile(
    r"\b(?:for|to|on|into|with|from|at)\s(?:your\s)?"
    r"([A-Z0-9][\w.&'+-]{0,23}[\w](?: [A-Z0-9][\w&'+-]{0,24}){0,3})"
    r"(?=\s(?:account|app)\b|[.,!]|\s*$)"
)
_LEAD = re.compile(
    r"\s*(?:<#>|\[#\])?\s*([A-Z][\w.&'+-]{1,24}(?: [A-Z0-9][\w.&'+-]{0,24}){0,2})"
    r"\s?(?::|-code|\s?[Cc]ode\b)"
)
_COMMON_WORDS = """
your the is here mobile number email id dear hello hi this it web user temporary unique new account
phone first secret sms verifycode iphone
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def service_of(text: str, sender: str | None = None) -> str | None:
    """The service named by an SMS's text or else by its alphanumeric sender, in lower case."""
    text = text[:_ANALYSED]
    header = _HEADER.match(text) or ("【" in text and _ANYWHERE.search(text))
    if header and _is_name(header[1]):
        return header[1].strip().lower()
    return _brand(text) or _worded(text) or _sent_by(sender)


def _is_name(words: str) -> bool:
    """Whether `words` say more than "your login code" in some language."""
    return any(
        word not in _COMMON
        and not word.isdigit()
        and sum(last - first for first, last, _ in scan(word)) < 0.6 * len(word)
        for word in words.lower().replace("-", " ").split()
    )


def _brand(text: str) -> str | None:
    tokens = _TOKEN.findall(text)
    for at, token in enumerate(tokens):
        first = token.lower()
        if first not in _BRANDS:
            if first[:2] == "g-" and first[2:].isdigit():
                return "google"
            first = first.rstrip(".-+").partition("-")[0]
            if first not in _BRANDS:
                continue
        if first in _NEEDS_CAPITAL and token.islower():
            continue
        for rest in _BRANDS[first]:
            following = tokens[at + 1 : at + 1 + len(rest)]
            if tuple(word.lower().rstrip(".-") for word in following) == rest:
                return " ".join((first, *rest))
    return None


def _worded(text: str) -> str | None:
    for pattern in (_YOUR, _FOR):
        match = pattern.search(text)
        if match and _is_name(match[1]):
            return " ".join(w for w in match[1].lower().split() if w not in _COMMON)
    lead = _LEAD.match(text)
    return lead[1].lower() if lead and _is_name(lead[1]) else None


def _sent_by(sender: str | None) -> str | None:
    if sender and len(sender) <= 40 and any(char.isalpha() for char in sender):
        return sender.strip().lower()
    return None
