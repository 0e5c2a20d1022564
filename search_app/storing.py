"""What is read and what the catalogue says, encoded and stored in a library: for the ingest of a folder and for the jobs of the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from index.changes import Changes
from index.contents import EditionState, State
from index.encoder import Encoder, Vectors
from index.library import Library
from ingest.health import summary
from ingest.language import known, same_language
from ingest.passages import UNDER_HEADINGS, catalogue_passages, cut_pages, encoded_text
from ingest.pipeline import READING_VERSION, Reading
from ingest.records import UNDETERMINED, Content, Edition, Passage, Publication

BATCH = 64  # passages encoded between two commits: seconds of work that a crash can lose

Progress = Callable[[int, int], None]


def store_entry(library: Library, encoder: Encoder, publication: Publication, folder: str) -> bool:
    """Store the catalogue's words, encoding them only when they are new; editions whose title is another one now are read again.

    The digests of its editions are those of the files that the catalogue says. False, and nothing is stored, where analysts keep the publication.
    """
    name = publication.publication_id
    stored = library.entry(name)
    if stored != publication or library.folder_of(name) != folder:
        passages, vectors = entry_passages(encoder, publication)
        with library.transaction():
            if Changes(library).kept_here(name):  # also where somebody took it up while this was encoded
                return False
            library.put_publication(publication, folder, passages, vectors, encoder.fingerprint)
            library.read_again(retitled(stored, publication))
    return True


def entry_passages(encoder: Encoder, publication: Publication) -> tuple[Sequence[Passage], Vectors]:
    """The passages that are made of a catalogue entry, with their vectors."""
    passages = catalogue_passages(publication, encoder.count_tokens)
    return passages, encoder.encode_passages([passage.text for passage in passages])


def change_entry(library: Library, by: str, what: str, expected: Publication | None, after: Publication) -> int | None:
    """Change the catalogue at an analyst's word, as `Changes.put` does: all is on disk when this returns, the job that it returns does the rest."""
    return Changes(library).put(by, what, expected, after, retitled(expected, after))


def undo_change(library: Library, by: str, change_id: int) -> int | None:
    """Undo a change as `Changes.undo` does; editions that get another title back are read again."""
    change = Changes(library).change(change_id)
    again = retitled(change.after, change.before) if change and change.before else []
    return Changes(library).undo(by, change_id, again)


def encode_entries(library: Library, encoder: Encoder) -> None:
    """Make the passages of catalogue entries that were changed since they were encoded."""
    for name in library.without_catalogue_passages():
        publication = library.publication(name)
        passages, vectors = entry_passages(encoder, publication) if publication else ((), None)
        if passages and vectors is not None:
            library.put_catalogue_passages(name, passages, vectors, encoder.fingerprint)


def encode_missing(library: Library, encoder: Encoder, progress: Progress = lambda *_: None) -> None:
    """Give every stored passage that this encoder has not encoded yet its vector, also those that come meanwhile; no file is read.

    Each batch is committed, so an interrupted run goes on where it stopped. progress(done, total) counts passages, also those of earlier runs.
    """
    while missing := library.without_vector(encoder.fingerprint):
        total = library.passage_count()
        done = total - len(missing)
        for start in range(0, len(missing), BATCH):
            progress(done, total)
            passages = library.passages(missing[start : start + BATCH])
            vectors = encoder.encode_passages(_texts(library, list(passages.values())))
            library.put_vectors(encoder.fingerprint, dict(zip(passages, vectors, strict=True)))
            done += len(missing[start : start + BATCH])
        progress(done, total)


def _texts(library: Library, passages: Sequence[Passage]) -> list[str]:
    """What the encoder is given of stored passages, the same as when they were new: the catalogue's own words stand below no title."""
    titles = {}
    for edition_id in {passage.edition_id for passage in passages if passage.first_page}:
        edition = library.edition(edition_id)
        publication = library.entry(edition.publication_id) if edition else None
        titles[edition_id] = title_of(publication, edition) if publication and edition else ""
    return [encoded_text(passage, titles[passage.edition_id]) if passage.first_page else passage.text for passage in passages]


def retitled(before: Publication | None, after: Publication) -> list[str]:
    """The ids of the editions whose title changes; the encoder is given it above every passage."""
    if before is None or not UNDER_HEADINGS:
        return []
    titles = {edition.edition_id: title_of(before, edition) for edition in before.editions}
    return [
        edition.edition_id for edition in after.editions if edition.edition_id in titles and titles[edition.edition_id] != title_of(after, edition)
    ]


def store_reading(library: Library, encoder: Encoder, edition: Edition, reading: Reading) -> State | None:
    """Cut what was read into passages, encode and store them; return how well it could be read, None when the edition no longer wants that file."""
    publication = library.entry(edition.publication_id)
    if publication is None:
        return None
    content = reading.content or Content("", ())
    passages = cut_pages(content.pages, encoder.count_tokens, edition.language, content.headings)
    title = title_of(publication, edition)
    vectors = encoder.encode_passages([encoded_text(passage, title) for passage in passages])
    state, reason = _judged(edition, reading, passages)
    known_state = EditionState(edition, state, reason, READING_VERSION, "", content.wants)
    return state if library.put_reading(known_state, content.pages, passages, vectors, encoder.fingerprint) else None


def title_of(publication: Publication, edition: Edition) -> str:
    """The title in the edition's own language, or ""."""
    titles = publication.titles
    return titles.get(edition.language) or next((title for tag, title in titles.items() if same_language(tag, edition.language)), "")


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
