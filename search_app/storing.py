"""What is read and what the catalogue says, encoded and stored in a library: for the ingest of a folder and for the jobs of the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.changes import Changes
from index.contents import EditionState, State
from index.encoder import Encoder, Vectors
from index.library import Library
from index.passage_encoding import Encodings, Seen, codebook_of, encode, kept, seen
from ingest.health import summary
from ingest.language import known, same_language
from ingest.passages import UNDER_HEADINGS, catalogue_passages, cut_pages, encoded_text
from ingest.pipeline import READING_VERSION, Readers, Reading
from ingest.records import UNDETERMINED, Content, Edition, Passage, Publication
from search_app.ahead import Ahead

BATCH = 256  # passages encoded at once, or between two commits: seconds of work that a crash can lose
READ_AHEAD = 2  # editions that are cut before the encoder comes to them; more are in the hands of readers
SEEN_AHEAD = 1  # batches that are encoded before codes are made of them; some 40 MB each
DONE_AHEAD = 2  # editions that are encoded before they are stored

Progress = Callable[[int, int], None]


class Encoded(NamedTuple):
    """Passages with what an encoder made of them, as the library takes them."""

    passages: Sequence[Passage]
    vectors: Vectors
    encoder: str  # its fingerprint
    codes: Sequence[bytes]

    @classmethod
    def of(cls, passages: Sequence[Passage], made: Encodings, encoder: Encoder) -> Encoded:
        return cls(passages, made.vectors, encoder.fingerprint, made.codes)


@dataclass(frozen=True, slots=True)
class Cut:
    """What was read of an edition, cut into passages; with those of its catalogue entry, where the file is what describes it."""

    publication: Publication | None  # None when the library has none any more
    edition: Edition
    reading: Reading
    passages: Sequence[Passage]
    entry: Sequence[Passage] = ()

    @property
    def all_passages(self) -> list[Passage]:
        """First those of the entry."""
        return [*self.entry, *self.passages]

    @property
    def texts(self) -> list[str]:
        """What the encoder is given of all of them."""
        return [*(passage.text for passage in self.entry), *(encoded_text(passage, self.title) for passage in self.passages)]

    @property
    def title(self) -> str:
        return title_of(self.publication, self.edition) if self.publication else ""

    @property
    def content(self) -> Content:
        return self.reading.content or Content("", ())


class _Batch(NamedTuple):
    """Passages that were encoded together."""

    texts: Sequence[str]
    passages: Sequence[Passage]
    seen: Seen
    ends: Sequence[Cut]  # the editions of which it is the last batch


def store_entry(library: Library, encoder: Encoder, publication: Publication, folder: str) -> bool:
    """Store the catalogue's words, encoding them only when they are new; editions whose title is another one now are read again.

    The digests of its editions are those of the files that the catalogue says. False, and nothing is stored, where analysts keep the publication.
    """
    if _is_stored(library, publication, folder):
        return True
    return put_entry(library, publication, folder, entry_passages(encoder, publication))


def put_entry(library: Library, publication: Publication, folder: str, encoded: Encoded) -> bool:
    """Do the same with what is encoded already."""
    stored = library.entry(publication.publication_id)
    if not _is_stored(library, publication, folder):
        with library.transaction():
            if Changes(library).kept_here(publication.publication_id):  # also where somebody took it up while this was encoded
                return False
            library.put_publication(publication, folder, *encoded)
            library.read_again(retitled(stored, publication))
    return True


def _is_stored(library: Library, publication: Publication, folder: str) -> bool:
    name = publication.publication_id
    return library.entry(name) == publication and library.folder_of(name) == folder


def entry_passages(encoder: Encoder, publication: Publication) -> Encoded:
    """The passages that are made of a catalogue entry."""
    passages = catalogue_passages(publication, encoder.count_tokens)
    return Encoded.of(passages, encode(encoder, [passage.text for passage in passages], passages), encoder)


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
        encoded = entry_passages(encoder, publication) if publication else None
        if encoded and encoded.passages:
            library.put_catalogue_passages(name, *encoded)


def encode_missing(library: Library, encoder: Encoder, progress: Progress = lambda *_: None) -> None:
    """Give every stored passage that this encoder has not encoded yet its vector and codes, also those that come meanwhile; no file is read.

    Each batch is committed, so an interrupted run goes on where it stopped. progress(done, total) counts passages, also those of earlier runs.
    """
    while missing := library.without_vector(encoder.fingerprint):
        _encode(library, encoder, missing, progress)


def encode_uncoded(library: Library, encoder: Encoder, progress: Progress = lambda *_: None) -> None:
    """Encode once more, as `encode_missing` does, what an older version stored: passages with a vector by this encoder, but no codes by its codebook."""
    codebook = codebook_of(encoder)
    while missing := library.without_codes(encoder.fingerprint, codebook.heads) if codebook else []:
        _encode(library, encoder, missing, progress)


def _encode(library: Library, encoder: Encoder, missing: Sequence[int], progress: Progress) -> None:
    total = library.passage_count()
    done = total - len(missing)
    for start in range(0, len(missing), BATCH):
        progress(done, total)
        passages = library.passages(missing[start : start + BATCH])
        there = list(passages.values())
        vectors, codes = encode(encoder, _texts(library, there), there)
        library.put_vectors(encoder.fingerprint, dict(zip(passages, vectors, strict=True)), dict(zip(passages, codes, strict=False)))
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


def cut(publication: Publication | None, edition: Edition, reading: Reading, encoder: Encoder, described: bool = False) -> Cut:
    """Cut what was read of an edition into passages; with `described`, also what its publication says."""
    content = reading.content or Content("", ())
    passages = cut_pages(content.pages, encoder.count_tokens, edition.language, content.headings)
    return Cut(publication, edition, reading, passages, catalogue_passages(publication, encoder.count_tokens) if publication and described else ())


def encoded_ahead(readers: Readers, cuts: Generator[Cut], encoder: Encoder) -> Generator[tuple[Cut, Encodings]]:
    """Encode what `readers` read while more is read and cut, and while whoever asks stores it; with each cut comes what was made of all its passages.

    Reading, cutting, encoding and making codes each go on beside the others, a little ahead. Whatever ends this, what was not given by then is lost.
    """
    read = Ahead(cuts, READ_AHEAD)
    batches = Ahead(_batches(read, encoder), SEEN_AHEAD)
    done = Ahead(_encoded(batches, encoder), DONE_AHEAD)
    try:
        yield from done
    finally:
        for stage in (readers, read, batches, done):
            stage.stop()
        for stage in (read, batches, done):
            stage.join()


def _batches(cuts: Ahead[Cut], encoder: Encoder) -> Generator[_Batch]:
    """Encode editions together as far as they are there, so that short ones are no slower than long ones, and never wait while there is any."""
    for first in cuts:
        group = [first, *_at_hand(cuts, BATCH - len(first.passages))]
        texts, passages = [text for one in group for text in one.texts], [passage for one in group for passage in one.all_passages]
        for start in range(0, max(len(texts), 1), BATCH):
            if cuts.stopped:
                return
            own = slice(start, start + BATCH)
            yield _Batch(texts[own], passages[own], seen(encoder, texts[own]), group if start + BATCH >= len(texts) else [])


def _encoded(batches: Ahead[_Batch], encoder: Encoder) -> Generator[tuple[Cut, Encodings]]:
    made: list[Encodings] = []
    for batch in batches:
        made.append(kept(encoder, batch.seen, batch.texts, batch.passages))
        if batch.ends:
            together, start, made = Encodings.joined(made), 0, []
            for one in batch.ends:
                end = start + len(one.entry) + len(one.passages)
                yield one, together.part(start, end)
                start = end


def _at_hand(cuts: Ahead[Cut], room: int) -> Iterator[Cut]:
    while room > 0 and cuts.at_hand():
        for one in cuts:
            yield one
            room -= len(one.passages)
            break


def store_reading(library: Library, cut: Cut, made: Encodings, encoder: str) -> State | None:
    """Store an edition; return how well it could be read, None when it no longer wants that file. `made` is what was made of its passages.

    One whose title has changed since it was cut is stored and read again, since the encoder is given the title above every passage.
    """
    state, reason = _judged(cut.edition, cut.reading, cut.passages)
    with library.transaction():
        now = library.entry(cut.edition.publication_id)
        version = READING_VERSION if now and title_of(now, cut.edition) == cut.title else 0
        known_state = EditionState(cut.edition, state, reason, version, "", cut.content.wants)
        return state if library.put_reading(known_state, cut.content.pages, cut.passages, made.vectors, encoder, made.codes) else None


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
