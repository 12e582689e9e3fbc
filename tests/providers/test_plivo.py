"""Plivo keeps the contract by both its signatures, which are those of Plivo's own SDK."""

import base64
import hmac
from urllib.parse import parse_qsl, urlencode

import pytest
from contract_suite import ANY_TEXT, FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature
from plivo.utils.signature_v3 import (
    construct_get_url,
    construct_post_url,
    get_signature_v3,
    get_sorted_params_string,
)

from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.providers import plivo
from chalicelib.providers.contract import InboundPost, Reply
from chalicelib.settings import ProviderAccount

UUID = "db3ce55a-7f1d-11e1-8ea7-1231380bc196"
NONCE = "05429567804466091622"
FIELDS = {
    "From": "14155550123",
    "To": "447700900123",
    "Text": "Your code is 482913",
    "Type": "sms",
    "MessageUUID": UUID,
    "Units": "1",
    "TotalRate": "0.00000",
}
Pairs = list[tuple[str, str]]


def lists(text: str) -> dict[str, list[str]]:
    """A form as the SDK takes it."""
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
        fields.setdefault(name, []).append(value)
    return fields


def v3_signature(body: bytes, secret: str, url: str) -> str:
    """That of a post with `body`; without one, that of a GET too."""
    if body:
        signed = construct_post_url(url, lists(body.decode()))
    else:
        # Given apart, for the SDK can't read a query of other characters than ASCII.
        address, _, query = url.partition("?")
        signed = construct_get_url(address, lists(query))
    return get_signature_v3(secret, signed.decode(), NONCE).decode()


def v2_signature(secret: str, url: str, nonce: str) -> str:
    # By hand, for the SDK checks signatures only.
    signed = (url.partition("?")[0] + nonce).encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


class PlivoContract(ProviderContract):
    name = "plivo"
    secret = "MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNk"
    other_secret = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMy"
    worthless_secret = ""
    required_fields = ("MessageUUID", "From", "To", "Text")
    text_field = "Text"
    window_seconds = None
    covers_url = True
    reply = Reply('<?xml version="1.0" encoding="UTF-8"?><Response/>', "application/xml")

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, "", url, now)

    def body(self, **changes: str | None) -> bytes:
        fields = {**FIELDS, **changes}
        return urlencode([(k, v) for k, v in fields.items() if v is not None]).encode()

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field

    def headers_accepted(self, headers: dict[str, str], **options: str) -> bool:
        account = ProviderAccount("main", (self.secret,), options)
        return plivo.verify(InboundPost(self.url, headers, self.body()), account, NOW)


class TestPlivoV2(PlivoContract):
    signed_headers = ("x-plivo-signature-v2", "x-plivo-signature-v2-nonce")
    covers_body = False
    covers_query = False

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        signature = v2_signature(secret, url, NONCE)
        assert validate_signature(url, NONCE, signature, secret)
        return {"x-plivo-signature-v2": signature, "x-plivo-signature-v2-nonce": NONCE}

    def test_an_account_can_ask_for_v3(self) -> None:
        headers = dict(self.post(self.body()).headers)
        assert self.headers_accepted(headers, signature="v2")
        assert not self.headers_accepted(headers, signature="v3")

    def test_a_v3_signature_beside_it_decides(self) -> None:
        headers = dict(self.post(self.body()).headers)
        nonce = {"x-plivo-signature-v3-nonce": NONCE}
        for wrong in ("", "A" * 43 + "=", headers["x-plivo-signature-v2"]):
            assert not self.headers_accepted({**headers, **nonce, "x-plivo-signature-v3": wrong})

    @pytest.mark.parametrize("uuid", [UUID[:-1], UUID + "0", UUID[:-1] + "g", "\0" * 36, "-" * 36])
    def test_a_message_uuid_that_is_not_whole_is_refused(self, uuid: str) -> None:
        self.refuses("MessageUUID", self.body(MessageUUID=uuid))

    @pytest.mark.parametrize("field", ["MessageUUID", "From", "To", "Text", "Type"])
    def test_a_field_with_two_values_is_named(self, field: str) -> None:
        self.refuses(field, self.body() + f"&{field}=other".encode())

    @FUZZ
    @given(
        pairs=st.lists(
            st.tuples(st.sampled_from([*FIELDS, "Other"]), ANY_TEXT | st.just(UUID)), max_size=8
        )
    )
    def test_parse_raises_nothing_else_for_any_form(self, pairs: Pairs) -> None:
        self.check_parse(urlencode(pairs, errors="surrogatepass").encode())


