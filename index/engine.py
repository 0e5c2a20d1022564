"""The store in PostgreSQL, on one server or on a primary and its replicas: connections, transactions, locks.

The address is libpq's own, several hosts included. Who writes needs the primary; reads go to whichever server the address leads to, as long as it
has all that this process has committed, and go on by another one when that is lost. Writers take their turns by a lock on one row, so that keys
grow in the order of commits. Values are sent apart from statements, so that no log of the server's has to hold what readers ask.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from index.engine_connection import EngineConnection
from index.engine_index import EngineIndexes
from index.engine_note import Note
from index.engine_schema import SCHEMA
from index.engine_server import Server
from index.engine_words import EngineWords
from index.store import LargeIndexes, Run, StoreUnreachableError, UnusableLibraryError

NUMBERED = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'"
CONCERNS = (  # what holds, in SQL, of a server that is set otherwise than expected; what that means, and what to do
    (
        "current_setting('fsync') = 'off' OR current_setting('full_page_writes') = 'off'",
        "fsync or full_page_writes is off: what was acknowledged can be lost when the machine fails",
        "set both to on, in postgresql.conf",
    ),
    (
        "current_setting('synchronous_commit') = 'local' AND current_setting('synchronous_standby_names') <> ''",
        "synchronous_commit is local: a replica that takes over can lack what was acknowledged",
        "set it to on, for this user or in postgresql.conf",
    ),
    (
        "pg_is_in_recovery() AND current_setting('hot_standby_feedback') = 'off'",
        "hot_standby_feedback is off: the replica ends what readers are reading when the primary clears up",
        "set it to on, in the replica's postgresql.conf",
    ),
    (
        "current_setting('log_parameter_max_length') <> '0' AND (current_setting('log_statement') = 'all' OR "
        "current_setting('log_min_duration_statement') <> '-1' OR current_setting('log_min_duration_sample') <> '-1')",
        "the server's log may hold what readers ask, as parameters of statements",
        "set log_parameter_max_length to 0, or grant it to this user: GRANT SET ON PARAMETER log_parameter_max_length TO ...",
    ),
)

PGVECTOR = (0, 8)  # the version that goes on looking where a filter has left too few

log = logging.getLogger(__name__)


class EngineStore:
    """As `Store` says."""

    last_key = "SELECT CAST(value AS bigint) FROM meta WHERE key = 'given'"
    formats: Collection[int] = ()
    beside = False  # the server has so many connections and no more

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.server = Server(address)
        self.words = EngineWords(self)
        self.large: LargeIndexes | None = EngineIndexes(self)
        self._note = Note(folder, self.server.where)
        self._threads = threading.local()

    @property
    def where(self) -> str:
        return self.server.where

    def joined(self, expression: str) -> str:
        return f"string_agg(CAST({expression} AS text), ',')"

    def exists(self) -> bool:
        return self._note.exists() and self._is_made(self.connection())

    def is_empty(self) -> bool:
        return not self._is_made(self.connection(writing=True))

    def make(self, noted: Mapping[str, str]) -> None:
        connection = self.connection(writing=True)
        self._require_pgvector(connection)
        token = self._note.begin()
        connection.begin(alone=False)
        try:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.many("INSERT INTO meta VALUES (?, ?)", {**noted, "library": token}.items())
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        self._note.end(token)

    def migrate(self, run: Run, found: int) -> None:
        raise NotImplementedError(f"there is no format {found} of an engine")

    def connection(self, writing: bool = False) -> EngineConnection:
        """The one that writes, within a transaction or where the other lags behind; one that reads elsewhere."""
        reads, writes = self._held("reads"), self._held("writes")
        if writes and writes.in_transaction:
            return writes
        if reads is None:
            reads = self._threads.reads = EngineConnection(self.server)
        if reads.in_snapshot or not reads.is_replica or (not writing and reads.has_all()):
            return reads
        try:
            writes = self._threads.writes = writes or EngineConnection(self.server, writing=True)
        except StoreUnreachableError:
            if writing:
                raise
            return reads  # what it lacks is lost with the primary, or comes when that is back
        return writes

    def look_again(self) -> None:
        """Nothing takes the place of a database that is open."""

    def close(self) -> None:
        for name in ("reads", "writes"):
            held = self._held(name)
            if held:
                held.close()
            setattr(self._threads, name, None)

    @contextmanager
    def lock(self, name: str, patience: float = -1) -> Iterator[None]:
        """The lock goes with its connection: where that is lost, others may take it, and it is said."""
        connection = EngineConnection(self.server, writing=True)
        try:
            connection.lock(name, patience)
            yield
            if not connection.still_holds():
                log.warning("The connection that held the lock %s of %s was lost meanwhile; another process may have held it, too.", name, self.where)
        finally:
            connection.close()

    def numbers(self) -> dict[str, int]:
        connection = self.connection(writing=True)
        found = {"passages": int(connection.execute(self.last_key).fetchone()[0])}
        for table, column in connection.execute(NUMBERED).fetchall():
            last, given = connection.execute(f"SELECT last_value, is_called FROM {table}_{column}_seq").fetchone()
            found[table] = last if given else 0
        return found

    def set_numbers(self, run: Run, numbers: Mapping[str, int]) -> None:
        run("UPDATE meta SET value = ? WHERE key = 'given'", (str(numbers.get("passages", 0)),))
        for table, column in run(NUMBERED).fetchall():
            last = max(numbers.get(table, 0), run(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0])
            run(f"SELECT setval('{table}_{column}_seq', ?, ?)", (max(last, 1), last > 0))

    def concerns(self) -> list[tuple[str, str]]:
        run = self.connection().execute
        return [(concern, remedy) for holds, concern, remedy in CONCERNS if run(f"SELECT {holds}").fetchone()[0]]

    def faults(self) -> list[str]:
        run = self.connection().execute
        broken = run(
            "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE NOT indisvalid AND pg_table_is_visible(oid) ORDER BY relname"
        )
        found = [f"{self.where}: the index {name} is not whole; run: REINDEX INDEX {name}" for (name,) in broken]
        counted = f"SELECT ({self.last_key}) - CAST(value AS bigint), (SELECT count(*) FROM passages) FROM meta WHERE key = 'removed'"
        noted, there = run(counted).fetchone()
        return found + ([f"{self.where}: {noted} passages are noted, {there} are there"] if noted != there else [])

    def _require_pgvector(self, connection: EngineConnection) -> None:
        """Raise UnusableLibraryError where the extension for vectors cannot be had."""
        found = connection.execute("SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'").fetchone()
        version = (found[1] or found[0]) if found else ""
        if tuple(int(part) for part in version.split(".")[:2] if part.isdecimal()) < PGVECTOR:
            raise UnusableLibraryError(
                f"{self.where}: expected the extension vector (pgvector) {'.'.join(map(str, PGVECTOR))} or newer, found {version or 'none'}. "
                "Install it on the server (Debian: postgresql-NN-pgvector), then run in the database: CREATE EXTENSION vector, or ALTER EXTENSION vector UPDATE"
            )
        if not found[1]:
            try:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            except UnusableLibraryError as error:
                raise UnusableLibraryError(
                    f"{self.where}: expected the extension vector, found it on the server and not in the database. "
                    "Let somebody who may do so run there: CREATE EXTENSION vector"
                ) from error

    def _is_made(self, connection: EngineConnection) -> bool:
        """Raises UnusableLibraryError where the database has another library than the folder."""
        made = connection.execute("SELECT to_regclass('meta') IS NOT NULL").fetchone()[0]
        owner = connection.execute("SELECT value FROM meta WHERE key = 'library'").fetchone() if made else None
        self._note.require(owner[0] if owner else "")
        return bool(made)

    def _held(self, name: str) -> EngineConnection | None:
        held: EngineConnection | None = getattr(self._threads, name, None)
        return held if held and held.process == os.getpid() else None
