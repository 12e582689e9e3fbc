#!/usr/bin/env python3
"""The admin's command line: users, keys, numbers, webhooks and deliveries of one stack."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.bootstrap import platform
from chalicelib.domain.events import ALWAYS_SENT
from chalicelib.domain.money import decimal, parse_amount
from chalicelib.domain.times import iso
from chalicelib.errors import BusyError, InvalidInputError, SesameError
from chalicelib.services.imports import read_csv
from chalicelib.settings import SettingsError
from chalicelib.stores.numbers import NumberState

ROOT = Path(__file__).resolve().parent
WHERE = (
    "Start the local stack with `make run` (SESAME_HOME says where it lives), or set the "
    "SESAME_… and AWS_… variables of a deployed one."
)
USER = ("user_id", "login", "name", "status", "active", "balance", "open_rentals", "rentals_total")
ENDPOINT = ("url", "events", "enabled")
KEY = ("prefix", "label", "created_at", "expires_at", "revoked_at")
NUMBER = ("phone_number", "country", "operator_id", "state", "uses", "provider", "account")
DELIVERY = ("delivery_id", "type", "state", "attempts", "last_status", "last_error", "next_at")


class FileError(click.ClickException):
    """A file that can't be used; says why."""

    exit_code = 2


class Admin(click.Group):
    """The root command: takes `--json` anywhere, and tells every failure in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take `--json` out of the arguments, so that no command need know it."""
        ctx.obj = "--json" in args
        return super().parse_args(ctx, [arg for arg in args if arg != "--json"])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command in the stack's environment; a failure ends it with exit code 1."""
        try:
            os.environ.update(stack_environment(os.environ))
            return super().invoke(ctx)
        except BusyError as error:
            unreached = isinstance(error.__cause__, BotoCoreError)
            _fail(ctx, error.code, f"No answer. {error.__cause__}" if unreached else error.message)
        except SesameError as error:
            _fail(ctx, error.code, error.message)
        except SettingsError as error:
            _fail(ctx, "no_stack", f"{error} {WHERE}")
        except (BotoCoreError, ClientError) as error:
            _fail(ctx, "refused", f"{error} Is this the right stack?")
        except click.ClickException as error:
            if not ctx.obj:
                raise
            _fail(ctx, "usage", error.format_message(), error.exit_code)


@click.group(cls=Admin)
@click.option(
    "--json", is_flag=True, expose_value=False, help="Print one JSON document; goes anywhere."
)
def cli() -> None:
    """Administer a Sesame stack. USER is an id or a login."""


@cli.group()
def users() -> None:
    """Who may use the platform, and their money."""


@users.command("create")
@click.argument("login")
@click.option("--name", help="What to call them; the login unless given.")
@click.option("--approve", is_flag=True, help="Let them in at once.")
def create_user(login: str, name: str | None, approve: bool) -> None:
    """Make a user LOGIN, pending until approved."""
    user = platform().accounts.create(login, name or login)
    if approve:
        user = platform().accounts.approve(user.user_id)
    _show(user=_fields(user, USER))


@users.command("approve")
@click.argument("user")
def approve_user(user: str) -> None:
    """Let USER in."""
    _show(user=_fields(platform().accounts.approve(user), USER))


@users.command("credit")
@click.argument("user")
@click.argument("amount")
@click.option("--reference", default="admin", help="What the ledger says about it.")
def credit_user(user: str, amount: str, reference: str) -> None:
    """Add AMOUNT, a decimal, to the balance of USER."""
    micros = parse_amount(amount, field="amount")
    _show(user=_fields(platform().accounts.credit(user, micros, reference), USER))


@users.command("list")
def list_users() -> None:
    """All users."""
    _show(users=[_fields(user, USER) for user in _all(platform().accounts.page)])


@users.command("show")
@click.argument("user")
def show_user(user: str) -> None:
    """One user, with the webhook endpoint."""
    found = platform().accounts.find(user)
    webhook = _fields(found.endpoint, ENDPOINT) if found.endpoint is not None else None
    _show(user=_fields(found, USER), webhook=webhook)


@cli.group()
def keys() -> None:
    """API keys."""


@keys.command("issue")
@click.argument("user")
@click.option("--label", default="", help="What the key is for.")
def issue_key(user: str, label: str) -> None:
    """A new key for USER, printed once and kept nowhere."""
    issued = platform().accounts.issue_key(user, label)
    _show(api_key=issued.text, key=_fields(issued.key, KEY))


@keys.command("revoke")
@click.argument("user")
@click.argument("prefix")
def revoke_key(user: str, prefix: str) -> None:
    """End the key of USER whose shown prefix begins with PREFIX."""
    _show(key=_fields(platform().accounts.revoke_key(user, prefix), KEY))


