"""The Docker files: without faults, closed to who has no business there, with good settings."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from jsonschema.validators import validator_for
from typer.testing import CliRunner

from citizen_account import cli, migrations
from citizen_account.bootstrap import build_runtime
from citizen_account.cli.doctor import examine
from citizen_account.cli.doctor.findings import Site, State
from citizen_account.cli.serve import GRACE_SECONDS
from citizen_account.settings import Settings
from citizen_account.usecases.keys import ensure_keys
from tests.dockerfile import DOCKERFILE, read_stages
from tests.postgres import Postgres, create_database, drop_database, free_port

FOLDER = DOCKERFILE.parent
HADOLINT = Path(sys.executable).with_name("hadolint")
OURS = ("upgrade", "account", "worker")
Compose = dict[str, Any]  # Any: what YAML holds


def lint(text: str) -> subprocess.CompletedProcess[str]:
    command = [str(HADOLINT), "--no-color", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def faults(compose: Compose) -> list[str]:
    """Compare with the Compose Specification's own schema, which check-jsonschema carries."""
    schemas = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text(encoding="utf-8"))
    return [fault.message for fault in validator_for(schema)(schema).iter_errors(compose)]


@pytest.fixture(scope="module")
def compose() -> Compose:
    read: Compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return read


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no wheel for this machine")
def test_dockerfile_has_no_fault() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    done = lint(text)
    assert done.returncode == 0, done.stdout
    assert lint(f"{text}\nUSER root\n").returncode != 0


def test_image_runs_as_nobody_and_holds_no_tools() -> None:
    build, final = read_stages(DOCKERFILE.read_text(encoding="utf-8"))
    user, _, group = final.last("USER").text.partition(":")
    assert int(user) > 0 < int(group)
    installs = [each.text for each in build.all("RUN") if "--requirement" in each.text]
    assert all("--require-hashes" in text for text in installs)
    assert installs
    in_the_image = " ".join(each.text for each in final.all("RUN"))
    for tool in ("pip", "gcc", "build-essential", "git", "curl", "venv"):
        assert tool not in in_the_image.replace("/opt/citizen-account/bin/pip", "")
    assert final.all("HEALTHCHECK")


def test_builder_is_given_what_is_copied_and_no_more() -> None:
    [build, _] = read_stages(DOCKERFILE.read_text(encoding="utf-8"))
    copied = {source for each in build.all("COPY") for source in each.words()[:-1]}
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((FOLDER.parent / source).exists() for source in copied)


def test_compose_is_of_its_specification(compose: Compose) -> None:
    assert not faults(compose)
    assert faults({**compose, "services": {"account": {"read_onyl": True}}})


def test_containers_can_write_nothing_and_have_time_to_end(compose: Compose) -> None:
    for name in OURS:
        container = compose["services"][name]
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert int(container["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS
    assert compose["networks"]["back"] == {"internal": True}
    published = {name for name, each in compose["services"].items() if "ports" in each}
    assert published == {"proxy", "mail"}
    assert compose["services"]["mail"]["profiles"] == ["trial"]


def test_commands_of_the_containers_exist(compose: Compose) -> None:
    for name in OURS:
        # An option that does not exist is refused before help is given.
        done = CliRunner().invoke(cli.app, [*compose["services"][name]["command"], "--help"])
        assert done.exit_code == 0, done.output
    assert compose["services"]["account"]["command"][-2:] == ["--workers", "2"]
    assert CliRunner().invoke(cli.app, ["serve", "--wrokers", "2", "--help"]).exit_code != 0


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Return a copy of the folder after `docker/prepare`, as root runs it."""
    if os.geteuid() != 0:
        pytest.skip("docker/prepare is for root")
    copy = tmp_path / "docker"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("secrets", "settings.env"))
    prepare(copy)
    return copy


def prepare(folder: Path) -> None:
    command = [str(folder / "prepare"), "account.city.example"]
    subprocess.run(command, check=True, capture_output=True)


def test_prepared_secrets_are_those_of_the_containers(compose: Compose, prepared: Path) -> None:
    wanted = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    made = {file.name for file in (prepared / "secrets").iterdir()}
    # The certificate and its key are the operator's own.
    assert wanted - made == {"certificate.pem", "key.pem"}
    before = {file: file.read_text() for file in (prepared / "secrets").iterdir()}
    prepare(prepared)
    assert {file: file.read_text() for file in before} == before


def settings_of(folder: Path) -> dict[str, str]:
    lines = (folder / "settings.env").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: shlex.split(value)[0] for name, value in pairs}


@pytest.fixture
def production_url(postgres: Postgres) -> Iterator[str]:
    """Yield the address of a database without tables, as the container `upgrade` finds it."""
    yield create_database(postgres, "production")
    drop_database(postgres, "production")


async def test_example_of_production_passes_the_doctor(
    prepared: Path, production_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server = Controller(object(), hostname="127.0.0.1", port=free_port())
    mail_server.start()
    secrets = prepared / "secrets"
    (secrets / "database_url").write_text(production_url)
    (secrets / "smtp_url").write_text(f"smtp://127.0.0.1:{mail_server.port}")
    places = {"/run/secrets": str(secrets), "/var/lib/citizen-account": str(prepared)}
    variables = settings_of(prepared)
    for name, value in variables.items():
        for there, here in places.items():
            variables[name] = variables[name].replace(there, here)
        monkeypatch.setenv(name, variables[name])
        assert value
    settings = Settings()
    runtime = build_runtime(settings)
    await migrations.upgrade(production_url)
    async with runtime.database.begin() as uow:
        await ensure_keys(uow)
    try:
        lines = await examine(Site(settings, runtime, variables))
    finally:
        await runtime.database.close()
        mail_server.stop()
    assert not [line for line in lines if line.state is State.FAIL]
    assert len(lines) > 10
