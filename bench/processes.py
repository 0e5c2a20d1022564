"""What a process and those below it take, as Linux tells it."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
PAUSE = 0.25  # seconds between two looks at memory


@dataclass(slots=True)
class Tree:
    """What a process and all below it took, as far as it was seen."""

    memory: int = 0  # bytes, the most at any moment
    seconds: float = 0.0  # of CPU, in the processes below it


def watched(command: list[str], tree: Tree, **options: Any) -> str:
    """Run a command, and look at it and all below it meanwhile; return what it printed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, tree, over))
    watcher.start()
    said, _ = process.communicate()
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return said


def _watch(root: int, tree: Tree, over: threading.Event) -> None:
    used: dict[int, float] = {}
    while not over.wait(PAUSE):
        there = below(root)
        tree.memory = max(tree.memory, sum(share(pid) for pid in (root, *there)))
        used |= {pid: seconds(pid) or used.get(pid, 0.0) for pid in there}
        tree.seconds = sum(used.values())


def below(root: int) -> list[int]:
    """The processes below one, with those that these started."""
    found, border = [], [root]
    while border:
        children = [child for pid in border for child in _children(pid)]
        found += children
        border = children
    return found


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []


def share(pid: int) -> int:
    """Bytes of memory; what several processes share is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def seconds_of_all(root: int) -> float:
    """CPU seconds of a process and all below it, also of those that have ended and were waited for."""
    ended = Path(f"/proc/{root}/stat").read_text().rpartition(")")[2].split()[13:15]
    return sum(map(int, ended)) / TICK + sum(map(seconds, (root, *below(root))))
