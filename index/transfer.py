"""Bring the rows of one library into another, wherever each has them, until both hold the same.

Rows are compared some at a time, in the order of their keys, and what differs is written anew. So the run that copies also goes on after an
interruption, and catches up with what has changed meanwhile; and one that finds nothing to write proves that all is there, bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.database import EMBEDDED
from index.embedded import EmbeddedStore
from index.generations import ROLES
from index.library import Library
from index.store import LEFT
from index.terms import indexed
from ingest.records import IsoglossError

ROUNDS = 3  # at most: the first brings what has changed, the second finds nothing, unless the target does not keep what it is given
BLOCK = 500  # rows that are compared at a time; of pages about 10 MB
OF_THE_PLACE = (*ROLES, LEFT, "library", "given")  # notes that stay behind
NUMBERED = ("passages", "jobs", "changes", "loose_entries", "questions")  # tables in which no number is given twice, also of rows that are gone

Key = tuple[Any, ...]
Row = tuple[Any, ...]
Progress = Callable[[str, int, int], None]  # which table, how many rows of it, of how many


class DifferentRowsError(IsoglossError):
    """Rows are not read as they were written."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Tells what a table holds from all else that it could hold."""

    rows: int
    digest: str  # SHA-256, in lower-case hexadecimal


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and how its rows are told apart."""

    name: str
    key: tuple[str, ...]
    long: bool = False  # it grows with the library, and new rows come last
    anew: bool = False  # a row that differs goes with all that hangs on it, and comes anew: what is made of it is then made again
    rowid: bool = False  # the store numbers its rows as they come, and that is their order
    but: str = ""  # a column that is left to a second go, since it may point to a row that comes later
    where: str = "true"


TABLES = (  # what others point to comes first; what writing them changes comes last
    Table("encoders", ("number",)),
    Table("publications", ("publication_id",)),
    Table("editions", ("edition_id",)),
    Table("pages", ("edition_id", "number"), long=True),
    Table("passages", ("key",), long=True, anew=True),
    Table("vectors", ("key", "encoder"), long=True),
    Table("jobs", ("job_id",)),
    Table("documents", ("job_id", "name")),
    Table("changes", ("change_id",), but="undone"),
    Table("changes", ("change_id",)),
    Table("uploads", ("upload_id",), rowid=True),
    Table("loose_entries", ("entry_id",)),
    Table("decisions", ("digest", "page")),
    Table("sketches", ("digest",)),
    Table("questions", ("question_id",)),
    Table("accounts", ("name",)),
    Table("sessions", ("token",)),
    Table("failed_attempts", ("rowid",), rowid=True, anew=True),
    Table("touched", ("publication_id",)),
    Table("meta", ("key",), where=f"key NOT IN ({', '.join(map(repr, OF_THE_PLACE))})"),
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run came to."""

    sums: dict[str, Sum]  # of the rows of each table that were gone through
    written: tuple[str, ...]  # what was not the same: the first row of each table, by its key


def bring(source: Library, target: Library, whole: bool = True, progress: Progress = lambda *_: None) -> Brought:
    """Make the tables of `target` hold what those of `source` hold in this thread's transaction or snapshot. Nobody else may write to `target`.

    With `whole` False long tables are gone through only from where an earlier run came to: what has changed before that is left to a whole run.
    """
    pairs = [_Pair(source, target, table) for table in TABLES]
    sums = {pair.name: pair.bring(whole, progress) for pair in pairs}
    written = [pair.written for pair in pairs if pair.written]
    numbers, given = ({table: library.store.numbers().get(table, 0) for table in NUMBERED} for library in (source, target))
    if numbers != given:
        written.append("numbers")
    if written:
        with target.transaction(contents=False) as run:
            target.store.set_numbers(run, numbers)
    return Brought(sums, tuple(written))


def settle(source: Library, target: Library, progress: Progress = lambda *_: None) -> dict[str, Sum]:
    """Bring all rows, and go through all of them again until nothing differs; raises DifferentRowsError."""
    for _ in range(ROUNDS):
        brought = bring(source, target, progress=progress)
        if not brought.written:
            _make_words(target)
            return brought.sums
    raise DifferentRowsError(
        f"{target.store.where}, {brought.written[0]}: it is not read as it was written. Look after that place; nothing depends on it yet."
    )


def _make_words(target: Library) -> None:
    """Make the words anew unless every passage has its own, and nothing else has."""
    words = target.store.words
    if words.missing() or words.stray():
        with target.transaction(contents=False) as run:
            words.anew(run)


