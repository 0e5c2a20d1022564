"""Bring the rows of one library into another, wherever each has them, until both hold the same.

Rows are compared some at a time, in the order of their keys; what differs is written anew, and read again. So the same run that copies also goes
on after an interruption, catches up with what has changed meanwhile, and proves that nothing differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from index.generations import ROLES
from index.library import Library
from index.terms import indexed
from ingest.records import IsoglossError

BLOCK = 500  # rows that are compared at a time; of pages about 10 MB
OF_THE_PLACE = (*ROLES, "arriving", "left")  # notes that stay behind; the two last are those of index/moving.py

Key = tuple[Any, ...]
Row = tuple[Any, ...]
Progress = Callable[[str, int, int], None]  # which table, how many rows of it, of how many


class DifferentRowError(IsoglossError):
    """A row is not read as it was written."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Tells what a table holds from all else that it could hold."""

    rows: int
    digest: str  # SHA-256, in lower-case hexadecimal


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and how its rows are told apart: by their first columns."""

    name: str
    key: int = 1  # columns of its primary key
    long: bool = False  # it grows with the library, and new rows come last
    anew: bool = False  # a row that differs goes with all that hangs on it, and comes anew: what is made of it is then made again
    but: str = ""  # a column that is left to a second go, since it may point to a row that comes later
    where: str = "true"


TABLES = (  # what others point to comes first; what writing them changes comes last
    Table("encoders"),
    Table("publications"),
    Table("editions"),
    Table("pages", 2, long=True),
    Table("passages", long=True, anew=True),
    Table("vectors", 2, long=True),
    Table("jobs"),
    Table("documents", 2),
    Table("changes", but="undone"),
    Table("changes"),
    Table("uploads"),
    Table("loose_entries"),
    Table("decisions", 2),
    Table("sketches"),
    Table("questions"),
    Table("accounts"),
    Table("sessions"),
    Table("touched"),
    Table("meta", where=f"key NOT IN ({', '.join(repr(name) for name in OF_THE_PLACE)})"),
)


def bring(source: Library, target: Library, whole: bool = True, progress: Progress = lambda *_: None) -> dict[str, Sum]:
    """Make the tables of `target` hold what those of `source` hold in this thread's transaction or snapshot; return the sum of each that was compared whole.

    With `whole` False long tables are compared only from where an earlier run came to: what has changed in them before is found by a whole run.
    Nobody else may write to `target`. Raises DifferentRowError.
    """
    return {table.name: _Pair(source, target, table).bring(whole or not table.long, progress) for table in TABLES}


class _Pair:
    """A table in both libraries."""

    def __init__(self, source: Library, target: Library, table: Table) -> None:
        self._source, self._target, self._table = source, target, table
        self._columns = [name for name in columns(source, table.name) if name != table.but]
        self._keys = _listed(self._columns[: table.key])
        self._chosen = f"SELECT {_listed(self._columns)} FROM {table.name} WHERE {table.where}"

    def bring(self, whole: bool, progress: Progress) -> Sum:
        name, total = self._table.name, count(self._source, self._table)
        digest, done = hashlib.sha256(), 0
        after = () if whole else self._last()
        for wanted, found, up_to in self._blocks(after):
            if wanted != found:
                self._mend(wanted, found)
                self._prove(wanted, self._rows(self._target, after, up_to))
            digest.update(repr(wanted).encode("utf-8", "surrogatepass"))
            done, after = done + len(wanted), up_to
            progress(name, done, max(done, total))
        return Sum(done, digest.hexdigest())

    def _blocks(self, after: Key) -> Iterator[tuple[list[Row], list[Row], Key]]:
        """Yield the rows of both, block by block, with the key up to which they go; () is the end."""
        while True:
            wanted, found = (self._rows(library, after) for library in (self._source, self._target))
            up_to = min((self._key(rows[-1]) for rows in (wanted, found) if len(rows) == BLOCK), default=())
            if up_to:
                wanted, found = ([row for row in rows if self._key(row) <= up_to] for rows in (wanted, found))
            yield wanted, found, up_to
            if not up_to:
                return
            after = up_to

    def _rows(self, library: Library, after: Key, up_to: Key = ()) -> list[Row]:
        """Rows in the order of their keys: all up to a key, or the next BLOCK of them."""
        marks = f"({_marks(self._table.key)})"
        bounds = "".join(f" AND ({self._keys}) {sign} {marks}" for sign, key in ((">", after), ("<=", up_to)) if key)
        limit = "" if up_to else f" LIMIT {BLOCK}"
        return [tuple(row) for row in library.rows(f"{self._chosen}{bounds} ORDER BY {self._keys}{limit}", (*after, *up_to))]

    def _last(self) -> Key:
        """The last key that is there already."""
        found = self._target.rows(f"SELECT {self._keys} FROM {self._table.name} ORDER BY {self._keys.replace(',', ' DESC,')} DESC LIMIT 1")
        return tuple(found[0]) if found else ()

    def _mend(self, wanted: Sequence[Row], found: Sequence[Row]) -> None:
        """Write what differs, in one transaction."""
        there = {self._key(row): row for row in found}
        new = {self._key(row) for row in wanted}
        changed = [row for row in wanted if there.get(self._key(row)) != row]
        gone = [key for key in there if key not in new] + [self._key(row) for row in changed if self._table.anew and self._key(row) in there]
        with self._target.transaction(contents=False) as run:
            for key in gone:
                run(f"DELETE FROM {self._table.name} WHERE ({self._keys}) = ({_marks(self._table.key)})", key)
            for row in changed:
                run(self._put, row)
            if self._table.name == "passages":
                for row in changed:
                    text = row[self._columns.index("text")]
                    run("INSERT INTO words (rowid, terms) VALUES (?, ?)", (row[0], indexed(text)))

    @property
    def _put(self) -> str:
        rest = self._columns[self._table.key :]
        update = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
        return (
            f"INSERT INTO {self._table.name} ({_listed(self._columns)}) VALUES ({_marks(len(self._columns))}) "
            f"ON CONFLICT ({self._keys}) DO UPDATE SET {update}"
        )

    def _prove(self, wanted: Sequence[Row], found: Sequence[Row]) -> None:
        for one, other in zip([*wanted, None], [*found, None], strict=False):
            if one != other:
                key = ", ".join(map(str, self._key(one or other or ())))
                raise DifferentRowError(f"{self._table.name} {key}: it is not read as it was written. Nothing was switched; look after that place.")

    def _key(self, row: Row) -> Key:
        return row[: self._table.key]


def columns(library: Library, table: str) -> list[str]:
    """The names of a table's columns, in its order."""
    return list(library.rows(f"SELECT {table}.* FROM (SELECT 1) one LEFT JOIN {table} ON false")[0].keys())


def count(library: Library, table: Table) -> int:
    return int(library.rows(f"SELECT count(*) FROM {table.name} WHERE {table.where}")[0][0])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _marks(number: int) -> str:
    return ",".join("?" * number)
