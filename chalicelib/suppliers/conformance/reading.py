"""Checks that rent little: who is let in, what is listed, whose SMS are shown."""

import re
from secrets import token_hex

from chalicelib.suppliers.conformance.answers import (
    FailedError,
    SkippedError,
    expect,
    is_amount,
    is_country,
    is_documented_error,
    is_text,
    is_whole,
    refused,
    success,
)
from chalicelib.suppliers.conformance.probe import Probe
from chalicelib.suppliers.conformance.target import CANCEL, NUMBERS, RENT, SMS, Endpoint

NOWHERE = "ZZ"
"""No country, and never one: ISO 3166-1 leaves it to its users."""

_TAIL = re.compile(r"[0-9]{1,18}\Z")


def authentication(probe: Probe) -> str:
    """The key opens; without one, and with a wrong one: 401 in an error's shape, everywhere."""
    probe.target.ask(NUMBERS)  # by which a key that opens nothing ends the whole run
    unknown = {"rental_id": _unknown()}
    given: dict[Endpoint, dict[str, str]] = {
        NUMBERS: {},
        RENT: {"country": probe.country or "US"},
        SMS: unknown,
        CANCEL: unknown,
    }
    for about, key in (("no key", None), ("a wrong key", f"wrong_{token_hex(12)}")):
        for endpoint, parameters in given.items():
            reply = probe.target.ask_as(key, endpoint, parameters)
            refused(reply, 401, about=about)
            if not is_documented_error(reply):
                raise FailedError(f"{about}: {reply} without status error, code and message")
    return "401 without a key and with a wrong one, from all four calls"


def numbers_fields(probe: Probe) -> str:
    """Each entry of getNumbers has its four fields, and their types are exact."""
    listed = probe.listed()
    if not listed:
        raise SkippedError("numbers is empty")
    for entry in listed:
        expect(entry, "country", is_country, "an ISO 3166-1 alpha-2 code such as US")
        expect(entry, "country_name", is_text, "a text")
        expect(entry, "available", is_whole, "a whole number, not negative")
        expect(entry, "price_per_sms", is_amount, "a number, not negative")
    return f"{len(listed)} countries"


def country_filter(probe: Probe) -> str:
    """`country` leaves that country alone, in either case; an unknown one is a 400."""
    country = probe.chosen()
    for text in (country, country.lower()):
        found = {str(entry.get("country")).upper() for entry in probe.listed(country=text)}
        if found != {country}:
            seen = ", ".join(sorted(found)[:5]) or "nothing"
            raise FailedError(f"country={text} lists {seen}")
    refused(probe.target.ask(NUMBERS, {"country": NOWHERE}), 400, about=f"country={NOWHERE}")
    return f"{country} and {country.lower()} list {country} alone; {NOWHERE} is refused"


def sms_fields(probe: Probe) -> str:
    """A rental that was just opened has its number and no messages."""
    rental = probe.rent()
    found = success(probe.sms(rental))
    expect(found, "messages", lambda value: isinstance(value, list), "a list")
    if found["messages"]:
        count = len(found["messages"])
        raise FailedError(f"messages: expected none, saw {count} of before the rental")
    number = rental.fields.get("number")
    expect(found, "number", lambda value: value == number, "the number that was rented")
    return "no messages, and the number"


def unknown_rental(probe: Probe) -> str:
    """A rental that never was is a 404, to read and to cancel."""
    for endpoint in (SMS, CANCEL):
        reply = probe.target.ask(endpoint, {"rental_id": _unknown()})
        refused(reply, 404, about="an unknown rental_id")
    return "404 to read and to cancel"


def foreign_rental(probe: Probe) -> str:
    """Somebody else's rental is a 404, as if there were none.

    With another account's key, that account asks for ours. Without one, we ask for ids like ours
    that are not: a server that counts its rentals and shows anybody's is seen by that.
    """
    rental = probe.rent()
    if probe.other_key is None:
        for rental_id in _neighbours(rental.rental_id, probe.target.rented):
            reply = probe.target.ask(SMS, {"rental_id": rental_id})
            refused(reply, 404, about="an id beside that of our rental")
        return "404 for the ids beside ours (--other-key would show it for sure)"
    for endpoint in (SMS, CANCEL):
        reply = probe.target.ask_as(probe.other_key, endpoint, {"rental_id": rental.rental_id})
        if reply.status == 401:
            raise SkippedError(f"the other key is refused: {reply}")
        refused(reply, 404, about="the other account")
    return "404 for another account, to read and to cancel"


def _unknown() -> str:
    return f"unknown_{token_hex(8)}"


def _neighbours(rental_id: str, ours: set[str]) -> list[str]:
    """The nearest ids before and after `rental_id` that are none of `ours`."""
    tail = _TAIL.search(rental_id)
    if tail is None:
        ends = [letter for letter in "ABab" if letter != rental_id[-1]]
        return [found for end in ends if (found := rental_id[:-1] + end) not in ours]
    head, count = rental_id[: tail.start()], tail.group()
    besides: list[str] = []
    for step in (-1, 1):
        for at in range(int(count) + step, int(count) + 1000 * step, step):
            beside = f"{head}{at:0{len(count)}}"
            if at >= 0 and beside not in ours:
                besides.append(beside)
                break
    return besides
