"""Words for referrals, coupons and collections, whose codes open no account.

`promo` are the friends that are to be brought along and what is earned by it; `kind` names a
code by its use: to invite, to collect a parcel, to redeem. Notation as in code_words_noise.py.
"""

OFFERS: dict[str, dict[str, str]] = {
    "germanic": {
        "promo": "friend friends buddy freund* freunde freunden empfiehl empfehl* werben "
        "einladen geschenkt vriend vrienden uitnodig* vänner värva bjud_in venner verv hvem_du "
        "vinur vinum maat vriende frënd frënn giveaway",
        "kind": "freundschafts* empfehlungs* einladungs* werbe* aktions* vriendencode* actie* "
        "spaar* värvnings* inbjudning* uthämtning* utlämning* afhentnings* invitations* "
        "henvisnings* verve* abhol* afhaal* uitnodigings*",
    },
    "romance": {
        "promo": "amigo amigos amiga amis proche proches parrain* filleul* invita invite_un "
        "convida convide convidar amico amici prieten prieteni prietenul invită recomandă amic "
        "amics ganan ganha reciben ambos offerts primiți gana_dinero",
        "kind": "parrainage invitación invitacion convite indicação indicacao referido referidos "
        "invito referral ridicare retirada levantamento recolha recollida consigne invitație "
        "canje fidelidad fidélité fedeltà",
    },
    "slavic-latin": {
        "promo": "znajom* przyjaci* poleć polecaj zaproś zgarnij přítel* přátel* kamarád* "
        "kamarat* doporuč* odporuč* priateľ* prijatelj* preporuči* pozovi_prij povabi priporoči "
        "prieteni oboje_dobiv obojica získaj získajte získejte",
        "kind": "polecaj* poleceni* zapros* zaproszeni* doporučov* pozvánk* pozivni preporuke "
        "vabilo odbior* vyzvedn* vyzdvihn* podizanj* preuzim* prevzem* výdajn* odberu",
    },
    "baltic-uralic-albanian": {
        "promo": "draug* pakviesk* uzaicini rekomend* sõber sõbra* sõpr* kutsu soovita ystävä* "
        "suosittele barát* hív_meg ajánld miku mikun fto ftoni mikut",
        "kind": "atsiėmim* išdavimo saņemšan* izņemšan* väljastus* kättesaam* väljastamis* "
        "kutsekood* suosittelu* meghív* ajánló* tërheqj* ftes* referim* nouto*",
    },
    "cyrillic-greek-caucasus": {
        "promo": "друг друга другу друзей друзьям друзья подруг* приведи приведите пригласи* "
        "приглаша* друзів запроси* рекоменду* приятел* покани* препоръча* препорача* пријатељ* "
        "препоручи* достар* шақыр* чакыр* дӯст найз* φίλο* φίλοι φίλους προσκάλεσε* σύστησε "
        "ընկեր* հրավիր* მეგობარ მოიწვი ጓደኛ ጋብዝ",
        "kind": "приглашени* реферальн* запрошенн* реферальний поканат* получаван* подизањ* "
        "подигањ* преузимањ* атрымання σύστασης πρόσκλησης გატან მოწვევ հրավերի ստացման",
    },
    "turkic-asian-african-latin": {
        "promo": "arkadaş* dostun* dostlar* dostunu dəvət do_st do'sting* taklif teman kawan "
        "ajak undang ajaklah jemput ban_be gioi_thieu moi_ban kaibigan imbitahan rafiki mwalike "
        "aboki abokai vriend umngani inshuti",
        "kind": "davetiye referans_kodu dəvətnamə taklifnoma undangan rujukan referral nhan_hang "
        "lay_hang pengambilan ambil_barang pagkuha mwaliko",
    },
    "joined-scripts": {
        "promo": "好友 朋友 友達 お友達 ご友人 친구 지인 เพื่อน ชวน ໝູ່ ຊວນ មិត្តភក្តិ អញ្ជើញ သူငယ်ချင်း "
        "ဖိတ် दोस्त मित्र आमंत्रित বন্ধু আমন্ত্রণ মিত্র ਦੋਸਤ મિત્ર நண்பர் స్నేహితు ಸ್ನೇಹಿತ സുഹൃത്ത යහළු ମିତ୍ର "
        "صديق أصدقاء اصدقاء ادع دوست دوستان مدعو دعوت ملګري חבר_לא חברים חבר_או הזמינו ملگري",
        "kind": "邀请 邀請 招待 초대 추천인 取件 取货 取貨 受取 수령 픽업 รับพัสดุ รับสินค้า "
        "ชวนเพื่อน आमंत्रण रेफरल रेफ़रल পিকআপ রেফারেল பரிந்துரை రిఫరల్ ರೆಫರಲ್ റഫറൽ الإحالة إحالة "
        "الدعوة استلام الاستلام معرف_دعوت دعوت تحویل_مرسوله איסוף האיסוף הזמנה_חבר ריפרל",
    },
}