class TestPlivoV3(PlivoContract):
    signed_headers = ("x-plivo-signature-v3", "x-plivo-signature-v3-nonce")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        signature = v3_signature(body, secret, url)
        return {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": NONCE}

    def same_meaning(self, one: bytes, other: bytes) -> bool:
        # %2B and %2b, + and a space: another byte, the same field. And "Type=mms" is signed as
        # "Type&mms" is: where a field ends, the scheme does not say.
        try:
            first, second = lists(one.decode()), lists(other.decode())
        except UnicodeDecodeError:
            return False
        return get_sorted_params_string(first) == get_sorted_params_string(second)

    def test_the_sdk_accepts_what_is_signed_here(self) -> None:
        body = self.body()
        signature = self.post(body).headers["x-plivo-signature-v3"]
        form = lists(body.decode())
        assert validate_v3_signature("POST", self.url, NONCE, self.secret, signature, form)
        get = self.get(body)
        signature = get.headers["x-plivo-signature-v3"]
        assert validate_v3_signature("GET", get.url, NONCE, self.secret, signature)

    def test_one_of_several_signatures_is_enough(self) -> None:
        headers = dict(self.post(self.body()).headers)
        good, other = headers["x-plivo-signature-v3"], "A" * 43 + "="
        for several in (f"{good},{other}", f"{other},{good}", f"{other}, {good} ,"):
            assert self.headers_accepted({**headers, "x-plivo-signature-v3": several})
        for none in (f"{other},{other}", ",", f"{good}{other}", good + ";" + other):
            assert not self.headers_accepted({**headers, "x-plivo-signature-v3": none})

    def test_an_account_that_asks_for_v3_takes_it(self) -> None:
        headers = dict(self.post(self.body()).headers)
        assert self.headers_accepted(headers, signature="v3")
        assert not self.headers_accepted({}, signature="v3")

    def test_a_v2_signature_under_v3s_name_is_refused(self) -> None:
        signature = v2_signature(self.secret, self.url, NONCE)
        headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": NONCE}
        assert not self.headers_accepted(headers)

    def test_a_captured_post_can_be_cut_up_but_keeps_its_message_uuid(self) -> None:
        # Names and values are signed without a separator: "1Units" is also "1" and "Units=".
        post = self.post(self.body(Text="1234Tex"))
        found = set()
        for at in range(len(post.body)):
            for cut in (b"=", b"&"):
                body = post.body[:at] + cut + post.body[at:]
                if self.verifies(InboundPost(post.url, post.headers, body)):
                    try:
                        found.update(sms.message_id for sms in self.parse(body))
                    except InvalidInputError:
                        continue
        assert found <= {UUID}

    @FUZZ
    @given(
        pairs=st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=6),
        query=st.lists(
            st.tuples(
                st.text(st.characters(max_codepoint=126), max_size=6),
                st.text(st.characters(max_codepoint=126), max_size=6),
            ),
            max_size=3,
        ),
        secret=st.text(min_size=1),
    )
    def test_it_accepts_what_the_sdk_signs(self, pairs: Pairs, query: Pairs, secret: str) -> None:
        pairs, query = ([pair for pair in some if pair != ("", "")] for some in (pairs, query))
        address = self.url.partition("?")[0]
        url = f"{address}?{urlencode(query)}" if query else address
        body = urlencode(pairs).encode()
        account = ProviderAccount("main", (secret,))
        post = InboundPost(url, self.sign(body, secret, url, NOW), body)
        assert plivo.verify(post, account, NOW)
        url = f"{address}?{urlencode(pairs)}"
        get = InboundPost(url, self.sign(b"", secret, url, NOW), b"", "GET")
        assert plivo.verify(get, account, NOW)
