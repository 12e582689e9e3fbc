"""Sends an SMS to the running stack, as a carrier would: the simulator's part of the demo."""

import json
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import requests

from chalicelib.domain.times import Millis
from chalicelib.providers import simulator
from chalicelib.settings import ProviderAccount
from local.engine import ROOT

SECONDS = 10


def send(demo: Mapping[str, Any], *, sender: str, to: str, text: str) -> int:
    """Post an SMS as the simulator; `demo` is the content of demo.json. The answer's status."""
    account = demo["inbound"]["simulator"]
    headers, body = simulator.signed_post(
        ProviderAccount(account["account"], (account["secret"],)),
        sender=sender,
        to=to,
        text=text,
        message_id=secrets.token_hex(8),
        now=Millis(time.time_ns() // 1_000_000),
    )
    url = f"{demo['url']}/inbound/simulator/{account['account']}"
    return requests.post(url, data=body, headers=headers, timeout=SECONDS).status_code


@click.command()
@click.option(
    "--to", required=True, envvar="TO", show_envvar=True, help="A rented number, in E.164."
)
@click.option("--text", default="Your Acme code is 482913.", show_default=True, envvar="TEXT")
@click.option("--sender", default="Acme", show_default=True)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".sesame",
    envvar="SESAME_HOME",
)
def main(to: str, text: str, sender: str, home: Path) -> None:
    """Have the simulator post an SMS to the stack that `make run` runs."""
    try:
        demo = json.loads((home / "demo.json").read_text())
        status = send(demo, sender=sender, to=to, text=text)
    except FileNotFoundError:
        click.echo(f"sms: no stack has run in {home}; start one with: make run", err=True)
        sys.exit(1)
    except requests.RequestException:
        click.echo("sms: the stack does not answer; start it with: make run", err=True)
        sys.exit(1)
    click.echo(f"the stack answered {status}")
    sys.exit(status != requests.codes.ok)


if __name__ == "__main__":
    main()
