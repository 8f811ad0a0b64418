"""Read a Dockerfile: its stages, and the instructions of each."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str

    def words(self) -> list[str]:
        """Return the words of the exec form, or of a list of paths."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return self.text.split()


@dataclass(frozen=True, slots=True)
class Stage:
    base: str
    name: str
    instructions: Sequence[Instruction]

    def all(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> Instruction:
        return self.all(name)[-1]

    def variables(self) -> dict[str, str]:
        """Return what ENV sets, `$PATH` in its plain Debian form."""
        pairs = [pair for each in self.all("ENV") for pair in each.words()]
        plain = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        found = dict(pair.split("=", 1) for pair in pairs)
        path = found.get("PATH", "$PATH").replace("$PATH", plain)
        return found | {"PATH": path}


def read_stages(text: str) -> list[Stage]:
    stages: list[Stage] = []
    collected: list[Instruction] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            base, *name = instruction.words()
            collected = []
            stages.append(Stage(base, name[-1] if name else "", collected))
        else:
            collected.append(instruction)
    return stages


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield Instruction(name, rest.strip())
