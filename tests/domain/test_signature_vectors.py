"""Our signatures, as the Standard Webhooks libraries for Python and JavaScript take them.

JavaScript's is no part of `make test`'s installation: `npm ci --prefix tests/js` brings it, and the
test says so where it is absent.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.domain.signatures import TOLERANCE_SECONDS, derive_secret, signed_headers
from chalicelib.domain.times import SECOND, Millis
from chalicelib.surroundings import system_clock

JS = Path(__file__).parent.parent / "js"
NODE = shutil.which("node")
NEW, OLD, OTHER = (derive_secret(b"p" * 32, "user", generation) for generation in (2, 1, 0))
BODY = (
    '{"event": "otp_received", "data": {"otp_code": "482913", "sms_text": "Dein Code: 482913 ✓"}}'
)
LATE = (TOLERANCE_SECONDS + 5) * SECOND


@dataclass(frozen=True)
class Case:
    """A webhook, and whether who holds `secret` is to take it."""

    name: str
    good: bool
    secret: str = NEW
    signed_by: tuple[str, ...] = (NEW,)
    body: str = BODY
    age: int = 0
    without: str = ""

    def headers(self) -> dict[str, str]:
        """Those that our webhooks carry, made of BODY."""
        at = Millis(system_clock() - self.age)
        made = signed_headers(self.signed_by, "01HF7YAT00KN72RTCCVJF755NM", at, BODY.encode())
        return {name: value for name, value in made.items() if name != self.without}


CASES = [
    Case("valid", True),
    Case("two secrets, the new one", True, signed_by=(NEW, OLD)),
    Case("two secrets, the old one", True, secret=OLD, signed_by=(NEW, OLD)),
    Case("tampered", False, body=BODY.replace("482913", "482914")),
    Case("wrong key", False, secret=OTHER, signed_by=(NEW, OLD)),
    Case("too old", False, age=LATE),
    Case("missing signature", False, without="webhook-signature"),
    Case("missing id", False, without="webhook-id"),
    Case("missing timestamp", False, without="webhook-timestamp"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_python_library_takes_what_is_good_and_nothing_else(case: Case) -> None:
    try:
        taken = Webhook(case.secret).verify(case.body, case.headers())
    except WebhookVerificationError:
        assert not case.good
    else:
        assert case.good
        assert taken == json.loads(BODY)


@pytest.mark.skipif(
    NODE is None or not (JS / "node_modules").exists(),
    reason="needs node and `npm ci --prefix tests/js`",
)
def test_the_javascript_library_takes_the_same() -> None:
    cases = [
        {"name": c.name, "secret": c.secret, "body": c.body, "headers": c.headers()} for c in CASES
    ]
    done = subprocess.run(
        [str(NODE), str(JS / "verify.mjs")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert json.loads(done.stdout) == {case.name: case.good for case in CASES}
