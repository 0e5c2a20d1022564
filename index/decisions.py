"""What analysts decide about pages that could not be read well: to recognise them, or to leave them as they are. A decision is about a file, so one that takes its place starts anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from index.library import Library
from index.schema import NOW

Remedy = Literal["recognise", "ignore"]
WHOLE = 0  # stands in place of a page for the whole document


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one page of a file, or about all of it."""

    page: int  # from 1; WHOLE for the document
    remedy: Remedy
    by: str
    at: str  # ISO 8601, UTC


class Decisions:
    """The decisions in a library; at most one about each page, the last one made. Digests are those of the files, SHA-256."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def put(self, by: str, digest: str, pages: Collection[int], remedy: Remedy) -> None:
        """Decide about pages of a file, in the transaction that is open in this thread, if any."""
        with self._library.transaction(contents=False) as run:
            for page in pages:
                run(
                    f"INSERT INTO decisions VALUES (?,?,?,?,{NOW}) "
                    'ON CONFLICT (digest, page) DO UPDATE SET remedy = excluded.remedy, "by" = excluded."by", at = excluded.at',
                    (digest, page, remedy, by),
                )

    def take_back(self, digest: str, pages: Collection[int]) -> None:
        with self._library.transaction(contents=False) as run:
            for page in pages:
                run("DELETE FROM decisions WHERE digest = ? AND page = ?", (digest, page))

    def of(self, digest: str) -> dict[int, Decision]:
        """What was decided about a file, by page."""
        rows = self._library.rows('SELECT page, remedy, "by", at FROM decisions WHERE digest = ? ORDER BY page', (digest,))
        return {row["page"]: Decision(*row) for row in rows}

    def recognise(self, digest: str) -> frozenset[int]:
        """The pages of a file that are to be recognised although they have text."""
        return frozenset(page for page, decision in self.of(digest).items() if decision.remedy == "recognise")
