"""What a library holds, read from its SQLite file; index/library.py makes and changes it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from index.schema import PAGE_COLUMNS
from index.store import DamagedLibraryError
from index.tables import PASSAGE_COLUMNS, edition_from, page_from, passage_from, publication_from
from index.vector_rows import Keys, VectorRows
from ingest.records import UNDETERMINED, Edition, Page, Passage, Publication

State = Literal["waiting", "read", "partly read", "failed", "no file"]


@dataclass(frozen=True, slots=True)
class EditionState:
    """What became of an edition's file, kept until the file or the way of reading changes. `edition.digest` is that of the file that was read."""

    edition: Edition
    state: State
    reason: str  # "" when all is well
    reading_version: int
    folder: str  # from which its publication was ingested
    wants: str = ""  # the language pack that was missing to recognise its pages; it is read again once that is there
    file: str | None = None  # SHA-256 of the file that the catalogue says; another than was read where that is still to be done

    @property
    def wanted(self) -> Edition:
        """The edition with the file that the catalogue says."""
        return replace(self.edition, digest=self.file)


class Dates(NamedTuple):
    """When a publication came into the library, and when its entry or the text of an edition changed last: ISO 8601, UTC, to the second."""

    added: str
    changed: str


class Extent(NamedTuple):
    """How far a library's keys go."""

    given: int  # the last key that was given to a passage; every one before it was given too
    removed: int  # passages that are gone


