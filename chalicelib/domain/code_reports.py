"""What users say of the codes that we found: kept for review, so that the finder gets better."""

import re
from dataclasses import dataclass, field

from chalicelib.domain.ids import RentalId, UserId
from chalicelib.domain.times import Millis

MOST_CODE = 32

_SMS_ID = re.compile(r"(rent_[0-9A-HJKMNP-TV-Z]{26})\.([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class CodeReport:
    """A code that was found wrong, or not found. `right` is empty where there is none."""

    sms_id: str
    user_id: UserId
    sender: str
    text: str = field(repr=False)
    found: str = field(repr=False)
    right: str = field(repr=False)
    at: Millis


def sms_id(rental_id: RentalId, position: int) -> str:
    """The id of a rental's SMS, the first of which is at position 0: `rent_….1`."""
    return f"{rental_id}.{position + 1}"


def parse_sms_id(text: str) -> tuple[RentalId, int] | None:
    """The rental and the position of an SMS, None if `text` is no such id."""
    match = _SMS_ID.fullmatch(text)
    return (RentalId(match[1]), int(match[2]) - 1) if match else None
