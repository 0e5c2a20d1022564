"""Bring a library up to date with a folder of publications: read what is new or changed, keep the rest, drop what has gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from index import candidate, generations, language_priors
from index.changes import Changes
from index.contents import EditionState
from index.decisions import Decisions
from index.encoder import Encoder
from index.library import ChangedFileError, Library
from index.passage_encoding import Encodings, encode
from index.searcher import require_encoder
from ingest.catalogue import Entry, read_catalogue
from ingest.language import prevailing
from ingest.ocr import installed_packs
from ingest.passages import LANGUAGE_VERSION, with_languages
from ingest.pipeline import READING_VERSION
from ingest.reading import Source
from ingest.records import UNDETERMINED, Edition, Publication
from search_app.intake import READERS, Order, Where, unread, workers_at
from search_app.storing import Cut, Encoded, encode_missing, put_entry, store_entry, store_reading

BESIDE = (
    0.05  # share of a large library's passages that may have come or gone since its generation was built, which takes as long as the library is large
)

Progress = Callable[[int, int, str], None]  # editions done, editions to do, what is being done


@dataclass(slots=True)
class Report:
    """What an ingest did. `editions` holds every edition of the folder, also those that needed nothing."""

    editions: list[EditionState] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # of the catalogue, one line each
    refused: list[str] = field(default_factory=list)  # files in formats that are not read, one line each
    kept: list[str] = field(default_factory=list)  # publications that analysts changed or removed, which the folder no longer changes
    done: Counter[str] = field(default_factory=Counter)  # "read", "failed", "unchanged", "removed"

    @property
    def failed(self) -> bool:
        """Whether anything asks for a human: a wrong catalogue entry, or a file without any readable text."""
        return bool(self.problems or self.refused) or any(edition.state == "failed" for edition in self.editions)


def ingest(
    folder: Path, library: Library, encoder: Encoder, again: bool = False, workers: Where = READERS, progress: Progress = lambda *_: None
) -> Report:  # fmt: skip
    """Make the library hold what `folder` holds; what was ingested from other folders stays.

    Each edition is committed by itself, so an interrupted ingest goes on where it stopped. `again` reads every file anew. Raises
    NoPublicationsError, BusyLibraryError and WrongEncoderError before anything is changed, WorkersError before and while files are read.
    """
    folder = folder.resolve()
    catalogue = read_catalogue(folder)
    with library.writing():
        require_encoder(library, encoder)
        if library.meta("encoder") != encoder.fingerprint:
            library.set_meta("encoder", encoder.fingerprint)
        states = {state.edition.edition_id: state for state in library.edition_states()}
        packs = installed_packs() if any(state.wants for state in states.values()) else frozenset()
        run = _Run(str(folder), library, encoder, states, packs, Report(problems=list(catalogue.problems), refused=list(catalogue.refused)))
        mine = [entry for entry in catalogue.entries if not run.taken(entry)]
        for entry in mine:
            if entry.catalogued and run.store(entry.publication):
                run.forget_files(entry)
        told_anew = library.meta("language_version") != str(LANGUAGE_VERSION)
        if told_anew:
            run.tell_languages({entry.publication.publication_id for entry in mine if not entry.catalogued})
        run.read([job for entry in mine for job in run.jobs(entry, again)], workers, progress)
        if catalogue.complete:
            run.remove_gone({entry.publication.publication_id for entry in catalogue.entries} | catalogue.faulty)
        encode_missing(library, encoder)
        learning = language_priors.wanted(library)
        if learning:
            language_priors.learn(library, encoder, lambda done, total: progress(done, total, "Learning where languages lie"))
        if learning or told_anew or _wants_generation(library):
            generations.build(library)
        library.set_meta("language_version", str(LANGUAGE_VERSION))  # only now: an interrupted ingest must build the generation yet
        run.report.editions = [state for state in library.edition_states() if state.folder == str(folder)]
    return run.report


@dataclass(frozen=True, slots=True)
class _Run:
    """One ingest: where from, where to, what the library knew before, and what came of it."""

    folder: str
    library: Library
    encoder: Encoder
    states: Mapping[str, EditionState]  # by edition_id, before this ingest
    packs: Collection[str]  # the language packs for recognition that are installed, if any edition wants one
    report: Report

    def taken(self, entry: Entry) -> bool:
        """Whether analysts keep a publication of this name, or another folder, which still exists, has already given the library one."""
        name = entry.publication.publication_id
        other = self.library.folder_of(name)
        if Changes(self.library).kept_here(name):
            self.report.kept.append(name)
            return True
        if other in (None, self.folder) or not Path(other).exists():
            return False
        self.report.problems.append(f"{self.folder}: expected names that are not in the library yet, found {name!r}, which was ingested from {other}")
        return True

    def store(self, publication: Publication) -> bool:
        """Store what the folder says of a publication, unless an analyst took it up meanwhile."""
        stored = store_entry(self.library, self.encoder, publication, self.folder)
        if not stored:
            self.report.kept.append(publication.publication_id)
        return stored

    def jobs(self, entry: Entry, again: bool) -> Iterator[_Job]:
        """The editions whose file must be read."""
        states = {state.edition.edition_id: state for state in self.library.edition_states(entry.publication.publication_id)}
        for edition in entry.publication.editions:
            path, state = entry.files.get(edition.edition_id), states.get(edition.edition_id)
            if path is None or edition.digest is None:
                continue
            if not again and state and self._is_up_to_date(state, edition):
                self.report.done["unchanged"] += 1
            else:
                yield _Job(entry, edition, path)

    def _is_up_to_date(self, state: EditionState, edition: Edition) -> bool:
        return (state.edition.digest, state.reading_version) == (edition.digest, READING_VERSION) and state.wants not in self.packs

    def tell_languages(self, bare: Collection[str]) -> None:
        """Tell the languages of the stored passages anew, and those of the publications of these ids, which no catalogue tells. Reads no file."""
        for name in bare:
            stored = self.library.entry(name)
            language = prevailing(page.text for page in self.library.pages(stored.editions[0].edition_id)) if stored else UNDETERMINED
            if stored and language not in (UNDETERMINED, stored.editions[0].language):
                titles, abstracts = _in_language(stored.titles, language), _in_language(stored.abstracts, language)
                edition = replace(stored.editions[0], language=language)
                self.store(replace(stored, titles=titles, abstracts=abstracts, editions=(edition,)))
        told: dict[int, str] = {}
        for state in self.library.edition_states():
            stored_passages = self.library.passages_of(state.edition.edition_id)
            anew = with_languages(list(stored_passages.values()), state.edition.language)
            told |= {key: new.language for (key, old), new in zip(stored_passages.items(), anew, strict=True) if new.language != old.language}
        self.library.put_languages(told)

    def forget_files(self, entry: Entry) -> None:
        """Drop the pages of editions that the catalogue now describes without a file."""
        for edition in entry.publication.editions:
            state = self.states.get(edition.edition_id)
            if edition.edition_id not in entry.files and state and state.edition.digest:
                self.library.put_reading(
                    replace(state, edition=edition, state="no file", reason="", wants=""), (), (), encode(self.encoder, [], []).vectors
                )

    def read(self, jobs: Sequence[_Job], workers: Where, progress: Progress) -> None:
        """Read the files, beside each other; store each edition as soon as it is encoded."""
        by_id = {job.edition.edition_id: job for job in jobs}
        progress(0, len(jobs), "")
        if not jobs:
            return
        lost: list[tuple[Order, str]] = []
        with workers_at(workers, self.encoder) as at_work, closing(at_work.encoded(self._orders(jobs, lost))) as encoded:
            every = chain(encoded, (unread(order, problem, self.encoder) for order, problem in lost))
            for done, (cut, made) in enumerate(every, start=1):
                self._put(by_id[cut.edition.edition_id], cut, made)
                progress(done, len(jobs), cut.edition.edition_id)

    def _put(self, job: _Job, cut: Cut, made: Encodings) -> None:
        """Store an edition, and its publication where that is described by its file."""
        border, fingerprint = len(cut.entry), self.encoder.fingerprint
        if not self._described(job, cut, made.part(0, border)):
            return
        if cut.reading.content:  # until now nothing named it: with an upload of the same file it may have been discarded
            self.library.keep_file(job.path, cut.edition.digest or "")
        state = store_reading(self.library, cut, made.part(border), fingerprint)
        if state:
            self.report.done["failed" if state == "failed" else "read"] += 1

    def _described(self, job: _Job, cut: Cut, made: Encodings) -> bool:
        """Store what a bare file says of itself; False where analysts keep its publication."""
        if job.entry.catalogued or cut.publication is None:
            return True
        stored = put_entry(self.library, cut.publication, self.folder, Encoded.of(cut.entry, made, self.encoder))
        self.report.kept += [] if stored else [cut.publication.publication_id]
        return stored

    def _orders(self, jobs: Sequence[_Job], lost: list[tuple[Order, str]]) -> Generator[Order]:
        """Keep each file in the library and yield how it is to be read; one that cannot be kept goes to `lost` with the reason."""
        decisions = Decisions(self.library)
        try:
            for job in jobs:
                edition, digest, called = job.edition, job.edition.digest or "", "" if job.entry.catalogued else job.path.stem
                order = Order(
                    job.entry.publication, edition, Source(edition.edition_id, job.path, edition.language, decisions.recognise(digest)), called
                )
                try:
                    kept = self.library.keep_file(job.path, digest)
                except (OSError, ChangedFileError) as error:
                    lost.append((order, f"the file could not be kept: {error}"))
                else:
                    yield replace(order, source=replace(order.source, path=kept))
        finally:
            self.library.close()

    def remove_gone(self, kept: Collection[str]) -> None:
        """Remove the publications that came from this folder and are not in it any more."""
        gone = {state.edition.publication_id for state in self.states.values() if state.folder == self.folder}.difference(kept)
        for publication_id in sorted(gone):
            if self.library.remove_publication(publication_id, self.folder):
                self.report.done["removed"] += 1


@dataclass(frozen=True, slots=True)
class _Job:
    entry: Entry
    edition: Edition
    path: Path


def _in_language(texts: Mapping[str, str], language: str) -> dict[str, str]:
    """What a bare file says of itself, at most one text, as a text in this language."""
    return dict(zip([language], texts.values(), strict=False))


def _wants_generation(library: Library) -> bool:
    """Whether another one would be made now, and what has changed since is too much to be searched beside the one in use. Looks at no passage."""
    if generations.is_current(library):
        return False
    there = candidate.standing(library, generations.IN_USE)
    if there is None or there.encoder != library.meta("encoder"):
        return True
    changed = there.newer + there.gone
    return not changed or there.passages <= generations.EXACT or changed > BESIDE * there.passages
