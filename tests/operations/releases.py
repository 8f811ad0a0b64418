"""Bring back the version before this one, from the repository's history."""

import io
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The tag where it has travelled along, else the commit that it names.
BEFORE = ("v0.1.0", "3ea32e483d4c26ac7e5d18b22dd1e09a251cdc7d")
PARTS = ("citizen_account", "connectors", "templates", "pyproject.toml")


def find_version_before() -> str | None:
    """Return what git knows the version before by; nothing in a copy without its history."""
    if shutil.which("git") is None:
        return None
    return next((name for name in BEFORE if _git("cat-file", "-e", f"{name}^{{commit}}")), None)


def bring_back(version: str, folder: Path) -> Path:
    """Write its program into the folder, with the entry points that its wheel had."""
    done = _git("archive", "--format=tar", version, *PARTS)
    assert done is not None, f"git cannot read {version}"
    with tarfile.open(fileobj=io.BytesIO(done)) as archive:
        archive.extractall(folder, filter="data")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = folder / f"citizen_account-{project['version']}.dist-info"
    installed.mkdir()
    head = f"Metadata-Version: 2.4\nName: citizen-account\nVersion: {project['version']}\n"
    (installed / "METADATA").write_text(head, encoding="utf-8")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _git(*arguments: str) -> bytes | None:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout or b"-" if done.returncode == 0 else None
