"""The feed: whoever reads on from where they were misses no event and gets none twice."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.events import RENTAL_EVENTS, Event, ticket_event
from chalicelib.domain.fraud import Decision, RuleName
from chalicelib.domain.ids import E164, UserId, new_ulid
from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.services.feed import Feed
from chalicelib.stores import connection, db, decisions, events
from tests.conftest import START, Stack
from tests.wire import TRANSACT, conflict, cut_short, tapped
from tests.world import World, meanwhile, together

KEPT_DAYS = 7
LAST_START = round(connection.DEADLINE_SECONDS * SECOND)
IN_FLIGHT = 3 * SECOND
LATEST = LAST_START + IN_FLIGHT
SKEW = 100
"""How far a clock may be off, either way, in milliseconds."""

_numbers = itertools.count()


def an_event(user_id: UserId, now: Millis) -> Event:
    return ticket_event(user_id, "otp_sent", f"ticket-{next(_numbers)}", {}, now)


def write(event: Event) -> Event:
    db.transact(**events.steps(event, KEPT_DAYS))
    return event


def in_another_thread(call: Callable[[], object]) -> None:
    """So that it has a deadline of its own, or none."""
    (found,) = together(call)
    assert not isinstance(found, Exception)


@dataclass
class Reader:
    """Reads a feed on from where it was."""

    feed: Feed
    user_id: UserId
    position: str = ""
    seen: list[str] = field(default_factory=list)

    def read(self, limit: int = 50) -> Sequence[str]:
        """What is new, in as many pages as there are."""
        found: list[str] = []
        more = True
        while more:
            page, self.position, more = self.feed.read(self.user_id, self.position, limit=limit)
            assert len(page) <= limit
            found += [event.event_id for event in page]
        self.seen += found
        return found


@pytest.fixture
def user_id(stack: Stack) -> UserId:
    return UserId(new_ulid(START))


@pytest.fixture
def reader(stack: Stack, user_id: UserId) -> Reader:
    return Reader(stack.platform.feed, user_id)


def test_no_attempt_at_a_transaction_lands_when_the_feed_has_shown_its_time(stack: Stack) -> None:
    """With a fifth of a second for clocks that differ. Source: DESIGN.md, "Decided" 11."""
    config = connection.client().meta.config
    in_flight = round((config.connect_timeout + config.read_timeout) * SECOND)
    assert in_flight == IN_FLIGHT
    assert LATEST + 2 * SKEW <= events.SETTLED == 5 * SECOND


def test_an_event_is_shown_when_it_is_five_seconds_old(
    stack: Stack, user_id: UserId, reader: Reader
) -> None:
    event = write(an_event(user_id, stack.clock.now))
    stack.clock.now = Millis(START + 5 * SECOND)
    assert reader.read() == []
    stack.clock.now = Millis(START + 5 * SECOND + 1)
    assert reader.read() == [event.event_id]
    assert reader.read() == []


def test_a_commit_held_back_to_its_deadline_is_not_passed_by(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the platform: an SMS whose event was made first, and lands last."""
    world.stock(2)
    user = world.user()
    first, second = world.rent(user), world.rent(user)
    clock = world.stack.clock
    monkeypatch.setattr(connection, "monotonic", lambda: clock.now / SECOND)
    reader = Reader(world.elsewhere().feed, user.user_id)

    def meets_conflict_at_the_deadline(request: object) -> object:
        clock.now = Millis(START + 1)
        in_another_thread(lambda: world.sms(second.phone_number, message_id="later"))
        clock.now = Millis(START + LAST_START)
        return conflict(request)  # type: ignore[arg-type]

    def lands_at_the_last_moment() -> None:
        for at in range(LAST_START, LATEST + 1, 500):
            clock.now = Millis(START + at)
            in_another_thread(reader.read)
        clock.now = Millis(START + LATEST)

    held_back = [meets_conflict_at_the_deadline, meanwhile(lambda: None)]
    held_back.append(meanwhile(lands_at_the_last_moment))
    with tapped(*held_back, only=TRANSACT):  # type: ignore[arg-type]
        world.sms(first.phone_number, message_id="earlier")
    assert reader.seen == []
    for at in range(LATEST, LATEST + SECOND, 50):
        clock.now = Millis(START + at)
        reader.read()
    assert reader.seen == [row.event_id for row in world.events(user)]
    assert [row.reference for row in world.events(user)] == [first.rental_id, second.rental_id]


