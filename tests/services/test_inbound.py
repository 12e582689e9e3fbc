"""I4: an accepted SMS is never lost, charged once, and told of once."""

import json
from dataclasses import replace
from random import Random

import pytest

from chalicelib.bootstrap import Platform
from chalicelib.domain.code_finder import FoundCode
from chalicelib.domain.deliveries import DeliveryState
from chalicelib.domain.money import Micros
from chalicelib.domain.rental import MOST_MESSAGES, Rental
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.providers.contract import InboundSms
from chalicelib.services.inbound import Inbound
from chalicelib.stores.inbound import Fate
from chalicelib.stores.ledger import EntryKind
from chalicelib.stores.tables import InboundRow
from tests.conftest import Stack
from tests.wire import conflict, tapped
from tests.world import BALANCE, PRICE, World, meanwhile, together

TEXT = "Your code is 482913"


@pytest.fixture
def user(world: World) -> User:
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    world.stock(1)
    return world.rent(user)


def kept(world: World, message_id: str) -> InboundRow:
    row = world.kept(message_id)
    assert row is not None
    return row


def charges(world: World, user: User) -> list[Micros]:
    return [entry.amount for entry in world.ledger(user) if entry.kind is EntryKind.SMS]


def assert_kept_and_shown_to_nobody(world: World, user: User, message_id: str, fate: Fate) -> None:
    row = kept(world, message_id)
    assert (row.fate, row.text, row.event_id) == (fate, TEXT, None)
    assert world.events(user) == world.deliveries(user) == world.queued() == []
    assert charges(world, user) == []
    world.assert_i2(user)


def test_i4_the_first_sms_was_paid_with_the_rental(
    world: World, user: User, rental: Rental
) -> None:
    assert world.sms(rental.phone_number, TEXT, message_id="m") is Fate.MATCHED
    (message,) = world.rental(rental).messages
    assert (message.text, message.code, message.provider) == (TEXT, "482913", "generic")
    assert (message.sender, message.paid) == ("Acme", True)
    assert charges(world, user) == []
    row, (event,), (delivery,) = kept(world, "m"), world.events(user), world.deliveries(user)
    assert (row.fate, row.text, row.rental_id) == (Fate.MATCHED, TEXT, rental.rental_id)
    assert row.event_id == event.event_id == delivery.event_id
    assert delivery.body == event.body
    assert json.loads(event.body) == {
        "event": "otp_received",
        "data": {
            "phone_number": rental.phone_number,
            "otp_code": "482913",
            "provider": "generic",
            "sms_text": TEXT,
        },
    }
    assert world.queued() == [{"delivery_id": delivery.delivery_id, "user_id": user.user_id}]


def test_i4_each_further_sms_is_charged(world: World, user: User, rental: Rental) -> None:
    for _ in range(3):
        world.sms(rental.phone_number)
    assert charges(world, user) == [-PRICE, -PRICE]
    references = [entry.reference for entry in world.ledger(user)]
    assert sorted(references) == [rental.rental_id] * 3 + ["test"]
    assert world.balance(user) == BALANCE - 3 * PRICE
    world.assert_i2(user)


@pytest.mark.parametrize("before", [0, 1])
def test_i4_one_sms_posted_20_times_at_once(
    world: World, user: User, rental: Rental, before: int
) -> None:
    for _ in range(before):
        world.sms(rental.phone_number)
    fates = together(*[lambda: world.sms(rental.phone_number, message_id="m")] * 20)
    assert fates == [Fate.MATCHED] * 20
    assert world.rental(rental).message_count == len(world.rental(rental).messages) == before + 1
    assert charges(world, user) == [-PRICE] * before
    events, deliveries = world.events(user), world.deliveries(user)
    assert len(events) == len(deliveries) == len(world.queued()) == before + 1
    told = {event.event_id for event in events}
    assert kept(world, "m").event_id in told
    assert {delivery.event_id for delivery in deliveries} == told
    world.assert_i2(user)


def test_i4_40_mixed_posts_of_10_sms(world: World, user: User, rental: Rental) -> None:
    names = [f"m-{at}" for at in range(10)] * 4
    Random(3).shuffle(names)
    fates = together(*[lambda name=name: world.sms(rental.phone_number, name, message_id=name)
                       for name in names])  # fmt: skip
    assert fates == [Fate.MATCHED] * 40
    messages = world.rental(rental).messages
    assert sorted(message.text for message in messages) == sorted(set(names))
    assert charges(world, user) == [-PRICE] * 9
    assert len(world.events(user)) == len(world.deliveries(user)) == len(world.queued()) == 10
    world.assert_i2(user)


