"""The SQLite file of a library: a connection for each thread, transactions that are on disk once they are committed, and notes in a table."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from index import room
from index.terms import indexed
from ingest.records import IsoglossError

PAGE = 16384  # bytes of a page of SQLite's in a new file: rows of a vector or a text fill it better than the usual 4096
STEP = 1000  # pages of SQLite's that are copied between two words about how far a copy is
PATIENCE = 60.0  # seconds that another process may take to write, before this one gives up


class BusyLibraryError(IsoglossError):
    """Another process is writing to the library."""


class ReadOnlyLibraryError(IsoglossError):
    """The library can be read but not changed."""


class DamagedLibraryError(IsoglossError):
    """SQLite cannot read library.sqlite, or the disk below it."""


class Database:
    """The file library.sqlite in a folder; with tables, those of index/tables.py.

    Where a folder cannot be written, since it is read-only or its disk is full, what was committed can still be read. Raises FullDiskError,
    ReadOnlyLibraryError, BusyLibraryError and DamagedLibraryError for what SQLite says.
    """

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
        is nothing that readers see, such as how far a job has come. Within a snapshot nothing can be changed: RuntimeError.
        """
        connection = self._connection(writing=True)
        if connection.in_snapshot:
            raise RuntimeError("a transaction was begun within a snapshot, which would drop it")
        if connection.in_transaction:
            yield connection.execute
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection.execute
            if contents:
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the library, whatever a writer commits meanwhile."""
        connection = self._connection()
        connection.execute("BEGIN")
        connection.in_snapshot = True
        try:
            yield
        finally:
            connection.in_snapshot = False
            connection.rollback()

    def copy(self, path: Path, progress: Callable[[int, int], None]) -> None:
        """Copy the file as it is at this moment to `path`, where there is none, whatever writers do meanwhile; progress(done, total) in SQLite's pages."""
        with self.snapshot():
            self.meta("revision")  # the state is fixed by the first read
            target = sqlite3.connect(path, isolation_level=None)
            try:
                self._connection().backup(target, pages=STEP, progress=lambda _, left, total: progress(total - left, total))
            except sqlite3.DatabaseError as error:
                raise _explained(error, path.parent) from error
            finally:
                target.close()

    def close(self) -> None:
        """Let go of the file, in this thread; whatever is asked next opens it again."""
        connection: _Connection | None = getattr(self._threads, "connection", None)
        if connection:
            connection.close()
            self._threads.connection = None

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
        """A number that grows with every commit that changes what readers see. Looks at the file that lies there now, should another have taken its place."""
        connection: _Connection | None = getattr(self._threads, "connection", None)
        there = _identity(self.folder)
        if connection and there and not connection.in_transaction and connection.file != there:
            self.close()
        return int(self.meta("revision"))

    def _connection(self, writing: bool = False) -> _Connection:
        connection: _Connection | None = getattr(self._threads, "connection", None)
        if connection is None or (connection.frozen and not connection.in_transaction and (writing or connection.frozen != _state(self.folder))):
            connection = self._threads.connection = _open(self.folder, writing)
        return connection


class _Connection(sqlite3.Connection):
    """A connection that says what is wrong in words of ours."""

    folder: Path
    file: Any = None  # tells the file that is open from one that takes its name
    in_snapshot = False
    frozen: Any = None  # the state of the files for which alone this connection may be read, where it looks after no change of them

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        try:
            return super().execute(*statement)
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.folder) from error

    def commit(self) -> None:
        try:
            super().commit()
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.folder) from error


def _open(folder: Path, writing: bool) -> _Connection:
    try:
        connection = _connected(folder, f"file:{quote(str(folder / 'library.sqlite'))}")
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
    except (room.FullDiskError, ReadOnlyLibraryError):
        # SQLite needs a file beside the database to read it. Where it cannot make one, the database alone is the truth if no log waits beside it.
        state = _state(folder)
        if writing or state is None or state[-1]:
            raise
        connection = _connected(folder, f"file:{quote(str(folder / 'library.sqlite'))}?immutable=1")
        connection.frozen = state
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = ON")  # the tables use a function of ours, which some builds of SQLite would not allow
    return connection


def _connected(folder: Path, address: str) -> _Connection:
    try:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE, factory=_Connection)
    except sqlite3.DatabaseError as error:
        raise _explained(error, folder) from error
    connection.row_factory = sqlite3.Row
    connection.create_function("indexed", 1, indexed, deterministic=True)
    connection.folder, connection.file = folder, _identity(folder)
    return connection


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = (folder / "library.sqlite").stat()
        return found.st_dev, found.st_ino
    except OSError:
        return None


def _state(folder: Path) -> tuple[int, int, int] | None:
    """Tells one state of the files from another: when the database was written, its size, and that of the log beside it."""
    log = folder / "library.sqlite-wal"
    try:
        found = (folder / "library.sqlite").stat()
        return found.st_mtime_ns, found.st_size, log.stat().st_size if log.exists() else 0
    except FileNotFoundError:
        return None


def _explained(error: sqlite3.DatabaseError, folder: Path) -> Exception:
    """What SQLite says in words of ours; the error itself where these are no better."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and room.is_full(folder)):
        return room.no_room(folder)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return ReadOnlyLibraryError(
            f"{folder} cannot be written ({error}); it can be searched only. Let this user write there, or copy it elsewhere."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
        return DamagedLibraryError(f"{folder / 'library.sqlite'} cannot be read or written: {error}. Look after the disk; then run: isogloss verify")
    if code == sqlite3.SQLITE_BUSY:
        return BusyLibraryError(
            f"Another process is writing to {folder}, and has not ended for {PATIENCE:.0f} seconds; bringing a large library up to date takes minutes. Try again."
        )
    return error
