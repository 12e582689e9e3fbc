"""SMS are forgotten in time: left out of what is read at once, and removed soon after."""

import json
import re
from random import Random

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from chalicelib.domain.ids import new_ulid
from chalicelib.domain.rental import Rental, RentalStatus
from chalicelib.domain.requests import request_key
from chalicelib.domain.times import DAY, HOUR, MINUTE, Millis, epoch_seconds
from chalicelib.domain.user import User
from chalicelib.errors import NotFoundError
from chalicelib.settings import SettingsError
from chalicelib.stores import db, purge
from chalicelib.stores.tables import RentalRow
from chalicelib.suppliers.contract import Reason, SupplierRefusedError
from tests.conftest import START, Stack
from tests.sellers import Market, Seller, rentals_of
from tests.wire import cut_short, stored, tapped
from tests.world import PRICE, World, get, together

CODE = "482913"
NEVER = Millis(START * 2)
SMS, ENVELOPE = 7 * DAY, 30 * DAY


def ended(world: World, *, messages: int = 1, user: User | None = None) -> Rental:
    """A rental that was cancelled now, after so many SMS."""
    user = user or world.user()
    rental = world.rent(user)
    for _ in range(messages):
        world.sms(rental.phone_number)
    return world.stack.platform.closings.cancel(user, rental.rental_id)


def at(world: World, moment: int) -> None:
    world.stack.clock.now = Millis(moment)


def purge_all(world: World) -> None:
    world.elsewhere().retention.purge_sms(NEVER)


def owner_of(world: World, rental: Rental) -> User:
    return world.stack.platform.accounts.find(rental.user_id)


def read(world: World, rental: Rental) -> Rental:
    user = owner_of(world, rental)
    now = world.stack.clock.now
    return world.elsewhere().inbox.read(user, rental.rental_id, wait_until=now, holder="key")


def row_of(rental: Rental) -> RentalRow:
    row = db.get(RentalRow, rental.rental_id)
    assert row is not None
    return row


def holders(text: str, now: Millis) -> list[str]:
    """The items that hold a text and are not past their TTL: what may still be read."""
    found = [item for item in stored() if text in item]
    return [item for item in found if _ttl(item) > epoch_seconds(now)]


def _ttl(item: str) -> int:
    ttl = re.search(r'"ttl": \{"N": "(\d+)"\}', item)
    return int(ttl[1]) if ttl else 2**62


@pytest.mark.parametrize("purged", [False, True])
def test_an_sms_is_shown_for_seven_days_after_its_rental_ended(world: World, purged: bool) -> None:
    world.stock(1)
    rental = ended(world)
    at(world, START + SMS - 1)
    (message,) = read(world, rental).messages
    assert (message.code, message.sender, message.purged) == (CODE, "Acme", False)
    at(world, START + SMS)
    if purged:
        at(world, START + SMS + MINUTE)
        purge_all(world)
        assert row_of(rental).purged
    (message,) = read(world, rental).messages
    assert (message.text, message.code, message.service, message.sender) == ("", None, None, "")
    assert message.purged
    assert message.received_at == START


def test_what_is_left_of_an_sms_says_so(world: World) -> None:
    world.stock(1)
    user = world.user()
    key, rental = world.key(user), ended(world, user=user)
    at(world, START + SMS)
    body = get("/getSMS", api_key=key, rental_id=rental.rental_id).json_body
    (message,) = body["messages"]
    message.pop("id", None)
    assert message == {
        "sender": "",
        "text": "",
        "received_at": "2023-11-14T22:13:20Z",
        "code": None,
        "purged": True,
    }


def test_a_rental_that_was_never_closed_counts_from_its_last_moment(world: World) -> None:
    world.stock(1)
    rental = world.rent(world.user())
    world.sms(rental.phone_number)
    at(world, rental.expires_at + SMS - 1)
    assert read(world, rental).messages[0].code == CODE
    at(world, rental.expires_at + SMS)
    assert read(world, rental).messages[0].code is None


def test_after_thirty_days_a_rental_is_like_one_that_never_was(world: World) -> None:
    world.stock(1)
    user = world.user()
    rental = ended(world, user=user)
    here = world.stack.platform

    def listed() -> list[Rental]:
        return here.history.rentals(user.user_id, limit=9, before=None, status=None)[0]

    at(world, START + ENVELOPE - 1)
    assert [each.rental_id for each in listed()] == [rental.rental_id]
    assert here.closings.cancel(user, rental.rental_id).status is RentalStatus.CANCELLED
    at(world, START + ENVELOPE)
    assert listed() == []
    for call in (here.rentals.find, here.closings.cancel):
        with pytest.raises(NotFoundError):
            call(user, rental.rental_id)
    assert row_of(rental).ttl == epoch_seconds(world.stack.clock.now)


