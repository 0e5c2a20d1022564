"""Bring a library up to date with a folder of publications: read what is new or changed, keep the rest, drop what has gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from index import generations, language_priors
from index.contents import EditionState, State
from index.encoder import Encoder
from index.library import ChangedFileError, Library
from index.searcher import require_encoder
from ingest.catalogue import Entry, read_catalogue
from ingest.health import summary
from ingest.language import known, prevailing, same_language
from ingest.ocr import installed_packs
from ingest.passages import LANGUAGE_VERSION, UNDER_HEADINGS, catalogue_passages, cut_pages, encoded_text, with_languages
from ingest.pipeline import READING_VERSION, Reading, read_files
from ingest.records import UNDETERMINED, Content, Edition, Passage, Publication
from search_app.describing import language_of

Progress = Callable[[int, int, str], None]  # editions done, editions to do, what is being done


@dataclass(slots=True)
class Report:
    """What an ingest did. `editions` holds every edition of the folder, also those that needed nothing."""

    editions: list[EditionState] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # of the catalogue, one line each
    refused: list[str] = field(default_factory=list)  # files in formats that are not read, one line each
    done: Counter[str] = field(default_factory=Counter)  # "read", "failed", "unchanged", "removed"

    @property
    def failed(self) -> bool:
        """Whether anything asks for a human: a wrong catalogue entry, or a file without any readable text."""
        return bool(self.problems or self.refused) or any(edition.state == "failed" for edition in self.editions)


def ingest(folder: Path, library: Library, encoder: Encoder, again: bool = False, workers: int = 2, progress: Progress = lambda *_: None) -> Report:
    """Make the library hold what `folder` holds; what was ingested from other folders stays.

    Each edition is committed by itself, so an interrupted ingest goes on where it stopped. `again` reads every file anew. Raises
    NoPublicationsError, BusyLibraryError and WrongEncoderError before anything is changed.
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
            if entry.catalogued:
                run.store_entry(entry.publication)
                run.forget_files(entry)
        told_anew = library.meta("language_version") != str(LANGUAGE_VERSION)
        if told_anew:
            run.tell_languages({entry.publication.publication_id for entry in mine if not entry.catalogued})
        run.read([job for entry in mine for job in run.jobs(entry, again)], workers, progress)
        if catalogue.complete:
            run.remove_gone({entry.publication.publication_id for entry in catalogue.entries} | catalogue.faulty)
        learning = language_priors.wanted(library)
        if learning:
            language_priors.learn(library, encoder, lambda done, total: progress(done, total, "Learning where languages lie"))
        if learning or told_anew or _generation_is_old(library):
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
        """Whether another folder, which still exists, has already given the library a publication of this name."""
        name = entry.publication.publication_id
        other = self.library.folder_of(name)
        if other in ("", self.folder) or not Path(other).exists():
            return False
        self.report.problems.append(f"{self.folder}: expected names that are not in the library yet, found {name!r}, which was ingested from {other}")
        return True

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
            stored = self.library.publication(name)
            language = prevailing(page.text for page in self.library.pages(stored.editions[0].edition_id)) if stored else UNDETERMINED
            if stored and language not in (UNDETERMINED, stored.editions[0].language):
                titles, abstracts = _in_language(stored.titles, language), _in_language(stored.abstracts, language)
                edition = replace(stored.editions[0], language=language)
                self.store_entry(replace(stored, titles=titles, abstracts=abstracts, editions=(edition,)))
        told: dict[int, str] = {}
        for state in self.library.edition_states():
            stored_passages = self.library.passages_of(state.edition.edition_id)
            anew = with_languages(list(stored_passages.values()), state.edition.language)
            told |= {key: new.language for (key, old), new in zip(stored_passages.items(), anew, strict=True) if new.language != old.language}
        self.library.put_languages(told)

    def store_entry(self, publication: Publication) -> None:
        """Store the catalogue's words, encoding them only when they are new; editions whose title is another one now are read again."""
        stored = self.library.publication(publication.publication_id)
        digests = {edition.edition_id: edition.digest for edition in stored.editions} if stored else {}
        editions = tuple(replace(edition, digest=digests.get(edition.edition_id)) for edition in publication.editions)
        if stored != replace(publication, editions=editions) or self.library.folder_of(publication.publication_id) != self.folder:
            passages = catalogue_passages(publication, self.encoder.count_tokens)
            vectors = self.encoder.encode_passages([passage.text for passage in passages])
            before = {edition.edition_id: _title_of(stored, edition) for edition in stored.editions} if stored and UNDER_HEADINGS else {}
            titles = {edition.edition_id: _title_of(publication, edition) for edition in publication.editions}
            with self.library.transaction():
                self.library.put_publication(publication, self.folder, passages, vectors)
                self.library.read_again(name for name, title in titles.items() if before.get(name, title) != title)

    def forget_files(self, entry: Entry) -> None:
        """Drop the pages of editions that the catalogue now describes without a file."""
        for edition in entry.publication.editions:
            state = self.states.get(edition.edition_id)
            if edition.edition_id not in entry.files and state and state.edition.digest:
                self.library.put_reading(
                    replace(state, edition=edition, state="no file", reason="", wants=""), (), (), self.encoder.encode_passages([])
                )

    def read(self, jobs: Sequence[_Job], workers: int, progress: Progress) -> None:
        """Read the files, beside each other; store each edition as soon as it is encoded."""
        by_id = {job.edition.edition_id: job for job in jobs}
        lost: list[Reading] = []
        progress(0, len(jobs), "")
        for done, reading in enumerate(chain(read_files(self._originals(jobs, lost), workers), lost), start=1):
            job = by_id[reading.edition_id]
            publication, edition = job.entry.publication, job.edition
            if not job.entry.catalogued:
                publication = _described(publication, job.path, reading)
                edition = publication.editions[0]
                self.store_entry(publication)
            state = self._store_reading(edition, reading, _title_of(publication, edition))
            self.report.done["failed" if state == "failed" else "read"] += 1
            progress(done, len(jobs), edition.edition_id)

    def _originals(self, jobs: Sequence[_Job], lost: list[Reading]) -> Iterator[tuple[str, Path, str]]:
        """Keep each file in the library and yield where it lies; one that cannot be kept goes to `lost` with the reason."""
        for job in jobs:
            try:
                yield job.edition.edition_id, self.library.keep_file(job.path, job.edition.digest or ""), job.edition.language
            except (OSError, ChangedFileError) as error:
                lost.append(Reading(job.edition.edition_id, None, f"the file could not be kept: {error}"))

    def remove_gone(self, kept: Collection[str]) -> None:
        """Remove the publications that came from this folder and are not in it any more."""
        gone = {state.edition.publication_id for state in self.states.values() if state.folder == self.folder}.difference(kept)
        for publication_id in sorted(gone):
            self.library.remove_publication(publication_id)
            self.report.done["removed"] += 1

    def _store_reading(self, edition: Edition, reading: Reading, title: str) -> State:
        content = reading.content or Content("", ())
        passages = cut_pages(content.pages, self.encoder.count_tokens, edition.language, content.headings)
        vectors = self.encoder.encode_passages([encoded_text(passage, title) for passage in passages])
        state, reason = _judged(edition, reading, passages)
        known_state = EditionState(edition, state, reason, READING_VERSION, self.folder, content.wants)
        self.library.put_reading(known_state, content.pages, passages, vectors)
        return state


