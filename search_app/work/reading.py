"""The job "reading": read the files of editions, and encode what the catalogue says of publications; whatever was interrupted goes on."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from index import candidate, generations, language_priors
from index.contents import EditionState
from index.decisions import Decisions
from index.encoder import Encoder
from index.jobs import Document, Jobs
from index.library import Library
from index.passage_encoding import Encodings, encode
from index.searcher import require_encoder
from ingest.ocr import installed_packs
from ingest.pipeline import READING_VERSION, Reading
from ingest.reading import Source
from search_app.intake import Order, Workers, workers_at
from search_app.storing import Cut, encode_entries, store_reading
from search_app.work.task import Task

DEATHS = 2  # of the worker, while it had a file in hand, after which that file is not read any more
GONE = "the catalogue has no such edition any more, or none with a file"
DEADLY = (
    f"the worker ended {DEATHS} times while this file was read or encoded; the file may be damaged or hostile: if it is sound, print it to a new PDF"
)


def run(task: Task) -> None:
    """Read and encode what the job names. Each document is stored by itself, so a job that is run again goes on where it stopped."""
    own_encoder(task.library, task.encoder)
    encode_entries(task.library, task.encoder)
    with workers_at(task.workers, task.encoder) as workers:
        reading = _Run(task, workers)
        for document in reading.suspects():
            reading.read([document])  # alone, so that no other is blamed for what it does
        while documents := task.documents():
            reading.read(documents)
    reading.say("")
    _build_first(task, reading)


def own_encoder(library: Library, encoder: Encoder) -> None:
    """Note by which encoder a new library is made; raises WrongEncoderError for an older one that was made by another."""
    require_encoder(library, encoder)
    if library.meta("encoder") != encoder.fingerprint:
        library.set_meta("encoder", encoder.fingerprint)


def adopt(library: Library) -> int | None:
    """Ask for a job for the editions that are still to be read and that nobody asks for; None when there are none.

    Such are those of a library in which an older version read, or for which a language pack has come. What was cancelled stays so, and what came
    from a folder is for the ingest of that folder, as long as there is one.
    """
    pending = [state for state in library.edition_states() if state.file and (not state.folder or not Path(state.folder).exists())]
    packs = installed_packs() if any(state.wants for state in pending) else frozenset[str]()
    pending = [state for state in pending if (state.file, READING_VERSION) != (state.edition.digest, state.reading_version) or state.wants in packs]
    if not pending and not library.without_catalogue_passages():
        return None
    jobs = Jobs(library)
    asked = jobs.last_states()
    names = [state.edition.edition_id for state in pending if asked.get(state.edition.edition_id) not in ("waiting", "reading", "cancelled")]
    entries_wait = library.without_catalogue_passages() and not any(job.kind == "reading" for job in jobs.open_jobs())
    return jobs.add("reading", "", names) if names or entries_wait else None


def source_of(library: Library, state: EditionState) -> Source:
    """How the file of an edition is to be read."""
    digest = state.file or ""
    return Source(state.edition.edition_id, library.file(digest), state.edition.language, Decisions(library).recognise(digest))


@dataclass(frozen=True, slots=True)
class _Run:
    task: Task
    workers: Workers

    def suspects(self) -> Iterator[Document]:
        """The documents that the last worker had in hand when it died; one over which two died has failed."""
        for document in self.task.documents():
            state = self._state(document.name)
            if document.state != "reading":
                continue
            if document.attempts >= DEATHS and state:
                publication = self.task.library.entry(state.wanted.publication_id)  # by its title, what is stored counts as read by this version
                self._store(Cut(publication, state.wanted, Reading(document.name, None, DEADLY), ()), encode(self.task.encoder, [], []))
            else:
                yield document

    def read(self, documents: Sequence[Document]) -> None:
        """Read files beside each other; store each as soon as it is encoded."""
        with closing(self.workers.encoded(self._orders(documents))) as encoded:
            for cut, made in encoded:
                self.say(cut.edition.edition_id)
                self._store(cut, made)

    def say(self, doing: str) -> None:
        documents = Jobs(self.task.library).documents(self.task.job.job_id)
        self.task.progress(sum(document.state not in ("waiting", "reading") for document in documents), len(documents), doing)

    def _orders(self, documents: Sequence[Document]) -> Generator[Order]:
        """Hand over each file when there is somebody to read it, as the catalogue then says; what is not to be read any more is left out."""
        library = self.task.library
        try:
            for document in documents:
                state = self._state(document.name)
                if state is None:
                    self.task.document(document.name, "cancelled", GONE)
                    continue
                self.task.document(document.name, "reading")
                yield Order(library.entry(state.wanted.publication_id), state.wanted, source_of(library, state))
        finally:
            library.close()

    def _store(self, cut: Cut, made: Encodings) -> None:
        """Store what was read; when the catalogue has changed its mind meanwhile, the edition waits to be read as it now says."""
        name = cut.edition.edition_id
        now = self._state(name)
        state = store_reading(self.task.library, cut, made, self.task.encoder.fingerprint) if now and now.wanted == cut.edition else None
        if state is None or state == "waiting" or state == "no file":
            self.task.document(name, "waiting")
        else:
            stored = self._state(name)
            self.task.document(name, state, stored.reason if stored else "")

    def _state(self, name: str) -> EditionState | None:
        """What the library knows of an edition that has a file."""
        edition = self.task.library.edition(name)
        states = self.task.library.edition_states(edition.publication_id) if edition else []
        return next((state for state in states if state.edition.edition_id == name and state.file), None)


def _build_first(task: Task, reading: _Run) -> None:
    """Build the first generation that holds anything; later ones are built when somebody asks for it, and until then new passages are searched beside."""
    library = task.library
    there = candidate.standing(library, generations.IN_USE)
    if there and there.passages:
        return
    if language_priors.wanted(library):
        language_priors.learn(library, task.encoder, lambda done, total: reading.say(f"{done}/{total}"))
    generations.build(library)
