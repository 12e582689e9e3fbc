"""Demo data: a user with money and a key, and numbers of five countries.

The numbers lie in ranges that their countries keep for fiction, so that they are nobody's.
"""

from collections.abc import Collection, Iterator, Mapping

from chalicelib.bootstrap import Platform
from chalicelib.domain.money import UNIT, Micros
from chalicelib.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from local.errors import LocalRunError

LOGIN = "demo"
BALANCE = Micros(100 * UNIT)

# Country, first number, how many, operator, price of an SMS.
RANGES = (
    ("US", "+14155550100", 60, "Pacific Mobile", "0.05"),
    ("US", "+12125550100", 40, "Atlantic Wireless", "0.06"),
    ("GB", "+447700900000", 60, "Albion Mobile", "0.06"),
    ("DE", "+491713920000", 50, "Nordlicht", "0.08"),
    ("FR", "+33639980000", 50, "Lumière", "0.07"),
    ("SE", "+46701740605", 40, "Polstjärnan", "0.045"),
)

OTP = {"countries": sorted({row[0] for row in RANGES}), "default_country": "US"}


def seed(platform: Platform, countries: Collection[str] = ()) -> tuple[str, str]:
    """Put in what is missing of the demo data; the demo user's id and a fresh key, in clear.

    Numbers only of `countries` (alpha-2), of all five if none is named. A seeding that broke off
    is simply done again. Raises SesameError, LocalRunError.
    """
    accounts = platform.accounts
    try:
        user = accounts.find(LOGIN)
    except NotFoundError:
        user = accounts.create(LOGIN, "Demo user")
    if not user.otp:
        platform.otp_accounts.change(user.user_id, OTP)
    accounts.approve(user.user_id)
    if not user.balance and not user.rentals_total:
        platform.administration.credit(user.user_id, BALANCE, "demo credit")
    for key in platform.key_ring.live(user.user_id):
        if key.label == LOGIN:
            platform.key_ring.revoke(user.user_id, key.prefix)
    report = platform.numbers.import_rows(enumerate(_rows(countries), start=2))
    if report.bad:
        raise LocalRunError(f"The demo numbers could not be imported: {report.bad[0]}")
    return user.user_id, platform.key_ring.issue(user.user_id, LOGIN).text


def is_key(platform: Platform, text: str) -> bool:
    """Whether `text` is a live key of the stack: it is not if the state was lost since."""
    try:
        platform.accounts.authenticate(text)
    except UnauthenticatedError:
        return False
    except ForbiddenError:
        return True  # and its user was closed or put out: that is not for us to undo
    return True


def _rows(countries: Collection[str]) -> Iterator[Mapping[str, str]]:
    for country, first, count, operator, price in RANGES:
        if not countries or country in countries:
            for number in range(int(first), int(first) + count):
                yield {"phone_number": f"+{number}", "operator": operator, "price": price}
