"""What the commands of manage.py share: their stack, how they print, how they fail."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.money import decimal
from chalicelib.domain.times import iso
from chalicelib.errors import BusyError, SesameError
from chalicelib.settings import SettingsError

ROOT = Path(__file__).resolve().parent
WHERE = "Start a local stack with `make run`, or set the SESAME_… and AWS_… variables of another."
_AMOUNTS = ("balance", "price")


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
            fail(ctx, error.code, f"No answer. {error.__cause__}" if unreached else error.message)
        except SesameError as error:
            fail(ctx, error.code, error.message)
        except SettingsError as error:
            fail(ctx, "no_stack", f"{error} {WHERE}")
        except (BotoCoreError, ClientError) as error:
            fail(ctx, "refused", f"{error} Is this the right stack?")
        except click.ClickException as error:
            if not ctx.obj:
                raise
            code = getattr(error, "code", "usage")
            fail(ctx, code, error.format_message(), error.exit_code)


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


def all_of(page: Callable[[str | None], tuple[Sequence[Any], str | None]]) -> Iterator[Any]:
    """Everything that pages hold, read as it is asked for."""
    found, start = page(None)
    yield from found
    while start is not None:
        found, start = page(start)
        yield from found


def fields(thing: object, names: Sequence[str]) -> dict[str, Any]:
    """These attributes of a thing, amounts as decimals and moments as RFC 3339."""
    found = {name: getattr(thing, name) for name in names}
    for name, value in found.items():
        if name in _AMOUNTS:
            found[name] = decimal(value)
        elif name.endswith("_at") and value is not None:
            found[name] = iso(value)
    return found


def show(**document: Any) -> None:
    """Print the document: as JSON, or its lists as tables and the rest line by line."""
    if click.get_current_context().obj:
        click.echo(json.dumps({"status": "success", **document}, ensure_ascii=False, indent=2))
        return
    for name, part in document.items():
        if isinstance(part, list):
            _show_table(part)
            continue
        for key, value in (part if isinstance(part, dict) else {name: part}).items():
            click.echo(f"{key:<14} {_cell(value)}")


def fail(ctx: click.Context, code: str, message: str, exit_code: int = 1) -> NoReturn:
    """End the command with one line that says why."""
    line = " ".join(message.split())
    if ctx.obj:
        error = {"status": "error", "code": code, "message": line}
        click.echo(json.dumps(error, ensure_ascii=False))
    else:
        click.echo(f"Error: {line}", err=True)
    ctx.exit(exit_code)


def _show_table(rows: list[dict[str, Any]]) -> None:
    table = [list(row) for row in rows[:1]]
    table += ([_cell(value) for value in row.values()] for row in rows)
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
