"""What providers post is let in only when it is known to be theirs."""

from dataclasses import dataclass, field

import pytest

from chalicelib.domain.times import DAY, SECOND, Millis
from chalicelib.errors import BusyError, ForbiddenError
from chalicelib.outbound import Fetched, NotSentError
from chalicelib.providers.contract import InboundPost, InboundSms, Reply
from chalicelib.services.provider_posts import ProviderPosts
from chalicelib.settings import ProviderAccount
from tests.conftest import TestClock

CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/key.pem"
CONFIRMATION_URL = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
ACCOUNT = ProviderAccount("main", ())
POST = InboundPost("https://sesame.test/inbound/x/main", {}, b"{}", source_ip="192.0.2.7")


@dataclass
class Web:
    """Answers what is at its URLs, and counts."""

    found: dict[str, bytes]
    status: int = 200
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, url: str, **_: object) -> Fetched:
        assert method == "GET"
        self.asked.append(url)
        if self.is_down:
            raise NotSentError("connection_failed")
        return Fetched(self.status, self.found[url], {})


@dataclass
class Plain:
    """A provider that trusts the body `good`."""

    METHODS = frozenset({"POST"})

    def verify(self, post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
        return post.body == b"good"

    def parse(self, post: InboundPost, now: Millis) -> list[InboundSms]:
        return []

    def accepted(self) -> Reply:
        return Reply("", "text/plain")


@dataclass
class ByCertificate(Plain):
    """A provider that signs by a certificate, and wants to be confirmed."""

    confirms: bool = False
    names_certificate: bool = True

    def verify(self, post: InboundPost, account: ProviderAccount, now: Millis) -> bool:
        return post.certificate == b"PEM"

    def certificate_url(self, post: InboundPost, account: ProviderAccount) -> str | None:
        return CERTIFICATE_URL if self.names_certificate else None

    def confirmation_url(self, post: InboundPost, account: ProviderAccount) -> str | None:
        return CONFIRMATION_URL if self.confirms else None


@pytest.fixture
def web() -> Web:
    return Web({CERTIFICATE_URL: b"PEM", CONFIRMATION_URL: b"<ok/>"})


@pytest.fixture
def posts(web: Web) -> ProviderPosts:
    return ProviderPosts(TestClock(), web)


def with_body(body: bytes) -> InboundPost:
    return InboundPost(POST.url, {}, body, source_ip=POST.source_ip)


def test_only_what_verifies_is_let_in(posts: ProviderPosts, web: Web) -> None:
    posts.genuine(Plain(), [with_body(b"good")], ACCOUNT)
    with pytest.raises(ForbiddenError) as caught:
        posts.genuine(Plain(), [with_body(b"bad")], ACCOUNT)
    assert caught.value.code == "invalid_signature"
    assert web.asked == []


@pytest.mark.parametrize(
    ("networks", "allowed"),
    [
        ((), True),
        (("192.0.2.0/24",), True),
        (("198.51.100.0/24", "192.0.2.7"), True),
        (("198.51.100.0/24",), False),
        (("2001:db8::/32",), False),
    ],
)
def test_an_allow_list_holds_for_signed_posts_too(
    posts: ProviderPosts, networks: tuple[str, ...], allowed: bool
) -> None:
    account = ProviderAccount("main", (), allow_ips=networks)
    if allowed:
        posts.genuine(Plain(), [with_body(b"good")], account)
        return
    with pytest.raises(ForbiddenError) as caught:
        posts.genuine(Plain(), [with_body(b"good")], account)
    assert caught.value.code == "address_not_allowed"


@pytest.mark.parametrize("address", ["", "nonsense", "\ud800"])
def test_an_unknown_address_is_on_no_list(posts: ProviderPosts, address: str) -> None:
    account = ProviderAccount("main", (), allow_ips=("0.0.0.0/0", "::/0"))
    post = InboundPost(POST.url, {}, b"good", source_ip=address)
    with pytest.raises(ForbiddenError):
        posts.genuine(Plain(), [post], account)


def test_a_certificate_is_fetched_once_a_day(web: Web) -> None:
    clock = TestClock()
    posts = ProviderPosts(clock, web)
    for _ in range(3):
        posts.genuine(ByCertificate(), [POST], ACCOUNT)
    assert web.asked == [CERTIFICATE_URL]
    clock.advance(seconds=DAY / SECOND)
    posts.genuine(ByCertificate(), [POST], ACCOUNT)
    assert web.asked == [CERTIFICATE_URL] * 2


def test_a_post_that_names_no_certificate_of_theirs_has_none_fetched(
    posts: ProviderPosts, web: Web
) -> None:
    with pytest.raises(ForbiddenError):
        posts.genuine(ByCertificate(names_certificate=False), [POST], ACCOUNT)
    assert web.asked == []


@pytest.mark.parametrize("trouble", ["down", "status"])
def test_without_its_certificate_a_post_is_to_come_again(
    posts: ProviderPosts, web: Web, trouble: str
) -> None:
    web.is_down, web.status = trouble == "down", 200 if trouble == "down" else 404
    with pytest.raises(BusyError):
        posts.genuine(ByCertificate(), [POST], ACCOUNT)
    web.is_down, web.status = False, 200
    posts.genuine(ByCertificate(), [POST], ACCOUNT)


def test_a_subscription_is_confirmed_only_if_genuine(posts: ProviderPosts, web: Web) -> None:
    posts.genuine(ByCertificate(confirms=True), [POST], ACCOUNT)
    assert web.asked == [CERTIFICATE_URL, CONFIRMATION_URL]
    web.found[CERTIFICATE_URL] = b"another"
    forged = ProviderPosts(TestClock(), web)
    with pytest.raises(ForbiddenError):
        forged.genuine(ByCertificate(confirms=True), [POST], ACCOUNT)
    assert web.asked == [CERTIFICATE_URL, CONFIRMATION_URL, CERTIFICATE_URL]


def test_a_confirmation_that_fails_is_to_come_again(posts: ProviderPosts, web: Web) -> None:
    posts.genuine(ByCertificate(), [POST], ACCOUNT)
    web.status = 500
    with pytest.raises(BusyError):
        posts.genuine(ByCertificate(confirms=True), [POST], ACCOUNT)


def test_a_query_is_genuine_however_its_blanks_were_spelled(posts: ProviderPosts) -> None:
    spellings = [with_body(b"bad"), with_body(b"good")]
    assert posts.genuine(Plain(), spellings, ACCOUNT) is spellings[1]
