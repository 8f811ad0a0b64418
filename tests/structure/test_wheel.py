"""The built wheel holds all that the account needs, and starts from it alone."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest

from tests.postgres import free_port
from tests.servers import OPTIONS, UVICORN, environment_variables, process, wait_until_ready

ROOT = Path(__file__).parents[2]
# Where the wheel keeps what lies in the checkout.
PLACES = {
    "templates": ("citizen_account/_templates", {".html", ".txt", ".svg"}),
    "citizen_account": ("citizen_account", {".py", ".css", ".js", ".svg", ".woff2", ".po"}),
    "connectors": ("connectors", {".py", ".toml", ".po", ".html"}),
}
KINDS = {
    "templates": "citizen_account/_templates/portal/*.html",
    "mails": "citizen_account/_templates/email/*/body.html",
    "styles": "citizen_account/static/*.css",
    "vendored assets": "citizen_account/static/vendor/*/*.css",
    "catalogues": "citizen_account/locale/*/*.po",
    "migrations": "citizen_account/migrations/versions/*.py",
    "manifests": "connectors/*/manifest.toml",
}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


def expected() -> set[str]:
    return {
        f"{place}/{file.relative_to(ROOT / folder).as_posix()}"
        for folder, (place, kinds) in PLACES.items()
        for file in (ROOT / folder).rglob("*")
        if file.suffix in kinds and file.is_file()
    }


def missing(wheel: set[str]) -> set[str]:
    return expected() - wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Without isolation: what builds it is locked with everything else.
    options = ["--wheel", "--no-isolation", "--outdir", str(folder)]
    run([sys.executable, "-m", "build", *options, str(ROOT)])
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the wheel's content and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(wheel)])
    return folder


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_wheel_holds_every_file_that_the_account_reads(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert not missing(held)
    for kind, pattern in KINDS.items():
        assert any(Path(name).match(pattern) for name in held), kind


def test_file_left_out_of_the_wheel_is_found(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
    for pattern in KINDS.values():
        assert missing({name for name in held if not Path(name).match(pattern)}), pattern


def test_wheel_holds_neither_tests_nor_secrets(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = archive.namelist()
    tops = {name.partition("/")[0] for name in held}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "citizen_account",
        "connectors",
    }
    assert not [name for name in held if name.endswith((".pem", ".key", ".db", ".pyc"))]


def test_account_starts_from_the_wheel_alone(
    installed: Path, sqlite_url: str, tmp_path: Path
) -> None:
    port = free_port()
    issuer = f"http://localhost:{port}"
    variables = environment_variables(sqlite_url, issuer=issuer) | {"PYTHONPATH": str(installed)}
    where = "import citizen_account; print(citizen_account.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        env=os.environ | variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(installed))
    command = [*UVICORN, *OPTIONS, "--port", str(port)]
    with process(command, variables, folder=tmp_path) as server:
        wait_until_ready(issuer, server)
        page = httpx2.get(f"{issuer}/sk/sign-in")
        assert page.status_code == 200
        assert 'lang="sk"' in page.text
        assert "Prihl" in page.text
