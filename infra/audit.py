"""`make check`: what is shipped, looked up among the known vulnerabilities."""

import subprocess
import sys
from pathlib import Path

from infra.documents import ROOT

PATIENCE_SECONDS = 60
LOCK = ROOT / "requirements.lock"


def main() -> int:
    """1 if a locked package has a known vulnerability; 0 if none has, or nobody answers."""
    program = str(Path(sys.executable).with_name("pip-audit"))
    command = [program, "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [*command, "-r", str(LOCK)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print("pip-audit: no answer; nothing was looked up")
        return 0
    told = (done.stdout + done.stderr).strip()
    # It exits with 1 for both; only a finding is told as a table.
    if done.returncode and "known vulnerabilit" not in told:
        print(f"pip-audit: no answer; nothing was looked up ({told.splitlines()[-1:]})")
        return 0
    if "could not be audited" in told:
        print("pip-audit: the index tells nothing of vulnerabilities; not all was looked up")
    else:
        print(told)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