def copy(library: Library, folder: Path, progress: Progress = lambda *_: None) -> Library:
    """Copy the rows as they are at this moment into a new library.sqlite in `folder`, whatever writers do meanwhile."""
    if isinstance(library.store, EmbeddedStore):
        library.store.copy(folder / "library.sqlite", lambda done, total: progress("the database", done, total))
        return Library.open(folder, EMBEDDED)
    target = Library.create(folder, EMBEDDED)
    with library.snapshot():
        bring(library, target, progress=progress)
    return target


class _Pair:
    """A table in both libraries."""

    def __init__(self, source: Library, target: Library, table: Table) -> None:
        self._source, self._target, self._table = source, target, table
        others = [name for name in columns(source, table.name) if name not in (*table.key, table.but, "rowid")]
        self._columns = list(dict.fromkeys([*table.key, *others, *["rowid"] * table.rowid]))
        self._keys = _listed(table.key)
        self.name, self.written = table.name, ""

    def bring(self, whole: bool, progress: Progress) -> Sum:
        """Go through the table; `written` says afterwards whether that was for nothing."""
        digest, done, total = hashlib.sha256(), 0, self._count()
        for wanted, found in self._blocks(() if whole or not self._table.long else self._last()):
            if wanted != found and (wanted := [_kept(row) for row in wanted]) != found:
                self._mend(wanted, found)
            for row in wanted:
                digest.update(repr(row).encode("utf-8", "surrogatepass"))
            done += len(wanted)
            progress(self.name, done, max(done, total))
        return Sum(done, digest.hexdigest())

    def _blocks(self, after: Key) -> Iterator[tuple[list[Row], list[Row]]]:
        """Yield the rows of both after a key, up to the same key."""
        while True:
            wanted, found = (self._rows(library, after) for library in (self._source, self._target))
            up_to = min((self._key(rows[-1]) for rows in (wanted, found) if len(rows) == BLOCK), default=None)
            if up_to is None:
                yield wanted, found
                return
            yield [row for row in wanted if self._key(row) <= up_to], [row for row in found if self._key(row) <= up_to]
            after = up_to

    def _rows(self, library: Library, after: Key) -> list[Row]:
        """The next rows after a key."""
        later = f" AND ({self._keys}) > ({_marks(len(after))})" if after else ""
        chosen = f"SELECT {_listed(self._columns)} FROM {self.name} WHERE {self._table.where}{later} ORDER BY {self._keys} LIMIT {BLOCK}"
        return [tuple(row) for row in library.rows(chosen, after)]

    def _last(self) -> Key:
        """The last key that is there already."""
        found = self._target.rows(f"SELECT {self._keys} FROM {self.name} ORDER BY {self._keys.replace(',', ' DESC,')} DESC LIMIT 1")
        return tuple(found[0]) if found else ()

    def _count(self) -> int:
        return int(self._source.rows(f"SELECT count(*) FROM {self.name} WHERE {self._table.where}")[0][0])

    def _mend(self, wanted: Sequence[Row], found: Sequence[Row]) -> None:
        """Write what differs, in one transaction."""
        there = {self._key(row): row for row in found}
        new = [row for row in wanted if there.get(self._key(row)) != row]
        kept = {self._key(row) for row in wanted} - {self._key(row) for row in new if self._table.anew}
        gone = sorted(there.keys() - kept)
        self.written = self.written or f"{self.name} {', '.join(map(str, min([*map(self._key, new), *gone])))}"
        with self._target.transaction(contents=False) as run:
            run.many(f"DELETE FROM {self.name} WHERE ({self._keys}) = ({_marks(len(self._table.key))})", gone)
            run.many(self._put(), new)
            if self.name == "passages":
                text = self._columns.index("text")
                self._target.store.words.put(run, [(row[0], indexed(row[text])) for row in new])

    def _put(self) -> str:
        rest = ", ".join(f'"{name}" = excluded."{name}"' for name in self._columns[len(self._table.key) :])
        insert = f"INSERT INTO {self.name} ({_listed(self._columns)}) VALUES ({_marks(len(self._columns))})"
        return insert + ("" if self._table.anew else f" ON CONFLICT ({self._keys}) DO UPDATE SET {rest}")

    def _key(self, row: Row) -> Key:
        return row[: len(self._table.key)]


def columns(library: Library, table: str) -> list[str]:
    """The names of a table's columns, in its order."""
    return list(library.rows(f"SELECT {table}.* FROM (SELECT 1) one LEFT JOIN {table} ON false")[0].keys())


def _kept(row: Row) -> Row:
    """A row as every store can keep it: PostgreSQL has no U+0000 in a text, and index/engine_connection.py puts the same in its place."""
    return tuple(value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for value in row)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _marks(number: int) -> str:
    return ",".join("?" * number)
