"""Read how much processor time a process and all that it started have used."""

import os
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(*roots: int) -> float:
    """Return user and system time of the trees below the roots, ended children included."""
    children, used = _read_processes()
    total, waiting = 0, list(roots)
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0)
        waiting += children[pid]
    return total / TICKS


def _read_processes() -> tuple[dict[int, list[int]], dict[int, int]]:
    children: dict[int, list[int]] = defaultdict(list)
    used = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The second field is the program's name in brackets, which may hold blanks (proc(5)).
        fields = line.rpartition(")")[2].split()
        children[int(fields[1])].append(int(folder.name))
        used[int(folder.name)] = sum(int(ticks) for ticks in fields[11:15])
    return children, used
