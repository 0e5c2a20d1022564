"""Entries of imported catalogues that are no publications yet, because nothing says in what languages they are; kept until somebody decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from index.changes import entry_from_json, entry_to_json
from index.library import Library
from index.schema import NOW
from ingest.records import Publication


@dataclass(frozen=True, slots=True)
class LooseEntry:
    """Such an entry, and where it came from."""

    entry_id: int
    entry: Publication  # without editions
    flags: tuple[str, ...]  # codes of remarks
    source: str  # the name of the catalogue
    by: str
    at: str  # ISO 8601, UTC


class LooseEntries:
    """Those of a library. Readers see nothing of them, so the revision stays."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def entries(self) -> list[LooseEntry]:
        """Oldest first."""
        rows = self._library.rows("SELECT * FROM loose_entries ORDER BY entry_id")
        return [
            LooseEntry(row["entry_id"], entry, tuple(json.loads(row["flags"])), row["source"], row["by"], row["at"])
            for row in rows
            if (entry := entry_from_json(row["entry"]))
        ]

    def add(self, by: str, entry: Publication, flags: Sequence[str], source: str) -> None:
        """Keep an entry, unless the same is kept already."""
        with self._library.transaction(contents=False) as run:
            if not run("SELECT 1 FROM loose_entries WHERE entry = ?", (entry_to_json(entry),)).fetchone():
                run(
                    f'INSERT INTO loose_entries (entry, flags, source, "by", at) VALUES (?,?,?,?,{NOW})',
                    (entry_to_json(entry), json.dumps(flags), source, by),
                )

    def remove(self, entry_id: int) -> bool:
        """Remove one that is settled, in the transaction that is open in this thread, if any; False when it has gone already."""
        with self._library.transaction(contents=False) as run:
            return bool(run("DELETE FROM loose_entries WHERE entry_id = ?", (entry_id,)).rowcount)
