import pytest

from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.operators import operator_id
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.stock import FreeNumber
from chalicelib.domain.times import MINUTE, Millis
from chalicelib.errors import InvalidInputError
from chalicelib.services.imports import read_csv
from chalicelib.services.numbers import ImportReport
from chalicelib.stores import catalogue, db, numbers, shards
from chalicelib.stores.catalogue import Operator
from chalicelib.stores.numbers import NumberState
from tests.conftest import Stack
from tests.world import World

FIVE_CENTS = Micros(50_000)
LONDON = "+447700123456"
SAN_FRANCISCO = "+14155552671"


def bring_in(
    stack: Stack, *lines: str, columns: str = "phone_number,operator,price"
) -> ImportReport:
    """Import a file of these lines; the first of them is line 2."""
    rows = read_csv("\n".join([columns, *lines]).encode())
    done: list[None] = []
    report = stack.platform.numbers.import_rows(rows, lambda: done.append(None))
    assert len(done) == len(rows) == report.added + report.unchanged + len(report.bad)
    return report


def operators() -> dict[tuple[str, str], Micros]:
    found, start = catalogue.operators()
    assert start is None
    return {(operator.country, operator.name): operator.price for operator in found}


def everything() -> tuple[object, object]:
    """All that an import writes, but for when the stock was counted."""
    return numbers.page(), catalogue.operators()


def test_numbers_go_in_free_and_counted(stack: Stack) -> None:
    report = bring_in(stack, "+1 (415) 555-2671,AT&T,0.05", "00447700123456,Three,0.06")
    assert (report.added, report.unchanged, report.bad) == (2, 0, [])
    number = numbers.get(E164(SAN_FRANCISCO))
    assert number is not None
    assert (number.state, number.country, number.uses) == (NumberState.FREE, "US", 0)
    assert operators() == {("US", "AT&T"): FIVE_CENTS, ("GB", "Three"): Micros(60_000)}
    listed = stack.platform.catalogue.listing()
    assert [(entry.country, entry.available) for entry in listed] == [("GB", 1), ("US", 1)]


def test_an_import_can_be_rented_from_at_once(stack: Stack, world: World) -> None:
    bring_in(stack, f"{SAN_FRANCISCO},AT&T,0.05")
    assert world.rent(world.user()).phone_number == SAN_FRANCISCO


def test_running_an_import_twice_changes_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"+1415555{at:04d},AT&T,0.05" for at in range(250)] + ["nonsense,AT&T,0.05"]
    first = bring_in(stack, *lines)
    before = everything()
    monkeypatch.setattr(catalogue, "put_operator", None)
    second = bring_in(stack, *lines)
    assert (first.added, first.unchanged) == (250, 0)
    assert (second.added, second.unchanged) == (0, 250)
    assert second.bad == first.bad
    assert everything() == before


def test_an_import_that_broke_off_is_finished_by_the_next(stack: Stack) -> None:
    lines = [f"+1415555{at:04d},AT&T,0.05" for at in range(150)]
    bring_in(stack, *lines[::3])
    report = bring_in(stack, *lines)
    assert (report.added, report.unchanged) == (100, 50)
    assert stack.platform.catalogue.listing("US")[0].available == 150


