"""From a query to ranked publications: encode, search, group, mark."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.generations import Generation, current_name, load_or_build
from index.library import Keys, Library
from index.marks import Mark, SentenceMarker
from index.vectors import Scores, VectorIndex
from ingest.records import Edition, IsoglossError, Passage, Publication

FIRST_LOOK = 100  # passages asked for at once; doubled while too few publications are among them
SHOWN_PASSAGES = 3  # of one publication, at most


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
class Filters:
    """What a publication must be to be found: any of the values of each field; an empty field admits all."""

    languages: tuple[str, ...] = ()  # BCP 47; "de" admits "de-AT" too
    years: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage that was found."""

    score: float  # higher is better; comparable within one answer only
    passage: Passage
    page: int  # where the marked sentence begins, 1-based; 0 for the catalogue entry
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class PublicationHit:
    """One publication that was found, all its editions together."""

    rank: int  # from 1
    score: float  # of its best passage
    publication: Publication
    hits: tuple[Hit, ...]  # its best passages on a page, best first; then that of its catalogue entry, if it was found


class Searcher:
    """Answers queries from one library; notices by itself when the library has changed. Safe to share between threads.

    Raises WrongEncoderError when the library was made by an encoder with another fingerprint.
    """

    def __init__(self, library: Library, encoder: Encoder) -> None:
        require_encoder(library, encoder)
        self.library = library
        self.encoder = encoder
        self._marker = SentenceMarker(encoder)
        self._lock = threading.Lock()
        self._view = _View.of(library, None)

    def search(self, query: str, k: int = 10, filters: Filters | None = None, offset: int = 0) -> list[PublicationHit]:
        """Return the publications ranked offset + 1 to offset + k; equal scores keep the order in which passages were stored."""
        vector = self.encoder.encode_queries([query])
        view = self._fresh_view()
        groups = _grouped(view, vector, offset + k, filters or Filters())[offset:]
        return self._shown(view, vector, groups, offset + 1)

    def rank_passages(self, queries: Vectors, k: int) -> tuple[Scores, Keys]:
        """Return the k best passages for each query vector, ungrouped: scores and keys, shape (queries, k), best first."""
        return self._fresh_view().rank(queries, k, None)

    def publications(self) -> tuple[Publication, ...]:
        """All publications there are, for filters and counts."""
        return self._fresh_view().publications

    def _fresh_view(self) -> _View:
        with self._lock:
            if self._view.revision != self.library.revision() or self._view.generation.name != current_name(self.library):
                self._view = _View.of(self.library, self._view.generation)
            return self._view

    def _shown(self, view: _View, vector: Vectors, groups: Sequence[_Group], first_rank: int) -> list[PublicationHit]:
        found = [[*group.pages, *group.entry] for group in groups]  # first what can be opened and cited
        passages = self.library.passages([key for keys in found for key, _ in keys])
        shown = [(key, passages[key]) for keys in found for key, _ in keys if key in passages]
        marks = dict(zip([key for key, _ in shown], self._marker.mark(vector, shown), strict=True))
        answer: list[PublicationHit] = []
        for group, keys in zip(groups, found, strict=True):
            hits = tuple(_hit(score, passages[key], marks[key]) for key, score in keys if key in passages)
            if hits:  # unless it was removed while we searched
                answer.append(PublicationHit(first_rank + len(answer), group.score, view.publications[group.publication], hits))
        return answer


@dataclass(frozen=True, slots=True)
class _Group:
    publication: int  # position in the view
    score: float
    pages: list[tuple[int, float]]  # key, score; best first
    entry: list[tuple[int, float]]  # the same from the catalogue


