"""Rollups on the real engine: the same whoever writes them and how often, and true."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

import pytest
from click.testing import CliRunner

from chalicelib.bootstrap import Platform
from chalicelib.domain.ids import E164, RentalId, UserId, new_rental_id, new_ulid
from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.rollups import SYSTEM, Counts, Marks, Unit
from chalicelib.domain.times import DAY, HOUR, MINUTE, SECOND, Clock, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError, InvalidInputError
from chalicelib.services.rollup_sources import _all, of_entry, of_event
from chalicelib.services.rollups import MOST_BUCKETS, MOST_LIVE, Summary
from chalicelib.stores import connection, purchases, rollups, users
from chalicelib.stores.inbound import Fate
from chalicelib.stores.ledger import Entry, EntryKind
from manage import cli
from tests.conftest import START
from tests.wire import answered, failed, stored, tapped
from tests.world import BALANCE, PRICE, World, meanwhile, together

pytestmark = pytest.mark.long

NEVER = Millis(START * 2)
HOUR_22 = Unit.HOUR.floor(START)
EVENING = "2023-11-14T22"


def items(*, marks: bool = False) -> list[str]:
    """Every rollup that there is, as the engine has it."""
    found = [item for item in stored() if item.startswith("sesame-rollups ")]
    return [item for item in found if marks or '"S": "marks"' not in item]


def forget() -> None:
    """Empty the table of rollups."""
    client, name = connection.client(), "sesame-rollups"
    for item in client.scan(TableName=name)["Items"]:
        key = {part: item[part] for part in ("scope", "bucket")}
        client.delete_item(TableName=name, Key=key)


def roll_up(world: World, at: Millis | None = None) -> None:
    """The job, in a Lambda of its own, at that time or now."""
    world.elsewhere(at).rollups.roll_up(NEVER)


def system(world: World, start: Millis, end: Millis, unit: Unit = Unit.MINUTE) -> Summary:
    """What all did, as another Lambda tells it."""
    return world.elsewhere().rollups.of_system(unit, start, end)


def of(world: World, user: User, unit: Unit = Unit.MINUTE) -> Summary:
    """What a user did up to now, as another Lambda tells it."""
    now = world.stack.clock.now
    start = Millis(HOUR_22 - 2 * HOUR)
    return world.elsewhere().rollups.of_user(user.user_id, unit, start, Millis(now + 1))


def told(summary: Summary) -> dict[Millis, Counts]:
    """The buckets that hold anything."""
    return {at: counts for at, counts in summary.buckets if counts != Counts()}


def credit(user: User, at: Millis, amount: int = UNIT) -> None:
    """A credit that says it was made at `at`, whenever it is written."""
    entry = Entry(user.user_id, new_ulid(at), EntryKind.CREDIT, Micros(amount), "test", at)
    users.credit(entry)


@dataclass
class Activity:
    """Random acts of a few users, and what they come to, counted apart from the platform."""

    world: World
    random: Random
    open: list[Rental] = field(default_factory=list)
    done: defaultdict[tuple[str, Millis], Counts] = field(
        default_factory=lambda: defaultdict(Counts)
    )

    def go_on(self, acts: int, longest: float = 240) -> None:
        """So many acts, with up to `longest` seconds after each."""
        for _ in range(acts):
            self.random.choice([self.credit, self.rent, self.rent, self.sms, self.sms, self.end])()
            self.world.stack.clock.advance(seconds=self.random.uniform(0, longest))
            self.expire()

    def count(self, user_id: UserId, counts: Counts) -> None:
        minute = Unit.MINUTE.floor(self.world.stack.clock.now)
        self.done[user_id, minute] += counts
        self.done[SYSTEM, minute] += counts

    def credit(self) -> None:
        user = self.random.choice(self.users)
        amount = Micros(self.random.randrange(1, UNIT))
        self.world.stack.platform.administration.credit(user.user_id, amount, "more")
        self.count(user.user_id, Counts(money_in=amount))

    def rent(self) -> None:
        rental = self.world.rent(self.random.choice(self.users))
        self.open.append(rental)
        self.count(rental.user_id, Counts(requested=1, charged=PRICE))

    def sms(self) -> None:
        if not self.open:
            return
        rental, coded = self.random.choice(self.open), self.random.randrange(2)
        text = "Your code is 482913" if coded else "hello"
        first = self.world.rental(rental).message_count == 0
        if self.world.sms(rental.phone_number, text) is Fate.MATCHED:
            paid = Micros(0 if first else PRICE)
            self.count(rental.user_id, Counts(sms=1, codes=coded, charged=paid))

    def end(self) -> None:
        if self.open:
            rental = self.open.pop(self.random.randrange(len(self.open)))
            user = next(user for user in self.users if user.user_id == rental.user_id)
            ended = self.world.stack.platform.closings.cancel(user, rental.rental_id)
            self.count(rental.user_id, Counts(cancelled=1, refunded=ended.refund))

    def expire(self) -> None:
        self.world.stack.platform.jobs.expire_rentals()
        for rental in list(self.open):
            ended = self.world.rental(rental)
            if ended.status is RentalStatus.EXPIRED:
                self.open.remove(rental)
                self.count(rental.user_id, Counts(expired=1, refunded=ended.refund))

    def __post_init__(self) -> None:
        roll_up(self.world)
        self.world.stock(40)
        self.users = []
        for _ in range(3):
            user = self.world.user()
            self.users.append(user)
            self.count(user.user_id, Counts(money_in=BALANCE))

    def of(self, owner: str, unit: Unit = Unit.MINUTE) -> dict[Millis, Counts]:
        found: defaultdict[Millis, Counts] = defaultdict(Counts)
        for (whose, minute), counts in self.done.items():
            if whose == owner:
                found[unit.floor(minute)] += counts
        return dict(found)


@pytest.fixture
def activity(world: World) -> Activity:
    made = Activity(world, Random(11))
    made.go_on(20, longest=180)
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_sums_equal_the_ledgers_and_counts_what_was_done(world: World, seed: int) -> None:
    activity = Activity(world, Random(seed))
    for _ in range(2):
        activity.go_on(12, longest=420)
        roll_up(world)
        # The last minutes are live, those before are written, most hours and a day are summed.
        now = world.stack.clock.now
        for unit in Unit:
            start = unit.floor(START)
            assert told(system(world, start, Millis(now + 1), unit)) == activity.of(SYSTEM, unit)
            for user in activity.users:
                summary = of(world, user, unit)
                assert told(summary) == activity.of(user.user_id, unit)
                assert summary.totals.net == world.balance(user)
                assert summary.active == world.find(user).open_rentals
        entries = [entry for user in activity.users for entry in world.ledger(user)]
        assert system(world, HOUR_22, Millis(now + 1)).totals.net == sum(e.amount for e in entries)
        world.assert_i2(*activity.users)


def test_two_runs_over_the_same_minutes_write_identical_items(
    world: World, activity: Activity
) -> None:
    world.stack.clock.advance(seconds=3 * 60)
    roll_up(world)
    early = items()
    assert any(EVENING in item for item in early)
    rollups.move_marks(rollups.marks(), Marks(HOUR_22, HOUR_22))
    roll_up(world)
    assert items() == early
    world.stack.clock.advance(seconds=13 * 60)
    roll_up(world)
    assert set(items()) >= {item for item in early if EVENING in item}
    late = items()
    rollups.move_marks(rollups.marks(), Marks(HOUR_22, HOUR_22))
    roll_up(world)
    assert items() == late


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_over_the_same_minutes_write_identical_items(
    world: World, activity: Activity, threads: int
) -> None:
    world.stack.clock.advance(seconds=HOUR / SECOND)
    roll_up(world)
    alone = items(marks=True)
    assert len(alone) > 20
    forget()
    rollups.move_marks(None, Marks(HOUR_22, HOUR_22))
    elsewhere = [world.elsewhere() for _ in range(threads)]
    done = together(*[lambda p=p: p.rollups.roll_up(NEVER) for p in elsewhere])
    assert done == [None] * threads
    assert items(marks=True) == alone


def test_a_minute_is_written_at_2_minutes_and_again_at_15(world: World) -> None:
    user = world.user(balance=Micros(0))
    minute = Unit.MINUTE.floor(START)
    over = minute + MINUTE
    credit(user, START)
    roll_up(world, Millis(over + 2 * MINUTE - 1))
    assert items() == []
    roll_up(world, Millis(over + 2 * MINUTE))
    assert len(items()) == 2
    credit(user, Millis(minute + MINUTE - 1))
    roll_up(world, Millis(over + 15 * MINUTE - 1))
    assert rollups.of_owner(SYSTEM, Unit.MINUTE, minute, minute)[0].counts.money_in == UNIT
    roll_up(world, Millis(over + 15 * MINUTE))
    written = rollups.of_owner(SYSTEM, Unit.MINUTE, minute, minute)
    assert written[0].counts == Counts(money_in=Micros(2 * UNIT))
    assert rollups.of_owner(user.user_id, Unit.MINUTE, minute, minute)[0].counts == (
        written[0].counts
    )


def test_what_comes_late_is_in_the_hour_and_the_day_as_well(world: World) -> None:
    user = world.user(balance=Micros(0))
    midnight = Unit.DAY.ceiling(START)
    last = Millis(midnight - 1)
    world.stack.clock.now = Millis(midnight - HOUR)
    roll_up(world)
    credit(user, last)
    world.stack.clock.now = Millis(midnight + 2 * MINUTE)
    roll_up(world)
    credit(user, last)
    for unit, at in ((Unit.HOUR, midnight - HOUR), (Unit.DAY, midnight - DAY)):
        assert system(world, Millis(at), midnight, unit).totals == Counts(money_in=Micros(UNIT))
    world.stack.clock.now = Millis(midnight + 15 * MINUTE)
    roll_up(world)
    for unit, at in ((Unit.HOUR, midnight - HOUR), (Unit.DAY, midnight - DAY)):
        twice = Counts(money_in=Micros(2 * UNIT))
        assert system(world, Millis(at), midnight, unit).totals == twice
        assert rollups.of_owner(user.user_id, unit, Millis(at), Millis(at))[0].counts == twice


@dataclass
class TickingClock:
    """A clock that goes on by so much whenever somebody looks at it."""

    now: Millis
    tick: int

    def __call__(self) -> Millis:
        self.now = Millis(self.now + self.tick)
        return self.now


def elsewhere_by(world: World, clock: Clock) -> Platform:
    """Another Lambda, by that clock."""
    return Platform(settings=world.stack.platform.settings, clock=clock, post=world.stack.receiver)


def test_three_hours_of_downtime_are_caught_up_with_in_the_jobs_time(world: World) -> None:
    activity = Activity(world, Random(5))
    activity.go_on(40, longest=2 * 3 * HOUR / SECOND / 40)
    world.stack.clock.now = Millis(START + 3 * HOUR)
    runs = 0
    while runs < 20:
        before = rollups.marks()
        # Each minute takes a second, so one run has time for forty.
        elsewhere_by(world, TickingClock(world.stack.clock.now, SECOND)).jobs.roll_up()
        runs += 1
        after = rollups.marks()
        assert before is not None
        assert after is not None
        assert before.early <= after.early
        assert after.early - before.early <= 41 * MINUTE
        world.stack.clock.advance(seconds=60)
        if world.stack.clock.now - after.early < 5 * MINUTE:
            break
    assert 4 <= runs <= 10
    for unit in Unit:
        now = Millis(world.stack.clock.now + 1)
        assert told(system(world, unit.floor(START), now, unit)) == activity.of(SYSTEM, unit)


def test_a_run_that_fails_leaves_nothing_out(world: World, activity: Activity) -> None:
    at = Millis(world.stack.clock.now + HOUR)
    world.stack.clock.now = at
    faults = [failed("ProvisionedThroughputExceededException")] * 3
    with tapped(*faults, only="BatchWriteItem"), pytest.raises(BusyError):
        roll_up(world)
    assert items() == []
    roll_up(world)
    assert told(system(world, HOUR_22, Millis(at + 1))) == activity.of(SYSTEM)


def test_what_was_throttled_of_a_batch_is_sent_again(world: World) -> None:
    user = world.user()
    minute = Unit.MINUTE.floor(START)
    written = rollups.Rollup(user.user_id, Unit.MINUTE, minute, Counts(sms=1))
    with tapped() as wire:
        rollups.put([written])
    left = {"UnprocessedItems": wire.sent("BatchWriteItem")[0]["RequestItems"]}
    forget()
    with tapped(answered(left), answered(left), only="BatchWriteItem"):
        rollups.put([written])
    assert rollups.of_owner(user.user_id, Unit.MINUTE, minute, minute) == [written]
    with tapped(*[answered(left)] * 5, only="BatchWriteItem"), pytest.raises(BusyError):
        rollups.put([written])


def test_more_owners_than_a_batch_holds_are_all_written(world: World) -> None:
    minute = Unit.MINUTE.floor(START)
    some = [rollups.Rollup(f"u{at:03}", Unit.MINUTE, minute, Counts(sms=at)) for at in range(60)]
    with tapped() as wire:
        rollups.put(some)
    assert len(wire.sent("BatchWriteItem")) == 3
    assert rollups.of_all(Unit.MINUTE, minute) == (some, None)


def test_minutes_that_are_not_written_are_read_live_once_in_five_seconds(world: World) -> None:
    user = world.user()
    platform, end = world.elsewhere(), Millis(START + HOUR)
    assert platform.rollups.of_system(Unit.HOUR, HOUR_22, end).totals == Counts(money_in=BALANCE)
    credit(user, START)
    assert platform.rollups.of_system(Unit.HOUR, HOUR_22, end).totals.money_in == BALANCE
    world.stack.clock.advance(seconds=5)
    summary = platform.rollups.of_system(Unit.HOUR, HOUR_22, end)
    assert summary.totals == Counts(money_in=Micros(BALANCE + UNIT))
    assert (summary.start, summary.end) == (HOUR_22, HOUR_22 + 2 * HOUR)
    assert items(marks=True) == []


def test_what_is_written_while_it_is_read_counts_once(world: World) -> None:
    world.user()
    world.stack.clock.advance(seconds=10 * 60)
    assert rollups.move_marks(None, Marks(HOUR_22, HOUR_22))
    write = meanwhile(lambda: roll_up(world))
    with tapped(write, only="Query"):
        summary = system(world, HOUR_22, Millis(START + HOUR))
    assert len(items()) == 2
    assert summary.totals == Counts(money_in=BALANCE)


def test_a_summary_of_what_is_written_reads_nothing_live(world: World) -> None:
    world.user()
    world.stack.clock.advance(seconds=2 * HOUR / SECOND)
    roll_up(world)
    platform = world.elsewhere()
    user_id = UserId("nobody")
    with tapped() as wire:
        platform.rollups.of_user(user_id, Unit.MINUTE, HOUR_22, Millis(HOUR_22 + HOUR))
    assert wire.operations() == ["GetItem", "Query", "GetItem"]


def test_a_summary_waits_for_a_job_that_is_too_far_behind(world: World) -> None:
    world.user()
    roll_up(world)
    marks = rollups.marks()
    assert marks is not None
    world.stack.clock.now = Millis(marks.early + MOST_LIVE * MINUTE)
    now = world.stack.clock.now
    with pytest.raises(BusyError):
        system(world, HOUR_22, now, Unit.HOUR)
    system(world, Millis(HOUR_22 - HOUR), Millis(marks.early), Unit.MINUTE)
    world.stack.clock.now = Millis(now - MINUTE)
    assert system(world, HOUR_22, now, Unit.HOUR).totals.money_in == BALANCE


def test_a_user_sees_what_they_did_and_nobody_elses(world: World) -> None:
    world.stock(5)
    one, other = world.user(), world.user()
    rental = world.rent(one)
    world.sms(rental.phone_number)
    world.sms(rental.phone_number, "hello")
    mine = Counts(requested=1, sms=2, codes=1, money_in=BALANCE, charged=Micros(2 * PRICE))
    for wait in (0, 20 * 60, 45 * 60):
        world.stack.clock.advance(seconds=wait)
        roll_up(world)
        for unit in Unit:
            assert of(world, one, unit).totals == mine
            assert of(world, other, unit).totals == Counts(money_in=BALANCE)
    assert (of(world, one).active, of(world, other).active) == (1, 0)
    # It ran out long ago, though no sweep has come yet.
    assert system(world, HOUR_22, Millis(START + HOUR)).active == 0


def test_an_sms_that_waits_for_money_counts_when_it_is_paid(world: World) -> None:
    world.stock(1)
    user = world.user(balance=PRICE)
    rental = world.rent(user)
    world.sms(rental.phone_number)
    world.sms(rental.phone_number)
    assert of(world, user).totals.sms == 1
    world.stack.clock.advance(seconds=60)
    credit(user, world.stack.clock.now)
    now = world.stack.clock.now
    world.stack.platform.inbox.read(user, rental.rental_id, wait_until=now, holder="k")
    minute = Unit.MINUTE.floor(now)
    paid = Counts(sms=1, codes=1, charged=PRICE, money_in=Micros(UNIT))
    assert told(of(world, user))[minute] == paid


def test_a_purchase_that_got_no_number_has_failed_and_may_be_a_loss(world: World) -> None:
    user = world.user()
    now = world.stack.clock.now
    rental = Rental(
        rental_id=new_rental_id(now),
        user_id=user.user_id,
        phone_number=E164(""),
        country="US",
        operator_id=1,
        service="",
        price=PRICE,
        supplier="partner",
        status=RentalStatus.REQUESTING,
        created_at=now,
        expires_at=Millis(now + 20 * MINUTE),
        cancel_after=0,
        message_count=0,
        messages=(),
    )
    purchases.hold(rental, sweep_at=Millis(now + MINUTE), most_open=9, request=None)
    purchases.release(rental, now, loss=Micros(20_000), envelope_days=30)
    theirs = Counts(requested=1, failed=1, money_in=BALANCE, charged=PRICE, refunded=PRICE)
    assert of(world, user).totals == theirs
    all_of_it = system(world, HOUR_22, Millis(now + 1)).totals
    assert all_of_it == theirs + Counts(lost=Micros(20_000))
    assert all_of_it.net == BALANCE - 20_000


def test_recomputing_writes_again_what_was_lost_or_wrong(world: World, activity: Activity) -> None:
    world.stack.clock.now = Millis(Unit.DAY.ceiling(START) + HOUR)
    roll_up(world)
    right, marks = items(), rollups.marks()
    assert marks is not None
    forget()
    rollups.move_marks(None, marks)
    wrong = Counts(sms=99)
    hour = rollups.Rollup(SYSTEM, Unit.HOUR, HOUR_22, wrong)
    rollups.put([hour, rollups.Rollup(SYSTEM, Unit.MINUTE, Unit.MINUTE.floor(START), wrong)])
    end = world.stack.clock.now
    count = world.stack.platform.rollups.recompute(HOUR_22, end)
    assert count == (marks.late - HOUR_22) // MINUTE
    assert items() == right
    # Half an hour of it leaves the rest of the hour as it is.
    assert world.stack.platform.rollups.recompute(START, Millis(START + HOUR // 2)) == 31
    assert items() == right


def test_what_events_are_gone_of_is_not_recomputed(world: World) -> None:
    world.user()
    recompute = world.stack.platform.rollups.recompute
    with pytest.raises(InvalidInputError) as refusal:
        recompute(Millis(START - 7 * DAY), START)
    assert refusal.value.field == "from"
    assert recompute(Millis(START - 7 * DAY + HOUR), START) == 0
    assert items() == []


def test_the_admin_recomputes_from_the_command_line(world: World) -> None:
    world.user()
    roll_up(world)
    roll_up(world, Millis(START + HOUR))
    right, marks = items(), rollups.marks()
    forget()
    rollups.move_marks(None, marks or Marks(START, START))
    command = ["--json", "rollups", "recompute", "--to", "2023-11-15", "--from"]
    done = CliRunner().invoke(cli, [*command, "2023-11-14T22:00:00Z"])
    assert (done.exit_code, json.loads(done.output)["minutes"]) == (0, 58)
    assert items() == right != []
    refusal = CliRunner().invoke(cli, [*command, "yesterday"])
    assert (refusal.exit_code, json.loads(refusal.output)["code"]) == (1, "invalid_parameter")


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (Unit.HOUR, 0, 0),
        (Unit.HOUR, 1, 0),
        (Unit.HOUR, 0, MOST_BUCKETS * HOUR + 1),
        (Unit.DAY, 0, MOST_BUCKETS * DAY + 1),
        (Unit.MINUTE, 0, MOST_BUCKETS * MINUTE + 1),
        (Unit.MINUTE, -91 * DAY, -91 * DAY + HOUR),
    ],
)
def test_a_range_that_can_not_be_shown_is_refused(
    world: World, unit: Unit, start: int, end: int
) -> None:
    with tapped() as wire, pytest.raises(InvalidInputError) as refusal:
        system(world, Millis(HOUR_22 + start), Millis(HOUR_22 + end), unit)
    assert refusal.value.field == "from"
    assert wire.attempts == []


def test_a_range_of_as_many_buckets_as_may_be_is_shown(world: World) -> None:
    world.user()
    for unit in Unit:
        first = Millis(unit.floor(START) - (MOST_BUCKETS - 1) * unit.length)
        summary = system(world, first, Millis(first + MOST_BUCKETS * unit.length), unit)
        assert len(summary.buckets) == MOST_BUCKETS
        assert [at for at, counts in summary.buckets if counts != Counts()] == [unit.floor(START)]


@pytest.mark.parametrize("kind", EntryKind)
@pytest.mark.parametrize("amount", [7, -7, 0])
def test_every_kind_of_entry_is_in_exactly_one_sum(kind: EntryKind, amount: int) -> None:
    entry = Entry(UserId("u"), "c", kind, Micros(amount), RentalId("r"), START)
    counts = of_entry(entry)
    assert counts.net == amount
    sums = (counts.money_in, counts.charged, counts.refunded, counts.transferred)
    assert [abs(total) for total in (*sums, counts.markup, counts.lost) if total] in (
        [[7]] if amount else [[]]
    )


def test_an_event_that_tells_of_no_sms_counts_as_none() -> None:
    assert of_event("otp_received") == Counts(sms=1, codes=1)
    assert of_event("sms_received") == Counts(sms=1)
    assert of_event("webhook_disabled") == Counts()


def test_all_pages_of_all_shards_are_read() -> None:
    pages = {("a", None): ([1], "x"), ("a", "x"): ([2], None), ("b", None): ([3], None)}
    assert list(_all(lambda key, start: pages[key, start], ["a", "b"])) == [1, 2, 3]


def test_the_marks_only_go_on(world: World) -> None:
    first, later, other = (Marks(Millis(at), Millis(at)) for at in (0, MINUTE, 2 * MINUTE))
    assert rollups.marks() is None
    assert rollups.move_marks(None, first) == first
    assert rollups.move_marks(None, later) == first
    assert rollups.move_marks(first, later) == later
    assert rollups.move_marks(first, other) == later
    assert rollups.marks() == later