class Contents(VectorRows):
    """The publications, editions, pages and passages of a library."""

    def publications(self) -> list[Publication]:
        """All publications, in the order of their ids, with their editions in the order of the catalogue."""
        editions: dict[str, list[Edition]] = {}
        for state in self.edition_states():
            editions.setdefault(state.edition.publication_id, []).append(state.edition)
        rows = self._connection().execute("SELECT * FROM publications ORDER BY publication_id")
        return [publication_from(row, editions.get(row["publication_id"], [])) for row in rows]

    def publication(self, publication_id: str) -> Publication | None:
        row = self._connection().execute("SELECT * FROM publications WHERE publication_id = ?", (publication_id,)).fetchone()
        return publication_from(row, [state.edition for state in self.edition_states(publication_id)]) if row else None

    def entry(self, publication_id: str) -> Publication | None:
        """The publication as the catalogue says it: its editions have the files that they should have, whether these were read or not."""
        publication = self.publication(publication_id)
        return publication and replace(publication, editions=tuple(state.wanted for state in self.edition_states(publication_id)))

    def folder_of(self, publication_id: str) -> str | None:
        """The folder from which a publication was ingested; "" when it is kept in the library itself, None when there is none."""
        row = self._connection().execute("SELECT folder FROM publications WHERE publication_id = ?", (publication_id,)).fetchone()
        return str(row[0]) if row else None

    def edition_states(self, publication_id: str = "") -> list[EditionState]:
        """Every edition, or those of one publication, with what became of its file."""
        rows = self._connection().execute(
            "SELECT editions.*, folder FROM editions JOIN publications USING (publication_id) "
            "WHERE ?1 = '' OR publication_id = ?1 ORDER BY publication_id, position",
            (publication_id,),
        )
        return [
            EditionState(edition_from(row), row["state"], row["reason"], row["reading_version"], row["folder"], row["wants"], row["file"])
            for row in rows
        ]

    def edition(self, edition_id: str) -> Edition | None:
        row = self._connection().execute("SELECT * FROM editions WHERE edition_id = ?", (edition_id,)).fetchone()
        return edition_from(row) if row else None

    def digest(self, edition_id: str) -> str | None:
        """The SHA-256 of an edition's file; None when there is no such edition, or no file of it."""
        row = self._connection().execute("SELECT digest FROM editions WHERE edition_id = ?", (edition_id,)).fetchone()
        return row[0] if row else None

    def edition_of_file(self, digest: str) -> Edition | None:
        """The edition whose file has this SHA-256, or one that begins so; of several, the first by id."""
        row = (
            self._connection()
            .execute("SELECT * FROM editions WHERE digest >= ?1 AND digest < ?1 || 'g' ORDER BY edition_id LIMIT 1", (digest,))
            .fetchone()
        )  # "g" comes after every hexadecimal digit
        return edition_from(row) if row else None

    def dates(self) -> dict[str, Dates]:
        """The dates of every publication, by its id."""
        return {name: Dates(*dates) for name, *dates in self._connection().execute("SELECT publication_id, added, changed FROM publications")}

    def page(self, edition_id: str, number: int) -> Page | None:
        row = self._connection().execute(f"SELECT {PAGE_COLUMNS} FROM pages WHERE edition_id = ? AND number = ?", (edition_id, number)).fetchone()
        return page_from(row) if row else None

    def page_label(self, edition_id: str, number: int) -> str:
        """What is printed as the number of a page, which is what people cite; the number itself where nothing is."""
        return self.page_labels([(edition_id, number)])[edition_id, number]

    def page_labels(self, pages: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """The same for many, each given by the id of its edition and its number."""
        editions, numbers = (json.dumps(list(dict.fromkeys(part))) for part in ([name for name, _ in pages], [number for _, number in pages]))
        rows = self._connection().execute(
            "SELECT edition_id, number, label FROM pages WHERE edition_id IN (SELECT value FROM json_each(?)) "
            "AND number IN (SELECT CAST(value AS bigint) FROM json_each(?))",
            (editions, numbers),
        )
        printed = {(name, number): label for name, number, label in rows}
        return {page: printed.get(page) or str(page[1]) for page in pages}

    def pages(self, edition_id: str) -> list[Page]:
        rows = self._connection().execute(f"SELECT {PAGE_COLUMNS} FROM pages WHERE edition_id = ? ORDER BY number", (edition_id,))
        return [page_from(row) for row in rows]

    def page_healths(self, edition_id: str) -> list[tuple[int, str, str]]:
        """The number, health and cause of every page of an edition, in order; far faster than the pages themselves."""
        rows = self._connection().execute("SELECT number, health, cause FROM pages WHERE edition_id = ? ORDER BY number", (edition_id,))
        return [(number, health, cause) for number, health, cause in rows]

    def page_count(self, edition_id: str) -> int:
        return int(self._connection().execute("SELECT count(*) FROM pages WHERE edition_id = ?", (edition_id,)).fetchone()[0])

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """The passages with these keys; one that has been removed meanwhile is left out."""
        listed = json.dumps([int(key) for key in keys])
        chosen = "key IN (SELECT CAST(value AS bigint) FROM json_each(?))"
        rows = self._connection().execute(f"SELECT key, {PASSAGE_COLUMNS} FROM passages WHERE {chosen}", (listed,))
        return {row["key"]: passage_from(row) for row in rows}

    def passages_of(self, edition_id: str) -> dict[int, Passage]:
        """The passages that stand on pages of an edition, by key, in reading order."""
        rows = self._connection().execute(
            f"SELECT key, {PASSAGE_COLUMNS} FROM passages WHERE edition_id = ? AND first_page > 0 ORDER BY ordinal", (edition_id,)
        )
        return {row["key"]: passage_from(row) for row in rows}

    def passages_on(self, edition_id: str, number: int) -> list[Passage]:
        """The passages that have text on one page of an edition, in reading order."""
        rows = self._connection().execute(
            f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE edition_id = ?1 AND first_page <= ?2 AND last_page >= ?2 ORDER BY ordinal",
            (edition_id, number),
        )
        return [passage_from(row) for row in rows]

    def passage_table(self) -> list[tuple[int, str, bool]]:
        """(key, edition_id, whether it stands on a page) of every passage, by key."""
        rows = self._connection().execute("SELECT key, edition_id, first_page > 0 FROM passages ORDER BY key")
        return [(key, edition_id, bool(on_page)) for key, edition_id, on_page in rows]

    def passage_languages(self) -> list[str]:
        """The language of every passage, by key."""
        return [row[0] for row in self._connection().execute("SELECT language FROM passages ORDER BY key")]

    def languages_of(self, keys: Keys) -> list[str]:
        """The languages of the passages with these keys, which grow and leave out none that is there; "und" for one that has been removed meanwhile."""
        first, last = (int(keys[0]), int(keys[-1])) if len(keys) else (0, 0)
        rows = self._connection().execute("SELECT key, language FROM passages WHERE key BETWEEN ? AND ?", (first, last))
        known = dict(map(tuple, rows))
        return [known.get(key, UNDETERMINED) for key in keys.tolist()]

    def passages_around(self, key: int) -> tuple[int, int]:
        """How many passages there are up to this key, and how many after it."""
        up_to = int(self._connection().execute("SELECT count(*) FROM passages WHERE key <= ?", (key,)).fetchone()[0])
        return up_to, self.passage_count() - up_to

    def without_catalogue_passages(self) -> list[str]:
        """The ids of publications whose catalogue entry was changed and has not been encoded since."""
        rows = self._connection().execute(
            "SELECT publication_id FROM publications WHERE (titles <> '{}' OR abstracts <> '{}') AND EXISTS (SELECT 1 FROM editions WHERE editions.publication_id = publications.publication_id) "
            "AND NOT EXISTS (SELECT 1 FROM editions JOIN passages USING (edition_id) "
            "WHERE editions.publication_id = publications.publication_id AND first_page = 0) ORDER BY publication_id"
        )
        return [name for (name,) in rows]

    def passage_count(self) -> int:
        given, removed = self.extent()
        return given - removed

    def extent(self) -> Extent:
        """How many keys have been given to passages, and how many of these passages are gone; both only grow. Takes no longer in a large library."""
        row = self._connection().execute(f"SELECT ({self.store.last_key}), (SELECT value FROM meta WHERE key = 'removed')")
        return Extent(*map(int, row.fetchone()))

    def matching(self, expression: str, after: int, last: int, most: int = -1) -> Keys:
        """The keys above `after` and up to `last` of the passages that match an FTS5 expression, growing; only the first `most` of them, if given."""
        return self.store.words.matching(expression, after, last, most)

    def count_matching(self, expression: str, after: int, last: int) -> int:
        """How many there are."""
        return self.store.words.count_matching(expression, after, last)

    def count_about(self, expression: str, after: int, last: int) -> int:
        """How many there are, about, in less time where there are very many."""
        return self.store.words.count_about(expression, after, last)

    def languages_in(self, starts: Keys, length: int) -> tuple[Keys, list[str]]:
        """The keys of the passages in blocks of so many keys, which begin at `starts`, growing, and their languages."""
        rows = (
            self._connection()
            .execute(
                "SELECT passages.key, language FROM (SELECT CAST(value AS bigint) AS first FROM json_each(?)) AS block CROSS JOIN passages "
                "WHERE passages.key >= first AND passages.key < first + ?",
                (json.dumps(starts.tolist()), length),
            )
            .fetchall()
        )
        return np.asarray([key for key, _ in rows], np.int64), [language for _, language in rows]

    def counts(self) -> dict[str, int]:
        """How many publications, editions, languages, pages and passages there are."""
        tables = ("publications", "editions", "pages", "passages")
        counts = {table: self._connection().execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        return counts | {"languages": self._connection().execute("SELECT count(DISTINCT language) FROM editions").fetchone()[0]}

    def faults(self) -> list[str]:
        """What is wrong with the rows, and what the store finds wrong with itself; nothing when it is sound."""
        found = self.store.faults()
        try:
            lengths = self.rows(
                "SELECT max(lengths) FROM (SELECT count(DISTINCT length(vector)) AS lengths FROM vectors GROUP BY encoder) AS by_encoder"
            )
            found += ["the vectors of passages have different lengths"] if (lengths[0][0] or 0) > 1 else []
            found += [f"passage {key}: it has no vector; run: isogloss ingest FOLDER --again" for key in self.without_vector(self.meta("encoder"))]
        except DamagedLibraryError as error:
            found += [] if found else [str(error)]
        return found