def test_pages_of_rentals_go_on_beyond_what_is_forgotten_to_their_end(world: World) -> None:
    world.stock(5)
    user = world.user()
    for _ in range(3):
        ended(world, user=user, messages=0)
    at(world, START + ENVELOPE)
    kept = [ended(world, user=user, messages=0).rental_id for _ in range(2)]
    found, start = [], None
    for _ in range(9):
        page, start = world.stack.platform.history.rentals(
            user.user_id, limit=1, before=start, status=None
        )
        found += [rental.rental_id for rental in page]
        if start is None:
            break
    assert start is None
    assert sorted(found) == sorted(kept)


def test_an_open_rental_keeps_its_sms(world: World, stack: Stack) -> None:
    stack.configure(SESAME_RENTAL_SECONDS=str(40 * 86_400))
    world.stock(1)
    rental = world.rent(world.user())
    world.sms(rental.phone_number)
    at(world, START + 39 * DAY)
    purge_all(world)
    assert read(world, rental).messages[0].code == CODE


def test_nothing_holds_an_sms_when_its_time_is_over(world: World) -> None:
    """Whatever table: what is left is past its TTL. The day more is for deliveries."""
    world.stock(2)
    user = world.user()
    world.webhook(user, "http://127.0.0.1:9/hook")
    for message_count in (1, 3):
        ended(world, user=user, messages=message_count)
    world.deliver()
    world.sms("+14155550100", f"Your code is {CODE}")
    before = world.stack.clock.now
    assert {item.split()[0] for item in holders(CODE, before)} == {
        "sesame-rentals",
        "sesame-inbound",
        "sesame-events",
        "sesame-deliveries",
    }
    at(world, START + SMS + MINUTE)
    purge_all(world)
    late = holders(CODE, world.stack.clock.now)
    assert {item.split()[0] for item in late} == {"sesame-deliveries"}
    at(world, START + SMS + DAY)
    assert holders(CODE, world.stack.clock.now) == []


@pytest.mark.parametrize("age", [SMS - HOUR, SMS, SMS + MINUTE - (START % MINUTE) - 1])
def test_nothing_is_removed_before_its_minute_is_over(world: World, age: int) -> None:
    world.stock(1)
    rental = ended(world)
    at(world, START + age)
    purge_all(world)
    assert row_of(rental).messages[0].code == CODE
    at(world, START + SMS + MINUTE - (START % MINUTE))
    purge_all(world)
    assert row_of(rental).messages[0].code is None


def test_a_purge_takes_nothing_but_what_was_said(world: World) -> None:
    world.stock(1)
    rental = ended(world, messages=3)
    was = world.rental(rental)
    at(world, START + SMS + MINUTE)
    purge_all(world)
    left = tuple(message.without_text() for message in was.messages)
    now = world.rental(rental)
    assert now.messages == left
    assert (now.message_count, now.refund, now.price) == (3, 0, PRICE)
    world.assert_i2(owner_of(world, rental))


def test_purging_again_or_twice_at_once_changes_nothing(world: World) -> None:
    world.stock(6)
    for _ in range(6):
        ended(world, messages=2)
        world.stack.clock.advance(seconds=40)
    at(world, START + SMS + 6 * MINUTE)
    together(*[lambda: purge_all(world)] * 3)
    after = stored()
    assert not any(CODE in item for item in after if item.startswith("sesame-rentals "))
    purge_all(world)
    assert stored() == after


def test_a_run_that_is_out_of_time_is_gone_on_with(world: World) -> None:
    world.stock(4)
    rentals = [ended(world) for _ in range(4)]
    minute = START - START % MINUTE
    at(world, minute + MINUTE + SMS - 1)
    purge_all(world)
    assert purge.mark() == minute
    at(world, minute + MINUTE + SMS)

    def out_of_time(request: AWSPreparedRequest) -> AWSResponse | None:
        world.stack.clock.advance(seconds=41)
        return cut_short(2)(request)

    with tapped(out_of_time, only="Query"):
        world.stack.platform.jobs.purge_sms()
    assert [bool(row_of(rental).purged) for rental in rentals].count(True) == 2
    assert purge.mark() == minute
    world.stack.platform.jobs.purge_sms()
    assert all(row_of(rental).purged for rental in rentals)
    assert purge.mark() == minute + MINUTE