def test_after_the_deadline_nothing_is_sent(
    stack: Stack, user_id: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = stack.clock
    monkeypatch.setattr(connection, "monotonic", lambda: clock.now / SECOND)

    def too_late(request: object) -> object:
        clock.now = Millis(START + LAST_START + 1)
        return conflict(request)  # type: ignore[arg-type]

    with tapped(too_late, only=TRANSACT) as wire, pytest.raises(BusyError):  # type: ignore[arg-type]
        write(an_event(user_id, START))
    assert wire.operations() == [TRANSACT]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 6 * SECOND),
            st.sampled_from([0, LATEST]) | st.integers(0, LATEST),
            st.integers(-SKEW, SKEW),
            st.integers(1, 4),
        ),
        min_size=2,
        max_size=6,
    )
)
@example([(0, LATEST, -SKEW, 1), (1, 0, -SKEW, 1)])
def test_whoever_writes_late_and_reads_often_there_is_no_gap_and_no_double(
    stack: Stack, writes: list[tuple[int, int, int, int]]
) -> None:
    """Writers commit up to the deadline after they made an event, and readers look in the moment
    before each commit, all by clocks of their own."""
    user_id = UserId(new_ulid(START))
    now = Millis(START)
    reader = Reader(Feed(stack.platform.settings, lambda: now), user_id)
    made: list[str] = []
    for at, delay, skew, limit in sorted(writes, key=lambda write: write[0] + write[1]):
        now = Millis(START + at + delay + SKEW)
        reader.read(limit)
        made.append(write(an_event(user_id, Millis(START + at + skew))).event_id)
        reader.read(limit)
    now = Millis(START + 60 * SECOND)
    reader.read()
    assert reader.seen == sorted(made)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_of_any_size_are_the_same_events(
    stack: Stack, user_id: UserId, reader: Reader, limit: int
) -> None:
    made = [write(an_event(user_id, Millis(START + at // 2))).event_id for at in range(7)]
    stack.clock.advance(seconds=60)
    assert reader.read(limit) == sorted(made)


def test_a_page_that_dynamodb_cuts_short_goes_on(
    stack: Stack, user_id: UserId, reader: Reader
) -> None:
    made = [write(an_event(user_id, Millis(START + at))).event_id for at in range(5)]
    stack.clock.advance(seconds=60)
    with tapped(cut_short(2), cut_short(2), only="Query"):
        assert reader.read() == made


def test_nobody_is_shown_what_limits_decided_or_anothers_events(world: World) -> None:
    world.stock(2)
    user, other = world.user(), world.user()
    for each in (user, other):
        world.webhook(each, "http://127.0.0.1:9/hook", *RENTAL_EVENTS)
        world.rent(world.find(each))
    refused = Decision(RuleName.COUNTRY, True, START)
    decisions.note(user.user_id, E164("+14155552671"), refused, START, KEPT_DAYS)
    world.stack.clock.advance(seconds=60)
    assert seen(world, user) == [row.event_id for row in world.events(user)]
    assert len(seen(world, user)) == len(seen(world, other)) == 1
    assert not set(seen(world, user)) & set(seen(world, other))


def seen(world: World, user: User) -> list[str]:
    """A user's feed from its beginning."""
    return list(Reader(world.stack.platform.feed, user.user_id).read())


def test_what_is_past_the_retention_is_left_out_though_it_is_still_there(
    stack: Stack, user_id: UserId, reader: Reader
) -> None:
    """DynamoDB takes up to two days to remove it."""
    gone = write(an_event(user_id, START))
    kept = write(an_event(user_id, Millis(START + 1)))
    stack.clock.now = Millis(START + KEPT_DAYS * DAY + 1)
    assert reader.read() == [kept.event_id]
    assert (
        events.of_user(user_id, "", stack.clock.now, limit=9, retention_days=KEPT_DAYS + 1)[0][
            0
        ].event_id
        == gone.event_id
    )


def test_a_position_is_good_for_ever(stack: Stack, user_id: UserId, reader: Reader) -> None:
    write(an_event(user_id, START))
    stack.clock.advance(seconds=60)
    reader.read()
    for years in (1, 2):
        stack.clock.advance(seconds=years * 365 * 86_400)
        assert reader.read() == []
        event = write(an_event(user_id, stack.clock.now))
        stack.clock.advance(seconds=60)
        assert reader.read() == [event.event_id]


def test_a_clock_that_is_set_back_shows_nothing_rather_than_fail(
    stack: Stack, user_id: UserId, reader: Reader
) -> None:
    event = write(an_event(user_id, START))
    stack.clock.advance(seconds=60)
    assert reader.read() == [event.event_id]
    stack.clock.now = START
    assert reader.read() == []
