"""What resembles what: the publications related to a publication, and the passages like a passage; never other editions of the same work.

A publication is drawn as the mean of its editions' passages, and of its titles and abstracts, each less the mean of all publications: what all
of them say (who the publisher is, how to call a helpline) is in none of the drawings. Publications are related as their drawings are alike.

The passages that show it are chosen in pairs: each the nearest of the other in the two publications, and nearer to it than to publications in
general, which is the measure CSLS of Conneau and others, "Word translation without parallel data" (2018); boilerplate leads by nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Vectors
from index.library import Library
from index.passage_table import Places
from index.vectors import Scores
from index.view import View
from ingest.records import Passage, Publication, primary

LEAST = 0.06  # likeness of publications that are shown as related; bench/likeness.py has what that lets through
PASSAGES = 48  # of an edition, evenly spread, that stand for it
NEIGHBOURS = 200  # passages looked at beside each; those of one publication come in all its languages
GENERAL = 10  # nearest publications whose mean nearness is that to publications in general
CANDIDATES = 8  # pairs of passages whose lead is measured for two publications
LEAD = 0.03  # that a pair must have to be shown
PAIRS = 2  # of them shown
KEPT = 256  # answers in memory


@dataclass(frozen=True, slots=True)
class Pair:
    """A passage of one publication and the passage of another that is most like it."""

    here: Passage
    there: Passage
    lead: float  # by how much their cosine is above what they have with publications in general


@dataclass(frozen=True, slots=True)
class Related:
    """A publication that is near in meaning to another."""

    publication: Publication
    likeness: float  # in [-1, 1], 0 for no more alike than any two of the library
    pairs: tuple[Pair, ...]  # best first; none where no passages of the two lead


class Likeness:
    """Finds related publications, and remembers them until the library changes. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._view: View | None = None
        self._drawings: Vectors | None = None
        self._known: OrderedDict[tuple[int, tuple[str, ...], int], list[Related]] = OrderedDict()

    def related(self, view: View, publication_id: str, readers: Sequence[str] = (), k: int = 5) -> list[Related]:
        """Return up to k related publications, best first; those less alike than LEAST are left out. `readers` chooses the editions compared."""
        own = view.shelf.position(publication_id)
        if own < 0:
            return []
        with self._lock:
            if self._view is not view or self._drawings is None:
                self._view, self._drawings = view, drawings(self._library, view)
                self._known.clear()
            asked = (own, tuple(readers), k)
            if asked not in self._known:
                self._known[asked] = self._compare(view, self._drawings, asked)
            self._known.move_to_end(asked)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            return self._known[asked]

    def _compare(self, view: View, drawn: Vectors, asked: tuple[int, tuple[str, ...], int]) -> list[Related]:
        own, readers, k = asked
        alike = drawn @ drawn[own]
        alike[own] = -np.inf
        first = [int(place) for place in np.argsort(-alike, kind="stable")[:k] if alike[place] >= LEAST]
        return [Related(view.publications[other], float(alike[other]), pairs(self._library, view, (own, other), readers)) for other in first]


def drawings(library: Library, view: View) -> Vectors:
    """Draw every publication, shape (publications, 2 x dimension): its pages, and its catalogue entry; rows have at most unit length."""
    halves = [_drawn(library, view, on_page) for on_page in (True, False)]
    return np.concatenate(halves, axis=1) / np.float32(np.sqrt(2))


def pairs(library: Library, view: View, two: tuple[int, int], readers: Sequence[str]) -> tuple[Pair, ...]:
    """The passages that make two publications alike, the first publication's first; none beside another, so that they do not overlap."""
    chosen = [_pages(view, publication, readers) for publication in two]
    if not all(map(len, chosen)):
        return ()
    here, there = (_spread(_after_title_page(places)) for places in chosen)
    ours, theirs = _vectors(library, view, here), _vectors(library, view, there)
    cosines = ours @ theirs.T
    mutual = [(row, int(at)) for row, at in enumerate(cosines.argmax(1)) if int(cosines[:, at].argmax()) == row]
    best = sorted(mutual, key=lambda pair: (-cosines[pair], pair))[:CANDIDATES]
    general = [_general(view, vectors, own) for vectors, own in ((ours[[row for row, _ in best]], two[0]), (theirs[[at for _, at in best]], two[1]))]
    leads = [(float(cosines[pair] - (general[0][place] + general[1][place]) / 2), pair) for place, pair in enumerate(best)]
    shown: list[tuple[float, tuple[int, int]]] = []
    for lead, pair in sorted(leads, key=lambda one: (-one[0], one[1])):
        if lead >= LEAD and len(shown) < PAIRS and all(min(abs(pair[0] - other[0]), abs(pair[1] - other[1])) > 1 for _, other in shown):
            shown.append((lead, pair))
    passages = library.passages([int(view.keys[place]) for _, (row, at) in shown for place in (here[row], there[at])])
    told = [(lead, passages.get(int(view.keys[here[row]])), passages.get(int(view.keys[there[at]]))) for lead, (row, at) in shown]
    return tuple(Pair(ours_, theirs_, lead) for lead, ours_, theirs_ in told if ours_ and theirs_)