@dataclass(frozen=True, slots=True)
class _Job:
    entry: Entry
    edition: Edition
    path: Path


def _judged(edition: Edition, reading: Reading, passages: Sequence[Passage]) -> tuple[State, str]:
    """Say how well an edition could be read, and what is wrong."""
    if reading.content is None:
        return "failed", reading.problem
    pages = reading.content.pages
    if not any(page.readable for page in pages):
        return "failed", f"no readable text on any of its {len(pages)} pages: {summary(pages) or 'all are empty'}"
    others = [passage.language for passage in passages if not same_language(passage.language, edition.language)]
    found = Counter(language for language in others if language != UNDETERMINED)
    if known(edition.language) and found.total() > len(passages) / 2:
        return "partly read", f"the catalogue says {edition.language}, but the text reads as {found.most_common(1)[0][0]}: {summary(pages)}"
    unread = sum(not page.readable and page.health != "empty" for page in pages)  # a blank page is no loss
    return ("partly read", f"{unread} of {len(pages)} pages without readable text: {summary(pages)}") if unread else ("read", summary(pages))


def _title_of(publication: Publication, edition: Edition) -> str:
    """The title in the edition's own language, or ""."""
    titles = publication.titles
    return titles.get(edition.language) or next((title for tag, title in titles.items() if same_language(tag, edition.language)), "")


def _in_language(texts: Mapping[str, str], language: str) -> dict[str, str]:
    """What a bare file says of itself, at most one text, as a text in this language."""
    return dict(zip([language], texts.values(), strict=False))


def _described(publication: Publication, path: Path, reading: Reading) -> Publication:
    """Describe a bare file by what it says of itself, in the language of its text."""
    content = reading.content or Content("", ())
    language, said = language_of(content), content.proposal
    return replace(
        publication, titles={language: said.title or path.stem}, abstracts={language: said.abstract} if said.abstract else {}, year=said.year,
        authors=said.authors, isbn=said.isbn, doi=said.doi, editions=(replace(publication.editions[0], language=language),),
    )  # fmt: skip


def _generation_is_old(library: Library) -> bool:
    try:
        return bool(generations.load(library).keys.tolist() != [key for key, _, _ in library.passage_table()])
    except generations.DamagedGenerationError:
        return True
