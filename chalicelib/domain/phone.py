"""Phone numbers in E.164, by Google's metadata (`phonenumbers`, imported when first needed)."""

import re
from enum import StrEnum
from functools import lru_cache

from chalicelib.domain.ids import E164

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")


class NumberFormat(StrEnum):
    """How a user wants numbers written. Source: spec A."""

    FULL = "full"
    NATIONAL = "national"
    REMOVE_PLUS = "remove_plus"


def written(number: E164, form: NumberFormat) -> str:
    """`number` as `+14155552671`, as `(415) 555-2671` or as `14155552671`."""
    if form is NumberFormat.FULL:
        return number
    if form is NumberFormat.REMOVE_PLUS:
        return number.removeprefix("+")
    import phonenumbers

    national = phonenumbers.PhoneNumberFormat.NATIONAL
    return str(phonenumbers.format_number(phonenumbers.parse(number), national))


@lru_cache(maxsize=4096)
def normalise(text: str) -> E164 | None:
    """The E.164 form of an international number however it is written, else None.

    Carriers write one number as `+14155552671`, `14155552671` or `0014155552671`. Only a
    number that is possible for its country is one: a short code or a name is not.
    """
    digits = _SEPARATORS.sub("", text)
    if not digits.isascii() or not digits.removeprefix("+").isdigit():
        return None
    number = "+" + digits.removeprefix("+").removeprefix("00")
    if _E164.fullmatch(number) is None:
        return None
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return E164(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def country_of(number: E164) -> str | None:
    """The ISO 3166-1 alpha-2 code of the country that `number` belongs to, else None.

    A number that is possible but not allotted counts for its calling code's main country.
    """
    import phonenumbers

    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return str(region) if region.isalpha() and region != "ZZ" else None


def carrier_of(number: E164) -> str | None:
    """The mobile operator that `number` was allotted to, if its prefix is known, else None."""
    import phonenumbers
    from phonenumbers import carrier

    return carrier.name_for_number(phonenumbers.parse(number), "en") or None


def calling_code(country: str) -> str:
    """The digits that an international call to `country` (alpha-2) begins with, `44`."""
    import phonenumbers

    return str(phonenumbers.country_code_for_region(country))


def is_costly(number: E164) -> bool:
    """Whether who sends to `number` pays its holder: premium-rate and shared-cost numbers."""
    import phonenumbers

    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return kind in (kinds.PREMIUM_RATE, kinds.SHARED_COST)
