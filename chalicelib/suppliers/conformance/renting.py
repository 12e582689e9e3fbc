"""Checks of rentNumber: its fields, its parameters, and many at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from threading import Barrier

from chalicelib.domain.times import HOUR, MINUTE, Millis
from chalicelib.suppliers.conformance.answers import (
    NOT_GIVEN,
    FailedError,
    Rental,
    SkippedError,
    expect,
    is_number_of,
    is_text,
    is_whole,
    moment,
    refused,
    rental,
    success,
)
from chalicelib.suppliers.conformance.probe import Probe
from chalicelib.suppliers.conformance.reading import NOWHERE
from chalicelib.suppliers.conformance.target import CANCEL, RENT, NoAnswerError, Reply, shown

LONGEST = 24 * HOUR
SERVICE = "sesame-conformance-check"
_BARRIER_SECONDS = 30


def rent_fields(probe: Probe) -> str:
    """A rental has its four fields, and their types are exact."""
    country = probe.chosen()
    found = probe.rent().fields
    is_number = is_number_of(country)
    expect(found, "number", is_number, f"E.164, with the calling code of {country}")
    expect(found, "rental_id", is_text, "a text of at most 255 characters")
    expect(found, "expires_at", lambda value: moment(value) is not None, "ISO 8601 in UTC")
    expect(found, "country", lambda value: value == country, country)
    return f"{shown(found['number'])} until {shown(found['expires_at'])}"


def rent_json_and_form(probe: Probe) -> str:
    """Both posts take their parameters as JSON and as a form."""
    for form, name in ((False, "JSON"), (True, "a form")):
        try:
            reply = probe.target.ask(RENT, {"country": probe.chosen()}, form=form)
            given = rental(reply)
            success(probe.target.ask(CANCEL, {"rental_id": given.rental_id}, form=form))
        except FailedError as error:
            raise FailedError(f"{name}: {error}") from None
    return "rented and cancelled with each"


def rent_country(probe: Probe) -> str:
    """Without a country, or with one that is none: 400."""
    refused(probe.target.ask(RENT), 400, about="no country")
    for country in ("", NOWHERE):
        refused(probe.target.ask(RENT, {"country": country}), 400, about=f"country={country}")
    return f"400 for none, an empty one and {NOWHERE}"


def rent_service(probe: Probe) -> str:
    """A service that the server never heard of is taken."""
    reply = probe.ask_rent(service=SERVICE)
    if reply.status in NOT_GIVEN:
        probe.rent()  # skips this check if there is no number without a service either
        raise FailedError(f"service={SERVICE}: {reply}; without it a number was given")
    rental(reply)
    return f"service={SERVICE} was given a number"


def expiry(probe: Probe) -> str:
    """A rental ends in the future, and within a day."""
    given = probe.rent()
    left = _expires_at(given) - probe.clock()
    if not 0 < left <= LONGEST:
        seen = shown(given.fields["expires_at"])
        raise FailedError(f"expires_at: expected within 24 h from now, saw {seen}")
    return f"rented for {left / MINUTE:.0f} min"


def idempotency_key(probe: Probe) -> str:
    """The same Idempotency-Key gives the same rental. A server need not know the header."""
    country, headers = {"country": probe.chosen()}, {"Idempotency-Key": f"check-{token_hex(8)}"}
    one = rental(probe.target.ask(RENT, country, headers=headers))
    two = probe.target.ask(RENT, country, headers=headers)
    if not two.is_success() or two.fields is None:
        raise SkippedError(f"not supported: the repeat got {two}")
    if str(two.fields.get("rental_id")) != one.rental_id:
        raise SkippedError("not supported: the repeat got another rental")
    if two.fields.get("number") != one.fields.get("number"):
        raise FailedError("the repeat got the same rental with another number")
    return "the repeat got the same rental"


def concurrent_rents(probe: Probe) -> str:
    """Many rents at one moment, each of another number."""
    count, why = _possible(probe)
    barrier = Barrier(count)

    def ask(_: int) -> Reply | NoAnswerError:
        barrier.wait(_BARRIER_SECONDS)
        try:
            return probe.ask_rent()
        except NoAnswerError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        replies = list(pool.map(ask, range(count)))
    given = [reply.fields for reply in replies if isinstance(reply, Reply) and reply.is_success()]
    for name in ("number", "rental_id"):
        uses = Counter(str((found or {}).get(name)) for found in given)
        twice, times = uses.most_common(1)[0] if uses else ("", 0)
        if times > 1:
            raise FailedError(f"{name} {shown(twice)} was given {times} times")
    refusals = Counter(str(r) for r in replies if not (isinstance(r, Reply) and r.is_success()))
    seen = ", ".join(
        [f"{count} at once{why}: {len(given)} given, all different"]
        + [f"{times} x {refusal}" for refusal, times in refusals.items()]
    )
    if any(isinstance(reply, NoAnswerError) for reply in replies):
        raise FailedError(seen)
    if len(given) < 2:
        raise SkippedError(seen)
    return seen


def _possible(probe: Probe) -> tuple[int, str]:
    """How many to rent at once, and why not more."""
    country = probe.chosen()
    stock = [
        entry["available"]
        for entry in probe.listed(country=country)
        if is_whole(entry.get("available")) and entry.get("country") == country
    ]
    available = max(stock, default=probe.simultaneous)
    if available < 2:
        raise SkippedError(f"{available} in stock in {country}")
    if available < probe.simultaneous:
        return available, " (the whole stock)"
    return probe.simultaneous, ""


def _expires_at(given: Rental) -> Millis:
    found = moment(given.fields.get("expires_at"))
    if found is None:
        raise SkippedError("expires_at can't be read")
    return found
