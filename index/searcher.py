"""From a query to ranked publications: encode, search by meaning and words, fuse, group, mark."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from index.closeness import Closeness
from index.common_words import CommonWords
from index.counterparts import Counterparts, Wanted, edition_for
from index.encoder import Encoder, Tokens, Vectors
from index.generations import BEFORE, Generation, load_or_build, named
from index.hits import Hit, PublicationHit, Query
from index.library import Library
from index.marks import Asked, SentenceMarker, Shown
from index.meanwhile import Helpers, Part
from index.parts import part
from index.passage_encoding import codebook_of
from index.question import Group, Question
from index.related import shipped_means
from index.vector_rows import Keys
from index.vectors import Scores
from index.view import View
from index.words import WordHits, WordQuery, exact, parse, search_words
from ingest.records import IsoglossError, Publication

__all__ = ["Hit", "PublicationHit", "Query", "Searcher", "State", "WrongEncoderError", "require_encoder"]

log = logging.getLogger(__name__)

WORD_CANDIDATES = 100  # best by words, fused too
COUNTERPARTS = 10  # hits, at most, that are given one: those of a page
AT_ONCE = 50_000  # passages of a library whose new generation is loaded while somebody waits; it takes a moment
RETRY = 60.0  # seconds after which an encoder that could not be opened is tried again


class WrongEncoderError(IsoglossError):
    """The library was made by another encoder."""


def require_encoder(library: Library, encoder: Encoder) -> None:
    """Raise WrongEncoderError unless `encoder` made the library, or nothing is in it yet."""
    made_by = library.meta("encoder")
    if made_by not in ("", encoder.fingerprint):
        raise WrongEncoderError(
            f"The library in {library.folder} was made by another encoder (fingerprint {made_by[:12]}, now {encoder.fingerprint[:12]}). "
            "Use the encoder that made it (--encoder, ISOGLOSS_ENCODER), change the library to this one, which keeps all that was read: "
            "isogloss encoder NAME; or make a library anew with it: isogloss ingest FOLDER --library ANOTHER-FOLDER"
        )


@dataclass(frozen=True, slots=True)
class State:
    """What answers at one time: one view of the library, the encoder whose vectors it holds, and what is made with both. Safe to share between threads."""

    library: Library
    encoder: Encoder
    marker: SentenceMarker
    counterparts: Counterparts
    helpers: Helpers
    view: View

    @classmethod
    def of(cls, library: Library, encoder: Encoder, generation: Generation | None = None) -> State:
        """The library as it is now, by this generation, which that encoder has made, or by the one in use."""
        marker = SentenceMarker(encoder, shipped_means(encoder.fingerprint), CommonWords(library), codebook_of(encoder))
        return cls(library, encoder, marker, Counterparts(library, encoder), Helpers.of(library.store), View.of(library, generation))

    def search(self, query: Query, k: int = 10, offset: int = 0) -> list[PublicationHit]:
        """Return the publications ranked offset + 1 to offset + k; equal scores keep the order in which passages were stored."""
        question = self._asked(query)
        if question is None:
            return []
        with part("vectors"):
            groups = question.publications(offset, offset + k)
        hits = self._hits(question, groups)
        found = [(hits[group.key], group) for group in groups if group.key in hits]
        ranked = enumerate(found, start=offset + 1)
        shown = [PublicationHit(rank, group.score, self.view.publications[group.publication], hit) for rank, (hit, group) in ranked]
        return self._with_counterparts(shown, question.readers) if query.counterparts else shown

    def inside(self, query: Query, publication_id: str, k: int = 10, edition_id: str = "") -> list[Hit]:
        """Return the k best passages on the pages of one publication, or of one edition of it; a sentence is marked in one of them only."""
        question = self._asked(query)
        if question is None:
            return []
        with part("vectors"):
            ranked = question.within(publication_id, edition_id)
        found: dict[tuple[str, int, int], Hit] = {}
        for start in range(0, len(ranked), k):
            for hit in self._hits(question, ranked[start : start + k], closely=True).values():
                found.setdefault(hit.sentence, hit)
            if len(found) >= k:
                break
        return list(found.values())[:k]

    def rank_passages(self, texts: Sequence[str], k: int) -> list[tuple[Scores, Keys]]:
        """Return for each query the k best passages, ungrouped: scores and keys, shape (passages,), best first."""
        parsed = [parse(text) for text in texts]
        vectors = self.encoder.encode_queries([asked.meaning for asked in parsed])
        return [
            self._question((vector[None], None), self._words(asked), asked, Query(asked.meaning)).passages(k)
            for vector, asked in zip(vectors, parsed, strict=True)
        ]

    def _words(self, asked: WordQuery) -> Part[WordHits]:
        return self.helpers.make(partial(search_words, self.library, asked, WORD_CANDIDATES))

    def _question(self, encoded: tuple[Vectors, Tokens | None], words: Part[WordHits], asked: WordQuery, query: Query) -> Question:
        view, (vector, tokens) = self.view, encoded
        among, whole = view.among(query.filters), query.exact or bool(asked.required)
        for holding in (words.get().required if asked.required else None, exact(self.library, asked) if query.exact else None):
            among = among if holding is None else view.only(among.mask & view.marked(holding))
        if asked.excluded:
            among = view.only(among.mask & ~view.marked(words.get().excluded))
        aligned = view.generation.aligned(vector)
        return Question(view, vector, aligned, asked.meaning, words, whole, among, tuple(query.readers), query.exhaustive, tokens)

    def _asked(self, query: Query) -> Question | None:
        """The query made ready; None where nothing is asked."""
        asked = parse(query.text)
        if not asked.wanted and not any(char.isalnum() for char in asked.meaning):
            return None
        words = self._words(asked)
        with part("encoder"):
            encoded = self.marker.question(asked.meaning)
        return self._question(encoded, words, asked, query)

    def _hits(self, question: Question, groups: Sequence[Group], closely: bool = False) -> dict[int, Hit]:
        """The passages of these groups as hits, by key, in their order; one that was removed while we searched is left out. `closely`: as marks are."""
        view = self.view
        keys = [group.key for group in groups]
        with self.library.snapshot():
            passages, encoder = self.library.passages(keys), view.generation.encoder
            vectors, codes = self.library.vectors_of(keys, encoder), self.library.codes_of(keys, encoder)
        shown = [group for group in groups if group.key in passages and group.key in vectors]
        asked = Asked(view.generation.judged(question.raw), question.text, question.words.telling, question.tokens)
        marking = [Shown(group.key, passages[group.key], vectors[group.key], codes.get(group.key, b"")) for group in shown]
        marked = self.marker.mark(asked, marking, view.generation.judged, closely)
        _, coverage = question.words.beside(np.asarray([group.key for group in shown], np.int64))
        closeness = Closeness.of(question.text, self.encoder, view.generation.close)
        pages = [passages[group.key].page_at(marks[0].start if marks else 0) for group, (marks, _) in zip(shown, marked, strict=True)]
        labels = self.library.page_labels([(passages[group.key].edition_id, page) for group, page in zip(shown, pages, strict=True) if page])
        cosines = view.generation.judged(np.stack([vectors[group.key] for group in shown])) @ asked.vector[0] if shown else []
        hits = {}
        for place, (group, page, (marks, score)) in enumerate(zip(shown, pages, marked, strict=True)):
            passage = passages[group.key]
            nearness = float(cosines[place]) + score + group.lost
            close = question.whole or closeness.may_answer(nearness, float(coverage[place]))
            hits[group.key] = Hit(group.score, passage, page, marks, nearness, labels.get((passage.edition_id, page), ""), close)
        return hits

    def _with_counterparts(self, hits: Sequence[PublicationHit], readers: Sequence[str]) -> list[PublicationHit]:
        """Give each of the first hits the same passage in the reader's edition, where it shows another one."""
        wanted = {}
        for found in hits[:COUNTERPARTS]:
            edition = edition_for(found.publication, found.hit.passage.edition_id, readers)
            sentence = next((mark for mark in found.hit.marks if mark.why == "meaning"), None)
            if edition and sentence and found.hit.page:
                wanted[found.rank] = Wanted(found.hit.passage, (sentence.start, sentence.end), edition.edition_id)
        there = dict(zip(wanted, self.counterparts.of(self.view, list(wanted.values())), strict=True))
        return [replace(found, counterpart=there.get(found.rank)) for found in hits]


