"""The library on disk: one SQLite file is the truth, the original files lie beside it. With index/contents.py, index/tables.py and index/database.py, all that knows SQL.

    library.sqlite        publications, editions, pages, passages and each passage's raw vector, codes and words
    files/ab/abcd...pdf   originals (.pdf, .docx, .html), named by their SHA-256
    generations/          what FAISS serves, derived, as the table meta says; see index/generations.py

An edition is in when its transaction has been committed with synchronous=FULL: acknowledged means on disk. Readers and one writer work at
the same time (write-ahead log); each thread has its own connection.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from index import room
from index.contents import Contents, EditionState
from index.database import MANIFEST as MANIFEST
from index.durable import checksum, make_folder, sync_file, sync_folder
from index.encoder import Vectors
from index.postings import Postings
from index.schema import FORMAT, NOW
from index.store import BusyLibraryError, DamagedLibraryError, ReadOnlyLibraryError, StoreUnreachableError, UnusableLibraryError
from index.tables import delete_catalogue_passages, encoder_number, insert_pages, insert_passages, insert_vectors, put_catalogue_entry
from index.terms import TERMS_VERSION
from ingest.records import IsoglossError, Page, Passage, Publication


class ChangedFileError(IsoglossError):
    """A file is not what it was a moment ago."""


class EncoderInUseError(IsoglossError):
    """The library cannot do without an encoder's vectors."""


