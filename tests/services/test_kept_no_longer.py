"""What is past its time is shown no longer, though DynamoDB may not have removed it yet."""

import pytest

from chalicelib.domain.fraud import Decision, RuleName
from chalicelib.domain.ids import E164
from chalicelib.domain.times import DAY, Millis
from chalicelib.errors import NotFoundError
from chalicelib.stores import decisions
from tests.conftest import START
from tests.world import World


def at(world: World, moment: int) -> None:
    world.stack.clock.now = Millis(moment)


def test_unclaimed_sms_past_their_time_are_left_out(world: World) -> None:
    for day in (0, 1):
        at(world, START + day * DAY)
        for _ in range(2):
            world.sms("+14155550100")

    def listed(limit: int) -> tuple[list[int], bool]:
        page, start = world.stack.platform.administration.unclaimed(None, None, limit=limit)
        return [sms.stored_at for sms in page], start is not None

    at(world, START + 7 * DAY - 1)
    assert listed(3) == ([START + DAY] * 2 + [START], True)
    at(world, START + 7 * DAY)
    assert listed(3) == ([START + DAY] * 2, False)
    assert listed(1) == ([START + DAY], True)


def test_a_ticket_past_its_time_is_like_one_that_never_was(world: World) -> None:
    user = world.user()
    here = world.stack.platform
    number = here.otp.generate(user, {"phone_number": "+14155552671"}).ticket_number
    at(world, START + 7 * DAY - 1)
    assert here.otp_tickets.find(user, number).ticket.ticket_number == number
    at(world, START + 7 * DAY)
    with pytest.raises(NotFoundError):
        here.otp_tickets.find(user, number)


def test_decisions_past_their_time_are_left_out(world: World) -> None:
    user = world.user()
    for day in (0, 1):
        moment = Millis(START + day * DAY)
        noted = Decision(RuleName.COUNTRY, True, moment)
        decisions.note(user.user_id, E164("+14155552671"), noted, moment, 7)
    at(world, START + 7 * DAY)
    found, start = world.stack.platform.otp_accounts.decisions(user.user_id, None, limit=9)
    assert (len(found), start) == (1, None)
