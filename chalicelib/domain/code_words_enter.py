"""Words that ask to type a code in, and the everyday phrases for what it opens.

Besides "enter" and "use" themselves: "log in", "reset", "confirm your number", one-time words,
and inflections of "code" and "password" that the main tables lack. Notation as in
code_words_west.py.
"""

ENTER: dict[str, dict[str, str]] = {
    "en": {
        "code": "smscode codenumber",
        "once": "smstan mtan chiptan pushtan phototan otac onetimepin onetimepassword "
        "secure_code one_time_pin one_time_password security_token sms_token smstoken",
        "verify": "verifying confirms unlock reactivate",
        "guard": "nobody noone tell reveal ignore unsolicited disregard anybody hang",
        "enter": "quoting paste key_in punch supply submit",
    },
    "de-nl-af-lb-fy": {
        "code": "*codes *kode *koden zahlencode *kods cijfercode *kodes zugangsnummer "
        "freigabenummer",
        "once": "eenmalige einmalige einmaliger einmaliges *einmalpasswort *einmalkennwort "
        "zugangscode bestätigungsnummer otp_pin ek_pin ekpin",
        "verify": "anmeldung einloggen anmelden zurücksetz* bestätige* freigabe freigeben "
        "identität* inloggen aanmelden herstellen herstel goedkeur* goed_te_keur bevestigen "
        "umeldung anzeloggen umellen konfirméier* befêstigje oanmelde ynlogge teken_aan inteken* "
        "aktiveren activeren registreren koppelen verknüpf* rücksetz*",
        "password": "*passwort *kennwort *passwuert toegangskode pinkode pin_code passwierder",
        "guard": "verraten verrate nooit nimmer vertraulich ausschließlich weiterleiten deel_dit "
        "vertrouwelijk geheim geef_nooit weidersoen weider keen niks verstrijkt verfällt gëlt "
        "jemandem mitteilen niemals moenie deel_nie",
        "enter": "eingebe tippen tippe geben_sie verwenden invoeren invullen vul toets gebruiken "
        "gebruik benotzt benotz gitt tippt brûk fier typ tik_in gee_in sleutel_in angeben",
    },
    "nordic": {
        "code": "kodinn koodilla koodia koodiin *koodilla *koodia *koodiin *koodinne *koodini "
        "kóðanum kóðinn kóðann kotan kotuna *koodiks *koodiga koodiks *kodinum kodina "
        "tunnusluvun tunnuslukua tunnuslukusi vahvistustunnus avainluku talukood",
        "once": "engångslösen engångs_kod kertakäyttöinen kertakäyttökoodi einnota engongd* "
        "engangskodeord eingongs* ühekordne ühekordse engangs",
        "verify": "logga_in inlogg* bekräfta legitimer* identifier* godkänn* återställ* "
        "verifiera logge_ind log_ind bekræfte godkend* nulstil* aktivér* logge_inn bekreft* "
        "godkjenn* tilbakestill* kirjaud* vahvista vahvistaaksesi rekisteröi* palauta tunnist* "
        "sisene sisenemise kinnita kinnitamiseks registreeri* tuvasta innskrá* skrá_þig "
        "staðfesta endurstill* innrit* váttað váttanar*",
        "password": "*lösenord *passord *adgangskode *salasana *salasanasi *parool salasõna "
        "lykilorðið salasanasi parooliga loyniorðið engangspassord",
        "guard": "aldrig aldri ingen koskaan kenellekään kellelegi ära älä ekki neinum deil "
        "fortrolig luottamuksellinen hemlig avslöja lämna oplys ikki nakran giltighetstid "
        "erääntyy vanhentuu voimassaolo kehtivus ägir gildistími útrun*",
        "enter": "mata_in skriv_in knappa fyll slå tast tast_inn angi skriv_inn näppäile "
        "kirjoita anna sisesta sisestage trüki sláðu_inn notaðu brúka skriva nýt syötä kirjaa "
        "käyttäen",
    },
    "fr-oc-br-ht": {
        "once": "usage_unique mot_de_passe_temporaire mot_de_passe_unique unique_code",
        "verify": "identifier authentification réinitialis* valider validez confirmez connectez "
        "débloqu* déverrouill* inscrire activez finaliser authentifier vérifiez enregistrement "
        "konekte konfime aktive verifye vòstre_compte inscripcion connexion dintrar kevreañ",
        "password": "mot_de_passe mots_de_passe digicode_unique senhau ger_kuzh",
        "guard": "confidentialité transmettez donnez divulguer ignorer pèsonn okenn lage bay "
        "partegetz jamai nihilañ rannit den personne_d secret",
        "enter": "renseignez composez indiquez tapez_le introduisez sèvi itilize tape mete "
        "emplegatz picatz implijit enskrivit utilise entre saisis",
    },
    "es-pt-gl-ca-it-ro": {
        "code": "codice_sms codicele codigo_sms",
        "once": "un_solo_uso usa_una_vez uso_unico utilizzo_singolo un_solo_utilizzo "
        "clave_dinamica clave_temporal codigo_unico contrasena_unica senha_descartavel "
        "utilizare_unica unica_folosinta un_sol_us d_un_sol",
        "verify": "iniciar_sesion inicio_de_sesion validar ingresar acceder autorizar restablec* "
        "activar desbloquear vincular entrar aceder autenticar redefin* repor ativar ativacao "
        "validacion accede accedere autorizzare attivare ripristinare reimposta* registrazione "
        "registrarte registrar conectare conecta conectați autentificare reseta* confirma "
        "validează valider recuperación accedir registre iniciar_sessio identidade identidad "
        "identità restabl* acessar cadastrar desbloque* confirme",
        "password": "clave_de_acceso clave_secreta palabra_clave chiave_di_accesso parola_d "
        "senha_temporaria contraseina",
        "guard": "reveles reveled divulgues entregues digas dar jamas nunca proporciones "
        "informe_a revele forneca divulgue repasse ningu nadie pessoa terceiros terceros "
        "riservato svelare divulgare comunicarlo comunicare fornire comunicați divulgați "
        "dezvăluiți spune nu_il dona mai_ningu revelis caducitat expire expirara scadenza "
        "ninguem solicitaste solicitou richiesto compartilhes compartas comparti",
        "enter": "introducir introduzca escriba teclea teclee ingresá usá escribí digita "
        "inseriscilo digitare utilizzare immetti immettere adoperare introduci introduceți "
        "tastează tastați foloseste utilize_o use_o insira_o introduza_o escriu entreu empra "
        "insire informá",
    },
    "slavic-latin": {
        "code": "kodzie kodowi hesle kódě kľúč kľúčom klíč kodo sms_kod smskod smskode kodą",
        "once": "jednorazowe jednorazowego jednorázové jednorázový jednorazové jednokratna "
        "jednokratni enkratna enkratno sms_kluc sms_kľúč sms_klic smskod hasło_sms haslo_sms",
        "verify": "zaloguj* zalogować logowania zatwierd* akcept* aktywuj* rejestr* potwierdź "
        "odblok* zresetuj* resetow* přihlášení přihlásit prihlásenie prihlásiť potvrďte potvrdiť "
        "dokončen* registrác* aktivov* odemk* odomkn* ověřte overte prijavite prijavu potvrdite "
        "potrdite prijavo prijavi registracij* resetir* ponastav* poništ* aktivaci* autorizaci* "
        "autorizáci* schválen* schvál*",
        "password": "heslom hesle geslu lozinkom zaporkom hasłem przepustk*",
        "guard": "przekazuj ujawniaj zdradzaj nigdy nikdy nikoli nikad zdieľajte prezraďte "
        "prezrádzajte neprezrad* nezdieľaj neposkytuj* nesděluj* neprozraz* oznamuj* delite "
        "razkrijte zaupajte otkrivajte govorite nikom niko odkryjte nesmíte wygaśnięcia platnosť "
        "končí trajanje",
        "enter": "użyj_kodu wprowadzić wpisać podać uzyj wpisz_kod vložte napište napíšte opište "
        "zadej zadaj opíšte vpišite vtipkajte utipkajte ukucajte uneti uporabljajte prepište "
        "iskoristite vnesi pouzij zadať zadat",
    },
    "baltic-hu-sq-mt-eu": {
        "code": "kodui kodu kodam *kódot *kódját *kóddal *kóda kódodat kodiċi kodiċijiet kodin "
        "kodit kodea kodearekin kodean giltza sms_kods kodin_otp jelkód",
        "once": "vienkartinis vienkartinį vienreizēja vienreizējais egyszer_használatos "
        "egyszer_hasznalatos egyszeri_jelszó njëpërdorimësh njehershem erabilera_bakarreko",
        "verify": "prisijungti prisijungimui patvirtinti registracij* atkurti aktyvuoti pieslēg* "
        "apstiprināt* ielogo* autoriz* reģistr* atjauno* atbloķ* belép* bejelentk* megerősít* "
        "jóváhagyás* igazol* visszaigazol* regisztr* azonosít* aktivál* hyrë hyni konfirmoni "
        "konfirmuar verifikoni regjistrim* rivendos* identifik* tikkonferma *konferma* *verifik* "
        "tidħol illogg* tirreġistra sartzeko hasteko egiazta* berrezar* saioa baieztatzeko "
        "aktibatzeko kontua_aktibatu izena_eman",
        "password": "slaptažodis slaptažodį paroles parolei jelszava jelszavad *jelszó *jelszava "
        "fjalëkalimin fjalekalimi fjalëkalimi pasahitza gakoa gakoaren",
        "guard": "neatskleiskite nesakykite nerodykite niekada neizpaudiet nedodiet nekad derīga "
        "derīgs ossz ossza_meg soha senkinek kiadni adja_ki megosztani askujt mos_e tregoni "
        "jepni tregojani taqsmu taqsamx ħadd jagħlaq skadenza inori ez_partekatu ez_eman "
        "iraungitze* soilik_zuk érvényes érvényét lejárat él",
        "enter": "įrašykite suveskite naudok įvesk ierakstiet lietojiet ievadi írd írja_be üsse "
        "adja_meg add_meg add használja_ezt vendosni fut futni perdorni përdor shkruaj daħħal "
        "uża idħol ikteb sartu erabili idatzi jarri",
    },
    "cyrillic": {
        "code": "кодам кодів кодовете кодов кодаи кодро кодту кодын кодтын кодыг смскод смс_код "
        "пинкод",
        "once": "одноразовый одноразовий аднаразовы еднократна једнократна нэг_удаа_хэрэглэх "
        "бір_реттік бир_жолку бер_тапкыр яккарата яккарат* бирмарталик",
        "verify": "войти вход_в входа авториза* подтвердите подтвердить регистраци* сброс* "
        "разблок* активир* увійти підтвердьте підтвердити реєстраці* скинут* скидан* увайсці "
        "пацвердз* пацверджан* скіду влизане влезете потвърдете влез* рестартир* потврдете "
        "најава најавување потврдите пријава пријаву ресет* ырастоо ырастап кирүү тіркелу* "
        "тіркеу қалпына растап кирергә керү теркәлү* рәсләү тастыклау расслау ворид_шудан "
        "тасдиқи тасдики бақайдгирӣ сабти сабтином кириш киришни рўйхат* тасдиқла* бүртгэ* "
        "баталгаажуулалт* нэвтрэхэд сэргээ* нууцүг",
        "password": "паролей паролді паролі паролю паролот лозинком құпиясөзі құпия_сөз сыр_сөзү "
        "сырсөз паролуңуз пароли пароль_сүз нууц_үг нууц_код нууц_дугаар калидвожа",
        "guard": "говорите сообщать передавать разглашайте повідомляй кажіть нікому_не "
        "розголошуй* паведамляй кажыце нікому не_казвайте издавайте никому_не кажувајте "
        "откривајте говорите_га ешкімге_айт айтпаңыз айтпагыз айтмаңыз айтпаңыздар эч_кимге "
        "бернәкемгә беркемгә әйтмәгез бирмәгез нагӯед надиҳед нагуед касе айтманг берманг "
        "бүү_хэл бүү_дамж* дамжуулж хэлж хугацаа дуусна муддати күшінде",
        "enter": "вводите наберите укажи набирайте введи_код введіть_код вкажіть уведіть введи "
        "увядзіце увесці выкарыстоўвайце выкарыстайце уведзіце напишете користи внесете со "
        "употребите унеси укуцајте енгіз енгізу қолданыңыз пайдаланыңыз киргизип колдонуңуз "
        "жазыңыз кертегез кулланыгыз истифода_баред дохил ворид_кунед киритинг фойдаланинг "
        "оруулаарай ашиглаарай оруулна_уу ашиглана",
    },
    "greek-caucasus-ethiopic": {
        "code": "κωδικος κωδικου κωδικο կոդով կոդն ծածկագիր կոդի კოდით კოდის კოდი ኮድን ኮዱ ኮድኩም "
        "ኮዱን ኮድካ ኮድኪ",
        "once": "մեկանգամյա_օգտագործման ერთჯერადი የአንድ_ጊዜ_የይለፍ ሓደ_ግዜ ናይ_ሓደ_ግዜ",
        "verify": "είσοδο* εισόδου συνδεθ* επαναφορά* εγγραφή* εγγραφής επικύρωση* έγκριση* "
        "επιβεβαιώστε επαληθεύστε մուտքի մուտքագրման գրանց* հաստատել վերակ* რეგისტრაცი დადასტურ "
        "ვერიფიც გახსნ ለመግባት ለማረጋገጥ ምዝገባ ንምእታው ንምርግጋጽ ምርግጋጽ ለማስገባት ዳግም",
        "password": "συνθηματικο κωδικος_προσβασης գաղտնաբառը პაროლი የይለፍ_ቃል ምስጢር ምስጢራዊ ቃል_ምስጢር",
        "guard": "αποκαλύψετε αποκαλύπτετε δώσετε πείτε μη_τον ποτέ կիսվեք հայտնեք հայտնի ասեք "
        "փոխանցեք ոչ_ոքի არავისთან გაუმხილ უთხრა გადასც არასოდეს ለማንም_አይ አይንገሩ አይስጡ ያጋራ ንማንም "
        "ኣይትሃቡ ኣይተካፍሉ",
        "enter": "καταχωρίστε δώστε_τον γράψτε βάλτε χρησιμοποίησε εισάγετε_τον մուտքագրել "
        "օգտագործիր մուտքագրիր გამოიყენე შეიყვანე ჩაწერე ይጠቀሙ ያስገቡ_ ተጠቀሙ ኣእትዉ ተጠቐሙ አስገባ",
    },
    "turkic-latin-sea": {
        "code": "kodunu kodunuzla koduyla koduna şifrenizi kodunuza kodi kodla kodim kodimiz "
        "kodyňy kodyny kodeng kodnya kodny kodelik sandinya ma_so_xac ma_nay",
        "once": "tek_kullanımlık tek_seferlik birdefelik birdəfəlik bir_gezeklik bir_gezek "
        "bir_martalik sekali_pakai sekali_guna sekali_saja dung_mot_lan mot_lan isang_beses "
        "sandi_sementara tac_anda mat_khau_mot smart_otp",
        "verify": "giriş_yap* oturum* onayla* sıfırla* kayıt* aktif* hesabınızı_doğrula "
        "daxil_ol* giriş qeydiyyat* tasdiqla* kirish ro_yxat* ro_yxatdan girmek ulgama "
        "registrasiýa hasaba log_masuk log_in pengesahan sahkan mengesahkan mendaftar masuk_ke "
        "mengaktifkan konfirmasikan reset verifikasikan atur_ulang kích_hoat khoi_tao "
        "giao_dich_otp xac_nhan_giao dang_nhap_la doi_mat patotoo mag_log makapag_log i_verify "
        "i_reset kumpirmahin mag_rehistro makapasok mlebu ndaptar asup",
        "password": "parolanız şifreniz şifrən şifrənizi parolu_ kata_laluan kata_sandi sandi "
        "tembung_sandi kata_kunci sangdi mat_ma lihim_na",
        "guard": "paylaşmayın vermeyin söylemeyin kimseye kimseyle asla heç_kim heç_kəs heç_kəsə "
        "verməyin bildirməyin aytmang bermang ulashmang hiç_kim hiçkim aýtmaň paýlaşmaň bermäň "
        "jangan_beri dedahkan dedah sesiapa_pun beritahu bagi pernah kepada siapapun sapa_wae "
        "aja_ dituduhake ulah dibikeun sasaha khong_chia khong_cung khong_tiet bi_mat giu tuyet "
        "kahit_kanino kahit_sino kaninuman ibigay_ sabihin ipagsabi",
        "enter": "giriniz yazınız girerek kullanınız tuşlayın daxil_edin yazın istifadə_edin "
        "kiriting foydalaning ulaning giriziň ulanyň masukan masukin pakai gunain guna masukkan_ "
        "isi ketikkan gunakna lebokake nganggo anggo dung_ma nhap_ma hay_nhap vui_long_nhap "
        "i_type i_enter gamitin_ ipasok itipa",
    },
    "as": {
        "code": "ক'ড প্ৰৱেশ_ক'ড",
        "once": "অ'টিপি",
        "enter": "ব্যৱহাৰ দিয়ক",
        "verify": "প্ৰমাণীকৰণ লগ ইন সত্যাপন পঞ্জীয়ন",
        "guard": "নক'ব নক ম্যাদ শ্বেয়াৰ",
    },
    "pl-extra": {
        "once": "blik",
    },
    "bank-pins": {
        "password": "mpin tpin upin atmpin",
        "label": "cvv cvc cvv2 puk ussd",
    },
    "uz-kaa": {
        "money": "so'm swm",
    },
    "verb-final": {
        "entered": "girin giriniz girerek yazın yazınız kullanın daxil_edin daxil_et yazaraq "
        "kiriting kiritib yozing giriziň ýazyň енгізіңіз енгізу жазыңыз теріңіз киргизиңиз "
        "териңиз кертегез языгыз индерегеҙ оруулна оруулаарай оруулна_уу ашиглана ашиглаарай "
        "киритинг ворид_кунед ворид_намоед binivîse binivîsin bikar_bîne têkeve idatzi sartu "
        "erabili használja írja_be adja_meg وارد درج استعمال بنووسە داخڵ داخل_کریں داخل_ڪريو "
        "ولیکئ وکاروئ दर्ज डालें डाले भरें टाइप उपयोग लिखें टाका टाकून वापरा प्रविष्ट भरा हाल्नुहोस् "
        "प्रयोग राख्नुहोस् प्रविष्टि लिखू दिअ लिखीं লিখুন দিন প্রবেশ ব্যবহার দিয়ক লিখক ব্যৱহাৰ દાખલ લખો "
        "વાપરો ઉપયોગ ਦਰਜ ਭਰੋ ਵਰਤੋ ਲਿਖੋ ਪਾਓ ଲେଖନ୍ତୁ ଦିଅନ୍ତୁ ବ୍ୟବହାର ପ୍ରବେଶ உள்ளிட பதிவிட பயன்படுத்த "
        "நமோது నమోదు ఉపయోగించ ఎంటర్ వాడండి ನಮೂದಿಸ ಬಳಸ ಹಾಕಿ നൽക ഉപയോഗി ടൈപ്പ് ඇතුළත් ඇතුල් භාවිත ටයිප් "
        "ရိုက်ထည့် ထည့်ပါ ထည့်သွင်း အသုံးပြု 入力 ご入力 입력 기입 ያስገቡ ይጠቀሙ ያስገባ ተጠቀም ኣእትዉ გამოიყენეთ "
        "შეიყვანეთ մուտքագրեք",
    },
    "restore-asia-africa": {
        "verify": "بحال ری_سیٹ بازیافت بازنشانی گەڕاندنەوە گۆڕین بیا_رغول बहाल रीसेट पुनः_प्राप्त "
        "पुनःप्राप्त रिसेट परत_मिळ परत_मिळव पुनर्स्थाप পুনরায়_সেট ফিরে_পে পুনরুদ্ধার রিসেট પાછું_મેળ "
        "રીસેટ પુનઃપ્રાપ્ત ਰੀਸੈੱਟ ਬਹਾਲ மீட்க மீட்டமை மீட்டெடு తిరిగి_పొంద రీసెట్ పునరుద్ధర ಮರುಹೊಂದಿಸ "
        "ಮರುಪಡೆ ಮರಳಿ_ಪಡೆ പുനഃസജ്ജ വീണ്ടെടുക്ക റീസെറ്റ് യළි යළි_සැක ප්‍රතිසාධන නැවත_සැක ପୁନରୁଦ୍ଧାର ରିସେଟ୍ "
        "กู้คืน รีเซ็ต ตั้งรหัสใหม่ เปลี่ยนรหัส ກູ້ຄືນ ຕັ້ງຄືນ កំណត់ឡើងវិញ កំណត់ពាក្យ សង្គ្រោះ ပြန်သတ်မှတ် "
        "ပြန်လည်ရယူ 重置 重設 重设 找回 修改密 再設定 リセット 재설정 초기화 լրացնել აღსადგენ "
        "აღდგენ ዳግም_ለማስጀመር ለመመለስ استعادة إعادة_تعيين لاستعادة איפוס לאיפוס שחזור",
    },
    "restore-latin-cyrillic": {
        "verify": "kurtar* sıfırla* bərpa* vegerand* nûkirin* dikelt* tiklash* yangila* taasta* "
        "lähtesta* palaut* nollaa* atjaun* atkur* helyreáll* visszaáll* obnov* povrat_računa "
        "povratak_računa odzysk* återst* nulstil* gendan* zurückge* berrezar* berreskur* "
        "restabl* recobr* schimba* resetare rivendos* rikthe* bibdil* восстанов* відновит* "
        "аднав* нулира* ресетира* повраћа* повраток промен* қалпына калыбына торгыз* барқарор* "
        "сэргээ* επαναφορ* վերականգ* kabusha herstel* athshocr* ailosod restarig* khôi_phục "
        "khoi_phuc doi_mat_khau dat_lai atur_ulang setel_ulang menetapkan_semula tetap_semula "
        "i_reset",
    },
    "fa-enter": {
        "enter": "عدد شماره_زیر رقم_زیر",
    },
    "ru-kind": {
        "code": "кодик кодика",
    },
    "en-once": {
        "guard": "works_once used_once once_only",
    },
    "th-with": {
        "enter": "ด้วยเลข ด้วยรหัส ด้วย",
    },
    "hr-x": {
        "enter": "s_brojem uz_broj",
    },
    "lock": {
        "verify": "修改密码 修改密碼 パスワード変更 비밀번호_변경 cambiar_clave "
        "cambiar_contraseña changer_mot",
    },
}
