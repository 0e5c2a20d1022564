"""Servers are killed while a library is written and read: what was acknowledged is there, and every answer is right or a clear refusal.

Run: PYTHONPATH=.:tests python -m engine.kills [NAME ...]: prints the table, of those kills. tests/engine/test_kills.py asks the same of every line.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.hashing import HashingEncoder
from engine.parties import PAGES, Ledger, document, faults_of_answers, fill_base, name_of
from engine.servers import Server, primary_and_replica
from index.library import Library
from index.rounded import restored, rounded
from index.searcher import Searcher
from index.verification import faults

ROOT = Path(__file__).parents[2]
READERS = 2
PATIENCE = 180.0  # seconds that the parties may take to go on, on a machine that has much else to do
MORE = 3  # answers and acknowledgements that are waited for before a kill, and again after it


@dataclass
class Outcome:
    """What came of one kill."""

    what: str
    acknowledged: int = 0  # publications, before and after the kill
    found: int = 0  # of them, whole
    after: int = 0  # acknowledged after the kill
    half: list[str] = field(default_factory=list)  # what is there in part, or damaged
    right: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0  # seconds that a reader waited for an answer or a refusal

    def row(self) -> str:
        cells = (
            self.what,
            self.acknowledged,
            self.found,
            len(self.half),
            self.after,
            self.right,
            self.refused,
            len(self.wrong),
            f"{self.longest:.1f} s",
        )
        return "| " + " | ".join(map(str, cells)) + " |"


HEADER = (
    "| killed | acknowledged | found whole | in part | of them after it | answers right | refused | wrong | longest wait |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass
class Stage:
    """A library on servers, with the processes that write and read it."""

    folder: Path
    address: str
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.written = Ledger(self.folder / "written")
        self.answers = [Ledger(self.folder / f"answers-{number}") for number in range(READERS)]

    @property
    def library(self) -> Path:
        return self.folder / "library"

    def begin(self) -> None:
        """Make the library, and let the writer and the readers begin."""
        fill_base(Library.create(self.library))
        self._start("write", self.written)
        for ledger in self.answers:
            self._start("read", ledger, self.written)

    def replace_writer(self) -> None:
        """Kill the writer, and let another begin."""
        former = self.running.pop(0)
        former.kill()
        former.wait()
        self._start("write", self.written)
        self.running.insert(0, self.running.pop())

    def goes_on(self, writes: bool = True) -> None:
        """Wait until every reader has given right answers from now on, and the writer has had some acknowledged; raises RuntimeError."""
        ledgers = [(ledger, "right") for ledger in self.answers] + ([(self.written, "acknowledged")] if writes else [])
        until = [(ledger, said, self._count(ledger, said) + MORE) for ledger, said in ledgers]
        end = time.monotonic() + PATIENCE
        while any(self._count(ledger, said) < wanted for ledger, said, wanted in until):
            if time.monotonic() > end or any(process.poll() is not None for process in self.running):
                raise RuntimeError(f"the parties do not go on: {[(process.args[-3], process.poll()) for process in self.running]}\n{self.log()}")  # type: ignore[index]
            time.sleep(0.02)

    def refuses(self) -> None:
        """Wait until every reader has been told that the store does not answer."""
        wanted = [(ledger, self._count(ledger, "refused") + 1) for ledger in self.answers]
        end = time.monotonic() + PATIENCE
        while any(self._count(ledger, "refused") < count for ledger, count in wanted):
            if time.monotonic() > end:
                raise RuntimeError("the readers are not told that the store does not answer")
            time.sleep(0.02)

    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:] + str([ledger.lines()[-3:] for ledger in (self.written, *self.answers)])

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.running.clear()

    def _start(self, *what: object) -> None:
        command = ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", "engine.parties", str(what[0]), str(self.library)]
        command += [str(ledger.path) for ledger in what[1:] if isinstance(ledger, Ledger)]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "ISOGLOSS_STORE": self.address, "OMP_NUM_THREADS": "1"}
        with (self.folder / "log").open("ab") as log:
            self.running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    def _count(self, ledger: Ledger, said: str) -> int:
        return sum(line[0] == said for line in ledger.lines())


@contextmanager
def stage(address: str) -> Iterator[Stage]:
    former = os.environ.get("ISOGLOSS_STORE")
    os.environ["ISOGLOSS_STORE"] = address
    with tempfile.TemporaryDirectory(prefix="isogloss-kills-") as folder:
        made = Stage(Path(folder), address)
        try:
            made.begin()
            made.goes_on()
            yield made
        finally:
            made.end()
            if former is None:
                del os.environ["ISOGLOSS_STORE"]
            else:
                os.environ["ISOGLOSS_STORE"] = former


def outcome(what: str, made: Stage, before: int) -> Outcome:
    """What the ledgers and the library say once it is over; `before` is how many were promised when the kill came."""
    made.end()
    found = Outcome(what, made.written.acknowledged(), after=made.written.acknowledged() - before)
    for ledger in made.answers:
        for said, seconds, why in ledger.lines():
            found.longest = max(found.longest, seconds)
            found.right += said == "right"
            found.refused += said == "refused"
            found.wrong += [why] if said == "wrong" else []
    library = Library.open(made.library)
    found.half += faults(library)
    for state in library.edition_states():
        number = int(state.edition.publication_id.rpartition("-")[2])
        problem = _problem(library, number, state.state)
        found.found += not problem and state.state == "read" and number < found.acknowledged
        found.half += [f"{name_of(number)} {problem}"] if problem else []
    searcher = Searcher(library, HashingEncoder())
    for seed in range(20):
        found.wrong += faults_of_answers(searcher, random.Random(seed), found.acknowledged)
    library.close()
    return found


def _problem(library: Library, number: int, state: str) -> str:
    """What is wrong with a publication that is there: it has all that was read of it, or, while it waits to be read, nothing."""
    _, pages, passages = document(number)
    edition = pages[0].edition_id
    keys, vectors = library.vectors_in(edition)
    if state == "waiting":
        return "waits, and has passages" if len(keys) or library.pages(edition) else ""
    if library.pages(edition) != pages:
        return f"has {len(library.pages(edition))} pages of {PAGES}"
    stored = library.passages([int(key) for key in keys])
    if [stored[int(key)] for key in keys] != passages:
        return f"has {len(keys)} passages of {PAGES}"
    expected = rounded(HashingEncoder().encode_passages([passage.text for passage in passages]))
    return "" if np.allclose(vectors, restored([row.tobytes() for row in expected]), atol=1e-6) else "has other vectors"


# -- what is killed


def postmaster(draw: random.Random) -> Outcome:
    return _restarted("the postmaster alone; started again", Server.kill_postmaster, draw)


def every_process(draw: random.Random) -> Outcome:
    return _restarted("every process of the server; started again", Server.kill, draw)


def careless(draw: random.Random) -> Outcome:
    """A server whose settings let commits be acknowledged before they are on disk, which whoever writes has to take back."""
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
    return _restarted("every process of a server with synchronous_commit = off; started again", Server.kill, draw, settings)


def _restarted(what: str, kill: Callable[[Server], None], draw: random.Random, settings: dict[str, str] | None = None) -> Outcome:
    with Server.create(settings) as server, stage(server.create_database("library")) as made:
        time.sleep(draw.random())
        kill(server)
        before = made.written.acknowledged()
        made.refuses()
        server.start()
        made.goes_on()
        return outcome(what, made, before)


def backend(draw: random.Random) -> Outcome:
    """The server process of the writer is killed within a transaction; PostgreSQL then ends all the others and recovers by itself."""
    with Server.create() as server, stage(server.create_database("library")) as made:
        time.sleep(draw.random())
        os.kill(_in_transaction(server), signal.SIGKILL)
        before = made.written.acknowledged()
        made.goes_on()
        return outcome("a process of the server within the writer's transaction", made, before)


def writer(draw: random.Random) -> Outcome:
    """What it had begun is undone, and what it held is free again."""
    with Server.create() as server, stage(server.create_database("library")) as made:
        time.sleep(draw.random())
        _in_transaction(server)
        made.replace_writer()
        before = made.written.acknowledged()
        made.goes_on()
        return outcome("the writing process within its transaction; another goes on", made, before)


def _in_transaction(server: Server) -> int:
    """Wait until the writer has written and not committed; return the number of its process of the server."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = 'library' AND backend_xid IS NOT NULL"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = server.sql(asked)
        if found:
            return int(found[0][0])
    raise RuntimeError("the writer writes nothing")


