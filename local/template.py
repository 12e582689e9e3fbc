"""Reads infra/resources.yaml into tables, queues and what the functions are told of them.

What the reader does not understand is an error: a property that is deployed but silently absent
locally would make the local run and the tests prove less than they seem to.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.errors import LocalRunError

RESOURCES = Path(__file__).resolve().parent.parent / "infra" / "resources.yaml"

# What only a deployed stack has: accepted here, and without a local counterpart.
DEPLOYED_ONLY_TYPES = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
    }
)
DEPLOYED_ONLY_SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Outputs"}
)
DEPLOYED_ONLY_PATCHES = frozenset({"RestAPI", "APIHandler", "APIHandlerLogGroup"})
RESOURCE_KEYS = frozenset(
    {"Type", "Properties", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
)
INDEX_KEYS = frozenset({"IndexName", "KeySchema", "Projection"})
QUEUE_ATTRIBUTES = frozenset(
    {
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    }
)


@dataclass(frozen=True)
class Ref:
    """`!Ref name`: a table's name or a queue's URL."""

    name: str


@dataclass(frozen=True)
class GetAtt:
    """`!GetAtt name.attribute`."""

    name: str
    attribute: str


@dataclass(frozen=True)
class Sub:
    """`!Sub text`."""

    text: str


@dataclass(frozen=True)
class Table:
    """A DynamoDB table; `request` is what CreateTable takes."""

    name: str
    request: dict[str, Any]
    ttl_attribute: str | None
    point_in_time_recovery: bool


@dataclass(frozen=True)
class Queue:
    """An SQS queue; times in seconds, as the attributes of CreateQueue hold them."""

    name: str
    attributes: dict[str, str]
    dead_letter: str | None = None
    max_receive_count: int | None = None


@dataclass(frozen=True)
class Template:
    """infra/resources.yaml: tables and queues by logical id, and who uses them.

    `environment` is that of every function. `sources` maps the logical id of a function that
    reads a queue to the logical id of that queue.
    """

    tables: dict[str, Table]
    queues: dict[str, Queue]
    environment: dict[str, str | Ref]
    sources: dict[str, str]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags; a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping, unless YAML would silently drop one of its values."""
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise LocalRunError(f"given twice: {', '.join(twice)}{_place(node)}")
        return super().construct_mapping(node, deep)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise LocalRunError(f"{node.tag} takes one word{_place(node)}")
    return str(node.value)


def _get_att(node: yaml.Node) -> GetAtt:
    name, _, attribute = _text(node).partition(".")
    return GetAtt(name, attribute)


def _place(node: yaml.Node) -> str:
    return f" (line {node.start_mark.line + 1})"


_Loader.add_constructor("!Ref", lambda _, node: Ref(_text(node)))
_Loader.add_constructor("!GetAtt", lambda _, node: _get_att(node))
_Loader.add_constructor("!Sub", lambda _, node: Sub(_text(node)))


def load(path: Path = RESOURCES) -> Template:
    """Read the template. Raises LocalRunError at anything that it does not understand."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalRunError(f"cannot read {path}: {error.strerror}") from None
    except LocalRunError as error:
        raise LocalRunError(f"{path}: {error}") from error


def parse(text: str) -> Template:
    """The same as `load`, for the text of a template."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506  # nosec B506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise LocalRunError(" ".join(str(error).split())) from None
    sections = _keys(document, "the template", {"Globals", "Resources"} | DEPLOYED_ONLY_SECTIONS)
    resources: dict[str, Any] = sections.get("Resources", {})
    tables: dict[str, Table] = {}
    queues: dict[str, Queue] = {}
    sources: dict[str, str] = {}
    for logical_id, resource in resources.items():
        if logical_id in DEPLOYED_ONLY_PATCHES and "Type" not in resource:
            continue
        if resource.get("Type") in DEPLOYED_ONLY_TYPES:
            continue
        _keys(resource, logical_id, RESOURCE_KEYS)
        properties = resource.get("Properties", {})
        match resource.get("Type"):
            case "AWS::DynamoDB::Table":
                tables[logical_id] = _table(logical_id, properties)
            case "AWS::SQS::Queue":
                queues[logical_id] = _queue(logical_id, properties)
            case None:
                sources.update(_source(logical_id, properties))
            case unknown:
                raise LocalRunError(f"{logical_id}: the type {unknown} is not understood")
    template = Template(tables, queues, _environment(sections.get("Globals", {})), sources)
    _check_names(template)
    return template


