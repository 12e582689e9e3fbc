"""API keys: issued, shown once, trusted for a while, revoked."""

from dataclasses import replace

import pytest

from chalicelib.bootstrap import Platform
from chalicelib.domain import keys
from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.times import SECOND
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
)
from chalicelib.services.accounts import TRUSTED_FOR, Accounts
from chalicelib.services.key_ring import KeyRing
from tests.conftest import START, Stack
from tests.wire import stored, tapped
from tests.world import World

TRUSTED_SECONDS = TRUSTED_FOR / SECOND
MOMENT = 0.001
CHECKSUM = 6


@pytest.fixture
def accounts(stack: Stack) -> Accounts:
    return stack.platform.accounts


@pytest.fixture
def ring(stack: Stack) -> KeyRing:
    return stack.platform.key_ring


def elsewhere(stack: Stack) -> Accounts:
    """The accounts as another Lambda serves them: the same tables and time, no cache in common."""
    other: Platform = replace(stack.platform)
    assert other.accounts is not stack.platform.accounts
    return other.accounts


def test_a_key_opens_its_users_account_and_is_kept_as_a_hash(
    world: World, accounts: Accounts, ring: KeyRing
) -> None:
    user = world.user()
    issued = ring.issue(user.login, "production")
    key, found = accounts.authenticate(issued.text)
    assert (found.user_id, key.label, key.user_id) == (user.user_id, "production", user.user_id)
    assert key.key_hash == keys.hash_key(issued.text)
    assert issued.text not in f"{issued!r} {issued}"
    assert not any(issued.text in item for item in stored())


def test_a_key_is_told_by_its_prefix_which_opens_nothing(
    world: World, accounts: Accounts, ring: KeyRing
) -> None:
    user = world.user()
    issued = ring.issue(user.user_id)
    assert issued.text.startswith(issued.key.prefix)
    assert len(issued.text) - len(issued.key.prefix) >= 39 + CHECKSUM
    assert [key.prefix for key in ring.live(user.login)] == [issued.key.prefix]
    with pytest.raises(UnauthenticatedError):
        accounts.authenticate(issued.key.prefix)


def test_a_user_has_two_live_keys_at_most(world: World, accounts: Accounts, ring: KeyRing) -> None:
    user = world.user()
    first, second = (ring.issue(user.user_id) for _ in range(2))
    with pytest.raises(ConflictError) as error:
        ring.issue(user.user_id)
    assert error.value.code == "too_many_keys"
    for key in (first, second):
        assert accounts.authenticate(key.text)[1].user_id == user.user_id
    ring.revoke(user.user_id, first.key.prefix)
    third = ring.issue(user.user_id)
    listed = {key.prefix for key in ring.live(user.user_id)}
    assert listed == {second.key.prefix, third.key.prefix}


def test_of_two_keys_issued_at_once_the_late_one_is_refused(
    world: World, accounts: Accounts, ring: KeyRing, stack: Stack
) -> None:
    user = world.user()
    ring.issue(user.user_id)

    def other_comes_first(_: object) -> None:
        replace(stack.platform).key_ring.issue(user.user_id)

    with (
        tapped(other_comes_first, only="TransactWriteItems"),
        pytest.raises(ConflictError) as error,
    ):
        ring.issue(user.user_id)
    assert error.value.code == "keys_changed"
    assert len(ring.live(user.user_id)) == 2


def test_a_revoked_key_opens_nothing_here_at_once(
    world: World, accounts: Accounts, ring: KeyRing
) -> None:
    user = world.user()
    issued = ring.issue(user.user_id)
    accounts.authenticate(issued.text)
    ring.revoke(user.user_id, issued.key.prefix)
    with pytest.raises(UnauthenticatedError) as error:
        accounts.authenticate(issued.text)
    assert (error.value.code, error.value.field) == ("invalid_api_key", "api_key")
    assert ring.live(user.user_id) == []


