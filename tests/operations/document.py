"""Read the blocks of `docs/operating.md` that are run, and the names that a reader replaces."""

import re
from collections.abc import Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"
_BLOCK = re.compile(
    r"^```(?P<language>\w+) (?P<purpose>[^\n]+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
_NAMES = re.compile(r"^## Names in this document\n(?P<text>.*?)^## ", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """`purpose` is the word behind the language: install, root, check, or `file` and its path."""

    language: str
    purpose: str
    text: str


def read_blocks() -> Sequence[Block]:
    found = _BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))
    return [Block(**block.groupdict()) for block in found]


def declared_names() -> set[str]:
    """Return what the document's own table tells a reader to replace."""
    table = _NAMES.search(DOCUMENT.read_text(encoding="utf-8"))
    rows = table["text"].splitlines() if table else []
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    return {name for cell in cells for name in _NAME.findall(cell)}


def replace_names(text: str, names: Mapping[str, str]) -> str:
    """Put the reader's own in place of the document's names, whole words only, all at once."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in longest_first)
    return re.sub(pattern, lambda match: names[match[0]], text)


def start_command(unit: str, instance: str = "") -> list[str]:
    """Return what systemd would run for a unit."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read_string(unit)
    return parser["Service"]["ExecStart"].replace("%i", instance).split()
