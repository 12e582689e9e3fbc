"""Long SMS: their parts joined in whatever order they come, once, by whoever brings the last."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.rental import Rental
from chalicelib.domain.times import SECOND
from chalicelib.domain.user import User
from chalicelib.providers.contract import MOST_TEXT, InboundSms, Part
from chalicelib.services.parts import JOINED_WITHIN, LATE_WITHIN, MOST_PARTS, MOST_TURNS
from chalicelib.stores import parts as stores
from chalicelib.stores.inbound import Fate
from tests.wire import TRANSACT, conflict, tapped
from tests.world import World, together

TEXTS = ("Your Acme code is 4829", "13. It is valid for ten minutes", " and for you alone.")
WHOLE = "".join(TEXTS)
_groups = itertools.count()


@pytest.fixture
def user(world: World) -> User:
    world.stock(2)
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    return world.rent(user)


def part(
    world: World, to: str, number: int, *, group: str = "7", total: int = 3, **changes: str
) -> InboundSms:
    sms = InboundSms(
        message_id=f"{group}-{number}",
        sender="Acme",
        to=to,
        text=TEXTS[number - 1] if total == len(TEXTS) and number <= total else f"<{number}>",
        received_at=world.stack.clock.now,
        part=Part(group, number, total),
    )
    return replace(sms, **changes)  # type: ignore[arg-type]


def whole(world: World, rental: Rental, name: str) -> list[InboundSms]:
    """The three parts of an SMS, all of one group whatever its name."""
    return [
        part(world, rental.phone_number, n, text=f"{name}{n}", message_id=f"{name}-{n}")
        for n in (1, 2, 3)
    ]


def post(world: World, *parts: InboundSms) -> list[Fate]:
    return [world.stack.platform.inbound.receive("generic", "demo", each) for each in parts]


def texts(world: World, rental: Rental) -> list[str]:
    return [message.text for message in world.rental(rental).messages]


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_parts_are_joined_in_any_order(
    world: World, user: User, rental: Rental, order: tuple[int, ...]
) -> None:
    fates = post(world, *(part(world, rental.phone_number, number) for number in order))
    assert fates == [Fate.PARTIAL, Fate.PARTIAL, Fate.MATCHED]
    (message,) = world.rental(rental).messages
    assert (message.text, message.code) == (WHOLE, "482913")
    (event,) = world.events(user)
    assert event.type == "otp_received"
    world.assert_i2(user)


def test_nothing_is_shown_before_the_last_part(world: World, user: User, rental: Rental) -> None:
    post(world, part(world, rental.phone_number, 1), part(world, rental.phone_number, 3))
    assert texts(world, rental) == []
    assert world.events(user) == []


def test_repeats_of_parts_change_nothing(world: World, user: User, rental: Rental) -> None:
    parts = [part(world, rental.phone_number, number) for number in (3, 3, 1, 1, 2, 2, 3, 1)]
    fates = post(world, *parts)
    assert fates[:4] == [Fate.PARTIAL] * 4
    assert fates[4:] == [Fate.MATCHED] * 4
    assert texts(world, rental) == [WHOLE]
    assert len(world.events(user)) == 1


def test_many_lambdas_with_all_parts_at_once_join_them_once(
    world: World, user: User, rental: Rental
) -> None:
    parts = [part(world, rental.phone_number, number) for number in (1, 2, 3)] * 4
    lambdas = [world.elsewhere() for _ in parts]
    together(
        *(
            lambda sms=sms, there=there: there.inbound.receive("generic", "demo", sms)
            for sms, there in zip(parts, lambdas, strict=True)
        )
    )
    assert texts(world, rental) == [WHOLE]
    assert len(world.events(user)) == 1
    world.assert_i2(user)


def test_a_missing_part_is_marked_after_a_while(world: World, rental: Rental) -> None:
    post(world, part(world, rental.phone_number, 1), part(world, rental.phone_number, 3))
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND - 1)
    world.stack.platform.jobs.join_parts()
    assert texts(world, rental) == []
    world.stack.clock.advance(seconds=1)
    world.stack.platform.jobs.join_parts()
    world.stack.platform.jobs.join_parts()
    assert texts(world, rental) == [TEXTS[0] + "[part 2 of 3 is missing]" + TEXTS[2]]


def test_a_part_that_comes_after_that_is_an_sms_of_its_own(world: World, rental: Rental) -> None:
    post(world, part(world, rental.phone_number, 1), part(world, rental.phone_number, 3))
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    late = part(world, rental.phone_number, 2)
    assert post(world, late, late)[0] is Fate.MATCHED
    assert texts(world, rental)[1:] == [TEXTS[1]]


@pytest.mark.parametrize("waited", [0, LATE_WITHIN / SECOND])
def test_a_group_that_comes_again_is_another_sms(
    world: World, user: User, rental: Rental, waited: float
) -> None:
    first = whole(world, rental, "a")
    post(world, *first)
    world.stack.clock.advance(seconds=waited)
    second = whole(world, rental, "b")
    assert post(world, *second) == [Fate.PARTIAL, Fate.PARTIAL, Fate.MATCHED]
    assert texts(world, rental) == ["a1a2a3", "b1b2b3"]
    # Repeats of either are known, however late they come.
    world.stack.clock.advance(seconds=waited)
    post(world, *first, *second)
    assert texts(world, rental) == ["a1a2a3", "b1b2b3"]
    assert len(world.events(user)) == 2


def test_a_part_whose_number_is_there_is_another_sms(
    world: World, user: User, rental: Rental
) -> None:
    first, second = whole(world, rental, "a"), whole(world, rental, "b")
    post(world, first[0], first[1], second[0], second[1])
    assert post(world, first[2], second[2]) == [Fate.MATCHED, Fate.MATCHED]
    assert texts(world, rental) == ["a1a2a3", "b1b2b3"]


def test_i4_no_part_is_lost_though_two_sms_share_a_group_and_parts_are_missing(
    world: World, rental: Rental
) -> None:
    first, second = whole(world, rental, "a"), whole(world, rental, "b")
    post(world, first[0], second[0], second[1], first[1])
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    found = "".join(texts(world, rental))
    assert {piece: found.count(piece) for piece in ("a1", "a2", "b1", "b2")} == dict.fromkeys(
        ("a1", "a2", "b1", "b2"), 1
    )


def test_the_next_sms_of_a_group_that_was_joined_without_a_part_is_whole(
    world: World, rental: Rental
) -> None:
    first, second = whole(world, rental, "a"), whole(world, rental, "b")
    post(world, first[0], first[1])
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    post(world, *second)
    assert texts(world, rental) == ["a1a2[part 3 of 3 is missing]", "b1b2b3"]


def test_i4_a_late_part_is_stored_once_however_late_it_is_repeated(
    world: World, user: User, rental: Rental
) -> None:
    parts = whole(world, rental, "a")
    post(world, parts[0], parts[2])
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    post(world, parts[1])
    world.stack.clock.advance(seconds=LATE_WITHIN / SECOND)
    post(world, parts[1], parts[0])
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    assert texts(world, rental) == ["a1[part 2 of 3 is missing]a3", "a2"]
    assert len(world.events(user)) == 2


def test_i4_more_sms_of_one_group_than_are_told_apart_come_part_by_part(
    world: World, rental: Rental
) -> None:
    names = [f"n{at}-" for at in range(MOST_TURNS)]
    for name in names:
        post(world, *whole(world, rental, name))
    assert texts(world, rental) == [f"{name}1{name}2{name}3" for name in names]
    assert post(world, whole(world, rental, "over-")[0]) == [Fate.MATCHED]
    assert texts(world, rental)[MOST_TURNS:] == ["over-1"]


def test_what_stands_in_a_sender_or_a_number_joins_no_other_sms(
    world: World, rental: Rental
) -> None:
    number = rental.phone_number
    one = part(world, f"b\0{number}", 1, total=2, sender="a", message_id="one")
    other = part(world, number, 2, total=2, sender="a\0b", message_id="other")
    assert post(world, one, other) == [Fate.PARTIAL, Fate.PARTIAL]
    assert texts(world, rental) == []


def test_parts_of_other_senders_recipients_accounts_and_totals_are_other_sms(
    world: World, user: User, rental: Rental
) -> None:
    other = world.rent(user)
    number = rental.phone_number
    post(
        world,
        part(world, number, 1),
        part(world, number, 2, sender="Other"),
        part(world, other.phone_number, 2),
        part(world, number, 2, group="8"),
        part(world, number, 3, total=4),
    )
    world.stack.platform.inbound.receive("generic", "second", part(world, number, 2))
    post(world, part(world, number, 3))
    assert texts(world, rental) == texts(world, other) == []


@pytest.mark.parametrize(
    ("number", "total"), [(0, 3), (4, 3), (1, 1), (-1, 2), (1, MOST_PARTS + 1), (2, 255)]
)
def test_parts_that_make_no_sense_are_sms_of_their_own(
    world: World, rental: Rental, number: int, total: int
) -> None:
    sms = replace(part(world, rental.phone_number, 1), part=Part("7", number, total))
    assert post(world, sms) == [Fate.MATCHED]
    assert texts(world, rental) == [TEXTS[0]]


def test_a_part_that_is_longer_than_its_share_is_an_sms_of_its_own(
    world: World, rental: Rental
) -> None:
    share = MOST_TEXT // 3
    within = [part(world, rental.phone_number, n, text="x" * share) for n in (1, 2, 3)]
    post(world, *within)
    long = part(world, rental.phone_number, 1, group="8", text="y" * (share + 1))
    assert post(world, long) == [Fate.MATCHED]
    assert [len(text) for text in texts(world, rental)] == [3 * share, share + 1]


def test_i4_the_longest_sms_in_the_most_parts_is_joined(world: World, rental: Rental) -> None:
    share = MOST_TEXT // MOST_PARTS
    parts = [
        part(world, rental.phone_number, n, total=MOST_PARTS, text="\U0001f600" * share)
        for n in range(1, MOST_PARTS + 1)
    ]
    long_ids = [replace(each, message_id=f"{each.message_id:é>200}") for each in parts]
    assert post(world, *long_ids)[-1] is Fate.MATCHED
    assert texts(world, rental) == ["\U0001f600" * share * MOST_PARTS]


def test_parts_for_a_number_that_nobody_rents_become_one_sms_for_the_admin(world: World) -> None:
    (number,) = world.stock(1)
    assert post(world, *(part(world, number, n) for n in (2, 1, 3)))[-1] is Fate.NO_RENTAL
    found, _ = world.stack.platform.administration.unclaimed(None, None, limit=10)
    assert [sms.text for sms in found] == [WHOLE]


@pytest.mark.parametrize("lost", ["reading", "writing"])
def test_i4_who_dies_before_joining_leaves_it_to_a_repeat(
    world: World, user: User, rental: Rental, lost: str
) -> None:
    number = rental.phone_number
    post(world, part(world, number, 1), part(world, number, 2))
    with tapped() as wire:
        wire.only = "GetItem" if lost == "reading" else TRANSACT
        wire.faults = [died]
        with pytest.raises(SystemExit):
            post(world, part(world, number, 3))
    assert texts(world, rental) == []
    assert post(world, part(world, number, 3)) == [Fate.MATCHED]
    assert texts(world, rental) == [WHOLE]
    assert len(world.events(user)) == 1


def test_i4_who_dies_before_joining_leaves_it_to_the_sweep(world: World, rental: Rental) -> None:
    number = rental.phone_number
    post(world, part(world, number, 1), part(world, number, 2))
    with tapped() as wire:
        wire.only, wire.faults = TRANSACT, [died]
        with pytest.raises(SystemExit):
            post(world, part(world, number, 3))
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    assert texts(world, rental) == [WHOLE]


def test_i4_what_was_joined_is_not_joined_again_though_nobody_noted_it(
    world: World, user: User, rental: Rental
) -> None:
    number = rental.phone_number
    post(world, part(world, number, 1), part(world, number, 2))
    with tapped() as wire:
        wire.only = "UpdateItem"
        wire.faults = [lambda _: None, died]
        with pytest.raises(SystemExit):
            post(world, part(world, number, 3))
    assert texts(world, rental) == [WHOLE]
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    world.stack.platform.jobs.join_parts()
    world.stack.platform.jobs.join_parts()
    assert texts(world, rental) == [WHOLE]
    assert len(world.events(user)) == 1


def test_conflicts_lose_no_part(world: World, rental: Rental) -> None:
    with tapped() as wire:
        wire.only, wire.faults = TRANSACT, [conflict] * 3
        post(world, *(part(world, rental.phone_number, number) for number in (3, 2, 1)))
    assert texts(world, rental) == [WHOLE]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations([1, 1, 2, 2, 3, 4]))
def test_any_order_with_any_repeats_gives_one_whole_sms(world: World, order: list[int]) -> None:
    group = f"h{next(_groups)}"
    user = world.user()
    (number,) = world.stock(1, first=3_000_000 + 10 * next(_groups))
    rental = world.rent(user)
    post(world, *(part(world, number, n, group=group, total=4) for n in order))
    assert texts(world, world.rental(rental)) == ["<1><2><3><4>"]


def died(_: object) -> None:
    """What ends a Lambda in the middle of a call."""
    raise SystemExit


def test_i4_a_part_that_comes_while_the_rest_is_joined_is_not_lost(
    world: World, rental: Rental, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = rental.phone_number
    post(world, part(world, number, 1), part(world, number, 3))
    world.stack.clock.advance(seconds=JOINED_WITHIN / SECOND)
    joined, late = stores.joined, iter([part(world, number, 2)])

    def note(group: stores.Group) -> None:
        post(world, *late)
        joined(group)

    monkeypatch.setattr(stores, "joined", note)
    world.stack.platform.jobs.join_parts()
    assert any(TEXTS[1] in text for text in texts(world, rental))
