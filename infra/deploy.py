"""`make deploy STAGE=…`: upload a package, change the stack, ask it whether it works."""

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra import cloud, documents
from infra.documents import ROOT, BuildError, Document

_POLL = {"Delay": 2, "MaxAttempts": 900}
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


def deploy(stage: str, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Bring the stack of a stage to the package in `folder`; its outputs. Raises BuildError.

    CloudFormation undoes a change that fails halfway. One that is done and then fails the smoke
    test is undone here, by the template and parameters from before.
    """
    before = cloud.stack(stage)
    former = _template_of(stage) if before is not None else None
    apply(stage, upload(stage, documents.read(folder / "sam.yaml"), folder), given)
    if works(stage):
        return cloud.outputs(stage)
    if before is None or former is None:
        raise BuildError("The stack is there and does not work: see above, mend, deploy again.")
    click.echo("The new version does not work; going back to the one before.", err=True)
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in before.get("Parameters", [])}
    apply(stage, _put(f"{stage}/former.yaml", former.encode()), parameters)
    raise BuildError("The new version did not work, and the one before is back.")


def works(stage: str) -> bool:
    """Whether `manage.py doctor` finds nothing wrong with the stage."""
    return run_on(stage, [sys.executable, str(ROOT / "manage.py"), "doctor"]) == 0


def run_on(stage: str, command: list[str]) -> int:
    """Run a command with the stage's settings; its exit status."""
    region = cloud.client("lambda").meta.region_name
    variables = {**os.environ, "AWS_DEFAULT_REGION": region, **cloud.environment(stage)}
    return subprocess.run(command, env=variables, cwd=ROOT, check=False).returncode


def upload(stage: str, template: Document, folder: Path) -> str:
    """Upload package and template, each under a name that its contents give; the template's URL."""
    package = (folder / "deployment.zip").read_bytes()
    key = f"{stage}/{hashlib.sha256(package).hexdigest()}.zip"
    _put(key, package)
    for function in documents.of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = f"s3://{cloud.bucket()}/{key}"
    text = documents.written(template).encode()
    return _put(f"{stage}/{hashlib.sha256(text).hexdigest()}.yaml", text)


def _put(key: str, content: bytes) -> str:
    s3, bucket = cloud.client("s3"), cloud.bucket()
    s3.put_object(Bucket=bucket, Key=key, Body=content, ServerSideEncryption="AES256")
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _template_of(stage: str) -> str:
    answer = cloud.client("cloudformation").get_template(
        StackName=cloud.stack_name(stage), TemplateStage="Original"
    )
    body = answer["TemplateBody"]
    return body if isinstance(body, str) else documents.written(body)


def apply(stage: str, template_url: str, given: Mapping[str, str]) -> None:
    """Make the stack, or change it, and wait until that is done. Raises BuildError."""
    cloudformation, name = cloud.client("cloudformation"), cloud.stack_name(stage)
    there = cloud.stack(stage)
    parameters = _parameters(stage, template_url, given, there)
    kind = "CREATE" if there is None or there["StackStatus"] == "REVIEW_IN_PROGRESS" else "UPDATE"
    digest = hashlib.sha256(repr((template_url, parameters, there)).encode()).hexdigest()
    change = f"sesame-{digest[:16]}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=change,
        ChangeSetType=kind,
        TemplateURL=template_url,
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    if not _is_ready(cloudformation, name, change):
        click.echo("Nothing to change.")
        return
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change)
    waiter = cloudformation.get_waiter(f"stack_{kind.lower()}_complete")
    try:
        waiter.wait(StackName=name, WaiterConfig=_POLL)
    except WaiterError:
        raise BuildError(f"{name} was not deployed; all is as before.\n{_why(name)}") from None


def _is_ready(cloudformation: Any, name: str, change: str) -> bool:
    """Whether there is anything to change. Raises BuildError."""
    waiter = cloudformation.get_waiter("change_set_create_complete")
    try:
        waiter.wait(StackName=name, ChangeSetName=change, WaiterConfig=_POLL)
    except WaiterError:
        found = cloudformation.describe_change_set(StackName=name, ChangeSetName=change)
        why = found.get("StatusReason", "")
        if not any(text in why for text in _NO_CHANGES):
            raise BuildError(f"{name}: {why}") from None
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change)
        return False
    return True


def _parameters(
    stage: str, template_url: str, given: Mapping[str, str], there: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Those given, and for the others what the stack has: a deployment forgets no choice."""
    summary = cloud.client("cloudformation").get_template_summary(TemplateURL=template_url)
    known = {parameter["ParameterKey"] for parameter in summary["Parameters"]}
    if unknown := sorted(given.keys() - known):
        raise BuildError(f"No such parameter: {', '.join(unknown)}")
    chosen = dict(given)
    before = {each["ParameterKey"] for each in (there or {}).get("Parameters", [])}
    if "SecretsArn" not in chosen and "SecretsArn" not in before:
        found = cloud.secret_arn(stage)
        if found is None:
            raise BuildError(f"There is no secret yet: make secrets STAGE={stage}")
        chosen["SecretsArn"] = found
    kept = sorted((before & known) - chosen.keys())
    return [
        *({"ParameterKey": key, "ParameterValue": text} for key, text in sorted(chosen.items())),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in kept),
    ]


def _why(name: str) -> str:
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
    return "\n".join(
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed
    )


@click.command()
@click.option("--stage", required=True)
@click.option("--parameters", default="", help="NAME=VALUE, with blanks between them.")
def main(stage: str, parameters: str) -> None:
    """Deploy what is packaged for STAGE."""
    given = dict(each.partition("=")[::2] for each in shlex.split(parameters))
    try:
        told = deploy(stage, ROOT / "build" / stage, given)
    except (BuildError, BotoCoreError, ClientError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"""
{cloud.stack_name(stage)} runs at {told["PublicUrl"]}

Its first user, with money and a key:

  .venv/bin/python -m infra.on {stage} manage.py users create LOGIN --approve
  .venv/bin/python -m infra.on {stage} manage.py users credit LOGIN 10.00
  .venv/bin/python -m infra.on {stage} manage.py keys issue LOGIN
"""
    )


if __name__ == "__main__":
    main()
