"""Run a Node program of `tests/node/` beside the packages that `make test` installed for it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests" / "node"
INSTALLED = Path(os.environ.get("CACHE", ROOT / ".cache")) / "node"
OLDEST = 20
PATIENCE_SECONDS = 120


def run_node(program: str, **variables: str) -> dict[str, object]:
    """Return the JSON object that the program prints. Skips, with the reason, without Node."""
    node = find_node()
    # Packages are found upwards from the program, so it runs from a copy beside them.
    copy = shutil.copy(PROGRAMS / program, INSTALLED / f"{os.getpid()}-{program}")
    done = subprocess.run(
        [node, copy],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    Path(copy).unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    printed: dict[str, object] = json.loads(done.stdout)
    return printed


def find_node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: apt-get install nodejs npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < OLDEST:
        pytest.skip(f"openid-client needs Node {OLDEST}; this is {version.strip()}")
    if not (INSTALLED / "node_modules").is_dir():
        pytest.skip("the packages for Node are not installed: make test does it")
    return node
