"""Delivery receipts: kept with the sending that they are of, whenever they come."""

import pytest

from chalicelib.domain.ticket import TicketState
from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.domain.user import User
from chalicelib.errors import BusyError
from chalicelib.providers.sending import Receipt, ReceiptStatus
from chalicelib.services.otp import Generated
from chalicelib.stores import db
from chalicelib.stores.ticket_items import TicketRow
from chalicelib.stores.ticket_sendings import receipts_key
from tests.conftest import Stack
from tests.sendings import NEVER, Carrier, Post, heard, post_in
from tests.wire import conflict, reply_lost, stored, tapped
from tests.world import meanwhile, together

ON_ITS_WAY, DELIVERED, UNDELIVERED = ReceiptStatus


@pytest.fixture
def post(stack: Stack) -> Post:
    return post_in(stack)


@pytest.fixture
def user(post: Post) -> User:
    return post.user()


@pytest.fixture
def first(post: Post) -> Carrier:
    return post.carriers["first"]


def receive(
    post: Post,
    message_id: str,
    status: ReceiptStatus,
    detail: str = "",
    *,
    provider: str = "first",
    account: str = "main",
) -> None:
    receipt = Receipt(message_id, status, detail, post.stack.clock.now)
    post.elsewhere().otp_receipts.receive(provider, account, receipt)


def state(post: Post, user: User, made: Generated) -> TicketState:
    return post.lookup(user, made).state


def test_a_receipt_is_shown_with_its_sending(post: Post, user: User) -> None:
    made = post.sent(user)
    at = post.stack.clock.now
    receive(post, "first-1", ON_ITS_WAY, "accepted by carrier")
    assert state(post, user, made) is TicketState.SENT
    post.stack.clock.advance(seconds=2)
    receive(post, "first-1", DELIVERED, "#0#1")
    ((way, delivered),) = post.lookup(user, made).heard
    assert (way.status, way.detail, way.at) == ("on_its_way", "accepted by carrier", at)
    assert (delivered.status, delivered.detail) == ("delivered", "#0#1")
    assert delivered.at == at + 2 * SECOND
    assert state(post, user, made) is TicketState.DELIVERED
    post.assert_over(user, made)


def test_a_receipt_that_comes_before_we_noted_the_send_is_kept(
    post: Post, user: User, first: Carrier
) -> None:
    first.script = [lambda: receive(post, "early", DELIVERED) or "early"]
    made = post.sent(user)
    assert heard(post, made) == [["delivered"]]
    assert state(post, user, made) is TicketState.DELIVERED
    receive(post, "early", UNDELIVERED)
    assert heard(post, made) == [["delivered", "undelivered"]]
    post.assert_over(user, made)


def test_a_receipt_that_comes_as_the_send_is_noted_is_kept(
    post: Post, user: User, first: Carrier
) -> None:
    first.script = ["as-it-is"]
    made = post.generate(user)
    with tapped(meanwhile(lambda: receive(post, "as-it-is", DELIVERED)), only="TransactWriteItems"):
        post.advance_tickets()
    assert heard(post, made) == [["delivered"]]


def test_said_again_it_stays_as_it_was_said_first(post: Post, user: User) -> None:
    made = post.sent(user)
    receive(post, "first-1", DELIVERED, "first")
    at = post.stack.clock.now
    post.stack.clock.advance(seconds=60)
    receive(post, "first-1", DELIVERED, "second")
    together(*[lambda: receive(post, "first-1", DELIVERED, "third")] * 3)
    ((delivered,),) = post.lookup(user, made).heard
    assert (delivered.detail, delivered.at) == ("first", at)


@pytest.mark.parametrize("order", [(DELIVERED, UNDELIVERED), (UNDELIVERED, DELIVERED)], ids=str)
def test_of_contradictory_ones_the_better_counts(
    post: Post, user: User, order: tuple[ReceiptStatus, ...]
) -> None:
    made = post.sent(user)
    for status in order:
        receive(post, "first-1", status)
    assert heard(post, made) == [["delivered", "undelivered"]]
    assert state(post, user, made) is TicketState.DELIVERED


def test_the_last_that_was_heard_of_counts(post: Post, user: User) -> None:
    made = post.sent(user)
    post.sent(user)
    receive(post, "first-1", UNDELIVERED)
    receive(post, "first-2", ON_ITS_WAY)
    assert state(post, user, made) is TicketState.SENT
    receive(post, "first-1", DELIVERED)
    receive(post, "first-2", UNDELIVERED)
    assert state(post, user, made) is TicketState.DELIVERED


