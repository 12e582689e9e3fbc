"""Checks of what no client should send, and of what no answer should be."""

from chalicelib.suppliers.conformance.answers import FailedError, is_documented_error, rejected
from chalicelib.suppliers.conformance.probe import Probe
from chalicelib.suppliers.conformance.target import NUMBERS, RENT, NoAnswerError, Reply, shown

HUGE_BYTES = 2_000_000
"""Far more than four parameters take, and less than what a Lambda is handed."""

_JSON = "application/json"
_MOST_TOLD = 3


def broken_json(probe: Probe) -> str:
    """A body that ends in the middle of its JSON: 4xx."""
    body = probe.target.json_body(country=probe.chosen())[:-1]
    reply = probe.target.post(RENT, body, _JSON)
    rejected(reply, about="JSON without its end")
    return str(reply)


def content_type(probe: Probe) -> str:
    """A body in a format that the protocol does not have: 4xx."""
    body = f"<rentNumber><country>{probe.chosen()}</country></rentNumber>".encode()
    reply = probe.target.post(RENT, body, "application/xml")
    rejected(reply, about="XML")
    return str(reply)


def huge_body(probe: Probe) -> str:
    """A body of two megabytes: 4xx, or hung up on; and the server lives."""
    body = probe.target.json_body(country=probe.chosen(), padding="x" * HUGE_BYTES)
    try:
        reply = probe.target.post(RENT, body, _JSON)
    except NoAnswerError as error:
        if error.reason == "timeout":
            raise
        # Who stops reading and closes may be gone before we could read the refusal.
        probe.target.ask(NUMBERS)
        return "hung up on, and the server goes on"
    rejected(reply, about=f"{HUGE_BYTES} bytes")
    return str(reply)


def no_server_errors(probe: Probe) -> str:
    """No answer of this whole run was a 5xx, but for a 503 that says when to come back."""
    replies = probe.target.replies
    _none(replies, [r for r in replies if r.status >= 500 and not _says_when_to_come_back(r)])
    return f"{len(replies)} answers, none of them"


def json_everywhere(probe: Probe) -> str:
    """Every answer of this whole run was a JSON object, and said so in its content type."""
    replies = probe.target.replies
    _none(replies, [r for r in replies if r.fields is None or r.media_type != _JSON])
    return f"{len(replies)} answers, all of them"


def _says_when_to_come_back(reply: Reply) -> bool:
    busy = reply.status == 503 and is_documented_error(reply)
    return busy and reply.retry_after is not None


def _none(replies: list[Reply], wrong: list[Reply]) -> None:
    if wrong:
        kinds = dict.fromkeys(f"{reply} {shown(reply.media_type)}".strip() for reply in wrong)
        told = "; ".join(list(kinds)[:_MOST_TOLD])
        raise FailedError(f"{len(wrong)} of {len(replies)} answers: {told}")
