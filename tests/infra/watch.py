"""Runs the tests under the roles of infra/permissions.yaml: a pytest plugin.

Each call to DynamoDB and SQS is seen as it is sent (botocore's events), and the stack tells which
Lambda's code path it is on. A call that the Lambda's role does not allow fails its test, as it
would fail in AWS. After a run of all tests, what a role allows and no test needed fails the run.

After a change: `make permissions` writes what the tests needed into permissions.yaml, for you to
read.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from types import FrameType
from typing import Any

import pytest

from chalicelib.outbound import aws_clients
from infra.policies import PERMISSIONS, Permission, permissions

Used = dict[str, set[Permission]]

ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
"""A transaction needs what its parts would need, and nothing for itself."""

ENTRIES = {
    ("chalicelib.services.polls", "poll"): {"poll_suppliers"},
    ("chalicelib.services.otp_sending", "advance"): {"send_otp"},
    ("chalicelib.services.inbound", "receive"): {"inbound_handler"},
    ("chalicelib.services.otp_receipts", "receive"): {"inbound_handler"},
    # The pages of a sweep are done by its schedule, and what is too much by the queue's Lambda.
    ("chalicelib.services.jobs", "expire_page"): {"expire_rentals", "run_sweep_page"},
    ("chalicelib.services.closings", "expire"): {"expire_rentals", "run_sweep_page"},
}
PAGE = ("chalicelib.services.jobs", "expire_page")
JOBS = "chalicelib.services.jobs"
WEBHOOKS = "chalicelib.services.webhooks"
LANES = {"fast": {"deliver_webhooks"}, "slow": {"deliver_slow_webhooks"}}


def functions_of(frame: FrameType | None, known: set[str]) -> set[str]:
    """The Lambdas whose code path a stack is: as far out as tests.* does not call it."""
    found: set[str] = set()
    pages: set[str] = set()
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module.startswith("tests."):
            break
        found = _entry(frame, module, name, known) or found
        pages |= ENTRIES[PAGE] if (module, name) == PAGE else set()
        frame = frame.f_back
    return found | pages


def _entry(frame: FrameType, module: str, name: str, known: set[str]) -> set[str]:
    if module == "chalice.app" and name == "__call__" and "event" in frame.f_locals:
        path = (frame.f_locals["event"].get("requestContext") or {}).get("resourcePath", "")
        return {"inbound_handler" if path.startswith("/inbound/") else "api_handler"}
    if module == WEBHOOKS and name in ("deliver", "deliver_all"):
        return LANES[frame.f_locals["lane"].value]
    if (module, name) in ENTRIES:
        return ENTRIES[module, name]
    return {name} if module == JOBS and name in known else set()


def needed(target: str, request: dict[str, Any], names: dict[str, str]) -> Iterator[Permission]:
    """What a request needs; `names` are tables and queues by the names that they have here."""
    if "QueueUrl" in request:
        queue = request["QueueUrl"].rpartition("/")[2]
        # SQS asks for the permission of the single action for its batches too.
        yield Permission("sqs", target.removesuffix("Batch"), names.get(queue, queue))
        return
    for action in request.get("TransactItems", []):
        for kind, part in action.items():
            yield _on(ACTIONS[kind], part["TableName"], "", names)
    for table in request.get("RequestItems", {}):
        yield _on(target, table, "", names)
    if "TableName" in request:
        yield _on(target, request["TableName"], request.get("IndexName", ""), names)


def _on(action: str, table: str, index: str, names: dict[str, str]) -> Permission:
    name = names.get(table, table)
    return Permission("dynamodb", action, f"{name}/{index}" if index else name)


class Watch:
    """What was needed so far, and what was needed and not allowed since last asked."""

    def __init__(self) -> None:
        self.allowed = permissions()
        self.used: Used = defaultdict(set)
        self.refused: set[str] = set()
        # Now, as tests put an environment of their own in its place.
        self.writes = os.environ.get("SESAME_WRITE_PERMISSIONS") == "1"

    def __call__(self, request: Any, **_: Any) -> None:
        """Look at a request on its way."""
        functions = functions_of(sys._getframe(1), set(self.allowed))
        if not functions:
            return
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        names = self._names()
        # What tests call by names of their own (a queue that is not there) is nobody's.
        asked = needed(operation, json.loads(request.body), names)
        wanted = {each for each in asked if each.target.partition("/")[0] in names.values()}
        for function in functions:
            self.used[function] |= wanted
            for permission in wanted - self.allowed[function]:
                self.refused.add(f"the role of {function} does not allow {_text(permission)}")

    def _names(self) -> dict[str, str]:
        found = {}
        for variable, value in os.environ.items():
            for prefix in ("SESAME_TABLE_", "SESAME_QUEUE_"):
                if variable.startswith(prefix):
                    name = value.rpartition("/")[2]
                    found[name] = variable.removeprefix(prefix).lower()
        return found


def _text(permission: Permission) -> str:
    return f"{permission.service}:{permission.action} on {permission.target}"


def unneeded(used: Used, allowed: Used) -> list[str]:
    """What roles allow that was not needed."""
    return sorted(
        f"the role of {function} allows {_text(permission)} that nothing needs"
        for function, granted in allowed.items()
        for permission in granted - used.get(function, set())
    )


def lacking(used: Used, allowed: Used) -> list[str]:
    """What was needed that roles do not allow."""
    return unneeded(allowed, used)


def missed_removals(used: Used, allowed: Used) -> list[str]:
    """The permissions whose removal from their role no test would tell of: none, if all is well."""
    missed = []
    for function, granted in allowed.items():
        for permission in granted:
            fewer = {**allowed, function: granted - {permission}}
            if not lacking(used, fewer):
                missed.append(f"{function}: {_text(permission)}")
    return missed


def pytest_configure(config: pytest.Config) -> None:
    watch = Watch()
    config.stash[_KEY] = watch
    made = aws_clients.SharedClient._made

    def watched(self: aws_clients.SharedClient) -> Any:
        client = made(self)
        if self._service in ("dynamodb", "sqs"):
            client.meta.events.register(f"before-send.{self._service}", watch)
        return client

    aws_clients.SharedClient._made = watched  # type: ignore[method-assign]


_KEY = pytest.StashKey[Watch]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    watch = item.config.stash[_KEY]
    watch.refused.clear()
    result = yield
    assert not watch.refused or watch.writes, sorted(watch.refused)
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done: what its tests needed."""
    watch = node.config.stash[_KEY]
    for function, found in getattr(node, "workeroutput", {}).get("used", {}).items():
        watch.used[function] |= {Permission(*each) for each in found}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    watch = session.config.stash[_KEY]
    if hasattr(session.config, "workeroutput"):
        found = {name: [_fields(p) for p in sorted(ps)] for name, ps in watch.used.items()}
        session.config.workeroutput["used"] = found
        return
    if not _is_whole(session.config) or (exitstatus and not watch.writes):
        return
    if watch.writes:
        PERMISSIONS.write_text(written(watch.used, PERMISSIONS.read_text(encoding="utf-8")))
        return
    problems = unneeded(watch.used, watch.allowed) + missed_removals(watch.used, watch.allowed)
    if problems:
        print("\n" + "\n".join(problems))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _fields(permission: Permission) -> list[str]:
    return [permission.service, permission.action, permission.target]


def _is_whole(config: pytest.Config) -> bool:
    options = config.option
    # `make test` leaves out what only waits for processes.
    narrowed = options.keyword or options.lf or options.collectonly
    narrowed = narrowed or options.markexpr not in ("", "not processes")
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed


def written(used: Used, former: str) -> str:
    """permissions.yaml for what was needed, under the heading that it has."""
    lines = [line for line in former.splitlines() if line.startswith("#")]
    for function in permissions():
        lines += ["", f"{function}:"]
        for service in ("dynamodb", "sqs"):
            of_service = {p for p in used.get(function, set()) if p.service == service}
            if of_service:
                lines.append(f"  {service}:")
            for target in sorted({p.target for p in of_service}):
                actions = sorted(p.action for p in of_service if p.target == target)
                lines.append(f"    {target}: [{', '.join(actions)}]")
    return "\n".join(lines) + "\n"
