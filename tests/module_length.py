"""`python -m tests.module_length`: no module but a test is longer than 300 lines."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 300


def main() -> None:
    """List what is too long, and fail if there is anything."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.py", ":!tests/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    lengths = {path: len(path.read_text().splitlines()) for path in paths if path.exists()}
    long = {path: length for path, length in lengths.items() if length > MOST_LINES}
    for path, length in sorted(long.items()):
        print(f"{path.relative_to(ROOT)}: {length} lines, at most {MOST_LINES}")
    sys.exit(bool(long))


if __name__ == "__main__":
    main()
