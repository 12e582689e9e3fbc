import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import manage
import manage_shell
from chalicelib import bootstrap
from chalicelib.errors import BusyError
from chalicelib.settings import SettingsError
from chalicelib.stores import connection
from tests.conftest import Stack
from tests.world import World

COMMANDS = [
    ("users", "create"),
    ("users", "approve"),
    ("users", "credit"),
    ("users", "list"),
    ("users", "show"),
    ("users", "deactivate"),
    ("users", "activate"),
    ("users", "close"),
    ("users", "manager"),
    ("users", "markup"),
    ("keys", "issue"),
    ("keys", "revoke"),
    ("keys", "list"),
    ("numbers", "import"),
    ("numbers", "list"),
    ("prices", "list"),
    ("prices", "set"),
    ("webhook", "set"),
    ("deliveries", "list"),
    ("queues", "redrive"),
    ("supplier", "check"),
    ("rollups", "recompute"),
    ("doctor",),
]
CSV = "phone_number,operator,price\n+14155552671,AT&T,0.05\n+447700123456,Three,0.06\n"


def run(*args: object) -> Result:
    result = CliRunner().invoke(manage.cli, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def tell(*args: object) -> dict[str, Any]:
    """The JSON document of a command that must succeed."""
    result = run("--json", *args)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    document: dict[str, Any] = json.loads(result.stdout)
    assert document.pop("status") == "success"
    return document


def refused(*args: object, exit_code: int = 1) -> dict[str, Any]:
    """The JSON error of a command that must fail, the same wherever `--json` is."""
    result = run("--json", *args)
    assert result.exit_code == exit_code, result.output
    assert run(*args, "--json").stdout == result.stdout
    document: dict[str, Any] = json.loads(result.stdout)
    assert document.pop("status") == "error"
    assert set(document) == {"code", "message"}
    plain = run(*args)
    assert (plain.exit_code, plain.stdout) == (exit_code, "")
    assert "Traceback" not in plain.stderr
    return document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture
def joe(stack: Stack) -> str:
    tell("users", "create", "joe", "--approve")
    return "joe"


def test_every_command_is_there_and_has_help() -> None:
    found = {
        (name, *below)
        for name, command in manage.cli.commands.items()
        for below in ([(each,) for each in getattr(command, "commands", {})] or [()])
    }
    assert found == set(COMMANDS)
    for command in COMMANDS:
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert f"{' '.join(command)} [OPTIONS]" in result.stdout


def test_a_user_is_created_approved_and_credited(stack: Stack) -> None:
    user = tell("users", "create", "Joe", "--name", "Joe Smith")["user"]
    assert (user["login"], user["name"], user["status"]) == ("joe", "Joe Smith", "pending")
    assert tell("users", "approve", user["user_id"])["user"]["status"] == "approved"
    assert tell("users", "credit", "joe", "12.5", "--reference", "cash")["user"]["balance"] == 12.5
    assert tell("users", "show", "JOE")["user"]["balance"] == 12.5


def test_a_user_can_be_approved_at_once(stack: Stack) -> None:
    user = tell("users", "create", "joe", "--approve")["user"]
    assert (user["name"], user["status"], user["balance"]) == ("joe", "approved", 0)


def test_all_users_are_listed(stack: Stack) -> None:
    assert tell("users", "list") == {"users": []}
    assert run("users", "list").output == ""
    for login in ("ann", "bob"):
        run("users", "create", login)
    assert {user["login"] for user in tell("users", "list")["users"]} == {"ann", "bob"}
    head, *rows = run("users", "list").stdout.splitlines()
    assert head.split() == list(manage.USER)
    assert len(rows) == 2
    assert all("0.000000" in row for row in rows)


def test_a_user_reads_line_by_line(joe: str) -> None:
    run("users", "credit", joe, "0.000001")
    lines = run("users", "show", joe).stdout.splitlines()
    assert ["login", "joe"] in [line.split() for line in lines]
    assert ["balance", "0.000001"] in [line.split() for line in lines]
    assert ["webhook", "-"] in [line.split() for line in lines]


def test_a_key_is_issued_once_listed_by_its_prefix_and_revoked(stack: Stack, joe: str) -> None:
    issued = tell("keys", "issue", joe, "--label", "laptop")
    key, user = stack.platform.accounts.authenticate(issued["api_key"])
    assert (key.label, user.login) == ("laptop", "joe")
    listed = run("keys", "list", joe, "--json").stdout
    assert issued["api_key"] not in listed
    assert [key["prefix"] for key in json.loads(listed)["keys"]] == [issued["key"]["prefix"]]
    tell("keys", "revoke", joe, issued["key"]["prefix"])
    assert tell("keys", "list", joe) == {"keys": []}


def test_a_key_reads_as_a_line_of_its_own(stack: Stack, joe: str) -> None:
    line = run("keys", "issue", joe).stdout.splitlines()[0]
    name, text = line.split()
    assert name == "api_key"
    assert stack.platform.accounts.authenticate(text)


def test_numbers_are_imported_and_listed(stack: Stack, file: Path) -> None:
    assert tell("numbers", "import", file) == {"added": 2, "unchanged": 0, "bad": []}
    assert tell("numbers", "import", file) == {"added": 0, "unchanged": 2, "bad": []}
    found = tell("numbers", "list")["numbers"]
    assert {(n["phone_number"], n["operator"], n["state"]) for n in found} == {
        ("+14155552671", "AT&T", "free"),
        ("+447700123456", "Three", "free"),
    }
    listed = tell("numbers", "list", "--country", "us", "--state", "free")["numbers"]
    assert [number["phone_number"] for number in listed] == ["+14155552671"]
    assert tell("numbers", "list", "--state", "rented") == {"numbers": []}


def test_bad_rows_are_printed_and_the_rest_goes_in(stack: Stack, file: Path) -> None:
    file.write_text(CSV + "12,AT&T,0.05\n", encoding="utf-8-sig")
    result = run("numbers", "import", file)
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["added", "2"],
        ["unchanged", "0"],
        ["line", "field"],
        ["4", "phone_number"],
    ]
    assert "expected an international phone number" in result.stdout
    assert result.stderr == ""


