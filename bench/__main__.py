"""`make bench`: what each call costs, on a fresh embedded engine."""

import json
from typing import Any

import click

from bench import calls, contention
from bench.machine import machine
from bench.stack import fresh

METHOD = """\
Calls go through chalice.test.Client in one process, one after the other. The embedded engine is
another process of this machine, and its queries take longer in a larger pool of numbers. `trips`
are DynamoDB requests in sequence (`requests`: all of them), the median and the most of all runs.
CPU is this process's, without the engine's; wall time includes the engine's, so only the trips
and the CPU say something of AWS. `gets` is the same as a multiple of one plain GetItem, measured
between the calls. Times in milliseconds. The webhook's receiver takes no time. Contention: each
thread is a user and rents, through the service, until its share of the calls is done. An attempt
is a TransactWriteItems; a refusal, one that found its number taken; a conflict, one that DynamoDB
cancelled because of another (the embedded engine cancels none for that). `no_number` and `busy`
are calls that ended so; busy here is an engine that took longer than the 2 s of our patience."""


@click.command()
@click.option("--runs", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(runs: int, as_json: bool) -> None:
    """Measure each call and the contention for numbers."""
    with fresh([calls.POOL, *contention.POOLS]) as stack:
        report = {
            "machine": machine(),
            "method": " ".join(METHOD.split()),
            "calls": calls.measure(stack, runs),
            "contention": contention.measure(stack),
        }
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"\n{METHOD}\n")
    for name, value in machine().items():
        click.echo(f"{name:<8} {value}")
    _show(report["calls"])
    _show(report["contention"])


def _show(rows: Any) -> None:
    table = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    click.echo()
    for first, *others in table:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        click.echo("  ".join([f"{first:<{widths[0]}}", *cells]))


if __name__ == "__main__":
    main()
