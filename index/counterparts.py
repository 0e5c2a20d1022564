"""The same passage in another edition of its publication: where it stands there, which sentence it is, and how sure that is.

    S_ij   cosine of passage i of one edition and passage j of the other, both judged (index/generations.py), so without their languages
    G_ij   S_ij - (mean of the 4 greatest of row i + mean of the 4 greatest of column j) / 2: how i and j stand out for each other
    path   the heaviest chain of pairs with G > 0 that rises in i and in j; leaving passages out on either side costs nothing
    a_i    where passage i would stand by the path, between its neighbours on it
    P_ij   0.6 G_ij - 0.7 |j - a_i| / passages of the other edition, of which at most a quarter counts
    j      the passage of the other edition with the greatest mean P over the passages that hold the sentence, since neighbours overlap
    E      cosine of the sentence and the nearest sentence of j, + 0.4 times what the next sentence of j is further away, + that mean

A path costs no more than the order in which the editions are read, so a chapter at another place is still found, with less to say for it.
Alignment by a path through similarities: Gale and Church 1993, "A program for aligning sentences in bilingual corpora"; on vectors, with what
is left out: Thompson and Koehn 2019, "Vecalign". Standing out among the nearest: Artetxe and Schwenk 2019, "Margin-based parallel corpus
mining". Weights and limits were measured for this project: docs/counterparts.md.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.library import Library
from index.parts import part
from index.vector_rows import Keys
from index.view import View
from ingest.records import Edition, Passage, Publication, Span, primary

LIKELY, CERTAIN = 0.65, 0.85  # of the evidence, at least; below the first there is silence. Made by bench/counterparts.py
NEIGHBOURS = 4  # nearest passages with which a pair is compared; each sentence stands in two, and the heading in all of a section
STANDING_OUT, OUT_OF_ORDER, NEXT_SENTENCE = 0.6, 0.7, 0.4  # weights
FAR = 0.25  # of an edition: further from its place by the path a passage cannot be
ALONE = 0.1  # what the next sentence is further away, where there is none
LARGEST = 4000 * 4000  # pairs of passages that are compared: those of two editions of about 600 pages; there is silence above
CACHE = 64 << 20  # bytes of aligned editions kept in memory: at least a dozen pairs of 200 pages
SENTENCES = 16_000  # whose vectors are kept in memory, in some 40 MB

Similarities = NDArray[np.float32]  # shape (passages of one edition, passages of the other)
Path = NDArray[np.int64]  # shape (pairs, 2): positions in both editions, growing


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The passage of another edition that says the same."""

    passage: Passage
    page: int  # on which the sentence begins, 1-based
    label: str  # what is printed as the number of that page
    span: Span  # the sentence, in the passage's text
    confidence: Literal["certain", "likely"]  # of a hundred such, two are wrong, or five


class Wanted(NamedTuple):
    """A sentence whose counterpart is asked for."""

    passage: Passage  # on a page
    span: Span  # in its text; the sentence that has most of it is meant
    target: str  # id of an edition of the same publication


class Match(NamedTuple):
    """The nearest thing to a counterpart there is, and what speaks for it."""

    passage: Passage
    span: Span
    evidence: float  # higher is better; comparable between editions and libraries


