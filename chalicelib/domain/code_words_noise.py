"""Words that say a number is something other than a code.

`label` names the number beside it (order, card, telephone). `kind` turns the word "code" into
another sort of code (promo code, postal code). `promo`, `bank` and `notice` colour the whole
message. `money` is a currency. Notation as in code_words_west.py.
"""

NOISE: dict[str, dict[str, str]] = {
    "en": {
        "label": "report fraud identity_number identity_no id_number device_number access_number "
        "registration_no registration_number serial_number send order orders invoice ref "
        "reference refno tracking track txn transaction account acct card cards ending ends "
        "ended call calling called dial dialing tel telephone phone mobile contact helpline "
        "hotline whatsapp_us flight gate seat room apt apartment suite street road avenue box "
        "pobox pnr ticket tickets booking reservation parcel package shipment awb consignment "
        "bill receipt case claim policy member membership customer id userid text txt sms_to "
        "reply vehicle train bus platform terminal postcode zip zipcode model version route "
        "serial imei meter contract locker utr rrn cheque check_no iban appointment permit plate "
        "quote quoting shortcode folio employee student roll building unit confirmation_number "
        "waybill docket enquiry incident caseid orderid sku extension ext fax toll voicemail "
        "block floor level bib lot queue number_plate vin confirmation_# confirmation_no",
        "kind": "label warranty review violation conduct workshop building morse exit status "
        "response promo promotional promotion discount coupon voucher gift referral invitation "
        "zip postal post area qr bar barcode booking order tracking claim offer sale pickup "
        "pick_up collection locker product error dress source country dial dialling branch swift "
        "sort ifsc tax identifier reservation redemption shopping cashback airline color colour "
        "style redeem reward bonus checkout ussd short door wifi wi_fi wlan gate keypad entrance "
        "hotspot invite_code invite_link customer_code client_code member_code store_code "
        "employee_code agent_code dealer_code ticket_code parking_code meeting_code meeting_id "
        "meeting_passcode conference_code conference",
        "promo": "off sale discount discounts voucher vouchers coupon coupons win won winner "
        "prize free cash offer offers deal deals promo congratulations congrats reward rewards "
        "bonus cashback shop subscribe subscribed jackpot lottery draw competition auction "
        "ringtone ringtones tone tones claim checkout savings guaranteed awarded loan buy quiz "
        "referral refer pts entitled txt mins_free gift gifts save_up save_on",
        "bank": "debited credited debit credit balance bal avl avbl withdrawn withdrawal "
        "deposited deposit statement emi salary transferred paid spent purchase due overdue "
        "repay upi neft imps payment charged outstanding bill",
        "notice": "booked shipped delivered delivery dispatched courier order parcel package "
        "appointment reservation booking flight tracking shipment arriving arrive driver ticket "
        "train departs boarding prescription refill clinic dentist doctor meeting reschedule "
        "pickup tomorrow parking alert remaining recharge topup plan outage maintenance survey "
        "expired invoice collect collection",
        "money": "usd eur gbp inr rs rub aud cad chf cny jpy aed sar qar kwd bhd omr egp ngn ghs "
        "kes zar tzs ugx rwf pkr bdt lkr npr idr rp myr rm sgd hkd twd ntd php thb vnd krw brl "
        "mxn ars clp cop czk pln huf ron lei bgn hrk rsd dkk sek nok isk kr uah kzt uzs gel amd "
        "azn tl ils nis dzd tnd xof xaf fcfa cfa etb birr euro euros dollars dollar pounds pound "
        "rupees rupee taka naira ksh tsh ush shillings zl zlotych kc ft forint dong usdt btc eth "
        "pesos peso soles reais rials rial dirhams dirham riyal baht ringgit rupiah yen yuan lv "
        "leva mkd lek bam manat tenge hrn grn dinar denari evro cents bucks kyat mmk riel khr "
        "kip lak mnt tugrik afn irr toman syp lbp jod yer",
        "minutes": "points pts gb mb kb tb mbps kwh kw km kg lb lbs miles meters metres pcs "
        "items item people persons guests times percent pct pence steps kcal cal bpm units unit "
        "stars followers likes messages sms users nights years yrs shares votes litres liters ml "
        "mg cm mm ft sqft winners million billion thousand lakh crore",
        "optout": "opt_out stopall uitschrijven لغو cancelar_sms отписка отписаться відписатися "
        "stop unsubscribe optout unsub abmelden afmelden désabonner להסרה",
    },
    "de-nl-nordic": {
        "label": "sende senden stuur skicka sänd bestellung bestell* bestelling* rechnung* "
        "kundennummer auftrag* sendung* vorgang* konto kontonummer karte *karte kartennummer "
        "telefon* tel anruf* rufen *nummer nummer nr referenz* vertrag* zimmer gleis flug "
        "buchung* plz termin endet endend bestellnummer ordernummer factuur* klantnummer klant* "
        "zending* rekening* kaart bel bellen telefoon* referentie* boeking* afspraak vlucht "
        "ordre* ordrenr bestilling* beställning* faktura* kundnummer kundenummer kort kortet "
        "kortti tilaus* lasku* pakke* paket* sendingsnr kolli* soita puhelin* viite* varaus* "
        "varausnumero lento pöntun* reikning* símanúmer hringdu",
        "kind": "gutschein* rabatt* aktion* buchung* postleit* postnummer postkod* abhol* promo* "
        "bestell* fehler* korting* actie* boeking* ophaal* afhaal* kampanj* kampagne* hämt* "
        "hente* afhentning* bokning* booking* alennus* nouto* varaus* tilaus* afslátt* barcode "
        "strichcode",
        "promo": "rabatt* gutschein* gewinn* gratis kostenlos angebot* aktion* sparen korting* "
        "aanbieding* gewonnen prijs winnaar erbjudande* vinst* vunnit tilbud* rea realisation "
        "alennus* tarjous* voitto* voittanut ilmaise* afslátt* udsalg",
        "bank": "kontostand* abgebucht überwiesen guthaben saldo lastschrift überweisung "
        "abbuchung afgeschreven overgemaakt bijgeschreven insatt uttag trukket hævet tilisiirto "
        "saapunut innestående fällig betalt",
        "notice": "lieferung* zugestellt geliefert paket* versandt bezorgd bezorging* pakket* "
        "levering* levereras leverans* toimitus* toimitet* paketti* pakett* lähetys* termin "
        "afspraak tid aika varattu hämta sendung* unterwegs bestellung* bestelling* pakke* "
        "sending*",
    },
    "romance": {
        "label": "envía envie envíe manda envoyez envoie invia trimite commande numero número "
        "nro núm numéro no facture réf référence ref colis suivi compte carte appelez appeler "
        "tél téléphone dossier contrat vol billet réservation chambre client pedido orden "
        "referencia factura guía rastreo cuenta tarjeta llama llame llámanos teléfono tel "
        "terminada vuelo reserva cita habitación ticket folio nota encomenda fatura rastreio "
        "conta cartão ligue telefone final terminado voo protocolo ordine fattura spedizione "
        "tracking conto carta chiama chiamare telefono prenotazione volo pratica comanda "
        "comenzii comenzi awb cont card cardul apelează sunați telefon rezervare rezervarea zbor "
        "colet numărul numarul nr targeta truca telèfon expediente matrícula pedimento placa "
        "póliza cliente fundo albarán localizador bus",
        "kind": "promo promotionnel réduction remise postal postale postaux barre barres suivi "
        "réservation retrait cadeau parrainage descuento promocional promoción cupón reserva "
        "barras rastreo seguimiento regalo desconto cupom cupão rastreio resgate sconto "
        "promozionale fiscale prenotazione coupon buono reducere voucher poștal rezervare "
        "ridicare swift area país fiscal cliente pedido envío retiro recogida ritiro "
        "levantamento pin_puk ordine comandă descompte cadou",
        "promo": "promo promotion promotions gratuit gratuite réduction remise offre offres "
        "soldes gagné gagnez cadeau profitez oferta ofertas descuento descuentos gratis ganaste "
        "gana premio sorteo regalo promoção promoções desconto descontos grátis ganhou ganhe "
        "prêmio sconto sconti offerta offerte vinto vinci saldi omaggio reducere reduceri ofertă "
        "câștigat câștigă premiu oferte rebaixes descompte aproveite aprovecha bonus promozione "
        "cupón",
        "bank": "solde débité crédité virement prélèvement saldo cargo abono transferencia "
        "depósito retiro débito crédito transferência pix debitado creditado bonifico addebito "
        "accredito prelievo sold debitat creditat transfer tranzacție compra paiement facturé "
        "vencimiento vence_factura échéance pago pagamento boleto fatura",
        "notice": "livraison livré colis expédié commande rendez rdv entrega entregado enviado "
        "envío paquete cita pedido encomenda entregue enviada consulta consegna consegnato "
        "spedito pacco ordine appuntamento livrare livrat colet comanda expediat programare "
        "programarea lliurament viagem viaje vuelo voo volo zbor turno réservation reserva "
        "prenotazione entregador",
    },
    "slavic-latin-baltic-hu": {
        "label": "wyślij odešlete pošaljite küldje zamówien* zamówienie nr numer faktur* faktura "
        "przesył* paczk* konto rachun* karta karty kartą zadzwoń dzwoń tel telefon* rezerwac* "
        "pokój wizyt* objednáv* číslo č zásil* zásilk* účet účtu zavolejte zavolajte volejte "
        "rezervac* faktúra balík balíč* pokoj narudžb* narudzb* broj br račun* pošilj* kartic* "
        "pozovite nazovite naročil* številk* pokličite pošiljk* užsak* užsakym* sąskait* siunt* "
        "numeris kortel* skambinkite pasūtījum* rēķin* sūtījum* numurs zvaniet rendelés* "
        "rendelési számla* számú csomag* hívja hívj* kártya* telefonszám* foglalás* ügyszám "
        "ügyfél* tellim* arve* saadetis* helista* viitenumber broneering* porosi* fatur* "
        "llogari* telefononi termin vizita szám number vs variabilní variabilný",
        "kind": "rabatow* rabat* promocyjn* pocztow* odbioru kresk* slevov* slevový zľavov* "
        "poštov* popust* promo* odběr* výdej* vyzved* preuzimanj* prevzem* nuolaid* atlaižu* "
        "kedvezmény* kupon* irányító* átvételi vonalkód* sooduskood* soodus* zbritje* rezervac* "
        "qr",
        "promo": "rabat* promocj* gratis darmow* wygra* wygral* wygrałeś zniżk* okazj* sleva "
        "slevu slevy slev* zdarma výhra vyhráli zľav* zadarmo akcia akce popust* besplatno "
        "nagrad* osvoji* akcija brezplačno nuolaid* laimėj* dovan* atlaid* atlaiž* akcij* "
        "kedvezmény* ingyen* nyert* akció* nyeremény* ajándék* soodus* tasuta võit* zbritje "
        "falas fitove oferta ofertë",
        "bank": "saldo obciąż* uznan* przelew* wypłat* zůstatek zostatok platba platby převod* "
        "prevod* stanje uplata isplata terećen* stanja dostupno likutis pavedim* nurašyt* "
        "atlikums pārskait* egyenleg* terhelés* jóváírás* utalás* kanne jääk bilanci debituar "
        "kredituar wpłat* összeg* výběr",
        "notice": "dostaw* doręcz* paczk* kurier* wysłan* wizyta wizyty doruč* zásil* odesl* "
        "balík* kurýr* dostav* isporuč* dostavljen* paket* naručen* pošilj* pristatym* siunt* "
        "kurjer* piegād* sūtījum* szállít* kézbesít* csomag* futár* időpont* saadetis* kohale "
        "pakiautomaat* dorëz* objednáv* zamówien* rendelés* paczkomat* termín",
    },
    "cyrillic-greek-caucasus": {
        "label": "отправьте надішліть изпрати заказ заказа заказу заказе № номер номера счет "
        "счёт счета счету карта карты карте карту звоните позвоните тел телефон телефону трек "
        "накладная посылка рейс билет бронь брони договор договора замовлення рахунок рахунку "
        "картка картки картку телефонуйте дзвоніть накладна посилка ттн поръчка поръчката сметка "
        "картата обадете товарителница пратка пратката нарачка картичка поруџбин* рачун* картиц* "
        "позовите пошиљк* замова рахунак тапсырыс шот қоңырау эсеп буюртма ҳисоб захиалга данс "
        "утас обращение заявка чек квитанция лицевой лс справка παραγγελία παραγγελίας αρ "
        "αριθμός αριθμό λογαριασμός κάρτα κάρτας καλέστε τηλ τηλέφωνο αποστολή αποστολής δέμα "
        "κράτηση πτήση τιμολόγιο պատվեր* հաշիվ* քարտ* զանգ* հեռ შეკვეთ ანგარიშ ბარათ დარეკეთ ტელ "
        "ትዕዛዝ ሂሳብ ካርድ ይደውሉ ስልክ номеру",
        "kind": "промокод промокода скидк* купон* почтов* индекс бронирован* заказа получения "
        "акци* знижк* поштов* отстъпка промо* отпуст* попуст* получени* отримання штрих* qr "
        "выдачи έκπτωσης εκπτωτικ* ταχυδρομικ* κουπονι* παραλαβής προσφορ* ზეჩ ფასდაკლებ զեղչ*",
        "promo": "скидк* скидка акци* бесплатн* выигра* приз подарок подар* промокод* распродаж* "
        "знижк* безкоштовн* вигра* подарунок акці* отстъпк* безплатн* спечел* награда промоци* "
        "попуст* бесплатно жеңілдік жеңілдікт* тегін сыйлық арзандатуу чегирма бепул хямдрал "
        "үнэгүй купон* бонус* έκπτωση δωρεάν κερδίσατε κέρδισε προσφορά δώρο զեղչ* անվճար "
        "შეღავათ ფასდაკლებ უფასო ቅናሽ ነፃ",
        "bank": "баланс списан* зачислен* перевод покупка оплата остаток доступно списано "
        "зараховано залишок переказ оплат* платеж платіж превод теглене салдо наличност "
        "състояние исплата уплата стање қалдық аударым баланстағы үлдэгдэл гүйлгээ υπόλοιπο "
        "χρέωση πίστωση ανάληψη μεταφορά πληρωμή մնացորդ ბალანს ჩამოგეჭრათ ჩაირიცხა пополнен* "
        "снятие задолженност* ቀሪ",
        "notice": "доставк* доставлен* курьер* заказ* посылк* отправлен* запись записаны прием "
        "приём доставц* посилк* кур_єр* замовлен* відправлен* доставен* куриер* пратк* поръчк* "
        "испорук* пошиљк* жеткіз* жетк* хүргэлт буюртма παράδοση παραδόθηκε αποστολή δέμα "
        "ραντεβού παραγγελία առաք* მიწოდებ ამანათ შეკვეთ бронь ማድረስ",
        "money": "руб рублей рубля рубль р грн гривень гривні лв лева лей тенге тг сом сум сўм "
        "манат драм денари дин динара ден сомонӣ төгрөг ευρώ евро долл доллар* долларов դրամ "
        "ლარი ብር коп копеек",
        "minutes": "гб мб кб балл* бонус* баллов раз шт чел км кг балів человек бод",
    },
    "turkic-sea-latin-africa": {
        "label": "gönder gönderin kirim ketik hantar soan sipariş* siparişiniz fatura* kargo* "
        "takip hesap* kart* kartınız arayın telefon* tel rezervasyon* randevu* uçuş abone "
        "müşteri numara* numaralı nolu no sifariş* hesab* buyurtma* hisob* pesanan pesan resi "
        "nomor rekening kartu hubungi telepon telp tagihan penerbangan kode_booking invois akaun "
        "kad telefon tempahan penghantaran bil rujukan order tawagan tumawag don_hang van_don "
        "hoa_don tai_khoan so_the so_tk tk lien_he goi hotline tong_dai ma_don ma_van chuyen_bay "
        "dat_cho agizo oda akaunti piga simu kumbukumbu asusun kira kiraa waya bestelling",
        "kind": "indirim* promosyon* kupon* kampanya* posta rezervasyon* teslimat* teslim* "
        "endirim* chegirma* promo diskon voucher kupon pos booking pemesanan penukaran diskaun "
        "baucar pengambilan ma_giam ma_khuyen giam_gia khuyen_mai punguzo rangwame barkod",
        "promo": "indirim* kampanya* hediye* kazan* ücretsiz bedava fırsat* endirim* pulsuz "
        "hədiyyə* chegirma* bepul sovg* diskon promo gratis hadiah menang pemenang undian "
        "potongan diskaun percuma tawaran jualan menangi libre panalo nanalo diskwento giam_gia "
        "khuyen_mai uu_dai mien_phi trung_thuong qua_tang punguzo ofa bure zawadi umeshinda "
        "kyauta rangwame tombola bonus",
        "bank": "bakiye* borç* ödeme* havale* eft hesabınızdan yatırıldı çekildi balans* köçür* "
        "ödəniş* qalıq saldo transfer pembayaran debet kredit tagihan baki bayaran pindahan "
        "so_du giao_dich thanh_toan gd salio umepokea umetuma umelipa ma_unguwa balansi",
        "notice": "teslimat* teslim* kargo* sipariş* randevu* çatdırıl* sifariş* yetkaz* "
        "pengiriman paket dikirim kurir penghantaran dihantar bungkusan temujanji janji "
        "giao_hang don_hang van_chuyen kien_hang lich_hen kifurushi miadi usafirishaji pesanan",
    },
    "han-kana-hangul": {
        "label": "订单 訂單 订单号 訂單編號 单号 單號 运单 快递 快遞 尾号 尾號 末四位 末4位 卡号 "
        "卡號 账号 帳號 账户 帳戶 电话 電話 致电 致電 客服 热线 熱線 拨打 撥打 手机号 手機號碼 "
        "编号 編號 航班 车次 车牌 座位 房间 发票 發票 用户 用戶 回复 回覆 退订 学号 合同 保单 "
        "流水号 号码 號碼 账单号 注文 注文番号 番号 お問い合わせ番号 追跡番号 伝票 電話番号 "
        "お電話 口座 カード 会員番号 予約番号 予約 便 号室 受付番号 請求書 주문 주문번호 운송장 "
        "송장 송장번호 계좌 카드 전화 고객센터 문의 예약 예약번호 항공편 접수번호 회원번호 "
        "등기번호 수신거부 ☎ お客様番号 管理番号 등기",
        "kind": "优惠 優惠 折扣 邀请 邀請 取件 提货 提貨 取货 取貨 取餐 兑换 兌換 邮政 郵遞 二维 "
        "推荐码 クーポン 割引 招待 予約 郵便 紹介 受取 引換 쿠폰 할인 초대 추천인 우편 예매 픽업 "
        "交換 自提 取票 核销 QR 프로모션",
        "promo": "优惠 優惠 折扣 中奖 中獎 奖品 免费 免費 红包 紅包 促销 促銷 特价 特價 立减 "
        "满减 抽奖 抽獎 领取 退订 积分 積分 クーポン 割引 セール 当選 無料 プレゼント "
        "キャンペーン ポイント 쿠폰 할인 당첨 무료 이벤트 경품 적립 광고 특가 혜택 贈送 赠送 "
        "秒杀 限时 限時 購物 購物金 特惠",
        "bank": "余额 餘額 入账 入帳 支出 存入 转账 轉帳 轉賬 消费 消費 扣款 扣费 还款 還款 账单 "
        "帳單 收入 到账 欠费 残高 振込 入金 出金 引き落とし ご利用 お支払い 請求 잔액 입금 출금 "
        "결제 이체 승인 청구 납부 充值 缴费",
        "notice": "快递 快遞 包裹 派送 配送 发货 發貨 签收 簽收 取件 驿站 预约 預約 预订 預訂 "
        "航班 お届け 配達 発送 荷物 予約 来店 診察 배송 택배 배달 발송 도착 주문 예약 진료 방문 "
        "送达 物流 到店 就诊 挂号 출고 빠른배송",
        "money": "元 圆 円 圓 원 人民币 港币 美元 塊",
        "minutes": "분기 个 個 件 次 人 张 張 号楼 号店 楼 室 层 倍 位 名 回 度 個月 点 点钟 號 "
        "号 枚 개 명 건 회 포인트 세 층 호 년 월 일 折 万 萬 億 亿 만 천 积分 積分 ポイント 代",
    },
    "thai-khmer-indic": {
        "label": "คำสั่งซื้อ ออเดอร์ หมายเลข เลขที่ เลขพัสดุ พัสดุ บัญชี บัตร โทร ติดต่อ เที่ยวบิน จอง "
        "ใบแจ้งหนี้ ลงท้าย อ้างอิง ບັນຊີ ໂທ លេខ គណនី ទូរស័ព្ទ កម្មង់ အကောင့် ဖုန်း အော်ဒါ ऑर्डर खाता खाते "
        "खाताक्रमांक कार्ड कॉल नंबर क्रमांक संदर्भ बिल बुकिंग फोन उड़ान ट्रेन অর্ডার অ্যাকাউন্ট একাউন্ট "
        "কার্ড কল নম্বর ফোন ઓર્ડર ખાતા કાર્ડ કૉલ નંબર ਆਰਡਰ ਖਾਤਾ ਖਾਤੇ ਕਾਰਡ ਕਾਲ ਨੰਬਰ ஆர்டர் கணக்கு அட்டை "
        "அழைக்க எண் ఆర్డర్ ఖాతా కార్డ్ కాల్ నంబర్ ಆರ್ಡರ್ ಖಾತೆ ಕಾರ್ಡ್ ಕರೆ ಸಂಖ್ಯೆ ഓർഡർ അക്കൗണ്ട് കാർഡ് വിളിക്കുക "
        "നമ്പർ ඇණවුම ගිණුම",
        "kind": "ส่วนลด คูปอง โปรโมชั่น ไปรษณีย์ โปร कूपन छूट प्रोमो पिन_कोड ডিসকাউন্ট কুপন প্রোমো "
        "தள்ளுபடி డిస్కౌంట్ ಕೂಪನ್ ರಿಯಾಯಿತಿ",
        "promo": "ส่วนลด ฟรี คูปอง โปรโมชั่น ลดราคา รางวัล แจก โปร छूट मुफ्त ऑफर इनाम जीत कूपन सवलत "
        "मोफत ছাড় ফ্রি অফার পুরস্কার જીત ઑફર મફત ਛੋਟ ਮੁਫ਼ਤ ਇਨਾਮ தள்ளுபடி இலவச சலுகை ఉచిత ఆఫర్ తగ్గింపు "
        "ರಿಯಾಯಿತಿ ಉಚಿತ സൗജന്യ ഓഫർ බෝනස් នៃការបញ្ចុះតម្លៃ បញ្ចុះតម្លៃ ส่งฟรี လျှော့စျေး လက်ဆောင်",
        "bank": "ยอดเงิน คงเหลือ โอนเงิน ถอนเงิน เงินเข้า ชำระ เงินออก ยอด समतुल्य शेष बैलेंस जमा "
        "डेबिट क्रेडिट भुगतान शिल्लक ব্যালেন্স জমা ডেবিট ক্রেডিট પેમેન્ટ બેલેન્સ ਬਕਾਇਆ இருப்பு பணம் "
        "బ్యాలెన్స్ ಬ್ಯಾಲೆನ್ಸ್ ബാലൻസ് ශේෂය សមតុល្យ လက်ကျန်",
        "notice": "จัดส่ง พัสดุ นัดหมาย สินค้า ขนส่ง डिलीवर डिलीवरी ऑर्डर अपॉइंटमेंट पार्सल কুরিয়ার "
        "ডেলিভারি পার্সেল ડિલિવરી ਡਿਲੀਵਰੀ டெலிவரி ఆర్డర్ డెలివరీ ಡೆಲಿವರಿ ഡെലിവറി ដឹកជញ្ជូន ပို့ဆောင်",
        "money": "บาท रुपये रु रुपए টাকা ৳ રૂપિયા ਰੁਪਏ ரூபாய் రూపాయలు ರೂ രൂപ රුපියල් រៀល ကျပ် ກີບ",
        "minutes": "คะแนน ครั้ง คน ชิ้น बार अंक পয়েন্ট",
    },
    "semitic-iranian": {
        "label": "طلب طلبك الطلب رقم حساب حسابك بطاقة بطاقتك اتصل الاتصال هاتف فاتورة شحنة "
        "الشحنة رحلة حجز تتبع مرجع المنتهية موعد سفارش شماره کارت تماس تلفن فاکتور مرسوله رهگیری "
        "پرواز رزرو پیگیری آرڈر نمبر اکاؤنٹ کارڈ کال رابطہ فون بل מספר חשבון כרטיס התקשרו חייגו "
        "טלפון משלוח חשבונית טיסה תור המסתיים اسمارة پێوەندی داواکاری",
        "kind": "خصم الخصم قسيمة كوبون البريدي ترويجي العرض تخفیف پستی کوپن ڈسکاؤنٹ پرومو "
        "رہنمائی הנחה קופון מיקוד הטבה שובר رهگیری پیگیری",
        "promo": "خصم مجانا مجاني عرض عروض اربح ربحت فزت جائزة هدية كوبون تخفيضات تخفیف رایگان "
        "جایزه برنده هدیه قرعه جشنواره ڈسکاؤنٹ مفت انعام آفر הנחה חינם מבצע זכית פרס הגרלה מתנה "
        "קופון نقاط נקודות",
        "bank": "رصيد رصيدك سحب إيداع خصم_مبلغ تحويل مبلغ دفع موجودی واریز برداشت انتقال مانده "
        "بیلنس رقم_جمع ادائیگی יתרה חיוב זיכוי העברה חויב תשלום عملية شراء خرید",
        "notice": "توصيل شحنة شحنتك موعد موعدك طلبك تسليم مندوب تحویل ارسال پیک مرسوله سفارش "
        "نوبت ڈیلیوری پارسل משלוח חבילה תור שליח נשלחה",
        "money": "ريال درهم دينار جنيه دولار ليرة ر_س تومان ریال روپے افغانی שח שקל ש_ח שקלים",
        "minutes": "نقطة نقاط امتیاز ٪ גיגה مرة بار",
    },
    "numbers": {
        "number": "number no nr num numbers nummer *nummer numero número numéro numer numeru "
        "číslo čísla broj številka številko numurs numeris szám száma номер номера број нөмірі "
        "номуру numara numarası numaranız numaranızı nömrəsi raqami nomor nombor nambari namba "
        "numărul numarul νούμερο αριθμός αριθμό αριθμος számot nummeret numeret númer नंबर "
        "क्रमांक নম্বর নাম্বার નંબર ਨੰਬਰ எண் నంబర్ సంఖ్య ಸಂಖ್ಯೆ നമ്പർ අංකය ဂဏန်း หมายเลข เลขที่ رقم الرقم "
        "رقمك شماره نمبر מספר המספר 番号 号码 號碼 번호 համար* ნომერ ቁጥር so_xac ژمارە",
    },
    "complaints-prescriptions": {
        "label": "शिकायत संख्या तक्रार उजुरी অভিযোগ ਸ਼ਿਕਾਇਤ ફરિયાદ ଅଭିଯୋଗ புகார் ఫిర్యాదు ದೂರು പരാതി "
        "පැමිණිල්ල คำร้อง เรื่องร้องเรียน တိုင်ကြား နံပါတ် ពាក្យបណ្តឹង شکایت شكوى بلاغ פנייה 投诉 投訴 "
        "受理 报修 報修 접수 민원 pengaduan laporan aduan reklamo malalamiko errezeta reseta "
        "recept* resept* recepta receta recette lyfseðil* voorskrif* presgripsiwn rețet* рецепт* "
        "συνταγή* жалоб* скарг* reclam* klacht* beschwerde* reklamaci* şikayet* шағым* shikoyat*",
    },
}