class Library(Contents):
    """One library folder: all it holds, and how that changes."""

    def __init__(self, folder: Path, address: str | None = None) -> None:
        super().__init__(folder, address)
        self.postings = Postings(self)

    @classmethod
    def open(cls, folder: Path, address: str | None = None) -> Library:
        """Open the library in `folder`; raises UnusableLibraryError. Here and below, `address` says where its rows are, as `Database` does."""
        library = cls(folder, address)
        file = library.store.where
        if not library.store.exists():
            raise UnusableLibraryError(f"No library in {folder}; run: isogloss ingest FOLDER-OF-PUBLICATIONS --library {folder}")
        try:
            found = library.meta("format")
        except DamagedLibraryError as error:
            raise UnusableLibraryError(f"{file} is not a library: {error.__cause__ or error}. Restore it from a backup.") from error
        if found.isdecimal() and int(found) in library.store.formats:
            if (folder / MANIFEST).exists():
                raise UnusableLibraryError(f"{folder} is a backup that an older version made, and is not changed; run: isogloss restore {folder}")
            library._bring_up_to_date()
        elif found != str(FORMAT):
            raise UnusableLibraryError(
                f"{file} has format {found}, this program reads format {FORMAT}; use the version that made it, or ingest into a new folder"
            )
        elif library.meta("terms") != TERMS_VERSION and not (folder / MANIFEST).exists():
            with suppress(ReadOnlyLibraryError, StoreUnreachableError):  # words are still found, only by the former rules
                library._bring_up_to_date()
        return library

    @classmethod
    def create(cls, folder: Path, address: str | None = None) -> Library:
        """Open the library in `folder`, making an empty one when there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        library = cls(folder, address)
        with library.store.lock("making"):
            if library.store.is_empty():
                library.store.make({"format": str(FORMAT), "revision": "1", "removed": "0", "terms": TERMS_VERSION})
        library.close()
        return cls.open(folder, address)

    def _bring_up_to_date(self) -> None:
        """Give the tables the format of now, and the words the terms of now, all at once; a million passages take minutes."""
        with self.transaction() as run:
            found = int(self.meta("format"))  # asked again, because another process may have done it
            if found < FORMAT:
                self.store.migrate(run, found)
            if self.meta("terms") != TERMS_VERSION:
                self.store.words.anew(run)
                self.set_meta("terms", TERMS_VERSION)

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the library for writing; raises BusyLibraryError at once when another process does."""
        with ExitStack() as held:
            try:
                held.enter_context(self.store.lock("writing", patience=0))
            except TimeoutError as error:
                raise BusyLibraryError(f"Another process is writing to {self.folder}; wait until it has ended.") from error
            yield

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Wait until no other import goes on, so that the same catalogue sent twice at once is stored once."""
        with self.store.lock("importing"):
            yield

    def file(self, digest: str) -> Path:
        """Where the original with this digest lies, or would lie."""
        home = self.folder / "files" / digest[:2]
        return next(home.glob(f"{digest}.*"), home / f"{digest}.pdf")

    def keep_file(self, path: Path, digest: str) -> Path:
        """Copy an original into the library under its digest; return where it lies, once it is on disk. Raises ChangedFileError."""
        kept = self.file(digest)
        if not kept.exists():
            kept = kept.with_suffix(path.suffix.lower())
            with room.noticing(self.folder):
                make_folder(kept.parent)
                with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".copying-") as scratch:
                    copy = Path(scratch) / kept.name
                    shutil.copyfile(path, copy)
                    if checksum(copy) != digest:
                        raise ChangedFileError(f"{path} changed while it was being read; ingest its folder again")
                    sync_file(copy)
                    copy.replace(kept)
                sync_folder(kept.parent)
        return kept

    def take_file(self, path: Path, digest: str) -> Path:
        """Move an original, a PDF whose digest this is, into the library; return where it lies, once that is on disk. Done again, it does nothing."""
        kept = self.file(digest)
        make_folder(kept.parent)
        if path.exists():
            path.chmod(0o644)
            sync_file(path)
            path.replace(kept)  # also where there is one: then the same, or a damaged one
            sync_folder(kept.parent)
            sync_folder(path.parent)
        return kept

    def in_use(self, digest: str) -> bool:
        """Whether an edition has this file or should have it, a change that can be undone names it, or an upload brought it."""
        found = self.rows(
            "SELECT 1 FROM editions WHERE digest = ?1 OR file = ?1 UNION ALL SELECT 1 FROM uploads WHERE digest = ?1 AND state <> 'discarded' "
            "UNION ALL SELECT 1 FROM changes WHERE instr(before || after, ?1) > 0 LIMIT 1",
            (digest,),
        )
        return bool(found)

    def put_publication(
        self,
        publication: Publication,
        folder: str,
        passages: Sequence[Passage],
        vectors: Vectors,
        encoder: str | None = None,
        codes: Sequence[bytes] = (),
    ) -> None:
        """Store what the catalogue says of a publication, with the passages made of it; editions it no longer has are removed.

        The digests of its editions are those of the files that they should have; pages and passages of those that stay are not touched.
        Here and below, `encoder` is the fingerprint of the one that made the vectors; None stands for that of the library. `codes`, where it made
        any, are those of the passages, in their order.
        """
        with self.transaction() as run:
            put_catalogue_entry(run, publication, folder)
            insert_passages(run, passages, vectors, self._own(encoder), codes)

    def put_catalogue_passages(
        self, publication_id: str, passages: Sequence[Passage], vectors: Vectors, encoder: str | None = None, codes: Sequence[bytes] = ()
    ) -> None:
        """Store the passages made of a catalogue entry in place of those that were there; they are of editions that it has."""
        with self.transaction() as run:
            delete_catalogue_passages(run, publication_id)
            insert_passages(run, passages, vectors, self._own(encoder), codes)

    def put_reading(
        self,
        state: EditionState,
        pages: Sequence[Page],
        passages: Sequence[Passage],
        vectors: Vectors,
        encoder: str | None = None,
        codes: Sequence[bytes] = (),
    ) -> bool:
        """Store what reading an edition's file gave, in place of what was there; False, and nothing is stored, when the catalogue says another file."""
        edition = state.edition
        with self.transaction() as run:
            found = run(
                "UPDATE editions SET digest = ?1, state = ?2, reason = ?3, reading_version = ?4, wants = ?5 WHERE edition_id = ?6 AND file IS NOT DISTINCT FROM ?1",
                (edition.digest, state.state, state.reason, state.reading_version, state.wants, edition.edition_id),
            )
            if not found.rowcount:
                return False
            run("DELETE FROM pages WHERE edition_id = ?", (edition.edition_id,))
            run("DELETE FROM passages WHERE edition_id = ? AND first_page > 0", (edition.edition_id,))
            insert_pages(run, pages)
            insert_passages(run, passages, vectors, self._own(encoder), codes)
            run(f"UPDATE publications SET changed = {NOW} WHERE publication_id = ?", (edition.publication_id,))
        return True

    def read_again(self, edition_ids: Iterable[str]) -> None:
        """Forget how these editions were read, so that the next ingest reads them again; until then they stay as they are."""
        with self.transaction() as run:
            run.many("UPDATE editions SET reading_version = 0 WHERE edition_id = ?", ((edition_id,) for edition_id in edition_ids))

    def put_languages(self, languages: Mapping[int, str]) -> None:
        """Store other languages for the passages with these keys; their texts and vectors stay."""
        with self.transaction() as run:
            run.many("UPDATE passages SET language = ? WHERE key = ?", ((language, key) for key, language in languages.items()))

    def remove_publication(self, publication_id: str, folder: str | None = None) -> bool:
        """Remove a publication with all that was read of it; False, and nothing is removed, where it is not kept up to date from `folder`, if given."""
        with self.transaction() as run:
            found = run("DELETE FROM publications WHERE publication_id = ?1 AND coalesce(?2, folder) = folder", (publication_id, folder))
        return bool(found.rowcount)

    def put_vectors(self, encoder: str, vectors: Mapping[int, Vectors], codes: Mapping[int, bytes] | None = None) -> None:
        """Store what an encoder made of passages that are there already, by key, in place of what it made before, codes too; one that has been
        removed meanwhile is passed over."""
        with self.transaction(contents=False) as run:
            number, there = encoder_number(run, encoder), list(self.passages(list(vectors)))
            if there:
                run.many("DELETE FROM vectors WHERE key = ? AND encoder = ?", ((key, number) for key in there))
                insert_vectors(run, number, there, np.stack([vectors[key] for key in there]), [(codes or {}).get(key) for key in there])

    def name_encoder(self, encoder: str, name: str) -> None:
        """Note by which name an encoder can be opened."""
        with self.transaction(contents=False) as run:
            run("UPDATE encoders SET name = ? WHERE number = ?", (name, encoder_number(run, encoder)))

    def forget_encoder(self, encoder: str) -> None:
        """Drop the vectors of an encoder, some at a time, so that nobody who writes has to wait long. Raises EncoderInUseError."""
        while True:
            with self.transaction(contents=False) as run:
                if encoder == self.meta("encoder"):  # it may have been brought back since somebody looked
                    raise EncoderInUseError("Expected an encoder that is not in use, found the library's own; its vectors stay.")
                number = encoder_number(run, encoder)
                some = "SELECT key FROM vectors WHERE encoder = ?1 LIMIT 10000"
                if not run(f"DELETE FROM vectors WHERE encoder = ?1 AND key IN ({some})", (number,)).rowcount:
                    run("DELETE FROM encoders WHERE number = ?", (number,))
                    return

    def _own(self, encoder: str | None) -> str:
        return self.meta("encoder") if encoder is None else encoder
