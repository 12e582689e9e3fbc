"""The code finder finds the code of every form, in every language, and nothing else."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import code_finder as code_finder_module
from chalicelib.domain import (
    code_fold,
    code_guess,
    code_scoring,
    code_services,
    code_shapes,
    code_words,
)
from chalicelib.domain.code_finder import MAX_ANALYSED, find_code
from chalicelib.domain.code_fold import fold

# language | code | text
POSITIVES = r"""
en|483920|Acme: use 483920 to sign in. We will never ask you for it.
en|7731|Hi Sam, 7731 is the PIN to confirm your new phone
en|662019|662-019 is your Chatter code. Don't share it.
en|K7P2QX|Your sign-in passcode: K7P2QX
en|XKRTQW|Your verification code is XKRTQW.
en|551204|Order #88213047: to authorise the payment of EUR 49.90 enter OTP 551204. Valid 5 min.
en|80817263|80817263 is your verification code, valid 3 minutes.
en|112358|Verification: 112358
en|918273|918 273 is your Harbor verification code
de|194827|Dein Bestätigungscode lautet 194827. Gib ihn niemandem weiter.
nl|382914|Je verificatiecode is 382914. Deel deze code met niemand.
da|728104|Din engangskode er 728104. Del den ikke med nogen.
nb|591047|591047 er bekreftelseskoden din for Fjordpay
sv|402817|Din verifieringskod är 402817. Dela den inte med någon.
fi|918204|Vahvistuskoodisi on 918204. Älä jaa sitä muille.
et|204817|Sinu kinnituskood on 204817. Kehtib 5 minutit.
lv|771048|Jūsu apstiprinājuma kods ir 771048. Nevienam to neizpaudiet.
lt|330918|Jūsų patvirtinimo kodas: 330918. Galioja 10 min.
pl|480215|Twój kod weryfikacyjny to 480215. Nie udostępniaj go nikomu.
cs|918374|Váš ověřovací kód je 918374. Platnost 5 minut.
sk|204918|Váš overovací kód: 204918. Nikomu ho neposkytujte.
hu|551029|Az Ön megerősítő kódja: 551029. Érvényes 5 percig.
ro|448201|Codul tău de verificare este 448201. Nu îl comunica nimănui.
hr|662018|Vaš kod za potvrdu je 662018. Vrijedi 10 minuta.
sl|910284|Vaša potrditvena koda je 910284.
sr|338102|Ваш верификациони код је 338102. Не делите га ни са ким.
bg|220184|Вашият код за потвърждение е 220184. Не го споделяйте с никого.
ru|58201|Код подтверждения: 58201. Никому его не сообщайте
uk|889102|Ваш код підтвердження: 889102. Нікому не повідомляйте його.
el|338201|Ο κωδικός επαλήθευσής σας είναι 338201. Μην τον μοιραστείτε.
es|771029|Tu código de verificación es 771029. No lo compartas con nadie.
eu|771920|Zure egiaztapen-kodea 771920 da
pt|229104|Seu código de verificação é 229104. Não compartilhe com ninguém.
fr|664810|Votre code de vérification est 664810. Ne le partagez pas.
it|440192|Il tuo codice di verifica è 440192. Non condividerlo con nessuno.
ga|118204|Is é 118204 do chód fíoraithe
cy|771820|771820 yw eich cod gwirio
sq|550192|Kodi juaj i verifikimit është 550192
tr|339104|Doğrulama kodunuz: 339104. Kimseyle paylaşmayınız. B002
az|660182|Təsdiq kodunuz: 660182. Heç kimə verməyin.
uz|118203|Tasdiqlash kodi: 118203. Kodni hech kimga aytmang.
kk|440192|Растау коды: 440192. Оны ешкімге айтпаңыз
mn|338201|Таны баталгаажуулах код: 338201
hy|771920|Ձեր հաստատման կոդն է՝ 771920
ka|440918|თქვენი დამადასტურებელი კოდია 440918
he|660182|קוד האימות שלך הוא 660182. אין לשתף אותו.
ar|551029|رمز التحقق الخاص بك: 551029. لا تشاركه مع أحد.
fa|88201|کد ورود شما: ۸۸۲۰۱
ur|440192|آپ کا تصدیقی کوڈ 440192 ہے۔ کسی سے شیئر نہ کریں۔
hi|660182|आपका सत्यापन कोड 660182 है। इसे किसी के साथ साझा न करें।
mr|551029|तुमचा पडताळणी कोड 551029 आहे
bn|771029|আপনার যাচাইকরণ কোড ৭৭১০২৯। কারো সাথে শেয়ার করবেন না।
ta|660182|உங்கள் சரிபார்ப்புக் குறியீடு 660182
te|771029|మీ ధృవీకరణ కోడ్ 771029
ml|338201|നിങ്ങളുടെ സ്ഥിരീകരണ കോഡ് 338201 ആണ്
th|440192|รหัสยืนยันของคุณคือ 440192 ห้ามแชร์กับผู้อื่น
lo|771029|ລະຫັດຢືນຢັນຂອງທ່ານແມ່ນ 771029
km|551029|លេខកូដផ្ទៀងផ្ទាត់របស់អ្នកគឺ ៥៥១០២៩
my|338201|သင်၏ အတည်ပြုကုဒ်မှာ ၃၃၈၂၀၁ ဖြစ်ပါသည်
vi|118203|Mã xác minh của bạn là 118203. Không chia sẻ với bất kỳ ai.
id|660182|Kode verifikasi Anda: 660182. Jangan berikan kepada siapa pun.
ms|551029|Kod pengesahan anda ialah 551029. Jangan kongsi.
tl|338201|Ang iyong verification code ay 338201. Huwag ibahagi kaninuman.
sw|118203|Nambari yako ya uthibitisho ni 118203
zu|551029|Ikhodi yakho yokuqinisekisa ithi 551029
am|118203|የማረጋገጫ ኮድዎ 118203 ነው
zh|660182|【云记】您的登录验证码是660182，5分钟内有效，请勿告知他人。
zh|4410|验证码４４１０，您正在注册会员，如非本人操作请忽略。客服电话95588
ja|338201|認証コード：338201　他の人に教えないでください。有効期限は10分です。
ja|118203|【マルカ】118203 が確認コードです
ko|660182|[Web발신] [두레뱅크] 인증번호 [660182]를 입력해 주세요.
eo|551029|Via konfirma kodo estas 551029
kab|5519|Tangalt: 5519
en|2024|Your verification code is 2024
en|K7P2QX|Your sign-in passcode: K7P2QX
en|104958|1 0 4 9 5 8 is your code
en|482910|Your code is *482910*
ko|482910|482910 회원가입 인증번호입니다
sv|482910|Använd 482910 som kod för att logga in
""".strip().splitlines()

# language | text
NEGATIVES = r"""
en|Your parcel 4481920384 is out for delivery today between 10:00 and 12:00.
en|Your order 662910 has shipped. Track it: https://trk.example/662910
en|Tracking number: 938201. Expected delivery 12 March.
en|Use code SAVE20 at checkout for 20% off everything this weekend!
en|Enter promo code 482910 to get $10 off your next ride.
en|Your account balance is 482910.22 NGN
en|Reminder: your appointment with Dr Lee is on 14/05/2026 at 09:30. Reply 1 to confirm.
en|Payment of $1,250 received. Ref 99182736. Thank you.
en|Your card ending 4821 was charged 54.20 EUR at GROCER.
en|Never share your PIN, OTP or password with anyone. For help call 1860 266 2666.
en|Your password was changed on 12 Mar 2026 at 10:22. If this wasn't you, call 0800 123 456.
en|Flight BA2490 to Rome now departs from gate 42 at 18:05. Booking ref QX7P2L.
en|Your booking code is QX7P2L. Check in opens 24h before departure.
en|Pickup code for your parcel: 7719. Locker 12, Main Street 400.
en|You have used 80% of your 5000 MB data plan.
en|Congratulations! You've won 500000 dollars. Claim code 778812.
en|Your invoice 2026-00412 of 318.50 EUR is due on 2026-04-01.
en|Your ticket number is 558201. Show it at the entrance.
en|Your verification was successful. Welcome to Nimbus!
en|Your policy 77102934 expires on 30/06/2026. Renew now.
en|Case 482910 has been closed. Rate us 1-5.
de|Ihre Bestellung 482910 wurde versendet. Sendungsnummer: 00340434161
fr|Votre colis 482910 sera livré demain entre 9h et 12h.
es|Su pedido 482910 ha sido enviado. Siga su envío con la guía 7728192.
pt|Seu pedido 482910 saiu para entrega.
it|Il tuo ordine 482910 è stato spedito.
nl|Je pakket 482910 wordt vandaag bezorgd tussen 14:00 en 16:00.
pl|Twoja paczka 482910 czeka w paczkomacie. Kod odbioru: 882910
hu|Csomagod 482910 ma érkezik. Futár: +36 30 123 4567
ro|Comanda 482910 a fost expediată.
ru|Ваш заказ 482910 доставлен в пункт выдачи.
uk|Ваше замовлення 482910 відправлено. ТТН 20450912345678
el|Η παραγγελία 482910 απεστάλη.
tr|482910 numaralı siparişiniz kargoya verildi.
ar|تم شحن طلبك رقم 482910 وسيصلك غدا
fa|سفارش شما به شماره 482910 ارسال شد
he|הזמנה מספר 482910 נשלחה
hi|आपका ऑर्डर 482910 डिलीवर हो गया है
th|พัสดุหมายเลข 482910 กำลังจัดส่ง
vi|Don hang 482910 cua ban dang duoc giao
id|Pesanan 482910 sedang dikirim oleh kurir
zh|您的快递已到达驿站，取件码 12-3-4567，请尽快领取。
ja|ご注文番号482910の商品を発送しました。
ko|주문번호 482910 상품이 배송 출발하였습니다.
sw|Umepokea Ksh 4829 kutoka kwa Juma. Salio lako ni Ksh 20391
""".strip().splitlines()


@pytest.mark.parametrize("line", POSITIVES, ids=range(len(POSITIVES)))
def test_finds_the_code(line: str) -> None:
    _, code, text = line.split("|", 2)
    found = find_code(text.replace("\\n", "\n"))
    assert found is not None
    assert found.code == code
    assert code not in found.others
    assert 0.5 <= found.confidence <= 1


@pytest.mark.parametrize("line", NEGATIVES, ids=range(len(NEGATIVES)))
def test_finds_nothing_where_there_is_no_code(line: str) -> None:
    _, text = line.split("|", 1)
    assert find_code(text) is None


def test_examples_cover_forty_languages() -> None:
    assert len({line.split("|")[0] for line in POSITIVES}) >= 40


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("@lumo.example #482910", "482910", "bound"),
        ("Hello there\n@lumo.example #77-01", "7701", "bound"),
        ("482910", "482910", "alone"),
        (" 482-910. ", "482910", "alone"),
        ("482910 qwx zzkl Lumo vbn. Pqr 5 xyz.", "482910", "structure"),
        ("PASSCODE FOR LUMO: your code is TRKQWX", "TRKQWX", "letters"),
        ("Code: ４８２９１０", "482910", "keyword"),
        ("رمز التحقق ٤٨٢٩١٠", "482910", "keyword"),
        ("code \U0001d7d2\U0001d7d6\U0001d7d0\U0001d7d7", "4829", "keyword"),
        ("Your code is \u200e482\u2011910\u200b", "482910", "keyword"),
    ],
)
def test_names_how_it_was_found(text: str, code: str, reason: str) -> None:
    found = find_code(text)
    assert found is not None
    assert (found.code, found.reason) == (code, reason)


@pytest.mark.parametrize(
    ("text", "sender", "service"),
    [
        ("G-482910 is your Google verification code.", None, "google"),
        ("【云记】您的登录验证码是660182", None, "云记"),
        ("[Two Rivers] Your code is 4829", None, "two rivers"),
        ("Your Nimbus Drive verification code is 482910", None, "nimbus drive"),
        ("Use 482910 to log in to Telegram", "+15550100", "telegram"),
        ("Your code is 482910", "LUMO", "lumo"),
        ("Your code is 482910", None, None),
        ("line 2: your code is 482910", None, None),
    ],
)
def test_names_the_service(text: str, sender: str | None, service: str | None) -> None:
    found = find_code(text, sender)
    assert found is not None
    assert found.service == service


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your Lumo code is 482910. Reply STOP to unsubscribe.", "482910"),
        ("Hesabınızı açmak için 482910 girin", "482910"),
        ("482910 is your code. Order total $45.20, delivery tomorrow.", "482910"),
        ("482910 is your order number, keep this code. Delivery tomorrow.", None),
        ("Your verification code for your account is 482910", "482910"),
        ("Your password reset for account: 482910", None),
        ("Kod weryfikacyjny do konta to 482910", "482910"),
        ("Пароль для перевода 5 000 р. на карту *3314: 714382", "714382"),
        ("Code to pay 5 000 at the desk: ask for it", None),
        ("Introdu codul 1705 pentru a confirma comanda", "1705"),
        ("#482910# is your login code", "482910"),
        ("Conference dial-in 020 7946 0018, access code 482910#", None),
        ("खाता बहाल करने के लिए 482910 दर्ज करें", "482910"),
        ("482910 is your login code. Order a ride any time.", "482910"),
        ("Your code: 48-29-10", "482910"),
        ("Your code: 4-8-2-9-1-0", "482910"),
        ("**482910** is your login code", "482910"),
        ("482910OTP", "482910"),
        ("@lumo.example #12345678901", None),
        ("Sort code 48-29-10, account 55820133", None),
        ("Appointment code 12-05-26", None),
        ("Bring a friend: your code is ANNA4821, both get 10 EUR", None),
        ("Never tell anybody a BLIK code, we ask for none", None),
        ("Wifi password: guest2024", None),
        ("16:00etan 482910 bidean da", None),
    ],
)
def test_tells_a_code_from_what_looks_like_one(text: str, code: str | None) -> None:
    found = find_code(text)
    assert (found and found.code) == code


def test_lists_the_other_candidates() -> None:
    found = find_code("Your code is A8D-291, or the PIN 774411")
    assert found is not None
    assert {found.code, *found.others} >= {"A8D291", "774411"}


LABELLED = Path(__file__).parents[1] / "data" / "otp_messages.jsonl"
MESSAGES: list[dict[str, Any]] = [
    json.loads(line) for line in LABELLED.read_text(encoding="utf-8").split("\n") if line
]


def test_labelled_messages_are_many_of_many_languages_and_half_without_a_code() -> None:
    assert len({row["text"] for row in MESSAGES}) == len(MESSAGES) >= 480
    assert len({row["id"] for row in MESSAGES}) == len(MESSAGES)
    assert len({row["lang"] for row in MESSAGES}) >= 75
    assert 3 * sum(row["code"] is None for row in MESSAGES) >= len(MESSAGES)


def test_finds_97_percent_of_the_labelled_messages_exactly() -> None:
    wrong = {
        row["id"]: row["text"]
        for row in MESSAGES
        if getattr(find_code(row["text"]), "code", None)
        not in (row["code"], row.get("code_alt") or row["code"])
    }
    assert len(wrong) <= 0.03 * len(MESSAGES), wrong


def test_sees_a_code_in_at_most_2_percent_of_the_labelled_messages_without_one() -> None:
    negatives = [row for row in MESSAGES if row["code"] is None]
    alarms = {row["id"]: row["text"] for row in negatives if find_code(row["text"])}
    assert len(alarms) <= 0.02 * len(negatives), alarms


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(["code", "is", "OTP", "验证码", "код", ":", "-", "@a.b #", "G-", "<#>"]),
        st.from_regex(r"[0-9A-Z]{1,11}", fullmatch=True),
        st.text(st.characters(exclude_categories=()), max_size=6),
    ),
    max_size=12,
).map(" ".join)


@given(st.one_of(st.text(st.characters(exclude_categories=())), FRAGMENTS), st.none() | st.text())
def test_never_raises_nor_invents_a_code(text: str, sender: str | None) -> None:
    found = find_code(text, sender)
    if found is not None:
        rest = iter(fold(text))
        assert all(char in rest for char in found.code)
        assert 3 <= len(found.code) <= 10
        assert found.code.isascii()
        assert found.code.isalnum()


@pytest.mark.parametrize("text", ["", "\0", "\ud800", " " * 99, "\ud83dcode 482910", "İ" * 99])
def test_odd_texts_are_only_texts(text: str) -> None:
    found = find_code(text, text)
    assert (found is not None) == ("482910" in text)


ADVERSARIAL = """1|1 |1-|1.|A-|a1|a|code |code 123456 |code:2024 |123456, |a.b.|@a |@aaa #|[(【|รหัส
验证码|é|ﷺ|your A|5 min |x@|promo code |order 123456 code |(1) |one time | |-|:|+1 |$1 |G-1|<#>|to A
http://|ma xac |#1 |1/1/|*1*|to A    |1234 5678 |a.b |ক'ড |№1 |код 1 |1-2-3-4 |*_*1|enter 1 |1 girin
Bank a: |stop |ANNA4821 |رمز 1 |ab'c """.replace("\n", "|").split("|")


