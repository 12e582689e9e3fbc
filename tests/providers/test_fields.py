"""The fields of providers' JSON: paths, lists of objects, and times that are worth no SMS."""

from typing import Any

import pytest
from contract_suite import FUZZ, NOW
from hypothesis import given
from standard_webhooks_suite import JSON_VALUES

from chalicelib.domain.times import SECOND
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.providers.fields import leaves, objects, received_at

AT = 1_686_842_985_000


def test_a_path_leads_to_its_leaf_or_to_nothing() -> None:
    tree = {"a": {"b": {"c": "found"}, "d": ["e"]}, "a.b": "no path"}
    paths = ["a.b.c", "a.b.x", "a.d.0", "a.d.e", "x.y", "a.b.c.d", ""]
    assert leaves(tree, paths) == dict.fromkeys(paths) | {"a.b.c": "found"}


def test_a_list_of_objects_is_that_and_nothing_else() -> None:
    assert objects([{"a": 1}, {}], "results") == [{"a": 1}, {}]
    assert objects([], "results") == []
    with pytest.raises(MissingInputError):
        objects(None, "results")
    for value in ("text", {}, 7, [{}, None], [[{}]]):
        with pytest.raises(InvalidInputError) as caught:
            objects(value, "results")
        assert caught.value.field == "results"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-06-15T15:29:45Z", AT),
        ("2023-06-15T15:29:45.250Z", AT + 250),
        ("2023-06-15T15:29:45.250+00:00", AT + 250),
        ("2023-06-15T17:29:45.250+0200", AT + 250),
        ("2023-06-15T15:29:45", AT),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
    ],
)
def test_a_time_is_read(text: str, expected: int) -> None:
    assert received_at(text, NOW) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        AT,
        AT // SECOND,
        True,
        [],
        "1999-12-31T23:59:59Z",
        "2023-06-15T15:31:00Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "\ud800",
    ],
)
def test_a_time_that_is_absurd_or_ahead_counts_as_now(value: Any) -> None:
    assert received_at(value, NOW) == NOW


@FUZZ
@given(value=JSON_VALUES)
def test_no_time_costs_an_sms(value: Any) -> None:
    assert 0 < received_at(value, NOW) <= NOW
