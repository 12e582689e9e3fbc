from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import Session

from local import resources
from local.engine import Engine
from local.errors import LocalRunError
from local.resources import Template
from local.template import parse

SMALL = """
Globals:
  Function:
    Environment:
      Variables: {TABLE: !Ref NotesTable, QUEUE: !Ref JobsQueue, PLAIN: text}
Resources:
  NotesTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
  JobsQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 0
      RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDeadLetterQueue.Arn, maxReceiveCount: 2}
  JobsDeadLetterQueue:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  DoJobs:
    DependsOn: [JobsQueue]
    Properties:
      Events:
        DoJobsSqsEventSource:
          Properties:
            Queue: !Sub "${JobsQueue.Arn}"
            FunctionResponseTypes: [ReportBatchItemFailures]
"""


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine.ensure(tmp_path_factory.mktemp("engine"), persist=False)
    yield engine
    engine.stop()


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    shared_engine.reset()
    return shared_engine


@pytest.fixture(scope="module")
def template() -> Template:
    return resources.load()


@lru_cache(maxsize=4)
def client(engine: Engine, service: str) -> Any:
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=engine.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )


def state(engine: Engine) -> dict[str, Any]:
    """What the engine says of each of its tables and queues."""
    dynamodb, sqs = client(engine, "dynamodb"), client(engine, "sqs")
    found: dict[str, Any] = {}
    for name in dynamodb.list_tables()["TableNames"]:
        found[name] = (
            dynamodb.describe_table(TableName=name)["Table"],
            dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
            dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"][
                "PointInTimeRecoveryDescription"
            ]["PointInTimeRecoveryStatus"],
        )
    for url in sqs.list_queues().get("QueueUrls", []):
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        found[url.rpartition("/")[2]] = answer["Attributes"]
    return found


def test_the_environment_names_every_table_and_queue(engine: Engine, template: Template) -> None:
    environment = resources.create(template, engine.url)
    assert environment["SESAME_TABLE_API_KEYS"] == "sesame-apikeys"
    assert environment["SESAME_QUEUE_WEBHOOKS"] == f"{engine.url}/000000000000/sesame-webhooks"
    assert set(environment) == set(template.environment)
    there = state(engine)
    assert all(value.rpartition("/")[2] in there for value in environment.values())


def test_every_table_is_as_the_template_says(engine: Engine, template: Template) -> None:
    resources.create(template, engine.url)
    there = state(engine)
    for table in template.tables.values():
        described, ttl, recovery = there[table.name]
        wanted = table.request
        assert described["KeySchema"] == wanted["KeySchema"]
        assert described["BillingModeSummary"]["BillingMode"] == wanted["BillingMode"]
        indexes = {
            index["IndexName"]: (index["KeySchema"], index["Projection"])
            for index in described.get("GlobalSecondaryIndexes", [])
        }
        assert indexes == {
            index["IndexName"]: (index["KeySchema"], index["Projection"])
            for index in wanted.get("GlobalSecondaryIndexes", [])
        }
        assert ttl.get("AttributeName") == table.ttl_attribute
        assert (recovery == "ENABLED") == table.point_in_time_recovery


def test_the_template_says_what_the_yaml_says(template: Template) -> None:
    rentals, numbers = template.tables["RentalsTable"], template.tables["NumbersTable"]
    indexes = rentals.request["GlobalSecondaryIndexes"]
    assert [index["IndexName"] for index in indexes] == [
        "by_user",
        "due",
        "polls",
        "closed",
    ]
    assert (rentals.ttl_attribute, numbers.ttl_attribute) == ("ttl", None)
    assert rentals.point_in_time_recovery
    webhooks = template.queues["WebhooksQueue"]
    assert webhooks.attributes["VisibilityTimeout"] == "180"
    assert webhooks.attributes["SqsManagedSseEnabled"] == "true"
    assert (webhooks.dead_letter, webhooks.max_receive_count) == ("WebhooksDeadLetterQueue", 5)
    assert template.sources["DeliverWebhooks"] == "WebhooksQueue"


def test_creating_twice_changes_nothing_and_keeps_data(engine: Engine, template: Template) -> None:
    environment = resources.create(template, engine.url)
    users, queue = environment["SESAME_TABLE_USERS"], environment["SESAME_QUEUE_SWEEPS"]
    dynamodb, sqs = client(engine, "dynamodb"), client(engine, "sqs")
    dynamodb.put_item(TableName=users, Item={"user_id": {"S": "u"}})
    sqs.send_message(QueueUrl=queue, MessageBody="page")
    before = state(engine)
    assert resources.create(template, engine.url) == environment
    assert state(engine) == before
    assert dynamodb.get_item(TableName=users, Key={"user_id": {"S": "u"}})["Item"]
    assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)["Messages"][0]["Body"] == "page"


def test_what_an_interrupted_create_left_out_is_made_up_for(
    engine: Engine, template: Template
) -> None:
    table = template.tables["LimitsTable"]
    client(engine, "dynamodb").create_table(**table.request)
    resources.create(template, engine.url)
    _, ttl, recovery = state(engine)[table.name]
    assert (ttl["AttributeName"], recovery) == ("ttl", "ENABLED")