@dataclass(frozen=True, slots=True)
class _View:
    """One state of the library, in memory: a generation, the passages newer than it, and to whom each belongs."""

    revision: int
    generation: Generation
    fresh: VectorIndex
    keys: Keys  # of the generation, then of the fresh passages
    edition_of: NDArray[np.int64]  # for each key, position in `editions`; -1 when the passage was removed since
    on_page: NDArray[np.bool_]  # for each key, whether it stands on a page (else it is from the catalogue)
    editions: tuple[Edition, ...]
    publication_of: NDArray[np.int64]  # for each edition, position in `publications`
    publications: tuple[Publication, ...]

    @classmethod
    def of(cls, library: Library, loaded: Generation | None) -> _View:
        generation = loaded if loaded and loaded.name == current_name(library) else load_or_build(library)
        with library.snapshot():
            revision = library.revision()
            publications = tuple(library.publications())
            fresh_keys, fresh_vectors = library.vectors(after=generation.last_key)
            table = library.passage_table()
        editions = [(edition, position) for position, publication in enumerate(publications) for edition in publication.editions]
        places = {edition.edition_id: place for place, (edition, _) in enumerate(editions)}
        keys = np.concatenate([generation.keys, fresh_keys])
        edition_of = np.full(len(keys), -1, np.int64)
        on_page = np.zeros(len(keys), bool)
        alive = np.searchsorted(keys, np.asarray([key for key, _, _ in table], np.int64))
        edition_of[alive] = [places[edition_id] for _, edition_id, _ in table]
        on_page[alive] = [page for _, _, page in table]
        return cls(
            revision, generation, VectorIndex.of(fresh_vectors), keys, edition_of, on_page, tuple(edition for edition, _ in editions),
            np.asarray([position for _, position in editions], np.int64), publications,
        )  # fmt: skip

    def rank(self, queries: Vectors, k: int, allowed: NDArray[np.bool_] | None) -> tuple[Scores, Keys]:
        """The k best passages for each query: scores and keys; fewer columns when there are fewer passages."""
        allowed = self.edition_of >= 0 if allowed is None else allowed
        border = len(self.generation.keys)
        parts = [(self.generation.index, allowed[:border], 0), (self.fresh, allowed[border:], border)]
        found = [index.search(queries, min(k, len(index)), None if may.all() else may) for index, may, _ in parts if len(index)]
        starts = [start for index, _, start in parts if len(index)]
        if not found:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        scores = np.concatenate([scores for scores, _ in found], axis=1)
        positions = np.concatenate([positions + start for (_, positions), start in zip(found, starts, strict=True)], axis=1)
        order = np.lexsort((positions, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), self.keys[np.take_along_axis(positions, order, 1)]

    def allowed(self, filters: Filters) -> NDArray[np.bool_]:
        """For each passage, whether it is still there and the filters admit it."""
        editions = np.asarray(
            [_admits(filters, edition, self.publications[at]) for edition, at in zip(self.editions, self.publication_of, strict=True)], bool
        )
        return (self.edition_of >= 0) & (editions[self.edition_of] if len(editions) else False)


def _admits(filters: Filters, edition: Edition, publication: Publication) -> bool:
    def any_of(wanted: Collection[str], there: Collection[str]) -> bool:
        return not wanted or not set(wanted).isdisjoint(there)

    return (
        any_of(filters.languages, (edition.language, edition.language.split("-")[0]))
        and any_of(filters.years, (str(publication.year),))
        and any_of(filters.kinds, (publication.kind,))
        and any_of(filters.topics, publication.topics)
        and any_of(filters.countries, publication.countries)
    )


def _grouped(view: _View, vector: Vectors, wanted: int, filters: Filters) -> list[_Group]:
    """The `wanted` best publications, looking further down the list of passages until there are enough."""
    allowed = view.allowed(filters)
    total = int(allowed.sum())
    looked = min(FIRST_LOOK, total)
    while total:
        groups = _groups(view, *view.rank(vector, looked, allowed))
        if len(groups) >= wanted or looked >= total:
            return [_with_page(view, vector, group, allowed) for group in groups[:wanted]]
        looked = min(2 * looked, total)
    return []


def _groups(view: _View, scores: Scores, keys: Keys) -> list[_Group]:
    """Group ranked passages by publication: of each the best on its pages and the best of its catalogue entry."""
    groups: dict[int, _Group] = {}
    for score, key in zip(scores[0], keys[0], strict=True):
        if np.isfinite(score):
            place = int(np.searchsorted(view.keys, key))
            publication = int(view.publication_of[view.edition_of[place]])
            group = groups.setdefault(publication, _Group(publication, float(score), [], []))
            kept, most = (group.pages, SHOWN_PASSAGES) if view.on_page[place] else (group.entry, 1)
            if len(kept) < most:
                kept.append((int(key), float(score)))
    return list(groups.values())


def _with_page(view: _View, vector: Vectors, group: _Group, allowed: NDArray[np.bool_]) -> _Group:
    """Where only the catalogue entry was found, add the publication's best page: that is what can be opened and cited."""
    if group.pages:
        return group
    own = np.where(view.edition_of >= 0, view.publication_of[view.edition_of], -1) == group.publication
    scores, keys = view.rank(vector, 1, allowed & own & view.on_page)
    pages = [(int(key), float(score)) for score, key in zip(scores[0], keys[0], strict=True) if np.isfinite(score)]
    return replace(group, pages=pages)


def _hit(score: float, passage: Passage, marks: tuple[Mark, ...]) -> Hit:
    return Hit(score, passage, passage.page_at(marks[0].start if marks else 0), marks)
