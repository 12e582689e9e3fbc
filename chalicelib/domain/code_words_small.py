"""Words of languages that few services write in: for codes, and for what is not one.

Each language has its code words and its noise words side by side; the notations and the roles
are those of code_words_west.py and code_words_noise.py.
"""

SMALL: dict[str, dict[str, str]] = {
    "nguni-sotho-tswana": {
        "code": "*khodi *khodi* *khowudi* *khoutu* *khodo khoutu nomoro_ya_sephiri khoudu "
        "inombolo_eyimfihlo",
        "once": "yesikhashana lwesikhashana kanye_nje",
        "verify": "*qiniseki* *ngena ngena* *ngeni* netefats* netefad* tiisetso tiisetsa",
        "password": "*phasiwedi* *phasiwothi* *iphasiwedi *phaswedi pasewete phasewete",
        "guard": "ungayi* ungayinikezi ungabelani musa ungaxeleli nabani muntu arolelane motho "
        "ope abelana iphelelwa* siphelelwa phelelwa",
        "enter": "sebenzis* faka fakela ngenisa sebedisa kenya dirisa tsenya usebenzise",
        "label": "*oda i_odolo *odolo ucingo fowunela *akhawunti odara otara",
        "bank": "*bhalansi* *khishiwe *khishwe *khokhiwe tefo",
        "promo": "*saphulelo* *phindiwe mahala wina winile theolelo",
        "notice": "*lethwa* *thunyelwe isikhathi itheko",
        "minutes": "imizuzu amaminithi metsotso",
    },
    "shona-chewa-swahili-rwanda-ganda": {
        "code": "kodhi khodi kodi koodi code_yako kode nambari_ya_siri namba_ya_siri nywila "
        "nambala_yachinsinsi msimbo* omubare",
        "once": "mara_moja ya_muda yenyu_yekusimbisa inshuro_imwe wa_mara_moja",
        "verify": "*simbis* *tsimikiz* kuingia ingia kuthibitisha thibitisha uthibitisho usajili "
        "kusajili *emeza *injira kwinjira *kakasa* *kakas* *yingira kulowa polowera pinda "
        "kupinda",
        "password": "nywila nenosiri neno_la_siri siri pasiwedhi ijambo_banga ijambo_ry_ibanga "
        "mawu_achinsinsi akagambo",
        "guard": "usimwambie usimpe usishirikishe usitoe usishiriki yeyote musaudza ani zvake "
        "ntuyihe ntugire undi muntu togiwa mulala musauze wina_aliyense aliyense itatamatika "
        "inaisha utaisha isiri",
        "enter": "tumia weka ingiza andika shandisa koresha andika_mo kozesa gwiritsani lowetsani",
        "label": "agizo oda akaunti piga simu kwenda tuma_neno kadi tiketi kumbukumbu hamagara "
        "konti itike risiti nambala",
        "bank": "salio umelipa umepokea imetumwa umetuma kiasi asigaye wohereje wakiriye "
        "umewekewa makato deni malipo",
        "promo": "jishindie shinda ushindi zawadi bure punguzo ofa bahati promosheni tsindira "
        "impano mwayi",
        "notice": "miadi kifurushi mzigo kumbusho utoaji kuwasilisha daktari gahunda umuzigo",
        "minutes": "dakika masaa saa iminota isaha maminitsi mphindi edakiika",
    },
    "west-african": {
        "code": "lambar_sirri lambobi kòdù kóòdù koodu koodù koodi kood *koodu kode nọmba "
        "akara_nọmba lambar_tabbatar* lambar_tantance* kodu",
        "once": "sau_daya na_lokaci_guda ẹẹ̀kan igba_kan otu_oge otu_ugboro benn_yoon",
        "verify": "tabbatar* tantance* shiga kunna ìmúdájú ìjẹ́rìísí jẹ́rìísí wọlé wọle ìwọlé "
        "ìfọwọ́sí nkwenye kwenye banye nbanye nyochaa dëggal dëggel firnde goonɗin* seeditaa* "
        "bisa_di hwehwɛ si_so_dua",
        "password": "kalmar_sirri kalmar_wucewa ọrọ_aṣínà ọ̀rọ̀_aṣínà ọrọìpamọ okwuntughe paswọọdụ "
        "okwu_nzuzo baatu_jàll finnde",
        "guard": "kada kowa raba bayyana má_ṣe fi_hàn ẹnikẹ́ni ẹnikẹni ekwela onye gosi "
        "ekekọrịtala bul_ko jox kenn wata hollu",
        "enter": "yi_amfani amfani shigar rubuta fi_sí jiri tinye itinye jëfandikool dugal "
        "naatnu bɔ_mu",
        "label": "asusu* oda lambar_waya kira kan_waya katin àkántì kádì àṣẹ_ọjà akaụntụ kpọọ "
        "iwe_tikeeti",
        "bank": "asusunka an_cire an_tura saura an_biya yọ_ìyókù ìyókù ewepụla fọdụrụ nnyefe",
        "promo": "kyauta rangwame lashe ẹ̀dínwó ọ̀fẹ́ ẹbun mmeri ihe_onyinye mbelata",
        "notice": "odar isarwa jigila alkawari ìpàdé ìfijíṣẹ́ nnyefe_ngwaahịa ọgbakọ",
    },
    "horn-madagascar": {
        "code": "koodhka koodhkaaga koodka lambarka_sirta furaha koodii kaody kaodinao lakile",
        "once": "hal_mar halkii_mar yeroo_tokko indray_mandeha",
        "verify": "xaqiiji* hubin* gelitaanka gasho gelid mirkaneess* seenuuf seensa fanamarina* "
        "hanamarinana hamarino hidirana fidirana",
        "password": "furahaaga erayga_sirta iratii jecha_darbii tenimiafina",
        "guard": "wadaagin cidna sirta siinin eenyuttuu hin_kenninaa zaraina olona omena",
        "enter": "isticmaal geli ku_qor fayyadami galchi ampiasao ampidiro soraty",
        "label": "dalabka xisaabta wac soo_wac kaarka ajaja herrega bilbili kaomandy kaonty antsoy",
        "bank": "haraagaagu haraaga dirtay lacag_bixin hambaa kaffaltii ambiny nandray nandefa "
        "vola",
        "promo": "qiimo_dhimis bilaash abaalmarin badhaasa hir_isa maimaim_poana fihenam",
        "notice": "ballan gaarsiin geejjiba beellama fanaterana fotoana",
        "minutes": "daqiiqo daqiiqadood daqiiqaa minitra",
    },
    "celtic": {
        "code": "gcód chód ngod god_dilysu cod_diogelwch còd chòd boneg kod_kevreañ",
        "once": "untro un_tro defnydd_untro aon_úsáid aonuaire aon_turas ur_wech",
        "verify": "mewngofnodi fewngofnodi ngofnodi chadarnhau cadarnhau ailosod actifadu "
        "gofrestru logáil dheimhniú dhearbhú fíordheimhn* rochtain athshocrú clárú *dearbhadh "
        "*dhearbhaidh logadh a_steach clàradh kevreañ enskrivañ adderaouekaat",
        "password": "gyfrinair chyfrinair pasfhocail facal_faire fhacal_fhaire",
        "guard": "peidiwch rannu rannwch neb chyfrinachol ná_roinn roinn_le duine_ar_bith riamh "
        "den_ebet",
        "enter": "defnyddiwch rhowch teipiwch nodwch úsáid cuir_isteach iontráil clóscríobh "
        "cleachd cuir_a_steach sgrìobh implijit ebarzhit",
        "label": "archeb ffoniwch cyfrif tocyn ystafell ordú t_ordú glaoigh cuntas ticéad seomra "
        "òrdugh fòn urzhiad",
        "bank": "taliad balans iarmhéid íocaíocht debydwyd",
        "promo": "gostyngiad am_ddim ennill lascaine saor_in buaigh lacáiste cynnig",
        "notice": "apwyntiad danfon parsel coinne seachadadh beart dosbarthu ymholiad",
        "minutes": "munud munudau nóiméad nóiméid mionaidean vunutenn",
    },
    "basque-maltese-luxembourgish-icelandic-noise": {
        "label": "eskaera eskaerak eskari kontu txartel deitu erreserba aulkia gela ordni kont "
        "karta ċempel biljett kamra bestellung *nummer uelzen kont_nummer pöntun* *pöntun flug "
        "bókun* sæti herbergi kennitala hringið porositë",
        "kind": "deskontu* kupoi* promozio* afsláttar* *afslátt* skont rabattcode",
        "bank": "saldoa kargua ordainketa_egin ħlas bilanċ færsla innistæða úttekt staða",
        "promo": "deskontu* deskontua doan oparia irabazi eskaintza b_xejn rebaħt offerta rabat "
        "gewannt afslátt* ókeypis vinning* tilboð*",
        "notice": "bidean iritsiko bidalketa paketea hitzordu* appuntament kunsinna konsenja "
        "rendez_vous geliwwert liwwer* tíma* tími afhending* sending* pakki",
        "minutes": "euroko",
    },
    "georgian-armenian-amharic-noise": {
        "label": "შეკვეთა ბილეთ კურიერ ტელეფონ ოთახ ადგილ տոմս սենյակ հեռախոս պատվեր ቲኬት ትእዛዝ "
        "መቀመጫ ቁጥር_ክፍል",
        "bank": "ნაშთ თანხა ჩამოგეჭრ ჩაგერიცხ გადახდ գումար ելքագր մուտքագրվել փոխանց ወጪ ገቢ ተረፍ",
        "promo": "აქცია საჩუქ მოიგ ակցիա նվեր շահել ሽልማት ያሸንፉ",
        "notice": "ვიზიტ მიტანა ჩაბარ კურიერი այց հանդիպում առաքվ ይደርሳል ቀጠሮ መድረሻ",
    },
    "pacific": {
        "code": "waehere tau_whakamana helu fa_ailoga uiga_fufu koti naba",
        "once": "kotahi_te_wā fa_atasi",
        "verify": "manatoko whakaū takiuru fa_amaonia *amaonia hōʻoia ho_oia vakadinadina "
        "fakamo_oni",
        "password": "kupuhipa kupu_huna upu_fa_alilolilo hua_ʻōlelo_huna",
        "guard": "kaua tohaina tangata aua_ne_i_fa_asoa mai_hāʻawi",
        "enter": "whakamahia tāurua fa_aaoga e_hoʻohana",
    },
    "american": {
        "code": "ayvu_ñemi kódigo yupay* yupana kode kòd kódigota tlahtolichtakayotl "
        "código_rehegua",
        "once": "peteĩ_jey huk_kutillapaq",
        "verify": "chiqaqchana* chiqap* yaykunapaq moañete ñemoañete moneĩ jeike verifikasyon "
        "konfimasyon konekte idantifikasyon",
        "password": "ñe_ẽñemi yaykuna_rimay modpas mo_de_pas mo_sekrè",
        "guard": "willaychu pimanpas ani_reme_ẽ avavépe pataje pèsonn bay_okenn sekrè",
        "enter": "eipuru churay llamk_achiy sèvi_ak itilize antre",
        "label": "kòmand rele kont kat tikè",
        "bank": "balans resevwa voye_lajan depo retrè",
        "promo": "rabè pwomosyon kado",
        "notice": "livrezon randevou koli",
    },
    "himalayan-maldivian": {
        "code": "ཨང་གྲངས ཨང་རྟགས གསང་གྲངས གསང་རྟགས ཨང་ཀི ކޯޑު ކޯޑ ނަންބަރު",
        "once": "ཐེངས་གཅིག ވަން_ޓައިމް އެއްފަހަރު",
        "verify": "བདེན་སྦྱོར བདེན་དཔང ར་སྤྲོད ངོས་འཛིན ཐོ་འགོད ནང་འཛུལ ޔަޤީންކު ވެރިފައި ވެރިފިކޭޝަން ލޮގިން",
        "password": "གསང་ཚིག ޕާސްވޯޑް ސިއްރު",
        "guard": "བསྒྲགས་མི གཞན་ལ މަދީ ހިއްސާ ނުކު",
        "bank": "ལྷག་དངུལ ބެލެންސް",
        "minutes": "སྐར་མ མިނިޓް މިނެޓް",
    },
    "minority-romance-slavic-turkic-uralic": {
        "code": "códigu kodeksa koodi koodõ codeg códis codesch còdis codexe codice codiz kodeke "
        "kodi kody kodõ код кодса кодонь кодло",
        "verify": "aniciar verificasión verifichazion verificaziun verificascion confirmassion "
        "autenticassiun indreca acess azess aczès wujimowanje přizjewjenje potwjerdźenje "
        "pótwjerźenje wobkrućacy wobkšuśucy",
        "password": "contrassegn contrasègn hasło",
        "guard": "compartas cumpartas condivìder spartì skada nun_lu nikomu",
        "enter": "dovra dopra òpara utiliza wužij wužiwajśo",
    },
}