def _calls(action: Callable[[], object]) -> int:
    """How many Python and C functions `action` enters."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event.endswith("call")

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(previous)
    return count


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_work_grows_no_faster_than_the_text_and_then_stops(piece: str) -> None:
    def work(size: int) -> int:
        text = piece * (size // len(piece) + 1)
        return _calls(lambda: find_code(text[:size]))

    assert work(MAX_ANALYSED) <= 2.5 * work(MAX_ANALYSED // 2) + 100
    assert work(1_000_000) <= 1.1 * work(MAX_ANALYSED) + 100
    assert work(10_000) <= 12 * MAX_ANALYSED


MODULES = [
    code_finder_module,
    code_fold,
    code_guess,
    code_scoring,
    code_services,
    code_shapes,
    code_words,
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_pattern_repeats_a_repetition_without_end(module: ModuleType) -> None:
    parser = re._parser  # type: ignore[attr-defined]
    for name, pattern in vars(module).items():
        if isinstance(pattern, re.Pattern):
            assert not _nests(parser.parse(pattern.pattern, pattern.flags), parser, False), name


def _nests(tree: Any, parser: Any, inside: bool) -> bool:
    if isinstance(tree, parser.SubPattern | list):
        return any(_nests(item, parser, inside) for item in tree)
    if not isinstance(tree, tuple):
        return False
    endless = str(tree[0]) in {"MAX_REPEAT", "MIN_REPEAT"} and tree[1][1] is parser.MAXREPEAT
    return (endless and inside) or any(_nests(item, parser, inside or endless) for item in tree)


def test_the_pattern_check_sees_a_bomb() -> None:
    parser = re._parser  # type: ignore[attr-defined]
    assert _nests(parser.parse(r"x(?:a|b+)*y"), parser, False)
    assert not _nests(parser.parse(r"x(?:a|b)*y+"), parser, False)
