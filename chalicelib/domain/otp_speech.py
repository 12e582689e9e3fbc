"""Words of the languages that codes are spoken in: characters, lengths of time, "again".

A comma after each character makes a voice pause. A full stop would make "4." an ordinal in half
of these languages. Plurals follow CLDR: one, few, many; most languages have no few.
"""

from dataclasses import dataclass

_FALLBACK = "en"
_SPECIALS = "!#$%&?@"
_FEW_BY_LAST_DIGIT = ("pl", "ru")


@dataclass(frozen=True, slots=True)
class _Words:
    """`units` are hour, minute and second, each `one few many`; `specials` those of `!#$%&?@`."""

    again: str
    capital: str
    small: str
    joined: str
    units: tuple[str, str, str]
    specials: tuple[str, ...]


_WORDS = {
    "en": _Words(
        "Again:",
        "capital",
        "small",
        "and",
        ("hour hours hours", "minute minutes minutes", "second seconds seconds"),
        (
            "exclamation mark",
            "hash sign",
            "dollar sign",
            "percent sign",
            "ampersand",
            "question mark",
            "at sign",
        ),
    ),
    "el": _Words(
        "Επαναλαμβάνω:",
        "κεφαλαίο",
        "πεζό",
        "και",
        ("ώρα ώρες ώρες", "λεπτό λεπτά λεπτά", "δευτερόλεπτο δευτερόλεπτα δευτερόλεπτα"),
        ("θαυμαστικό", "δίεση", "δολάριο", "τοις εκατό", "και εμπορικό", "ερωτηματικό", "παπάκι"),
    ),
    "pl": _Words(
        "Powtarzam:",
        "wielka litera",
        "mała litera",
        "i",
        ("godzinę godziny godzin", "minutę minuty minut", "sekundę sekundy sekund"),
        ("wykrzyknik", "krzyżyk", "dolar", "procent", "ampersand", "znak zapytania", "małpa"),
    ),
    "hu": _Words(
        "Ismétlem:",
        "nagy",
        "kis",
        "és",
        ("óra óra óra", "perc perc perc", "másodperc másodperc másodperc"),
        (
            "felkiáltójel",
            "kettőskereszt",
            "dollárjel",
            "százalékjel",
            "és jel",
            "kérdőjel",
            "kukac",
        ),
    ),
    "sv": _Words(
        "Jag upprepar:",
        "stort",
        "litet",
        "och",
        ("timme timmar timmar", "minut minuter minuter", "sekund sekunder sekunder"),
        (
            "utropstecken",
            "nummertecken",
            "dollartecken",
            "procenttecken",
            "och-tecken",
            "frågetecken",
            "snabel-a",
        ),
    ),
    "de": _Words(
        "Ich wiederhole:",
        "groß",
        "klein",
        "und",
        ("Stunde Stunden Stunden", "Minute Minuten Minuten", "Sekunde Sekunden Sekunden"),
        (
            "Ausrufezeichen",
            "Raute",
            "Dollarzeichen",
            "Prozentzeichen",
            "Und-Zeichen",
            "Fragezeichen",
            "At-Zeichen",
        ),
    ),
    "es": _Words(
        "Repito:",
        "mayúscula",
        "minúscula",
        "y",
        ("hora horas horas", "minuto minutos minutos", "segundo segundos segundos"),
        (
            "signo de exclamación",
            "almohadilla",
            "signo de dólar",
            "por ciento",
            "et",
            "signo de interrogación",
            "arroba",
        ),
    ),
    "fr": _Words(
        "Je répète :",
        "majuscule",
        "minuscule",
        "et",
        ("heure heures heures", "minute minutes minutes", "seconde secondes secondes"),
        (
            "point d'exclamation",
            "dièse",
            "dollar",
            "pour cent",
            "esperluette",
            "point d'interrogation",
            "arobase",
        ),
    ),
    "it": _Words(
        "Ripeto:",
        "maiuscola",
        "minuscola",
        "e",
        ("ora ore ore", "minuto minuti minuti", "secondo secondi secondi"),
        (
            "punto esclamativo",
            "cancelletto",
            "dollaro",
            "per cento",
            "e commerciale",
            "punto interrogativo",
            "chiocciola",
        ),
    ),
    "pt": _Words(
        "Repetindo:",
        "maiúscula",
        "minúscula",
        "e",
        ("hora horas horas", "minuto minutos minutos", "segundo segundos segundos"),
        (
            "ponto de exclamação",
            "cerquilha",
            "cifrão",
            "por cento",
            "e comercial",
            "ponto de interrogação",
            "arroba",
        ),
    ),
    "ru": _Words(
        "Повторяю:",
        "заглавная",
        "строчная",
        "и",
        ("час часа часов", "минуту минуты минут", "секунду секунды секунд"),
        (
            "восклицательный знак",
            "решётка",
            "знак доллара",
            "процент",
            "амперсанд",
            "вопросительный знак",
            "собака",
        ),
    ),
}


def spelled(code: str, language: str) -> str:
    """`code` character by character, with a pause after each: `4, capital A, hash sign`."""
    words = _words(language)
    return ", ".join(_character(character, words) for character in code)


def repeated(spoken: str, language: str) -> str:
    """The sentence that says a spelled code once more."""
    return f"{_words(language).again} {spoken}."


def duration(seconds: int, language: str) -> str:
    """A length of time in words, `1 minute and 30 seconds`, as it follows "valid for"."""
    words = _words(language)
    minutes, second = divmod(max(seconds, 0), 60)
    counts = (minutes // 60, minutes % 60, second)
    spoken = [
        f"{count} {_plural(count, forms.split(), language)}"
        for count, forms in zip(counts, words.units, strict=True)
        if count or (forms is words.units[-1] and not any(counts))
    ]
    if len(spoken) == 1:
        return spoken[0]
    return f"{', '.join(spoken[:-1])} {words.joined} {spoken[-1]}"


def _words(language: str) -> _Words:
    return _WORDS.get(language.partition("-")[0].lower(), _WORDS[_FALLBACK])


def _character(character: str, words: _Words) -> str:
    if character in _SPECIALS:
        return words.specials[_SPECIALS.index(character)]
    if character.isupper():
        return f"{words.capital} {character}"
    return f"{words.small} {character}" if character.islower() else character


def _plural(count: int, forms: list[str], language: str) -> str:
    one, few, many = forms
    spoken = language.partition("-")[0].lower()
    if spoken not in _FEW_BY_LAST_DIGIT:
        return one if count == 1 else many
    if count == 1 or (spoken == "ru" and count % 10 == 1 and count % 100 != 11):
        return one
    return few if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else many
