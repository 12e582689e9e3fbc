"""Naming the service that an SMS speaks for: by its header, its wording, or its sender."""

import re

from .code_fold import fold
from .code_words import read, words_in

_ANALYSED = 400
_LONGEST_LEAD = 90
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


def _brands() -> dict[bytes, tuple[bytes, ...]]:
    """First word of each known name → the names that start with it, longest first."""
    table: dict[bytes, list[bytes]] = {}
    for word in (_KNOWN + _KNOWN_IF_CAPITAL).split():
        name = word.replace("_", " ").encode()
        table.setdefault(name.translate(_ONLY_WORDS).split()[0], []).append(name)
    return {first: tuple(sorted(names, key=len, reverse=True)) for first, names in table.items()}


_ONLY_WORDS = bytes(
    ord(chr(point).lower()) if chr(point).isascii() and chr(point).isalnum() else 32
    for point in range(256)
)
_GOOGLE = re.compile(r"\bG-[0-9]{4,8}\b")
_BRANDS = _brands()
_FIRST_WORDS = frozenset(_BRANDS)
_NEEDS_CAPITAL = frozenset(name.split("_")[0].encode() for name in _KNOWN_IF_CAPITAL.split())
_HEADER = re.compile(r"\s*(?:<#>|\[#\])?\s*[【\[(<「]\s*([^】\])>」\n]{2,40})[】\])>」]")
_ANYWHERE = re.compile(r"【([^】\n]{2,40})】")
_NAME = r"([A-Z0-9a-z][\w.&'+-]{1,24}(?: [A-Z0-9][\w.&'+-]{0,24}){0,3})"
_YOUR = re.compile(
    rf"[YyTt](?<!\w.)(?:our|OUR|he)\s(?:one[- ]time\s)?{_NAME}\s(?:account\s)?"
    r"(?:verification|security|confirmation|authentication|activation|log-?in|sign-in|access|"
    r"registration|recovery|one-time|single-use|OTP|otp|PIN|pin|code|passcode|password)\b"
)
_FOR = re.compile(
    r" (?:for|to|on|into|with|from|at) (?:your )?"
    r"([A-Z0-9][\w.&'+-]{0,23}[\w](?: [A-Z0-9][\w&'+-]{0,24}){0,3})"
    r"(?=\s(?:account|app)\b|[.,!]|\s*$)"
)
_LEAD = re.compile(
    r"\s*(?:<#>|\[#\])?\s*([A-Z][\w.&'+-]{1,24}(?: [A-Z0-9][\w.&'+-]{0,24}){0,2})"
    r"\s?(?::|-code|\s?[Cc]ode\b)"
)
_LEAD_ANY = re.compile(r"\s*([^\s\d:：,.!?]{2,20}(?: [^\s\d:：,.!?]{2,20}){0,3})\s?[:：]\s?(?=\S)")
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
    for word in words.lower().replace("-", " ").split():
        if word in _COMMON or word.isdigit():
            continue
        hits = words_in(word)
        if not hits or sum(last - first for first, last, _ in hits) < 0.6 * len(word):
            return True
    return False


def _brand(text: str) -> str | None:
    raw = text.encode("utf-8", "replace")
    words = raw.translate(_ONLY_WORDS).split()
    if _FIRST_WORDS.isdisjoint(words):
        return "google" if "G-" in text and _GOOGLE.search(text) else None
    low = raw.lower()
    spaced = b" %b " % raw.translate(_ONLY_WORDS)
    start = 0
    for first in words:
        if first not in _BRANDS:
            continue
        start = spaced.find(b" %b " % first, start)
        if first not in _NEEDS_CAPITAL or raw[start : start + 1].isupper():
            for name in _BRANDS[first]:
                if low.startswith(name, start) and not low[start + len(name) :][:1].isalnum():
                    return name.decode()
        start += len(first)
    return None


def _worded(text: str) -> str | None:
    if not text.isascii():
        return _lead(text)
    for pattern in (_YOUR, _FOR):
        match = pattern.search(text)
        if match and _is_name(match[1]):
            return " ".join(w for w in match[1].lower().split() if w not in _COMMON)
    return _lead(text)


def _lead(text: str) -> str | None:
    head = text[:_LONGEST_LEAD]
    colon = ":" in head or "：" in head
    lead = _LEAD.match(head) if colon or "ode" in head else None
    if lead:
        return lead[1].lower() if _is_name(lead[1]) else None
    lead = _LEAD_ANY.match(head) if colon else None
    if not lead or read(fold(lead[1]).lower()).hits:
        return None
    return lead[1].lower()


def _sent_by(sender: str | None) -> str | None:
    if sender and len(sender) <= 40 and any(char.isalpha() for char in sender):
        return sender.strip().lower()
    return None
