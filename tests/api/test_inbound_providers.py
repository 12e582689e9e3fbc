"""Every provider through POST /inbound: what it is answered, by which methods, from where."""

import json
from dataclasses import replace

import pytest

from chalicelib.domain.rental import Rental
from chalicelib.domain.user import User
from chalicelib.providers import registry
from tests.api.inbound_posts import (
    BY_GET,
    CERTIFICATE_URL,
    JSON,
    REPLIES,
    SUBSCRIBE_URL,
    TEXT,
    Signed,
    Sns,
    by_infobip,
    by_sns,
    by_vonage,
    confirmation,
    genuine,
    genuine_get,
    infobip_sms,
    live_secrets,
)
from tests.api.shapes import refused
from tests.conftest import Stack
from tests.wire import TRANSACT, conflict, failed, stored, tapped
from tests.world import World, get

PROVIDERS = sorted(REPLIES)
MOST = 256 * 1024
ELSEWHERE = {
    "Host": "evil.test",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "host=evil.test;proto=http;for=203.0.113.9",
    "X-Original-URL": "/elsewhere",
}
COVERS_URL = ["bird_channels", "messagebird", "plivo", "twilio"]


@pytest.fixture
def sns() -> Sns:
    return Sns()


@pytest.fixture(autouse=True)
def _live(stack: Stack, sns: Sns) -> None:
    stack.fetch = sns
    stack.configure(SESAME_SECRETS=live_secrets())


@pytest.fixture
def user(world: World) -> User:
    world.stock(1)
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    return world.rent(user)


def texts(world: World, rental: Rental) -> list[str]:
    return [message.text for message in world.rental(rental).messages]


def test_every_provider_that_is_live_is_tried_here() -> None:
    assert set(PROVIDERS) == registry.NAMES
    by_get = {name for name in PROVIDERS if "GET" in _methods(name)}
    assert by_get == set(BY_GET)


def _methods(name: str) -> frozenset[str]:
    provider = registry.get(name)
    assert provider is not None
    return provider.METHODS


@pytest.mark.parametrize("provider", PROVIDERS)
def test_i4_each_is_stored_once_and_answered_as_its_provider_wants(
    world: World, stack: Stack, user: User, rental: Rental, provider: str
) -> None:
    signed = genuine(provider, stack.clock.now, rental.phone_number)
    for _ in range(2):
        response = signed.send()
        told = (response.status_code, response.body, response.headers["Content-Type"])
        assert told == (200, *REPLIES[provider])
        assert response.headers["X-Request-Id"]
    (message,) = world.rental(rental).messages
    assert (message.text, message.code, message.provider) == (TEXT, "482913", provider)
    assert len(world.events(user)) == len(world.queued()) == 1


@pytest.mark.parametrize("provider", BY_GET)
def test_i4_who_posts_by_get_is_read_by_get(
    world: World, stack: Stack, user: User, rental: Rental, provider: str
) -> None:
    text = "Your code is 482913 & not 1+1=2 é😀"
    signed = genuine_get(provider, stack.clock.now, rental.phone_number, text)
    for _ in range(2):
        response = signed.send()
        told = (response.status_code, response.body, response.headers["Content-Type"])
        assert told == (200, *REPLIES[provider])
    assert texts(world, rental) == [text]
    assert len(world.events(user)) == 1


def test_405_for_a_get_where_the_provider_posts(stack: Stack, subtests: pytest.Subtests) -> None:
    for provider in set(PROVIDERS) - set(BY_GET):
        signed = genuine(provider, stack.clock.now, "+14155550199")
        by_get = Signed(provider, signed.headers, b"", "", signed.query, "GET")
        with subtests.test(provider), tapped() as wire:
            refused(by_get.send(), 405, "method_not_allowed")
            assert wire.attempts == []