class Counterparts:
    """Finds passages in other editions. One for each process; safe to share between threads. Aligned editions and sentences are kept, with a bound."""

    def __init__(self, library: Library, encoder: Encoder) -> None:
        self._library = library
        self._encoder = encoder
        self._lock = threading.Lock()
        self._aligning = threading.Lock()  # one pair at a time: the largest takes some 400 MB, and who asks for the same waits for it
        self._kept: OrderedDict[tuple[str, ...], _Pair] = OrderedDict()
        self._size = 0
        self._seen: OrderedDict[str, Vectors] = OrderedDict()  # the raw vectors of sentences

    @part("counterparts")
    def of(self, view: View, wanted: Sequence[Wanted]) -> list[Counterpart | None]:
        """The counterpart of each, or None where it is not even likely. Their sentences are encoded together."""
        return [self._sure(match) for match in self.matches(view, wanted)]

    def matches(self, view: View, wanted: Sequence[Wanted]) -> list[Match | None]:
        """The nearest there is, likely or not; None where an edition has no passages, or changed since `view`."""
        pairs = [self._pair(view, one) for one in wanted]
        around = {key for pair, one in zip(pairs, wanted, strict=True) for key in pair.around(one.passage)}
        sources = self._library.passages(sorted(around))
        places = [_place(pair, one, sources) for pair, one in zip(pairs, wanted, strict=True)]
        targets = self._library.passages([place.target for place in places if place])
        found = [place if place and place.target in targets else None for place in places]
        asked = {place: (_sentences(sources[place.source])[place.sentence], *_sentences(targets[place.target])) for place in found if place}
        vectors = self._vectors(view, [text for texts in asked.values() for text in texts])
        return [_match(place, targets[place.target], *(vectors[text] for text in asked[place])) if place else None for place in found]

    def _vectors(self, view: View, texts: Sequence[str]) -> dict[str, Vectors]:
        """Where these sentences are, judged; each is encoded by itself. What codes tell of them, seen in their context, is too much alike."""
        with self._lock:
            known = {text: self._seen.get(text) for text in texts}
        missing = [text for text, vector in known.items() if vector is None]
        made: Iterable[Vectors] = self._encoder.encode_passages(missing) if missing else ()
        known |= {text: vector.copy() for text, vector in zip(missing, made, strict=True)}  # else each would hold all of them
        raw = {text: vector for text, vector in known.items() if vector is not None}
        with self._lock:
            self._seen |= raw
            for text in raw:
                self._seen.move_to_end(text)
            while len(self._seen) > SENTENCES:
                self._seen.popitem(last=False)
        return dict(zip(raw, view.generation.judged(np.stack(list(raw.values()))), strict=True)) if raw else {}

    def _sure(self, match: Match | None) -> Counterpart | None:
        if match is None or match.evidence < LIKELY:
            return None
        passage, span, evidence = match
        page = passage.page_at(span[0])
        label = self._library.page_label(passage.edition_id, page)
        return Counterpart(passage, page, label, span, "certain" if evidence >= CERTAIN else "likely")

    def _pair(self, view: View, wanted: Wanted) -> _Pair:
        name = (view.generation.name, str(view.revision), wanted.passage.edition_id, wanted.target)
        found = self._known(name)
        if found is None:
            with self._aligning:
                found = self._known(name) or self._keep(name, self._aligned(view, *name[2:]))
        return found

    def _known(self, name: tuple[str, ...]) -> _Pair | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _keep(self, name: tuple[str, ...], made: _Pair) -> _Pair:
        with self._lock:
            self._kept[name] = made
            self._size += made.size
            while self._size > CACHE:
                self._size -= self._kept.popitem(last=False)[1].size
        return made

    def _aligned(self, view: View, source: str, target: str) -> _Pair:
        with self._library.snapshot():
            (keys, raw), (others, other_raw) = (self._library.vectors_in(edition, view.generation.encoder) for edition in (source, target))
        if not len(keys) or not len(others) or len(keys) * len(others) > LARGEST:
            return _Pair(keys[:0], others[:0], np.zeros((0, 0), np.float16))
        return _Pair(keys, others, preferences(view.generation.judged(raw) @ view.generation.judged(other_raw).T).astype(np.float16))


def edition_for(publication: Publication, shown: str, readers: Sequence[str]) -> Edition | None:
    """The edition whose passage to show beside one of the edition `shown`: in the first of the reader's languages that has one, a whole
    one first; None when `shown` is in that language, or nothing is in any of them."""
    editions = [edition for edition in publication.editions if edition.digest]
    for language in readers:
        own = [edition for edition in editions if primary(edition.language) == primary(language)]
        if own:
            best = min(own, key=lambda edition: (edition.part != "whole", edition.language != language))
            return None if shown in {edition.edition_id for edition in own} else best
    return None


