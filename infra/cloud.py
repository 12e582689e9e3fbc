"""The deployer's AWS account: its clients, a stage's stack and what is in it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.documents import BuildError


@cache
def client(service: str) -> Any:
    """A client by the credentials and region of whoever deploys."""
    session = botocore.session.get_session()
    if session.get_config_variable("region") is None:
        raise BuildError("Which region? Set AWS_DEFAULT_REGION.")
    # Path-style: a bucket's name is no host name on an emulator.
    config = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"})
    return session.create_client(service, config=config)


def stack_name(stage: str) -> str:
    """What the stack of a stage is called."""
    return f"sesame-{stage}"


def stack(stage: str) -> Mapping[str, Any] | None:
    """The stack of a stage as CloudFormation describes it, None if there is none."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    alive = [each for each in found if each["StackStatus"] != "DELETE_COMPLETE"]
    return dict(alive[0]) if alive else None


def outputs(stage: str) -> dict[str, str]:
    """What the stack tells. Raises BuildError if there is none."""
    found = stack(stage)
    if found is None:
        raise BuildError(f"{stack_name(stage)} is not deployed in this account and region")
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def environment(stage: str) -> dict[str, str]:
    """The variables that the stage's API Lambda has. They hold no secret. Raises BuildError."""
    name = f"{stack_name(stage)}-api"
    try:
        found = client("lambda").get_function_configuration(FunctionName=name)
    except ClientError as error:
        raise BuildError(f"{name}: {error.response['Error']['Message']}") from None
    return dict(found.get("Environment", {}).get("Variables", {}))


def tables(stage: str) -> list[str]:
    """The names of the stage's tables."""
    pages = client("cloudformation").get_paginator("list_stack_resources")
    return [
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack_name(stage))
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::DynamoDB::Table"
    ]


def bucket() -> str:
    """The bucket that deployments are uploaded to, made when it is first needed."""
    account = client("sts").get_caller_identity()["Account"]
    region = client("s3").meta.region_name
    name = f"sesame-deployments-{account}-{region}"
    s3 = client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        _make_bucket(s3, name, region)
    return name


def _make_bucket(s3: Any, name: str, region: str) -> None:
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **(where if region != "us-east-1" else {}))
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(closed, True)
    )


def secret_arn(stage: str) -> str | None:
    """The ARN of the secret that `make secrets` made for the stage, None if there is none."""
    try:
        return str(client("secretsmanager").describe_secret(SecretId=secret_name(stage))["ARN"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def secret_name(stage: str) -> str:
    """What the stage's secret is called."""
    return f"sesame/{stage}"


def make_secret(stage: str, content: Mapping[str, Any]) -> str:
    """Make the stage's secret; its ARN. Raises BuildError if it is there already."""
    name = secret_name(stage)
    if secret_arn(stage) is not None:
        raise BuildError(f"{name} is there already; change it in Secrets Manager.")
    made = client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(content))
    return str(made["ARN"])
