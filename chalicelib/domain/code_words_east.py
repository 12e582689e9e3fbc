"""Words for codes in Latin-script languages of eastern Europe, Africa, Asia and America.

Notation as in code_words_west.py.
"""

EAST: dict[str, dict[str, str]] = {
    "pl": {
        "code": "kod kodu kody kodem *kod",
        "once": "jednorazow*",
        "verify": "weryfik* potwierdz* autoryz* uwierzyt* bezpieczeń* aktywac* logow* dostęp* "
        "odzyskiw* zalogow* rejestrac* zabezpiecz* identyfik*",
        "password": "hasło hasła hasłem",
        "guard": "ważny wygasa wygaśnie udostępniaj podawaj nikomu ważność przekazuj traci straci",
        "enter": "wpisz użyj podaj wprowadź",
        "minutes": "minut minuta minuty godzin godziny godz dni",
    },
    "cs-sk": {
        "code": "kód kódu kódem kódom kódy",
        "once": "jednoráz* jednorazov*",
        "verify": "overova* overov* overte overit* overeni* overen potvrz* potvrd* autoriz* "
        "bezpečnost* aktivač* přihlaš* přihláš* prihlas* prístup* přístup* obnov* registr* "
        "autentiz* verifik*",
        "password": "heslo hesla heslom",
        "guard": "platí platný platnost platnosť vyprší nesdělujte nezdieľajte vypršia "
        "nesdílejte nezdeľujte nikomu neposkytujte skončí",
        "enter": "zadejte zadajte použijte použite",
        "minutes": "minut minuty minutu minút minúty hodin hodín hodiny dní",
    },
    "dsb-hsb-csb": {
        "code": "kod koda kode kodo kòd",
        "verify": "wobkšuś* wobkruć* wobtwerdź* wuwěrn* přepruw* pśespyta* wótnow* wobnow* "
        "wutrał* wěstot* zarězn* přizjew* pśizjaw* wobkruś*",
        "password": "hesło gronidło",
        "guard": "płaśi płaći spadnjo spadnje płaćiwy pśepadnjo přepadnje",
        "minutes": "minutow mjeńšyn mjeńšinach minutach minutomaj",
    },
    "hr-sr-bs-sl-cnr": {
        "code": "kod koda kôd kodom kodu kodova",
        "once": "jednokrat* enkrat* jednokratn*",
        "verify": "verifik* potvrd* potrdi* potrjev* potvrđ* autentifik* sigurnos* varnost* "
        "aktivac* aktivir* prijav* pristup* dostop* oporav* obnov* overitv* autoriz* registrac* "
        "provjer* provjeru preveri* preverj*",
        "password": "lozinka lozinku lozinke šifra geslo gesla geslom zaporka zaporku šifru",
        "guard": "vrijedi važi ističe poteče istječe velja dijelite delite nikome nikomur "
        "istekne vredi dijeli veljaven",
        "enter": "unesite upišite koristite vnesite uporabite unesi upiši uporabi",
        "minutes": "minuta minute minut minuti sati ure dana dni",
    },
    "lt-lv-ltg": {
        "code": "kodas kodą kodo kodu kods koda kodus",
        "once": "vienkartin* vienreiz*",
        "verify": "patvirtin* apstiprin* verifik* saugos saugumo drošīb* drošeib* aktyvav* "
        "aktivāc* prisijung* pieteikš* piekļuv* atkūrim* atgūš* autentif* pārbaud* tikrin* "
        "autoriz* atkop* patikr* apstyprynoj*",
        "password": "slaptažod* parole paroli paroles",
        "guard": "galioja beidzas derīgs niekam nevienam baigs dalinkitės derīgums nesidalykite",
        "enter": "įveskite ievadiet naudokite izmantojiet",
        "minutes": "minutes minučių minutēm minūtēm minūtes min minutės valandas stundas valandų",
    },
    "hu": {
        "code": "kód kódot *kód *kódja *kódot kódja kódod kódját *kódodat kódszám",
        "once": "egyszeri egyszerhasználatos",
        "verify": "ellenőrző* megerősít* hitelesít* biztonsági aktivál* bejelentkez* azonosító* "
        "belépés* helyreállít* jóváhagy* visszaállít* regisztrác*",
        "password": "jelszó jelszava jelszót *jelszó",
        "guard": "lejár érvényes ossza érvényesség senkivel senkinek",
        "enter": "adja írja használja adj használd",
        "minutes": "perc percig perce percen percet óra óráig nap",
    },
    "fi-et-se-vro": {
        "code": "koodi koodin *koodi *koodisi *koodin kood *kood koodisi *koodiksi tunnusluku "
        "koodiga kode koda",
        "once": "kertakäyttö* ühekord* okte",
        "verify": "vahvist* todenn* varmen* turva* turvalisus* kinnit* aktivoin* aktiveer* "
        "kirjautumis* palautus* taaste* autentimis* sisselogim* tõendam* tuvastam* nanna* "
        "duođašt*",
        "password": "salasana* parool* salasõna",
        "guard": "vanhenee voimassa kehtib aegub jaa jaga kellelegi kenellekään umpeutuu",
        "enter": "syötä käytä sisesta kasuta anna",
        "minutes": "minuutti minuutin minuuttia minutit tunnin tuntia tunni minuti",
    },
    "sq": {
        "code": "kod kodi kodin kodit",
        "verify": "verifik* konfirm* vërtet* siguri* aktiviz* identifik* rikthim* rikuper* "
        "hyrje* autentik* hyrje",
        "password": "fjalëkalim* fjalëkalimi",
        "guard": "skadon vlefshëm ndani ndaje askënd vlen askujt",
        "enter": "vendosni përdorni shkruani",
        "minutes": "minuta minutash minutave orë",
    },
    "eu": {
        "code": "kode kodea kodeak kodearen",
        "verify": "egiaztap* egiazta* berrespen* segurtasun* baieztap* berresk* berreskura* "
        "aktibazio* autentifik*",
        "password": "pasahitz* gako",
        "guard": "iraungi* balio partekatu",
        "minutes": "minutu minututan minuturen ordu",
    },
    "mt": {
        "code": "kodiċi",
        "verify": "verifika* konferma* sigurt* attivazzjoni",
        "password": "password",
        "guard": "jiskadi validu taqsam",
        "minutes": "minuti",
    },
    "tr-az-tk-crh": {
        "code": "kod kodu kodunuz kodun kodunuzu kodunuzdur kodum kodudur kody kodyňyz koduňyz "
        "kodyňyzy kodı kodıñız *kodu kodlari",
        "once": "birkez birdefelik birdəfəlik",
        "verify": "doğrula* onay* güvenlik* aktivasyon etkinleştir* giriş* kurtarma təsdiq* "
        "tesdiq* bərpa təhlükəsiz* aktivləşdir* tassykla* tastyk* kimlik doğrulama* tasdıq* "
        "teňrar dikelt* yoxlama* howpsuz*",
        "password": "şifre* parola* parol parolu parolunuz şifrə* açarsöz",
        "guard": "paylaş* geçer* sona kimse* süre etibarlıdır bitir bitəcək heç sürəsi möhleti "
        "müddəti",
        "enter": "girin kullanın daxil giriniz kullanarak yazın",
        "minutes": "dakika* dk dəqiqə* minut saat gün saniye deqiqe* minutdan",
    },
    "uz": {
        "code": "kod kodi kodingiz kodini kodni kodingizni",
        "once": "martalik",
        "verify": "tasdiq* tekshir* xavfsizlik* faollashtir* kirish* tiklash*",
        "password": "parol paroli parolingiz maxfiy",
        "guard": "amal bermang hech muddati aytmang ulashmang kimga",
        "enter": "kiriting kiritib",
        "minutes": "daqiqa* minut soat kun",
    },
    "id-ms-jv-su": {
        "code": "kode kod kodenya kodé kodeku",
        "once": "sekali",
        "verify": "verifik* konfirm* keamanan keselamatan aktivasi pengaktif* pengesah* masuk "
        "pemulih* otentik* autentik* otorisasi pendaftaran sahkan kaamanan pamulihan konfirmasi "
        "penetap* pengeset*",
        "password": "sandi laluan kata_sandi kecap_sandi",
        "guard": "berlaku kedaluwarsa kadaluwarsa kadaluarsa jangan bagikan berikan rahasia "
        "tamat luput kongsi siapa sesiapa dikongsi rahasiakan kadaluwarso berakhir sah",
        "enter": "masukkan gunakan lebetkeun lebokna",
        "minutes": "menit minit jam detik hari saat",
    },
    "tl-ceb-ilo": {
        "code": "code kowd kodigo",
        "once": "one_time",
        "verify": "pagpapatunay beripikasyon pag_verify kumpirm* seguridad pag_login pagkumpirma "
        "pagberipika pag_kumpirma",
        "password": "password",
        "guard": "ibahagi ibigay huwag mawawalan kaninuman ipaambit ayaw sinuman",
        "enter": "ilagay gamitin",
        "minutes": "minuto oras minutos",
    },
    "vi": {
        "code": "ma_xac ma_kich ma_otp ma_bao ma_dang ma_khoi ma_so ma_pin ma_truy ma_la ma_cua",
        "verify": "xac_minh xac_nhan xac_thuc kich_hoat dang_nhap dang_ky bao_mat khoi_phuc",
        "password": "mat_khau",
        "guard": "chia_se tiet_lo tuyet_doi hieu_luc het_han cung_cap thoi_han",
        "enter": "nhap su_dung",
        "minutes": "phut gio giay ngay",
    },
    "sw-ha-yo-ig-so-zu-xh-st-rw-mg-om": {
        "code": "msimbo nambari kodi kodin lambar lambobin koodhka* kood koodu koòdù khodi "
        "ikhodi koodka* khoudu kaody kode koodii",
        "verify": "uthibitish* kuthibitish* thibitish* usalama uhakiki tabbatar* tantancewa "
        "xaqiijin* hubin* nkwenye ijẹrisi ìmúdájú ìfìdímúlẹ̀ ukuqinisekisa sokuqinisekisa "
        "yokuqinisekisa lokuqinisekisa okuqinisekisa netefatso kwemeza kugenzura fanamarinana "
        "fanamafisana mirkaneess* kuwezesha",
        "password": "nenosiri furaha iphasiwedi ijambobanga",
        "guard": "muda usimpe usishiriki dhaceysa mtu kowa cidna iphelelwa uphelelwa",
        "enter": "weka ingiza tumia shigar saka geli",
        "minutes": "dakika minti daqiiqo mintuna amaminithi imizuzu minitra iṣẹju nkeji metsotso",
    },
    "kab-ht-ku-mi-gn": {
        "code": "tangalt tengalt kòd kodê koda kodi waehere",
        "verify": "usenqed asenqed usentem asentem verifikasyon konfimasyon piştrast* erêkirin* "
        "whakamana sekirite aktivasyon",
        "password": "modpas şîfre kupuhipa",
        "guard": "ekspire pataje parve",
        "enter": "sekcem antre binivîse",
        "minutes": "tesdatin tisdatin minit deqîqe meneti",
    },
}
