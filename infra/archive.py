"""The deployment package, made small, quick to start and the same each time.

Chalice ships every AWS service's description and no compiled module. Descriptions that nobody
loads are left out, and modules are compiled here, by hash: the zip's times would make Lambda
compile each of them again at every cold start.
"""

import os
import py_compile
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from infra.documents import BuildError

SERVICES = frozenset(
    {"dynamodb", "kms", "pinpoint-sms-voice-v2", "secretsmanager", "sns", "sqs", "ssm", "sts"}
)
"""The AWS services whose descriptions are shipped."""

UNUSED = ("phonenumbers/geodata/", "phonenumbers/tzdata/")
INSTALLED_AT = PurePosixPath("/var/task")
_DATA = ("botocore", "data")
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


def repack(made: Path, out: Path) -> None:
    """Write what of Chalice's package is needed, with compiled modules. Raises BuildError."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(made) as archive:
            wanted = [entry for entry in archive.namelist() if is_wanted(entry)]
            archive.extractall(folder, wanted)
        # Sets of constants are compiled in the order of their hashes.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", "infra.archive", str(folder)]
        if subprocess.run(command, env=environment, check=False).returncode:
            raise BuildError("the modules could not be compiled")
        _write(folder, out)


def is_wanted(entry: str) -> bool:
    """Whether that file of Chalice's package is shipped."""
    if entry.endswith("/") or "__pycache__" in entry or entry.startswith(UNUSED):
        return False
    parts = PurePosixPath(entry).parts
    # Files beside the services' folders describe endpoints and retries for all of them.
    return parts[:2] != _DATA or len(parts) == 3 or parts[2] in SERVICES


def compile_all(folder: Path) -> None:
    """Compile every module, to be used without looking at its source."""
    for source in sorted(folder.rglob("*.py")):
        py_compile.compile(
            str(source),
            dfile=str(INSTALLED_AT / source.relative_to(folder).as_posix()),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def _write(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _MODE
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    compile_all(Path(sys.argv[1]))
