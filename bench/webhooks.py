"""`python -m bench.webhooks`: webhooks through crashes, and beside an endpoint that hangs."""

import json
from dataclasses import asdict
from typing import Any

import click

from bench import crashes, hanging
from bench.machine import machine
from bench.stack import fresh, now

METHOD = """\
Crashes: events of 20 users are written as any transaction writes them, on a fresh embedded engine
and a clock that the run sets. The deliverer is called for each message of both queues, and the
sweep when something is due. Each of its requests to DynamoDB and SQS and each post crashes it by
chance, before or after it is done; the message of a deliverer that died comes again after 180 s.
Of the posts 10 in 100 are answered 503 and 2 in 100 too late. `lost` were never received,
`strangers` came under an id that no event has, `unfinished` are not marked as delivered.
Hanging: `python -m local.run` in a process of its own, events written from this one at a steady
rate, receivers on this machine. Nine others have an event in two seconds between them, first alone
(quiet), then beside an endpoint that has nine in two seconds and answers after 15 s. Times from an
event's being written to its first byte at the receiver, in milliseconds; what is not received
within 30 s of the end counts as for ever. 10 s of the same traffic come before the first phase and
are not counted."""


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=5_000, show_default=True)
@click.option("--chance", type=float, default=0.03, show_default=True, help="Of a crash.")
@click.option("--seconds", type=click.IntRange(min=20), default=150, show_default=True)
@click.option("--only", type=click.Choice(["crashes", "hanging"]), help="One of the two.")
def main(events: int, chance: float, seconds: int, only: str | None) -> None:
    """Print one JSON document with the method, the machine and the raw numbers."""
    report: dict[str, Any] = {"method": " ".join(METHOD.split()), "machine": machine()}
    if only != "hanging":
        with fresh([]) as stack:
            run = crashes.run(stack.platform.settings, now(), events=events, chance=chance)
            report["crashes"] = {"chance": chance, **asdict(run)}
    if only != "crashes":
        report["hanging"] = {"seconds": seconds, **asdict(hanging.run(seconds))}
    click.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
