"""Which providers there are. A provider's name is its module's and the one in its URL."""

from importlib import import_module

from chalicelib.providers.contract import Provider
from chalicelib.providers.sending import Sender

NAMES = frozenset(
    {
        "aws",
        "bird",
        "bird_channels",
        "clicksend",
        "generic",
        "infobip",
        "main",
        "messagebird",
        "octopush",
        "plivo",
        "simulator",
        "sinch",
        "telnyx",
        "twilio",
        "vonage",
    }
)
SENDERS: frozenset[str] = frozenset(
    {
        "aws",
        "simulator",
        "twilio",
        "vonage",
    }
)


def get(name: str) -> Provider | None:
    """The provider called `name`, imported when first asked for; None if there is none.

    `name` comes from a URL: only what is listed here is ever imported.
    """
    if name not in NAMES:
        return None
    # mypy takes any module for a Provider; tests/providers/contract_suite.py compares signatures.
    provider: Provider = import_module(f"chalicelib.providers.{name}")
    return provider


def sender(name: str) -> Sender | None:
    """The provider called `name` if it sends, imported when first asked for."""
    if name not in SENDERS:
        return None
    found: Sender = import_module(f"chalicelib.providers.{name}")
    return found
