"""The lock files: everything by hash, the same on every machine, naming none."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = ROOT / "requirements" / "run.txt"
TEST = ROOT / "requirements" / "test.txt"
NODE = ROOT / "tests" / "node"
BENCH = ROOT / "tests" / "bench"
PLACE = re.compile(r"https?://|file:|--index-url|--find-links|(?:^|\s)/\w+/")
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;]+)")


def pins(lock: str) -> dict[str, str]:
    found = filter(None, map(PIN.match, lock.splitlines()))
    return {pin["name"]: pin["version"] for pin in found}


def unhashed(lock: str) -> list[str]:
    entries = lock.replace("\\\n", " ").splitlines()
    return [entry for entry in entries if PIN.match(entry) and "--hash=sha256:" not in entry]


def names(requirements: list[str]) -> set[str]:
    found = [re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements]
    return {re.sub(r"[._]+", "-", name).lower() for name in found}


@pytest.mark.parametrize("lock", [RUN, TEST], ids=lambda path: path.name)
def test_every_package_is_locked_by_hash(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert pins(text)
    assert not unhashed(text)


@pytest.mark.parametrize("lock", [RUN, TEST], ids=lambda path: path.name)
def test_lock_names_no_host_and_no_folder(lock: Path) -> None:
    assert not PLACE.search(lock.read_text(encoding="utf-8"))


def test_locks_hold_what_the_project_asks_for() -> None:
    to_run = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
    to_test = PROJECT["project"]["optional-dependencies"]["test"]
    locked = pins(RUN.read_text(encoding="utf-8"))
    assert names(to_run) <= locked.keys()
    assert names([*to_run, *to_test]) <= pins(TEST.read_text(encoding="utf-8")).keys()


def test_tests_run_with_the_versions_that_serve() -> None:
    to_test = pins(TEST.read_text(encoding="utf-8"))
    assert pins(RUN.read_text(encoding="utf-8")).items() <= to_test.items()


@pytest.mark.parametrize("folder", [NODE, BENCH], ids=lambda path: path.name)
def test_lock_of_node_names_versions_and_no_host(folder: Path) -> None:
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    installed = {name: entry for name, entry in lock["packages"].items() if name}
    assert all("integrity" in entry and "resolved" not in entry for entry in installed.values())
    assert {name: installed[f"node_modules/{name}"]["version"] for name in wanted} == wanted


@pytest.mark.parametrize(
    "line", ["--index-url https://host.example/simple", "    # via -r /home/someone/run.txt"]
)
def test_place_is_found(line: str) -> None:
    assert PLACE.search(line)


def test_package_without_hash_is_found() -> None:
    assert unhashed("a==1 \\\n    --hash=sha256:00\nb==2\n") == ["b==2"]
