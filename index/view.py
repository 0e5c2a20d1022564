"""One state of a library in memory: what FAISS serves, what is newer than that, and to whom each passage belongs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from index.contents import Keys
from index.encoder import Vectors
from index.generations import Generation, load_or_build
from index.library import Library
from index.vectors import Admitted, Allowed, Scores, VectorIndex
from ingest.records import Edition, Publication, primary


@dataclass(frozen=True, slots=True)
class Filters:
    """What a publication must be to be found: any of the values of each field; an empty field admits all."""

    languages: tuple[str, ...] = ()  # BCP 47; "de" admits "de-AT" too
    years: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    publications: Collection[str] = ()  # their ids; a frozenset where there are many

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class View:
    """A generation and the passages newer than it. Arrays with a value for each passage are in the order of `keys`."""

    revision: int
    generation: Generation
    fresh: VectorIndex
    keys: Keys  # of the generation, then of the fresh passages
    edition_of: NDArray[np.int64]  # position in `editions`; -1 when the passage was removed since the generation was built
    on_page: NDArray[np.bool_]  # whether it stands on a page (else it is from the catalogue)
    language_of: NDArray[np.int64]  # a number for its language
    editions: tuple[Edition, ...]
    edition_languages: NDArray[np.str_]  # for each edition, its language without script and region
    publication_of: NDArray[np.int64]  # for each edition, position in `publications`
    publications: tuple[Publication, ...]

    @classmethod
    def of(cls, library: Library, generation: Generation | None = None) -> View:
        """The library as it is now, by this generation, or by the one that is in use; all by the vectors of that generation's encoder."""
        generation = generation or load_or_build(library)
        with library.snapshot():
            revision = library.revision()
            publications = tuple(library.publications())
            fresh_keys, fresh_vectors = library.vectors(generation.last_key, generation.encoder)
            table = library.passage_table()
            languages = library.passage_languages()
        editions = [(edition, position) for position, publication in enumerate(publications) for edition in publication.editions]
        places = {edition.edition_id: place for place, (edition, _) in enumerate(editions)}
        keys = np.concatenate([generation.keys, fresh_keys])
        edition_of = np.full(len(keys), -1, np.int64)
        on_page = np.zeros(len(keys), bool)
        stored = np.asarray([key for key, _, _ in table], np.int64)
        known = np.isin(stored, keys)  # the others wait for a vector by this encoder
        alive = np.searchsorted(keys, stored[known])
        edition_of[alive] = np.asarray([places[edition_id] for _, edition_id, _ in table], np.int64)[known]
        on_page[alive] = np.asarray([page for _, _, page in table], bool)[known]
        language_of = np.zeros(len(keys), np.int64)
        language_of[alive] = np.unique(languages, return_inverse=True)[1][known]
        return cls(
            revision=revision,
            generation=generation,
            fresh=VectorIndex.of(generation.aligned(fresh_vectors)),
            keys=keys,
            edition_of=edition_of,
            on_page=on_page,
            language_of=language_of,
            editions=tuple(edition for edition, _ in editions),
            edition_languages=np.asarray([primary(edition.language) for edition, _ in editions], np.str_),
            publication_of=np.asarray([position for _, position in editions], np.int64),
            publications=publications,
        )

    def rank(self, queries: Vectors, k: int, allowed: Allowed) -> tuple[Scores, Keys]:
        """The k best passages for each query: scores and keys; fewer columns when there are fewer passages."""
        border = len(self.generation.keys)
        parts = [(self.generation.index, allowed[:border], 0), (self.fresh, allowed[border:], border)]
        found = [index.search(queries, min(k, len(index)), None if may.all() else Admitted(may)) for index, may, _ in parts if len(index)]
        starts = [start for index, _, start in parts if len(index)]
        if not found:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        scores = np.concatenate([scores for scores, _ in found], axis=1)
        positions = np.concatenate([positions + start for (_, positions), start in zip(found, starts, strict=True)], axis=1)
        order = np.lexsort((positions, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), self.keys[np.take_along_axis(positions, order, 1)]

    def places(self, keys: Keys) -> NDArray[np.int64]:
        """Where these keys stand in `keys`; all of them must be there."""
        return np.asarray(np.searchsorted(self.keys, keys), np.int64)

    def publication_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The publications, as positions in `publications`, of passages that are still there."""
        return self.publication_of[self.edition_of[places]]

    def cosines(self, query: Vectors, places: NDArray[np.int64]) -> Scores:
        """The cosine of one query, shape (1, dimension), with each of these passages."""
        border = len(self.generation.keys)
        early = places < border
        cosines = np.empty(len(places), np.float32)
        cosines[early] = self.generation.index.products(query, places[early])
        cosines[~early] = self.fresh.products(query, places[~early] - border)
        return cosines

    def allowed(self, filters: Filters) -> Allowed:
        """For each passage, whether it is still there and the filters admit it."""
        if not filters:
            return self.edition_of >= 0
        editions = np.asarray(
            [admits(filters, edition, self.publications[at]) for edition, at in zip(self.editions, self.publication_of, strict=True)], bool
        )
        return (self.edition_of >= 0) & (editions[self.edition_of] if len(editions) else False)


def admits(filters: Filters, edition: Edition, publication: Publication) -> bool:
    """Whether this edition of this publication is among what the filters ask for."""

    def any_of(wanted: Collection[str], there: Collection[str]) -> bool:
        return not wanted or not frozenset(wanted).isdisjoint(there)

    return (
        any_of(filters.languages, (edition.language, primary(edition.language)))
        and any_of(filters.years, (str(publication.year),))
        and any_of(filters.kinds, (publication.kind,))
        and any_of(filters.topics, publication.topics)
        and any_of(filters.countries, publication.countries)
        and any_of(filters.publications, (publication.publication_id,))
    )
