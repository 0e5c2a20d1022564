"""The library on disk: one SQLite file is the truth, the original files lie beside it. With index/database.py and index/tables.py, all that knows SQL.

    library.sqlite        publications, editions, pages, passages and each passage's raw vector (float16) and words
    files/ab/abcd...pdf   originals (.pdf, .docx, .html), named by their SHA-256
    generations/          what FAISS serves, derived; see index/generations.py

An edition is in when its transaction has been committed with synchronous=FULL: acknowledged means on disk. Readers and one writer work at
the same time (write-ahead log); each thread has its own connection.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from index.database import Database
from index.durable import checksum, sync_file, sync_folder
from index.encoder import Vectors
from index.tables import (
    FORMAT,
    MIGRATIONS,
    PAGE_COLUMNS,
    PASSAGE_COLUMNS,
    SCHEMA,
    count_documents,
    edition_from,
    insert_pages,
    insert_passages,
    migrate,
    page_from,
    passage_from,
    publication_from,
    put_catalogue_entry,
)  # fmt: skip
from ingest.records import Edition, IsoglossError, Page, Passage, Publication

State = Literal["read", "partly read", "failed", "no file"]
Keys = NDArray[np.int64]  # shape (passages,): the library's own numbers for passages, growing, never used twice


class UnusableLibraryError(IsoglossError):
    """The folder holds no library that this program can use; the message says what to do."""


class ChangedFileError(IsoglossError):
    """A file is not what it was a moment ago."""


class BusyLibraryError(IsoglossError):
    """Another process is writing to the library."""


@dataclass(frozen=True, slots=True)
class EditionState:
    """What became of an edition's file, kept until the file or the way of reading changes."""

    edition: Edition
    state: State
    reason: str  # "" when all is well
    reading_version: int
    folder: str  # from which its publication was ingested
    wants: str = ""  # the language pack that was missing to recognise its pages; it is read again once that is there


