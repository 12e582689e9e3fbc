"""Everything that the environment tells us, read once into one typed object.

This is the only module that reads the environment, and never at import: Chalice's test client
and Lambda fill it later. Table names and queue URLs come from infra/resources.yaml.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.money import Micros, parse_amount
from chalicelib.domain.otp_routes import Routes, Tariff, parse_routes, parse_tariff
from chalicelib.domain.pricing import MOST_MARKUP
from chalicelib.domain.urls import WEBHOOK_PORTS, checked_server_url
from chalicelib.environment import Reader, SettingsError
from chalicelib.errors import InvalidInputError

__all__ = ["SettingsError", "from_environment", "load"]

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
    "rollups",
    "otp_tickets",
)

RESERVED_SUPPLIERS = ("stock", "own")
OWN_SOURCE = "own"
"""The source of the catalogue if that is our own stock."""
ENVELOPE_DAYS = 30
"""How long ended rentals are shown, unless their SMS are kept for longer."""

_SUPPLIER_NAME = re.compile(r"[a-z0-9-]{1,32}")
_SUPPLIER_KEY = re.compile(r"[!-~]{1,512}")


SHORTEST_PEPPER = 16
"""Bytes. What is derived from a shorter one could be guessed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account, or one address on the Internet, may hold or do."""

    open_rentals: int
    unused_cancels_per_hour: int
    calls_per_minute: int
    registrations_per_hour: int = 5


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """One account of ours at a provider. Two secrets live at once while one replaces the other.

    `options` are what the provider's module asks for beside them, such as what it sends from.
    `allow_ips` are networks (CIDR) that posts may come from; anywhere if there are none.
    """

    name: str
    secrets: tuple[str, ...] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplierConfig:
    """A server that we rent numbers from. `kind` is "partner" (spec B) or "main" (spec A).

    Numbers that cost more than `cost_cap` are not rented. `cost` is what a number of a main
    costs, which spec A does not tell; None for a partner. `markup` is what we add to the cost, in
    hundredths of a percent.
    """

    name: str
    kind: str
    url: str
    cost_cap: Micros
    cost: Micros | None
    markup: int
    key: str = field(repr=False)


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
    webhooks_slow_queue: str
    sweeps_queue: str
    polls_queue: str
    otp_queue: str
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
    suppliers: tuple[SupplierConfig, ...] = ()
    open_registration: bool = False
    catalogue_source: str = OWN_SOURCE
    webhook_ports: tuple[int, ...] = WEBHOOK_PORTS
    otp_routes: Routes = field(default_factory=Routes)
    otp_tariff: Tariff = field(default_factory=Tariff)
    envelope_retention_days: int = ENVELOPE_DAYS


def from_environment(read_secret: Callable[[str], str]) -> Settings:
    """The settings of this process. Raises SettingsError naming the variable.

    Without SESAME_SECRETS, the secrets are what `read_secret` finds at SESAME_SECRETS_ARN.
    """
    environment = dict(os.environ)
    arn = environment.get("SESAME_SECRETS_ARN")
    if arn and not environment.get("SESAME_SECRETS"):
        environment["SESAME_SECRETS"] = read_secret(arn)
    return load(environment)


def metrics_namespace() -> str | None:
    """Where this process is to measure; None if it is to log text, and measure nothing."""
    if os.environ.get("SESAME_LOG_FORMAT") != "json":
        return None
    return os.environ.get("SESAME_METRICS_NAMESPACE") or "Sesame"


def load(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` describes. Raises SettingsError naming the variable."""
    read = Reader(environment)
    read.choice("SESAME_LOG_FORMAT", "text", "json")
    secrets = read.json("SESAME_SECRETS")
    allow_loopback = read.flag("SESAME_ALLOW_LOOPBACK")
    sms_days = read.number("SESAME_SMS_RETENTION_DAYS", 7, least=3)
    return Settings(
        tables={name: read.text(f"SESAME_TABLE_{name.upper()}") for name in TABLES},
        webhooks_queue=read.text("SESAME_QUEUE_WEBHOOKS"),
        webhooks_slow_queue=read.text("SESAME_QUEUE_WEBHOOKS_SLOW"),
        sweeps_queue=read.text("SESAME_QUEUE_SWEEPS"),
        polls_queue=read.text("SESAME_QUEUE_POLLS"),
        otp_queue=read.text("SESAME_QUEUE_OTP"),
        public_url=read.text("SESAME_PUBLIC_URL").rstrip("/"),
        secrets=_secrets(secrets),
        limits=Limits(
            open_rentals=read.number("SESAME_MAX_OPEN_RENTALS", 100),
            unused_cancels_per_hour=read.number("SESAME_MAX_UNUSED_CANCELS_PER_HOUR", 30),
            calls_per_minute=read.number("SESAME_MAX_CALLS_PER_MINUTE", 600),
            registrations_per_hour=read.number("SESAME_MAX_REGISTRATIONS_PER_HOUR", 5),
        ),
        rental_seconds=read.number("SESAME_RENTAL_SECONDS", 20 * 60),
        cancel_after=read.number("SESAME_CANCEL_AFTER_SECONDS", 0),
        rest_seconds=read.number("SESAME_REST_SECONDS", 72 * 60 * 60),
        rest_unused_seconds=read.number("SESAME_REST_UNUSED_SECONDS", 20 * 60),
        reuse_days=read.number("SESAME_REUSE_DAYS", 45),
        sms_retention_days=sms_days,
        envelope_retention_days=read.number(
            "SESAME_ENVELOPE_RETENTION_DAYS", max(ENVELOPE_DAYS, sms_days), least=sms_days
        ),
        allow_loopback=allow_loopback,
        open_registration=read.flag("SESAME_OPEN_REGISTRATION"),
        catalogue_source=environment.get("SESAME_CATALOGUE_SOURCE") or OWN_SOURCE,
        webhook_ports=read.ports("SESAME_WEBHOOK_PORTS", WEBHOOK_PORTS),
        suppliers=tuple(
            _supplier(fields, secrets.get("suppliers"), allow_loopback=allow_loopback)
            for fields in read.objects("SESAME_SUPPLIERS", each="name")
        ),
        otp_routes=read.parsed("SESAME_OTP_ROUTES", parse_routes),
        otp_tariff=read.parsed("SESAME_OTP_PRICES", parse_tariff),
    )


