"""What a store of a library's rows is. There are two: a file of SQLite's in the library's folder (index/embedded.py), and an engine elsewhere (index/engine.py).

All of SQL is written once, above this seam, in what both understand: placeholders `?` and `?1`; CASE, coalesce, IS NOT DISTINCT FROM, RETURNING and
ON CONFLICT (column). What only one of them has is a function that both have: utc_now(), instr(text, part), json_each(text) with the columns key
and value. What they do in ways of their own is asked of the store: its words, its large indexes, its locks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.records import IsoglossError

if TYPE_CHECKING:
    from index.stored import StoredVectors
    from index.vectors import Index

FILE = "library.sqlite"  # in a library's folder, where its rows are embedded
NOTE = "store"  # the file in a library's folder that says that its rows are in an engine, and in which; never with a password
LEFT = "left"  # note in the table meta of a library whose rows are elsewhere now: where
PATIENCE = 60.0  # seconds that another process may take to write, before this one gives up

Keys = NDArray[np.int64]  # shape (passages,): the library's own numbers for passages, growing, never used twice


class BusyLibraryError(IsoglossError):
    """Another process is writing to the library."""


class ReadOnlyLibraryError(IsoglossError):
    """The library can be read but not changed."""


class MovedLibraryError(ReadOnlyLibraryError):
    """The library has its rows elsewhere now; here they can be read as they were, and not changed."""


class DamagedLibraryError(IsoglossError):
    """The store cannot read what it keeps, or the disk below it."""


class UnusableLibraryError(IsoglossError):
    """The folder holds no library that this program can use; the message says what to do."""


class StoreUnreachableError(IsoglossError):
    """The engine does not answer, or the connection to it was lost."""


class UnknownOutcomeError(StoreUnreachableError):
    """The connection was lost while a change was being stored: all of it is stored, or nothing."""


class Row(Protocol):
    """A row: its values in order, or by the names of its columns; dict(row) has both."""

    def __getitem__(self, column: int | str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def keys(self) -> Sequence[str]: ...


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection of one thread. Outside of a transaction and a snapshot, every statement sees what was committed when it began."""

    @property
    def in_snapshot(self) -> bool: ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is open."""
        ...

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor: ...

    def many(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
        """Execute a statement for each row, in as few steps as the store has for that."""
        ...

    def begin(self) -> None:
        """Begin to write, once nobody else does; raises BusyLibraryError. Whoever writes next sees what this one has committed."""
        ...

    def begin_snapshot(self) -> None:
        """Begin to read one state, which the first statement fixes; no writer is kept waiting."""
        ...

    def commit(self) -> None:
        """Return once all of it is on disk."""
        ...

    def rollback(self) -> None: ...


class Run:
    """What a transaction gives to execute statements with."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.store = store
        self._connection = connection

    def __call__(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        return self._connection.execute(statement, values)

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement for each row."""
        self._connection.many(statement, rows)


class WordRows(Protocol):
    """The words of passages, made by `indexed` of index/terms.py. An expression is one of FTS5: terms, "phrases", prefix*, AND, OR, NOT, brackets."""

    def put(self, run: Run, terms: Iterable[tuple[int, str]]) -> None:
        """Add the terms, as `indexed` gives them, of passages by their keys, which are there. They leave with the passages."""
        ...

    def matching(self, expression: str, after: int, last: int, most: int = -1) -> Keys:
        """The keys above `after` and up to `last` of the passages that match, growing; only the first `most` of them, if given."""
        ...

    def count_matching(self, expression: str, after: int, last: int) -> int:
        """How many there are."""
        ...

    def count_about(self, expression: str, after: int, last: int) -> int:
        """How many there are, about, where counting all would take longer."""
        ...

    def anew(self, run: Run) -> None:
        """Make the words of all passages again, by the rules of now."""
        ...

    def settle(self, run: Run, anew: bool) -> bool:
        """Take one step towards where words are found fastest, the first one `anew`; return whether there is another to take."""
        ...

    def missing(self) -> list[int]:
        """The keys of passages whose words are not there, growing."""
        ...

    def stray(self) -> list[int]:
        """The keys of which there are words and no passage, growing."""
        ...


class LargeIndexes(Protocol):
    """The indexes, in the engine, of generations that are too large to be searched exactly."""

    def make(self, stored: StoredVectors, progress: Callable[[float], None]) -> Index:
        """Make one, under a name that nobody has; no sweep drops it before it is kept, as long as this process has it. progress(share) may raise, to end it."""
        ...

    def keep(self, index: Index) -> str:
        """Say under which name an index can be loaded; from now on a sweep drops it unless it is told that name."""
        ...

    def load(self, name: str, stored: StoredVectors) -> Index:
        """Raises LookupError where there is none of this name, or it is not whole."""
        ...

    def sweep(self, kept: Collection[str]) -> None:
        """Drop the indexes that no generation has; one that is being made stays."""
        ...


class Store(Protocol):
    """Where the rows of one library are. Connections are those of the thread that asks."""

    @property
    def folder(self) -> Path: ...

    @property
    def words(self) -> WordRows: ...

    @property
    def large(self) -> LargeIndexes | None:
        """None where large indexes are files that FAISS reads."""
        ...

    @property
    def beside(self) -> bool:
        """Whether another thread may read a part of an answer: its connection costs next to nothing."""
        ...

    @property
    def where(self) -> str:
        """What messages call it; never with a password."""
        ...

    @property
    def last_key(self) -> str:
        """An SQL expression: the last key that was given to a passage. Every one before it was given too, in the order of commits."""
        ...

    def joined(self, expression: str) -> str:
        """An SQL aggregate: the numbers of an expression as text, with commas between them."""
        ...

    def exists(self) -> bool:
        """Whether there is a library, whole or not; raises UnusableLibraryError where this one is not the library's store."""
        ...

    def is_empty(self) -> bool:
        """Whether not even the tables are there: nothing was made yet, or making them was interrupted."""
        ...

    def make(self, noted: Mapping[str, str]) -> None:
        """Make the tables of an empty one, with what is noted in the table meta, all or nothing; within the lock "making"."""
        ...

    def migrate(self, run: Run, found: int) -> None:
        """Bring the tables from the format that was found, of `formats`, to the one of now."""
        ...

    @property
    def formats(self) -> Collection[int]:
        """The older formats that can be brought up to date."""
        ...

    def connection(self, writing: bool = False) -> Connection:
        """The connection of this thread; with `writing` False it may lag behind other processes, never behind what this one has committed."""
        ...

    def look_again(self) -> None:
        """Notice that something else has taken the place of what was open in this thread, such as a file that was restored."""
        ...

    def close(self) -> None:
        """Let go of what this thread holds; whatever is asked next opens it again."""
        ...

    def lock(self, name: str, patience: float = -1) -> AbstractContextManager[None]:
        """Hold what only one process may hold at a time, and which is free again when that ends; raises TimeoutError after `patience` seconds, below 0 never."""
        ...

    def numbers(self) -> dict[str, int]:
        """The last number given in each table that numbers its rows."""
        ...

    def set_numbers(self, run: Run, numbers: Mapping[str, int]) -> None:
        """Give greater ones from now on, in these tables and in all others than those that are there."""
        ...

    def concerns(self) -> list[tuple[str, str]]:
        """Settings under which the store does not do all that is expected of it, and what to do about each."""
        ...

    def faults(self) -> list[str]:
        """What the store finds wrong with itself, a line each."""
        ...
