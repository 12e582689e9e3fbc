"""The registry imports what is listed, when it is asked for, and nothing else."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from chalicelib import providers
from chalicelib.providers import registry

ROOT = Path(__file__).parents[2]


def is_provider(name: str) -> bool:
    return hasattr(import_module(f"chalicelib.providers.{name}"), "accepted")


def test_a_provider_is_its_module() -> None:
    for name in registry.NAMES:
        assert registry.get(name) is sys.modules[f"chalicelib.providers.{name}"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nobody",
        "contract",
        "registry",
        "Twilio",
        "twilio ",
        ".twilio",
        "twilio.base64",
        "chalicelib.providers.twilio",
        "../../manage",
        "antigravity",
        "\0",
        "\ud800",
    ],
)
def test_a_name_that_is_not_listed_is_never_imported(name: str) -> None:
    before = set(sys.modules)
    assert registry.get(name) is None
    assert set(sys.modules) == before


def test_a_provider_is_imported_when_first_asked_for() -> None:
    code = (
        "import sys; from chalicelib.providers import registry; "
        "loaded = lambda: 'chalicelib.providers.twilio' in sys.modules; "
        "assert not loaded(); registry.get('twilio'); assert loaded()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_provider_is_listed_and_has_what_the_checklist_asks() -> None:
    modules = {module.name for module in pkgutil.iter_modules(providers.__path__)}
    assert {name for name in modules if is_provider(name)} == registry.NAMES
    assert registry.SENDERS <= registry.NAMES
    table = (ROOT / "docs/adding-a-provider.md").read_text("utf-8")
    for name in registry.NAMES:
        assert list((ROOT / "tests/providers/fixtures" / name).glob("*.post")), name
        assert (ROOT / f"tests/providers/test_{name}.py").is_file(), name
        assert f"| `{name}` |" in table, name
