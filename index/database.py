"""The SQLite file of a library: a connection for each thread, transactions that are on disk once they are committed, and notes in a table."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Database:
    """The file library.sqlite in a folder; with tables, those of index/tables.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._threads = threading.local()

    def is_empty(self) -> bool:
        """Whether not even the tables are there: nothing was made yet, or making them was interrupted."""
        return not self._connection().execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    @contextmanager
    def transaction(self, contents: bool = True) -> Iterator[Any]:
        """Run statements that are committed together, or not at all; yields the function that executes one.

        Within another transaction of the same thread it becomes part of that one. With `contents` False the revision stays: what changes
        is nothing that readers see, such as how far a job has come.
        """
        connection = self._connection()
        if connection.in_transaction:
            yield connection.execute
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection.execute
            if contents:
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the library, whatever a writer commits meanwhile."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.rollback()

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """What a SELECT gives."""
        return self._connection().execute(statement, values).fetchall()

    def meta(self, key: str) -> str:
        """What is noted under `key`, or ""."""
        row = self._connection().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        with self.transaction() as run:
            run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", (key, value))

    def revision(self) -> int:
        """A number that grows with every commit that changes what readers see."""
        return int(self.meta("revision"))

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.folder / "library.sqlite", isolation_level=None, timeout=60)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._threads.connection = connection
        return connection
