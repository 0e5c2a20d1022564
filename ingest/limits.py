"""What reading one file may cost, and the watch that a reading process keeps on itself."""

from __future__ import annotations

import logging
import math
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.isolation import leave_networks
from ingest.records import UnreadableFileError

MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may cost. Each has a reason; a file that needs more is hostile or damaged, or should be split."""

    memory: int = 2048 * MIB  # bytes of address space; the largest child on the sample took 245 MiB; a 770-byte PDF can ask for any amount
    unpacked: int = 512 * MIB  # bytes that packed content may unpack to: a Word file whole, a PDF stream by stream; an estimate
    file_seconds: int = 300  # of CPU; at the 57 pages a second of docs/reading.md some 17,000 sound pages
    page_seconds: int = 20  # of CPU; an estimate: sound pages take hundredths of a second, maps may take one or two
    wall_seconds: int = 3600  # of the clock, for what waits and does not work, such as a lost network disk; busy machines take their time
    recognition_seconds: int = 3000  # of those, after which no further page is recognised; 600 to 2,000 pages at 1.4 to 5 seconds each
    pages: int = 20_000  # an estimate: ten times a thick book
    lost_pages: int = 3  # pages that may end the reading process before the file is given up; each costs a new start

    def pages_allowed(self, count: int) -> None:
        """Raise UnreadableFileError for a file that says it has more pages than are read."""
        if count > self.pages:
            raise UnreadableFileError(f"it says it has {count:,} pages, and at most {self.pages:,} are read; if it is sound, split it")

    def unpacking_allowed(self, size: int) -> None:
        """Raise UnreadableFileError for a file that unpacks to more than is read."""
        if size > self.unpacked:
            raise UnreadableFileError(
                f"it unpacks to {size // MIB:,} MiB, and at most {self.unpacked // MIB:,} MiB are read; if it is sound, make its pictures smaller or split it"
            )


@dataclass(slots=True)
class Watch:
    """Goes along with the reading of one file.

    In a reading process, `notebook` is a file in which each page is noted before it is read, so that whoever started the process knows
    which page ended it; and every page has a CPU allowance of its own, within that of the file. Without a notebook nothing is noted or limited.
    """

    limits: Limits = Limits()
    lost: Mapping[int, str] = field(default_factory=dict)  # pages that ended an earlier process, by number from 1, and how; not read again
    notebook: Path | None = None
    deadline: float = math.inf  # CPU seconds of this process at which the file's allowance ends

    def page(self, number: int) -> None:
        """Say that a page, from 1, is about to be read; 0 stands for opening the file."""
        if self.notebook is None:
            return
        used = _cpu_used()
        if number == 0:
            self.deadline = used + self.limits.file_seconds
        own = number > 0 and used + self.limits.page_seconds < self.deadline  # else what ends is the file's allowance, by no fault of this page
        self.notebook.write_text(str(number if own else 0))
        _end_at(used + self.limits.page_seconds if own else self.deadline)

    def has_time(self) -> bool:
        """Whether the file's CPU time suffices for one more page."""
        return _cpu_used() + self.limits.page_seconds < self.deadline


def noted_page(notebook: Path) -> int:
    """The page that was being read when a reading process ended; 0 when it had not come to any."""
    return int(notebook.read_text() or 0) if notebook.exists() else 0


def confine(limits: Limits) -> None:
    """Limit this process for good: its memory, no core dumps, no network. What the system refuses is logged."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every repaired oddity
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_AS, limits.memory)
    why_not = leave_networks()
    if why_not:
        logging.getLogger(__name__).info("process %d: not cut off from the network: %s", os.getpid(), why_not)


def allow(seconds: int) -> None:
    """Let this process work so many more seconds of CPU before it is ended."""
    _end_at(_cpu_used() + seconds)


def _end_at(cpu_seconds: float) -> None:
    _set(resource.RLIMIT_CPU, math.ceil(cpu_seconds))  # then SIGXCPU ends the process


def _cpu_used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _set(which: int, value: int) -> None:
    try:
        _, hard = resource.getrlimit(which)
        resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    except (OSError, ValueError) as error:  # macOS knows the limit on memory and does not keep it
        logging.getLogger(__name__).info("process %d: limit %d not set: %s", os.getpid(), which, error)
