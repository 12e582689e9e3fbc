"""Identifiers. All of ours are ULIDs: unique without a counter, and in order of time.

Source: https://github.com/ulid/spec
"""

import re
import secrets
from typing import NewType

from chalicelib.domain.times import Millis

UserId = NewType("UserId", str)
RentalId = NewType("RentalId", str)
EventId = NewType("EventId", str)
DeliveryId = NewType("DeliveryId", str)
EntryId = NewType("EntryId", str)
E164 = NewType("E164", str)
"""A phone number in E.164 form, `+14155552671`."""

RENTAL_PREFIX = "rent_"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_RENTAL_ID = re.compile(r"rent_[0-9A-HJKMNP-TV-Z]{26}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_ulid(now: Millis) -> str:
    """A fresh ULID of the moment `now`: 26 characters of Crockford's base 32."""
    return _written((now << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def ulid_time(ulid: str) -> Millis:
    """The moment of a ULID."""
    moment = 0
    for character in ulid[:10]:
        moment = moment * 32 + _CROCKFORD.index(character)
    return Millis(moment)


def first_ulid(moment: Millis) -> str:
    """The first ULID of a moment: the same for all who ask, so that a repeat can be told."""
    return _written(moment << _RANDOM_BITS)


def new_rental_id(now: Millis) -> RentalId:
    """A fresh rental id: `rent_` and a ULID."""
    return RentalId(RENTAL_PREFIX + new_ulid(now))


def rental_ulid(rental_id: RentalId) -> str:
    """The ULID in a rental id: the cause that its ledger entries are filed under."""
    return rental_id.removeprefix(RENTAL_PREFIX)


def is_rental_id(text: str) -> bool:
    """Whether `text` has the form of a rental id, so that a read could find one."""
    return _RENTAL_ID.fullmatch(text) is not None


def is_ulid(text: str) -> bool:
    """Whether `text` has the form of a ULID."""
    return _ULID.fullmatch(text) is not None


def _written(number: int) -> str:
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -5, -5))