def test_a_message_that_fails_too_often_goes_to_the_dead_letter_queue(engine: Engine) -> None:
    queue = resources.create(parse(SMALL), engine.url)["QUEUE"]
    sqs = client(engine, "sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(2):
        assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "poison"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    dead = sqs.get_queue_url(QueueName="sesame-jobsdeadletter")["QueueUrl"]
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"


def test_every_redrive_of_the_template_names_its_dead_letter_queue(
    engine: Engine, template: Template
) -> None:
    resources.create(template, engine.url)
    there = state(engine)
    for queue in template.queues.values():
        if queue.dead_letter is not None:
            target = there[template.queues[queue.dead_letter].name]["QueueArn"]
            assert target in there[queue.name]["RedrivePolicy"]


def test_new_queue_attributes_take_effect_and_messages_stay(engine: Engine) -> None:
    queue = resources.create(parse(SMALL), engine.url)["QUEUE"]
    sqs = client(engine, "sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="job")
    changed = parse(SMALL.replace("VisibilityTimeout: 0", "VisibilityTimeout: 90"))
    assert resources.create(changed, engine.url)["QUEUE"] == queue
    assert state(engine)["sesame-jobs"]["VisibilityTimeout"] == "90"
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "job"


def test_a_table_with_other_keys_is_refused(engine: Engine) -> None:
    resources.create(parse(SMALL), engine.url)
    changed = parse(SMALL.replace("AttributeName: id", "AttributeName: other"))
    with pytest.raises(LocalRunError, match="sesame-notes has other keys or indexes"):
        resources.create(changed, engine.url)


def test_the_queue_of_a_function(engine: Engine) -> None:
    template = parse(SMALL)
    queue = resources.create(template, engine.url)["QUEUE"]
    assert resources.queue_of(template, "DoJobs", engine.url) == queue
    with pytest.raises(LocalRunError, match="no queue is named for the function Other"):
        resources.queue_of(template, "Other", engine.url)


def test_the_machines_aws_settings_and_proxies_are_not_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    resources._clients.cache_clear()
    queue = resources.create(parse(SMALL), engine.url)["QUEUE"]
    assert queue == f"{engine.url}/000000000000/sesame-jobs"


REFUSED = {
    "a type": ("Type: AWS::DynamoDB::Table", "Type: AWS::S3::Bucket", "AWS::S3::Bucket"),
    "a table property": ("BillingMode:", "TableClass: STANDARD\n      BillingMode:", "TableClass"),
    "a queue property": ("VisibilityTimeout: 0", "FifoQueue: true", "FifoQueue"),
    "a TTL property": ("AttributeName: ttl", "Attribute: ttl", "Attribute"),
    "a redrive property": ("maxReceiveCount", "maxReceives", "maxReceives"),
    "a resource key": ("    DependsOn:", "    Condition: Prod\n    DependsOn:", "Condition"),
    "a section": ("Globals:", "Mappings: {}\nGlobals:", "Mappings"),
    "a tag": ("!Ref NotesTable", "!ImportValue NotesTable", "!ImportValue"),
    "a value": ("PLAIN: text", "PLAIN: {Fn::Join: []}", "PLAIN"),
    "an attribute": ("DeadLetterQueue.Arn", "DeadLetterQueue.QueueName", "QueueName"),
    "a sub": ('"${JobsQueue.Arn}"', '"arn:${JobsQueue}"', "arn:"),
    "a dangling Ref": ("!Ref NotesTable", "!Ref LostTable", "LostTable"),
    "a dangling redrive": ("!GetAtt JobsDeadLetterQueue", "!GetAtt LostQueue", "LostQueue"),
    "a dangling source": ("${JobsQueue.Arn}", "${LostQueue.Arn}", "LostQueue"),
    "a source property": ("FunctionResponseTypes:", "Filter: {}\n            X:", "Filter, X"),
    "whole-batch answers": ("[ReportBatchItemFailures]", "[]", "FunctionResponseTypes"),
    "another event": ("DoJobsSqsEventSource", "DoJobsOther", "DoJobsOther"),
    "a key given twice": (
        "VisibilityTimeout: 0",
        "DelaySeconds: 1\n      DelaySeconds: 2",
        "twice",
    ),
    "no YAML": ("Globals:", "Globals: [", "parsing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused(case: str) -> None:
    old, new, named = REFUSED[case]
    assert old in SMALL
    parse(SMALL)
    with pytest.raises(LocalRunError) as refusal:
        parse(SMALL.replace(old, new, 1))
    assert named in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_only_a_deployed_stack_has_is_passed_over() -> None:
    alarm = """
  OldestMessage:
    Type: AWS::CloudWatch::Alarm
    Properties: {Dimensions: [{Name: QueueName, Value: !GetAtt JobsQueue.QueueName}]}
  RestAPI:
    Properties: {TracingEnabled: true}
"""
    assert parse(SMALL + alarm) == parse(SMALL)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalRunError, match=r"cannot read .*lost\.yaml: No such file"):
        resources.load(tmp_path / "lost.yaml")