def like(library: Library, view: View, key: int, k: int = 10) -> list[tuple[Publication, Passage]]:
    """The passages most like the one with this key, one of each other publication, best first."""
    place = view.places(np.asarray([key]))
    if not len(place):
        return []
    best = _nearest(view, _vectors(library, view, place), int(view.publication_at(place)[0]))[0]
    chosen = sorted(best.items(), key=lambda one: (-one[1][0], one[0]))[:k]
    passages = library.passages([int(view.keys[at]) for _, (_, at) in chosen])
    there = [(publication, passages.get(int(view.keys[at]))) for publication, (_, at) in chosen]
    return [(view.publications[publication], passage) for publication, passage in there if passage]


def _drawn(library: Library, view: View, on_page: bool) -> Vectors:
    """For each publication the mean of its editions, themselves the means of their passages, less the mean of all; zero where it has none."""
    table = view.table
    alive = np.flatnonzero((table.edition_of >= 0) & (table.on_page == on_page))
    order = alive[np.argsort(table.edition_of[alive], kind="stable")]
    starts = np.flatnonzero(np.diff(table.edition_of[order]))
    means: dict[int, list[Vectors]] = {}
    for places in np.split(order, starts + 1) if len(order) else []:
        means.setdefault(int(view.publication_at(places[:1])[0]), []).append(_vectors(library, view, _spread(places)).mean(axis=0))
    if not means:
        return np.zeros((len(view.publications), 1), np.float32)
    drawn = {publication: np.mean(editions, axis=0) for publication, editions in means.items()}
    middle = np.mean(list(drawn.values()), axis=0)
    rows = np.stack([drawn.get(publication, middle) - middle for publication in range(len(view.publications))])
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _general(view: View, vectors: Vectors, own: int) -> Scores:
    """For each vector of a publication its mean cosine with the GENERAL nearest other publications."""
    nearest = [sorted((cosine for cosine, _ in found.values()), reverse=True)[:GENERAL] for found in _nearest(view, vectors, own)]
    return np.asarray([sum(cosines) / len(cosines) if cosines else 0.0 for cosines in nearest], np.float32)


def _nearest(view: View, vectors: Vectors, own: int) -> list[dict[int, tuple[float, int]]]:
    """For each vector, and each publication but `own` among its neighbours, the best cosine and the place of that passage."""
    if not len(vectors):
        return []
    mask = view.on_pages().mask.copy()
    mask[view.table.of_editions(view.shelf.editions_of(own))] = False
    found: list[dict[int, tuple[float, int]]] = []
    for row, places in zip(*view.rank(vectors, NEIGHBOURS, view.only(mask)), strict=True):
        places = places[np.isfinite(row)]
        best: dict[int, tuple[float, int]] = {}
        for cosine, place, publication in zip(row, places, view.publication_at(places), strict=False):
            best.setdefault(int(publication), (float(cosine), int(place)))
        found.append(best)
    return found


def _pages(view: View, publication: int, readers: Sequence[str]) -> Places:
    """The pages of the edition that stands for a publication: one in the first of the reader's languages that has any, else the one with most."""
    pages = view.on_pages().mask
    there = {edition: places[pages[places]] for edition in view.shelf.editions_of(publication) for places in [view.table.of_editions([edition])]}
    for language in readers:
        for edition, places in there.items():
            if len(places) and primary(view.shelf.editions[edition].language) == primary(language):
                return places
    return max(there.values(), key=len, default=np.zeros(0, np.int64))


def _after_title_page(places: Places) -> Places:
    """Without the first passage of an edition, which says who made it and when, where there are others."""
    return np.asarray(places[1:] if len(places) > 1 else places, np.int64)


def _spread(places: Places) -> Places:
    """At most PASSAGES of these, evenly spread, in their order."""
    return np.asarray(places[np.unique(np.linspace(0, len(places) - 1, min(PASSAGES, len(places))).round().astype(int))], np.int64)


def _vectors(library: Library, view: View, places: Places) -> Vectors:
    """The aligned vectors of the passages at these places; one that was removed meanwhile is like nothing."""
    keys = [int(key) for key in view.keys[places]]
    stored = library.vectors_of(keys, view.generation.encoder)
    width = len(next(iter(stored.values()))) if stored else 1
    rows = [stored.get(key, np.zeros(width, np.float32)) for key in keys]
    return view.generation.aligned(np.stack(rows)) if rows else np.zeros((0, width), np.float32)
