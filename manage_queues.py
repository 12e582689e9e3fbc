"""`manage.py queues`: how deep they are, and what they gave up on, moved back."""

from dataclasses import fields as fields_of

import click

from chalicelib.bootstrap import platform
from chalicelib.errors import InvalidInputError
from chalicelib.stores import dead_letters
from manage_shell import fields, show

MOST_REDRIVEN = 1_000
DEPTH = ("waiting", "in_hand", "dead")
_SUFFIX = "_queue"


@click.group(invoke_without_command=True)
@click.pass_context
def queues(ctx: click.Context) -> None:
    """The queues, and what they gave up on: `dead` are messages that failed five times."""
    if ctx.invoked_subcommand is None:
        found = ((name, dead_letters.depth(url)) for name, url in _urls().items())
        show(queues=[{"queue": name, **fields(depth, DEPTH)} for name, depth in found])


@queues.command("redrive")
@click.argument("name")
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_REDRIVEN, show_default=True)
def redrive(name: str, most: int) -> None:
    """Move what the queue NAME gave up on back to it, once its cause is mended."""
    urls = _urls()
    if name not in urls:
        raise InvalidInputError("name", f"one of {', '.join(urls)}")
    moved = dead_letters.redrive(urls[name], most)
    show(queue=name, moved=moved, dead=dead_letters.depth(urls[name]).dead)


def _urls() -> dict[str, str]:
    settings = platform().settings
    names = [field.name for field in fields_of(settings) if field.name.endswith(_SUFFIX)]
    return {name.removesuffix(_SUFFIX): getattr(settings, name) for name in names}