def test_all_numbers_are_listed_whatever_their_count(stack: Stack, file: Path) -> None:
    rows = [f"+1415555{at:04d},AT&T,0.05" for at in range(250)]
    file.write_text("phone_number,operator,price\n" + "\n".join(rows), encoding="utf-8")
    assert tell("numbers", "import", file)["added"] == 250
    assert len(tell("numbers", "list")["numbers"]) == 250


class Terminal:
    """A stderr that says that it is a terminal."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


def test_the_progress_bar_is_for_terminals_without_json(
    stack: Stack, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(*options: str) -> str:
        args = ["numbers", "import", str(file), *options]
        manage.cli.main(args, standalone_mode=False)
        return capsys.readouterr().err

    assert shown() == ""
    monkeypatch.setattr(sys, "stderr", Terminal(sys.stderr))
    assert "100%" in shown()
    assert shown("--json") == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "No such file or directory."),
        (b"phone_number,price\n", "columns: expected phone_number, operator, price"),
        (b"phone_number,operator,price\n\xff\n", "encoding: expected UTF-8."),
        (b"", "found none."),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_exit_code_2(
    stack: Stack, tmp_path: Path, data: bytes | None, message: str
) -> None:
    path = tmp_path / "numbers.csv"
    if data is not None:
        path.write_bytes(data)
    error = refused("numbers", "import", path, exit_code=2)
    assert error["code"] == "invalid_file"
    assert str(path) in error["message"]
    assert message in error["message"]
    assert len(run("numbers", "import", path).stderr.splitlines()) == 1


def test_a_directory_is_no_file(stack: Stack, tmp_path: Path) -> None:
    assert "Is a directory" in refused("numbers", "import", tmp_path, exit_code=2)["message"]


def test_a_webhook_is_set_and_its_secret_printed_once(joe: str) -> None:
    url = "https://example.com/hook"
    told = tell("webhook", "set", joe, url, "--events", "otp_received, sms_received")
    assert told["secret"].startswith("whsec_")
    events = ["otp_received", "sms_received"]
    assert told["webhook"] == {"url": url, "events": events, "enabled": True}
    shown = tell("users", "show", joe)
    assert shown["webhook"] == told["webhook"]
    assert told["secret"] not in json.dumps(shown)
    assert "otp_received, sms_received" in run("users", "show", joe).stdout


def test_deliveries_are_listed(world: World, stack: Stack) -> None:
    user = world.user()
    tell("webhook", "set", user.login, "https://example.com/hook")
    world.stock(1)
    world.sms(world.rent(user).phone_number)
    (waiting,) = tell("deliveries", "list", user.login)["deliveries"]
    assert (waiting["state"], waiting["attempts"]) == ("pending", 0)
    assert waiting["next_at"].startswith("2023-11-14T22:")
    world.deliver()
    (delivered,) = tell("deliveries", "list", user.user_id)["deliveries"]
    assert (delivered["state"], delivered["last_status"]) == ("delivered", 200)
    assert delivered["next_at"] is None
    assert "delivered" in run("deliveries", "list", user.login).stdout


def test_all_deliveries_are_listed_whatever_their_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = world.user()
    tell("webhook", "set", user.login, "https://example.com/hook")
    world.stock(1)
    number = world.rent(user).phone_number
    for _ in range(5):
        world.sms(number)
    monkeypatch.setattr(manage, "_PAGE", 2)
    assert len(tell("deliveries", "list", user.login)["deliveries"]) == 5


def test_a_webhook_is_removed_by_an_empty_url(joe: str) -> None:
    tell("webhook", "set", joe, "https://example.com/hook")
    assert tell("webhook", "set", joe, "") == {"secret": None, "webhook": None}
    assert tell("users", "show", joe)["webhook"] is None


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("users", "show", "nobody"), "user_not_found"),
        (("users", "approve", "nobody"), "user_not_found"),
        (("users", "create", "joe"), "login_taken"),
        (("users", "create", "x"), "invalid_parameter"),
        (("users", "credit", "joe", "0"), "invalid_parameter"),
        (("users", "credit", "joe", "lots"), "invalid_parameter"),
        (("users", "credit", "nobody", "1"), "user_not_found"),
        (("keys", "issue", "nobody"), "user_not_found"),
        (("keys", "list", "nobody"), "user_not_found"),
        (("keys", "revoke", "joe", "sesame"), "key_not_found"),
        (("numbers", "list", "--country", "XX"), "invalid_parameter"),
        (("webhook", "set", "joe", "ftp://example.com"), "invalid_parameter"),
        (("webhook", "set", "joe", "https://example.com", "--events", "x"), "invalid_parameter"),
        (("deliveries", "list", "nobody"), "user_not_found"),
    ],
)
def test_an_error_is_one_line_or_one_document(
    joe: str, command: tuple[str, ...], code: str
) -> None:
    error = refused(*command)
    assert error["code"] == code
    assert run(*command).stderr == f"Error: {error['message']}\n"


@pytest.mark.parametrize(
    "command",
    [
        ("users", "show"),
        ("users", "dance"),
        ("users", "list", "--loud"),
        ("keys", "issue", "a", "b"),
    ],
)
def test_wrong_usage_is_a_document_too_with_exit_code_2(
    stack: Stack, command: tuple[str, ...]
) -> None:
    assert refused(*command, exit_code=2)["code"] == "usage"


def test_no_connection_is_one_line(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.forget_client()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    try:
        error = refused("users", "list")
    finally:
        connection.forget_client()
    assert error["code"] == "busy"
    assert "http://127.0.0.1:9" in error["message"]


def test_a_busy_service_is_one_line(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: object = None) -> None:
        raise BusyError

    monkeypatch.setattr(stack.platform.accounts, "page", busy)
    assert refused("users", "list") == {
        "code": "busy",
        "message": "The service is busy. Try again.",
    }


def test_a_stack_without_tables_is_one_line(stack: Stack) -> None:
    stack.configure(SESAME_TABLE_USERS="nowhere")
    error = refused("users", "list")
    assert error["code"] == "refused"
    assert "ResourceNotFoundException" in error["message"]


def test_without_a_stack_one_line_says_how_to_point_at_one(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_platform", None)
    monkeypatch.setenv("SESAME_HOME", str(tmp_path))
    for name in stack.environment:
        monkeypatch.delenv(name)
    error = refused("users", "list")
    assert error["code"] == "no_stack"
    assert " is not set." in error["message"]
    assert "make run" in error["message"]


def test_the_local_stack_is_found_by_its_file(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell("users", "create", "joe")
    (tmp_path / "environment.json").write_text(json.dumps(stack.environment), encoding="utf-8")
    for name in stack.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SESAME_HOME", str(tmp_path))
    assert manage_shell.stack_environment({"SESAME_HOME": str(tmp_path)}) == stack.environment
    monkeypatch.setattr(bootstrap, "_platform", None)
    assert tell("users", "show", "joe")["user"]["login"] == "joe"


def test_variables_that_are_set_go_before_the_file(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("broken", encoding="utf-8")
    assert manage_shell.stack_environment({"SESAME_HOME": str(tmp_path), **stack.environment}) == {}


def test_the_file_is_in_the_project_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manage_shell, "ROOT", tmp_path)
    assert manage_shell.stack_environment({}) == {}
    (tmp_path / ".sesame").mkdir()
    (tmp_path / ".sesame" / "environment.json").write_text('{"A": "1"}', encoding="utf-8")
    assert manage_shell.stack_environment({}) == {"A": "1"}


@pytest.mark.parametrize("text", ["broken", "[]", '{"A": 1}', "\xff"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "environment.json").write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match=r"environment\.json"):
        manage_shell.stack_environment({"SESAME_HOME": str(tmp_path)})


def test_a_user_is_stopped_let_go_on_and_closed(stack: Stack, joe: str) -> None:
    assert tell("users", "deactivate", joe)["user"]["active"] is False
    assert tell("users", "activate", joe)["user"]["active"] is True
    assert refused("users", "close", joe, "--confirm", "ann")["code"] == "invalid_parameter"
    assert refused("users", "close", joe, exit_code=2)["code"] == "usage"
    closed = tell("users", "close", joe, "--confirm", joe)["user"]
    assert (closed["status"], closed["name"], closed["active"]) == ("closed", "", False)
    assert refused("users", "approve", closed["user_id"])["code"] == "account_closed"
    assert refused("users", "show", joe)["code"] == "user_not_found"


def test_a_user_is_put_under_a_manager_and_taken_away(stack: Stack, joe: str) -> None:
    tell("users", "create", "ann", "--approve")
    manager = tell("users", "show", "ann")["user"]["user_id"]
    assert tell("users", "manager", joe, "ann")["user"]["manager_id"] == manager
    assert refused("users", "manager", "ann", joe)["code"] == "manager_has_no_manager"
    assert tell("users", "markup", "ann", "12.5")["user"]["markup"] == 12.5
    assert refused("users", "markup", "ann", "301")["code"] == "invalid_parameter"
    assert stack.platform.accounts.find("ann").markup == 1_250
    assert tell("users", "manager", joe, "-")["user"]["manager_id"] is None


def test_prices_are_set_listed_and_removed(stack: Stack, file: Path) -> None:
    tell("numbers", "import", file)
    set_to = tell("prices", "set", "us", "0.2", "--service", "Acme")["price"]
    assert set_to == {"country": "US", "operator_id": None, "service": "acme", "price": 0.2}
    listed = tell("prices", "list")
    assert [operator["price"] for operator in listed["operators"]] == [0.06, 0.05]
    assert listed["prices"] == [set_to]
    assert "0.200000" in run("prices", "list").stdout
    assert tell("prices", "set", "us", "-", "--service", "acme") == {"price": None}
    assert tell("prices", "list")["prices"] == []
    assert refused("prices", "set", "us", "-")["code"] == "price_not_found"
    assert refused("prices", "set", "us", "1", "--operator", "99")["code"] == "operator_not_found"
