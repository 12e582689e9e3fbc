"""`make package`: build/STAGE/deployment.zip and build/STAGE/sam.yaml, the same each time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from infra import archive, documents
from infra.build import config_of, merge_template
from infra.documents import ROOT, BuildError

SHIPPED = ("app.py", "chalicelib", "vendor")
_EMPTY_POLICY = {"Version": "2012-10-17", "Statement": []}


def package(stage: str, out: Path) -> None:
    """Make the deployment package and the template of a stage in `out`. Raises BuildError.

    Chalice works on a copy: its cache goes by contents and not by names, so a renamed file would
    be shipped under its old name, and compiled files would be shipped too.
    """
    config_of(stage)
    shutil.rmtree(out, ignore_errors=True)
    source = out / "source"
    _copy(source, stage)
    sys.path.insert(0, str(ROOT))
    from app import app

    merge = out / "merge.yaml"
    merge.write_text(documents.written(merge_template(app, stage)), encoding="utf-8")
    _run_chalice(source, stage, merge, out / "made")
    template = documents.read(out / "made" / "sam.yaml")
    (out / "sam.yaml").write_text(documents.written(template), encoding="utf-8")
    archive.repack(out / "made" / "deployment.zip", out / "deployment.zip")
    for leftover in (source, out / "made"):
        shutil.rmtree(leftover)


def _copy(source: Path, stage: str) -> None:
    source.mkdir(parents=True)
    for name in SHIPPED:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif origin.exists():
            shutil.copy2(origin, source / name)
    # Chalice installs what requirements.txt says: here each file by its hash.
    shutil.copy2(ROOT / "requirements.lock", source / "requirements.txt")
    chalice = source / ".chalice"
    chalice.mkdir()
    shutil.copy2(ROOT / ".chalice" / "config.json", chalice)
    # Chalice wants a policy for each role. The merged template has them, which win.
    (chalice / f"policy-{stage}.json").write_text(json.dumps(_EMPTY_POLICY))


def _run_chalice(source: Path, stage: str, merge: Path, out: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("chalice")), "--project-dir", str(source), "package"),
        *("--stage", stage, "--template-format", "yaml", "--merge-template", str(merge), str(out)),
    ]
    # A region is asked for and not used: the template names none.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(
        command, env=environment, cwd=source, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"chalice package failed:\n{done.stdout}{done.stderr}")


@click.command()
@click.option("--stage", required=True)
@click.option("--out", type=click.Path(path_type=Path), help="build/STAGE unless given.")
def main(stage: str, out: Path | None) -> None:
    """Package a stage."""
    folder = (out or ROOT / "build" / stage).resolve()
    try:
        package(stage, folder)
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    megabytes = (folder / "deployment.zip").stat().st_size / 1_000_000
    click.echo(f"{folder / 'sam.yaml'}\n{folder / 'deployment.zip'} ({megabytes:.1f} MB)")


if __name__ == "__main__":
    main()
