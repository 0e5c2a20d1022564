"""A library's rows, in whichever store it has: transactions, snapshots, and notes in a table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.embedded import EmbeddedStore
from index.store import FILE, LEFT, NOTE, Connection, MovedLibraryError, Run, Store, UnusableLibraryError

SETTING = "ISOGLOSS_STORE"  # environment variable: the address of the engine; without it the store is embedded
EMBEDDED = ""  # in place of an address
MANIFEST = "backup.json"  # lies in a library that is a backup of another; see index/backup.py


class Database:
    """The rows of the library in a folder; with tables, those of index/tables.py.

    `address` is that of an engine, or EMBEDDED; None leaves it to ISOGLOSS_STORE. Raises UnusableLibraryError when that cannot be.
    """

    def __init__(self, folder: Path, address: str | None = None) -> None:
        self.folder = folder
        self.store = store_of(folder, address)

    @contextmanager
    def transaction(self, contents: bool = True) -> Iterator[Run]:
        """Run statements that are committed together, or not at all; yields what executes them.

        Within another transaction of the same thread it becomes part of that one. With `contents` False the revision stays: what changes
        is nothing that readers see, such as how far a job has come. Within a snapshot nothing can be changed: RuntimeError.
        """
        connection = self._connection(writing=True)
        if connection.in_snapshot:
            raise RuntimeError("a transaction was begun within a snapshot, which would drop it")
        if connection.in_transaction:
            yield Run(self.store, connection)
            return
        connection.begin()
        try:
            self._require_here()
            yield Run(self.store, connection)
            if contents:
                connection.execute("UPDATE meta SET value = CAST(CAST(value AS bigint) + 1 AS text) WHERE key = 'revision'")
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the library, whatever a writer commits meanwhile."""
        connection = self._connection()
        connection.begin_snapshot()
        try:
            yield
        finally:
            connection.rollback()

    def close(self) -> None:
        """Let go of the store, in this thread; whatever is asked next opens it again."""
        self.store.close()

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """What a SELECT gives, each a `Row`."""
        return self._connection().execute(statement, values).fetchall()

    def meta(self, key: str) -> str:
        """What is noted under `key`, or ""."""
        row = self._connection().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        with self.transaction() as run:
            run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", (key, value))

    def revision(self) -> int:
        """A number that grows with every commit that changes what readers see; of the store that is there now, should another have taken its place."""
        self.store.look_again()
        return int(self.meta("revision"))

    def _require_here(self) -> None:
        """Raise MovedLibraryError where index/moving.py has taken the rows elsewhere while this process had them open."""
        place = self.meta(LEFT)
        if place:
            raise MovedLibraryError(
                f"The library has moved from {self.store.where} to {place}, and is changed there only. Start this program anew; "
                "if isogloss move was interrupted, run it again."
            )

    def _connection(self, writing: bool = False) -> Connection:
        return self.store.connection(writing)


def holds_library(folder: Path) -> bool:
    """Whether the folder is that of a library, wherever its rows are; nothing is opened."""
    return (folder / FILE).is_file() or (folder / NOTE).is_file()


def address_of(folder: Path) -> str:
    """The address that is set for the library in a folder; a backup is embedded, wherever the library is."""
    backup = (folder / MANIFEST).exists() and not (folder / NOTE).exists()
    return EMBEDDED if backup else os.environ.get(SETTING, EMBEDDED)


def store_of(folder: Path, address: str | None = None) -> Store:
    """The store of the library in a folder, there or still to be made, as `Database` says; nothing is opened yet."""
    noted = (folder / NOTE).is_file()
    if address is None:
        address = address_of(folder)
        if address != EMBEDDED and (folder / FILE).is_file() and not noted:
            raise UnusableLibraryError(
                f"{SETTING} names an engine, and the rows of the library in {folder} are in {FILE}. Bring them there: isogloss move --to ADDRESS; "
                f"or leave {SETTING} out."
            )
        if address == EMBEDDED and noted:
            raise UnusableLibraryError(
                f"The rows of the library in {folder} are in an engine, as {folder / NOTE} says. Set {SETTING} to its address, "
                "or bring them back: isogloss move --to-folder"
            )
    return EmbeddedStore(folder) if address == EMBEDDED else _engine(folder, address)


def _engine(folder: Path, address: str) -> Store:
    try:
        from index.engine import EngineStore  # an extra, so that a library on one machine needs none of it
    except ImportError as error:
        raise UnusableLibraryError(
            f"{SETTING} names an engine, and what speaks with it is not installed; run: pip install 'psycopg[binary]' pgvector"
        ) from error
    return EngineStore(folder, address)
