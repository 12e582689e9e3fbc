"""POST /inbound/{provider}/{account}: genuine ones stored and answered, all others not."""

import json

import pytest

from chalicelib.domain.ids import E164
from chalicelib.domain.rental import Rental
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from tests.api.inbound_posts import (
    FORM,
    SID,
    TWIML,
    Signed,
    by_twilio,
    genuine,
    standard,
    standard_secret,
)
from tests.api.shapes import refused
from tests.conftest import Stack
from tests.wire import conflict, failed, stored, tapped
from tests.world import World

PROVIDERS = ["generic", "simulator", "twilio"]
MOST = 256 * 1024


@pytest.fixture
def user(world: World) -> User:
    world.stock(2)
    return world.user()


@pytest.fixture
def rental(world: World, user: User) -> Rental:
    return world.rent(user)


def codes(world: World, user: User, rental: Rental) -> list[str | None]:
    found = world.stack.platform.rentals.find(user, rental.rental_id)
    return [message.code for message in found.messages]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_genuine_post_is_stored_and_answered_as_its_provider_wants(
    world: World, stack: Stack, user: User, rental: Rental, provider: str
) -> None:
    response = genuine(provider, stack.clock.now, rental.phone_number).send()
    assert response.status_code == 200
    if provider == "twilio":
        assert response.body.decode() == TWIML
        assert response.headers["Content-Type"] == "text/xml"
    else:
        assert response.json_body == {"status": "success"}
        assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"]
    assert codes(world, user, rental) == ["482913"]
    found = stack.platform.rentals.find(user, rental.rental_id).messages[0]
    assert (found.provider, found.message_id) == (provider, SID)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_i4_a_post_sent_again_is_answered_and_changes_nothing(
    world: World, stack: Stack, user: User, rental: Rental, provider: str
) -> None:
    signed = genuine(provider, stack.clock.now, rental.phone_number)
    first = signed.send()
    items = stored()
    assert signed.send().body == first.body
    assert stored() == items
    assert len(world.queued()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_post_for_an_unknown_number_is_kept_and_answered(stack: Stack, provider: str) -> None:
    signed = genuine(provider, stack.clock.now, "+14155550199")
    assert signed.send().status_code == 200
    assert ["unknown_number" in item for item in stored()] == [True]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("text", ["", "😀 код 123456", "\u0000", "line\nbreak", "x" * 4_000])
def test_any_text_is_kept_as_it_came(
    world: World, stack: Stack, user: User, rental: Rental, provider: str, text: str
) -> None:
    assert genuine(provider, stack.clock.now, rental.phone_number, text).send().status_code == 200
    found = stack.platform.rentals.find(user, rental.rental_id)
    assert [message.text for message in found.messages] == [text]


def wrongly_signed(now: Millis, to: str) -> list[Signed]:
    posts = []
    for provider in PROVIDERS:
        good = genuine(provider, now, to)
        name = "X-Twilio-Signature" if provider == "twilio" else "webhook-signature"
        signature = {header.lower(): good.headers[header] for header in good.headers}[name.lower()]
        for other in ("", "v1,", "x", "é", signature[:-2], signature.swapcase()):
            headers = {k: v for k, v in good.headers.items() if k.lower() != name.lower()}
            posts.append(Signed(provider, {**headers, name: other}, good.body, good.content_type))
        posts.append(Signed(provider, {}, good.body, good.content_type))
        posts.append(
            Signed(provider, good.headers, good.body.replace(b"code", b"c0de"), good.content_type)
        )
    return posts


def test_403_for_a_bad_signature_and_nothing_is_written(stack: Stack, rental: Rental) -> None:
    before = stored()
    posts = wrongly_signed(stack.clock.now, rental.phone_number)
    assert len(posts) == 24
    with tapped() as wire:
        for signed in posts:
            refused(signed.send(), 403, "invalid_signature")
    assert wire.attempts == []
    assert stored() == before


@pytest.mark.parametrize("provider", ["generic", "simulator"])
def test_403_for_the_secret_of_another_provider(stack: Stack, provider: str) -> None:
    other = {"generic": "simulator", "simulator": "generic"}[provider]
    body = genuine("generic", stack.clock.now, "+14155550199").body
    signed = standard(provider, stack.clock.now, body, standard_secret(other))
    refused(signed.send(), 403, "invalid_signature")


@pytest.mark.parametrize("seconds", [-301, 301])
def test_403_for_a_signature_that_is_not_fresh(stack: Stack, seconds: int) -> None:
    signed = genuine("generic", stack.clock.now, "+14155550199")
    stack.clock.advance(seconds=seconds)
    refused(signed.send(), 403, "invalid_signature")
    stack.clock.advance(seconds=-seconds)
    assert signed.send().status_code == 200


def test_twilios_signature_covers_the_public_url_and_its_query(stack: Stack) -> None:
    fields = {"MessageSid": SID, "From": "Acme", "To": "+14155550199", "Body": "Hello"}
    assert by_twilio(fields, query="?tag=a&b=c").send().status_code == 200
    signed = by_twilio(fields, query="?tag=a")
    for query in ("", "?tag=b", "?tag=a&more=1"):
        other = Signed("twilio", signed.headers, signed.body, FORM, query)
        refused(other.send(), 403, "invalid_signature")
    stack.configure(SESAME_PUBLIC_URL="https://elsewhere.test")
    refused(signed.send(), 403, "invalid_signature")


def test_the_host_header_plays_no_part(stack: Stack) -> None:
    signed = genuine("twilio", stack.clock.now, "+14155550199")
    assert signed.send(Host="evil.test", **{"X-Forwarded-Host": "evil.test"}).status_code == 200


@pytest.mark.parametrize(
    ("provider", "account"),
    [
        ("generic", "other"),
        ("Generic", "demo"),
        ("contract", "demo"),
        ("registry", "demo"),
        ("nobody", "demo"),
        ("generic", "demo%20"),
        ("generic", "é"),
        ("generic", "x" * 500),
        ("generic", "..%2fdemo"),
    ],
)
def test_404_for_an_unknown_provider_or_account(stack: Stack, provider: str, account: str) -> None:
    signed = genuine("generic", stack.clock.now, "+14155550199")
    other = Signed(provider, signed.headers, signed.body, signed.content_type)
    refused(other.send(account), 404, "unknown_account")
    assert stored() == []


JSON_CHANGES: list[tuple[str, object]] = [
    ("message_id", None),
    ("message_id", ""),
    ("message_id", 7),
    ("message_id", "x" * 201),
    ("message_id", "a\u0000"),
    ("message_id", "\ud800"),
    ("from", None),
    ("from", []),
    ("from", "x" * 257),
    ("to", None),
    ("to", "  "),
    ("text", None),
    ("text", {"a": 1}),
    ("text", "x" * 4_001),
    ("received_at", "yesterday"),
    ("received_at", 10**400),
    ("received_at", True),
    ("received_at", "1999-01-01T00:00:00Z"),
]


@pytest.mark.parametrize("provider", ["generic", "simulator"])
def test_400_for_bad_fields(stack: Stack, provider: str, subtests: pytest.Subtests) -> None:
    good = {"message_id": "m", "from": "Acme", "to": "+14155550199", "text": "Hello"}
    for name, value in JSON_CHANGES:
        with subtests.test(name=name, value=value):
            body = json.dumps({**good, name: value}).encode()
            code = "missing_parameter" if value in (None, "") else "invalid_parameter"
            refused(standard(provider, stack.clock.now, body).send(), 400, code, name)
    assert stored() == []


@pytest.mark.parametrize("name", ["MessageSid", "From", "To", "Body"])
def test_400_for_twilio_without_a_field(stack: Stack, name: str) -> None:
    good = {"MessageSid": SID, "From": "Acme", "To": "+14155550199", "Body": "Hello"}
    fields = {key: value for key, value in good.items() if key != name}
    refused(by_twilio(fields).send(), 400, "missing_parameter", name)
    assert stored() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 50_000, b"NaN"])
