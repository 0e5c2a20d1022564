"""A query made ready, and how what it finds is ranked and grouped by publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Tokens, Vectors
from index.fusion import fuse
from index.meanwhile import Part
from index.passage_table import Places
from index.vector_rows import Keys
from index.vectors import Scores
from index.view import Among, View
from index.words import WordHits
from ingest.records import primary

CANDIDATES = 1000  # nearest in meaning that are fused with words; what comes after them keeps the order of meaning
LOOKED_AT = 8  # pages of an edition, nearest as the index ranks them, whose exact cosines decide
OWN_EDITION = 0.04  # of the cosine, at most, that a passage in the reader's language may lack to be shown before the best; docs/counterparts.md

Rows = NDArray[np.int64]  # of ranked passages, growing


@dataclass(frozen=True, slots=True)
class Group:
    """One publication among the ranked passages."""

    publication: int  # position in the view
    score: float  # of its best passage
    key: int  # of the passage to show
    lost: float = 0.0  # of the cosine of the best passage, where another one is shown: a page for the catalogue entry, the reader's edition


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Passages, best first. Arrays have the shape (passages,)."""

    scores: Scores
    cosines: Scores
    places: Places
    beyond: float  # no other passage that may be found has a greater cosine; -inf where there is no other


@dataclass(frozen=True, slots=True)
class Question:
    """A query made ready: what may be found, by meaning and by words, in one state of the library."""

    view: View
    raw: Vectors  # shape (1, dimension)
    vector: Vectors  # aligned
    text: str  # what the vectors were made of
    found: Part[WordHits]  # by words; needed only once what is near in meaning is known
    whole: bool  # whether all that may be found holds the words that were asked for
    among: Among
    readers: tuple[str, ...]
    exhaustive: bool = False
    tokens: Tokens | None = None  # of the pass that made the vector

    @property
    def words(self) -> WordHits:
        return self.found.get()

    def passages(self, k: int) -> tuple[Scores, Keys]:
        """The k best passages: scores and keys, best first. A larger k only adds to the end."""
        ranked = self._ranked(k)
        return ranked.scores[:k], self.view.keys[ranked.places[:k]]

    def publications(self, first: int, last: int) -> list[Group]:
        """The publications ranked first + 1 to last, looking further down the list of passages until there are enough."""
        total = self.among.count
        looked = total if total < 2 * CANDIDATES else CANDIDATES
        while total:
            ranked = self._ranked(looked)
            firsts = _firsts(self.view.publication_at(ranked.places[:looked]))
            if len(firsts) >= last or looked >= total:
                return self._groups(ranked, looked, firsts[first:last])
            looked = min(4 * looked, total)
        return []

    def within(self, publication_id: str, edition_id: str) -> list[Group]:
        """All passages on the pages of one publication, or of one edition of it, best first, each for itself."""
        shelf, publication = self.view.shelf, self.view.shelf.position(publication_id)
        editions = [at for at in shelf.editions_of(publication) if edition_id in ("", shelf.editions[at].edition_id)] if publication >= 0 else []
        places = self._pages(editions)
        ranked = self._fused(*_nearest_first(self.view.cosines(self.vector, places), places), places[:0], -np.inf)
        return [Group(publication, score, key) for score, key in zip(ranked.scores.tolist(), self.view.keys[ranked.places].tolist(), strict=True)]

    def _ranked(self, k: int) -> Ranked:
        """The k best passages, and some more."""
        asked = min(max(k, CANDIDATES), self.among.count)
        near, places = self.view.rank(self.vector, asked, self.among, self.exhaustive)
        finite = np.isfinite(near[0])
        cosines, places = near[0][finite], places[0][finite]
        beyond = float(cosines[-1]) if 0 < len(cosines) < self.among.count else -np.inf
        return self._fused(cosines, places, self._worded(places), beyond)

    def _fused(self, cosines: Scores, places: Places, worded: Places, beyond: float) -> Ranked:
        """Fuse meaning with words: passages by falling cosine, beyond which there are only smaller ones, and more of them, found by words."""
        head = min(len(cosines), CANDIDATES)
        cosines = np.concatenate([cosines[:head], self.view.cosines(self.vector, worded), cosines[head:]])
        places = np.concatenate([places[:head], worded, places[head:]])
        head += len(worded)
        bm25, coverage = self.words.beside(self.view.keys[places[:head]])
        scores = np.concatenate([fuse(cosines[:head], bm25, coverage, self.view.table.language_of[places[:head]]), cosines[head:]])
        order = np.lexsort((places, -scores))
        return Ranked(scores[order], cosines[order], places[order], beyond)

    def _worded(self, places: Places) -> Places:
        """The passages found by their words, beside these, growing."""
        found = self.view.places(self.words.keys)
        return np.setdiff1d(found[self.among.mask[found]], places)

    def _groups(self, ranked: Ranked, looked: int, firsts: Rows) -> list[Group]:
        """What to show of the publications whose best passages have these rows: a page rather than the catalogue entry, and the reader's edition
        where it answers about as well."""
        view = self.view
        owners, on_page = view.publication_at(ranked.places), view.table.on_page[ranked.places]
        pages = [np.flatnonzero((owners == owners[first]) & on_page) for first in firsts]
        shown = np.asarray([rows[0] if len(rows) and rows[0] < looked else first for rows, first in zip(pages, firsts, strict=True)], np.int64)
        cosines = view.cosines(self.vector, ranked.places[shown]).tolist()
        return [self._group(ranked, *each) for each in zip(firsts.tolist(), pages, shown.tolist(), cosines, strict=True)]

    def _group(self, ranked: Ranked, first: int, pages: Rows, shown: int, best: float) -> Group:
        """The same for one: the row of its best passage, those of its pages, and the row and the cosine of what is to be shown if it is a page."""
        view = self.view
        publication, place, cosine = int(view.publication_at(ranked.places[first : first + 1])[0]), int(ranked.places[shown]), best
        if not view.table.on_page[place]:
            place, cosine = self._nearest(ranked, pages, view.shelf.editions_of(publication), -np.inf) or (place, best)
        if view.table.on_page[place]:
            place, cosine = self._own(ranked, pages, publication, (place, cosine))
        return Group(publication, float(ranked.scores[first]), int(view.keys[place]), max(0.0, best - cosine))

    def _own(self, ranked: Ranked, pages: Rows, publication: int, shown: tuple[int, float]) -> tuple[int, float]:
        """The place and the cosine of the best page in the first of the reader's languages that has one good enough, else what was to be shown."""
        shelf = self.view.shelf
        speaking = {at: primary(shelf.editions[at].language) for at in shelf.editions_of(publication)} if self.readers else {}
        for language in map(primary, self.readers):
            if speaking[int(self.view.table.edition_of[shown[0]])] == language:
                break
            own = [at for at, spoken in speaking.items() if spoken == language]
            found = self._nearest(ranked, pages, own, shown[1] - OWN_EDITION) if own else None
            if found:
                return found
        return shown

    def _nearest(self, ranked: Ranked, pages: Rows, editions: Sequence[int], least: float) -> tuple[int, float] | None:
        """The place and the cosine of the page of these editions that is nearest in meaning; None where none comes as near as `least`.

        `pages` are the rows of the publication's pages. Where the nearest is not among them it is looked up, unless it cannot be near enough.
        """
        rows = pages[np.isin(self.view.table.edition_of[ranked.places[pages]], editions)]
        rows = rows[np.lexsort((ranked.places[rows], -ranked.cosines[rows]))][:LOOKED_AT]
        places = ranked.places[rows]
        if ranked.beyond >= max(least, float(ranked.cosines[rows].max(initial=-np.inf))):
            places = self._pages(editions)
        cosines, places = _nearest_first(self.view.cosines(self.vector, places), places)
        return (int(places[0]), float(cosines[0])) if len(places) and cosines[0] >= least else None

    def _pages(self, editions: Sequence[int]) -> Places:
        """The pages of these editions that may be found, growing."""
        places = self.view.table.of_editions(editions)
        return places[self.among.mask[places] & self.view.table.on_page[places]]


def _nearest_first(cosines: Scores, places: Places) -> tuple[Scores, Places]:
    order = np.lexsort((places, -cosines))
    return cosines[order], places[order]


def _firsts(publications: Places) -> Rows:
    """The rows in which each publication comes first, growing."""
    return np.sort(np.unique(publications, return_index=True)[1])