def test_after_an_outage_no_minute_is_left_out(world: World) -> None:
    random = Random(3)
    world.stock(8)
    at(world, START + SMS)
    purge_all(world)
    at(world, START)
    rentals = []
    for _ in range(8):
        rentals.append(ended(world))
        world.stack.clock.advance(seconds=random.randrange(900))
    at(world, START + SMS + 2 * HOUR)
    purge_all(world)
    assert all(row_of(rental).purged for rental in rentals)


def test_a_retention_that_is_made_longer_waits(world: World, stack: Stack) -> None:
    world.stock(1)
    at(world, START + SMS)
    purge_all(world)
    at(world, START)
    rental = ended(world)
    stack.configure(SESAME_SMS_RETENTION_DAYS="9")
    at(world, START + SMS + HOUR)
    purge_all(world)
    assert not row_of(rental).purged
    purge.move_mark(purge.mark(), Millis(START - START % MINUTE))
    at(world, START + 9 * DAY + MINUTE)
    purge_all(world)
    assert row_of(rental).purged


def test_rentals_without_sms_are_not_written(world: World) -> None:
    world.stock(2)
    ended(world, messages=0)
    ended(world, messages=1)
    at(world, START + SMS + MINUTE)
    with tapped() as wire:
        purge_all(world)
    assert wire.operations().count("UpdateItem") == 1


def test_an_sms_that_is_forgotten_can_not_be_paid_for(world: World) -> None:
    world.stock(1)
    user = world.user(balance=PRICE)
    rental = world.rent(user)
    for _ in range(2):
        world.sms(rental.phone_number)
    world.stack.platform.administration.credit(user.user_id, PRICE, "test")
    at(world, rental.expires_at + SMS)
    assert read(world, rental).messages[1].purged
    assert world.balance(user) == PRICE


def test_every_end_sets_when_a_rental_is_removed(
    market: Market, seller: Seller, user: User
) -> None:
    cancelled = market.buy(user)
    market.elsewhere().closings.cancel(user, cancelled.rental_id)
    market.buy(user)
    market.sweep(seconds=1_200)
    seller.before["rent"] = [SupplierRefusedError("partner", Reason.NO_NUMBERS)]
    with pytest.raises(NotFoundError):
        market.buy(user)
    rows = rentals_of(user)
    assert {row.state for row in rows} == {"cancelled", "expired", "failed"}
    for row in rows:
        assert row.ttl == epoch_seconds(Millis((row.closed_at or 0) + ENVELOPE))


def test_deliveries_past_their_time_are_left_out_though_they_are_still_there(
    world: World,
) -> None:
    world.stock(4)
    user = world.user()
    ended(world, user=user, messages=2)
    at(world, START + DAY)
    ended(world, user=user, messages=2)
    at(world, START + 8 * DAY)
    history = world.stack.platform.history
    shown, start = history.deliveries(user.user_id, limit=3, before=None)
    assert [each.created_at for each in shown] == [START + DAY] * 2
    assert start is None
    assert [each.body for each in shown] == ["", ""]
    at(world, START + 8 * DAY - 1)
    shown, start = history.deliveries(user.user_id, limit=3, before=None)
    assert [bool(each.body) for each in shown] == [True, True, False]
    assert start is not None


def test_envelopes_are_kept_at_least_as_long_as_sms(stack: Stack) -> None:
    days = "SESAME_ENVELOPE_RETENTION_DAYS"
    assert stack.platform.settings.envelope_retention_days == 30
    assert stack.configure(SESAME_SMS_RETENTION_DAYS="40").settings.envelope_retention_days == 40
    with pytest.raises(SettingsError, match=f"{days}.*at least 40"):
        stack.configure(**{days: "39"})


def test_what_an_answer_kept_says_of_sms_is_gone_within_three_days(world: World) -> None:
    """A repeated cancel is answered from its request key, which lives for a day."""
    world.stock(1)
    user = world.user()
    rental = world.rent(user)
    world.sms(rental.phone_number)
    key = request_key(user.user_id, new_ulid(START), "POST /cancelNumber", {})
    world.stack.platform.closings.cancel(user, rental.rental_id, key)
    (item,) = [item for item in holders(CODE, START) if item.startswith("sesame-requests ")]
    assert _ttl(item) == epoch_seconds(Millis(START + DAY))
    assert json.loads(item.partition(" ")[2])
