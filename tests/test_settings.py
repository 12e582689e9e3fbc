"""The environment as it is read: what is missing is named, what is secret is not said."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.domain.otp import Channel
from chalicelib.domain.otp_routes import Route
from chalicelib.settings import TABLES, Settings, SettingsError
from chalicelib.stores import limits
from tests.conftest import SECRETS, environment_kept

QUEUES = [
    name
    for name in (
        f"SESAME_QUEUE_{queue}" for queue in ("WEBHOOKS", "WEBHOOKS_SLOW", "SWEEPS", "POLLS", "OTP")
    )
    if name.removeprefix("SESAME_QUEUE_").lower() + "_queue" in Settings.__slots__
]
REQUIRED = [
    *(f"SESAME_TABLE_{name.upper()}" for name in TABLES),
    *QUEUES,
    "SESAME_PUBLIC_URL",
    "SESAME_SECRETS",
]
ENVIRONMENT = {
    **{name: f"value-of-{name}" for name in REQUIRED},
    "SESAME_PUBLIC_URL": "https://sesame.test/",
    "SESAME_SECRETS": json.dumps(SECRETS),
}
NUMBERS = {
    "SESAME_MAX_OPEN_RENTALS": "limits.open_rentals",
    "SESAME_MAX_UNUSED_CANCELS_PER_HOUR": "limits.unused_cancels_per_hour",
    "SESAME_MAX_CALLS_PER_MINUTE": "limits.calls_per_minute",
    "SESAME_RENTAL_SECONDS": "rental_seconds",
    "SESAME_CANCEL_AFTER_SECONDS": "cancel_after",
    "SESAME_REST_SECONDS": "rest_seconds",
    "SESAME_REST_UNUSED_SECONDS": "rest_unused_seconds",
    "SESAME_REUSE_DAYS": "reuse_days",
    "SESAME_SMS_RETENTION_DAYS": "sms_retention_days",
}
GOOD_ACCOUNT = {"secrets": ["token"]}


def with_secrets(**changes: Any) -> dict[str, str]:
    return {**ENVIRONMENT, "SESAME_SECRETS": json.dumps({**SECRETS, **changes})}


def found(loaded: Settings, path: str) -> object:
    value: Any = loaded
    for name in path.split("."):
        value = getattr(value, name)
    return value


def secret_texts(value: object) -> list[str]:
    """Every text in the secrets of the environment."""
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in secret_texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in secret_texts(inner)]
    return [str(value)]


def test_the_environment_is_read() -> None:
    loaded = settings.load(ENVIRONMENT)
    assert set(loaded.tables) == set(TABLES)
    assert loaded.tables["users"] == "value-of-SESAME_TABLE_USERS"
    assert loaded.webhooks_queue == "value-of-SESAME_QUEUE_WEBHOOKS"
    assert loaded.public_url == "https://sesame.test"
    assert loaded.secrets.pepper == b"\x70" * 32
    assert loaded.secrets.provider_accounts["twilio", "demo"].secrets == ("twilio-demo-token",)
    assert loaded.allow_loopback is False


def test_every_queue_of_the_settings_is_a_required_variable() -> None:
    named = [field.name for field in fields(Settings) if field.name.endswith("_queue")]
    assert len(named) == len(QUEUES)


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in ENVIRONMENT.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsError, match=rf"^{name}\b"):
        settings.load(environment)


@pytest.mark.parametrize(("name", "path"), NUMBERS.items())
def test_numbers_have_defaults_and_can_be_set(name: str, path: str) -> None:
    default = found(settings.load(ENVIRONMENT), path)
    assert isinstance(default, int)
    assert found(settings.load({**ENVIRONMENT, name: ""}), path) == default
    assert found(settings.load({**ENVIRONMENT, name: str(default + 1)}), path) == default + 1


def test_the_defaults_are_those_of_the_design() -> None:
    loaded = settings.load(ENVIRONMENT)
    assert (loaded.rental_seconds, loaded.cancel_after) == (20 * 60, 0)
    assert (loaded.rest_seconds, loaded.rest_unused_seconds) == (72 * 3600, 20 * 60)
    assert (loaded.reuse_days, loaded.sms_retention_days) == (45, 7)
    assert (loaded.limits.open_rentals, loaded.limits.unused_cancels_per_hour) == (100, 30)
    assert len(limits.SLOTS) == 3


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "٣", " 1", "1e3", "9" * 5_000])
def test_what_is_no_number_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}\b"):
        settings.load({**ENVIRONMENT, name: value})


@pytest.mark.parametrize("value", ["true", "yes", "2", " 1"])
def test_what_is_no_flag_is_named(value: str) -> None:
    assert settings.load({**ENVIRONMENT, "SESAME_ALLOW_LOOPBACK": "1"}).allow_loopback is True
    with pytest.raises(SettingsError, match=r"^SESAME_ALLOW_LOOPBACK\b"):
        settings.load({**ENVIRONMENT, "SESAME_ALLOW_LOOPBACK": value})


BAD_SECRETS: list[dict[str, Any]] = [
    {"pepper": None},
    {"pepper": "not-hex"},
    {"pepper": 7},
    {"pepper": ""},
    {"pepper": "70" * 15},
    {"providers": None},
    {"providers": []},
    {"providers": {"twilio": None}},
    {"providers": {"twilio": {"demo": None}}},
    {"providers": {"twilio": {"demo": {}}}},
    # A text is a sequence too: each of its letters would be a secret of one letter.
    {"providers": {"twilio": {"demo": {"secrets": "twilio-token"}}}},
    {"providers": {"twilio": {"demo": {"secrets": [""]}}}},
    {"providers": {"twilio": {"demo": {"secrets": [None]}}}},
    {"providers": {"twilio": {"demo": {"secrets": [7]}}}},
    {"providers": {"twilio": {"demo": {"secrets": {"token": 1}}}}},
    *(
        {"providers": {"twilio": {"demo": {"secrets": ["twilio-token"], name: value}}}}
        for name, value in (
            ("options", None),
            ("options", ["from"]),
            ("options", "from"),
            ("options", {"from": 7}),
            ("options", {"from": None}),
            ("options", {"from": ["a-secret"]}),
            ("allow_ips", None),
            ("allow_ips", "192.0.2.1"),
            ("allow_ips", [""]),
            ("allow_ips", [7]),
            ("allow_ips", ["192.0.2.256"]),
            ("allow_ips", ["192.0.2.1/24"]),
            ("allow_ips", ["example.com"]),
        )
    ),
]


@pytest.mark.parametrize("changes", BAD_SECRETS, ids=json.dumps)
def test_secrets_that_can_not_be_used_are_refused_and_not_said(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"^SESAME_SECRETS\b") as raised:
        settings.load(with_secrets(**changes))
    said = f"{raised.value} {raised.value!r} {raised.value.__cause__}"
    for text in [*secret_texts(SECRETS), "not-hex", "twilio-token"]:
        assert text not in said


@pytest.mark.parametrize("name", ["pepper", "system_key_hash", "admin_key_hash", "providers"])
def test_secrets_that_lack_something_are_refused(name: str) -> None:
    lacking = {key: value for key, value in SECRETS.items() if key != name}
    with pytest.raises(SettingsError, match=name):
        settings.load({**ENVIRONMENT, "SESAME_SECRETS": json.dumps(lacking)})


@pytest.mark.parametrize("value", ["{", "[]", "7", "null", '"whsec_c2VjcmV0"', "whsec_c2VjcmV0"])
def test_secrets_that_are_no_json_object_are_refused_and_not_said(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^SESAME_SECRETS\b") as raised:
        settings.load({**ENVIRONMENT, "SESAME_SECRETS": value})
    assert "whsec" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_two_secrets_may_live_at_once() -> None:
    loaded = settings.load(
        with_secrets(providers={"twilio": {"demo": {"secrets": ["old-token", "new-token"]}}})
    )
    account = loaded.secrets.provider_accounts["twilio", "demo"]
    assert account.secrets == ("old-token", "new-token")


def test_an_account_may_have_options_and_the_networks_that_it_posts_from() -> None:
    details = {
        "secrets": ["token"],
        "options": {"from": "+14155550100", "region": ""},
        "allow_ips": ["192.0.2.1", "198.51.100.0/24", "2001:db8::/32"],
    }
    loaded = settings.load(with_secrets(providers={"twilio": {"demo": details}}))
    account = loaded.secrets.provider_accounts["twilio", "demo"]
    assert account.options == {"from": "+14155550100", "region": ""}
    assert account.allow_ips == ("192.0.2.1", "198.51.100.0/24", "2001:db8::/32")
    assert "+14155550100" not in f"{account!r} {loaded!r}"


def test_an_account_has_no_options_and_no_networks_unless_it_says_so() -> None:
    account = settings.load(ENVIRONMENT).secrets.provider_accounts["twilio", "demo"]
    assert (account.options, account.allow_ips) == ({}, ())


@pytest.mark.parametrize("name", ["SESAME_OTP_ROUTES", "SESAME_OTP_PRICES"])
def test_without_routes_and_prices_no_code_is_sent(name: str) -> None:
    for value in (None, "", "{}"):
        loaded = settings.load(ENVIRONMENT if value is None else {**ENVIRONMENT, name: value})
        assert loaded.otp_routes.to("US") == ()
        assert loaded.otp_tariff.price("US", Channel.SMS) is None


def test_routes_and_prices_are_read() -> None:
    routes = json.dumps({"*": ["twilio:demo"], "GB": ["generic:demo", "twilio:demo"]})
    prices = json.dumps({"*": {"sms": "0.05"}, "GB": {"sms": "0.04", "voice_sms": "0.1"}})
    loaded = settings.load(
        {**ENVIRONMENT, "SESAME_OTP_ROUTES": routes, "SESAME_OTP_PRICES": prices}
    )
    assert loaded.otp_routes.to("US") == (Route("twilio", "demo"),)
    assert loaded.otp_routes.to("GB") == (Route("generic", "demo"), Route("twilio", "demo"))
    assert loaded.otp_tariff.price("GB", Channel.VOICE) == 100_000
    assert loaded.otp_tariff.price("US", Channel.VOICE) is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SESAME_OTP_ROUTES", "{", "JSON"),
        ("SESAME_OTP_ROUTES", "[]", "routes"),
        ("SESAME_OTP_ROUTES", "null", "routes"),
        ("SESAME_OTP_ROUTES", '{"Atlantis": ["twilio:demo"]}', "routes"),
        ("SESAME_OTP_ROUTES", '{"GB": "twilio:demo"}', "GB"),
        ("SESAME_OTP_ROUTES", '{"GB": ["twilio"]}', "GB"),
        ("SESAME_OTP_PRICES", "{", "JSON"),
        ("SESAME_OTP_PRICES", "[]", "prices"),
        ("SESAME_OTP_PRICES", "0.05", "prices"),
        ("SESAME_OTP_PRICES", '{"GB": "0.05"}', "GB"),
        ("SESAME_OTP_PRICES", '{"GB": {"sms": 0.05}}', "GB"),
        ("SESAME_OTP_PRICES", '{"GB": {"sms": NaN}}', "GB"),
        ("SESAME_OTP_PRICES", '{"GB": {"mms": "0.05"}}', "GB"),
    ],
)
def test_routes_and_prices_that_can_not_be_used_are_named(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}: .*{told}"):
        settings.load({**ENVIRONMENT, name: value})


def test_i8_no_secret_is_in_the_settings_as_text() -> None:
    loaded = settings.load(ENVIRONMENT)
    parts = (loaded, loaded.secrets, *loaded.secrets.provider_accounts.values())
    said = " ".join(f"{part!r} {part}" for part in parts)
    assert "demo" in said
    texts = secret_texts(SECRETS)
    assert len(texts) == 6
    for text in (*texts, "p" * 32, "\\x70"):
        assert text not in said


def test_every_setting_is_in_the_docs() -> None:
    root = Path(__file__).resolve().parent.parent
    read = set(re.findall(r'"(SESAME_[A-Z_]+)"', (root / "chalicelib/settings.py").read_text()))
    told = (root / "docs/settings.md").read_text()
    assert len(read) > 10
    assert [name for name in sorted(read) if f"`{name}`" not in told and "QUEUE" not in name] == []


def test_a_test_leaves_no_environment_to_the_next() -> None:
    environment, before = os.environ, dict(os.environ)
    with environment_kept():
        os.environ["SESAME_LEFT"] = "1"
        os.environ = os.environ.copy()  # noqa: B003
        os.environ["SESAME_LEFT_TOO"] = "1"
    assert os.environ is environment
    assert os.environ == before