def test_i4_an_eleventh_sms_is_kept_and_neither_charged_nor_shown(
    world: World, user: User, rental: Rental
) -> None:
    names = [f"m-{at}" for at in range(15)]
    fates = together(*[lambda name=name: world.sms(rental.phone_number, message_id=name)
                       for name in names])  # fmt: skip
    assert sorted(fates) == [Fate.FULL] * 5 + [Fate.MATCHED] * 10
    assert {name: kept(world, name).fate for name in names} == dict(zip(names, fates, strict=True))
    assert all(kept(world, name).text == TEXT for name in names)
    assert len(world.rental(rental).messages) == MOST_MESSAGES
    assert charges(world, user) == [-PRICE] * 9
    assert len(world.events(user)) == len(world.deliveries(user)) == 10
    world.assert_i2(user)


def test_i4_a_repeat_changes_nothing_even_after_the_end(
    world: World, user: User, rental: Rental
) -> None:
    world.sms(rental.phone_number, message_id="m")
    first = kept(world, "m").attribute_values
    world.stack.clock.advance(seconds=60)
    world.sms(rental.phone_number, "another text", message_id="m")
    world.stack.platform.closings.cancel(user, rental.rental_id)
    world.sms(rental.phone_number, "another text", message_id="m")
    assert kept(world, "m").attribute_values == first
    assert len(world.events(user)) == world.rental(rental).message_count == 1


@pytest.mark.parametrize("account", ["demo", "second"])
def test_i4_equal_ids_of_two_accounts_are_two_sms(
    world: World, rental: Rental, account: str
) -> None:
    world.sms(rental.phone_number, message_id="m", account="demo")
    world.sms(rental.phone_number, message_id="m", account=account)
    assert world.rental(rental).message_count == (1 if account == "demo" else 2)


@pytest.mark.parametrize("to", ["+14155559999", "12345", "Acme", ""])
def test_i4_an_sms_to_a_number_that_is_not_ours_is_kept(world: World, to: str) -> None:
    assert world.sms(to, TEXT, message_id="m") is Fate.UNKNOWN_NUMBER
    row = kept(world, "m")
    assert (row.fate, row.text, row.recipient) == (Fate.UNKNOWN_NUMBER, TEXT, to)


@pytest.mark.parametrize("written", ["1{}", "+1 {}", "001{}", " +1-{} "])
def test_i4_a_number_is_known_however_it_is_written(
    world: World, rental: Rental, written: str
) -> None:
    to = written.format(rental.phone_number.removeprefix("+1"))
    assert world.sms(to) is Fate.MATCHED


def test_i4_an_sms_after_the_cancel_is_kept(world: World, user: User, rental: Rental) -> None:
    world.stack.platform.closings.cancel(user, rental.rental_id)
    assert world.sms(rental.phone_number, TEXT, message_id="m") is Fate.NO_RENTAL
    assert_kept_and_shown_to_nobody(world, user, "m", Fate.NO_RENTAL)
    assert world.rental(rental).messages == ()


@pytest.mark.parametrize("swept", [False, True])
def test_i4_an_sms_after_expiry_is_kept_whether_swept_or_not(
    world: World, user: User, rental: Rental, swept: bool
) -> None:
    world.stack.clock.now = rental.expires_at
    if swept:
        world.stack.platform.jobs.expire_rentals()
    fate = Fate.NO_RENTAL if swept else Fate.LATE
    assert world.sms(rental.phone_number, TEXT, message_id="m") is fate
    assert_kept_and_shown_to_nobody(world, user, "m", fate)
    world.stack.platform.jobs.expire_rentals()
    assert world.balance(user) == BALANCE


@pytest.mark.parametrize("end", ["cancel", "expiry"])
def test_i4_i5_an_sms_that_loses_to_the_end_after_it_saw_the_number(
    world: World, user: User, rental: Rental, end: str
) -> None:
    def close() -> None:
        if end == "cancel":
            world.stack.platform.closings.cancel(user, rental.rental_id)
        else:
            assert world.elsewhere(rental.expires_at).closings.expire(rental.rental_id)

    with tapped(meanwhile(close), only="TransactWriteItems"):
        assert world.sms(rental.phone_number, TEXT, message_id="m") is Fate.LATE
    assert_kept_and_shown_to_nobody(world, user, "m", Fate.LATE)
    assert world.balance(user) == BALANCE


