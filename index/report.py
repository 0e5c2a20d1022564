"""How well documents could be read: their pages counted by health and cause, and which of them wait until somebody decides what is to be done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from index.contents import State
from index.jobs import OPEN
from index.library import Library
from index.tables import edition_from
from ingest.records import Edition, Health

UNREAD: tuple[Health, ...] = ("suspect", "image only", "unreadable")  # of pages that hold more than their text tells

IS_BEING_READ = f"""edition_id IN (
    SELECT name FROM documents JOIN jobs USING (job_id) WHERE kind = 'reading' AND jobs.state IN {OPEN} AND documents.state IN ('waiting', 'reading'))"""
IS_IGNORED = "EXISTS (SELECT 1 FROM decisions WHERE decisions.digest = editions.digest AND page = {page} AND remedy = 'ignore')"
UNREAD_PAGES = f"SELECT 1 FROM pages WHERE pages.edition_id = editions.edition_id AND health IN {UNREAD}"
NEEDS_DECISION = f"""(state IN ('failed', 'partly read') AND file IS NOT DISTINCT FROM digest AND NOT {IS_BEING_READ} AND NOT {IS_IGNORED.format(page=0)}
    AND (NOT EXISTS ({UNREAD_PAGES}) OR EXISTS ({UNREAD_PAGES} AND NOT {IS_IGNORED.format(page="number")})))"""
FITS = f"""file IS NOT NULL AND ?1 IN ('', state) AND ?2 IN ('', language) AND (?3 = 0 OR {NEEDS_DECISION})
    AND (?4 = '' OR EXISTS (SELECT 1 FROM pages WHERE pages.edition_id = editions.edition_id AND health = ?4 AND coalesce(?5, cause) = cause))"""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pages are in one condition."""

    health: Health
    cause: str  # "" where there is nothing to say
    pages: int
    documents: int = 1  # in which they are


@dataclass(frozen=True, slots=True)
class Document:
    """An edition with a file, and how that could be read."""

    edition: Edition
    state: State
    reason: str
    needs_decision: bool  # it failed or was read in part, and nobody has decided to leave it so
    is_being_read: bool  # a job is to read it, or to read it again
    tallies: tuple[Tally, ...]  # of its pages, most first


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents to report; what is empty admits all."""

    state: str = ""
    language: str = ""  # as the catalogue writes it
    undecided: bool = False  # only those that need a decision
    health: str = ""  # of at least one of its pages
    cause: str | None = None  # of the same page; "" is one without a cause

    def _values(self) -> tuple[object, ...]:
        return self.state, self.language, int(self.undecided), self.health, self.cause


def documents(library: Library, wanted: Wanted, k: int, offset: int = 0) -> list[Document]:
    """Those that need a decision first, then in the order of the catalogue."""
    rows = library.rows(
        f"SELECT *, {NEEDS_DECISION} AS needs_decision, {IS_BEING_READ} AS is_being_read FROM editions WHERE {FITS} "
        "ORDER BY needs_decision DESC, publication_id, position LIMIT ?6 OFFSET ?7",
        (*wanted._values(), k, offset),
    )
    tallies = _tallies_of(library, [row["edition_id"] for row in rows])
    return [
        Document(
            edition_from(row), row["state"], row["reason"], bool(row["needs_decision"]), bool(row["is_being_read"]), tuple(tallies[row["edition_id"]])
        )
        for row in rows
    ]


def document(library: Library, edition_id: str) -> Document | None:
    """One document; None where there is no such edition, or no file of it."""
    row = next(
        iter(library.rows(f"SELECT *, {NEEDS_DECISION}, {IS_BEING_READ} FROM editions WHERE edition_id = ? AND file IS NOT NULL", (edition_id,))),
        None,
    )
    if row is None:
        return None
    return Document(
        edition_from(row), row["state"], row["reason"], bool(row[-2]), bool(row[-1]), tuple(_tallies_of(library, [edition_id])[edition_id])
    )


def count(library: Library, wanted: Wanted) -> int:
    """How many documents there are to report."""
    return int(library.rows(f"SELECT count(*) FROM editions WHERE {FITS}", wanted._values())[0][0])


def tallies(library: Library) -> list[Tally]:
    """All pages of the library by health and cause, most first."""
    rows = library.rows(
        "SELECT health, cause, count(*) AS pages, count(DISTINCT edition_id) FROM pages GROUP BY health, cause ORDER BY pages DESC, health, cause"
    )
    return [Tally(*row) for row in rows]


def states(library: Library) -> dict[State, int]:
    """How many documents are in each state."""
    return dict(
        tuple(row) for row in library.rows("SELECT state, count(*) FROM editions WHERE file IS NOT NULL GROUP BY state ORDER BY count(*) DESC, state")
    )


def languages(library: Library) -> list[str]:
    """The languages of all documents."""
    return [language for (language,) in library.rows("SELECT DISTINCT language FROM editions WHERE file IS NOT NULL ORDER BY language")]


def _tallies_of(library: Library, edition_ids: Sequence[str]) -> dict[str, list[Tally]]:
    rows = library.rows(
        "SELECT edition_id, health, cause, count(*) AS pages FROM pages WHERE edition_id IN (SELECT value FROM json_each(?)) "
        "GROUP BY edition_id, health, cause ORDER BY pages DESC, health, cause",
        (json.dumps(edition_ids),),
    )
    found: dict[str, list[Tally]] = {edition_id: [] for edition_id in edition_ids}
    for edition_id, health, cause, pages in rows:
        found[edition_id].append(Tally(health, cause, pages))
    return found