def preferences(similarities: Similarities) -> Similarities:
    """Where in the other edition each passage may have its counterpart, by meaning and by order: P of the formula."""
    gains = np.asarray(similarities - (_nearest(similarities)[:, None] + _nearest(similarities.T)) / 2, np.float32)
    path = heaviest_path(gains)
    if not len(path):
        return np.asarray(STANDING_OUT * gains, np.float32)
    rows, columns = gains.shape
    expected = np.interp(np.arange(rows), path[:, 0], path[:, 1]).astype(np.float32)
    off = np.abs(np.arange(columns, dtype=np.float32) - expected[:, None]) / np.float32(columns)
    return np.asarray(STANDING_OUT * gains - OUT_OF_ORDER * np.minimum(off, FAR), np.float32)


def heaviest_path(gains: Similarities) -> Path:
    """The pairs of positive gain, rising in both, whose gains add up to most. Takes rows x columns steps, but a loop over rows only."""
    rows, columns = gains.shape
    best = np.zeros((rows + 1, columns + 1), np.float32)  # of paths within the first rows and columns
    for row in range(rows):
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], best[row, :-1] + gains[row]))
    path: list[tuple[int, int]] = []
    row, column = rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            path.append((row, column))
    return np.asarray(path[::-1], np.int64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two editions, aligned; without passages where they cannot be."""

    keys: Keys  # of the one edition's passages, in reading order
    others: Keys  # of the other's
    preferences: NDArray[np.float16]

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return 1000 + self.preferences.nbytes

    def around(self, passage: Passage) -> list[int]:
        """The keys of a passage and its neighbours."""
        on_page = passage.first_page > 0
        return [int(key) for key in self.keys[max(passage.ordinal - 1, 0) : passage.ordinal + 2]] if on_page else []


class _Place(NamedTuple):
    """In which passage a counterpart is looked for."""

    source: int  # key
    sentence: int  # its place in the source
    target: int  # key
    preference: float


def _place(pair: _Pair, wanted: Wanted, sources: dict[int, Passage]) -> _Place | None:
    """Where to look; None when there is nothing, or the passage is not what it was."""
    passage, row = wanted.passage, wanted.passage.ordinal
    source = int(pair.keys[row]) if row < len(pair.keys) and passage.first_page else 0
    if source not in sources or sources[source].text != passage.text or not passage.sentences:
        return None
    sentence = int(np.argmax([min(end, wanted.span[1]) - max(start, wanted.span[0]) for start, end in passage.sentences]))
    start, end = passage.sentences[sentence]
    holding = [at for at in range(max(row - 1, 0), min(row + 2, len(pair.keys))) if _holds(sources, int(pair.keys[at]), passage.text[start:end])]
    means = pair.preferences[holding].mean(axis=0, dtype=np.float32)
    best = int(np.argmax(means))
    return _Place(source, sentence, int(pair.others[best]), float(means[best]))


def _holds(passages: dict[int, Passage], key: int, sentence: str) -> bool:
    return key in passages and sentence in passages[key].text


def _sentences(passage: Passage) -> list[str]:
    return [passage.text[start:end] for start, end in passage.sentences]


def _match(place: _Place, target: Passage, asked: Vectors, *others: Vectors) -> Match | None:
    if not others:
        return None
    cosines = np.stack(others) @ asked
    order = np.argsort(-cosines, kind="stable")
    apart = float(cosines[order[0]] - cosines[order[1]]) if len(order) > 1 else ALONE
    return Match(target, target.sentences[order[0]], float(cosines[order[0]]) + NEXT_SENTENCE * apart + place.preference)


def _nearest(similarities: Similarities) -> Similarities:
    """The mean of the greatest of each row."""
    columns = similarities.shape[1]
    kept = min(NEIGHBOURS, columns)
    return np.asarray(np.partition(np.ascontiguousarray(similarities), columns - kept, axis=1)[:, columns - kept :].mean(axis=1), np.float32)
