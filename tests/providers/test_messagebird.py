"""MessageBird's classic API keeps the contract; its own SDK accepts what we accept."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from contract_suite import FUZZ, NOW, ProviderContract
from hypothesis import given
from hypothesis import strategies as st
from messagebird.error import ValidationError
from messagebird.request_validator import RequestValidator
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import SECOND, Millis, later
from chalicelib.errors import InvalidInputError
from chalicelib.providers import messagebird
from chalicelib.providers.contract import InboundPost, Reply
from chalicelib.settings import ProviderAccount

TOKEN = "messagebird-signature-jwt"
LIFETIME = 60
FIELDS = {
    "id": "e8077d803532c0b5937c639b60216938",
    "recipient": "447700900123",
    "originator": "14155550123",
    "body": "Your code is 482913",
}
# Tokens that MessageBird made: signature_jwt/testdata/reference.json of its Go SDK.
REFERENCE_SECRET = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb"
REFERENCE_NOW = Millis(1_625_479_200_000)
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
REFERENCES = {
    "POST": (
        b"Hello, World!",
        "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NT"
        "AwNi1hMGU4LTQ1MjYtYTE5MC1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2"
        "ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMW"
        "JiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIxODI5ODZmIn0"
        "._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I",
    ),
    "GET": (
        b"",
        "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiJjOTQ2YW"
        "Y3Ny1lMTgyLTRlYWEtYjJmZi0xYTU0NWI1ZTk5MWEiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2"
        "ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAifQ"
        ".huo2ou6JDoDc7sV25d75UMWeYhBeavQlLsqIibSZuac",
    ),
}


def token(
    body: bytes, secret: str, url: str, now: Millis, algorithm: str = "HS256", **changes: Any
) -> dict[str, str]:
    claims: dict[str, Any] = {
        "iss": "MessageBird",
        "nbf": now // SECOND,
        "exp": now // SECOND + LIFETIME,
        "jti": "93e55006-a0e8-4526-a190-fa5ff00ea116",
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
        "payload_hash": hashlib.sha256(body).hexdigest() if body else None,
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return {TOKEN: jwt.encode(kept, secret, algorithm)}


class TestMessageBird(ProviderContract):
    name = "messagebird"
    secret = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb"
    other_secret = "46efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb"
    worthless_secret = ""
    signed_headers = (TOKEN,)
    required_fields = ("id", "originator", "recipient", "body")
    text_field = "body"
    window_seconds = None
    covers_url = True
    reply = Reply("OK", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return token(body, secret, url, now)

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        # PyJWT refuses to sign by an empty key; an attacker would not.
        signed, _, _ = token(body, self.secret, url, now)[TOKEN].rpartition(".")
        digest = hmac.new(b"", signed.encode(), hashlib.sha256).digest()
        return {TOKEN: f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"}

    def body(self, **changes: str | None) -> bytes:
        fields = {**FIELDS, **changes}
        return urlencode({k: v for k, v in fields.items() if v is not None}).encode()

    def gets(self) -> list[Path]:
        # JSON comes by POST alone; a status report has no text to lose.
        return [case for case in self.cases() if case.stem in ("form", "unescaped_time")]

    def test_a_replay_outside_the_window_is_refused(self) -> None:
        # Not the same both ways: a token says itself from when until when it lives.
        post = self.post(self.body())
        whole = Millis(NOW - NOW % SECOND)
        for seconds in (-1, 0, LIFETIME, LIFETIME + 0.999):
            assert self.verifies(post, later(whole, seconds=seconds)), seconds
        for seconds in (-1.001, LIFETIME + 1, 10 * 365 * 86_400):
            assert not self.verifies(post, later(whole, seconds=seconds)), seconds

    @pytest.mark.parametrize("method", REFERENCES)
    def test_tokens_that_messagebird_made_are_accepted(self, method: str) -> None:
        body, signed = REFERENCES[method]
        headers = {TOKEN: HEADER + signed}
        post = InboundPost("https://example.com/path?bar=1&foo=2", headers, body, method)
        account = ProviderAccount("main", (REFERENCE_SECRET,))
        assert messagebird.verify(post, account, REFERENCE_NOW)
        assert not messagebird.verify(replace(post, body=body + b"!"), account, REFERENCE_NOW)
        swapped = replace(post, url="https://example.com/path?foo=2&bar=1")
        assert not messagebird.verify(swapped, account, REFERENCE_NOW)
        hour_later = later(REFERENCE_NOW, seconds=3_600)
        assert not messagebird.verify(post, account, hour_later)

    @pytest.mark.parametrize("body", [urlencode(FIELDS).encode(), b""])
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"iss": "messagebird"},
            {"iss": None},
            {"nbf": None},
            {"exp": None},
            {"nbf": 4_000_000_000},
            {"exp": 1_600_000_000},
            {"payload_hash": None},
            {"payload_hash": "0" * 64},
            {"url_hash": "0" * 64},
        ],
    )
    def test_it_accepts_what_the_sdk_accepts(self, body: bytes, changes: dict[str, Any]) -> None:
        now = Millis(int(time.time()) * SECOND)
        headers = token(body, self.secret, self.url, now, **changes)
        try:
            RequestValidator(self.secret).validate_signature(headers[TOKEN], self.url, body)
            accepted = True
        except ValidationError:
            accepted = False
        assert accepted is (changes == {} or (changes == {"payload_hash": None} and not body))
        assert self.verifies(InboundPost(self.url, headers, body), now) is accepted

    @pytest.mark.parametrize(
        "changes",
        [
            {"url_hash": None},
            {"url_hash": 7},
            {"url_hash": "\ud800"},
            {"payload_hash": ["0"]},
            {"payload_hash": ""},
            {"nbf": "1686843045"},
            {"exp": {}},
        ],
    )
    def test_claims_of_another_type_are_refused(self, changes: dict[str, Any]) -> None:
        body = self.body()
        headers = token(body, self.secret, self.url, NOW, **changes)
        assert not self.verifies(InboundPost(self.url, headers, body))

    @pytest.mark.filterwarnings("ignore:The HMAC key is")
    @pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
    def test_other_algorithms_are_refused(self, algorithm: str) -> None:
        body = self.body()
        secret = "" if algorithm == "none" else self.secret
        headers = token(body, secret, self.url, NOW, algorithm)
        assert not self.verifies(InboundPost(self.url, headers, body))

    def test_a_body_that_the_token_does_not_speak_of_is_refused(self) -> None:
        headers = token(b"", self.secret, self.url, NOW)
        assert self.verifies(InboundPost(self.url, headers, b""))
        assert not self.verifies(InboundPost(self.url, headers, self.body()))
        headers = token(self.body(), self.secret, self.url, NOW)
        assert not self.verifies(InboundPost(self.url, headers, b""))

    @pytest.mark.parametrize("field", ["id", "originator", "recipient", "body"])
    def test_a_field_with_two_values_is_named(self, field: str) -> None:
        self.refuses(field, self.body() + f"&{field}=other".encode())

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("value", [1.5, True, ["a"], {"a": "b"}])
    def test_a_field_of_a_wrong_type_is_named(self, field: str, value: Any) -> None:
        self.refuses(field, json.dumps({**FIELDS, field: value}).encode())

    def test_a_message_may_say_status_too(self) -> None:
        assert [sms.text for sms in self.parse(self.body() + b"&status=received")] == [
            FIELDS["body"]
        ]

    def test_of_a_get_the_query_is_read_even_if_a_body_comes_with_it(self) -> None:
        get = replace(self.get(self.body()), body=json.dumps({**FIELDS, "id": "other"}).encode())
        assert [sms.message_id for sms in messagebird.parse(get, NOW)] == [FIELDS["id"]]

    @FUZZ
    @given(fields=st.dictionaries(st.sampled_from([*FIELDS, "createdDatetime"]), JSON_VALUES))
    def test_parse_raises_nothing_else_for_any_json(self, fields: dict[str, Any]) -> None:
        self.check_parse(json.dumps({**FIELDS, **fields}).encode())

    @FUZZ
    @given(query=st.text(st.characters(), max_size=60))
    def test_parse_raises_nothing_else_for_any_query(self, query: str) -> None:
        for url in (f"{self.url}&{query}", f"https://[{query}", query):
            try:
                messagebird.parse(InboundPost(url, {}, b"", "GET"), NOW)
            except InvalidInputError:
                continue

    def refuses(self, field: str, body: bytes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.parse(body)
        assert caught.value.field == field
