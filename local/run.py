"""`make run`: the whole platform on this machine."""

import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click
from chalice.config import Config

from chalicelib import telemetry
from chalicelib.errors import SesameError
from local import pumps, resources, template
from local.engine import ROOT, Engine
from local.errors import LocalRunError
from local.home import DEMO_ACCOUNT, Home
from local.serve import serve

HOST = "127.0.0.1"
REGION = "us-east-1"
DEMO_SETTINGS = {
    "SESAME_ALLOW_LOOPBACK": "1",
    "SESAME_MAX_CALLS_PER_MINUTE": "6000",
    "SESAME_MAX_OPEN_RENTALS": "1000",
    "SESAME_MAX_UNUSED_CANCELS_PER_HOUR": "6000",
    "SESAME_OTP_PRICES": '{"*": {"sms": "0.04", "voice_sms": "0.1"}}',
    "SESAME_OTP_ROUTES": '{"*": ["simulator:demo"]}',
    "SESAME_REST_SECONDS": "60",
    "SESAME_REST_UNUSED_SECONDS": "60",
}

log = logging.getLogger("local")


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, envvar="PORT")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".sesame",
    envvar="SESAME_HOME",
    help="Where the data is kept.",
)
@click.option("--minute", default=60.0, help="Seconds in a minute of the schedules.")
def main(port: int, home: Path, minute: float) -> None:
    """Run Sesame on this machine until Ctrl-C."""
    telemetry.write_text()
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    try:
        _run(Home(home.resolve()), port, minute, stop)
    except (LocalRunError, SesameError) as error:
        click.echo(f"sesame: {error}", err=True)
        sys.exit(1)


def _run(home: Home, port: int, minute: float, stop: threading.Event) -> None:
    with home.locked():
        url = f"http://{HOST}:{_checked_port(port)}"
        engine = Engine.ensure(home.path)
        try:
            _serve(home, engine, url, minute, stop)
        finally:
            engine.stop()


def _serve(home: Home, engine: Engine, url: str, minute: float, stop: threading.Event) -> None:
    definition = template.load()
    names = resources.create(definition, engine.url)
    environment = _environment(home, engine, names, url)
    # What is left of another stack's environment must not reach into this one.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
    home.write("environment.json", environment)

    from app import app

    demo = _demo(home, url)
    queue_urls = {
        name: resources.queue_of(definition, _logical_id(name), engine.url)
        for name in pumps.queue_functions(app)
    }
    serve(
        app,
        port=int(url.rpartition(":")[2]),
        environment=environment,
        queue_urls=queue_urls,
        engine_url=engine.url,
        config=_config(),
        stop=stop,
        minute=minute,
        ready=lambda _: _announce(home, demo),
    )


def _config() -> Config:
    """.chalice/config.json, read without Chalice's command line: importing that takes 0.3 s."""
    found = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return Config(chalice_stage="dev", config_from_disk=found)


def _logical_id(function: str) -> str:
    """What Chalice calls a function's resource in the template."""
    return "".join(part.capitalize() for part in function.split("_"))


def _checked_port(port: int) -> int:
    """The port, or a free one for 0. Raises LocalRunError before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise LocalRunError(f"Port {port} is taken; choose another with PORT=...") from None
        return int(probe.getsockname()[1])


def _environment(home: Home, engine: Engine, names: dict[str, str], url: str) -> dict[str, str]:
    chosen = {name: os.environ[name] for name in os.environ if name.startswith("SESAME_")}
    supplier_keys = _supplier_keys(chosen.pop("SESAME_SUPPLIER_KEYS", ""))
    return {
        **DEMO_SETTINGS,
        **chosen,
        **names,
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "SESAME_PUBLIC_URL": url,
        "SESAME_SECRETS": home.platform_secrets(supplier_keys),
    }


def _supplier_keys(text: str) -> dict[str, str]:
    """Our keys at the servers in SESAME_SUPPLIERS, by name. Raises LocalRunError."""
    try:
        keys = json.loads(text or "{}")
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise LocalRunError("SESAME_SUPPLIER_KEYS: expected a JSON object of names and keys.")
    return keys


def _demo(home: Home, url: str) -> dict[str, Any]:
    """What scripts need to use the stack; seeds it unless the key of demo.json opens it."""
    from chalicelib.bootstrap import platform
    from local.seed import LOGIN, is_key, seed

    demo = home.read("demo.json")
    if demo is None or not is_key(platform(), demo.get("api_key", "")):
        log.info("seeding the demo data")
        countries = os.environ.get("SESAME_DEMO_COUNTRIES", "").replace(",", " ").split()
        user_id, api_key = seed(platform(), countries)
        known = home.secrets()
        demo = {
            "login": LOGIN,
            "user_id": user_id,
            "api_key": api_key,
            "system_api_key": known["system_key"],
            "admin_key": known["admin_key"],
            "inbound": {
                provider: {"account": DEMO_ACCOUNT, "secret": secret}
                for provider, secret in known["providers"].items()
            },
        }
    return {"url": url, **{name: value for name, value in demo.items() if name != "url"}}


def _announce(home: Home, demo: dict[str, Any]) -> None:
    # Written once requests are taken, so that a script that waits for it can begin.
    home.write("demo.json", demo)
    click.echo(
        f"""
Sesame runs at {demo["url"]}

  console         {demo["url"]}/
  login           {demo["login"]}
  user id         {demo["user_id"]}
  API key         {demo["api_key"]}
  system key      {demo["system_api_key"]}
  admin key       {demo["admin_key"]}
  for scripts     {home.path / "demo.json"}

  curl '{demo["url"]}/getNumbers?api_key={demo["api_key"]}'

Ctrl-C stops it; the data stays in {home.path}.
"""
    )


if __name__ == "__main__":
    main()
