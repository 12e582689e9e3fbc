"""`python -m infra.on STAGE manage.py …`: a command with the settings of a deployed stage."""

import sys

import click
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import run_on
from infra.documents import BuildError


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("stage")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def main(stage: str, command: tuple[str, ...]) -> None:
    """Run a Python COMMAND, such as manage.py, on the tables and queues of STAGE."""
    try:
        sys.exit(run_on(stage, [sys.executable, *command]))
    except (BuildError, BotoCoreError, ClientError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
