"""Catalogue entries that were imported and are not settled: without files, or without a title; kept beside the catalogue until an analyst settles them."""

from __future__ import annotations

from dataclasses import dataclass

from index.changes import entry_from_json
from index.library import Library
from ingest.records import Publication


@dataclass(frozen=True, slots=True)
class LooseEntry:
    """One of them."""

    entry_id: int
    entry: Publication
    source: str  # where it was imported from


class LooseEntries:
    """Those of a library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def entries(self) -> list[LooseEntry]:
        rows = self._library.rows("SELECT entry_id, entry, source FROM loose_entries ORDER BY entry_id")
        return [LooseEntry(row["entry_id"], entry, row["source"]) for row in rows if (entry := entry_from_json(row["entry"]))]

    def remove(self, entry_id: int) -> bool:
        """Remove one that is settled, in the transaction that is open in this thread, if any; False when it has gone already."""
        with self._library.transaction(contents=False) as run:
            return bool(run("DELETE FROM loose_entries WHERE entry_id = ?", (entry_id,)).rowcount)
