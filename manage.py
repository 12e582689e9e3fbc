#!/usr/bin/env python3
"""The admin's command line: users, keys, numbers, webhooks and deliveries of one stack."""

import sys
from pathlib import Path
from typing import Any

import click

from chalicelib.bootstrap import platform
from chalicelib.cli.doctor import doctor
from chalicelib.cli.supplier import supplier
from chalicelib.domain.events import ALWAYS_SENT
from chalicelib.domain.money import parse_amount
from chalicelib.domain.pricing import parse_markup, percent
from chalicelib.domain.times import Millis, parse_iso
from chalicelib.domain.user import User
from chalicelib.errors import InvalidInputError
from chalicelib.services.administration import Placement
from chalicelib.services.imports import read_csv
from chalicelib.services.profiles import Changes
from chalicelib.stores.numbers import NumberState
from manage_queues import queues
from manage_shell import Admin, all_of, fields, show

USER = ("user_id", "login", "name", "status", "active", "balance", "open_rentals", "rentals_total")
PLACE = ("user_id", "login", "manager_id", "is_manager")
OPERATOR = ("operator_id", "country", "name", "price")
PRICE = ("country", "operator_id", "service", "price")
ENDPOINT = ("url", "events", "enabled")
KEY = ("prefix", "label", "created_at", "expires_at", "revoked_at")
NUMBER = ("phone_number", "country", "operator_id", "state", "uses", "provider", "account")
_PAGE = 100
DELIVERY = ("delivery_id", "type", "state", "attempts", "last_status", "last_error", "next_at")


class FileError(click.ClickException):
    """A file that can't be used; says why."""

    code, exit_code = "invalid_file", 2


@click.group(cls=Admin)
@click.option("--json", is_flag=True, expose_value=False, help="Print JSON. Goes anywhere.")
def cli() -> None:
    """Administer a Sesame stack. USER is an id or a login."""


cli.add_command(supplier)
cli.add_command(queues)
cli.add_command(doctor)


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
    show(user=fields(user, USER))


@users.command("approve")
@click.argument("user")
def approve_user(user: str) -> None:
    """Let USER in."""
    show(user=fields(platform().accounts.approve(user), USER))


@users.command("credit")
@click.argument("user")
@click.argument("amount")
@click.option("--reference", default="admin", help="What the ledger says about it.")
def credit_user(user: str, amount: str, reference: str) -> None:
    """Add AMOUNT, a decimal, to the balance of USER."""
    micros = parse_amount(amount, field="amount")
    credited = platform().administration.credit(user, micros, reference)
    show(user=fields(platform().accounts.find(credited.user_id), USER))


@users.command("list")
def list_users() -> None:
    """All users."""
    show(users=[fields(user, USER) for user in all_of(platform().accounts.page)])


@users.command("show")
@click.argument("user")
def show_user(user: str) -> None:
    """One user, with the webhook endpoint."""
    found = platform().accounts.find(user)
    show(user=fields(found, USER), webhook=_endpoint(found))


@users.command("deactivate")
@click.argument("user")
def deactivate_user(user: str) -> None:
    """Stop USER, and if they are a manager, the renting of theirs."""
    show(user=fields(platform().accounts.set_active(user, False), USER))


@users.command("activate")
@click.argument("user")
def activate_user(user: str) -> None:
    """Let USER act again."""
    show(user=fields(platform().accounts.set_active(user, True), USER))


@users.command("close")
@click.argument("user")
@click.option("--confirm", required=True, metavar="LOGIN", help="The login of USER, once more.")
def close_user(user: str, confirm: str) -> None:
    """Close the account of USER for good and erase what is personal in it."""
    found = platform().accounts.find(user)
    show(user=fields(platform().profiles.close(found.user_id, confirm=confirm), USER))


@users.command("manager")
@click.argument("user")
@click.argument("manager")
def set_manager(user: str, manager: str) -> None:
    """Put USER under MANAGER, who becomes a manager by it; "-" takes the manager away."""
    chosen = ""
    if manager != "-":
        chosen = platform().administration.place(manager, Placement(is_manager=True)).user_id
    show(user=fields(platform().administration.place(user, Placement(chosen)), PLACE))


@users.command("markup")
@click.argument("manager")
@click.argument("percentage")
def set_markup(manager: str, percentage: str) -> None:
    """Have MANAGER add PERCENTAGE, 0 to 300, to the prices of their users."""
    markup = parse_markup(percentage, field="percentage")
    placed = platform().administration.place(manager, Placement(markup=markup))
    show(user=fields(placed, PLACE) | {"markup": percent(placed.markup)})