@pytest.mark.parametrize("provider", ["aws", "clicksend", "infobip", "telnyx", "vonage"])
def test_i4_a_conflict_is_503_with_retry_after_and_the_repeat_is_stored(
    world: World, stack: Stack, rental: Rental, provider: str
) -> None:
    signed, items = genuine(provider, stack.clock.now, rental.phone_number), stored()
    with tapped(*[conflict] * 6, only=TRANSACT):
        response = signed.send()
    refused(response, 503, "busy")
    assert response.headers["Retry-After"] == "1"
    assert stored() == items
    assert signed.send().status_code == 200
    assert texts(world, rental) == [TEXT]


@pytest.mark.parametrize("part", [1, 2])
def test_i4_a_part_that_could_not_be_kept_is_503_and_comes_again(
    world: World, stack: Stack, rental: Rental, part: int
) -> None:
    for number in (1, 2):
        signed = by_vonage(
            stack.clock.now,
            rental.phone_number,
            text=f"<{number}>",
            concat="true",
            **{"concat-ref": "7", "concat-part": str(number), "concat-total": "2"},
        )
        if number == part:
            throttled = failed("ProvisionedThroughputExceededException")
            with tapped(*[throttled] * 3, only="UpdateItem"):
                refused(signed.send(), 503, "busy")
        assert signed.send().status_code == 200
    assert texts(world, rental) == ["<1><2>"]


def test_a_body_of_256_kb_is_read_and_one_byte_more_is_413(
    stack: Stack, subtests: pytest.Subtests
) -> None:
    for provider in PROVIDERS:
        signed = genuine(provider, stack.clock.now, "+14155550199")
        with subtests.test(provider):
            read, refusal = (replace(signed, body=signed.body.ljust(n)) for n in (MOST, MOST + 1))
            assert read.send().status_code in (200, 400, 403)
            refused(refusal.send(), 413, "body_too_large", "body")


def test_an_account_that_is_unknown_is_404_whoever_the_provider_is(
    stack: Stack, subtests: pytest.Subtests
) -> None:
    answers = []
    for provider in (*PROVIDERS, "nobody", "contract", "registry"):
        known = genuine(
            provider if provider in REPLIES else "generic", stack.clock.now, "+14155550199"
        )
        with subtests.test(provider), tapped() as wire:
            signed = replace(known, provider=provider)
            answers.append(refused(signed.send("other"), 404, "unknown_account"))
            by_get = get(f"/inbound/{provider}/other")
            answers.append(refused(by_get, 404, "unknown_account"))
            assert wire.attempts == []
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("provider", [*COVERS_URL, "telnyx", "vonage"])
def test_behind_a_proxy_only_the_configured_public_url_counts(
    world: World, stack: Stack, rental: Rental, provider: str
) -> None:
    signed = genuine(provider, stack.clock.now, rental.phone_number)
    assert signed.send(**ELSEWHERE).status_code == 200
    stack.configure(SESAME_PUBLIC_URL="https://evil.test")
    again = signed.send(**ELSEWHERE)
    if provider in COVERS_URL:
        refused(again, 403, "invalid_signature")
    assert texts(world, rental) == [TEXT]


@pytest.mark.parametrize("network", ["127.0.0.0/8", "198.51.100.0/24", "203.0.113.0/24"])
def test_an_allow_list_goes_by_the_address_and_by_no_header(
    stack: Stack, sns: Sns, subtests: pytest.Subtests, network: str
) -> None:
    secrets = json.loads(live_secrets())
    for accounts in secrets["providers"].values():
        accounts["demo"]["allow_ips"] = [network]
    stack.configure(SESAME_SECRETS=json.dumps(secrets))
    for provider in PROVIDERS:
        with subtests.test(provider):
            response = genuine(provider, stack.clock.now, "+14155550199").send(**ELSEWHERE)
            if network == "127.0.0.0/8":
                assert response.status_code == 200
            else:
                refused(response, 403, "address_not_allowed")
    if network != "127.0.0.0/8":
        assert stored() == []
        assert sns.asked == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_i4_of_a_batch_with_a_bad_sms_the_others_are_stored_and_it_is_named(
    world: World, user: User, rental: Rental, place: int
) -> None:
    items = [infobip_sms(f"m{at}", rental.phone_number, f"text {at}") for at in range(3)]
    del items[place]["text"]
    signed = by_infobip(*items)
    refused(signed.send(), 400, "missing_parameter", "results.text")
    expected = [f"text {at}" for at in range(3) if at != place]
    assert texts(world, rental) == expected
    before = stored()
    refused(signed.send(), 400, "missing_parameter", "results.text")
    assert stored() == before
    assert len(world.events(user)) == 2
    world.assert_i2(user)


