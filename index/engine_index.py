"""The indexes of large generations on the engine: a table of vectors for each, aligned and rounded to float16, with a graph (HNSW) over them, in pgvector.

    generation_0a1b...    place (the row of the index), vector;  making_0a1b... until it is whole

A cosine is that of the rounded vectors: within 0.0001 of the exact one at 384 dimensions, 0.0005 at 64. The graph (Malkov and Yashunin 2018, "Efficient
and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable Small World Graphs") is gone through where that is the shorter way. Where a
filter admits few passages, of which a graph finds half, or most of them are asked for, all that are admitted are compared, on the server.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.engine_connection import EngineConnection
from index.store import BusyLibraryError, UnusableLibraryError
from index.vectors import Admitted, Index, Positions, Rows, Scores

if TYPE_CHECKING:
    from index.engine import EngineStore
    from index.stored import StoredVectors

OLDEST = (0, 8)  # version of pgvector: from it on a graph is gone through until enough rows that a filter admits have been met
LINKS = 16  # of a vector in the graph
WIDE = 600  # rows that are looked for, and that a way through the graph keeps in mind, at least: of fewer, too many of the best would be missed
COMPARED = 15  # vectors that are compared in the time in which the graph comes by one
SPARSE = 16  # one row in so many, at most, is looked up by its number; more of them are met sooner by going through all
WALKED = 4  # times as many rows as should be enough may be met before all are compared
MEMORY = 2 << 20  # KiB, at most, that making a graph may take, unless the server's own maintenance_work_mem allows more
BESIDE = 1024  # bytes of a vector's links, about, while its graph is made
STEP = 1.0  # seconds between two looks at how far a graph is
FUNCTIONS = (  # values reach the planner as they are, whatever has been prepared; what is set ends with the statement
    """CREATE OR REPLACE FUNCTION isogloss_nearest (name text, asked text, most integer, admitted bytea, wide integer, walked integer)
       RETURNS TABLE (place integer, score real) LANGUAGE plpgsql AS $$ DECLARE toward halfvec := CAST(asked AS halfvec); BEGIN
       PERFORM set_config('hnsw.ef_search', CAST(wide AS text), true), set_config('hnsw.max_scan_tuples', CAST(walked AS text), true),
           set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.scan_mem_multiplier', '16', true),
           set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
       RETURN QUERY EXECUTE format('SELECT place, CAST(-(vector <#> $1) AS real) FROM %I WHERE $3 IS NULL OR get_bit($3, place) = 1 '
           'ORDER BY vector <#> $1 LIMIT $2', name) USING toward, most, admitted; END $$""",
    """CREATE OR REPLACE FUNCTION isogloss_compared (name text, asked text, most integer, places integer[], admitted bytea)
       RETURNS TABLE (place integer, score real) LANGUAGE plpgsql AS $$ DECLARE toward halfvec := CAST(asked AS halfvec); BEGIN
       RETURN QUERY EXECUTE format('SELECT * FROM (SELECT place, CAST(-(vector <#> $1) AS real) AS score FROM %I '
           'WHERE ($3 IS NULL OR place = ANY ($3)) AND ($4 IS NULL OR get_bit($4, place) = 1) OFFSET 0) those ORDER BY score DESC, place LIMIT $2', name)
           USING toward, most, places, admitted; END $$""",
)
FOUND = "SELECT string_agg(int4send(place), ''), string_agg(float4send(score), '') FROM"
TABLE = re.compile(r"(?:making|generation)_([0-9a-f]{16})")
SIGNATURE, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"  # of what COPY reads in binary

Progress = Callable[[float], None]  # the share that is done; may raise, to end it


class EngineIndex:
    """As `Index` says; safe to share between threads, each asks by its own connection."""

    def __init__(self, store: EngineStore, name: str, count: int, held: EngineConnection | None = None) -> None:
        self.name = name
        self.held = held  # the connection by which it was made, whose lock keeps it while no generation has it
        self._store = store
        self._count = count

    def __len__(self) -> int:
        return self._count

    def search(self, queries: Vectors, k: int, admitted: Admitted | None = None, exhaustive: bool = False) -> tuple[Scores, Positions]:
        """Answer as `Index.search` says; where the graph is gone through, some may be missed."""
        scores, positions = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
        for row, query in enumerate(queries):
            found, places = self._best(query, max(k, WIDE), admitted, exhaustive)
            best = np.lexsort((places, -found))[:k]
            scores[row, : len(best)], positions[row, : len(best)] = found[best], places[best]
        return scores, positions

    def products(self, query: Vectors, rows: Rows) -> Scores:
        """Answer as `Index.products` says; a passage that is removed keeps its vector for as long as this index has it."""
        scores = np.zeros(len(rows), np.float32)
        if len(rows):
            found, places = self._compared(query[0], None, rows)
            among = np.isin(rows, places)
            order = np.argsort(places)
            scores[among] = found[order][np.searchsorted(places[order], rows[among])]
        return scores

    def _best(self, query: NDArray[np.float32], k: int, admitted: Admitted | None, exhaustive: bool) -> tuple[Scores, Rows]:
        count = len(self) if admitted is None else admitted.count
        wanted = min(k, count)
        if not wanted:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        met = wanted * len(self) / count  # by the graph, until it has as many as are wanted
        if not exhaustive and count > COMPARED * met:
            found, places = self._nearest(query, wanted, admitted, WALKED * met)
            if len(places) == wanted:
                return found, places
        if admitted is not None and SPARSE * count <= len(self):
            return self._compared(query, wanted, np.flatnonzero(admitted.mask))
        return self._compared(query, wanted, None, admitted)

    def _nearest(self, query: NDArray[np.float32], k: int, admitted: Admitted | None, walked: float) -> tuple[Scores, Rows]:
        """The k nearest, as the graph leads to them; fewer where more than `walked` rows would have to be met."""
        bits = None if admitted is None else admitted.bits.tobytes()
        wide, walked = min(max(k // 2, WIDE), 1000), max(20_000, min(int(walked), 2**31 - 1))
        return self._asked(f"{FOUND} isogloss_nearest(?, ?, ?, ?, ?, ?)", (self.name, _said(query), k, bits, wide, walked))

    def _compared(self, query: NDArray[np.float32], k: int | None, rows: Rows | None, admitted: Admitted | None = None) -> tuple[Scores, Rows]:
        """The k best of these rows, or of those that are admitted, or of all; None for k gives all of them."""
        places = None if rows is None else f"{{{','.join(map(str, rows.tolist()))}}}"
        bits = None if admitted is None else admitted.bits.tobytes()
        values = (self.name, _said(query), k, places, bits)
        return self._asked(f"{FOUND} isogloss_compared(?, ?, ?, CAST(? AS integer[]), ?)", values)

    def _asked(self, statement: str, values: tuple[object, ...]) -> tuple[Scores, Rows]:
        places, scores = self._store.connection().execute(statement, values).fetchone()
        return np.frombuffer(scores or b"", ">f4").astype(np.float32), np.frombuffer(places or b"", ">i4").astype(np.int64)


@dataclass(frozen=True, slots=True)
class EngineIndexes:
    """As `LargeIndexes` says."""

    _store: EngineStore

    def make(self, stored: StoredVectors, progress: Progress) -> EngineIndex:
        connection = EngineConnection(self._store.server, writing=True)
        number = secrets.token_hex(8)
        making = f"making_{number}"
        connection.lock(number, 0)
        try:
            self._prepare(connection)
            _fill(connection, making, stored, progress)
            _link(connection, making, progress)
            connection.execute(f"ALTER TABLE {making} RENAME TO generation_{number}")
        except BaseException:
            with suppress(Exception):  # where the connection is lost, the next sweep does it
                connection.execute(f"DROP TABLE IF EXISTS {making}")
            connection.close()
            raise
        return EngineIndex(self._store, f"generation_{number}", len(stored), connection)

    def keep(self, index: Index) -> str:
        if not isinstance(index, EngineIndex):
            raise TypeError(f"expected an index of the engine, got {type(index).__name__}")
        if index.held:
            index.held.close()
            index.held = None
        return index.name

    def load(self, name: str, stored: StoredVectors) -> EngineIndex:
        there = TABLE.fullmatch(name) and self._store.connection().execute("SELECT to_regclass(?)::oid IS NOT NULL", (name,)).fetchone()[0]
        if not there:
            raise LookupError(f"{self._store.where} has no table {name}")
        return EngineIndex(self._store, name, len(stored))

    def sweep(self, kept: Collection[str]) -> None:
        found = self._store.connection(writing=True).execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for name in [name for (name,) in found if TABLE.fullmatch(name) and name not in kept]:
            with suppress(TimeoutError, BusyLibraryError), self._store.lock(name.partition("_")[2], 0):
                self._store.connection(writing=True).execute(f"DROP TABLE IF EXISTS {name}")

    def _prepare(self, connection: EngineConnection) -> None:
        """Have pgvector in this database, and the functions that ask it. Raises UnusableLibraryError."""
        where, wanted = self._store.where, ".".join(map(str, OLDEST))
        found = connection.execute("SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'").fetchone()
        if found is None:
            raise UnusableLibraryError(f"{where} has no pgvector, which a library of this size needs; install it there, {wanted} or newer")
        if tuple(map(int, (found[1] or found[0]).split(".")[:2])) < OLDEST:
            raise UnusableLibraryError(
                f"{where}: expected pgvector {wanted} or newer, found {found[1] or found[0]}; run: ALTER EXTENSION vector UPDATE"
            )
        with self._store.lock("functions", 60):
            if found[1] is None:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            for statement in FUNCTIONS:
                connection.execute(statement)


def _fill(connection: EngineConnection, table: str, stored: StoredVectors, progress: Progress) -> None:
    """Put the vectors into a new table, block by block; the first third of the work."""
    dimension = next((vectors.shape[1] for _, vectors in stored.blocks() if len(vectors)), 1)
    connection.execute("SELECT set_config('statement_timeout', '0', false), set_config('client_connection_check_interval', '10s', false)")
    connection.execute(f"CREATE TABLE {table} (place INTEGER PRIMARY KEY, vector halfvec({dimension}) NOT NULL)")
    connection.execute(
        f"ALTER TABLE {table} ALTER COLUMN vector SET STORAGE PLAIN"
    )  # within its row, of whatever length, since every query goes through many

    def blocks() -> Iterator[bytes]:
        yield SIGNATURE
        for rows, vectors in stored.blocks():
            progress(0.3 * int(rows[0]) / len(stored))
            yield _packed(rows, stored.aligned(vectors))
        yield END

    connection.load(f"COPY {table} FROM STDIN (FORMAT binary)", blocks())


def _packed(rows: Rows, vectors: Vectors) -> bytes:
    """Rows of a place and a vector as COPY reads them in binary: each value behind its length in bytes."""
    dimension = vectors.shape[1]
    layout = [
        ("values", ">i2"),
        ("four", ">i4"),
        ("place", ">i4"),
        ("length", ">i4"),
        ("dimension", ">i2"),
        ("unused", ">i2"),
        ("vector", ">f2", dimension),
    ]
    packed = np.zeros(len(rows), np.dtype(layout))
    packed["values"], packed["four"], packed["place"] = 2, 4, rows
    packed["length"], packed["dimension"], packed["vector"] = 4 + 2 * dimension, dimension, vectors
    return packed.tobytes()


def _link(connection: EngineConnection, table: str, progress: Progress) -> None:
    """Make the graph, which the server does by itself; this thread looks how far it is, and may end it."""
    rows, size, process = connection.execute(f"SELECT count(*), coalesce(max(vector_dims(vector)), 0), pg_backend_pid() FROM {table}").fetchone()
    wanted = min(MEMORY, int(1.2 * rows * (2 * size + BESIDE) / 1024) + 65536)
    setting = "SELECT set_config('maintenance_work_mem', greatest(CAST(setting AS bigint), ?) || 'kB', false) FROM pg_settings WHERE name = 'maintenance_work_mem'"
    connection.execute(setting, (wanted,))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            connection.execute(f"CREATE INDEX ON {table} USING hnsw (vector halfvec_ip_ops) WITH (m = {LINKS})")
            connection.execute(f"ANALYZE {table}")
        except BaseException as error:
            failed.append(error)

    working = Thread(target=work, daemon=True)
    working.start()
    with connection.beside() as other:
        try:
            while working.is_alive():
                working.join(STEP)
                progress(0.3 + 0.7 * _share(other, process))
        except BaseException:
            connection.cancel()
            working.join()
            raise
    if failed:
        raise failed[0]


def _share(connection: EngineConnection, process: int) -> float:
    """How far the graph is that another connection makes."""
    found = connection.execute("SELECT tuples_done, tuples_total FROM pg_stat_progress_create_index WHERE pid = ?", (process,)).fetchone()
    return min(1.0, found[0] / found[1]) if found and found[1] else 0.0


def _said(query: NDArray[np.float32]) -> str:
    """A vector, shape (dimension,), as pgvector reads it."""
    return f"[{','.join(map(str, query.tolist()))}]"
