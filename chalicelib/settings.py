"""Everything that the environment tells us, read once into one typed object.

This is the only module that reads the environment, and never at import: Chalice's test client
and Lambda fill it later. Table names and queue URLs come from infra/resources.yaml.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TABLES = (
    "users",
    "api_keys",
    "numbers",
    "catalogue",
    "rentals",
    "inbound",
    "ledger",
    "events",
    "deliveries",
    "requests",
    "limits",
)


class SettingsError(Exception):
    """The environment lacks a variable or holds one that can't be used; says which."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account may hold or do."""

    open_rentals: int
    unused_cancels_per_hour: int
    calls_per_minute: int
    waits: int = 3


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """One account of ours at a provider. Two secrets live at once while one replaces the other."""

    name: str
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be known; never printed, logged or put in an error."""

    pepper: bytes = field(repr=False)
    system_key_hash: str = field(repr=False)
    admin_key_hash: str = field(repr=False)
    provider_accounts: Mapping[tuple[str, str], ProviderAccount] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """The platform's configuration; times in seconds unless named otherwise."""

    tables: Mapping[str, str]
    webhooks_queue: str
    sweeps_queue: str
    public_url: str
    secrets: Secrets
    limits: Limits
    rental_seconds: int
    cancel_after: int
    rest_seconds: int
    rest_unused_seconds: int
    reuse_days: int
    sms_retention_days: int
    allow_loopback: bool


def from_environment() -> Settings:
    """The settings of this process. Raises SettingsError naming the variable."""
    return load(os.environ)


def load(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` describes. Raises SettingsError naming the variable."""
    read = _Reader(environment)
    return Settings(
        tables={name: read.text(f"SESAME_TABLE_{name.upper()}") for name in TABLES},
        webhooks_queue=read.text("SESAME_QUEUE_WEBHOOKS"),
        sweeps_queue=read.text("SESAME_QUEUE_SWEEPS"),
        public_url=read.text("SESAME_PUBLIC_URL").rstrip("/"),
        secrets=_secrets(read.json("SESAME_SECRETS")),
        limits=Limits(
            open_rentals=read.number("SESAME_MAX_OPEN_RENTALS", 100),
            unused_cancels_per_hour=read.number("SESAME_MAX_UNUSED_CANCELS_PER_HOUR", 30),
            calls_per_minute=read.number("SESAME_MAX_CALLS_PER_MINUTE", 600),
        ),
        rental_seconds=read.number("SESAME_RENTAL_SECONDS", 20 * 60),
        cancel_after=read.number("SESAME_CANCEL_AFTER_SECONDS", 0),
        rest_seconds=read.number("SESAME_REST_SECONDS", 72 * 60 * 60),
        rest_unused_seconds=read.number("SESAME_REST_UNUSED_SECONDS", 20 * 60),
        reuse_days=read.number("SESAME_REUSE_DAYS", 45),
        sms_retention_days=read.number("SESAME_SMS_RETENTION_DAYS", 7),
        allow_loopback=read.flag("SESAME_ALLOW_LOOPBACK"),
    )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        value = self._environment.get(name, "")
        if not value:
            raise SettingsError(f"{name} is not set.")
        return value

    def number(self, name: str, default: int) -> int:
        value = self._environment.get(name, "")
        if not value:
            return default
        if not (value.isascii() and value.isdigit()):
            raise SettingsError(f"{name}: expected a whole number, not negative.")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self._environment.get(name, "0")
        if value not in ("0", "1"):
            raise SettingsError(f"{name}: expected 0 or 1.")
        return value == "1"

    def json(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads(self.text(name))
        except ValueError:
            raise SettingsError(f"{name}: expected JSON.") from None
        if not isinstance(value, dict):
            raise SettingsError(f"{name}: expected a JSON object.")
        return value


def _secrets(found: Mapping[str, Any]) -> Secrets:
    try:
        return Secrets(
            pepper=bytes.fromhex(found["pepper"]),
            system_key_hash=str(found["system_key_hash"]),
            admin_key_hash=str(found["admin_key_hash"]),
            provider_accounts={
                (provider, account): ProviderAccount(account, tuple(details["secrets"]))
                for provider, accounts in found["providers"].items()
                for account, details in accounts.items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        # The value itself stays out of the message: it is all secrets.
        raise SettingsError(
            "SESAME_SECRETS: expected pepper (hex), system_key_hash, admin_key_hash and "
            "providers {provider: {account: {secrets: [...]}}}."
        ) from None
