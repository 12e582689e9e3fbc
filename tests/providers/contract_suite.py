"""What every provider's module must do: a test class per provider inherits ProviderContract.

Its fixtures are pairs in fixtures/<name>/: `case.post` is a body as the provider posts it,
`case.json` the messages in it (`received_at` null where it is the moment of the post; `part`, if
there is one, as group, number and total).
"""

import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.api.inbound import MOST_BODY_BYTES
from chalicelib.domain.times import SECOND, Millis, later
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers import registry
from chalicelib.providers.contract import (
    MOST_TEXT,
    InboundPost,
    InboundSms,
    Part,
    Provider,
    Reply,
)
from chalicelib.providers.sending import Sender
from chalicelib.settings import ProviderAccount

NOW = Millis(1_686_843_045_678)
FIXTURES = Path(__file__).parent / "fixtures"
# Unlike text() by itself, with lone surrogates, and with what breaks things often.
ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff\0\n é\uff12"), max_size=60)
# One test function runs in every provider's class; hypothesis asks whether that is meant.
FUZZ = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors],
)
MOST_TRIED = 300
"""Bytes: of what is longer, each is changed in one way, and not in every one."""
PROXY_HEADERS = {
    "host": "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-port": "8443",
    "x-forwarded-prefix": "/v1",
    "x-original-url": "/elsewhere",
    "forwarded": "host=evil.example;proto=http",
}