def test_a_rented_number_stays_as_it_is(stack: Stack, world: World) -> None:
    bring_in(stack, f"{SAN_FRANCISCO},AT&T,0.05")
    rental = world.rent(world.user())
    report = bring_in(stack, f"{SAN_FRANCISCO},Verizon,0.05")
    assert (report.added, report.unchanged) == (0, 1)
    number = numbers.get(rental.phone_number)
    assert number is not None
    assert number.state is NumberState.RENTED


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        (",AT&T,0.05", "phone_number", "an international phone number, such as +14155552671"),
        ("12345,AT&T,0.05", "phone_number", "an international phone number, such as +14155552671"),
        ("+80012345678,AT&T,0.05", "phone_number", "an international phone number"),
        (f"{SAN_FRANCISCO},AT&T,five", "price", "a decimal amount"),
        (f"{SAN_FRANCISCO},AT&T,-1", "price", "a decimal amount"),
        (f"{SAN_FRANCISCO},AT&T,0.0000001", "price", "a decimal amount"),
        (f"{SAN_FRANCISCO},AT&T,", "price", "an amount, as AT&T in US has no price yet"),
        (f"{SAN_FRANCISCO}", "price", "an amount, as Any in US has no price yet"),
        (f"{SAN_FRANCISCO},{'x' * 65},0.05", "operator", "at most 64 printable characters"),
        (f"{SAN_FRANCISCO},A\x07T,0.05", "operator", "at most 64 printable characters"),
        (f"{SAN_FRANCISCO},AT&T,0,05,,", "more cells", "as many cells as there are columns"),
        (f"{SAN_FRANCISCO},AT&T,0.05,twilio,", "account", "a provider together with an account"),
        (f"{SAN_FRANCISCO},AT&T,0.05,,demo", "provider", "a provider together with an account"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_goes_in(
    stack: Stack, line: str, field: str, expected: str
) -> None:
    columns = "phone_number,operator,price,provider,account"
    report = bring_in(stack, f"{LONDON},Three,0.06,,", line, columns=columns)
    assert report.added == 1
    assert [(bad.line, bad.field) for bad in report.bad] == [(3, field)]
    assert report.bad[0].message.startswith(f"{field}: expected {expected}")


def test_bad_rows_are_told_in_order_of_their_lines(stack: Stack) -> None:
    report = bring_in(stack, f"{SAN_FRANCISCO},AT&T,", "bad,AT&T,0.05")
    assert [(bad.line, bad.field) for bad in report.bad] == [(2, "price"), (3, "phone_number")]


def test_lines_are_counted_as_an_editor_does(stack: Stack) -> None:
    report = bring_in(stack, '"one\ntwo",AT&T,0.05', "", "bad,AT&T,0.05")
    assert [bad.line for bad in report.bad] == [3, 5]


def test_a_number_is_bound_to_its_provider_and_account(stack: Stack) -> None:
    columns = "account,price,operator,provider,phone_number"
    bring_in(stack, f"demo,0.05,AT&T,twilio,{SAN_FRANCISCO}", columns=columns)
    number = numbers.get(E164(SAN_FRANCISCO))
    assert number is not None
    assert (number.provider, number.account) == ("twilio", "demo")


def test_the_operator_is_guessed_from_the_prefix_or_is_any(stack: Stack) -> None:
    bring_in(stack, "+447770123456,,0.06", f"{SAN_FRANCISCO},,0.05", "+447400123456, ,0.06")
    assert operators() == {
        ("GB", "Vodafone"): Micros(60_000),
        ("GB", "Three"): Micros(60_000),
        ("US", "Any"): FIVE_CENTS,
    }


def test_an_operator_is_one_whatever_its_case_and_blanks(stack: Stack) -> None:
    bring_in(stack, "+14155552671,T-Mobile  US,0.05", "+14155552672, t-mobile us,0.05")
    bring_in(stack, "+14155552673,T-MOBILE US,")
    assert operators() == {("US", "T-Mobile US"): FIVE_CENTS}
    assert stack.platform.catalogue.listing("US")[0].available == 3


def test_the_first_price_of_an_operator_decides_for_the_file(stack: Stack) -> None:
    report = bring_in(
        stack,
        "+14155552670,AT&T,",
        "+14155552671,AT&T,0.05",
        "+14155552672,at&t,0.06",
        "+14155552673,AT&T,0.050",
        "+447700123456,AT&T,0.07",
    )
    assert report.added == 4
    message = "price: expected 0.05, which line 3 gives to AT&T in US."
    assert report.bad == [(4, "price", message)]
    assert operators() == {("US", "AT&T"): FIVE_CENTS, ("GB", "AT&T"): Micros(70_000)}


def test_a_bad_row_decides_no_price(stack: Stack) -> None:
    report = bring_in(stack, "bad,AT&T,0.01", "+14155552671,AT&T,0.05")
    assert [bad.line for bad in report.bad] == [2]
    assert operators() == {("US", "AT&T"): FIVE_CENTS}


def test_another_file_may_change_the_price_and_an_empty_one_keeps_it(stack: Stack) -> None:
    bring_in(stack, "+14155552671,AT&T,0.05")
    assert bring_in(stack, "+14155552672,AT&T,").added == 1
    assert operators() == {("US", "AT&T"): FIVE_CENTS}
    bring_in(stack, "+14155552671,AT&T,0.06")
    assert operators() == {("US", "AT&T"): Micros(60_000)}
    assert stack.platform.catalogue.listing("US")[0].price == 60_000


def test_a_number_twice_in_a_file_goes_in_once(stack: Stack) -> None:
    report = bring_in(
        stack, "+14155552671,AT&T,0.05", "14155552671,AT&T,", "+1 415 555 2671,Verizon,0.05"
    )
    assert (report.added, report.unchanged) == (1, 1)
    message = "phone_number: expected each number once; line 2 has it with other values."
    assert report.bad == [(4, "phone_number", message)]
    assert ("US", "Verizon") not in operators()


def test_an_operators_id_is_stable_and_its_own() -> None:
    assert operator_id("US", "AT&T", {}) == operator_id("US", " at&t ", {}) == 859675494
    assert operator_id("US", "AT&T", {}) != operator_id("GB", "AT&T", {})
    assert all(0 < operator_id("US", str(at), {}) < 2**31 for at in range(2_000))


def test_an_id_that_another_operator_has_is_passed_over(stack: Stack) -> None:
    wanted = operator_id("US", "AT&T", {})
    catalogue.put_operator(Operator(wanted, "US", "Other", FIVE_CENTS))
    catalogue.put_operator(Operator(wanted + 1, "US", "Another", FIVE_CENTS))
    for number in ("+14155552671", "+14155552672"):
        bring_in(stack, f"{number},AT&T,0.05")
    assert operators() == {
        ("US", "Other"): FIVE_CENTS,
        ("US", "Another"): FIVE_CENTS,
        ("US", "AT&T"): FIVE_CENTS,
    }
    found = numbers.get(E164("+14155552672"))
    assert found is not None
    assert found.operator_id == wanted + 2


class TakenFrom(dict[int, tuple[str, str]]):
    """Every id from a certain one on is another operator's."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first

    def get(self, key: int, default: object = None) -> object:  # type: ignore[override]
        return ("US", "somebody") if key >= self.first else default


def test_after_the_last_id_comes_the_first() -> None:
    name = "x"
    while operator_id("US", name, {}) < 2**31 - 2_000_000:
        name += "x"
    assert operator_id("US", name, TakenFrom(operator_id("US", name, {}))) == 1


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    rows = read_csv(b"\xef\xbb\xbfphone_number, operator,price\r\n+1,\xc3\xa9,\r\n")
    assert rows == [(2, {"phone_number": "+1", "operator": "é", "price": ""})]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "columns"),
        (b"phone_number,operator\n", "columns"),
        (b"phone_number;operator;price\n", "columns"),
        (b"phone_number,operator,price,acount\n", "columns"),
        (b"phone_number,operator,price,price\n", "columns"),
        (b"phone_number,operator,price\n\xff", "encoding"),
        ("phone_number".encode("utf-16"), "encoding"),
        (b'phone_number,operator,price\n"', "format"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(data: bytes, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_csv(data)
    assert caught.value.field == field


def rest(stack: Stack, count: int, *, minutes: int = 0) -> list[E164]:
    """Numbers that rest until `minutes` from now."""
    until = Millis(stack.clock.now + minutes * MINUTE)
    made = [E164(f"+1415{minutes:03d}{at:04d}") for at in range(count)]
    for at, number in enumerate(made):
        numbers.add_all([numbers.NewNumber(number, "US", 1, at, None, None)])
        rental = _rental(number)
        db.transact(number=numbers.rent_step(FreeNumber(number, 0, ()), rental, []))
        db.transact(number=numbers.rest_step(rental, until))
    return made


def _rental(number: E164) -> Rental:
    return Rental(
        rental_id=RentalId(f"rent_{number}"),
        user_id=UserId("somebody"),
        phone_number=number,
        country="US",
        operator_id=1,
        service="",
        price=FIVE_CENTS,
        supplier="stock",
        status=RentalStatus.ACTIVE,
        created_at=Millis(0),
        expires_at=Millis(1),
        cancel_after=0,
        message_count=0,
        messages=(),
    )


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for number in numbers.page(limit=1_000)[0]:
        found[number.state] = found.get(number.state, 0) + 1
    return found


def soon(stack: Stack) -> Millis:
    return Millis(stack.clock.now + MINUTE)


def test_numbers_that_have_rested_are_free_again_and_others_are_not(stack: Stack) -> None:
    rested, resting = rest(stack, 2), rest(stack, 3, minutes=5)
    assert stack.platform.numbers.end_rests(soon(stack)) == 2
    assert {number.phone_number for number in numbers.page()[0] if number.state == "free"} == {
        *rested
    }
    assert numbers.count_free("US#1#0")[0] == 2
    stack.clock.advance(seconds=300)
    assert stack.platform.numbers.end_rests(soon(stack)) == len(resting)
    assert stack.platform.numbers.end_rests(soon(stack)) == 0


def test_more_rests_than_a_page_end_in_one_run(stack: Stack) -> None:
    rest(stack, 230)
    assert stack.platform.numbers.end_rests(soon(stack)) == 230
    assert states() == {"free": 230}


def test_every_shard_is_looked_at(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "REST", 3)
    rest(stack, 30)
    assert stack.platform.numbers.end_rests(soon(stack)) == 30


def test_ending_rests_stops_at_its_deadline(stack: Stack) -> None:
    rest(stack, 3)
    assert stack.platform.numbers.end_rests(stack.clock.now) == 0
    assert states() == {"resting": 3}


def test_ending_rests_stops_in_mid_page_when_its_time_is_over(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(stack, 250)
    shown, end_rest = numbers.rested, numbers.end_rest
    looks: list[str] = []

    def look(shard: str, now: Millis, *, limit: int, start: db.Start = None) -> object:
        looks.append(shard)
        return shown(shard, now, limit=limit, start=start)

    def slowly(number: E164, pool: str, rank: int, now: Millis) -> None:
        stack.clock.advance(seconds=1)
        end_rest(number, pool, rank, now)

    monkeypatch.setattr(numbers, "rested", look)
    monkeypatch.setattr(numbers, "end_rest", slowly)
    assert stack.platform.numbers.end_rests(Millis(stack.clock.now + 150_000)) == 150
    assert len(looks) == 2


def test_ending_rests_passes_over_what_a_lagging_index_still_shows(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(stack, 230)
    shown = numbers.rested
    lagging: list[E164] = []

    def lag(shard: str, now: Millis, *, limit: int, start: db.Start = None) -> object:
        page, following = shown(shard, now, limit=limit, start=start)
        if not lagging:
            for number, pool in page:
                numbers.end_rest(number, pool, 1, now)
                lagging.append(number)
        return page, following

    monkeypatch.setattr(numbers, "rested", lag)
    assert stack.platform.numbers.end_rests(soon(stack)) == 130
    assert len(lagging) == 100
    assert states() == {"free": 230}


def test_a_listing_is_filtered_by_country_and_state(stack: Stack, world: World) -> None:
    bring_in(stack, f"{SAN_FRANCISCO},AT&T,0.05", f"{LONDON},Three,0.06")
    world.rent(world.user(), "GB")

    def listed(country: str | None = None, state: NumberState | None = None) -> list[str]:
        found, start = stack.platform.numbers.page(country=country, state=state)
        assert start is None
        return sorted(number.phone_number for number in found)

    assert listed() == [SAN_FRANCISCO, LONDON]
    assert listed(country="gb") == [LONDON]
    assert listed(state=NumberState.FREE) == [SAN_FRANCISCO]
    assert listed(country="GB", state=NumberState.FREE) == []
    with pytest.raises(InvalidInputError):
        listed(country="XX")
