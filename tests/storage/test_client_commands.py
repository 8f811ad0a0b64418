"""The operator's commands for services and signing keys, as a shell runs them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from citizen_account import cli
from citizen_account.cli.failures import CommandError
from citizen_account.domain.keys import KEY_KINDS
from tests.servers import environment_variables

SECRET = "s" * 32
LIBRARY = {"client_id": "library", "redirect_uris": ["https://library.example/callback"]}


@pytest.fixture
def variables(database_url: str) -> dict[str, str]:
    return environment_variables(database_url)


def run(variables: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env={**variables, "COLUMNS": "200"})


def fault_of(done: Result) -> str:
    """Return the one line that the program ends with."""
    assert isinstance(done.exception, CommandError)
    [line] = str(done.exception).splitlines()
    return line


def write(folder: Path, content: object) -> str:
    file = folder / "clients.json"
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_service_is_registered_shown_and_shut_out(
    variables: dict[str, str], tmp_path: Path
) -> None:
    done = run(variables, "client", "import", write(tmp_path, LIBRARY))
    assert done.exit_code == 0, done.output
    name, secret = done.stdout.splitlines()
    assert name == "client_id library"
    assert len(secret.removeprefix("client_secret ")) >= 32
    # The second time the secret stays, and is not shown again.
    again = run(variables, "client", "import", write(tmp_path, [LIBRARY]))
    assert again.stdout.splitlines() == ["client_id library"]
    assert "library" in run(variables, "client", "list").stdout
    shown = json.loads(run(variables, "client", "show", "library").stdout)
    assert shown["redirect_uris"] == LIBRARY["redirect_uris"]
    assert "client_secret" not in shown
    assert run(variables, "client", "disable", "library").exit_code == 0
    assert json.loads(run(variables, "client", "show", "library").stdout)["disabled"] is True


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no JSON", "this is no JSON"),
        ("[]", "must hold one metadata object"),
        ([LIBRARY, {**LIBRARY, "client_id": "b", "redirect_uris": []}], "client 2 of 2: redirect"),
        ({**LIBRARY, "client_secret": "short"}, "client_secret: needs at least 32"),
    ],
)
def test_failure_is_one_line_and_nothing_is_kept(
    variables: dict[str, str], tmp_path: Path, content: object, words: str
) -> None:
    done = run(variables, "client", "import", write(tmp_path, content))
    assert words in fault_of(done)
    assert "library" not in run(variables, "client", "list").stdout


def test_api_is_registered_listed_and_shut(variables: dict[str, str], tmp_path: Path) -> None:
    parking = {
        "resource": "https://parking.example/api",
        "client_id": "library",
        "scopes_supported": ["parking:read"],
    }
    done = run(variables, "resource", "import", write(tmp_path, parking))
    assert fault_of(done) == "resource 1 of 1: client_id: there is no client library"
    run(variables, "client", "import", write(tmp_path, LIBRARY))
    done = run(variables, "resource", "import", write(tmp_path, parking))
    assert done.stdout.splitlines() == ["resource https://parking.example/api"]
    assert "opaque" in run(variables, "resource", "list").stdout
    assert run(variables, "resource", "disable", "https://parking.example/api").exit_code == 0
    assert "disabled" in run(variables, "resource", "list").stdout
    # Importing it again opens it.
    run(variables, "resource", "import", write(tmp_path, [parking]))
    assert "disabled" not in run(variables, "resource", "list").stdout
    unknown = run(variables, "resource", "disable", "https://nowhere.example")
    assert fault_of(unknown) == "There is no resource https://nowhere.example."


@pytest.mark.parametrize("command", ["show", "disable"])
def test_unknown_service_is_said_so(variables: dict[str, str], command: str) -> None:
    done = run(variables, "client", command, "nobody")
    assert fault_of(done) == "There is no client nobody."


def test_keys_are_listed_and_rotated(variables: dict[str, str]) -> None:
    before = run(variables, "keys", "list").stdout
    assert before.count("active") == len(KEY_KINDS)
    # The whole id, however narrow the terminal, or `revoke` could not be told.
    kids = [word for word in before.replace("│", " ").split() if len(word) == 43]
    assert len(kids) == len(KEY_KINDS)
    assert fault_of(run(variables, "keys", "revoke", "-abc")) == "There is no key -abc."
    assert run(variables, "keys", "revoke", kids[0]).exit_code == 0
    rotated = run(variables, "keys", "rotate")
    assert rotated.exit_code == 0
    assert [tuple(line.split()[:2]) for line in rotated.stdout.splitlines()] == list(KEY_KINDS)
    after = run(variables, "keys", "list").stdout
    assert (after.count("next"), after.count("active")) == (len(KEY_KINDS), len(KEY_KINDS))
    assert "has a next key already" in run(variables, "keys", "rotate").stdout


def test_initial_token_is_made_for_an_open_door_alone(variables: dict[str, str]) -> None:
    assert "CITIZEN_REGISTRATION is closed" in fault_of(run(variables, "client", "token"))
    opened = {**variables, "CITIZEN_REGISTRATION": "token"}
    done = run(opened, "client", "token", "--uses", "3", "--days", "2")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.removeprefix("initial_access_token ").strip()) == 43
    revoked = run(opened, "client", "revoke-tokens")
    assert revoked.stdout.strip() == "1 initial access tokens are worthless now."
