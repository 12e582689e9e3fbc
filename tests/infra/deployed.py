"""The packaged stack in an account emulated on this machine: `make test-deploy`."""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from chalicelib.domain import signatures
from chalicelib.domain.times import Millis
from infra import cloud, deploy, destroy, documents, new_secrets
from local.demo import Receiver
from tests.infra.emulator import emulated_account

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "build" / "dev"
STAGE = "dev"
PATIENCE_SECONDS = 60
CODE = "482913"
NUMBERS = ("+14155550100", "+14155550101", "+14155550102")
SIGNING = "whsec_" + base64.b64encode(b"the provider's signing secret!!!").decode()
RENTAL_SECONDS = 60
# What a deployed stack never has: webhooks to this machine.
HERE = {"SESAME_ALLOW_LOOPBACK": "1"}

TICK = {
    "version": "0",
    "id": "cdc73f9d-aea9-11e3-9d5a-835b769c0d9c",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:000000000000:rule/tick"],
    "detail": {},
}
"""What a schedule's rule sends."""

T = TypeVar("T")


@dataclass
class Deployed:
    """The stack, and somebody who uses it."""

    url: str
    admin_key: str
    receiver: Receiver = field(default_factory=Receiver)
    user_id: str = ""
    key: str = ""
    signing_secret: str = ""
    unused: dict[str, Any] = field(default_factory=dict)

    def manage(self, *arguments: str) -> dict[str, Any]:
        """What manage.py says of the stack, as its admin runs it."""
        command = [sys.executable, "manage.py", "--json", *arguments]
        environment = {**os.environ, **cloud.environment(STAGE)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    def call(self, method: str, path: str, **fields: Any) -> requests.Response:
        """A call with the user's key, as a form for POST, else in the query."""
        where = "json" if method == "POST" else "params"
        said = {where: {"api_key": self.key, **fields}}
        return requests.request(method, self.url + path, timeout=60, **said)  # type: ignore[arg-type]

    def rent(self) -> dict[str, Any]:
        """A rental of the user's."""
        answer = self.call("POST", "/rentNumber", country="US")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sms(self, number: str, text: str) -> requests.Response:
        """An SMS that the generic provider posts."""
        message_id = secrets.token_hex(8)
        body = {"message_id": message_id, "from": "Acme", "to": number, "text": text}
        raw = json.dumps(body).encode()
        now = Millis(time.time_ns() // 1_000_000)
        headers = signatures.signed_headers([SIGNING], message_id, now, raw)
        headers = {**headers, "Content-Type": "application/json"}
        return requests.post(f"{self.url}/inbound/generic/main", raw, headers=headers, timeout=60)


def until(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds, as soon as it finds anything."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, "waited for too long"
        time.sleep(0.2)


def invoke(function: str) -> None:
    """Run a schedule's Lambda now, as its rule would."""
    resources = cloud.client("cloudformation").describe_stack_resource(
        StackName=cloud.stack_name(STAGE), LogicalResourceId=function
    )
    name = resources["StackResourceDetail"]["PhysicalResourceId"]
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(TICK))
    assert "FunctionError" not in answer, answer["Payload"].read()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        emulated_account(tmp_path_factory.mktemp("account")) as url,
        pytest.MonkeyPatch.context() as m,
    ):
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            m.delenv(name, raising=False)
        m.setenv("AWS_ENDPOINT_URL", url)
        m.setenv("AWS_ACCESS_KEY_ID", "test")
        m.setenv("AWS_SECRET_ACCESS_KEY", "test")
        m.setenv("AWS_DEFAULT_REGION", "us-east-1")
        cloud.client.cache_clear()
        yield url


@pytest.fixture(scope="module")
def stack(account: str, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The stack deployed, told its address here, and asked whether it works."""
    arn, _, admin_key = new_secrets.make(STAGE)
    secret = json.loads(
        cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    )
    accounts = {
        "generic": {"main": {"secrets": [SIGNING]}},
        "simulator": {"main": {"secrets": [SIGNING]}},
    }
    cloud.client("secretsmanager").put_secret_value(
        SecretId=arn, SecretString=json.dumps({**secret, "providers": accounts})
    )
    folder = tmp_path_factory.mktemp("package")
    template = documents.read(PACKAGE / "sam.yaml")
    template["Globals"]["Function"]["Environment"]["Variables"].update(HERE)
    del template["Parameters"]["PublicUrl"]["AllowedPattern"]
    (folder / "sam.yaml").write_text(documents.written(template))
    (folder / "deployment.zip").symlink_to(PACKAGE / "deployment.zip")
    deploy.apply(STAGE, deploy.upload(STAGE, template, folder), {})
    api = cloud.outputs(STAGE)["RestAPIId"]
    url = f"{account}/restapis/{api}/api/_user_request_"
    routes = json.dumps({"*": ["simulator:main"]})
    prices = json.dumps({"*": {"sms": "0.04"}})
    given = {"PublicUrl": url, "OtpRoutes": routes, "OtpPrices": prices}
    given["RentalSeconds"] = str(RENTAL_SECONDS)
    told = deploy.deploy(STAGE, folder, given)
    assert told["PublicUrl"] == url
    deployed = Deployed(url, admin_key)
    deployed.user_id = deployed.manage("users", "create", "ann", "--approve")["user"]["user_id"]
    deployed.manage("users", "credit", "ann", "10.00")
    deployed.key = deployed.manage("keys", "issue", "ann")["api_key"]
    deployed.signing_secret = deployed.manage("webhook", "set", "ann", deployed.receiver.url)[
        "secret"
    ]
    numbers = folder / "numbers.csv"
    rows = [f"{number},Pacific,0.05" for number in NUMBERS]
    numbers.write_text("\n".join(["phone_number,operator,price", *rows]))
    assert deployed.manage("numbers", "import", str(numbers))["added"] == len(NUMBERS)
    invoke("CountStock")
    # Nobody sends to it: it will be expired when the other tests are done.
    deployed.unused = deployed.rent()
    return deployed


def test_the_api_answers_and_refuses(stack: Deployed) -> None:
    assert requests.get(f"{stack.url}/health", timeout=60).json() == {"status": "ok"}
    assert "<html" in requests.get(stack.url + "/", timeout=60).text
    refused = requests.get(f"{stack.url}/getNumbers", {"api_key": "nobody"}, timeout=60)
    assert (refused.status_code, refused.json()["status"]) == (401, "error")
    assert requests.get(f"{stack.url}/admin/users", timeout=60).status_code == 401
    headers = {"X-Admin-Key": stack.admin_key}
    admitted = requests.get(f"{stack.url}/admin/users", headers=headers, timeout=60)
    assert [user["login"] for user in admitted.json()["users"]] == ["ann"]


def test_an_inbound_sms_becomes_a_delivered_webhook(stack: Deployed) -> None:
    rental = stack.rent()
    answer = stack.sms(rental["number"], f"Your code is {CODE}")
    assert answer.status_code == 200, answer.text
    body, headers = stack.receiver.received.get(timeout=PATIENCE_SECONDS)
    event = Webhook(stack.signing_secret).verify(body, headers)
    assert CODE in json.dumps(event)
    shown = stack.call("GET", "/getSMS", rental_id=rental["rental_id"]).json()
    assert shown["messages"][0]["code"] == CODE
    state = until(lambda: _delivered(stack))
    assert (state["state"], state["attempts"]) == ("delivered", 1)


def _delivered(stack: Deployed) -> dict[str, Any] | None:
    found = stack.manage("deliveries", "list", "ann")["deliveries"]
    done = [each for each in found if each["state"] != "pending"]
    return done[0] if done else None


def test_a_code_goes_through_queue_provider_and_webhook_and_is_validated(stack: Deployed) -> None:
    rental = stack.rent()
    headers = {"api-login": "ann", "api-key": stack.key}
    base = f"{stack.url}/v1/public/service/otp"
    asked = {"phone_number": rental["number"], "text": "{code} is your code"}
    made = requests.post(f"{base}/generate", json=asked, headers=headers, timeout=60)
    assert made.status_code == 200, made.text
    body, signed = stack.receiver.received.get(timeout=PATIENCE_SECONDS)
    Webhook(stack.signing_secret).verify(body, signed)
    shown = stack.call("GET", "/getSMS", rental_id=rental["rental_id"]).json()
    token = made.json()["otp_request_token"]
    guess = {"code": shown["messages"][0]["code"], "otp_request_token": token}
    answer = requests.put(f"{base}/validate", json=guess, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (200, 0), answer.text


def test_an_expired_rental_is_refunded_once_by_its_schedule(stack: Deployed) -> None:
    rental_id = stack.unused["rental_id"]
    # The rule runs the Lambda each minute.
    until(lambda: _refunds(stack, rental_id) or None, seconds=RENTAL_SECONDS + 90)
    shown = stack.call("GET", "/getSMS", rental_id=rental_id).json()
    assert shown["rental_status"] == "expired"
    invoke("ExpireRentals")
    assert _refunds(stack, rental_id) == 1


def _refunds(stack: Deployed, rental_id: str) -> int:
    headers = {"Authorization": f"Bearer {stack.key}"}
    answer = requests.get(f"{stack.url}/account/ledger", headers=headers, timeout=60)
    entries = answer.json()["entries"]
    return sum(each["kind"] == "refund" and rental_id in json.dumps(each) for each in entries)


def test_the_balance_is_the_sum_of_the_ledger(stack: Deployed) -> None:
    headers = {"Authorization": f"Bearer {stack.key}"}
    answer = requests.get(f"{stack.url}/account/ledger", headers=headers, timeout=60)
    told = sum(each["amount"] for each in answer.json()["entries"])
    balance = stack.manage("users", "show", "ann")["user"]["balance"]
    assert float(balance) == pytest.approx(told)


def test_the_stack_goes_and_its_tables_stay(stack: Deployed) -> None:
    tables = destroy.destroy(STAGE, delete_data=False)
    assert cloud.stack(STAGE) is None
    kept = cloud.client("dynamodb").list_tables()["TableNames"]
    assert set(tables) <= set(kept)
    users = next(table for table in tables if "UsersTable" in table)
    found = cloud.client("dynamodb").get_item(
        TableName=users, Key={"user_id": {"S": stack.user_id}}
    )
    assert found["Item"]["balance"]["N"]
