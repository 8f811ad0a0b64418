"""Rehearse the Dockerfile where no Docker engine is: each step in a clean Debian root.

As root, with debootstrap, some minutes and 1.5 GB: python -m tests.rehearsal FOLDER
"""

import json
import os
import shlex
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
SETTINGS = {
    "CITIZEN_ISSUER": "https://account.city.example",
    "CITIZEN_DATABASE_URL": "sqlite:////var/lib/citizen-account/city.db",
    "CITIZEN_SECRET_KEY": "a rehearsed key that derives the others",
    "CITIZEN_DATA_KEY": "a-rehearsed-key-that-seals-the-columns",
    "CITIZEN_SMTP_URL": "smtp://mail.city.example",
    "CITIZEN_SUPPORT_EMAIL": "help@city.example",
}
# As Docker would: nothing can be written but what compose.yaml mounts.
AROUND = """
ip link set lo up
mount --bind {root} {root}
mount --options remount,bind,ro {root}
mount --rbind /dev {root}/dev
mount --types proc proc {root}/proc
mount --types tmpfs --options mode=1777 tmpfs {root}/tmp
mount --types tmpfs --options uid=10001,gid=10001,mode=0700 tmpfs {root}/var/lib/citizen-account
exec chroot --userspec={user} {root} /bin/sh -euc "$1"
"""
WITHIN = """
cd /tmp
id
if touch /etc/written 2>/dev/null; then echo "the root can be written"; exit 1; fi
for tool in pip pip3 gcc cc make git curl; do
    if command -v $tool; then echo "a tool is inside"; exit 1; fi
done
{entry} db upgrade
{entry} {command} &
until {check} 2>/dev/null; do kill -0 $!; sleep 1; done
kill -TERM $!
wait $!
echo "It served as its user, answered its health check, and ended when it was told to."
"""
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


def main(folder: Path) -> int:
    """Build the image's root, then serve from it as its user, without a way to write to it."""
    root = rehearse(folder)
    final = read_stages(DOCKERFILE.read_text(encoding="utf-8"))[-1]
    entry, command = final.last("ENTRYPOINT").words(), final.last("CMD").words()
    [_, check] = final.last("HEALTHCHECK").text.split("CMD ", 1)
    within = WITHIN.format(
        entry=shlex.join(entry),
        command=shlex.join(command),
        check=shlex.join(json.loads(check)),
    )
    user = final.last("USER").text
    around = AROUND.format(root=shlex.quote(str(root)), user=user)
    # Mounts and network of its own: the machine sees neither.
    isolated = ["unshare", "--mount", "--net", "/bin/sh", "-euc", around, "sh", within]
    return subprocess.run(isolated, env=final.variables() | SETTINGS, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
