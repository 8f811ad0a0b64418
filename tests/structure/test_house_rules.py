"""What every module must keep: its length, its name, its first line, and who may commit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("citizen_account", "connectors", "tests")
MAX_LINES = 400
# A step is the record of what was done to a database: it is as long as that was.
STEPS = Path("citizen_account/migrations/versions")
UNIT_OF_WORK = Path("citizen_account/storage/unit_of_work.py")
BANNED = frozenset({"utils", "helpers", "common", "manager", "misc", "data", "info"})
# Split here, so that this file does not accuse itself.
COMMIT = ".commit" + "("
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")


def offences(path: Path, source: str) -> Iterator[str]:
    if len(source.splitlines()) > MAX_LINES and not path.is_relative_to(STEPS):
        yield "split by job: too long"
    if COMMIT in source and path != UNIT_OF_WORK:
        yield "leaving the block commits, and nothing else"
    if BANNED & {part.removesuffix(".py").removeprefix("test_") for part in path.parts}:
        yield "a name that says nothing"
    if not ast.get_docstring(ast.parse(source)):
        yield "the first line says the module's one job"
    if any(word in source for word in UNFINISHED):
        yield "finish it, or leave it out"


def test_every_module_keeps_the_house_rules() -> None:
    modules = [path for part in PARTS for path in (ROOT / part).rglob("*.py")]
    assert modules
    found = {
        f"{path}: {offence}"
        for path in modules
        for offence in offences(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("citizen_account/usecases/tokens.py", '"""Line."""' + "\n" * 401),
        ("citizen_account/usecases/tokens.py", f'"""Commit."""\nconnection{COMMIT})'),
        ("citizen_account/usecases/helpers.py", '"""Help."""'),
        ("citizen_account/common/tokens.py", '"""Share."""'),
        ("citizen_account/usecases/tokens.py", "import os"),
        ("citizen_account/usecases/tokens.py", f'"""Wait."""\n# {UNFINISHED[0]}'),
    ],
    ids=["length", "commit", "module name", "folder name", "first line", "unfinished"],
)
def test_offence_is_found(path: str, source: str) -> None:
    assert len(list(offences(Path(path), source))) == 1
