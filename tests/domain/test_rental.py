from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import E164, UserId, is_rental_id, new_rental_id, new_ulid, rental_ulid
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import Message, Rental, RentalStatus, dump, load
from chalicelib.domain.times import Millis

NOW = Millis(1_700_000_000_000)
END = Millis(NOW + 1_200_000)
MESSAGE = Message("m", "Acme", "code 1234", "1234", "acme", "generic", NOW, paid=True)
RENTAL = Rental(
    rental_id=new_rental_id(NOW),
    user_id=UserId(new_ulid(NOW)),
    phone_number=E164("+14152000000"),
    country="US",
    operator_id=1,
    service="acme",
    price=Micros(50_000),
    supplier="stock",
    status=RentalStatus.ACTIVE,
    created_at=NOW,
    expires_at=END,
    cancel_after=60,
    message_count=0,
    messages=(),
)
ACTIVE, CANCELLED, EXPIRED = RentalStatus.ACTIVE, RentalStatus.CANCELLED, RentalStatus.EXPIRED


@pytest.mark.parametrize(
    ("status", "now", "told"),
    [
        (ACTIVE, NOW, ACTIVE),
        (ACTIVE, END - 1, ACTIVE),
        (ACTIVE, END, EXPIRED),
        (ACTIVE, END + 1, EXPIRED),
        (CANCELLED, NOW, CANCELLED),
        (CANCELLED, END, CANCELLED),
        (EXPIRED, NOW, EXPIRED),
        (EXPIRED, END, EXPIRED),
    ],
)
def test_a_rental_is_over_at_its_end_whether_swept_or_not(
    status: RentalStatus, now: int, told: RentalStatus
) -> None:
    rental = replace(RENTAL, status=status)
    assert rental.status_at(Millis(now)) is told
    assert rental.is_open(Millis(now)) is (told is ACTIVE)


@pytest.mark.parametrize(
    ("status", "age", "can"),
    [
        (ACTIVE, 0, False),
        (ACTIVE, 59_999, False),
        (ACTIVE, 60_000, True),
        (ACTIVE, 1_199_999, True),
        (ACTIVE, 1_200_000, False),
        (CANCELLED, 60_000, False),
        (EXPIRED, 60_000, False),
    ],
)
def test_a_cancel_is_taken_from_cancel_after_until_the_end(
    status: RentalStatus, age: int, can: bool
) -> None:
    assert replace(RENTAL, status=status).can_cancel(Millis(NOW + age)) is can


@pytest.mark.parametrize(("messages", "refund"), [(0, 50_000), (1, 0), (10, 0)])
def test_i5_an_sms_leaves_nothing_to_refund(messages: int, refund: int) -> None:
    assert replace(RENTAL, message_count=messages).refund_due() == refund


def test_unpaid_sms_are_named_by_their_places() -> None:
    paid, unpaid = MESSAGE, replace(MESSAGE, paid=False)
    assert replace(RENTAL, messages=(paid, unpaid, paid, unpaid)).unpaid() == [1, 3]
    assert replace(RENTAL, messages=(paid,)).unpaid() == []


@given(
    text=st.text(),
    code=st.none() | st.text(),
    count=st.integers(0, 3),
    status=st.sampled_from(RentalStatus),
    closed_at=st.none() | st.just(END),
)
def test_i3_an_answer_is_replayed_as_it_was(
    text: str, code: str | None, count: int, status: RentalStatus, closed_at: Millis | None
) -> None:
    message = replace(MESSAGE, text=text, code=code)
    rental = replace(
        RENTAL,
        messages=(message,) * count,
        message_count=count,
        status=status,
        closed_at=closed_at,
        refund=Micros(count),
    )
    assert load(dump(rental)) == rental


def test_rental_ids_are_told_from_other_text_without_a_read() -> None:
    good = RENTAL.rental_id
    assert is_rental_id(good)
    assert good == f"rent_{rental_ulid(good)}"
    for bad in (
        "",
        "rent_",
        good[:-1],
        f"{good}0",
        f"{good}\n",
        good.lower(),
        good[5:],
        f" {good}",
    ):
        assert not is_rental_id(bad)


def test_ids_are_in_the_order_of_their_moments() -> None:
    made = [new_rental_id(Millis(NOW + at)) for at in range(100)]
    assert made == sorted(made)
    assert len({new_rental_id(NOW) for _ in range(1_000)}) == 1_000
