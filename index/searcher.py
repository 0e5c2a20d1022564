"""From a query to ranked publications: encode, search by meaning and words, fuse, group, mark."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from index.closeness import Closeness
from index.contents import Keys
from index.counterparts import Counterpart, Counterparts, Wanted, edition_for
from index.encoder import Encoder, Vectors
from index.fusion import fuse
from index.generations import current_name
from index.library import Library
from index.marks import Asked, Mark, SentenceMarker
from index.related import CommonWords, shipped_means
from index.vectors import Allowed, Scores
from index.view import Filters, View
from index.words import WordHits, WordQuery, exact, parse, search_words
from ingest.records import IsoglossError, Passage, Publication, primary

CANDIDATES = 1000  # nearest in meaning that are fused with words; what comes after them keeps the order of meaning
WORD_CANDIDATES = 300  # best by words, fused too
COUNTERPARTS = 10  # hits, at most, that are given one: those of a page
OWN_EDITION = 0.04  # of the cosine, at most, that a passage in the reader's language may lack to be shown before the best; docs/counterparts.md


class WrongEncoderError(IsoglossError):
    """The library was made by another encoder."""


def require_encoder(library: Library, encoder: Encoder) -> None:
    """Raise WrongEncoderError unless `encoder` made the library, or nothing is in it yet."""
    made_by = library.meta("encoder")
    if made_by not in ("", encoder.fingerprint):
        raise WrongEncoderError(
            f"The library in {library.folder} was made by another encoder (fingerprint {made_by[:12]}, now {encoder.fingerprint[:12]}). "
            "Use the encoder that made it (--encoder, ISOGLOSS_ENCODER), or make a library anew with this one: "
            "isogloss ingest FOLDER --library ANOTHER-FOLDER"
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asks for."""

    text: str
    filters: Filters = field(default_factory=Filters)
    exact: bool = False  # only what holds every word of it
    readers: Sequence[str] = ()  # the languages the reader reads, best first; they decide which edition is shown
    counterparts: bool = True  # whether to look for the same passages in the reader's edition


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage that was found."""

    score: float  # higher is better; comparable within one answer only
    passage: Passage
    page: int  # where the marked sentence begins, 1-based; 0 for the catalogue entry
    marks: tuple[Mark, ...]
    nearness: float  # cosines with the query of the publication's best passage and of the marked sentence, and of their tokens; summed
    label: str = ""  # what is printed as the number of that page; "" for the catalogue entry
    close: bool = True  # whether it may answer, and is not only the nearest there is; always so where nobody has measured the encoder

    @property
    def sentence(self) -> tuple[str, int, int]:
        """Where the marked sentence begins, else the passage: edition_id, page and character on it; overlapping passages share sentences."""
        return self.passage.edition_id, *self.passage.place_of(self.marks[0].start if self.marks else 0)


@dataclass(frozen=True, slots=True)
class PublicationHit:
    """One publication that was found, all its editions together."""

    rank: int  # from 1
    score: float  # of its best passage
    publication: Publication
    hit: Hit  # the passage to show: on a page where there is one, which can be opened and cited; else from the catalogue
    counterpart: Counterpart | None = None  # the same in the reader's edition, where another one is shown

    @property
    def close(self) -> bool:
        """Whether it may answer, and is not only the nearest there is."""
        return self.hit.close


class Searcher:
    """Answers queries from one library; notices by itself when the library has changed. Safe to share between threads.

    Raises WrongEncoderError when the library was made by an encoder with another fingerprint.
    """

    def __init__(self, library: Library, encoder: Encoder) -> None:
        require_encoder(library, encoder)
        self.library = library
        self.encoder = encoder
        self._marker = SentenceMarker(encoder, shipped_means(encoder.fingerprint), CommonWords(library))
        self.counterparts = Counterparts(library, self._marker)
        self._lock = threading.Lock()
        self._view = View.of(library, None)

    def search(self, query: Query, k: int = 10, offset: int = 0) -> list[PublicationHit]:
        """Return the publications ranked offset + 1 to offset + k; equal scores keep the order in which passages were stored."""
        question = self._asked(query)
        if question is None:
            return []
        groups = question.publications(offset, offset + k)
        hits = self._hits(question, groups)
        found = [(hits[group.key], group) for group in groups if group.key in hits]
        shown = [
            PublicationHit(rank, group.score, question.view.publications[group.publication], hit)
            for rank, (hit, group) in enumerate(found, start=offset + 1)
        ]
        return self._with_counterparts(question.view, shown, question.readers) if query.counterparts else shown

    def inside(self, query: Query, publication_id: str, k: int = 10, edition_id: str = "") -> list[Hit]:
        """Return the k best passages on the pages of one publication, or of one edition of it; a sentence is marked in one of them only."""
        question = self._asked(query)
        if question is None:
            return []
        ranked = question.within(publication_id, edition_id)
        found: dict[tuple[str, int, int], Hit] = {}
        for start in range(0, len(ranked), k):
            for hit in self._hits(question, ranked[start : start + k]).values():
                found.setdefault(hit.sentence, hit)
            if len(found) >= k:
                break
        return list(found.values())[:k]

    def rank_passages(self, texts: Sequence[str], k: int) -> list[tuple[Scores, Keys]]:
        """Return for each query the k best passages, ungrouped: scores and keys, shape (passages,), best first."""
        view = self.view()
        parsed = [parse(text) for text in texts]
        vectors = self.encoder.encode_queries([asked.meaning for asked in parsed])
        questions = (self._question(view, vectors[row : row + 1], asked, Query(asked.meaning)) for row, asked in enumerate(parsed))
        return [question.passages(k) for question in questions]

    def publications(self) -> tuple[Publication, ...]:
        """All publications there are, for filters and counts."""
        return self.view().publications

    def view(self) -> View:
        """The state of the library that is searched now."""
        with self._lock:
            if self._view.revision != self.library.revision() or self._view.generation.name != current_name(self.library):
                self._view = View.of(self.library, self._view.generation)
            return self._view

    def _question(self, view: View, vector: Vectors, asked: WordQuery, query: Query) -> _Question:
        words = search_words(self.library, asked, WORD_CANDIDATES)
        allowed = view.allowed(query.filters) & words.admits(view.keys)
        if query.exact:
            allowed &= np.isin(view.keys, exact(self.library, asked))
        whole = query.exact or bool(asked.required)
        return _Question(view, vector, view.generation.aligned(vector), asked.meaning, words, whole, allowed, tuple(query.readers))

    def _asked(self, query: Query) -> _Question | None:
        """The query made ready; None where nothing is asked."""
        asked = parse(query.text)
        if not asked.wanted and not any(char.isalnum() for char in asked.meaning):
            return None
        return self._question(self.view(), self.encoder.encode_queries([asked.meaning]), asked, query)

    def _hits(self, question: _Question, groups: Sequence[_Group]) -> dict[int, Hit]:
        """The passages of these groups as hits, by key, in their order; one that was removed while we searched is left out."""
        view = question.view
        keys = [group.key for group in groups]
        with self.library.snapshot():
            passages, vectors = self.library.passages(keys), self.library.vectors_of(keys)
        shown = [group for group in groups if group.key in passages]
        asked = Asked(view.generation.judged(question.raw), question.text, question.words.telling)
        marked = self._marker.mark(asked, [(group.key, passages[group.key]) for group in shown], view.generation.judged)
        _, coverage = question.words.beside(np.asarray([group.key for group in shown], np.int64))
        closeness = Closeness.of(question.text, self.encoder, view.generation.close)
        hits = {}
        for place, (group, (marks, score)) in enumerate(zip(shown, marked, strict=True)):
            passage = passages[group.key]
            nearness = float(view.generation.judged(vectors[group.key][None])[0] @ asked.vector[0]) + score + group.lost
            close = question.whole or closeness.may_answer(nearness, float(coverage[place]))
            page = passage.page_at(marks[0].start if marks else 0)
            label = self.library.page_label(passage.edition_id, page) if page else ""
            hits[group.key] = Hit(group.score, passage, page, marks, nearness, label, close)
        return hits

    def _with_counterparts(self, view: View, hits: Sequence[PublicationHit], readers: Sequence[str]) -> list[PublicationHit]:
        """Give each of the first hits the same passage in the reader's edition, where it shows another one."""
        wanted = {}
        for found in hits[:COUNTERPARTS]:
            edition = edition_for(found.publication, found.hit.passage.edition_id, readers)
            sentence = next((mark for mark in found.hit.marks if mark.why == "meaning"), None)
            if edition and sentence and found.hit.page:
                wanted[found.rank] = Wanted(found.hit.passage, (sentence.start, sentence.end), edition.edition_id)
        there = dict(zip(wanted, self.counterparts.of(view, list(wanted.values())), strict=True))
        return [replace(found, counterpart=there.get(found.rank)) for found in hits]


