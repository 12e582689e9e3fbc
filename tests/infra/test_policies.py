"""Roles: of the stack's own tables and queues, and watched by what the tests need."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import app
from infra.build import merge_template
from infra.documents import BuildError
from infra.policies import Permission, permissions, resources
from tests.infra.watch import functions_of, lacking, missed_removals, needed, unneeded

READ = Permission("dynamodb", "GetItem", "users")
FIND = Permission("dynamodb", "Query", "users/by_manager")
TELL = Permission("sqs", "SendMessage", "webhooks")
NAMES = {"sesame-users": "users", "sesame-webhooks": "webhooks"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return merge_template(app, "prod")


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = template["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_each_permission_is_in_the_policy_of_its_lambda_and_in_no_other(
    template: dict[str, Any],
) -> None:
    for function, granted in permissions().items():
        role = "".join(part.capitalize() for part in function.split("_")) + "Role"
        said = [each for each in statements(template, role) if "Fn::If" not in each]
        actions = sorted(action for each in said for action in each["Action"])
        wanted = [f"{permission.service}:{permission.action}" for permission in granted]
        reads = [action for action in actions if action == "sqs:ReceiveMessage"]
        fixed = ["secretsmanager:GetSecretValue", "ssm:GetParameter"]
        fixed += ["logs:CreateLogStream", "logs:PutLogEvents"]
        if reads:
            fixed += ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        assert actions == sorted(wanted + fixed), function


def test_an_index_is_allowed_without_its_table(template: dict[str, Any]) -> None:
    arns = [each.get("Resource") for each in statements(template, "EndRestsRole")]
    assert {"Fn::Sub": "${NumbersTable.Arn}/index/rest"} in arns


def test_only_the_sender_of_codes_may_send_sms_and_only_from_named_origins(
    template: dict[str, Any],
) -> None:
    senders = [
        role
        for role, resource in template["Resources"].items()
        if resource.get("Type") == "AWS::IAM::Role" and "sms-voice:" in json.dumps(resource)
    ]
    assert senders == ["SendOtpRole"]
    (said,) = [s for s in statements(template, "SendOtpRole") if "sms-voice" in json.dumps(s)]
    assert said["Fn::If"][0] == "HasAwsSms"
    assert said["Fn::If"][1]["Resource"] == {"Ref": "AwsSmsOrigins"}


def test_a_permission_on_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="in one place only"):
        resources([], {})


def test_the_loop_over_removals_tells_of_each_permission_that_nobody_would_miss() -> None:
    used = {"poll": {READ, TELL}}
    assert missed_removals(used, {"poll": {READ, TELL}}) == []
    assert missed_removals(used, {"poll": {READ, TELL, FIND}}) == [
        "poll: dynamodb:Query on users/by_manager"
    ]
    assert unneeded(used, {"poll": {READ, TELL, FIND}}) == [
        "the role of poll allows dynamodb:Query on users/by_manager that nothing needs"
    ]
    assert len(lacking(used, {"poll": {READ}})) == 1


@pytest.mark.parametrize(
    ("target", "request_", "wanted"),
    [
        ("GetItem", {"TableName": "sesame-users"}, [READ]),
        ("Query", {"TableName": "sesame-users", "IndexName": "by_manager"}, [FIND]),
        ("SendMessageBatch", {"QueueUrl": "http://x/1/sesame-webhooks"}, [TELL]),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "sesame-users"}},
                    {"ConditionCheck": {"TableName": "sesame-users"}},
                ]
            },
            [
                Permission("dynamodb", "PutItem", "users"),
                Permission("dynamodb", "ConditionCheckItem", "users"),
            ],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"sesame-users": {}}},
            [Permission("dynamodb", "BatchGetItem", "users")],
        ),
    ],
)
def test_a_transaction_needs_what_its_parts_need(
    target: str, request_: dict[str, Any], wanted: list[Permission]
) -> None:
    assert list(needed(target, request_, NAMES)) == wanted


def frame(module: str, name: str, back: Any = None, **local: Any) -> Any:
    code = SimpleNamespace(co_name=name)
    return SimpleNamespace(f_globals={"__name__": module}, f_code=code, f_locals=local, f_back=back)


def test_a_code_path_is_its_outermost_entrys_and_what_tests_do_within_is_nobodys() -> None:
    event = {"requestContext": {"resourcePath": "/inbound/{provider}/{account}"}}
    outer = frame("chalice.app", "__call__", event=event)
    inner = frame("chalicelib.services.inbound", "receive", frame("chalice.app", "x", outer))
    known = set(permissions())
    assert functions_of(inner, known) == {"inbound_handler"}
    meddling = frame("chalicelib.stores.db", "get", frame("tests.wire", "happen", inner))
    assert functions_of(meddling, known) == set()
    page = frame("chalicelib.services.jobs", "expire_page")
    assert functions_of(page, known) == {"expire_rentals", "run_sweep_page"}
    assert functions_of(sys._getframe(), known) == set()
