"""Tickets: what is to be sent, how they are shown, what a guess is worth."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import E164, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel, CodeShape, Gender
from chalicelib.domain.ticket import (
    MOST_SENDINGS,
    Judgement,
    Sending,
    SendingState,
    Ticket,
    TicketState,
    Verdict,
    is_worth_resending,
    judge,
)
from chalicelib.domain.times import SECOND, Millis

NOW = Millis(1_700_000_000_000)
ENDS = Millis(NOW + 300 * SECOND)
USER, OTHER = UserId("01HF7YAT00Q6G5BXXZJS9Q8QQA"), UserId("01HF7YAT00X07S21Z7KBZAD02H")
QUEUED, SENT, FAILED = SendingState
WAY, DELIVERED, UNDELIVERED = "on_its_way", "delivered", "undelivered"
SENDING = Sending(
    sending_id="01HF7YAT00RXY7WQ8J8M2V3N4P",
    at=NOW,
    channel=Channel.SMS,
    sender="",
    text="Your {code}",
    language="en-US",
    gender=Gender.FEMALE,
    segments=1,
    price=Micros(40_000),
)
TICKET = Ticket(
    token="otp_token",
    ticket_number="01HF7YAT00Q6G5BXXZJS9Q8QQA",
    user_id=USER,
    phone_number=E164("+14155552671"),
    country="US",
    shape=CodeShape(6, "0123456789"),
    digest="right",
    recipient_ip="",
    max_attempts=5,
    created_at=NOW,
    expires_at=ENDS,
    voice_after=30,
    tells=(),
    sendings=(SENDING,),
)


def sending(state: SendingState, channel: Channel = Channel.SMS, at: int = NOW) -> Sending:
    sent_at = Millis(at) if state is SENT else None
    return replace(SENDING, state=state, channel=channel, sent_at=sent_at)


def ticket(*states: SendingState, **fields: object) -> Ticket:
    return replace(TICKET, sendings=tuple(map(sending, states)), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("states", "position"),
    [
        ((QUEUED,), 0),
        ((SENT,), None),
        ((FAILED,), None),
        ((SENT, QUEUED), 1),
        ((FAILED, SENT, QUEUED, QUEUED), 2),
        ((QUEUED, SENT), 0),
    ],
)
def test_the_first_that_waits_is_sent_next(
    states: tuple[SendingState, ...], position: int | None
) -> None:
    assert ticket(*states).next_sending() == position


@pytest.mark.parametrize(
    ("fields", "live"),
    [
        ({}, True),
        ({"attempts": 4, "last_guess": "wrong"}, True),
        ({"attempts": 5, "last_guess": "wrong"}, False),
        ({"attempts": 1, "last_guess": "right"}, False),
        ({"expires_at": NOW}, False),
        ({"expires_at": Millis(NOW + 1)}, True),
    ],
    ids=repr,
)
def test_a_ticket_is_live_while_the_right_code_would_validate(
    fields: dict[str, object], live: bool
) -> None:
    found = ticket(SENT, **fields)
    assert found.is_live(NOW) is live
    assert found.is_used is (fields.get("last_guess") == "right")


STATES = [
    ((QUEUED,), [[]], {}, TicketState.QUEUED),
    ((SENT,), [[]], {}, TicketState.SENT),
    ((SENT,), [[WAY]], {}, TicketState.SENT),
    ((SENT,), [[WAY, DELIVERED]], {}, TicketState.DELIVERED),
    ((SENT,), [[WAY, UNDELIVERED]], {}, TicketState.UNDELIVERED),
    ((SENT,), [[DELIVERED, UNDELIVERED]], {}, TicketState.DELIVERED),
    ((FAILED,), [[]], {}, TicketState.FAILED),
    ((FAILED, FAILED), [[], []], {}, TicketState.FAILED),
    ((FAILED, QUEUED), [[], []], {}, TicketState.QUEUED),
    ((FAILED, SENT), [[], []], {}, TicketState.SENT),
    ((SENT, FAILED), [[], []], {}, TicketState.SENT),
    ((SENT, QUEUED), [[], []], {}, TicketState.SENT),
    ((SENT, SENT), [[DELIVERED], []], {}, TicketState.DELIVERED),
    ((SENT, SENT), [[DELIVERED], [UNDELIVERED]], {}, TicketState.DELIVERED),
    ((SENT, SENT), [[UNDELIVERED], [WAY]], {}, TicketState.SENT),
    # Nothing was heard of the later one: that the earlier did not arrive says nothing of it.
    ((SENT, SENT), [[UNDELIVERED], []], {}, TicketState.SENT),
    ((SENT, SENT), [[UNDELIVERED], [UNDELIVERED]], {}, TicketState.UNDELIVERED),
    ((SENT, FAILED), [[UNDELIVERED], []], {}, TicketState.UNDELIVERED),
    ((SENT,), [[DELIVERED]], {"expires_at": NOW}, TicketState.EXPIRED),
    ((FAILED,), [[]], {"expires_at": NOW}, TicketState.FAILED),
    ((SENT,), [[DELIVERED]], {"attempts": 5}, TicketState.LOCKED),
    ((SENT,), [[]], {"attempts": 5, "expires_at": NOW}, TicketState.EXPIRED),
    ((FAILED,), [[]], {"last_guess": "right"}, TicketState.VALIDATED),
    ((SENT,), [[]], {"last_guess": "right", "expires_at": NOW}, TicketState.VALIDATED),
    ((SENT,), [[]], {"last_guess": "right", "attempts": 5}, TicketState.VALIDATED),
]


@pytest.mark.parametrize(("states", "said", "fields", "state"), STATES, ids=repr)
def test_how_a_ticket_is_shown(
    states: tuple[SendingState, ...],
    said: list[list[str]],
    fields: dict[str, object],
    state: TicketState,
) -> None:
    assert ticket(*states, **fields).state_at(NOW, said) is state


@pytest.mark.parametrize(
    ("last", "fields", "due"),
    [
        (sending(SENT), {}, NOW + 30 * SECOND),
        (sending(SENT, at=NOW + 9), {}, NOW + 9 + 30 * SECOND),
        (sending(SENT), {"voice_after": 0}, None),
        (sending(SENT, Channel.VOICE), {}, None),
        (sending(QUEUED), {}, None),
        (sending(FAILED), {}, None),
        (sending(SENT), {"expires_at": NOW + 30 * SECOND}, None),
        (sending(SENT), {"expires_at": NOW + 30 * SECOND + 1}, NOW + 30 * SECOND),
        (sending(SENT), {"voice_after": 600}, None),
    ],
    ids=repr,
)
def test_when_an_sms_is_followed_by_a_call(
    last: Sending, fields: dict[str, object], due: int | None
) -> None:
    found = replace(TICKET, sendings=(sending(SENT), last), **fields)  # type: ignore[arg-type]
    assert found.call_due_at() == due


def test_no_call_is_one_too_many() -> None:
    assert ticket(*[SENT] * (MOST_SENDINGS - 1)).call_due_at() is not None
    assert ticket(*[SENT] * MOST_SENDINGS).call_due_at() is None


@pytest.mark.parametrize(
    ("seconds", "left", "worth"),
    [
        (300, 300, True),
        (300, 60, True),
        (300, 59.999, False),
        (300, 0, False),
        (300, -1, False),
        (60, 30, True),
        (60, 29.999, False),
        (100, 50, True),
        (120, 60, True),
        (3_600, 60, True),
    ],
)
def test_a_code_is_sent_again_while_it_is_valid_for_long_enough(
    seconds: int, left: float, worth: bool
) -> None:
    ends = Millis(NOW + seconds * SECOND)
    assert is_worth_resending(NOW, ends, Millis(round(ends - left * SECOND))) is worth


@given(st.integers(1, 3_600), st.integers(0, 4_000_000))
def test_no_expired_code_is_sent_again(seconds: int, after: int) -> None:
    ends = Millis(NOW + seconds * SECOND)
    assert is_worth_resending(NOW, ends, NOW)
    assert not is_worth_resending(NOW, ends, Millis(ends + after))


def test_what_a_guess_is_worth_when_it_was_compared() -> None:
    right = ticket(SENT, attempts=1, last_guess="right")
    assert judge(right, "right", USER, NOW, counted=True) == Judgement(Verdict.SUCCESS)
    for attempts in range(1, 6):
        wrong = ticket(SENT, attempts=attempts, last_guess="wrong")
        found = judge(wrong, "wrong", USER, NOW, counted=True)
        assert found == Judgement(Verdict.WRONG_CODE, 5 - attempts)


def test_nobody_elses_ticket_is_found() -> None:
    for counted in (True, False):
        assert judge(TICKET, "right", OTHER, NOW, counted=counted).verdict is Verdict.NOT_FOUND
        assert judge(None, "right", USER, NOW, counted=counted).verdict is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    ("used", "expired", "locked"), [each for each in product((True, False), repeat=3) if any(each)]
)
def test_of_several_reasons_used_comes_before_expired_and_that_before_too_many(
    used: bool, expired: bool, locked: bool
) -> None:
    found = ticket(
        SENT,
        last_guess="right" if used else "wrong",
        expires_at=NOW if expired else ENDS,
        attempts=5 if locked else 1,
    )
    wanted = Verdict.NOT_FOUND if used else Verdict.EXPIRED if expired else Verdict.ATTEMPTS_REACHED
    for guess in ("right", "wrong"):
        assert judge(found, guess, USER, NOW, counted=False) == Judgement(wanted)


def test_the_verdicts_are_the_numbers_of_spec_c() -> None:
    assert [int(verdict) for verdict in Verdict] == [0, 194, 195, 196, 197, 198, 199]


def test_i8_a_ticket_is_printed_without_what_opens_it() -> None:
    said = repr(ticket(SENT, last_guess="guess-digest", voice_text="say {code}"))
    for secret in ("otp_token", "right", "guess-digest", "Your {code}", "say {code}"):
        assert secret not in said
