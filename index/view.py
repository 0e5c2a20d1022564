"""One state of a library in memory: what FAISS serves, what is newer than that, and to whom each passage belongs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from index.encoder import Vectors
from index.filters import Filters
from index.generations import Generation, load_or_build
from index.library import Library
from index.passage_table import Held, PassageTable, Places, encoded, touched
from index.shelf import Shelf
from index.vector_rows import Keys
from index.vectors import Admitted, Allowed, Scores, VectorIndex
from ingest.records import Publication

MANY = 1000  # publications, changed since, from which all is read anew
KEPT = 8  # filters whose passages are remembered, a byte a passage each
PAGES = "pages"  # stands among the filters for all that is on pages


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """Which passages of a view may be found."""

    mask: Allowed  # a value for each passage
    count: int
    parts: tuple[Admitted | None, Admitted | None]  # of the generation, and of what is newer; None where all of it may be found

    @classmethod
    def of(cls, mask: Allowed, border: int) -> Among:
        """Of a mask of which the first `border` values are the generation's."""
        parts = [None if part.all() else Admitted(part) for part in (mask[:border], mask[border:])]
        return cls(mask, int(np.count_nonzero(mask)), (parts[0], parts[1]))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A generation and the passages newer than it. Safe to share between threads; it never changes, `renewed` makes another one.

    A passage stands at a place, which is where its key is in `keys`. Arrays with a value for each passage are in that order.
    """

    revision: int
    generation: Generation
    fresh: VectorIndex
    keys: Keys  # of the generation, then of the fresh passages
    shelf: Shelf
    table: PassageTable
    waiting: frozenset[str]  # ids of publications with passages that this generation's encoder has yet to encode
    _kept: OrderedDict[object, Among] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, library: Library, generation: Generation | None = None) -> View:
        """The library as it is now, by this generation, or by the one that is in use; all by the vectors of that generation's encoder."""
        generation = generation or load_or_build(library)
        with library.snapshot():
            revision, publications = library.revision(), library.publications()
            newer = library.vectors(generation.last_key, generation.encoder)
            held = Held.by(library)
        empty = cls(
            revision, generation, VectorIndex.of(generation.aligned(newer[1][:0])), generation.keys, Shelf.of(()), PassageTable.of(0), frozenset()
        )
        return empty._with(revision, (), publications, newer, held)

    def renewed(self, library: Library) -> View:
        """The library as it is now, by the same generation. It takes what the change takes, unless MANY publications have changed.

        Where the library has gone back to an earlier revision, as one does that is restored in its place, all is read anew.
        """
        with library.snapshot():
            revision = library.revision()
            changed = touched(library, self.revision) | self.waiting
            if len(changed) <= MANY:
                publications = [one for name in sorted(changed) if (one := library.publication(name))]
                newer = library.vectors(self._last_key, self.generation.encoder)
                held = Held.by(library, changed)
                late = encoded(library, self._missing(held.keys), self.generation.encoder)
        if revision < self.revision or len(changed) > MANY or late:
            return View.of(library, self.generation)
        return self._with(revision, changed, publications, newer, held)

    @property
    def publications(self) -> tuple[Publication, ...]:
        """All publications, in the order of their ids."""
        return self.shelf.publications

    def rank(self, queries: Vectors, k: int, among: Among, exhaustive: bool = False) -> tuple[Scores, Places]:
        """The k best passages for each query: scores and places; fewer columns when there are fewer passages.

        With `exhaustive` none is missed, as `Index.search` says.
        """
        k = min(k, among.count)
        parts = zip((self.generation.index, self.fresh), among.parts, (0, len(self.generation.keys)), strict=True)
        found = [(*index.search(queries, min(k, len(index)), admitted, exhaustive), start) for index, admitted, start in parts if k and len(index)]
        if not found:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        scores = np.concatenate([scores for scores, _, _ in found], axis=1)
        places = np.concatenate([places + start for _, places, start in found], axis=1)
        if len(found) == 1:
            return scores, places
        order = np.lexsort((places, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(places, order, 1)

    def places(self, keys: Keys) -> Places:
        """Where the passages with these keys stand, in their order; those that are not there are left out."""
        at = self._found(keys)
        return at[self.table.edition_of[at] >= 0] if len(at) else at

    def publication_at(self, places: Places) -> Places:
        """The publications, as positions in `publications`, of passages that are there."""
        return self.shelf.publication_of[self.table.edition_of[places]].astype(np.int64)

    def cosines(self, query: Vectors, places: Places) -> Scores:
        """The cosine of one query, shape (1, dimension), with each of these passages."""
        border = len(self.generation.keys)
        early = places < border
        cosines = np.empty(len(places), np.float32)
        cosines[early] = self.generation.index.products(query, places[early])
        cosines[~early] = self.fresh.products(query, places[~early] - border)
        return cosines

    def among(self, filters: Filters) -> Among:
        """The passages that are there and that the filters admit; remembered, so that asking again costs nothing."""
        return self._remembered(filters)

    def on_pages(self) -> Among:
        """The passages that are there and stand on pages."""
        return self._remembered(PAGES)

    def marked(self, keys: Keys) -> Allowed:
        """For each passage, whether its key is among these."""
        marked = np.zeros(len(self.keys), bool)
        marked[self.places(keys)] = True
        return marked

    def only(self, mask: Allowed) -> Among:
        """The passages that are marked, a value for each; all of them must be there."""
        return Among.of(mask, len(self.generation.keys))

    def _remembered(self, asked: Filters | str) -> Among:
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        made = self.only(self._mask(asked))
        with self._lock:
            self._kept[asked] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def _mask(self, asked: Filters | str) -> Allowed:
        there = self.table.edition_of >= 0
        if isinstance(asked, str):
            return there & self.table.on_page
        if asked:
            there &= np.append(self.shelf.admitted(asked), False)[self.table.edition_of]  # -1 finds what was appended
        return there

    def _found(self, keys: Keys) -> Places:
        """Where these keys stand, those that are nowhere left out."""
        if not len(self.keys):
            return np.zeros(0, np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.asarray(at[self.keys[at] == keys], np.int64)

    def _missing(self, keys: Keys) -> Keys:
        """Those of these keys, growing, that are nowhere and are not newer than all that is known either."""
        earlier = keys[keys < self._last_key]
        return np.setdiff1d(earlier, self.keys[self._found(earlier)])

    @property
    def _last_key(self) -> int:
        return int(self.keys[-1]) if len(self.keys) else 0

    def _with(self, revision: int, changed: Collection[str], there: Sequence[Publication], newer: tuple[Keys, Vectors], held: Held) -> View:
        """The same with what changed: these publications are as they are `there`, or not at all, and hold what is held."""
        before = [position for name in changed if (position := self.shelf.position(name)) >= 0]
        gone = [place for position in before for place in self.shelf.editions_of(position)]
        shelf = self.shelf.changed(changed, there)
        keys = np.concatenate([self.keys, newer[0]]) if len(newer[0]) else self.keys
        at = np.minimum(np.searchsorted(keys, held.keys), max(len(keys) - 1, 0))
        places = np.where(keys[at] == held.keys, at, -1) if len(keys) else np.full(len(held.keys), -1)
        slots = shelf.places_of([shelf.position(one.publication_id) for one in there])
        waiting = {shelf.editions[slots[name]].publication_id for name in held.unplaced(places)}
        table = self.table.put(len(keys), gone, held, slots, places)
        fresh = self.fresh.grown(self.generation.aligned(newer[1])) if len(newer[0]) else self.fresh
        return View(revision, self.generation, fresh, keys, shelf, table, frozenset(waiting))
