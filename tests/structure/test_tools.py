"""Format, lint, types and layers, each shown to refuse what it is there for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure import offenders

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("CACHE", ROOT / ".cache"))
TOOLS = Path(sys.executable).parent
CODE = ("citizen_account", "connectors")


def run(tool: str, *options: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(TOOLS / tool), *options]
    # A tool that colours its words would hide them from the test.
    environment = os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def test_format() -> None:
    done = run("ruff", "format", "--check", f"--cache-dir={CACHE / 'ruff'}", ".")
    assert done.returncode == 0, said(done)


def test_lint() -> None:
    done = run("ruff", "check", f"--cache-dir={CACHE / 'ruff'}", ".")
    assert done.returncode == 0, said(done)


@pytest.mark.xdist_group("types")
def test_types() -> None:
    done = run("mypy", f"--cache-dir={CACHE / 'mypy'}")
    assert done.returncode == 0, said(done)


def test_layers() -> None:
    done = run("lint-imports", f"--cache-dir={CACHE / 'import-linter'}")
    assert done.returncode == 0, said(done)


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("import os\n", ["check"]),
        ("def untyped(x):\n    return x\n", ["check"]),
        ("x = {  'a':1 }\n", ["format", "--check"]),
    ],
    ids=["unused import", "annotation", "blanks"],
)
def test_style_is_refused(tmp_path: Path, source: str, command: list[str]) -> None:
    (tmp_path / "offender.py").write_text(source)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert run("ruff", *command, "--no-cache", "offender.py", folder=tmp_path).returncode == 1


@pytest.mark.xdist_group("types")
def test_untyped_code_is_refused(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("def add(a, b):\n    return a + b\n")
    done = run("mypy", f"--cache-dir={tmp_path / 'mypy'}", str(offender))
    assert "no-untyped-def" in done.stdout, said(done)


def test_every_contract_of_the_layers_can_be_broken(tmp_path: Path) -> None:
    for part in CODE:
        ignored = shutil.ignore_patterns("static", "locale", "__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    offenders.write(tmp_path)
    done = run("lint-imports", "--no-cache", folder=tmp_path)
    assert done.returncode == 1
    verdicts = [line for line in done.stdout.splitlines() if line.endswith(("KEPT", "BROKEN"))]
    assert len(verdicts) == len(offenders.IMPORTS), said(done)
    assert not [line for line in verdicts if line.endswith("KEPT")]
