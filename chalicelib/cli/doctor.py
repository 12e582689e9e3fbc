"""`manage.py doctor`: whether the stack works."""

import json

import click

from chalicelib.bootstrap import platform
from chalicelib.services.checkup import Checkup


class UnwellError(click.ClickException):
    """Something of the stack does not work; says what."""

    code = "unwell"


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Look at settings, secrets, tables, queues and the address; fail if any is amiss."""
    here = platform()
    findings = list(Checkup(here.settings, here.outside).findings())
    amiss = [f"{each.part}: {each.problem}" for each in findings if each.problem is not None]
    if amiss:
        raise UnwellError("; ".join(amiss))
    parts = [each.part for each in findings]
    if ctx.obj:
        click.echo(json.dumps({"status": "success", "checked": parts}))
    else:
        click.echo("\n".join(f"ok  {part}" for part in parts))
