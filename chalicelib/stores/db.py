"""DynamoDB in one round trip a call: named transactions, refusals that tell what they found.

PynamoDB's models write the expressions and the serialised items; this module sends them, because
PynamoDB would make a client per model and drop what a refusal says (docs/decisions/002).
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib.errors import BusyError
from chalicelib.stores import connection
from chalicelib.stores.connection import client, deadline, send

M = TypeVar("M", bound=Model)
Start = Mapping[str, Any] | None
Key = tuple[type[Model], str, str | None]

_BATCH_ROUNDS = 5
_BATCH_WRITES = 25
_BATCH_WAIT_SECONDS = 0.05


class RefusedError(Exception):
    """A condition did not hold: `why` maps the action's name to the item as it was (or None)."""

    def __init__(self, why: Mapping[str, Any]) -> None:
        super().__init__(", ".join(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a transaction: its verb, its request, and the model that reads its item."""

    verb: str
    request: dict[str, Any]
    model: type[Model]


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a query. `start` continues it, None at its end."""

    items: list[M]
    count: int
    start: Start


def put(item: Model, condition: Condition | None = None) -> Step:
    """Write `item` whole."""
    told = None if condition is None else "ALL_OLD"
    request = item.get_save_kwargs_from_instance(
        condition=condition, return_values_on_condition_failure=told
    )
    return Step("Put", request, type(item))


def change(key: Model, actions: Sequence[Action], condition: Condition) -> Step:
    """Update the item with the key of `key`, an instance made for its key only."""
    request = key.get_update_kwargs_from_instance(
        list(actions), condition=condition, return_values_on_condition_failure="ALL_OLD"
    )
    return Step("Update", request, type(key))


def delete(key: Model, condition: Condition) -> Step:
    """Remove the item with the key of `key`."""
    request = key.get_delete_kwargs_from_instance(
        condition=condition, return_values_on_condition_failure="ALL_OLD"
    )
    return Step("Delete", request, type(key))


def check(key: Model, condition: Condition) -> Step:
    """Hold the transaction to a condition on an item that it does not change."""
    request = key.get_update_kwargs_from_instance(
        [], condition=condition, return_values_on_condition_failure="ALL_OLD"
    )
    request.pop("UpdateExpression", None)
    return Step("ConditionCheck", request, type(key))


def transact(**steps: Step | None) -> None:
    """All of `steps` or nothing, in one round trip; a None step is left out.

    Raises RefusedError naming the steps whose conditions did not hold, and BusyError when
    conflicts with other transactions outlasted the retries.
    """
    named = {name: step for name, step in steps.items() if step is not None}
    request = {
        "TransactItems": [{step.verb: step.request} for step in named.values()],
        "ClientRequestToken": str(uuid4()),
    }
    try:
        with deadline():
            send(lambda: client().transact_write_items(**request))
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        refused = {
            name: _read(step.model, reason.get("Item"))
            for (name, step), reason in zip(named.items(), reasons, strict=False)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        if not refused:
            raise
        raise RefusedError(refused) from error


def write(item: Model, condition: Condition | None = None) -> None:
    """Write one item whole. Raises RefusedError with the item as it was, named `item`."""
    request = put(item, condition).request
    _alone(lambda: client().put_item(**request), type(item))


def update(key: M, actions: Sequence[Action], condition: Condition) -> M:
    """Update one item and return it as it is then. Raises RefusedError, its item named `item`."""
    request = change(key, actions, condition).request
    model = type(key)
    answer = _alone(lambda: client().update_item(**request, ReturnValues="ALL_NEW"), model)
    return model.from_raw_data(answer["Attributes"])


def get(model: type[M], hash_key: str, range_key: str | None = None) -> M | None:
    """The item with that key, read consistently, or None."""
    request = model.get_operation_kwargs_from_class(hash_key, range_key)
    answer = send(lambda: client().get_item(**request, ConsistentRead=True))
    return _read(model, answer.get("Item"))


def get_all(*keys: Key) -> list[Any]:
    """The items with those keys in their order, None where there is none: one BatchGetItem."""
    wanted: dict[str, dict[str, Any]] = {}
    for model, hash_key, range_key in keys:
        request = model.get_operation_kwargs_from_class(hash_key, range_key)
        table = wanted.setdefault(request["TableName"], {"Keys": [], "ConsistentRead": True})
        if request["Key"] not in table["Keys"]:
            table["Keys"].append(request["Key"])
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(_BATCH_ROUNDS):
        todo = wanted
        answer = send(lambda: client().batch_get_item(RequestItems=todo))  # noqa: B023
        for name, items in answer["Responses"].items():
            found.setdefault(name, []).extend(items)
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return [_pick(found, *key) for key in keys]
    raise BusyError


def put_all(items: Iterable[Model]) -> None:
    """Write items whole, each with a key of its own, 25 in a round trip. Raises BusyError.

    This is no transaction: what was written before an error stays.
    """
    todo = list(items)
    for first in range(0, len(todo), _BATCH_WRITES):
        batch: dict[str, list[dict[str, Any]]] = {}
        for item in todo[first : first + _BATCH_WRITES]:
            request = item.get_save_kwargs_from_instance()
            put_request = {"PutRequest": {"Item": request["Item"]}}
            batch.setdefault(request["TableName"], []).append(put_request)
        _write_batch(batch)


def query(
    model: type[M],
    condition: Condition,
    *,
    index: str | None = None,
    limit: int | None = None,
    forward: bool = True,
    start: Start = None,
    count_only: bool = False,
) -> Page[M]:
    """One page of the items whose keys meet `condition`; consistent unless by an index."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    request: dict[str, Any] = {
        "TableName": model.Meta.table_name,
        "KeyConditionExpression": condition.serialize(names, values),
        "ExpressionAttributeNames": {alias: name for name, alias in names.items()},
        "ExpressionAttributeValues": values,
        "ScanIndexForward": forward,
    }
    options = {
        "IndexName": index,
        "Limit": limit,
        "ExclusiveStartKey": start,
        "Select": "COUNT" if count_only else None,
        "ConsistentRead": None if index else True,
    }
    request |= {name: value for name, value in options.items() if value is not None}
    return _page(model, send(lambda: client().query(**request)))


def scan(model: type[M], *, limit: int | None = None, start: Start = None) -> Page[M]:
    """One page of a whole table: for the admin's lists only."""
    request: dict[str, Any] = {"TableName": model.Meta.table_name}
    options = {"Limit": limit, "ExclusiveStartKey": start}
    request |= {name: value for name, value in options.items() if value is not None}
    return _page(model, send(lambda: client().scan(**request)))


def _alone(call: Callable[[], Any], model: type[Model]) -> Any:
    try:
        return send(call)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item = error.response.get("Item")
        raise RefusedError({"item": _read(model, item)}) from error


def _write_batch(batch: dict[str, Any]) -> None:
    for attempt in range(_BATCH_ROUNDS):
        if attempt:
            # What was left over was throttled: at once it would be again.
            connection.sleep(random.uniform(0, _BATCH_WAIT_SECONDS * 2**attempt))
        todo = batch
        answer = send(lambda: client().batch_write_item(RequestItems=todo))  # noqa: B023
        batch = answer.get("UnprocessedItems") or {}
        if not batch:
            return
    raise BusyError


def _read(model: type[M], raw: Any) -> M | None:
    return model.from_raw_data(raw) if raw else None


def _page(model: type[M], answer: Mapping[str, Any]) -> Page[M]:
    items = [model.from_raw_data(raw) for raw in answer.get("Items", [])]
    return Page(items, answer["Count"], answer.get("LastEvaluatedKey"))


def _pick(found: Mapping[str, list[dict[str, Any]]], *key: Any) -> Model | None:
    model, hash_key, range_key = key
    wanted = model.get_operation_kwargs_from_class(hash_key, range_key)["Key"]
    for raw in found.get(model.Meta.table_name, []):
        if wanted.items() <= raw.items():
            return _read(model, raw)
    return None
