"""A query made ready, and how what it finds is ranked and grouped by publication."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from index.contents import Keys
from index.encoder import Vectors
from index.fusion import fuse
from index.vectors import Allowed, Scores
from index.view import View
from index.words import WordHits
from ingest.records import primary

CANDIDATES = 1000  # nearest in meaning that are fused with words; what comes after them keeps the order of meaning
OWN_EDITION = 0.04  # of the cosine, at most, that a passage in the reader's language may lack to be shown before the best; docs/counterparts.md


@dataclass(frozen=True, slots=True)
class Group:
    """One publication among the ranked passages."""

    publication: int  # position in the view
    score: float  # of its best passage
    key: int  # of the passage to show
    on_page: bool  # whether that stands on a page
    lost: float = 0.0  # of the cosine of the best passage, where another one is shown: a page for the catalogue entry, the reader's edition


@dataclass(frozen=True, slots=True)
class Question:
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

    def publications(self, first: int, last: int) -> list[Group]:
        """The publications ranked first + 1 to last, looking further down the list of passages until there are enough."""
        total = int(self.allowed.sum())
        looked = min(CANDIDATES, total)
        while total:
            groups = self._groups(*self.passages(looked))
            if len(groups) >= last or looked >= total:
                return [self._to_show(group) for group in groups[first:last]]
            looked = min(4 * looked, total)
        return []

    def within(self, publication_id: str, edition_id: str) -> list[Group]:
        """All passages on the pages of one publication, or of one edition of it, best first, each for itself."""
        editions = [edition.publication_id == publication_id and edition_id in ("", edition.edition_id) for edition in self.view.editions]
        pages = self.allowed & self.view.on_page
        pages[pages] = np.asarray(editions, bool)[self.view.edition_of[pages]]
        ranked = replace(self, allowed=pages).passages(int(pages.sum()))
        publications = self.view.publication_at(self.view.places(ranked[1]))
        return [Group(int(at), float(score), int(key), True) for at, score, key in zip(publications, *ranked, strict=True)]

    def _groups(self, scores: Scores, keys: Keys) -> list[Group]:
        """Group ranked passages by publication, and take of each the best on its pages, else its catalogue entry."""
        groups: dict[int, Group] = {}
        places = self.view.places(keys)
        for score, key, place, publication in zip(scores, keys, places, self.view.publication_at(places), strict=True):
            found = groups.setdefault(int(publication), Group(int(publication), float(score), int(key), bool(self.view.on_page[place])))
            if self.view.on_page[place] and not found.on_page:
                groups[int(publication)] = replace(found, key=int(key), on_page=True)
        return list(groups.values())

    def _to_show(self, group: Group) -> Group:
        shown = self._with_page(group)
        best, other = (float(cosine) for cosine in self.view.cosines(self.vector, self.view.places(np.asarray([group.key, shown.key]))))
        return replace(shown, lost=max(0.0, best - other))

    def _with_page(self, group: Group) -> Group:
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
