"""The words of the engine: a `tsvector` for each passage, made of the terms of index/terms.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from index.store import Keys, Run
from index.terms import indexed

if TYPE_CHECKING:
    from index.store import Store

WORDS = (
    "CREATE TABLE words (key BIGINT PRIMARY KEY REFERENCES passages ON DELETE CASCADE, terms TSVECTOR NOT NULL)",
    "CREATE INDEX words_terms ON words USING gin (terms)",
)


class EngineWords:
    """As `WordRows` says."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, run: Run, terms: Iterable[tuple[int, str]]) -> None:
        run.many("INSERT INTO words VALUES (?, to_tsvector('simple', ?))", terms)

    def matching(self, expression: str, after: int, last: int, most: int = -1) -> Keys:
        found = "SELECT key FROM words WHERE terms @@ websearch_to_tsquery('simple', ?) AND key > ? AND key <= ? ORDER BY key LIMIT ?"
        rows = self._store.connection().execute(found, (expression, after, last, most if most >= 0 else 2**62)).fetchall()
        return np.asarray([row[0] for row in rows], np.int64)

    def count_matching(self, expression: str, after: int, last: int) -> int:
        return len(self.matching(expression, after, last))

    def anew(self, run: Run) -> None:
        run("DELETE FROM words")
        self.put(run, [(key, indexed(text)) for key, text in run("SELECT key, text FROM passages")])

    def missing(self) -> list[int]:
        return [row[0] for row in self._store.connection().execute("SELECT key FROM passages EXCEPT SELECT key FROM words ORDER BY key")]

    def stray(self) -> list[int]:
        return [row[0] for row in self._store.connection().execute("SELECT key FROM words EXCEPT SELECT key FROM passages ORDER BY key")]
