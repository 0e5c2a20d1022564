"""The embedded store: the file library.sqlite in a library's folder. The only module that imports sqlite3.

Each thread has a connection. Readers and one writer work at the same time (write-ahead log), and what was committed is on disk (synchronous=FULL).
Where a folder cannot be written, since it is read-only or its disk is full, what was committed can still be read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock

from index import room
from index.embedded_words import EmbeddedWords
from index.rounded import from_half
from index.schema import MIGRATIONS, SCHEMA, migrate
from index.store import PATIENCE, BusyLibraryError, DamagedLibraryError, ReadOnlyLibraryError, Run
from index.terms import indexed

PAGE = 16384  # bytes of a page of SQLite's in a new file: rows of a vector or a text fill it better than the usual 4096
STEP = 1000  # pages of SQLite's that are copied between two words about how far a copy is


class EmbeddedStore:
    """As `Store` says. Raises FullDiskError, ReadOnlyLibraryError, BusyLibraryError and DamagedLibraryError for what SQLite says."""

    last_key = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0)"
    formats = MIGRATIONS.keys()
    large = None
    beside = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.words = EmbeddedWords(self)
        self._threads = threading.local()

    @property
    def where(self) -> str:
        return str(self.folder / "library.sqlite")

    def joined(self, expression: str) -> str:
        return f"group_concat({expression})"

    def exists(self) -> bool:
        return (self.folder / "library.sqlite").is_file()

    def is_empty(self) -> bool:
        return not self.connection().execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    def make(self, noted: Mapping[str, str]) -> None:
        connection = self.connection(writing=True)
        connection.begin()
        try:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.many("INSERT INTO meta VALUES (?, ?)", noted.items())
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def migrate(self, run: Run, found: int) -> None:
        migrate(run, found)

    def connection(self, writing: bool = False) -> _Connection:
        connection: _Connection | None = getattr(self._threads, "connection", None)
        if connection is None or (connection.frozen and not connection.in_transaction and (writing or connection.frozen != _state(self.folder))):
            connection = self._threads.connection = _open(self.folder, writing)
        return connection

    def look_again(self) -> None:
        connection: _Connection | None = getattr(self._threads, "connection", None)
        there = _identity(self.folder)
        if connection and there and not connection.in_transaction and connection.file != there:
            self.close()

    def close(self) -> None:
        connection: _Connection | None = getattr(self._threads, "connection", None)
        if connection:
            connection.close()
            self._threads.connection = None

    @contextmanager
    def lock(self, name: str, patience: float = -1) -> Iterator[None]:
        with FileLock(self.folder / f".{name}", timeout=patience):
            yield

    def copy(self, path: Path, progress: Callable[[int, int], None]) -> None:
        """Copy the file to `path`, where there is none; progress is told in SQLite's pages."""
        source = self.connection()
        source.begin_snapshot()
        try:
            source.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()  # the state is fixed by the first read
            with closing(sqlite3.connect(path, isolation_level=None)) as target:
                source.backup(target, pages=STEP, progress=lambda _, left, total: progress(total - left, total))
        except sqlite3.DatabaseError as error:
            raise _explained(error, path.parent) from error
        finally:
            source.rollback()

    def numbers(self) -> dict[str, int]:
        return dict(map(tuple, self.connection().execute("SELECT name, seq FROM sqlite_sequence")))

    def set_numbers(self, run: Run, numbers: Mapping[str, int]) -> None:
        run.many("DELETE FROM sqlite_sequence WHERE name = ?", [(table,) for table in numbers])
        run.many("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", numbers.items())

    def concerns(self) -> list[tuple[str, str]]:
        return []

    def faults(self) -> list[str]:
        try:
            connection = self.connection()
            found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            return found + [f"row {row['rowid']} of {row['table']} points to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
        except (DamagedLibraryError, sqlite3.DatabaseError) as error:
            return [str(error)]


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

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            super().executemany(statement, rows)
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.folder) from error

    def begin(self) -> None:
        self.execute("BEGIN IMMEDIATE")

    def begin_snapshot(self) -> None:
        self.execute("BEGIN")
        self.in_snapshot = True

    def commit(self) -> None:
        try:
            super().commit()
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.folder) from error

    def rollback(self) -> None:
        self.in_snapshot = False
        super().rollback()


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
    connection.create_function("from_half", 1, from_half, deterministic=True)
    connection.create_function("utc_now", 0, lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
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
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such table"):
        return DamagedLibraryError(f"{folder / 'library.sqlite'} has lost a table ({error}). Restore it from a backup.")
    if code == sqlite3.SQLITE_BUSY:
        return BusyLibraryError(
            f"Another process is writing to {folder}, and has not ended for {PATIENCE:.0f} seconds; bringing a large library up to date takes minutes. Try again."
        )
    return error
