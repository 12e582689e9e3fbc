"""The packaged stack of both stages: linted, translated, and what must be true of it.

Packaging takes long: `make test-package` runs this.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.transform import transform

from infra import documents
from infra.alarms import dead_letters_of
from infra.package import package

STAGES = ("dev", "prod")
BUILD = documents.ROOT / "build"


@pytest.fixture(scope="session")
def templates() -> dict[str, dict[str, Any]]:
    """Both stages, packaged into build/."""
    for stage in STAGES:
        package(stage, BUILD / stage)
    return {stage: documents.read(BUILD / stage / "sam.yaml") for stage in STAGES}


@pytest.fixture(params=STAGES)
def template(
    request: pytest.FixtureRequest, templates: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return templates[request.param]


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {k: v["Properties"] for k, v in documents.of_type(template, kind).items()}


def values(found: Any) -> Iterator[Any]:
    """Everything inside a value, itself first."""
    yield found
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from values(each)


def test_cfn_lint_finds_nothing(templates: dict[str, Any]) -> None:
    files = [str(BUILD / stage / "sam.yaml") for stage in templates]
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--include-checks",
        "I",
        "--",
        *files,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_sam_translator_takes_it(
    template: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for function in documents.of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = "s3://bucket/deployment.zip"
    text = json.dumps(template)
    values_of = {k: str(v.get("Default", "")) for k, v in template["Parameters"].items()}
    loaded = _Managed()
    made = transform(json.loads(text), values_of, loaded)
    assert len(documents.of_type(made, "AWS::Lambda::Function")) == len(
        documents.of_type(template, "AWS::Serverless::Function")
    )
    assert [
        r["Properties"]["StageName"]
        for r in documents.of_type(made, "AWS::ApiGateway::Stage").values()
    ] == ["api"]
    Parser.validate_datatypes(template)


class _Managed:
    """The managed policies that SAM asks an account for."""

    def load(self) -> dict[str, str]:
        return {}


def test_a_second_package_is_the_same_byte_for_byte(
    templates: dict[str, Any], tmp_path: Path
) -> None:
    package("dev", tmp_path)
    for name in ("sam.yaml", "deployment.zip"):
        assert (tmp_path / name).read_bytes() == (BUILD / "dev" / name).read_bytes(), name


def test_the_package_starts_with_what_it_ships(templates: dict[str, Any], tmp_path: Path) -> None:
    with zipfile.ZipFile(BUILD / "dev" / "deployment.zip") as archive:
        archive.extractall(tmp_path)
    services = ["dynamodb", "kms", "pinpoint-sms-voice-v2", "secretsmanager", "sns", "sqs", "ssm"]
    code = (
        "import sys, botocore, botocore.session, phonenumbers.carrier, app\n"
        "assert botocore.__file__.startswith(sys.path[0]), botocore.__file__\n"
        f"for name in {services}:\n"
        "    botocore.session.get_session().create_client(name, region_name='eu-west-1')\n"
    )
    # -I keeps this machine's packages out, -S those that are installed beside the interpreter.
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{code}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    modules = list(tmp_path.rglob("*.py"))
    assert all(list(p.parent.glob(f"__pycache__/{p.stem}.*.pyc")) for p in modules)


def test_every_queue_has_a_dead_letter_queue_and_alarms(template: dict[str, Any]) -> None:
    dead = dead_letters_of(template)
    assert set(resources(template, "AWS::SQS::Queue")) == {*dead, *dead.values()}
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/SQS"
    }
    assert watched == {
        *(("ApproximateNumberOfMessagesVisible", queue) for queue in dead.values()),
        *(("ApproximateAgeOfOldestMessage", queue) for queue in dead),
    }


def test_every_queue_lambda_answers_by_message_in_a_sixth_of_the_visibility(
    template: dict[str, Any],
) -> None:
    queues = resources(template, "AWS::SQS::Queue")
    read = set()
    for function in resources(template, "AWS::Serverless::Function").values():
        for event in function.get("Events", {}).values():
            if event["Type"] != "SQS":
                continue
            source = event["Properties"]
            queue = re.fullmatch(r"\$\{(\w+)\.Arn\}", source["Queue"]["Fn::Sub"])
            assert queue is not None
            assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            assert queues[queue[1]]["VisibilityTimeout"] >= 6 * function["Timeout"]
            assert queues[queue[1]]["ReceiveMessageWaitTimeSeconds"] == 20
            read.add(queue[1])
    assert read == set(dead_letters_of(template))


def test_every_function_has_a_role_of_its_own_and_no_wildcard(template: dict[str, Any]) -> None:
    functions = resources(template, "AWS::Serverless::Function")
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions)
    for role in roles:
        (policy,) = template["Resources"][role]["Properties"]["Policies"]
        statements = policy["PolicyDocument"]["Statement"]
        assert len(statements) > 3
        for statement in statements:
            statement = statement["Fn::If"][1] if "Fn::If" in statement else statement
            texts = [
                v
                for v in values([statement["Action"], statement["Resource"]])
                if isinstance(v, str)
            ]
            assert not [text for text in texts if "*" in text]
            assert statement["Effect"] == "Allow"


def test_every_function_keeps_its_logs_for_as_long_as_told(template: dict[str, Any]) -> None:
    logs = resources(template, "AWS::Logs::LogGroup")
    for function in resources(template, "AWS::Serverless::Function").values():
        log = logs[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert log["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_table_can_be_recovered_and_is_encrypted_and_protected(
    template: dict[str, Any],
) -> None:
    for name, table in documents.of_type(template, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain"), name
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert "KMSMasterKeyId" in properties["SSESpecification"]
        assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProtected", True, False]}


def test_no_output_and_no_variable_holds_a_secret(template: dict[str, Any]) -> None:
    functions = resources(template, "AWS::Serverless::Function").values()
    told = [
        template["Globals"]["Function"],
        template["Outputs"],
        [f.get("Environment") for f in functions],
    ]
    names = [key for each in values(told) if isinstance(each, dict) for key in each]
    assert "SESAME_SECRETS_ARN" in names
    assert "SESAME_SECRETS" not in names
    secret = re.compile(r"secret|password|pepper|token|_key$", re.IGNORECASE)
    assert [n for n in names if secret.search(n)] == ["SESAME_SECRETS_ARN"]
    texts = [each for each in values(told) if isinstance(each, str)]
    assert not [text for text in texts if "resolve:" in text or len(text) > 200]


def test_the_api_is_regional_throttled_and_logs_routes_only(template: dict[str, Any]) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert "TLS13_1_2" in api["SecurityPolicy"]
    assert "TracingEnabled" not in api
    (method,) = api["MethodSettings"]
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= method.keys()
    assert (method["LoggingLevel"], method["DataTraceEnabled"]) == ("OFF", False)
    logged = json.dumps([api["AccessLogSetting"], template["Resources"]["HttpApiStage"]])
    assert "$context.resourcePath" in logged
    for leak in (
        "$context.path",
        "$context.requestOverride",
        "querystring",
        "requestPath",
        "sourceIp",
    ):
        assert leak not in logged


def test_the_api_refuses_in_our_shape_to_any_origin(template: dict[str, Any]) -> None:
    answers = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    assert {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "THROTTLED",
        "MISSING_AUTHENTICATION_TOKEN",
    } <= answers.keys()
    for answer in answers.values():
        text = answer["ResponseTemplates"]["application/json"]
        body = json.loads(text.replace("$context.error.messageString", '"said"'))
        assert list(body) == ["status", "code", "message"]
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'*'"
        assert headers["X-Request-Id"] == "context.requestId"


def test_inbound_sms_have_a_lambda_of_their_own(template: dict[str, Any]) -> None:
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    bodies = (paths, template["Resources"]["HttpApi"]["Properties"]["Body"]["paths"])
    for body in bodies:
        for path, methods in body.items():
            for method in methods.values():
                uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
                wanted = "-inbound/" if path.startswith("/inbound/") else "-api/"
                assert wanted in uri
    inbound = template["Resources"]["InboundHandler"]["Properties"]
    assert "HasInboundConcurrency" in json.dumps(inbound["ReservedConcurrentExecutions"])
    assert paths.keys() == bodies[1].keys()


def test_nothing_of_the_template_is_one_accounts_or_one_regions(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    assert not re.search(r"\b\d{12}\b|us-east-1|arn:aws:", text.replace("arn:aws[a-z-]*", ""))
