"""`citizen-account connector` lists, checks and begins connectors that work at once."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx2
import pytest
from typer.testing import CliRunner, Result

from citizen_account import cli
from citizen_account.cli.failures import CommandError
from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Source
from citizen_account.connector_sdk.auth import ApiKey
from citizen_account.connector_sdk.checks import BRONZE
from citizen_account.connector_sdk.models import Context
from tests.factories import environment

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an environment with a connector that is configured and two that are not."""
    file = tmp_path / "connectors.toml"
    file.write_text('[housing]\nbase_url = "http://127.0.0.1:9/"\n[ghost]\nbase_url = "http://x"\n')
    settings = environment(f"sqlite:///{tmp_path}/city.db", connectors_file=str(file))
    for name, value in settings.items():
        monkeypatch.setenv(f"CITIZEN_{name.upper()}", value)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli.app, ["connector", *words])

    return run


def test_list_says_why_a_connector_is_not_in_use(run: Run) -> None:
    told = run("list").output
    assert "permits" in told
    assert "not configured" in told
    assert "configured, but not installed" in told


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing", "No connector nothing is installed"),
        ("permits", "permits is not in use: not configured"),
        ("ghost", "ghost: configured, but not installed"),
    ],
)
def test_check_says_what_is_wrong_in_one_line(run: Run, name: str, reason: str) -> None:
    result = run("check", name)
    assert isinstance(result.exception, CommandError)
    assert reason in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("name", ["X", "a", "Permits!", "../evil", "a" * 40])
def test_new_refuses_a_strange_name(run: Run, tmp_path: Path, name: str) -> None:
    result = run("new", name, "--folder", str(tmp_path / "connectors"))
    assert isinstance(result.exception, CommandError)
    assert not (tmp_path / "connectors").exists()


def test_new_never_overwrites(run: Run, tmp_path: Path) -> None:
    assert run("new", "parking", "--folder", str(tmp_path)).exit_code == 0
    (tmp_path / "parking" / "connector.py").write_text("mine")
    assert isinstance(run("new", "parking", "--folder", str(tmp_path)).exception, CommandError)
    assert (tmp_path / "parking" / "connector.py").read_text() == "mine"


def module_of(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"new_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("check", BRONZE)
async def test_new_connector_is_accepted_at_once(run: Run, tmp_path: Path, check: str) -> None:
    assert run("new", "tree_register", "--folder", str(tmp_path)).exit_code == 0
    folder = tmp_path / "tree_register"
    assert "TreeRegisterOffice" in (folder / "connector.py").read_text()
    assert "[tree_register]" in (folder / "README.md").read_text()
    connector, emulator = (module_of(folder / f"{name}.py") for name in ("connector", "emulator"))
    office = emulator.TreeRegisterOfficeEmulator()
    target = AcceptanceTarget(
        name="tree_register",
        folder=folder,
        build=connector.build,
        transport=httpx2.ASGITransport(office),
        source=Source("http://office.example/", ApiKey(emulator.KEY)),
        settings={"office": "7"},
        inject=office.inject,
        residents=(Context(subject=emulator.FIRST), Context(subject=emulator.SECOND)),
        secrets=frozenset({emulator.KEY}),
    )
    await BRONZE[check](target)
