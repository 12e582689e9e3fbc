"""Secrets out of AWS: read once, looked at again after five minutes, never named in an error."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib import bootstrap
from chalicelib.environment import SettingsError
from chalicelib.outbound.secret_source import SecretSource
from tests.conftest import SECRETS, Stack

REGION = "eu-west-1"
FIVE_MINUTES = 300.0


class Elapsed:
    """Seconds since the start, as a test sets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def client(service: str) -> Any:
    return botocore.session.get_session().create_client(service, region_name=REGION)


@pytest.mark.parametrize("service", ["ssm", "secretsmanager"])
def test_a_rotated_secret_is_seen_within_five_minutes_and_not_asked_for_before(
    service: str, aws: None, elapsed: Elapsed
) -> None:
    arn = put(service, "first")
    source = SecretSource(elapsed)
    assert source.read(arn) == "first"
    put(service, "second")
    elapsed.now = FIVE_MINUTES - 1
    assert (source.changed(), source.read(arn)) == (False, "first")
    elapsed.now = FIVE_MINUTES
    assert (source.changed(), source.read(arn)) == (True, "second")
    assert not source.changed()


def put(service: str, text: str) -> str:
    """Write a version of the secret; its ARN."""
    if service == "ssm":
        made = client("ssm")
        made.put_parameter(Name="/sesame", Value=text, Type="SecureString", Overwrite=True)
        return str(made.get_parameter(Name="/sesame")["Parameter"]["ARN"])
    made = client("secretsmanager")
    if not made.list_secrets()["SecretList"]:
        return str(made.create_secret(Name="sesame", SecretString=text)["ARN"])
    return str(made.put_secret_value(SecretId="sesame", SecretString=text)["ARN"])


def test_what_was_read_stays_while_aws_gives_no_answer(aws: None, elapsed: Elapsed) -> None:
    arn = put("secretsmanager", "first")
    source = SecretSource(elapsed)
    source.read(arn)
    made = client("secretsmanager")
    made.delete_secret(SecretId="sesame", ForceDeleteWithoutRecovery=True)
    elapsed.now = FIVE_MINUTES
    assert not source.changed()
    assert source._text == "first"
    put("secretsmanager", "second")
    elapsed.now += 30
    # A secret made anew has another ARN: the one that we know stays unanswered.
    assert (source.changed(), source._text) == (False, "first")


@pytest.mark.parametrize(
    "arn",
    [
        "sesame",
        "arn:aws:s3:::bucket",
        "arn:aws:ssm:eu-west-1:123456789012:secret:sesame",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
    ],
)
def test_what_names_no_secret_is_refused(arn: str, elapsed: Elapsed) -> None:
    with pytest.raises(SettingsError, match="SESAME_SECRETS_ARN: expected the ARN"):
        SecretSource(elapsed).read(arn)


def test_an_unreadable_secret_is_an_error_that_says_why(aws: None, elapsed: Elapsed) -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:lost-AbCdEf"
    with pytest.raises(SettingsError, match=r"can't be read \(ResourceNotFoundException\)"):
        SecretSource(elapsed).read(arn)


def test_a_platform_serves_by_rotated_secrets_and_not_by_broken_ones(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, elapsed: Elapsed
) -> None:
    texts = [json.dumps(SECRETS), json.dumps({**SECRETS, "pepper": "71" * 32}), "no JSON"]
    source = SecretSource(elapsed)
    monkeypatch.setattr(source, "_fetched", lambda _: texts[0])
    monkeypatch.setattr(bootstrap, "_secrets", source)
    monkeypatch.setattr(bootstrap, "_platform", None)
    monkeypatch.delenv("SESAME_SECRETS")
    monkeypatch.setenv("SESAME_SECRETS_ARN", "arn:of:a:secret")
    first = bootstrap.platform()
    assert bootstrap.platform() is first
    texts.pop(0)
    elapsed.now = FIVE_MINUTES
    second = bootstrap.platform()
    assert second.settings.secrets.pepper == bytes.fromhex("71" * 32)
    texts.pop(0)
    elapsed.now *= 2
    assert bootstrap.platform() is second