def _secrets(found: Mapping[str, Any]) -> Secrets:
    try:
        return Secrets(
            pepper=_pepper(found["pepper"]),
            system_key_hash=str(found["system_key_hash"]),
            admin_key_hash=str(found["admin_key_hash"]),
            provider_accounts={
                (provider, account): _provider_account(account, details)
                for provider, accounts in found["providers"].items()
                for account, details in accounts.items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        # The value itself stays out of the message: it is all secrets.
        raise SettingsError(
            f"SESAME_SECRETS: expected pepper ({SHORTEST_PEPPER} bytes or more, in hex), "
            "system_key_hash, admin_key_hash and providers {provider: {account: {secrets: [...], "
            "may be options {name: text} and allow_ips [network]}}}."
        ) from None


def _provider_account(name: str, details: Mapping[str, Any]) -> ProviderAccount:
    options, allow_ips = details.get("options", {}), _texts(details.get("allow_ips", []))
    if not isinstance(options, dict) or not all(isinstance(v, str) for v in options.values()):
        raise TypeError("expected an object of texts")
    for network in allow_ips:
        ipaddress.ip_network(network)
    return ProviderAccount(name, _texts(details["secrets"]), options, allow_ips)


def _supplier(fields: Mapping[str, Any], keys: object, *, allow_loopback: bool) -> SupplierConfig:
    name = fields["name"]
    if not _SUPPLIER_NAME.fullmatch(name) or name in RESERVED_SUPPLIERS:
        raise SettingsError(
            f"SESAME_SUPPLIERS: {name!r}: expected a name of 1 to 32 of a-z, 0-9 and -, "
            f"not {' or '.join(RESERVED_SUPPLIERS)}."
        )
    where = f"SESAME_SUPPLIERS: {name}"
    kind, markup = fields.get("kind"), fields.get("markup", 0)
    if kind not in ("partner", "main"):
        raise SettingsError(f"{where}: kind: expected partner or main.")
    wanted = {"name", "kind", "url", "cost_cap", *(("cost",) if kind == "main" else ())}
    if wanted - fields.keys() or fields.keys() - wanted - {"markup"}:
        wants = ", ".join(sorted(wanted))
        raise SettingsError(f"{where}: expected {wants}, may be markup, and nothing else.")
    if type(markup) is not int or not 0 <= markup <= MOST_MARKUP:
        raise SettingsError(f"{where}: markup: expected a whole number from 0 to {MOST_MARKUP}.")
    try:
        return SupplierConfig(
            name=name,
            kind=kind,
            url=_server_url(str(fields["url"]), allow_loopback=allow_loopback),
            cost_cap=_decimal(fields, "cost_cap"),
            cost=_decimal(fields, "cost") if kind == "main" else None,
            markup=markup,
            key=_supplier_key(keys, name),
        )
    except InvalidInputError as error:
        raise SettingsError(f"{where}: {error.message}") from None


def _server_url(text: str, *, allow_loopback: bool) -> str:
    url = checked_server_url(text, allow_loopback=allow_loopback).rstrip("/")
    if "?" in url or "#" in url:
        raise InvalidInputError("url", "no query and no fragment")
    return url


def _decimal(fields: Mapping[str, Any], name: str) -> Micros:
    value = fields[name]
    return parse_amount(value if isinstance(value, str) else "", field=name)


def _supplier_key(keys: object, name: str) -> str:
    key = keys.get(name) if isinstance(keys, dict) else None
    if not isinstance(key, str) or not _SUPPLIER_KEY.fullmatch(key):
        raise SettingsError(
            f"SESAME_SECRETS: suppliers: expected a key for {name}, of 1 to 512 printable ASCII "
            "characters without blanks."
        )
    return key


def _pepper(text: str) -> bytes:
    pepper = bytes.fromhex(text)
    if len(pepper) < SHORTEST_PEPPER:
        raise ValueError("too short")
    return pepper


def _texts(found: object) -> tuple[str, ...]:
    # A text is a sequence too: each of its letters would open the account.
    if not isinstance(found, list) or not all(text and isinstance(text, str) for text in found):
        raise TypeError("expected a list of texts")
    return tuple(found)