def test_400_for_a_body_that_is_signed_and_no_json(stack: Stack, body: bytes) -> None:
    response = standard("generic", stack.clock.now, body).send()
    refused(response, 400, "invalid_parameter", "body")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_413_for_a_body_over_256_kb_before_it_is_verified(stack: Stack, provider: str) -> None:
    signed = genuine(provider, stack.clock.now, "+14155550199")
    for size, status in ((MOST, 403), (MOST + 1, 413)):
        body = b"x" * size
        response = Signed(provider, signed.headers, body, signed.content_type).send()
        code, field = {403: ("invalid_signature", None), 413: ("body_too_large", "body")}[status]
        refused(response, status, code, field)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_i4_503_when_it_could_not_be_stored_and_the_repeat_is(
    world: World, stack: Stack, user: User, rental: Rental, provider: str
) -> None:
    signed, items = genuine(provider, stack.clock.now, rental.phone_number), stored()
    with tapped(*[conflict] * 6, only="TransactWriteItems"):
        refused(signed.send(), 503, "busy")
    with tapped(*[failed("ThrottlingException")] * 3):
        refused(signed.send(), 503, "busy")
    assert stored() == items
    assert signed.send().status_code == 200
    assert codes(world, user, rental) == ["482913"]


def test_a_number_bound_to_another_account_is_not_spoken_for(world: World, stack: Stack) -> None:
    world.stock(1, provider="twilio", account="demo")
    user = world.user()
    rental = world.rent(user)
    assert rental.phone_number == E164("+14152000000")
    assert genuine("generic", stack.clock.now, rental.phone_number).send().status_code == 200
    assert codes(world, user, rental) == []
    assert genuine("twilio", stack.clock.now, rental.phone_number).send().status_code == 200
    assert codes(world, user, rental) == ["482913"]
