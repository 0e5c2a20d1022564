"""The store in PostgreSQL, on one server or on a primary and its replicas: connections, transactions, locks. With index/engine_errors.py the only module that imports psycopg.

The address is libpq's own, several hosts included. Who writes needs the primary; reads go to whichever server the address leads to, as long as it
has all that this process has committed, and go on by another one when that is lost. Writers take their turns by a lock on one row, so that keys
grow in the order of commits. Values are sent apart from statements, so that no log of the server's has to hold what readers ask.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from index.engine_connection import EngineConnection, Server
from index.engine_note import Note
from index.engine_schema import SCHEMA
from index.engine_words import EngineWords
from index.store import LargeIndexes, Run, StoreUnreachableError


class EngineStore:
    """As `Store` says."""

    last_key = "SELECT CAST(value AS bigint) FROM meta WHERE key = 'given'"
    formats: Collection[int] = ()
    large: LargeIndexes | None = None

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.server = Server(address)
        self.words = EngineWords(self)
        self._note = Note(folder, self.server.where)
        self._threads = threading.local()

    @property
    def where(self) -> str:
        return self.server.where

    def joined(self, expression: str) -> str:
        return f"string_agg(CAST({expression} AS text), ',')"

    def exists(self) -> bool:
        return self._note.exists() and not self.is_empty()

    def is_empty(self) -> bool:
        run = Run(self, self.connection(writing=True))
        made = run("SELECT to_regclass('meta') IS NOT NULL").fetchone()[0]
        owner = run("SELECT value FROM meta WHERE key = 'library'").fetchone() if made else None
        self._note.require(owner[0] if owner else "")
        return not made

    def make(self, noted: Mapping[str, str]) -> None:
        connection = self.connection(writing=True)
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
        if reads.in_snapshot or not reads.is_copy or (not writing and reads.has_all()):
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
        connection = EngineConnection(self.server, writing=True)  # of its own: it holds the lock for as long as it lives
        try:
            connection.lock(name, patience)
            yield
        finally:
            connection.close()

    def copy(self, path: Path, progress: Callable[[int, int], None]) -> None:
        raise NotImplementedError

    def faults(self) -> list[str]:
        return []

    def _held(self, name: str) -> EngineConnection | None:
        held: EngineConnection | None = getattr(self._threads, name, None)
        return held if held and held.process == os.getpid() else None
