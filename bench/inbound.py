"""`python -m bench.inbound`: a flood of inbound posts, and whether each SMS is there once."""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from random import Random
from typing import Any

import click

from bench import flood
from bench.carriers import Carriers
from bench.machine import machine
from bench.outcome import examine
from bench.stack import Stack, fresh
from chalicelib import bootstrap, settings
from chalicelib.bootstrap import Platform
from chalicelib.domain.rental import MOST_MESSAGES

METHOD = """\
Posts are signed as the carriers sign (twilio and vonage by their SDKs, telnyx by Ed25519, generic
by Standard Webhooks) and go to the local gateway, without its sockets, from several threads of
one process; the engine is another process of this machine, in memory. One in ten posts is another's
exact repeat, half of these at the same moment. One SMS in twenty is long: vonage posts its two to
four parts, shuffled among up to 200 other posts. Of 100 transactions 2 meet conflicts until we
answer 503 and 10 meet one, as does one UpdateItem in ten; what was answered 503 is posted again,
unchanged, up to ten times. Then all tables are read: every SMS must be in its rental once, with
its text, one event and one delivery, the event's id in one inbound item; users must have paid for
each once."""

POOL_NUMBERS = 100
USERS = 20
FIRST_OPERATOR = 100
COUNTRIES = ("AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IT")

SMS_PER_POST = 0.85
"""At the most: the other posts are repeats, and parts of long SMS."""


@click.command()
@click.option("--posts", type=click.IntRange(min=20), default=10_000, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(posts: int, threads: int, seed: int) -> None:
    """Post the flood, and exit with 1 if anything is lost or doubled."""
    needed = math.ceil(posts * SMS_PER_POST / MOST_MESSAGES)
    pools = [
        (COUNTRIES[at % len(COUNTRIES)], FIRST_OPERATOR + at, POOL_NUMBERS)
        for at in range(-(-needed // POOL_NUMBERS))
    ]
    carriers = Carriers("http://127.0.0.1")
    with fresh(pools) as stack:
        platform = _serve(stack, carriers)
        owners = [stack.user(f"renter-{at}") for at in range(USERS)]
        began = time.perf_counter()
        taken = [
            platform.rentals.rent(
                owners[at % USERS], COUNTRIES[at // POOL_NUMBERS % len(COUNTRIES)], ""
            )
            for at in range(needed)
        ]
        rented = time.perf_counter() - began
        numbers = [rental.phone_number for rental in taken]
        planned = flood.plan(carriers, numbers, posts, Random(seed))
        http = flood.gateway()
        began, cpu = time.perf_counter(), time.process_time()
        with flood.conflicting() as conflicts:
            sent = flood.send(planned.posts, http.answer, platform.clock, threads=threads)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        outcome = examine(planned.messages, taken, owners)
    click.echo(f"\n{METHOD}")
    _show({"seed": seed, "threads": threads, **machine()})
    _show(
        {
            "posts": len(planned.posts),
            "of these repeats": planned.repeats,
            "SMS": len(planned.messages),
            "by carrier": dict(Counter(message.carrier for message in planned.messages)),
            "long SMS": sum(message.parts > 1 for message in planned.messages),
            "of these out of order": planned.out_of_order(),
            "rentals": f"{len(taken)} in {rented:.1f} s",
            "answers by status": dict(sent.statuses),
            "conflicts put in": conflicts.met,
            "transactions given up": len(conflicts.stubborn),
            "posts given up": sent.given_up,
            "seconds": f"{wall:.1f} (CPU of this process {cpu:.1f})",
            "posts per second": f"{sum(sent.statuses.values()) / wall:.0f}",
        }
    )
    _show(asdict(outcome))
    for odd, count in sent.odd.items():
        click.echo(f"unexpected, {count} times: {odd}")
    sys.exit(not outcome.is_good() or bool(sent.odd) or sent.given_up > 0)


def _serve(stack: Stack, carriers: Carriers) -> Platform:
    """The platform with our accounts at the carriers, and rentals that outlast the flood."""
    secrets = {
        **json.loads(stack.environment["SESAME_SECRETS"]),
        "providers": carriers.accounts(),
    }
    environment = {
        **stack.environment,
        "SESAME_SECRETS": json.dumps(secrets),
        "SESAME_RENTAL_SECONDS": "86400",
    }
    return bootstrap.use(Platform(settings.load(environment), post=stack.platform.post))


def _show(facts: Mapping[str, Any]) -> None:
    click.echo()
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name:<{width}}  {value}")


if __name__ == "__main__":
    main()
