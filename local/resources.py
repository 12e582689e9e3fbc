"""Creates the tables and queues of infra/resources.yaml on the embedded engine.

Every call goes to the engine's loopback address with credentials of no account: the machine's
own AWS settings and proxies are never read.
"""

import json
import os
from functools import lru_cache
from typing import Any, NamedTuple

from botocore.config import Config
from botocore.session import Session

from local.errors import LocalRunError
from local.template import Queue, Ref, Table, Template, load

__all__ = ["REGION", "Queue", "Table", "Template", "create", "load", "queue_of"]

REGION = "us-east-1"


class Clients(NamedTuple):
    """The two services of one engine."""

    dynamodb: Any
    sqs: Any


def create(template: Template, engine_url: str) -> dict[str, str]:
    """Create what the engine does not have yet; the environment of the functions.

    Tables that are there keep their data. Raises LocalRunError if one of them has other keys or
    indexes than the template says.
    """
    clients = _clients(engine_url)
    urls = _create_queues(template, clients)
    there = _table_names(clients)
    for table in template.tables.values():
        _create_table(table, clients, there)
    names = {logical_id: table.name for logical_id, table in template.tables.items()} | urls
    return {
        variable: names[value.name] if isinstance(value, Ref) else value
        for variable, value in template.environment.items()
    }


def queue_of(template: Template, function: str, engine_url: str) -> str:
    """The URL of the queue that the function with this logical id reads, once created."""
    if function not in template.sources:
        raise LocalRunError(f"no queue is named for the function {function} in the template")
    name = template.queues[template.sources[function]].name
    return str(_clients(engine_url).sqs.get_queue_url(QueueName=name)["QueueUrl"])


@lru_cache(maxsize=8)
def _clients(engine_url: str) -> Clients:
    # Each as (name in the file, names in the environment, default, conversion).
    unread: tuple[None, None, str, None] = (None, None, os.devnull, None)
    nothing = {"profile": (None,) * 4, "config_file": unread, "credentials_file": unread}
    session = Session(session_vars=nothing)
    config = Config(proxies={}, retries={"total_max_attempts": 2})

    def client(service: str) -> Any:
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=engine_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    return Clients(client("dynamodb"), client("sqs"))


def _create_queues(template: Template, clients: Clients) -> dict[str, str]:
    """The URLs by logical id; a dead-letter queue comes before the queue that names it."""
    urls: dict[str, str] = {}
    for logical_id, queue in sorted(
        template.queues.items(), key=lambda item: item[1].dead_letter is not None
    ):
        attributes = dict(queue.attributes)
        if queue.dead_letter is not None:
            account, name = urls[queue.dead_letter].rsplit("/", 2)[1:]
            attributes["RedrivePolicy"] = json.dumps(
                {
                    "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{account}:{name}",
                    "maxReceiveCount": queue.max_receive_count,
                }
            )
        urls[logical_id] = _create_queue(queue.name, attributes, clients)
    return urls


def _create_queue(name: str, attributes: dict[str, str], clients: Clients) -> str:
    sqs = clients.sqs
    try:
        return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    except sqs.exceptions.QueueNameExists:
        # The template changed: its new attributes take effect, the messages stay.
        url = str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        return url


def _table_names(clients: Clients) -> set[str]:
    pages = clients.dynamodb.get_paginator("list_tables").paginate()
    return {name for page in pages for name in page["TableNames"]}


def _create_table(table: Table, clients: Clients, there: set[str]) -> None:
    dynamodb = clients.dynamodb
    name = table.name
    lacks_ttl, lacks_recovery = True, True
    if name in there:
        _check_table(table, dynamodb.describe_table(TableName=name)["Table"])
        ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        lacks_ttl = ttl.get("AttributeName") != table.ttl_attribute
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        lacks_recovery = recovery["PointInTimeRecoveryStatus"] != "ENABLED"
    else:
        dynamodb.create_table(**table.request)
    if table.ttl_attribute is not None and lacks_ttl:
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"AttributeName": table.ttl_attribute, "Enabled": True},
        )
    if table.point_in_time_recovery and lacks_recovery:
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )


def _check_table(table: Table, described: dict[str, Any]) -> None:
    if _shape(table.request) != _shape(described):
        raise LocalRunError(
            f"the table {table.name} has other keys or indexes than infra/resources.yaml says:"
            " start with an empty home, or export the data first"
        )


def _shape(table: dict[str, Any]) -> tuple[Any, ...]:
    """What cannot be changed in place: keys, their types, indexes with what they hold."""
    indexes = {
        index["IndexName"]: (
            index["KeySchema"],
            index["Projection"]["ProjectionType"],
            sorted(index["Projection"].get("NonKeyAttributes", [])),
        )
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    return table["KeySchema"], types, indexes
