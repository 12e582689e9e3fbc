"""Suppliers from settings, and what is wrong with the settings."""

import json
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.domain.pricing import MOST_MARKUP
from chalicelib.outbound import HttpFetch
from chalicelib.settings import SettingsError, SupplierConfig
from chalicelib.suppliers.main import MainSupplier
from chalicelib.suppliers.partner import PartnerSupplier
from chalicelib.suppliers.registry import KINDS, make_suppliers
from tests.conftest import SECRETS, Stack, TestClock

PARTNER = {
    "name": "other-sesame",
    "kind": "partner",
    "url": "https://other.example.com/",
    "cost_cap": "0.20",
}
MAIN = {
    "name": "mains",
    "kind": "main",
    "url": "http://127.0.0.1:8001/base",
    "cost_cap": "1",
    "cost": "0.07",
    "markup": 2_500,
}
KEYS = {"other-sesame": "partner-key", "mains": "main-key", "unused": 5}


@pytest.fixture
def load(stack: Stack) -> Any:
    """The suppliers of settings with these variables."""

    def load(listed: object, keys: object = KEYS, **variables: str) -> Any:
        text = listed if isinstance(listed, str) else json.dumps(listed)
        environment = {
            **stack.environment,
            "SESAME_SUPPLIERS": text,
            "SESAME_SECRETS": json.dumps({**SECRETS, "suppliers": keys}),
            **variables,
        }
        return settings.load(environment).suppliers

    return load


def test_there_are_none_unless_named(stack: Stack) -> None:
    assert settings.load(stack.environment).suppliers == ()
    assert settings.load({**stack.environment, "SESAME_SUPPLIERS": ""}).suppliers == ()


def test_the_settings_name_them(load: Any) -> None:
    partner, main = load([PARTNER, MAIN])
    url = "https://other.example.com"
    assert partner == SupplierConfig(
        "other-sesame", "partner", url, 200_000, None, 0, "partner-key"
    )
    assert (main.cost_cap, main.cost, main.markup) == (1_000_000, 70_000, 2_500)
    assert main.url == "http://127.0.0.1:8001/base"


def test_a_key_is_not_printed(load: Any) -> None:
    assert "key" not in repr(load([PARTNER, MAIN]))


def test_each_is_made_of_its_kind(load: Any) -> None:
    made = make_suppliers(load([PARTNER, MAIN]), HttpFetch(False), TestClock())
    assert list(made) == ["other-sesame", "mains"]
    assert isinstance(made["other-sesame"], PartnerSupplier)
    assert isinstance(made["mains"], MainSupplier)
    assert all(supplier.name == name for name, supplier in made.items())


def test_the_settings_know_the_kinds_that_there_are(load: Any) -> None:
    for kind in KINDS:
        wanted = {**MAIN, "kind": kind}
        if kind == "partner":
            del wanted["cost"]
        assert load([wanted])[0].kind == kind


@pytest.mark.parametrize("listed", ["{", "{}", '["x"]', "[[]]", '"x"', "[{}]"])
def test_what_is_no_list_of_objects_is_refused(load: Any, listed: str) -> None:
    with pytest.raises(SettingsError, match=r"^SESAME_SUPPLIERS: expected "):
        load(listed)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "stock"}, "'stock': expected a name"),
        ({"name": "Other"}, "'Other': expected a name"),
        ({"name": ""}, "'': expected a name"),
        ({"name": "x" * 33}, "expected a name of 1 to 32"),
        ({"name": 5}, "expected a name in each"),
        ({"kind": "stock"}, "other-sesame: kind: expected"),
        ({"kind": ["main"]}, "other-sesame: kind: expected"),
        ({"kind": "main"}, "other-sesame: expected cost, cost_cap, kind, name, url"),
        ({"cost": "0.05"}, "other-sesame: expected cost_cap, kind, name, url"),
        ({"cap": "0.05"}, "other-sesame: expected cost_cap, kind, name, url"),
        ({"url": "http://other.example.com"}, "other-sesame: url: expected"),
        ({"url": "https://10.0.0.1"}, "other-sesame: url: expected"),
        ({"url": "https://other.example.com/?a=1"}, "other-sesame: url: expected no query"),
        ({"url": None}, "other-sesame: url: expected"),
        ({"cost_cap": 0.2}, "other-sesame: cost_cap: expected a decimal"),
        ({"cost_cap": "-1"}, "other-sesame: cost_cap: expected a decimal"),
        ({"markup": -1}, "other-sesame: markup: expected"),
        ({"markup": "5"}, "other-sesame: markup: expected"),
        ({"markup": True}, "other-sesame: markup: expected"),
        ({"markup": MOST_MARKUP + 1}, "other-sesame: markup: expected"),
    ],
)
def test_what_is_wrong_is_named(load: Any, change: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load([{**PARTNER, **change}])
    assert str(caught.value).startswith("SESAME_SUPPLIERS: ")
    assert says in str(caught.value)


def test_two_of_one_name_are_refused(load: Any) -> None:
    with pytest.raises(SettingsError, match="all different"):
        load([PARTNER, PARTNER])


@pytest.mark.parametrize(
    "keys", [None, [], {}, *[{"other-sesame": key} for key in ("", 5, "a b", "ü", "x" * 513)]]
)
def test_a_key_that_is_missing_or_none_is_named_and_not_told(load: Any, keys: object) -> None:
    with pytest.raises(SettingsError) as caught:
        load([PARTNER], keys)
    assert "expected a key for other-sesame" in str(caught.value)
    assert "a b" not in str(caught.value)


def test_loopback_needs_leave(load: Any) -> None:
    with pytest.raises(SettingsError, match="mains: url: expected"):
        load([MAIN], SESAME_ALLOW_LOOPBACK="0")
