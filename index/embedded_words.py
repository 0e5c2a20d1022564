"""The words of the embedded store: a table of FTS5's, which keeps no copy of the terms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from index.schema import WORDS_ANEW
from index.store import Cursor, Keys, Run

if TYPE_CHECKING:
    from index.store import Store

STRETCHES = 32  # of keys, evenly spread, whose passages are counted where it is enough to know about how many there are
THINNED = 32  # of so many keys, one lies in a stretch
MERGED = 500  # pages of FTS5's that are written in one step
FEW = 50_000  # keys, among which all are counted


class EmbeddedWords:
    """As `WordRows` says."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, run: Run, terms: Iterable[tuple[int, str]]) -> None:
        run.many("INSERT INTO words (rowid, terms) VALUES (?, ?)", terms)

    def matching(self, expression: str, after: int, last: int, most: int = -1) -> Keys:
        found = "SELECT rowid FROM words WHERE words MATCH ? AND rowid > ? AND rowid <= ?"
        if most < 0:  # FTS5 gives them in this order; said, it takes a third longer
            return _listed(self._store.connection().execute(found.replace("rowid", "group_concat(rowid)", 1), (expression, after, last)))
        some = f"{found} ORDER BY rowid LIMIT ?"
        return _listed(self._store.connection().execute(f"SELECT group_concat(rowid) FROM ({some})", (expression, after, last, most)))

    def count_matching(self, expression: str, after: int, last: int) -> int:
        found = "SELECT count(*) FROM words WHERE words MATCH ? AND rowid > ? AND rowid <= ?"
        return int(self._store.connection().execute(found, (expression, after, last)).fetchone()[0])

    def count_about(self, expression: str, after: int, last: int) -> int:
        if last - after <= FEW:
            return self.count_matching(expression, after, last)
        step = (last - after) // STRETCHES
        starts, length = range(after + step // 2, last, step), step // THINNED
        found = (
            "SELECT count(*) FROM json_each(?) AS start CROSS JOIN words "
            "WHERE words MATCH ? AND words.rowid > start.value AND words.rowid <= start.value + ?"
        )
        counted = int(self._store.connection().execute(found, (json.dumps(list(starts)), expression, length)).fetchone()[0])
        return counted * (last - after) // (len(starts) * length)

    def anew(self, run: Run) -> None:
        run(WORDS_ANEW)

    def settle(self, run: Run, anew: bool) -> bool:
        before = _changes(run)
        run("INSERT INTO words (words, rank) VALUES ('merge', ?)", (-MERGED if anew else MERGED,))  # below 0: all segments, also those merged before
        return _changes(run) - before > 1  # so FTS5 tells that there was something to merge

    def missing(self) -> list[int]:
        return self._keys("SELECT key FROM passages EXCEPT SELECT id FROM words_docsize")

    def stray(self) -> list[int]:
        return self._keys("SELECT id FROM words_docsize EXCEPT SELECT key FROM passages")

    def _keys(self, statement: str) -> list[int]:
        return [key for (key,) in self._store.connection().execute(statement)]


def _changes(run: Run) -> int:
    """How many rows this connection has written."""
    return int(run("SELECT total_changes()").fetchone()[0])


def _listed(cursor: Cursor) -> Keys:
    """The numbers that group_concat has put together, which takes a fifth of the time of as many rows."""
    return np.fromstring(cursor.fetchone()[0] or "", np.int64, sep=",")
