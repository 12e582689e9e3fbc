import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money import LARGEST, UNIT, Micros, decimal, parse_amount
from chalicelib.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.05", 50_000),
        ("0.000001", 1),
        ("1", UNIT),
        (" 12.5 ", 12_500_000),
        ("1e-05", 10),
        ("0.0500000", 50_000),
        ("1000000000", LARGEST),
        ("1000000000.000000", LARGEST),
    ],
)
def test_an_amount_in_decimals_is_whole_micro_units(text: str, amount: int) -> None:
    assert parse_amount(text, field="price") == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "free",
        "0.0000001",
        "0.0500000000000000000000000000000000001",
        "-0.01",
        "1000000000.000001",
        "1e10",
        "1e999999",
        "1e-999999",
        "1e9999999999999999999",
        "nan",
        "sNaN",
        "Infinity",
        "1_000",
        "1,5",
        "٣",
        "$1",
    ],
)
def test_what_is_no_amount_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_amount(text, field="price")
    assert refused.value.field == "price"


@given(st.integers(0, LARGEST))
def test_an_amount_reads_as_it_is_shown(amount: int) -> None:
    assert parse_amount(repr(decimal(Micros(amount))), field="price") == amount
    assert parse_amount(f"{amount // UNIT}.{amount % UNIT:06d}", field="price") == amount


@given(st.text(max_size=12) | st.text("0123456789.-+eE_ ", max_size=12))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text, field="price")
    except InvalidInputError:
        return
    assert isinstance(amount, int)
    assert 0 <= amount <= LARGEST