class ProviderContract:
    """The hooks come first: what a subclass says about its provider's scheme.

    `signed_headers` are those that a post can't be genuine without. `covers_body`, `covers_url`
    and `covers_query` say what a signature is over: of an unsigned provider, nothing.
    """

    name: str
    secret: str
    other_secret: str
    worthless_secret: str
    signed_headers: tuple[str, ...]
    required_fields: tuple[str, ...]
    text_field: str
    window_seconds: int | None
    covers_body: bool = True
    covers_url: bool
    covers_query: bool = True
    reply: Reply

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        """The headers that the provider's own SDK makes for a post."""
        raise NotImplementedError

    def signed_body(self, body: bytes, secret: str, now: Millis) -> bytes:
        """The body with the provider's signature in it, where that is its place."""
        return body

    def get(self, body: bytes, now: Millis = NOW) -> InboundPost:
        """The messages of `body` as they come by GET: for a form, in the query in its stead."""
        query = self.signed_body(body, self.secret, now).decode()
        url = f"{self.url.partition('?')[0]}?{query}"
        return InboundPost(url, self.sign(b"", self.secret, url, now), b"", "GET")

    def batch(self, texts: list[str]) -> bytes | None:
        """A body of one message for each of `texts`; None if a body has always one."""
        return None

    def body(self, **changes: str | None) -> bytes:
        """A genuine body with fields changed, or left out where None."""
        raise NotImplementedError

    def same_meaning(self, one: bytes, other: bytes) -> bool:
        """Whether the scheme can't tell these bodies apart because they say the same."""
        return False

    def same_header(self, one: str, other: str) -> bool:
        """Whether these values of a signed header say the same."""
        return False

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        """The headers that anybody could make for an account of `worthless_secret`."""
        raise NotImplementedError

    @property
    def provider(self) -> Provider:
        found = registry.get(self.name)
        assert found is not None
        return found

    @property
    def url(self) -> str:
        return f"https://sesame.example/inbound/{self.name}/main?tag=a%20b"

    def post(self, body: bytes, now: Millis = NOW, url: str = "") -> InboundPost:
        """A genuine post, signed for `url` and reaching us at our own."""
        signed = self.signed_body(body, self.secret, now)
        return InboundPost(self.url, self.sign(signed, self.secret, url or self.url, now), signed)

    def forged(self, body: bytes) -> InboundPost:
        """What anybody could post to an account of `worthless_secret`."""
        return InboundPost(self.url, self.sign_worthlessly(body, self.url, NOW), body)

    def account(self, *secrets: str) -> ProviderAccount:
        return ProviderAccount("main", secrets or (self.secret,))

    def verifies(self, post: InboundPost, now: Millis = NOW) -> bool:
        return self.provider.verify(post, self.account(), now)

    def parse(self, body: bytes) -> list[InboundSms]:
        return self.provider.parse(InboundPost(self.url, {}, body), NOW)

    def cases(self) -> list[Path]:
        found = sorted((FIXTURES / self.name).glob("*.post"))
        assert found
        return found

    def test_module_has_the_contracts_signatures(self) -> None:
        self.check_signatures(Provider, "verify", "parse", "accepted")
        if self.name in registry.SENDERS:
            self.check_signatures(Sender, "send", "receipts")
            sender = registry.sender(self.name)
            assert sender is not None
            assert sender.CHANNELS

    def test_it_posts_by_methods_that_reach_it(self) -> None:
        assert isinstance(self.provider.METHODS, frozenset)
        assert self.provider.METHODS
        assert {"GET", "POST"} >= self.provider.METHODS

    def test_genuine_payloads_are_accepted_and_read(self) -> None:
        for case in self.cases():
            post = self.post(case.read_bytes())
            assert self.verifies(post), case.name
            assert self.provider.parse(post, NOW) == self.expected(case), case.name

    def test_a_repeat_has_the_same_message_ids(self) -> None:
        for case in self.cases():
            first, second = (
                self.provider.parse(self.post(case.read_bytes(), now), now)
                for now in (NOW, later(NOW, seconds=3_600))
            )
            assert [sms.message_id for sms in first] == [sms.message_id for sms in second]

    def test_a_batch_is_read_whole(self) -> None:
        texts = ["one", "", "three 🔐"]
        body = self.batch(texts)
        if body is None:
            return
        found = self.parse(body)
        assert [sms.text for sms in found] == texts
        assert len({sms.message_id for sms in found}) == len(texts)
        for place in range(len(texts)):
            spoilt = self.batch([*texts[:place], "x" * (MOST_TEXT + 1), *texts[place + 1 :]])
            assert spoilt is not None
            with pytest.raises(InvalidInputError) as caught:
                self.parse(spoilt)
            assert caught.value.field == self.text_field

    def test_every_changed_byte_of_the_body_is_refused_if_it_is_signed(self) -> None:
        for case in self.cases():
            post = self.post(case.read_bytes())
            for changed in changes(post.body):
                if not self.same_meaning(post.body, changed):
                    altered = replace(post, body=changed)
                    assert self.verifies(altered) is not self.covers_body, (case.name, changed)

    def test_a_get_brings_what_a_post_brings(self) -> None:
        for case in self.gets():
            post = self.get(case.read_bytes())
            assert post.method == "GET"
            assert self.verifies(post), case.name
            assert self.provider.parse(post, NOW) == self.expected(case), case.name

    def test_every_changed_byte_of_a_gets_query_is_refused_if_it_is_signed(self) -> None:
        for case in self.gets():
            post = self.get(case.read_bytes())
            address, _, query = post.url.partition("?")
            for changed in changes(query.encode()):
                if not self.same_meaning(query.encode(), changed):
                    altered = replace(post, url=f"{address}?{changed.decode('latin-1')}")
                    assert self.verifies(altered) is not self.covers_body, (case.name, changed)

    def test_the_body_of_a_get_and_the_query_of_a_post_are_not_read(self) -> None:
        for case in self.gets():
            other = self.body(**{self.text_field: "another text"})
            get = replace(self.get(case.read_bytes()), body=other)
            assert self.provider.parse(get, NOW) == self.expected(case)
            with pytest.raises(InvalidInputError):
                self.provider.parse(replace(self.get(case.read_bytes()), method="POST"), NOW)

    def test_every_changed_byte_of_a_signed_header_is_refused(self) -> None:
        post = self.post(self.body())
        for header in self.signed_headers:
            value = post.headers[header]
            others = set("\0 ,.=+v1\uff12\ud800")
            for at, char in enumerate(value):
                for new in (others | {char.swapcase(), chr(ord(char) ^ 1)}) - {char}:
                    changed = value[:at] + new + value[at + 1 :]
                    if self.same_header(value, changed):
                        continue
                    headers = {**post.headers, header: changed}
                    assert not self.verifies(replace(post, headers=headers)), (header, changed)

    def test_a_missing_or_empty_header_is_refused(self) -> None:
        post = self.post(self.body())
        for header in self.signed_headers:
            rest = {name: value for name, value in post.headers.items() if name != header}
            assert not self.verifies(replace(post, headers=rest)), header
            assert not self.verifies(replace(post, headers={**rest, header: ""})), header

    def test_every_changed_byte_of_the_url_is_refused_if_it_is_signed(self) -> None:
        post = self.post(self.body())
        start = self.url.index("/inbound")
        for at in range(start, len(self.url)):
            changed = self.url[:at] + chr(ord(self.url[at]) ^ 1) + self.url[at + 1 :]
            covered = self.covers_url and (self.covers_query or at <= self.url.index("?"))
            assert self.verifies(replace(post, url=changed)) is not covered, changed

    def test_a_url_that_is_no_text_is_no_error(self) -> None:
        post = self.post(self.body())
        for junk in ("\ud800", "\udfff", "é", "\0", "\n"):
            covered = self.covers_url and self.covers_query
            assert self.verifies(replace(post, url=self.url + junk)) is not covered

    def test_behind_a_proxy_only_our_configured_url_counts(self) -> None:
        post = self.post(self.body())
        assert self.verifies(replace(post, headers={**post.headers, **PROXY_HEADERS}))
        for url in (
            self.url.replace("https://sesame.example", "https://evil.example"),
            self.url.replace("https://", "http://"),
            self.url.replace("/inbound", "/v1/inbound"),
        ):
            elsewhere = self.post(self.body(), url=url)
            headers = {**elsewhere.headers, **PROXY_HEADERS}
            assert self.verifies(replace(elsewhere, headers=headers)) is not self.covers_url

    def test_another_accounts_secret_is_refused(self) -> None:
        post = self.post(self.body())
        assert not self.provider.verify(post, self.account(self.other_secret), NOW)
        assert not self.provider.verify(post, ProviderAccount("main", ()), NOW)

    def test_both_live_secrets_are_accepted(self) -> None:
        post = self.post(self.body())
        for pair in ((self.secret, self.other_secret), (self.other_secret, self.secret)):
            assert self.provider.verify(post, self.account(*pair), NOW)

    def test_a_worthless_secret_opens_nothing_and_stops_nothing(self) -> None:
        body = self.body()
        account = self.account(self.worthless_secret)
        assert not self.provider.verify(self.forged(body), account, NOW)
        both = self.account(self.worthless_secret, self.secret)
        assert self.provider.verify(self.post(body), both, NOW)

    def test_a_replay_outside_the_window_is_refused(self) -> None:
        post = self.post(self.body())
        if self.window_seconds is None:
            assert self.verifies(post, later(NOW, seconds=10 * 365 * 86_400))
            return
        whole = Millis(NOW - NOW % SECOND)
        for seconds in (-self.window_seconds, self.window_seconds):
            edge = later(whole, seconds=seconds)
            beyond = later(edge, seconds=1 if seconds > 0 else -1)
            assert self.verifies(post, edge)
            assert not self.verifies(post, beyond)

    def test_each_missing_field_is_named(self) -> None:
        for field in self.required_fields:
            with pytest.raises(MissingInputError) as caught:
                self.parse(self.body(**{field: None}))
            assert caught.value.field == field

    def test_each_blank_or_long_field_is_named(self) -> None:
        for field in set(self.required_fields) - {self.text_field}:
            for value in ("", " \t", "x" * 257):
                with pytest.raises(InvalidInputError) as caught:
                    self.parse(self.body(**{field: value}))
                assert caught.value.field == field

    def test_text_may_be_empty_or_at_the_limit_and_not_over_it(self) -> None:
        for text in ("", "🔐" * MOST_TEXT):
            assert [sms.text for sms in self.parse(self.body(**{self.text_field: text}))] == [text]
        for length in (MOST_TEXT + 1, 1_000_000):
            with pytest.raises(InvalidInputError) as caught:
                self.parse(self.body(**{self.text_field: "x" * length}))
            assert caught.value.field == self.text_field

    def test_a_body_of_a_megabyte_is_verified_and_refused(self) -> None:
        assert self.verifies(self.post(self.body(**{self.text_field: "x" * 1_000_000})))
        for junk in (b"[", b"&", b'{"a":', b"a=b&", b"\0", b"%", b"\xff", b"9", b" "):
            body = junk * (MOST_BODY_BYTES // len(junk))
            headers = self.post(b"x=y").headers
            assert self.verifies(InboundPost(self.url, headers, body)) is not self.covers_body
            with pytest.raises(InvalidInputError):
                self.parse(body)

    def test_other_encodings_are_refused(self) -> None:
        text = self.body().decode()
        for encoding in ("utf-16", "utf-16-le", "utf-32", "cp037"):
            with pytest.raises(InvalidInputError):
                self.parse(text.encode(encoding))

    def test_text_keeps_its_nul(self) -> None:
        assert self.parse(self.body(**{self.text_field: "a\0b"}))[0].text == "a\0b"

    def test_the_reply_stops_the_provider_from_sending_again(self) -> None:
        assert self.provider.accepted() == self.reply

    @FUZZ
    @given(body=st.binary(max_size=300))
    def test_parse_raises_nothing_else_for_any_bytes(self, body: bytes) -> None:
        self.check_parse(body)

    @FUZZ
    @given(data=st.data())
    def test_parse_raises_nothing_else_for_damaged_bodies(self, data: st.DataObject) -> None:
        body = bytearray(data.draw(st.sampled_from(self.cases())).read_bytes())
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        self.check_parse(bytes(body))

    @FUZZ
    @given(data=st.data())
    def test_verify_raises_nothing_for_any_post(self, data: st.DataObject) -> None:
        post = self.post(self.body())
        known = st.sampled_from([*self.signed_headers, "content-type"])
        headers = data.draw(st.dictionaries(known, ANY_TEXT))
        url = data.draw(st.sampled_from([self.url, "https://", "http://[", ""])) + data.draw(
            ANY_TEXT
        )
        body = data.draw(st.binary(max_size=100))
        assert not self.verifies(InboundPost(url, headers, body))
        # With the rest genuine, so that every branch past the headers is met too.
        self.verifies(InboundPost(url, post.headers, post.body))
        self.verifies(replace(post, headers={**post.headers, **headers}))
        self.verifies(replace(post, body=body))

    def expected(self, case: Path) -> list[InboundSms]:
        """The messages that a fixture's JSON tells of."""
        return [
            InboundSms(
                **{
                    **sms,
                    "received_at": NOW if sms["received_at"] is None else sms["received_at"],
                    "part": Part(*sms["part"]) if "part" in sms else None,
                }
            )
            for sms in json.loads(case.with_suffix(".json").read_text("utf-8"))
        ]

    def gets(self) -> list[Path]:
        """The cases that come by GET too."""
        return self.cases() if "GET" in self.provider.METHODS else []

    def check_signatures(self, protocol: type, *names: str) -> None:
        for name in names:
            asked = inspect.signature(getattr(protocol, name))
            without_self = list(asked.parameters.values())[1:]
            offered = inspect.signature(getattr(self.provider, name))
            assert offered == asked.replace(parameters=without_self), name

    def check_parse(self, body: bytes) -> None:
        """Parse gives messages that can be stored, or InvalidInputError, which names a field."""
        try:
            messages = self.parse(body)
        except InvalidInputError:
            return
        for sms in messages:
            for text in (sms.message_id, sms.sender, sms.to, sms.text):
                text.encode("utf-8")
            assert 1 <= len(sms.message_id) <= 200
            assert sms.message_id.isprintable()
            assert 0 < sms.received_at <= NOW
            if sms.part is not None:
                assert 1 <= sms.part.number <= sms.part.total
                assert sms.part.group.isprintable()


def changes(raw: bytes) -> Iterator[bytes]:
    """`raw` with one byte changed, for every byte."""
    for at, byte in enumerate(raw):
        others = [byte ^ 1, byte ^ 0x20, byte ^ 0x80, 0, ord("&")]
        tried = others if len(raw) <= MOST_TRIED else [others[at % len(others)]]
        for new in sorted({*tried} - {byte}) or [byte ^ 1]:
            yield raw[:at] + bytes([new]) + raw[at + 1 :]
