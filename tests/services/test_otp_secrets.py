"""I8: no code that we make is in clear at rest or in a log, whatever becomes of its sending."""

import logging
from collections.abc import Iterable

import pytest

from chalicelib.domain.fraud import RuleName
from chalicelib.domain.otp_codes import derive_code
from chalicelib.domain.times import later
from chalicelib.domain.user import User
from chalicelib.services.otp import Generated
from chalicelib.stores import queues
from tests.carriers import Loop
from tests.conftest import Stack
from tests.wire import answered, conflict, reply_lost, stored, tapped
from tests.world import World

TICKETS, ADVANCED = 1_000, 60
LENGTH = 12
# Of this shape no code is in a text by chance.
SHAPE = {"code_length": LENGTH, "allow_upper_case": True, "allow_lower_case": True}
OFF = {name: {"mode": "off"} for name in RuleName}


def found(codes: Iterable[str], text: str) -> set[str]:
    """Those of `codes` that are in `text`, as they are or with something between their letters."""
    wanted = set(codes)
    bare = "".join(filter(str.isalnum, text))
    return {part for at in range(len(bare)) if (part := bare[at : at + LENGTH]) in wanted}


def user_of(world: World) -> User:
    user = world.user()
    world.webhook(user, "http://127.0.0.1:9/hook", "otp_sent", "otp_failed", "otp_validated")
    world.stack.platform.otp_accounts.change(user.user_id, {"rules": OFF})
    return world.find(user)


def send(world: World, user: User, at: int, **given: object) -> Generated:
    # Every tenth is a number that the provider refuses, every eighth a call.
    block = "4156" if at % 10 == 0 else "4155"
    channel = "voice_sms" if at % 8 == 0 else "sms"
    return world.stack.platform.otp.generate(
        user, {"phone_number": f"+1{block}{at:06}", "channel": channel, **SHAPE, **given}
    )


def codes_of(world: World, user: User, made: Iterable[Generated]) -> dict[str, str]:
    """The code of each ticket, by its token."""
    platform = world.stack.platform
    shape = platform.otp_tickets.find(user, next(iter(made)).ticket_number).ticket.shape
    pepper = platform.settings.secrets.pepper
    return {each.token: derive_code(pepper, each.token, shape) for each in made}


@pytest.mark.long
def test_i8_a_thousand_tickets_leave_no_code_in_the_tables_or_the_logs(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    user = user_of(world)
    made = [send(world, user, at) for at in range(ADVANCED)]
    world.advance_tickets()

    def fail(*_: object, **__: object) -> None:
        raise queues.QueueError("down")

    # For the others the queue is down, which the log tells; and as all numbers are new, what the
    # engine would say of them is known. Both cost less.
    nothing = [answered({"Responses": {}})] * (TICKETS - ADVANCED)
    with monkeypatch.context() as patched, tapped(*nothing, only="BatchGetItem"):
        patched.setattr(queues, "send", fail)
        made += [send(world, user, at) for at in range(ADVANCED, TICKETS)]
    codes = codes_of(world, user, made)
    assert len(set(codes.values())) == TICKETS
    validate = world.stack.platform.otp_tickets.validate
    for at, (token, code) in enumerate(list(codes.items())[:30]):
        given = code if at % 2 else code[::-1]
        validate(user, {"code": given, "otp_request_token": token})
    kept = "\n".join(stored())
    assert all(token in kept for token in codes)
    assert not found(codes.values(), kept)
    assert caplog.text
    assert not found(codes.values(), caplog.text)
    # The search finds what is there, spelled out too.
    hidden = list(codes.values())[7]
    assert found(codes.values(), kept[:99] + "-".join(hidden) + kept[:99]) == {hidden}


def test_i8_providers_that_fail_leave_no_code(
    world: World, stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stack.fetch = Loop(down=True)
    stack.configure()
    user, numbers = user_of(world), world.stock(4)
    generate = world.stack.platform.otp.generate
    made = [generate(user, {"phone_number": to, **SHAPE}) for to in numbers]
    made += [generate(user, {"phone_number": numbers[0], **SHAPE})]
    for _ in range(3):
        world.advance_tickets()
        stack.clock.advance(seconds=75)
        stack.platform.otp_sending.requeue_due(later(stack.clock.now, seconds=60))
    with tapped(conflict, reply_lost, only="TransactWriteItems"):
        made.append(send(world, user, 1))
    stack.configure(SESAME_OTP_ROUTES='{"*": ["nobody:home", "simulator:unknown"]}')
    world.advance_tickets()
    for delivery in world.deliveries(user):
        stack.platform.webhooks.deliver(delivery.delivery_id, user.user_id)
    codes = codes_of(world, user, made)
    entries = world.ledger(user)
    assert sum(entry.kind == "refund" for entry in entries) == len(made)
    kept, told = "\n".join(stored()), caplog.text + str(stack.receiver.received)
    assert "nobody" in kept
    assert "otp_failed" in told
    assert not found(codes.values(), kept + told)


def test_i8_objects_that_hold_secrets_do_not_show_them(world: World) -> None:
    user = user_of(world)
    made = send(world, user, 1, recipient_ip="192.0.2.1", text="secret {code}")
    shown = repr(made) + repr(world.stack.platform.otp_tickets.find(user, made.ticket_number))
    assert made.token not in shown
    assert "secret" not in shown
    code = codes_of(world, user, [made])[made.token]
    assert not found([code], shown)
