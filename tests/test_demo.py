"""The demo, as a newcomer starts it."""

import os
import subprocess
import sys

from local.engine import ROOT


def test_the_demo_shows_the_whole_loop() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == "SESAME_ENGINE_PYTHON" or not name.startswith(("AWS_", "SESAME_"))
    }
    shown = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1] == "demo: ok"
    assert "482913, signature good" in shown.stdout