def test_a_code_sent_again_after_one_was_not_delivered_is_sent(post: Post, user: User) -> None:
    """Nothing was heard of the later SMS: that the earlier did not arrive says nothing of it."""
    made = post.sent(user)
    receive(post, "first-1", UNDELIVERED)
    assert state(post, user, made) is TicketState.UNDELIVERED
    post.sent(user)
    assert state(post, user, made) is TicketState.SENT


@pytest.mark.parametrize(
    ("provider", "account", "message_id"),
    [("first", "main", "first-2"), ("second", "main", "first-1"), ("first", "other", "first-1")],
    ids=["unknown id", "other provider", "other account"],
)
def test_a_receipt_of_nothing_of_ours_changes_nothing(
    post: Post, user: User, provider: str, account: str, message_id: str
) -> None:
    made = post.sent(user)
    before = post.row(made).to_dynamodb_dict()
    receive(post, message_id, DELIVERED, provider=provider, account=account)
    receive(post, message_id, UNDELIVERED, provider=provider, account=account)
    assert heard(post, made) == [[]]
    assert post.row(made).to_dynamodb_dict() == before
    row = db.get(TicketRow, receipts_key(provider, account, message_id))
    assert row is not None
    assert row.ttl == (post.stack.clock.now + 7 * DAY) // SECOND


def test_the_same_id_at_two_providers_is_two_messages(post: Post, user: User) -> None:
    other = post.user()
    post.carriers["first"].script = ["same", NEVER]
    post.carriers["second"].script = ["same"]
    mine, theirs = post.sent(user), post.sent(other, phone_number="+14155552672")
    receive(post, "same", UNDELIVERED)
    receive(post, "same", DELIVERED, provider="second")
    assert (heard(post, mine), heard(post, theirs)) == ([["undelivered"]], [["delivered"]])


def test_any_id_of_a_provider_leads_to_its_sending(post: Post, user: User, first: Carrier) -> None:
    ids = ["a#b", "\u00e9" * 200, "last#x", "x y", "#"]
    first.script = list(ids)
    made = [post.sent(user) for _ in ids][-1]
    for message_id in ids:
        receive(post, message_id, DELIVERED)
    assert heard(post, made) == [["delivered"]] * len(ids)


def test_receipts_go_on_after_the_code_was_used(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    assert post.validate(user, made, post.code(first.sent[0])) == 0
    receive(post, "first-1", UNDELIVERED)
    receive(post, "first-1", DELIVERED)
    assert heard(post, made) == [["delivered", "undelivered"]]
    assert state(post, user, made) is TicketState.VALIDATED
    post.assert_over(user, made)


def test_a_receipt_whose_reply_is_lost_is_kept_once(post: Post, user: User) -> None:
    made = post.sent(user)
    with tapped(reply_lost, reply_lost):
        receive(post, "first-1", DELIVERED)
    assert heard(post, made) == [["delivered"]]


def test_a_receipt_that_can_not_be_kept_is_to_be_posted_again(post: Post, user: User) -> None:
    made = post.sent(user)
    with tapped(*[conflict] * 6), pytest.raises(BusyError):
        receive(post, "first-1", DELIVERED)
    assert heard(post, made) == [[]]


def test_the_receipts_of_all_sendings_are_one_read(post: Post, user: User) -> None:
    made = [post.sent(user) for _ in range(3)][-1]
    for sent in (1, 3):
        receive(post, f"first-{sent}", ON_ITS_WAY)
    with tapped() as wire:
        found = post.lookup(user, made)
    assert [len(each) for each in found.heard] == [1, 0, 1]
    assert len(wire.operations()) == 2


def test_a_receipt_outlives_no_ticket(post: Post, user: User) -> None:
    """What leads from a message to its ticket is forgotten with it."""
    made = post.sent(user)
    row = db.get(TicketRow, receipts_key("first", "main", "first-1"))
    assert row is not None
    assert row.last_token == made.token
    assert row.ttl == post.row(made).ttl == (post.stack.clock.now + 7 * DAY) // SECOND


def test_i8_a_receipt_keeps_no_code(post: Post, user: User, first: Carrier) -> None:
    made = post.sent(user)
    receive(post, "first-1", DELIVERED, "ok")
    code = post.code(first.sent[0])
    post.stack.clock.now = Millis(post.stack.clock.now + 1)
    assert not [item for item in stored() if code in item and made.token in item]
