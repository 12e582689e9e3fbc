"""The local stack's home: where its data, its secrets and its demo keys are kept."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.domain.keys import hash_key
from chalicelib.domain.signatures import SECRET_PREFIX
from local.errors import LocalRunError

DEMO_ACCOUNT = "demo"


@dataclass(frozen=True)
class Home:
    """A folder that only its owner reads."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home: one run at a time.

        Raises LocalRunError if there is one already, or if the folder cannot be had.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LocalRunError(f"{error}; choose another SESAME_HOME.") from None
        try:
            self._lock(file)
            yield
        finally:
            os.close(file)

    def _lock(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalRunError(
                f"A stack already runs in {self.path}; stop it, or choose another SESAME_HOME."
            ) from None

    def read(self, name: str) -> dict[str, Any] | None:
        """The JSON file of that name, None if there is none."""
        try:
            found = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            raise LocalRunError(f"{self.path / name} is damaged; remove it.") from None
        return dict(found)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file, whole or not at all, for its owner only."""
        new = self.path / f".{name}.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as opened:
            json.dump(content, opened, indent=2)
        new.replace(self.path / name)

    def secrets(self) -> dict[str, Any]:
        """The stack's secrets, made when first asked for."""
        found = self.read("secrets.json")
        if found is None:
            found = {
                "pepper": secrets.token_hex(32),
                "system_key": f"sesame_system_{secrets.token_urlsafe(32)}",
                "admin_key": f"sesame_admin_{secrets.token_urlsafe(32)}",
                "providers": {
                    "generic": _signing_secret(),
                    "simulator": _signing_secret(),
                    "twilio": secrets.token_hex(16),
                },
            }
            self.write("secrets.json", found)
        return found

    def platform_secrets(self, supplier_keys: Mapping[str, str] | None = None) -> str:
        """The secrets in the form of SESAME_SECRETS: keys by their hashes.

        `supplier_keys` are ours at suppliers, in clear: they are sent there.
        """
        known = self.secrets()
        return json.dumps(
            {
                "pepper": known["pepper"],
                "system_key_hash": hash_key(known["system_key"]),
                "admin_key_hash": hash_key(known["admin_key"]),
                "providers": {
                    provider: {DEMO_ACCOUNT: {"secrets": [secret]}}
                    for provider, secret in known["providers"].items()
                },
                "suppliers": dict(supplier_keys or {}),
            }
        )


def _signing_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
