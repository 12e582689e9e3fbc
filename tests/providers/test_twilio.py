"""Twilio keeps the contract; the signatures are those of Twilio's own SDK."""

import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from contract_suite import ANY_TEXT, FUZZ, NOW, ProviderContract, changes
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator, get_signature_algorithm

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import twilio
from chalicelib.providers.contract import InboundPost, Reply

URL = "https://sesame.example/inbound/twilio/main"
SID = "SM3f1a9d0c7b2e4856a0c9d8e7f6b5a4c3"
FIELDS = {
    "MessageSid": SID,
    "AccountSid": "AC00000000000000000000000000000001",
    "From": "+14155550123",
    "To": "+447700900123",
    "Body": "Your code is 482913",
    "NumSegments": "1",
    "NumMedia": "0",
}
Pairs = list[tuple[str, str]]


class MultiDict(dict[str, list[str]]):
    """Form fields as Django's QueryDict offers them to the SDK."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


class TestTwilio(ProviderContract):
    name = "twilio"
    secret = "0123456789abcdef0123456789abcdef"
    other_secret = "fedcba9876543210fedcba9876543210"
    worthless_secret = ""
    signed_headers = ("x-twilio-signature",)
    required_fields = ("MessageSid", "From", "To", "Body")
    text_field = "Body"
    window_seconds = None
    covers_url = True
    reply = Reply('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return {"x-twilio-signature": signature(url, form(body), secret)}

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, "", url, now)

    def body(self, **changes: str | None) -> bytes:
        fields = {**FIELDS, **changes}
        return urlencode([(k, v) for k, v in fields.items() if v is not None]).encode()

    def same_meaning(self, one: bytes, other: bytes) -> bool:
        # %2B and %2b, + and a space: another byte, the same field.
        try:
            return form(one) == form(other)
        except UnicodeDecodeError:
            return False

    @pytest.mark.parametrize("host", ["sesame.example", "[::1]"])
    @pytest.mark.parametrize("scheme", ["https", "http"])
    @pytest.mark.parametrize("query", ["", "?a=b:1", "/?x=http://y:2/"])
    def test_the_port_may_be_signed_or_not(self, scheme: str, host: str, query: str) -> None:
        standard = {"https": 443, "http": 80}[scheme]
        rest = f"/inbound/twilio/main{query}"
        without, with_port = f"{scheme}://{host}{rest}", f"{scheme}://{host}:{standard}{rest}"
        for configured in (without, with_port):
            for signed in (without, with_port):
                assert self.accepts(configured, signed), (configured, signed)
        assert not self.accepts(without, f"{scheme}://{host}:8443{rest}")
        assert not self.accepts(without, f"{scheme}://{host}:{standard}0{rest}")
        assert not self.accepts(with_port, f"{scheme}://x{host}{rest}")

    def test_a_port_of_our_own_may_be_signed_or_not(self) -> None:
        ours = "http://127.0.0.1:8000/inbound/twilio/main"
        assert self.accepts(ours, ours)
        assert self.accepts(ours, "http://127.0.0.1/inbound/twilio/main")
        assert not self.accepts(ours, "http://127.0.0.1:8001/inbound/twilio/main")

    def test_a_lone_surrogate_is_not_taken_for_a_question_mark(self) -> None:
        post = self.post(self.body())
        url = self.url.replace("?", "\ud800")
        assert not self.verifies(InboundPost(url, post.headers, post.body))

    def test_repeated_fields_count_once_for_each_value(self) -> None:
        pairs = [*FIELDS.items(), ("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("NumMedia", "0")]
        body = urlencode(pairs).encode()
        assert self.verifies(self.post(body))
        once = urlencode([*FIELDS.items(), ("Tag", "a"), ("Tag", "b")]).encode()
        assert self.post(once).headers == self.post(body).headers
        assert len(self.parse(body)) == 1

    @pytest.mark.parametrize("field", ["MessageSid", "From", "To", "Body"])
    def test_a_field_with_two_values_is_named(self, field: str) -> None:
        self.refuses(field, self.body() + f"&{field}=other".encode())

    @pytest.mark.parametrize(
        "sid", [SID[:-1], SID + "0", SID[:-1] + "#", SID[:-1] + "é", "\0" * 34]
    )
    def test_a_message_sid_that_is_not_whole_is_refused(self, sid: str) -> None:
        self.refuses("MessageSid", self.body(MessageSid=sid))

    @pytest.mark.parametrize(
        "body", [b"Body=%FF", b"Body=\xff", b"Body=%ED%A0%80", b"%C3=x", b"a=b&" * 500]
    )
    def test_a_form_that_can_not_be_read_is_refused_as_the_body(self, body: bytes) -> None:
        self.refuses("body", body)
        assert not self.verifies(InboundPost(self.url, self.post(b"").headers, body))

    def test_a_captured_post_can_be_cut_up_as_the_sdk_lets_it_but_keeps_its_message_sid(
        self,
    ) -> None:
        # Names and values are signed without a separator: "1234Code" is also "1234" and "Code=".
        post = self.post(self.body(Body="1234Code"))
        texts = set()
        for at in range(len(post.body)):
            for cut in (b"=", b"&"):
                body = post.body[:at] + cut + post.body[at:]
                if not self.verifies(InboundPost(post.url, post.headers, body)):
                    continue
                try:
                    (sms,) = self.parse(body)
                except InvalidInputError:
                    continue
                assert sms.message_id == SID
                texts.add(sms.text)
        assert texts == {"1234Code", "1234"}

    @pytest.mark.parametrize("by_get", [False, True])
    def test_a_shared_keys_sha256_signature_is_accepted(self, by_get: bool) -> None:
        post = self.signed_by_sha256("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", by_get)
        assert self.verifies(post)
        assert not twilio.verify(post, self.account(self.other_secret), NOW)
        assert not twilio.verify(post, self.account(""), NOW)
        assert not self.verifies(replace(post, url=post.url + "&a=b"))
        if not by_get:
            assert not self.verifies(replace(post, body=self.body(Body="other")))

    @pytest.mark.parametrize("by_get", [False, True])
    def test_an_algorithm_that_is_not_the_signatures_own_is_refused(self, by_get: bool) -> None:
        post = self.signed_by_sha256("algorithm=HMAC_SHA256", by_get)
        sha1 = self.get(self.body()) if by_get else self.post(self.body())
        for settings in ("", "key=k", "algorithm=", "algorithm=HMAC_SHA1"):
            assert not self.verifies(with_settings(post, settings)), settings
            assert self.verifies(with_settings(sha1, settings)), settings
        for settings in ("algorithm=HMAC_SHA256", "algorithm=none", "algorithm=HMAC_MD5"):
            assert not self.verifies(with_settings(sha1, settings)), settings
        for settings in ("algorithm=none", "algorithm=md5", "algorithm=sha256", "algorithm=é"):
            assert not self.verifies(with_settings(post, settings)), settings

    @pytest.mark.parametrize(
        "settings",
        [
            "",
            ",",
            "key=k",
            "algorithm",
            "algorithm=",
            "algorithm= ",
            "algorithm=HMAC_SHA1",
            "algorithm=HMAC_SHA256",
            "algorithm=hmac_sha256",
            " algorithm = HMAC_SHA256 ",
            "key=a=b,algorithm=HMAC_SHA256",
            "algorithm=HMAC_SHA256,key=k",
            "algorithm=,algorithm=HMAC_SHA256",
            "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256",
            "algorithm=HMAC_SHA256,algorithm=HMAC_SHA1",
            "algorithm=HMAC_SHA256;key=k",
            "Algorithm=HMAC_SHA256",
            "xalgorithm=HMAC_SHA256",
            "algorithm==HMAC_SHA256",
            "algorithm=HMAC_SHA512",
        ],
    )
    def test_the_settings_header_is_read_as_the_sdk_reads_it(self, settings: str) -> None:
        algorithm = get_signature_algorithm(settings)
        for post in (self.signed_by_sha256(settings), with_settings(self.post(b"a=b"), settings)):
            given = post.headers["x-twilio-signature"]
            known = RequestValidator(self.secret).validate(
                post.url, form(post.body), given, algorithm
            )
            assert self.verifies(post) is known

    def test_json_is_signed_by_its_hash_in_the_url(self) -> None:
        post = self.by_json(FIELDS)
        assert self.verifies(post)
        assert self.verifies(
            with_settings(self.by_json(FIELDS, "HMAC_SHA256"), "algorithm=HMAC_SHA256")
        )
        (sms,) = twilio.parse(post, NOW)
        assert (sms.message_id, sms.sender) == (SID, FIELDS["From"])
        assert (sms.to, sms.text) == (FIELDS["To"], FIELDS["Body"])

    def test_every_changed_byte_of_json_or_of_its_hash_is_refused(self) -> None:
        post = self.by_json(FIELDS)
        for body in changes(post.body):
            assert not self.verifies(replace(post, body=body))
        start = post.url.index("?")
        for query in changes(post.url[start:].encode()):
            url = post.url[:start] + query.decode("latin-1")
            assert not self.verifies(replace(post, url=url))

    def test_a_url_signed_for_json_brings_no_form_and_no_query(self) -> None:
        post = self.by_json(FIELDS)
        assert not self.verifies(replace(post, body=self.body()))
        assert not self.verifies(replace(post, body=b""))
        # Without the hash, the signature of a URL alone covers no body.
        bare = InboundPost(self.url, self.sign(b"", self.secret, self.url, NOW), post.body)
        assert not self.verifies(bare)
        assert not self.verifies(replace(bare, body=self.body()))

    def test_a_hash_that_is_given_twice_is_refused(self) -> None:
        body = json.dumps(FIELDS).encode()
        digest = hashlib.sha256(body).hexdigest()
        url = f"{URL}?bodySHA256={digest}&bodySHA256={digest}"
        post = InboundPost(url, self.sign(b"", self.secret, url, NOW), body)
        assert not self.verifies(post)
        with pytest.raises(InvalidInputError) as caught:
            twilio.parse(post, NOW)
        assert caught.value.field == "bodySHA256"

    @pytest.mark.parametrize("field", ["MessageSid", "From", "To", "Body"])
    @pytest.mark.parametrize("value", [None, 7, [], {"a": "b"}])
    def test_a_json_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            twilio.parse(self.by_json({**FIELDS, field: value}), NOW)
        assert caught.value.field == field

    def test_what_is_no_json_object_is_refused_as_the_body(self) -> None:
        for value in ([], "text", None, 7):
            with pytest.raises(InvalidInputError) as caught:
                twilio.parse(self.by_json(value), NOW)
            assert caught.value.field == "body"

    @FUZZ
    @given(
        pairs=st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=8),
        target=st.text(max_size=12),
        secret=st.text(min_size=1),
    )
    def test_it_accepts_what_the_sdk_signs(self, pairs: Pairs, target: str, secret: str) -> None:
        # parse_qsl drops nothing but a nameless pair without a value, as every server does.
        pairs = [pair for pair in pairs if pair != ("", "")]
        url = f"{URL}/{target}"
        headers = {"x-twilio-signature": signature(url, MultiDict(pairs), secret)}
        post = InboundPost(url, headers, urlencode(pairs).encode())
        assert twilio.verify(post, self.account(secret), NOW)

    @FUZZ
    @given(
        pairs=st.lists(
            st.tuples(st.sampled_from([*FIELDS, "Other"]), ANY_TEXT | st.just(SID)), max_size=8
        )
    )
    def test_parse_raises_nothing_else_for_any_form(self, pairs: Pairs) -> None:
        self.check_parse(urlencode(pairs, errors="surrogatepass").encode())

    def signed_by_sha256(self, settings: str, by_get: bool = False) -> InboundPost:
        post = self.get(self.body()) if by_get else self.post(self.body())
        params = {} if by_get else form(post.body)
        signed = RequestValidator(self.secret).compute_signature(post.url, params, "HMAC_SHA256")
        return with_settings(replace(post, headers={"x-twilio-signature": signed}), settings)

    def by_json(self, value: Any, algorithm: str = "HMAC_SHA1") -> InboundPost:
        body = json.dumps(value).encode()
        validator = RequestValidator(self.secret)
        url = f"{URL}?tag=a&bodySHA256={validator.compute_hash(body.decode())}"
        signed = validator.compute_signature(url, {}, algorithm)
        assert validator.validate(url, body.decode(), signed, algorithm)
        return InboundPost(url, {"x-twilio-signature": signed}, body)

    def accepts(self, configured: str, signed: str) -> bool:
        body = self.body()
        headers = self.sign(body, self.secret, signed, NOW)
        return self.verifies(InboundPost(configured, headers, body))

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field


def with_settings(post: InboundPost, settings: str) -> InboundPost:
    headers = {**post.headers, "x-twilio-webhooks-signature-settings": settings}
    return replace(post, headers=headers)


def form(body: bytes) -> MultiDict:
    return MultiDict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))


def signature(url: str, params: MultiDict, secret: str) -> str:
    signed = RequestValidator(secret).compute_signature(url, params)
    assert isinstance(signed, str)
    return signed
