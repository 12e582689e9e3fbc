"""The Lambdas that the template deploys: those of app.py, and the one that is kept for inbound."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import Chalice, SQSEventConfig
from chalice.config import Config

from infra.documents import Document

API = "api_handler"
INBOUND = "inbound_handler"
INBOUND_PATHS = "/inbound/"

_LOGICAL_IDS = {API: "APIHandler"}
_NAMED = {API: "api", INBOUND: "inbound"}
_NOTHING = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda. `queue` is the logical id of the queue that it reads, if it reads one."""

    name: str
    timeout: int
    queue: str | None = None

    @property
    def logical_id(self) -> str:
        """What Chalice calls it in the template."""
        return _LOGICAL_IDS.get(self.name) or _camel(self.name)

    @property
    def role_id(self) -> str:
        """What Chalice calls its role there."""
        return f"{_camel(self.name)}Role"

    @property
    def log_id(self) -> str:
        """Its log group there."""
        return f"{_camel(self.name)}Log"


def functions_of(app: Chalice, config: Config, sources: Mapping[str, str]) -> list[Function]:
    """Every Lambda of the app; `sources` are the queues they read, by logical id."""
    found = [Function(API, _timeout(config, API)), Function(INBOUND, _timeout(config, API))]
    for event in app.event_sources:
        function = Function(event.name, _timeout(config, event.name))
        queue = sources[function.logical_id] if isinstance(event, SQSEventConfig) else None
        found.append(Function(event.name, function.timeout, queue))
    return found


def sources_of(resources: Mapping[str, Any]) -> dict[str, str]:
    """The queues that functions read, by the function's logical id, as resources.yaml has them."""
    found = {}
    for logical_id, resource in resources.items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            arn = event["Properties"]["Queue"]["Fn::Sub"]
            found[logical_id] = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", arn)
    return found


def resources(functions: list[Function], config: Config) -> Document:
    """The functions' patches and logs. Their roles come from policies.py."""
    made: Document = {}
    for function in functions:
        made[function.log_id] = _log_group(function)
        made[function.logical_id] = {"Properties": _properties(function)}
    inbound = next(each for each in functions if each.name == INBOUND)
    made[inbound.logical_id]["Type"] = "AWS::Serverless::Function"
    made[inbound.logical_id]["Properties"] |= _like_the_api_handler(inbound, config)
    return made


def _properties(function: Function) -> Document:
    properties: Document = {
        "LoggingConfig": {"LogGroup": {"Ref": function.log_id}},
        "Tracing": {"Fn::If": ["IsTraced", "Active", "PassThrough"]},
    }
    if function.name in _NAMED:
        properties["FunctionName"] = {"Fn::Sub": function_name(function)}
    return properties


def function_name(function: Function) -> str:
    """What an HTTP function is called, as a text for Fn::Sub: the API calls it by that name."""
    return f"${{AWS::StackName}}-{_NAMED[function.name]}"


def _like_the_api_handler(function: Function, config: Config) -> Document:
    return {
        "CodeUri": "./deployment.zip",
        "Handler": "app.app",
        "Runtime": config.lambda_python_version,
        "Architectures": ["x86_64"],
        "MemorySize": config.lambda_memory_size,
        "Timeout": function.timeout,
        "Role": {"Fn::GetAtt": [function.role_id, "Arn"]},
        "ReservedConcurrentExecutions": {
            "Fn::If": ["HasInboundConcurrency", {"Ref": "InboundConcurrency"}, _NOTHING]
        },
    }


def _log_group(function: Function) -> Document:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/sesame/${{AWS::StackName}}/{function.name}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
            "KmsKeyId": {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, _NOTHING]},
        },
    }


def _timeout(config: Config, name: str) -> int:
    return int(config.scope(config.chalice_stage, name).lambda_timeout)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
