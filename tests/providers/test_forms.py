"""Forms and queries are read alike, whole or not at all."""

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidInputError
from chalicelib.providers import forms
from chalicelib.providers.contract import InboundPost

URL = "https://sesame.example/inbound/twilio/main"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None, database=None)
@given(found=st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_a_form_and_a_query_hold_the_same_fields_in_their_order(found: forms.Pairs) -> None:
    # Nothing is read of a nameless pair without a value.
    found = [pair for pair in found if pair != ("", "")]
    text = urlencode(found)
    assert forms.pairs(InboundPost(URL, {}, text.encode())) == found
    assert forms.pairs(InboundPost(f"{URL}?{text}", {}, b"a=b", "GET")) == found
    assert forms.pairs(InboundPost(f"{URL}?a=b", {}, text.encode())) == found


@pytest.mark.parametrize(
    "body", [b"a=%FF", b"a=\xff", b"a=%ED%A0%80", b"%C3=x", b"a=b&" * forms.MOST_FIELDS]
)
def test_what_is_no_form_is_refused_as_the_body(body: bytes) -> None:
    posts = [InboundPost(URL, {}, body)]
    if body.isascii():
        posts.append(InboundPost(f"{URL}?{body.decode()}", {}, b"", "GET"))
    for post in posts:
        with pytest.raises(InvalidInputError) as caught:
            forms.pairs(post)
        assert caught.value.field == "body"


def test_nothing_of_a_query_is_dropped() -> None:
    for dropped_by_urlsplit in "\t\n\r":
        post = InboundPost(f"{URL}?a=b{dropped_by_urlsplit}c#d", {}, b"", "GET")
        assert forms.pairs(post) == [("a", f"b{dropped_by_urlsplit}c#d")]


def test_a_field_is_single_if_its_values_are_equal() -> None:
    found = [("a", "1"), ("b", "2"), ("a", "1"), ("c", "3"), ("c", "4")]
    assert forms.single(found, ["a", "b", "d"]) == {"a": "1", "b": "2"}
    with pytest.raises(InvalidInputError) as caught:
        forms.single(found, ["a", "c"])
    assert caught.value.field == "c"