def test_i4_nobody_else_speaks_for_a_bound_number(world: World, user: User) -> None:
    world.stock(1, provider="twilio", account="demo")
    rental = world.rent(user)
    for provider, account in (("generic", "demo"), ("twilio", "second")):
        fate = world.sms(
            rental.phone_number, TEXT, message_id="m", provider=provider, account=account
        )
        assert fate is Fate.NOT_BOUND
        row = world.kept("m", f"{provider}#{account}")
        assert row is not None
        assert (row.fate, row.text) == (Fate.NOT_BOUND, TEXT)
    assert world.rental(rental).messages == ()
    assert world.events(user) == []
    assert world.sms(rental.phone_number, provider="twilio") is Fate.MATCHED
    assert world.rental(rental).message_count == 1


def test_i4_an_sms_that_the_balance_cant_pay_is_kept_unpaid_and_untold(world: World) -> None:
    world.stock(1)
    user = world.user(balance=Micros(2 * PRICE - 1))
    rental = world.rent(user)
    for name in ("first", "second", "third"):
        assert world.sms(rental.phone_number, name, message_id=name) is Fate.MATCHED
    assert [message.paid for message in world.rental(rental).messages] == [True, False, False]
    assert kept(world, "first").event_id is not None
    assert kept(world, "second").event_id is None
    assert len(world.events(user)) == len(world.deliveries(user)) == len(world.queued()) == 1
    assert world.balance(user) == PRICE - 1
    world.assert_i2(user)


def test_i4_money_spent_between_the_read_and_the_commit_leaves_the_sms_unpaid(world: World) -> None:
    world.stock(2)
    user = world.user(balance=Micros(2 * PRICE))
    rental = world.rent(user)
    world.sms(rental.phone_number)
    # Past the attempt as a first SMS, which the rental refuses.
    between = [lambda request: None, meanwhile(lambda: world.rent(user))]
    with tapped(*between, only="TransactWriteItems"):
        assert world.sms(rental.phone_number) is Fate.MATCHED
    assert [message.paid for message in world.rental(rental).messages] == [True, False]
    assert world.balance(user) == 0
    world.assert_i2(user)


def incoming(world: World, to: str) -> InboundSms:
    return InboundSms(
        message_id="m", sender="Acme", to=to, text=TEXT, received_at=world.stack.clock.now
    )


def broken(text: str, sender: str | None) -> FoundCode | None:
    raise RuntimeError("a finder with a defect")


def test_i4_a_finder_that_fails_stops_nothing(world: World, user: User, rental: Rental) -> None:
    here = world.stack.platform
    inbound = Inbound(here.settings, here.clock, here.webhooks, broken, here.low_balance)
    sms = incoming(world, rental.phone_number)
    assert inbound.receive("generic", "demo", sms) is Fate.MATCHED
    assert [(sms.text, sms.code) for sms in world.rental(rental).messages] == [(TEXT, None)]
    assert [event.type for event in world.events(user)] == ["sms_received"]


def test_i4_a_queue_that_fails_after_the_commit_is_made_up_for_by_the_sweep(
    world: World, stack: Stack, user: User, rental: Rental
) -> None:
    world.webhook(user, "http://127.0.0.1:9/hook")
    settings = stack.platform.settings
    lost = replace(settings, webhooks_queue=settings.webhooks_queue + "-gone")
    without_queue = Platform(lost, stack.clock, post=stack.receiver)
    fate = without_queue.inbound.receive("generic", "demo", incoming(world, rental.phone_number))
    assert fate is Fate.MATCHED
    assert world.queued() == []
    stack.clock.advance(seconds=60)
    stack.platform.jobs.requeue_deliveries()
    world.deliver()
    assert len(stack.receiver.received) == 1
    assert [delivery.state for delivery in world.deliveries(user)] == [DeliveryState.DELIVERED]


def test_i4_a_conflict_that_does_not_end_stores_nothing_and_the_next_post_all(
    world: World, user: User, rental: Rental
) -> None:
    with tapped(*[conflict] * 6, only="TransactWriteItems"), pytest.raises(BusyError):
        world.sms(rental.phone_number, message_id="m")
    assert world.kept("m") is None
    assert world.rental(rental).messages == ()
    assert world.sms(rental.phone_number, message_id="m") is Fate.MATCHED
    assert len(world.events(user)) == world.rental(rental).message_count == 1