@dataclass(frozen=True, slots=True)
class _Group:
    """One publication among the ranked passages."""

    publication: int  # position in the view
    score: float  # of its best passage
    key: int  # of the passage to show
    on_page: bool  # whether that stands on a page
    lost: float = 0.0  # of the cosine of the best passage, where another one is shown: a page for the catalogue entry, the reader's edition


@dataclass(frozen=True, slots=True)
class _Question:
    """A query made ready: what may be found, by meaning and by words, in one state of the library."""

    view: View
    raw: Vectors  # shape (1, dimension)
    vector: Vectors  # aligned
    text: str  # what the vectors were made of
    words: WordHits
    whole: bool  # whether all that may be found holds the words that were asked for
    allowed: Allowed
    readers: tuple[str, ...]

    def passages(self, k: int) -> tuple[Scores, Keys]:
        """The k best passages: scores and keys, best first. A larger k only adds to the end."""
        near, near_keys = self.view.rank(self.vector, max(k, CANDIDATES), self.allowed)
        finite = np.isfinite(near[0])
        cosines, places = near[0][finite], self.view.places(near_keys[0][finite])
        worded = self.view.places(self.words.keys[np.isin(self.words.keys, self.view.keys)])
        worded = np.setdiff1d(worded[self.allowed[worded]], places)
        cosines = np.concatenate([cosines[:CANDIDATES], self.view.cosines(self.vector, worded), cosines[CANDIDATES:]])
        places = np.concatenate([places[:CANDIDATES], worded, places[CANDIDATES:]])
        head = min(len(near[0][finite]), CANDIDATES) + len(worded)
        bm25, coverage = self.words.beside(self.view.keys[places[:head]])
        scores = np.concatenate([fuse(cosines[:head], bm25, coverage, self.view.language_of[places[:head]]), cosines[head:]])
        order = np.lexsort((places, -scores))[:k]
        return scores[order], self.view.keys[places[order]]

    def publications(self, first: int, last: int) -> list[_Group]:
        """The publications ranked first + 1 to last, looking further down the list of passages until there are enough."""
        total = int(self.allowed.sum())
        looked = min(CANDIDATES, total)
        while total:
            groups = self._groups(*self.passages(looked))
            if len(groups) >= last or looked >= total:
                return [self._to_show(group) for group in groups[first:last]]
            looked = min(4 * looked, total)
        return []

    def within(self, publication_id: str, edition_id: str) -> list[_Group]:
        """All passages on the pages of one publication, or of one edition of it, best first, each for itself."""
        editions = [edition.publication_id == publication_id and edition_id in ("", edition.edition_id) for edition in self.view.editions]
        pages = self.allowed & self.view.on_page
        pages[pages] = np.asarray(editions, bool)[self.view.edition_of[pages]]
        ranked = replace(self, allowed=pages).passages(int(pages.sum()))
        publications = self.view.publication_at(self.view.places(ranked[1]))
        return [_Group(int(at), float(score), int(key), True) for at, score, key in zip(publications, *ranked, strict=True)]

    def _groups(self, scores: Scores, keys: Keys) -> list[_Group]:
        """Group ranked passages by publication, and take of each the best on its pages, else its catalogue entry."""
        groups: dict[int, _Group] = {}
        places = self.view.places(keys)
        for score, key, place, publication in zip(scores, keys, places, self.view.publication_at(places), strict=True):
            found = groups.setdefault(int(publication), _Group(int(publication), float(score), int(key), bool(self.view.on_page[place])))
            if self.view.on_page[place] and not found.on_page:
                groups[int(publication)] = replace(found, key=int(key), on_page=True)
        return list(groups.values())

    def _to_show(self, group: _Group) -> _Group:
        shown = self._with_page(group)
        best, other = (float(cosine) for cosine in self.view.cosines(self.vector, self.view.places(np.asarray([group.key, shown.key]))))
        return replace(shown, lost=max(0.0, best - other))

    def _with_page(self, group: _Group) -> _Group:
        """Show a page rather than the catalogue entry, and the reader's edition where it answers about as well."""
        pages = self.allowed & self.view.on_page
        pages[pages] = self.view.publication_at(np.flatnonzero(pages)) == group.publication
        if not group.on_page:
            group = replace(group, key=self._best(pages) or group.key, on_page=bool(pages.any()))
        if not group.on_page:
            return group
        shown = self.view.places(np.asarray([group.key]))
        least = float(self.view.cosines(self.vector, shown)[0]) - OWN_EDITION
        for language in self.readers:
            if self.view.edition_languages[self.view.edition_of[shown[0]]] == primary(language):
                break
            own = pages & (self.view.edition_languages == primary(language))[self.view.edition_of]
            key = self._best(own)
            if key and self.view.cosines(self.vector, self.view.places(np.asarray([key])))[0] >= least:
                return replace(group, key=key)
        return group

    def _best(self, among: Allowed) -> int:
        """The key of the passage nearest in meaning, or 0."""
        scores, keys = self.view.rank(self.vector, 1, among)
        return int(keys[0][0]) if scores.size and np.isfinite(scores[0][0]) else 0
