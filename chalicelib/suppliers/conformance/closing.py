"""Checks of how a rental ends: cancelled, cancelled twice, expired."""

from chalicelib.domain.times import SECOND
from chalicelib.suppliers.conformance.answers import (
    FailedError,
    SkippedError,
    expect,
    is_amount,
    is_documented_error,
    is_text,
    moment,
    success,
)
from chalicelib.suppliers.conformance.probe import Probe
from chalicelib.suppliers.conformance.renting import LONGEST
from chalicelib.suppliers.conformance.target import CANCEL, Reply, shown

MARGIN = 5 * SECOND
"""How near to its end a rental is looked at: clocks differ."""


def cancel_fields(probe: Probe) -> str:
    """A cancel has its three fields, and their types are exact."""
    rental = probe.rent()
    found = success(probe.cancel(rental))
    expect(found, "message", is_text, "a text")
    # As a text: whether rental_id is one is judged where it was given.
    expect(found, "rental_id", lambda value: str(value) == rental.rental_id, "the rental's")
    expect(found, "refund_amount", is_amount, "a number, not negative")
    return f"refund_amount {shown(found['refund_amount'])}"


def cancel_twice(probe: Probe) -> str:
    """A repeated cancel gets the first one's answer or an error, and never a second refund.

    A refund is seen by `refund_amount` alone: the same one again counts as the first answer, any
    other but nothing as a second refund.
    """
    rental = probe.rent()
    first = success(probe.cancel(rental)).get("refund_amount")
    seen = []
    for _ in range(2):
        repeat = probe.target.ask(CANCEL, {"rental_id": rental.rental_id})
        if repeat.status >= 400:
            if not 400 <= repeat.status < 500 or not is_documented_error(repeat):
                raise FailedError(f"the repeat: {repeat}; expected success or an error's shape")
            seen.append(str(repeat.status))
            continue
        again = success(repeat).get("refund_amount")
        if again not in (first, 0):
            raise FailedError(f"refund_amount {shown(first)}, and {shown(again)} the second time")
        seen.append(f"refund_amount {shown(again)}")
    return f"refund_amount {shown(first)}; repeated: {', '.join(seen)}"


def sms_after_cancel(probe: Probe) -> str:
    """The SMS of a cancelled rental can be asked for: an answer or a refusal, no accident."""
    rental = probe.rent()
    success(probe.cancel(rental))
    reply = probe.sms(rental)
    _no_accident(reply, "after the cancel")
    return str(reply)


def expiry_waited(probe: Probe) -> str:
    """A rental lasts until it expires, and is over then. Waits for that."""
    rental = probe.rent()
    ends = moment(rental.fields.get("expires_at"))
    if ends is None or ends - probe.clock() > LONGEST:
        raise SkippedError("expires_at can't be waited for")
    probe.sleep(max(0, ends - MARGIN - probe.clock()) / SECOND)
    if probe.clock() < ends:
        success(probe.sms(rental))
    probe.sleep(max(0, ends + MARGIN - probe.clock()) / SECOND)
    probe.target.forget(rental.rental_id)
    shown_after, cancelled = (
        probe.sms(rental),
        probe.target.ask(CANCEL, {"rental_id": rental.rental_id}),
    )
    for reply in (shown_after, cancelled):
        _no_accident(reply, "after its end")
    return f"open to its end; after it {shown_after}, {cancelled}"


def _no_accident(reply: Reply, when: str) -> None:
    if reply.status >= 500:
        raise FailedError(f"{when}: {reply}")