@keys.command("list")
@click.argument("user")
def list_keys(user: str) -> None:
    """The keys of USER that are not revoked."""
    _show(keys=[_fields(key, KEY) for key in platform().accounts.keys(user)])


@cli.group()
def numbers() -> None:
    """The stock of numbers."""


@numbers.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def import_numbers(ctx: click.Context, file: Path) -> None:
    """Put the numbers of FILE, a CSV file in UTF-8, into the stock.

    Its columns are phone_number, operator, price and, if wanted, provider and account. Rows that
    can't be used are listed and left out. A repeat changes nothing.
    """
    try:
        rows = read_csv(file.read_bytes())
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}.") from None
    except InvalidInputError as error:
        raise FileError(f"{file}: {error.message}") from None
    hidden = ctx.obj or not sys.stderr.isatty()
    with click.progressbar(length=len(rows), file=sys.stderr, hidden=hidden) as bar:
        report = platform().numbers.import_rows(rows, lambda: bar.update(1))
    bad = [row._asdict() for row in report.bad]
    _show(added=report.added, unchanged=report.unchanged, bad=bad)


@numbers.command("list")
@click.option("--country", help="Only those of a country, such as US.")
@click.option("--state", type=click.Choice([state.value for state in NumberState]))
def list_numbers(country: str | None, state: str | None) -> None:
    """The numbers of the stock."""
    wanted = NumberState(state) if state is not None else None
    names = {o.operator_id: o.operator_name for o in platform().catalogue.stock().offers}
    found = _all(lambda start: platform().numbers.page(start, country=country, state=wanted))
    _show(numbers=[_fields(n, NUMBER) | {"operator": names.get(n.operator_id)} for n in found])


@cli.group()
def webhook() -> None:
    """Where a user's events go."""


@webhook.command("set")
@click.argument("user")
@click.argument("url")
@click.option("--events", default=ALWAYS_SENT, help="Event types with commas between them.")
def set_webhook(user: str, url: str, events: str) -> None:
    """Send the events of USER to URL, signed with a new secret, which is printed once."""
    kinds = tuple(kind.strip() for kind in events.split(","))
    signed = platform().accounts.set_webhook(user, url, kinds)
    _show(secret=signed.secret, webhook=_fields(signed.endpoint, ENDPOINT))


@cli.group()
def deliveries() -> None:
    """Events on their way."""


@deliveries.command("list")
@click.argument("user")
def list_deliveries(user: str) -> None:
    """The latest deliveries to USER, the newest first."""
    found = platform().webhooks.deliveries(platform().accounts.find(user).user_id)
    _show(deliveries=[_fields(delivery, DELIVERY) for delivery in found])


def stack_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What `environment` lacks to reach a stack: what `make run` wrote, if anything.

    Raises SettingsError if that file can't be read.
    """
    if any(name.startswith("SESAME_TABLE_") for name in environment):
        return {}
    path = Path(environment.get("SESAME_HOME") or ROOT / ".sesame") / "environment.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}.") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise SettingsError(f"{path}: expected a JSON object of texts.")
    return found


def _all(page: Callable[[str | None], tuple[Sequence[Any], str | None]]) -> Iterator[Any]:
    found, start = page(None)
    yield from found
    while start is not None:
        found, start = page(start)
        yield from found


def _fields(thing: object, names: Sequence[str]) -> dict[str, Any]:
    found = {name: getattr(thing, name) for name in names}
    for name, value in found.items():
        if name == "balance":
            found[name] = decimal(value)
        elif name.endswith("_at") and value is not None:
            found[name] = iso(value)
    return found


def _show(**document: Any) -> None:
    """Print the document: as JSON, or its lists as tables and the rest line by line."""
    if click.get_current_context().obj:
        click.echo(json.dumps({"status": "success", **document}, ensure_ascii=False, indent=2))
        return
    for name, part in document.items():
        if isinstance(part, list):
            if part:
                _show_table(part)
            continue
        for key, value in (part if isinstance(part, dict) else {name: part}).items():
            click.echo(f"{key:<14} {_cell(value)}")


def _show_table(rows: list[dict[str, Any]]) -> None:
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        click.echo(line.rstrip())


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"  # or one micro-unit would read 1e-06
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "-" if value is None or value == "" else str(value)


def _fail(ctx: click.Context, code: str, message: str, exit_code: int = 1) -> NoReturn:
    line = " ".join(message.split())
    if ctx.obj:
        error = {"status": "error", "code": code, "message": line}
        click.echo(json.dumps(error, ensure_ascii=False))
    else:
        click.echo(f"Error: {line}", err=True)
    ctx.exit(exit_code)


if __name__ == "__main__":
    cli()