class Library(Database):
    """The publications, editions, pages and passages of one library folder."""

    @classmethod
    def open(cls, folder: Path) -> Library:
        """Open the library in `folder`; raises UnusableLibraryError."""
        file = folder / "library.sqlite"
        if not file.is_file():
            raise UnusableLibraryError(f"No library in {folder}; run: isogloss ingest FOLDER-OF-PUBLICATIONS --library {folder}")
        library = cls(folder)
        try:
            found = library.meta("format")
        except sqlite3.DatabaseError as error:
            raise UnusableLibraryError(f"{file} is not a library: {error}. Restore it from a backup.") from error
        if found.isdecimal() and int(found) in MIGRATIONS:
            library._migrate()
        elif found != str(FORMAT):
            raise UnusableLibraryError(
                f"{file} has format {found}, this program reads format {FORMAT}; use the version that made it, or ingest into a new folder"
            )
        return library

    @classmethod
    def create(cls, folder: Path) -> Library:
        """Open the library in `folder`, making an empty one when there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".making"):
            library = cls(folder)
            if library.is_empty():
                with library.transaction() as run:
                    for statement in SCHEMA:
                        run(statement)
                    run("INSERT INTO meta VALUES ('format', ?), ('revision', '0')", (str(FORMAT),))
        return cls.open(folder)

    def _migrate(self) -> None:
        with self.transaction() as run:
            found = int(self.meta("format"))  # asked again, because another process may have done it
            if found < FORMAT:
                migrate(run, found)

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the library for writing; raises BusyLibraryError at once when another process does."""
        try:
            with FileLock(self.folder / ".writing", timeout=0):
                yield
        except Timeout as error:
            raise BusyLibraryError(f"Another process is writing to {self.folder}; wait until it has ended.") from error

    def keep_file(self, path: Path, digest: str) -> Path:
        """Copy an original into the library under its digest; return where it lies, once it is on disk. Raises ChangedFileError."""
        kept = self.file(digest)
        if not kept.exists():
            kept = kept.with_suffix(path.suffix.lower())
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".copying-") as scratch:
                copy = Path(scratch) / kept.name
                shutil.copyfile(path, copy)
                if checksum(copy) != digest:
                    raise ChangedFileError(f"{path} changed while it was being read; ingest its folder again")
                sync_file(copy)
                copy.replace(kept)
            sync_folder(kept.parent)
        return kept

    def put_publication(self, publication: Publication, folder: str, passages: Sequence[Passage], vectors: Vectors) -> None:
        """Store what the catalogue says of a publication, with the passages made of it; editions it no longer has are removed.

        Pages and passages of the editions that stay are not touched.
        """
        with self.transaction() as run:
            put_catalogue_entry(run, publication, folder)
            insert_passages(run, passages, vectors)

    def put_reading(self, state: EditionState, pages: Sequence[Page], passages: Sequence[Passage], vectors: Vectors) -> None:
        """Store what reading an edition's file gave, in place of what was there."""
        edition = state.edition
        with self.transaction() as run:
            run("DELETE FROM pages WHERE edition_id = ?", (edition.edition_id,))
            run("DELETE FROM passages WHERE edition_id = ? AND first_page > 0", (edition.edition_id,))
            run(
                "UPDATE editions SET digest = ?, state = ?, reason = ?, reading_version = ?, wants = ? WHERE edition_id = ?",
                (edition.digest, state.state, state.reason, state.reading_version, state.wants, edition.edition_id),
            )
            insert_pages(run, pages)
            insert_passages(run, passages, vectors)

    def read_again(self, edition_ids: Iterable[str]) -> None:
        """Forget how these editions were read, so that the next ingest reads them again; until then they stay as they are."""
        with self.transaction() as run:
            for edition_id in edition_ids:
                run("UPDATE editions SET reading_version = 0 WHERE edition_id = ?", (edition_id,))

    def put_languages(self, languages: Mapping[int, str]) -> None:
        """Store other languages for the passages with these keys; their texts and vectors stay."""
        with self.transaction() as run:
            for key, language in languages.items():
                run("UPDATE passages SET language = ? WHERE key = ?", (language, key))

    def remove_publication(self, publication_id: str) -> None:
        with self.transaction() as run:
            run("DELETE FROM publications WHERE publication_id = ?", (publication_id,))

    # -- reading

    def file(self, digest: str) -> Path:
        """Where the original with this digest lies, or would lie."""
        home = self.folder / "files" / digest[:2]
        return next(home.glob(f"{digest}.*"), home / f"{digest}.pdf")

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

    def folder_of(self, publication_id: str) -> str:
        """The folder from which a publication was ingested, or ""."""
        row = self._connection().execute("SELECT folder FROM publications WHERE publication_id = ?", (publication_id,)).fetchone()
        return str(row[0]) if row else ""

    def edition_states(self, publication_id: str = "") -> list[EditionState]:
        """Every edition, or those of one publication, with what became of its file."""
        rows = self._connection().execute(
            "SELECT editions.*, folder FROM editions JOIN publications USING (publication_id) "
            "WHERE ?1 = '' OR publication_id = ?1 ORDER BY publication_id, position",
            (publication_id,),
        )
        return [EditionState(edition_from(row), row["state"], row["reason"], row["reading_version"], row["folder"], row["wants"]) for row in rows]

    def digest(self, edition_id: str) -> str | None:
        """The SHA-256 of an edition's file; None when there is no such edition, or no file of it."""
        row = self._connection().execute("SELECT digest FROM editions WHERE edition_id = ?", (edition_id,)).fetchone()
        return row[0] if row else None

    def pages(self, edition_id: str) -> list[Page]:
        rows = self._connection().execute(f"SELECT {PAGE_COLUMNS} FROM pages WHERE edition_id = ? ORDER BY number", (edition_id,))
        return [page_from(row) for row in rows]

    def page_count(self, edition_id: str) -> int:
        return int(self._connection().execute("SELECT count(*) FROM pages WHERE edition_id = ?", (edition_id,)).fetchone()[0])

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """The passages with these keys; one that has been removed meanwhile is left out."""
        marks = ",".join("?" * len(keys))
        rows = self._connection().execute(f"SELECT key, {PASSAGE_COLUMNS} FROM passages WHERE key IN ({marks})", [int(key) for key in keys])
        return {row["key"]: passage_from(row) for row in rows}

    def passages_of(self, edition_id: str) -> dict[int, Passage]:
        """The passages that stand on pages of an edition, by key, in reading order."""
        rows = self._connection().execute(
            f"SELECT key, {PASSAGE_COLUMNS} FROM passages WHERE edition_id = ? AND first_page > 0 ORDER BY ordinal", (edition_id,)
        )
        return {row["key"]: passage_from(row) for row in rows}

    def passage_table(self) -> list[tuple[int, str, bool]]:
        """(key, edition_id, whether it stands on a page) of every passage, by key."""
        rows = self._connection().execute("SELECT key, edition_id, first_page > 0 FROM passages ORDER BY key")
        return [(key, edition_id, bool(on_page)) for key, edition_id, on_page in rows]

    def passage_languages(self) -> list[str]:
        """The language of every passage, by key."""
        return [row[0] for row in self._connection().execute("SELECT language FROM passages ORDER BY key")]

    def vectors(self, after: int = 0, last: int = 2**62) -> tuple[Keys, Vectors]:
        """The raw vectors of all passages with a key above `after`, up to `last`, by key: shapes (passages,) and (passages, dimension)."""
        keys, blobs = [], []
        for key, blob in self._connection().execute("SELECT key, vector FROM passages WHERE key > ? AND key <= ? ORDER BY key", (after, last)):
            keys.append(key)
            blobs.append(blob)
        vectors = np.frombuffer(b"".join(blobs), np.float16).reshape(len(keys), -1 if keys else 0).astype(np.float32)
        return np.asarray(keys, np.int64), vectors

    def passage_count(self) -> int:
        return int(self._connection().execute("SELECT count(*) FROM passages").fetchone()[0])

    def document_counts(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many passages each term stands; "term*" sums over all terms that begin so, and may count a passage more than once."""
        return count_documents(self._connection(), terms)

    def best_matches(self, expression: str, k: int) -> list[tuple[int, float, str]]:
        """(key, BM25, terms) of the k passages that match an FTS5 expression best; BM25 is positive, higher is better."""
        rows = self._connection().execute("SELECT rowid, -rank, terms FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (expression, k))
        return sorted((tuple(row) for row in rows), key=lambda match: (-match[1], match[0]))

    def matching(self, expression: str) -> Keys:
        """The keys of all passages that match an FTS5 expression, growing."""
        rows = self._connection().execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid", (expression,))
        return np.fromiter((row[0] for row in rows), np.int64)

    def counts(self) -> dict[str, int]:
        """How many publications, editions, languages, pages and passages there are."""
        tables = ("publications", "editions", "pages", "passages")
        counts = {table: self._connection().execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        return counts | {"languages": self._connection().execute("SELECT count(DISTINCT language) FROM editions").fetchone()[0]}

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file; nothing when it is sound."""
        connection = self._connection()
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        except sqlite3.DatabaseError as error:
            return [str(error)]
        lengths = connection.execute("SELECT count(DISTINCT length(vector)) FROM passages").fetchone()[0]
        found += ["the vectors of passages have different lengths"] if lengths > 1 else []
        return found + [f"row {row['rowid']} of {row['table']} points to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
