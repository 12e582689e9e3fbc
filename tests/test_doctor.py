"""`manage.py doctor` says what of a stack is amiss."""

import json

import pytest
from click.testing import CliRunner, Result

import manage
from chalicelib.outbound import Fetched, NotSentError
from tests.conftest import Stack


class Address:
    """The stack's address, as `doctor` finds it."""

    def __init__(self, status: int | None) -> None:
        self.status = status

    def __call__(self, method: str, url: str, **_: object) -> Fetched:
        assert (method, url) == ("GET", "https://sesame.test/health")
        if self.status is None:
            raise NotSentError("connection_failed")
        return Fetched(self.status, b"", {})


def doctor(stack: Stack, status: int | None = 200, **variables: str) -> Result:
    stack.fetch = Address(status)
    stack.configure(**variables)
    return CliRunner().invoke(manage.cli, ["--json", "doctor"])


def test_a_stack_that_works_is_told_part_by_part(stack: Stack) -> None:
    result = doctor(stack)
    assert result.exit_code == 0, result.output
    checked = json.loads(result.stdout)["checked"]
    assert {"settings and secrets", "table users", "queue webhooks"} < set(checked)
    assert len([part for part in checked if part.startswith("table ")]) == len(
        stack.platform.settings.tables
    )


@pytest.mark.parametrize(
    ("status", "variables", "problem"),
    [
        (200, {"SESAME_TABLE_USERS": "lost"}, "table users: ResourceNotFoundException"),
        (200, {"SESAME_QUEUE_OTP": "http://127.0.0.1/0/lost"}, "queue otp: "),
        (500, {}, "https://sesame.test/health: answered 500"),
        (None, {}, "https://sesame.test/health: connection_failed"),
    ],
)
def test_what_is_amiss_is_named(
    stack: Stack, status: int | None, variables: dict[str, str], problem: str
) -> None:
    result = doctor(stack, status, **variables)
    assert result.exit_code == 1
    assert problem in json.loads(result.stdout)["message"]