def test_a_revocation_takes_effect_elsewhere_within_thirty_seconds(
    world: World, stack: Stack
) -> None:
    user = world.user()
    there = elsewhere(stack)
    issued = stack.platform.key_ring.issue(user.user_id)
    there.authenticate(issued.text)
    stack.platform.key_ring.revoke(user.user_id, issued.key.prefix)
    stack.clock.advance(seconds=TRUSTED_SECONDS - MOMENT)
    assert there.authenticate(issued.text)[1].user_id == user.user_id
    stack.clock.advance(seconds=MOMENT)
    with pytest.raises(UnauthenticatedError):
        there.authenticate(issued.text)
    assert TRUSTED_SECONDS == 30


def test_use_does_not_lengthen_the_trust_in_a_key(world: World, stack: Stack) -> None:
    user, there = world.user(), elsewhere(stack)
    issued = stack.platform.key_ring.issue(user.user_id)
    there.authenticate(issued.text)
    stack.platform.key_ring.revoke(user.user_id, issued.key.prefix)
    for _ in range(29):
        stack.clock.advance(seconds=1)
        there.authenticate(issued.text)
    stack.clock.advance(seconds=1)
    with pytest.raises(UnauthenticatedError):
        there.authenticate(issued.text)


@pytest.mark.parametrize("prefix", ["", "sesame_x", "x", "SESAME"])
def test_a_prefix_that_names_no_key_revokes_nothing(
    world: World, accounts: Accounts, ring: KeyRing, prefix: str
) -> None:
    user = world.user()
    issued = ring.issue(user.user_id)
    with pytest.raises(NotFoundError) as error:
        ring.revoke(user.user_id, prefix)
    assert (error.value.code, error.value.field) == ("key_not_found", "prefix")
    assert accounts.authenticate(issued.text)


def test_a_prefix_that_names_two_keys_revokes_none(
    world: World, accounts: Accounts, ring: KeyRing
) -> None:
    user = world.user()
    issued = [ring.issue(user.user_id) for _ in range(2)]
    with pytest.raises(NotFoundError):
        ring.revoke(user.user_id, f"sesame_{user.user_id}_")
    with pytest.raises(NotFoundError):
        ring.revoke(world.user().user_id, issued[0].key.prefix)
    assert all(accounts.authenticate(key.text) for key in issued)


def test_a_good_key_is_read_once_in_thirty_seconds(
    world: World, accounts: Accounts, ring: KeyRing, stack: Stack
) -> None:
    issued = ring.issue(world.user().user_id)
    with tapped() as wire:
        for _ in range(5):
            accounts.authenticate(issued.text)
        stack.clock.advance(seconds=TRUSTED_SECONDS)
        accounts.authenticate(issued.text)
    assert wire.operations() == ["BatchGetItem"] * 2


def test_junk_is_refused_without_a_read(world: World, accounts: Accounts, ring: KeyRing) -> None:
    text = ring.issue(world.user().user_id).text
    other = "1" if text[-1] == "0" else "0"
    junk = ["", "x", " ", text[:-1], text + "0", text[:-1] + other, text.upper(), f" {text}"]
    junk += [text.replace("sesame", "Sesame"), f"{text}\n", "ключ", "\ud800", "x" * 100_000]
    with tapped() as wire:
        for each in junk:
            with pytest.raises(UnauthenticatedError):
                accounts.authenticate(each)
    assert wire.attempts == []


def test_a_well_formed_key_that_nobody_was_given_is_refused(
    world: World, accounts: Accounts, ring: KeyRing
) -> None:
    user = world.user()
    ring.issue(user.user_id)
    for owner in (user.user_id, UserId(new_ulid(START))):
        with pytest.raises(UnauthenticatedError):
            accounts.authenticate(keys.new_key(owner))


def test_the_key_of_a_pending_user_is_known_and_may_nothing(
    accounts: Accounts, ring: KeyRing
) -> None:
    user = accounts.create("alice", "Alice")
    with pytest.raises(ForbiddenError) as error:
        accounts.authenticate(ring.issue(user.user_id).text)
    assert error.value.code == "account_inactive"
