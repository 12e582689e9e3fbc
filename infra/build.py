"""Joins the documents in infra/ into the one that `chalice package --merge-template` takes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalice.app import Chalice
from chalice.config import Config

from infra import alarms, api, functions, policies
from infra.documents import ROOT, BuildError, Document, joined, of_type, read

INFRA = ROOT / "infra"
WRITTEN = ("resources.yaml", "parameters.yaml", "api.yaml", "alarms.yaml")

_NOTHING = {"Ref": "AWS::NoValue"}


def config_of(stage: str, root: Path = ROOT) -> Config:
    """.chalice/config.json for a stage. Raises BuildError: Chalice takes any name for one."""
    found = json.loads((root / ".chalice" / "config.json").read_text(encoding="utf-8"))
    stages = sorted(found["stages"])
    if stage not in stages or stage not in read(INFRA / "stages.yaml"):
        raise BuildError(f"STAGE={stage}: expected one of {', '.join(stages)}")
    return Config(
        chalice_stage=stage,
        config_from_disk=found,
        user_provided_params={"project_dir": str(root)},
    )


def merge_template(app: Chalice, stage: str) -> Document:
    """Everything of a stage's template that Chalice does not make by itself. Raises BuildError."""
    config = config_of(stage)
    base = joined(*(read(INFRA / name) for name in WRITTEN))
    sources = functions.sources_of(base["Resources"])
    lambdas = functions.functions_of(app, config, sources)
    names = base["Globals"]["Function"]["Environment"]["Variables"]
    made = joined(
        functions.resources(lambdas, config),
        policies.resources(lambdas, names),
        alarms.resources(base, lambdas),
        api.resources(app, lambdas),
        tables(base),
        queues(base),
    )
    return joined(base, {"Resources": made}, {"Parameters": _defaults(stage)})


def tables(template: Mapping[str, Any]) -> Document:
    """What every table has beside what resources.yaml says, and local engines do not know."""
    return {
        name: {
            "Properties": {
                "DeletionProtectionEnabled": {"Fn::If": ["IsProtected", True, False]},
                "SSESpecification": {
                    "SSEType": {"Fn::If": ["HasKmsKey", "KMS", _NOTHING]},
                    "KMSMasterKeyId": {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, _NOTHING]},
                },
            }
        }
        for name in of_type(template, "AWS::DynamoDB::Table")
    }


def queues(template: Mapping[str, Any]) -> Document:
    """What becomes of the queues with the stack: what they tell of is in the tables."""
    gone = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    return dict.fromkeys(of_type(template, "AWS::SQS::Queue"), gone)


def _defaults(stage: str) -> Document:
    stages = read(INFRA / "stages.yaml")
    return {name: {"Default": value} for name, value in stages[stage].items()}