def primary(draw: random.Random) -> Outcome:
    with primary_and_replica() as (first, copy), stage(_both(first, copy)) as made:
        time.sleep(draw.random())
        first.kill()
        before = made.written.acknowledged()
        made.goes_on(writes=False)  # by the replica
        copy.promote()
        made.goes_on()
        return outcome("the primary; its synchronous replica promoted", made, before)


def replica(draw: random.Random) -> Outcome:
    with primary_and_replica() as (first, copy), stage(_both(first, copy)) as made:
        time.sleep(draw.random())
        copy.kill()
        before = made.written.acknowledged()
        made.goes_on(writes=False)
        copy.start()
        made.goes_on()
        return outcome("the replica; started again", made, before)


def hanging(draw: random.Random) -> Outcome:
    with Server.create() as server, stage(server.create_database("library")) as made:
        time.sleep(draw.random())
        server.hang()
        before = made.written.acknowledged()
        made.refuses()
        server.go_on()
        made.goes_on()
        return outcome("nothing: the server hung (SIGSTOP) until readers had given up", made, before)


def hanging_primary(draw: random.Random) -> Outcome:
    with primary_and_replica() as (first, copy), stage(_both(first, copy)) as made:
        time.sleep(draw.random())
        first.hang()
        before = made.written.acknowledged()
        made.goes_on(writes=False)
        first.go_on()
        made.goes_on()
        return outcome("nothing: the primary hung until readers went on by the replica", made, before)


def _both(first: Server, copy: Server) -> str:
    first.create_database("library")
    return first.address("library", copy)


KILLS = (postmaster, every_process, careless, backend, writer, primary, replica, hanging, hanging_primary)


def main(names: Sequence[str]) -> None:
    print(HEADER, flush=True)
    for kill in [kill for kill in KILLS if not names or kill.__name__ in names]:
        print(kill(random.Random()).row(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
