"""Rehearse the Dockerfile where no Docker engine is: each step in a clean Debian root.

As root, with debootstrap, some minutes and 1.5 GB: python -m tests.rehearsal FOLDER
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.dockerfile import DOCKERFILE, ROOT, Instruction, Stage, read_stages

MIRROR = "http://deb.debian.org/debian"
SUITES = {"debian:13-slim": "trixie"}
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
# The way to the packages is the machine's, not the image's.
FROM_OUTSIDE = ("PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def rehearse(folder: Path) -> Path:
    """Run all stages below the folder, and return the root that the last one leaves."""
    roots: dict[str, Path] = {}
    for number, stage in enumerate(read_stages(DOCKERFILE.read_text(encoding="utf-8"))):
        root = folder / f"stage{number}"
        _make_root(folder, root, SUITES[stage.base])
        _run_stage(stage, root, roots)
        roots[stage.name] = root
    return root


def enter(root: Path, command: list[str], *, stage: Stage, **more: str) -> int:
    """Run a command as the image's user, with the image's variables; return its status."""
    user = stage.last("USER").text
    arguments = ["chroot", f"--userspec={user}", str(root), *command]
    return subprocess.run(arguments, env=stage.variables() | more, check=False).returncode


def _make_root(folder: Path, root: Path, suite: str) -> None:
    pristine = folder / suite
    if not pristine.exists():
        _call(["debootstrap", "--variant=minbase", suite, str(pristine), MIRROR])
    subprocess.run(["cp", "--archive", str(pristine), str(root)], check=True)


def _run_stage(stage: Stage, root: Path, roots: Mapping[str, Path]) -> None:
    here = root
    for instruction in stage.instructions:
        match instruction.name:
            case "RUN":
                _bring_authorities(root)
                outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
                within = here.relative_to(root)
                script = f"cd /{within} && {instruction.text}"
                command = ["chroot", str(root), "/bin/sh", "-c", script]
                _call(command, env=outside | stage.variables())
            case "COPY":
                _copy(instruction, here, root, roots)
            case "WORKDIR":
                here = root / instruction.text.lstrip("/")
                here.mkdir(parents=True, exist_ok=True)


def _copy(instruction: Instruction, here: Path, root: Path, roots: Mapping[str, Path]) -> None:
    words = instruction.words()
    source_root = ROOT
    if words[0].startswith("--from="):
        source_root = roots[words.pop(0).removeprefix("--from=")]
    *sources, target = words
    place = root / target.lstrip("/") if target.startswith("/") else here / target
    for name in sources:
        source = source_root / name.lstrip("/")
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if source_root == ROOT else None
            shutil.copytree(source, place, symlinks=True, ignore=ignored)
        else:
            into = place / source.name if target.endswith("/") else place
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, into)


def _bring_authorities(root: Path) -> None:
    """Let the root believe whom this machine believes, once it has authorities of its own."""
    if (root / AUTHORITIES).exists() and Path("/", AUTHORITIES).exists():
        shutil.copyfile(Path("/", AUTHORITIES), root / AUTHORITIES)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")


def _call(command: list[str], env: Mapping[str, str] | None = None) -> None:
    print("+", *command, flush=True)  # noqa: T201  # a command for people
    subprocess.run(command, check=True, env=env)


if __name__ == "__main__":
    made = rehearse(Path(sys.argv[1]))
    final = read_stages(DOCKERFILE.read_text(encoding="utf-8"))[-1]
    entry = final.last("ENTRYPOINT").words()
    sys.exit(enter(made, [*entry, "--help"], stage=final))
