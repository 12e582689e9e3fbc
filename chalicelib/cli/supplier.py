"""`manage.py supplier`: servers that rent us numbers, looked at from outside. Needs no stack."""

import json
import time
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from chalicelib.domain.urls import checked_server_url
from chalicelib.errors import InvalidInputError
from chalicelib.suppliers import conformance
from chalicelib.suppliers.conformance import Outcome, Probe, Result, Target, UnreachableError
from chalicelib.surroundings import system_clock

_NOT_CALLED = "address_not_allowed"


class UnreachedError(click.ClickException):
    """The server gave no answer; says why."""

    code = "unreachable"


@click.group()
def supplier() -> None:
    """Servers that rent us numbers."""


@supplier.command("check")
@click.argument("url")
@click.option("--api-key", required=True, envvar="SESAME_SUPPLIER_KEY", show_envvar=True)
@click.option("--country", help="Where to rent, such as US; where most is in stock unless given.")
@click.option("--simultaneous", type=click.IntRange(2, 30), default=30, show_default=True)
@click.option("--other-key", help="Of another account there: shows that it can't see ours.")
@click.option("--wait-expiry", is_flag=True, help="Wait until a rental expires.")
@click.pass_context
def check_server(
    ctx: click.Context,
    url: str,
    api_key: str,
    country: str | None,
    simultaneous: int,
    other_key: str | None,
    wait_expiry: bool,
) -> None:
    """Check that the server at URL keeps the rental API (spec B), by renting and cancelling there.

    Exits with 0 if every required check passed, with 1 if not.
    """
    if not api_key.strip():
        raise InvalidInputError("--api-key", "a key of the server's")
    wanted = Probe(
        Target(_server_url(url), api_key.strip(), conformance.send_over_http),
        clock=system_clock,
        sleep=time.sleep,
        country=country.strip().upper() if country else None,
        simultaneous=simultaneous,
        wait_expiry=wait_expiry,
        other_key=other_key,
    )
    results = _checked(wanted, url, as_json=ctx.obj)
    ctx.exit(0 if all(result.is_good() for result in results) else 1)


def _checked(wanted: Probe, url: str, *, as_json: bool) -> list[Result]:
    try:
        probe, price = conformance.prepare(wanted)
    except UnreachableError as error:
        why = "only https:// to public hosts is called, and this machine"
        raise UnreachedError(
            f"{url}: no answer ({why if error.reason == _NOT_CALLED else error.reason})."
        ) from None
    # Said before anything is rented; on stderr, so that --json stays one document.
    click.echo(_statement(probe, price), err=True)
    results = []
    with closing(conformance.run(probe)) as running:
        for result in running:
            results.append(result)
            if not as_json:
                click.echo(_row(result))
    if as_json:
        click.echo(json.dumps(_document(probe, url, results), ensure_ascii=False, indent=2))
    else:
        click.echo(_summary(probe, results))
    return results


def _server_url(text: str) -> str:
    url = checked_server_url(text, allow_loopback=True)
    if "?" in url or "#" in url:
        raise InvalidInputError("url", "no query and no fragment")
    return url


def _statement(probe: Probe, price: str | None) -> str:
    where = f" in {probe.country}" if probe.country else ""
    cost = f", at {price} each" if price else ""
    return (
        f"Rents at most {conformance.budget(probe)} numbers{where}{cost}, "
        f"{probe.simultaneous} of them at once, and cancels each."
    )


def _row(result: Result) -> str:
    width = max(len(check.name) for check in conformance.CHECKS)
    return f"{result.check:<{width}}  {result.outcome:<7}  {result.seen}"


def _summary(probe: Probe, results: list[Result]) -> str:
    lines = [f"{len(probe.target.replies)} answers, the slowest in {_slowest(probe)} s."]
    if held := probe.target.held():
        lines.append(f"Not cancelled, left to expire: {', '.join(map(conformance.shown, held))}")
    required = [result for result in results if result.required]
    wrong = [result.check for result in required if result.outcome is Outcome.FAILED]
    unshown = [result for result in required if result.outcome is Outcome.SKIPPED]
    if not wrong and not unshown:
        return "\n".join([*lines, f"All {len(required)} required checks passed."])
    if wrong:
        lines.append(f"{len(wrong)} of {len(required)} required failed: {', '.join(wrong)}.")
    if unshown:
        lines.append(f"{len(unshown)} of {len(required)} required could not be shown.")
    return "\n".join(lines)


def _document(probe: Probe, url: str, results: list[Result]) -> dict[str, Any]:
    return {
        "status": "success",
        "conforms": all(result.is_good() for result in results),
        "url": url,
        "country": probe.country,
        "most_rents": conformance.budget(probe),
        "rents": probe.target.rents,
        "not_cancelled": probe.target.held(),
        "slowest_seconds": _slowest(probe),
        "checks": [asdict(result) for result in results],
    }


def _slowest(probe: Probe) -> float:
    return round(conformance.slowest(probe), 3)