def _table(logical_id: str, properties: dict[str, Any]) -> Table:
    known = {"AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema"}
    separate = {"PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification"}
    _keys(properties, logical_id, known | separate)
    name = _name(logical_id, "Table")
    request = {"TableName": name} | {k: v for k, v in properties.items() if k in known}
    for index in request.get("GlobalSecondaryIndexes", []):
        _keys(index, f"{logical_id} index", INDEX_KEYS)
    if "SSESpecification" in properties:
        encryption = _keys(properties["SSESpecification"], logical_id, {"SSEEnabled"})
        request["SSESpecification"] = {"Enabled": encryption["SSEEnabled"]}
    ttl = properties.get("TimeToLiveSpecification", {})
    _keys(ttl, logical_id, {"AttributeName", "Enabled"})
    recovery = properties.get("PointInTimeRecoverySpecification", {})
    _keys(recovery, logical_id, {"PointInTimeRecoveryEnabled"})
    return Table(
        name,
        request,
        ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else None,
        point_in_time_recovery=bool(recovery.get("PointInTimeRecoveryEnabled")),
    )


def _queue(logical_id: str, properties: dict[str, Any]) -> Queue:
    _keys(properties, logical_id, QUEUE_ATTRIBUTES | {"RedrivePolicy"})
    name = _name(logical_id, "Queue")
    attributes = {k: _attribute(v) for k, v in properties.items() if k in QUEUE_ATTRIBUTES}
    if "RedrivePolicy" not in properties:
        return Queue(name, attributes)
    redrive = _keys(
        properties["RedrivePolicy"], logical_id, {"deadLetterTargetArn", "maxReceiveCount"}
    )
    target = _arn_of(redrive["deadLetterTargetArn"], f"{logical_id}: deadLetterTargetArn")
    return Queue(name, attributes, target, int(redrive["maxReceiveCount"]))


def _arn_of(value: object, where: str) -> str:
    """The logical id in `!GetAtt ID.Arn` or `!Sub "${ID.Arn}"`."""
    if isinstance(value, GetAtt) and value.attribute == "Arn":
        return value.name
    if isinstance(value, Sub) and (match := re.fullmatch(r"\$\{(\w+)\.Arn\}", value.text)):
        return match[1]
    raise LocalRunError(f"{where}: {value} is not understood, only an Arn of a queue here is")


def _attribute(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _source(logical_id: str, properties: dict[str, Any]) -> dict[str, str]:
    """The queue of a function that Chalice generates and the template patches."""
    events = _keys(properties, logical_id, {"Events"}).get("Events", {})
    expected = f"{logical_id}SqsEventSource"
    event = _keys(_keys(events, logical_id, {expected})[expected], expected, {"Properties"})
    source = _keys(event["Properties"], expected, {"Queue", "FunctionResponseTypes"})
    if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        raise LocalRunError(f"{expected}: FunctionResponseTypes must be [ReportBatchItemFailures]")
    return {logical_id: _arn_of(source.get("Queue"), f"{expected}: Queue")}


def _environment(sections: dict[str, Any]) -> dict[str, str | Ref]:
    _keys(sections, "Globals", {"Function", "Api"})
    function = _keys(sections.get("Function", {}), "Globals.Function", {"Environment"})
    environment = _keys(function.get("Environment", {}), "Globals.Function", {"Variables"})
    variables: dict[str, Any] = environment.get("Variables", {})
    for name, value in variables.items():
        if not isinstance(value, str | Ref):
            raise LocalRunError(f"{name}: neither a text nor !Ref")
    return variables


def _check_names(template: Template) -> None:
    """Every name that is used is that of a table or queue here."""
    for name, value in template.environment.items():
        if isinstance(value, Ref) and value.name not in template.tables | template.queues:
            raise LocalRunError(f"{name}: there is no table or queue {value.name}")
    targets = [(k, q.dead_letter) for k, q in template.queues.items() if q.dead_letter]
    for user, queue in targets + list(template.sources.items()):
        if queue not in template.queues:
            raise LocalRunError(f"{user}: there is no queue {queue}")


def _name(logical_id: str, kind: str) -> str:
    return f"sesame-{logical_id.removesuffix(kind).lower()}"


def _keys(mapping: Any, where: str, known: set[str] | frozenset[str]) -> dict[str, Any]:
    """The mapping itself, if it has no other keys than these."""
    if not isinstance(mapping, dict):
        raise LocalRunError(f"{where}: expected keys and values, found {mapping!r}")
    unknown = sorted(str(key) for key in mapping if key not in known)
    if unknown:
        raise LocalRunError(f"{where}: {', '.join(unknown)} is not understood by the local run")
    return mapping
