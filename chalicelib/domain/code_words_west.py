"""Words for codes in the Germanic, Romance and Celtic languages, and their neighbours.

Notation (see code_words.py): `word` is a whole word, `word*` begins one, `*word` ends one,
`*word*` is anywhere in one. Accents are folded away before anything is compared.
"""

WEST: dict[str, dict[str, str]] = {
    "en": {
        "code": "this_number following_number token etoken code codes codeword *code",
        "once": "tac one_time single_use otp otps passcode passcodes otc totp 2fa mfa vcode "
        "verifycode authcode onetime pincode smscode loginpin passkey",
        "verify": "verif* veryf* authenti* authoriz* authoris* confirm confirmation confirming "
        "activat* validat* login logon signin signup registration register registering security "
        "recovery recover reset access approve approval auth identity log_in log_on sign_in "
        "sign_on signing_in logging_in sign temporary device",
        "password": "password passwords pwd pin pins passphrase",
        "guard": "share sharing disclose disclosing expire expires expiring expiry expiration "
        "valid never anyone forward ignore requested secret confidential didn elsewhere",
        "enter": "with enter use type input insert using entering quote provide",
        "minutes": "minute minutes min mins hour hours hr hrs second seconds sec secs day days "
        "month months week weeks year years",
    },
    "de": {
        "code": "*code *codes *kode kennzahl tan",
        "once": "einmal* mtan smstan zugangscode",
        "verify": "verifi* bestätig* authenti* sicherheit* anmelde* aktivier* freischalt* "
        "freigabe* registrier* zugang* wiederherstell* login* prüf* legitimation* anzumelden "
        "einzuloggen freizuschalten",
        "password": "passwort* kennwort* geheimzahl",
        "guard": "gültig ablauf* läuft weitergeben niemandem teilen teile niemals abgelaufen "
        "angefordert ignorieren",
        "enter": "mit eingeben verwenden nutzen gib geben verwende nutze",
        "minutes": "minute minuten stunde stunden tag tage tagen sekunden std",
    },
    "nl": {
        "code": "*code *codes *koade",
        "once": "eenmalig* inlogcode toegangscode",
        "verify": "verifi* bevestig* beveiligings* inlog* activeer* activering* activatie* "
        "toegangs* herstel* aanmeld* authenticat*",
        "password": "wachtwoord* pincode",
        "guard": "geldig verloopt deel delen niemand verlopen vervalt",
        "enter": "gebruik voer",
        "minutes": "minuut minuten uur uren dagen",
    },
    "fy": {
        "code": "koade *koade *koades",
        "verify": "ferifikaasje* befêstig* ferifiear* werstel* oanmeld* feilichheids*",
        "password": "wachtwurd*",
        "guard": "ferrint jildich",
        "minutes": "minuten minút oeren",
    },
    "af": {
        "code": "kode *kode",
        "once": "eenmalige",
        "verify": "verifi* bevestig* sekuriteit* aanmeld* aan_te_meld aktiver*",
        "password": "wagwoord*",
        "guard": "verval geldig deel niemand",
        "minutes": "minute ure",
    },
    "lb": {
        "code": "*code",
        "verify": "bestätegung* verifikatioun* verifizéier* sécherheet*",
        "password": "passwuert",
        "guard": "gëlteg leeft",
        "minutes": "minutten",
    },
    "da-nb-nn-sv-is-fo": {
        "code": "kode *kode koden *koden kod *kod kóði *kóði kóðinn *kóðinn kóda *koda kota "
        "*kotan *kodane koder kóðann *kóða kodin",
        "once": "engångs* engangs* eingongs* einnota einskiptis* engongd* *otp",
        "verify": "verifi* verifis* verifikasjon* verifikation* bekræft* bekreft* bekräft* "
        "stadfest* staðfest* váttan* godkend* godkenn* aktiver* säkerhet* sikkerhed* sikkerhet* "
        "tryggleik* öryggi* inloggning* innlogg* pålogging* auðkenn* auðkenni* gjenoppretting* "
        "gendannelse* återställning* endurheimt* logind* virkjun* trygd*",
        "password": "lösenord* adgangskode* passord* lykilorð* kodeord* aðgangsorð loyniorð "
        "*pinkod *pinkode",
        "guard": "gäller giltig gyldig gælder udløber utløper upphör rennur gildir dela del delt "
        "utgår går deila gildur",
        "enter": "ange använd indtast brug skriv oppgi bruk sláðu notaðu",
        "minutes": "minut minuter minutter minutt mínútur mínútum mínútna timer timmar "
        "klukkustund* tíma minuttir",
    },
    "fr": {
        "code": "code codes",
        "once": "usage_unique",
        "verify": "vérifi* confirm* authentifi* sécurité activation activer connexion connecter "
        "validation valider inscription accès récupération identification autorisation",
        "password": "passe",
        "guard": "valable valide expire partagez communiquez jamais personne divulguez "
        "confidentiel expirera partager ignorez",
        "enter": "avec saisissez entrez utilisez saisir tapez",
        "minutes": "minute minutes heure heures jours jour",
    },
    "es-gl-ast-an": {
        "code": "token código códigos codigu códigu codego codigos clave claves",
        "once": "uso",
        "verify": "verific* confirm* autentic* seguridad seguranza seguridá activación activar "
        "acceso accesu recuper* validación autoriza* identific* sesión registro ingreso",
        "password": "contraseña contraseñas contrasinal contrasinais contraseñal contraseinya",
        "guard": "caduca expira vence válido valido compartas comparta compartes vencerá nadie "
        "caducará vencimiento ninguén compartir naide vixencia",
        "enter": "con introduce ingresa usa utiliza ingrese escribe utilice digite introduza",
        "minutes": "minuto minutos hora horas días dias menutos",
    },
    "ca-oc": {
        "code": "codi codis còdi còdis clau",
        "once": "solet",
        "verify": "verific* confirm* autentic* seguretat activació accés recuper* validacion "
        "autentific* activacion recuperacion",
        "password": "contrasenya contrasenyes senhal",
        "guard": "caduca vàlid comparteixis expira compartiu caducarà caducará ningú degun",
        "enter": "introduïu utilitzeu introdueix utilitza",
        "minutes": "minut minuts hores minutas",
    },
    "pt": {
        "code": "token código códigos chave",
        "once": "descartável único",
        "verify": "verific* confirm* autentic* segurança ativação activação acesso recuper* "
        "validação autoriza* login registo cadastro",
        "password": "senha palavra_passe contra_senha",
        "guard": "expira válido compartilhe partilhe ninguém expirará validade compartilhar",
        "enter": "digite insira utilize informe introduza",
        "minutes": "minuto minutos hora horas dias",
    },
    "it-fur-sc-lij-scn-vec": {
        "code": "codice codici còdixe codiçe còdighe codixe codise codigghiu codiç codiche "
        "còdiche codighe codis codiza",
        "once": "monouso usa_e_getta",
        "verify": "verific* confirm* conferm* autentic* sicurezza attivazione accesso recuper* "
        "convalida autoriza* accedere identific* segurtà seguresse seguràntzia riprestin* "
        "cunfirm* cunferma ricupero atzessu verífica verificatziòne",
        "password": "parola crae chiave",
        "guard": "scade valido validità condividere condividerlo nessuno condivide scadrà "
        "iscadit nisciunu",
        "enter": "inserisci usa utilizza inserire digita impreas usade",
        "minutes": "minuto minuti ore ora giorni minutos menuti menûti minûs minutu",
    },
    "rm": {
        "code": "code codes codesch",
        "verify": "verificaziun* conferma* confermar segirezza activaziun* restauraziun "
        "recuperaziun annunzia autentificaziun",
        "password": "pled_clav",
        "guard": "scada valaivel",
        "minutes": "minutas minuta uras",
    },
    "ro": {
        "code": "cod codul coduri codului",
        "once": "unică unic",
        "verify": "verific* confirm* autentific* securitate activare acces recuper* validare "
        "conectare înregistrare autoriz*",
        "password": "parola parolă parolei",
        "guard": "expiră valabil valid dezvălui divulga nimeni partaja comunica împărtăși nimănui",
        "enter": "introdu introduceți utilizați folosește folosiți utilizează",
        "minutes": "minut minute ore oră zile",
    },
    "ga-gd-cy-br": {
        "code": "cód chód còd chòd cod côd gcód god chod kod gcod",
        "once": "aon_uaire untro",
        "verify": "deimhni* fhíorú fíoru* fíorai* dearbh* dhearbh* gwirio wirio ddilysu dilysu "
        "dilys* cadarnhau gadarnhau gwiriad* slándála tèarainteachd diogelwch adfer adferiad "
        "aisig* aiseag* athshlánú gwiriekaat gwiriañ kadarnaat adtapout dilesadur gnìomhach*",
        "password": "pasfhocal focal cyfrinair gyfrinair facal_faire ger_tremen",
        "guard": "éag falbh rannwch roinn dod termen",
        "minutes": "nóiméad nóim mhionaid mionaid mionaidean munud funud munudau uair uairean "
        "munutenn vunutenn munutoù",
    },
    "ia-eo": {
        "code": "kodo kodon codice kodoj",
        "once": "unufoja unufojan",
        "verify": "verificat* verification konfirm* kontrol* sekur* aliĝo aliĝi aliĝilo restaŭr* "
        "ensalut* recuperation",
        "password": "pasvorto pasvorton contrasigno",
        "guard": "eksvalid* valid* expirara expira finiĝ* ekspir*",
        "enter": "enigu uzu",
        "minutes": "minutoj minutas minutos horoj",
    },
}