@cli.group()
def keys() -> None:
    """API keys."""


@keys.command("issue")
@click.argument("user")
@click.option("--label", default="", help="What the key is for.")
def issue_key(user: str, label: str) -> None:
    """A new key for USER, printed once and kept nowhere."""
    issued = platform().key_ring.issue(user, label)
    show(api_key=issued.text, key=fields(issued.key, KEY))


@keys.command("revoke")
@click.argument("user")
@click.argument("prefix")
def revoke_key(user: str, prefix: str) -> None:
    """End the key of USER whose shown prefix is PREFIX."""
    show(key=fields(platform().key_ring.revoke(user, prefix), KEY))


@keys.command("list")
@click.argument("user")
def list_keys(user: str) -> None:
    """The keys of USER that open anything."""
    show(keys=[fields(key, KEY) for key in platform().key_ring.live(user)])


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
    show(added=report.added, unchanged=report.unchanged, bad=bad)


@numbers.command("list")
@click.option("--country", help="Only those of a country, such as US.")
@click.option("--state", type=click.Choice([state.value for state in NumberState]))
def list_numbers(country: str | None, state: str | None) -> None:
    """The numbers of the stock."""
    wanted = NumberState(state) if state is not None else None
    names = {o.operator_id: o.operator_name for o in platform().catalogue.stock().offers}
    found = all_of(lambda start: platform().numbers.page(start, country=country, state=wanted))
    show(numbers=[fields(n, NUMBER) | {"operator": names.get(n.operator_id)} for n in found])


@cli.group()
def prices() -> None:
    """What an SMS costs."""


@prices.command("list")
def list_prices() -> None:
    """Every operator's own price, and the prices that count before those."""
    operators, rules = platform().prices.all()
    show(
        operators=[fields(operator, OPERATOR) for operator in operators],
        prices=[fields(rule, PRICE) for rule in rules],
    )


@prices.command("set")
@click.argument("country")
@click.argument("price")
@click.option("--operator", type=int, help="Only for an operator, by id.")
@click.option("--service", default="", help="Only for a service, by name.")
def set_price(country: str, price: str, operator: int | None, service: str) -> None:
    """Set the PRICE of an SMS in COUNTRY, such as US; "-" removes it."""
    micros = None if price == "-" else parse_amount(price, field="price")
    rule = platform().prices.set(country, operator, service.strip().casefold(), micros)
    show(price=fields(rule, PRICE) if rule is not None else None)


@cli.group()
def webhook() -> None:
    """Where a user's events go."""


@webhook.command("set")
@click.argument("user")
@click.argument("url")
@click.option("--events", default=ALWAYS_SENT, help="Event types with commas between them.")
def set_webhook(user: str, url: str, events: str) -> None:
    """Send the events of USER to URL, signed with a new secret, which is printed once; to nowhere
    if URL is ""."""
    kinds = tuple(kind.strip() for kind in events.split(","))
    changes = Changes(webhook_url=url, webhook_events=kinds)
    changed, secret = platform().profiles.change(platform().accounts.find(user).user_id, changes)
    show(secret=secret, webhook=_endpoint(changed))


@cli.group()
def deliveries() -> None:
    """Events on their way."""


@deliveries.command("list")
@click.argument("user")
def list_deliveries(user: str) -> None:
    """The deliveries to USER, the newest first."""
    user_id = platform().accounts.find(user).user_id
    found = all_of(lambda start: platform().history.deliveries(user_id, limit=_PAGE, before=start))
    show(deliveries=[fields(delivery, DELIVERY) for delivery in found])


@cli.group()
def rollups() -> None:
    """What was done in each minute, hour and day."""


@rollups.command("recompute")
@click.option("--from", "start", required=True, help="A date or an RFC 3339 moment.")
@click.option("--to", "end", required=True, help="Likewise; itself not included.")
def recompute_rollups(start: str, end: str) -> None:
    """Write the minutes of that time again, and the hours and days that they are in."""
    first, last = _moment("from", start), _moment("to", end)
    show(minutes=platform().rollups.recompute(first, last))


def _endpoint(user: User) -> dict[str, Any] | None:
    return fields(user.endpoint, ENDPOINT) if user.endpoint is not None else None


def _moment(field: str, text: str) -> Millis:
    try:
        return parse_iso(text)
    except ValueError:
        raise InvalidInputError(field, "a date or an RFC 3339 moment") from None


if __name__ == "__main__":
    cli()