def test_i4_a_batch_that_meets_a_conflict_half_way_is_stored_by_its_repeat(
    world: World, user: User, rental: Rental
) -> None:
    signed = by_infobip(*(infobip_sms(f"m{at}", rental.phone_number, f"<{at}>") for at in range(3)))
    with tapped() as wire:
        wire.only = TRANSACT
        # The first SMS takes one transaction, a later one two: it is not the rental's first.
        wire.faults = [lambda _: None, lambda _: None, *[conflict] * 6]
        refused(signed.send(), 503, "busy")
    assert texts(world, rental) == ["<0>"]
    assert signed.send().status_code == 200
    assert texts(world, rental) == ["<0>", "<1>", "<2>"]
    assert len(world.events(user)) == 3
    world.assert_i2(user)


def test_a_batch_of_nothing_is_answered_and_stores_nothing() -> None:
    assert by_infobip().send().status_code == 200
    assert stored() == []


def test_a_batch_with_a_wrong_password_stores_nothing(rental: Rental) -> None:
    before = stored()
    signed = by_infobip(infobip_sms("m", rental.phone_number), password="sesame:battery staple")
    refused(signed.send(), 403, "invalid_signature")
    assert stored() == before


def test_parts_that_vonage_posts_in_any_order_are_one_sms(
    world: World, stack: Stack, user: User, rental: Rental
) -> None:
    pieces = {1: "Your Acme code is ", 2: "4829", 3: "13."}
    for number in (3, 1, 3, 2, 1):
        concat = {"concat-ref": "66", "concat-part": str(number), "concat-total": "3"}
        signed = by_vonage(
            stack.clock.now, rental.phone_number, text=pieces[number], concat="true", **concat
        )
        response = signed.send()
        assert (response.status_code, response.body) == (200, b"")
    (message,) = world.rental(rental).messages
    assert (message.text, message.code) == ("Your Acme code is 482913.", "482913")
    assert len(world.events(user)) == 1


def test_a_subscription_of_our_topic_is_confirmed_and_stores_nothing(
    stack: Stack, sns: Sns
) -> None:
    response = confirmation(stack.clock.now).send()
    assert (response.status_code, response.body) == (200, b"")
    assert sns.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]
    assert stored() == []


def test_a_subscription_of_another_topic_is_not_confirmed(stack: Stack, sns: Sns) -> None:
    topic = "arn:aws:sns:us-west-2:999999999999:sesame-sms"
    refused(confirmation(stack.clock.now, topic).send(), 403, "invalid_signature")
    assert SUBSCRIBE_URL not in sns.asked


def test_a_subscription_that_is_changed_on_its_way_is_not_confirmed(stack: Stack, sns: Sns) -> None:
    signed = confirmation(stack.clock.now)
    changed = signed.body.replace(b"2336412f37", b"2336412f38")
    refused(Signed("aws", {}, changed, JSON).send(), 403, "invalid_signature")
    assert SUBSCRIBE_URL not in sns.asked


def test_503_while_sns_can_not_be_asked_and_then_it_is_confirmed(stack: Stack, sns: Sns) -> None:
    sns.status = 500
    response = confirmation(stack.clock.now).send()
    refused(response, 503, "busy")
    assert response.headers["Retry-After"] == "1"
    sns.status = 200
    assert confirmation(stack.clock.now).send().status_code == 200
    assert sns.asked[-1] == SUBSCRIBE_URL


def test_what_sns_says_of_our_own_sendings_is_no_sms(stack: Stack) -> None:
    event = {"eventType": "TEXT_DELIVERED", "eventTimestamp": 1_700_000_000_000, "messageId": "m"}
    signed = by_sns(stack.clock.now, Type="Notification", Message=json.dumps(event))
    assert signed.send().status_code == 200
    assert stored() == []