class Searcher:
    """Answers queries from one library; notices by itself when the library has changed. Safe to share between threads.

    What has been committed before a query is asked is found by it. A new generation of a large library is loaded meanwhile; until it is there,
    the former one and what is newer than it answer.

    When the library is given another encoder, `open_encoder` opens it by its name; until it is there, the former one and its vectors go on.
    Raises WrongEncoderError when the library was made by an encoder with another fingerprint.
    """

    def __init__(self, library: Library, encoder: Encoder, open_encoder: Callable[[str], Encoder] | None = None) -> None:
        require_encoder(library, encoder)
        self.library = library
        self._open_encoder = open_encoder
        self._lock = threading.Lock()
        self._switching: threading.Thread | None = None
        self._loading: threading.Thread | None = None
        self._tried = -RETRY  # when an encoder was last asked for in vain, by the clock that only rises
        self._behind = False  # whether the library has been given another encoder than the one that answers
        self._seen = library.revision()  # before the state is made, so that what changes meanwhile is seen the next time
        self._state = State.of(library, encoder)

    @property
    def encoder(self) -> Encoder:
        """The encoder that answers now."""
        return self.state().encoder

    @property
    def last(self) -> State:
        """What answered last, without a look at the library."""
        return self._state

    @property
    def counterparts(self) -> Counterparts:
        """What finds counterparts now; whoever gives it a view takes both from one `state`."""
        return self.state().counterparts

    def search(self, query: Query, k: int = 10, offset: int = 0) -> list[PublicationHit]:
        """Answer as `State.search` does."""
        return self.state().search(query, k, offset)

    def inside(self, query: Query, publication_id: str, k: int = 10, edition_id: str = "") -> list[Hit]:
        """Answer as `State.inside` does."""
        return self.state().inside(query, publication_id, k, edition_id)

    def rank_passages(self, texts: Sequence[str], k: int) -> list[tuple[Scores, Keys]]:
        """Answer as `State.rank_passages` does."""
        return self.state().rank_passages(texts, k)

    def publications(self) -> tuple[Publication, ...]:
        """All publications there are, for filters and counts."""
        return self.view().publications

    def view(self) -> View:
        """The state of the library that is searched now."""
        return self.state().view

    def state(self) -> State:
        """What answers now; a caller that needs several answers which belong together takes them from one."""
        with self._lock:
            revision = self.library.revision()
            if revision != self._seen:
                self._state, self._seen = self._renewed(self._state), revision
            if self._behind:
                self._switch()
            return self._state

    def _renewed(self, state: State) -> State:
        """The same with what the library holds now, by its generation if the encoder at hand made that. One that takes long to load comes later."""
        view, generation = state.view, state.view.generation
        made_by = self.library.meta("encoder")
        self._behind = made_by not in ("", state.encoder.fingerprint)
        another = not self._behind and (generation.named, generation.encoder) != (named(self.library), made_by)
        back = self.library.revision() < view.revision
        if another and not back and len(view.keys) > AT_ONCE and named(self.library, BEFORE) == generation.named:
            self._load()
        elif another or back:
            return self._anew(state)
        return replace(state, view=view.renewed(self.library))

    def _anew(self, state: State) -> State:
        """What the library holds now, with nothing taken over: one that was restored in its place has other passages under the same keys."""
        generation = state.view.generation
        if not self._behind:
            loaded = load_or_build(self.library)
            self._behind = loaded.encoder not in ("", state.encoder.fingerprint)  # another encoder was published in this very moment
            generation = generation if self._behind else loaded
        self.library.postings.forget()
        return State.of(self.library, state.encoder, generation)

    def _load(self) -> None:
        """Load the generation in use beside the queries that are being answered, unless that goes on already."""
        if self._loading is None or not self._loading.is_alive():
            self._loading = threading.Thread(target=self._loaded, daemon=True)
            self._loading.start()

    def _loaded(self) -> None:
        try:
            revision = self.library.revision()
            view = View.of(self.library)
        except (IsoglossError, OSError) as error:
            log.warning("The new generation of the library cannot be used: %s Search goes on with the former one.", error)
            return
        with self._lock:
            if view.generation.encoder in ("", self._state.encoder.fingerprint):  # else it waits for its encoder
                self._state, self._seen = replace(self._state, view=view.renewed(self.library)), revision

    def _switch(self) -> None:
        """Open the library's new encoder beside the queries that are being answered, unless that has just failed."""
        if (self._switching is not None and self._switching.is_alive()) or time.monotonic() - self._tried < RETRY:
            return
        self._tried = time.monotonic()
        if self._open_encoder is None:
            log.warning("The library in %s was given another encoder; restart to search by it.", self.library.folder)
        else:
            self._switching = threading.Thread(target=self._switched, args=(self._open_encoder,), daemon=True)
            self._switching.start()

    def _switched(self, open_encoder: Callable[[str], Encoder]) -> None:
        try:
            revision = self.library.revision()
            encoder = open_encoder(self.library.encoder_name())
            require_encoder(self.library, encoder)
            state = State.of(self.library, encoder)
        except (IsoglossError, OSError) as error:
            log.warning("The new encoder of the library cannot be used: %s Search goes on with the former one.", error)
            return
        with self._lock:
            self._state, self._seen, self._behind, self._tried = state, revision, False, -RETRY
