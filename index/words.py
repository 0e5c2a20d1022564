"""Find exact words, names and phrases in every script, beside meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import log
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from index.library import Library
from index.names import sought_keys
from index.parts import part
from index.postings import NONE, Held, Postings, among, merged
from index.query import WordQuery, Words, parse, sought
from index.terms import Piece, placed_lately
from index.vector_rows import Keys
from ingest.records import Span

__all__ = ["WordHits", "WordQuery", "Words", "exact", "exact_spans", "parse", "search_words"]

POSTINGS = 200_000  # read for one query, about; the rarest terms come first, and what says less than all of them is left out
GATHERED = 3000  # passages compared with each other, about; the commoner terms only say more of those that hold a rarer one
MOST_TERMS = 64  # looked up for one query, the rarest
SAME_NAME = 0.8  # what a name in another alphabet counts, against 1 for the word itself: not every agreement is right
COMMON = 0.03  # of all passages; more than that, a word may be "the"

Values = NDArray[np.float32]  # shape (passages,)


@dataclass(frozen=True, slots=True)
class Told:
    """A term of a query, and where it stands."""

    says: float  # how much, by its rarity; higher for a rarer term
    share: float  # of what the whole query says
    word: Held  # the passages that hold it, growing
    name: Held  # those that hold what may be the same name in another alphabet, growing

    def presence(self, keys: Held) -> Values:
        """For each passage, in [0, 1], how far it holds the term."""
        named = among(keys, self.name) if len(self.name) else np.zeros(len(keys), np.bool_)
        return np.where(among(keys, self.word), 1, np.where(named, SAME_NAME, 0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class WordHits:
    """The passages that hold words of a query, best first."""

    keys: Keys
    bm25: Values  # positive, higher is better; every term counts once, and all passages as equally long
    coverage: Values  # in [0, 1]: how much of the query, by the rarity of its words, stands in the passage
    required: Keys | None  # all passages that hold every required phrase, growing; None where nothing is required
    excluded: Keys  # all passages that hold anything excluded, growing
    telling: tuple[Words, ...]  # the words worth marking
    told: tuple[Told, ...]

    @property
    def restricts(self) -> bool:
        """Whether anything is required or excluded."""
        return self.required is not None or bool(len(self.excluded))

    def beside(self, keys: Keys) -> tuple[Values, Values]:
        """Return the BM25 and the coverage of these passages, 0 for those that hold no word."""
        order = np.argsort(keys, kind="stable")  # what grows is looked up twice as fast
        back = np.argsort(order, kind="stable")
        bm25, coverage = _scored(self.told, keys[order])
        return bm25[back], coverage[back]

    def admits(self, keys: Held) -> NDArray[np.bool_]:
        """For each passage, whether it holds what is required and nothing that is excluded."""
        admitted = ~among(keys, self.excluded)
        return admitted if self.required is None else admitted & among(keys, self.required)


@part("words")
def search_words(library: Library, query: WordQuery, k: int) -> WordHits:
    """Return the k best passages that hold a word of the query, and what else the query asks of its words. For any thread."""
    library.store.look_again()
    postings = library.postings
    query = _settled(postings, query)
    runs = list(dict.fromkeys(run for words in query.wanted for run in words.runs()))
    alphabetic = (piece.text for words in query.wanted for piece in words.pieces if not piece.unspaced and not words.acronym)
    names = {word: sought_keys(word) for word in alphabetic}
    terms = dict.fromkeys([*(term for run in runs for term in run), *(key for keys in names.values() for key in keys)])
    counts = dict(zip(terms, postings.counts(map(sought, terms)), strict=True))
    rarest = _rarest(counts)
    there = dict(zip(rarest, postings.all_of(map(sought, rarest)), strict=True))
    rarity = _Rarity(counts | {term: len(keys) for term, keys in there.items()}, max(library.passage_count(), 1))
    told = _told(rarity, runs, names, there)
    required = postings.of(" AND ".join(words.expression for words in query.required)).astype(np.int64) if query.required else None
    excluded = postings.of(" OR ".join(words.expression for words in query.excluded)) if query.excluded else NONE
    found = WordHits(
        NONE.astype(np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32), required, excluded.astype(np.int64), rarity.telling(query), told
    )
    keys = _gathered([keys[found.admits(keys)] for keys in there.values()] if found.restricts else list(there.values()), k)
    bm25, coverage = _scored(told, keys)
    best = np.lexsort((keys, -bm25))[:k]
    return replace(found, keys=keys[best].astype(np.int64), bm25=bm25[best], coverage=coverage[best])


def exact(library: Library, query: WordQuery) -> Keys:
    """Return the keys, growing, of all passages that hold every word and phrase of the query and nothing it excludes."""
    if not query.wanted:
        return NONE.astype(np.int64)
    query = _settled(library.postings, query)
    wanted = " AND ".join(words.expression for words in query.wanted)
    return library.postings.of(wanted + "".join(f" NOT {words.expression}" for words in query.excluded)).astype(np.int64)


def exact_spans(text: str, wanted: Sequence[Words]) -> list[Span]:
    """Return where in a text these words stand, growing; what overlaps or touches is one span. Takes `WordHits.telling`."""
    firsts = {words.pieces[0].text for words in wanted}
    there = placed_lately(text) if firsts else ()
    places: dict[str, list[int]] = {}
    for place, (_, piece) in enumerate(there):
        if piece.text in firsts:
            places.setdefault(piece.text, []).append(place)
    found = sorted(span for words in wanted for span in _spans(there, places.get(words.pieces[0].text, ()), words))
    spans: list[Span] = []
    for start, end in found:
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


@dataclass(frozen=True, slots=True)
class _Rarity:
    """How much each term says: the fewer passages hold it, the more."""

    counts: Mapping[str, int]
    passages: int

    def of(self, run: Sequence[str]) -> float:
        """The mean over the terms of a run, so that a word of many letters says no more than one of few."""
        return fmean(self._of_term(term) for term in run)

    def shares(self, runs: Sequence[Sequence[str]], there: Collection[str]) -> dict[str, float]:
        """How much of what the query says each of its terms says; terms that are too common to be looked up say nothing."""
        shares: dict[str, float] = defaultdict(float)
        for run in runs:
            for term in run:
                if term in there or not self.counts[term]:
                    shares[term] += self._of_term(term) / len(run)
        whole = sum(shares.values())
        return {term: share / whole for term, share in shares.items()}

    def telling(self, query: WordQuery) -> tuple[Words, ...]:
        """Leave out words like "the": common, and saying less than half of what the query's rarest word says."""
        says = {words: max(self.of(run) for run in words.runs()) for words in query.wanted}
        least = min(max(says.values(), default=0) / 2, log(1 / COMMON))
        return tuple(words for words in query.free if says[words] >= least) + query.required

    def _of_term(self, term: str) -> float:
        count = min(max(self.counts[term], 1), self.passages)
        return log(1 + (self.passages - count + 0.5) / (count + 0.5))


def _told(rarity: _Rarity, runs: Sequence[Sequence[str]], names: Mapping[str, Sequence[str]], there: Mapping[str, Held]) -> tuple[Told, ...]:
    def told(term: str, share: float) -> Told:
        keys = [there[key] for key in names.get(term, ()) if key in there]
        name = merged(*keys) if keys else NONE
        return Told(rarity.of([term]), share, there.get(term, NONE), name)

    return tuple(told(term, share) for term, share in rarity.shares(runs, there).items())


def _scored(told: Sequence[Told], keys: Held) -> tuple[Values, Values]:
    """How much of a query these passages hold: by what its words say, and as a part of the whole."""
    bm25, coverage = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    for term in told:
        presence = term.presence(keys)
        bm25 += np.float32(term.says) * presence
        coverage += np.float32(term.share) * presence
    return bm25, coverage


def _gathered(lists: Sequence[Held], k: int) -> Held:
    """The passages to compare, growing: those of the rarest terms until there are enough; where there are too many, those that hold a further one."""
    gathered, others = NONE, []
    for keys in lists:
        if len(gathered) < GATHERED:
            gathered = merged(gathered, keys)
        elif len(gathered) > 2 * GATHERED:
            both = gathered[among(gathered, keys)]
            if len(both) >= k:
                gathered = both
            else:
                others.append(both)
    return merged(gathered[: 2 * GATHERED], *others)


def _rarest(counts: Mapping[str, int]) -> list[str]:
    """The terms to look up, rarest first, so that a query reads a bounded part of the index."""
    known = sorted((count, term) for term, count in counts.items() if count)[:MOST_TERMS]
    read = accumulate(count for count, _ in known)
    return [term for place, ((_, term), total) in enumerate(zip(known, read, strict=True)) if place == 0 or total <= POSTINGS]


def _settled(postings: Postings, query: WordQuery) -> WordQuery:
    """Let capitals count for words that are mostly written without: US, IT, WHO; not for NATO, nor in a query all in capitals."""
    typed = [words for words in query.wanted + query.excluded if words.acronym]
    shouted = len(query.wanted) > 1 and all(piece.acronym for words in query.wanted for piece in words.pieces)
    counts = {term: postings.count(sought(term)) for words in typed for term in (words.acronym, words.pieces[0].text)}

    def settled(words: Words) -> Words:
        mostly_without = not shouted and 0 < 2 * counts.get(words.acronym, 0) < counts.get(words.pieces[0].text, 0)
        return words if mostly_without else Words(tuple(replace(piece, acronym=False) for piece in words.pieces))

    free, required, excluded = (tuple(map(settled, part)) for part in (query.free, query.required, query.excluded))
    return replace(query, free=free, required=required, excluded=excluded)


def _spans(there: Sequence[tuple[int, Piece]], places: Iterable[int], words: Words) -> Iterator[Span]:
    """Yield where these words stand among the pieces of a text, each with where it is counted from, at one of the places of the first of them."""
    wanted = words.pieces
    for place in places:
        (start, first), (end, last) = there[place], there[min(place + len(wanted), len(there)) - 1]
        window = [piece for _, piece in there[place : place + len(wanted)]]
        same = [one.text for one in window] == [one.text for one in wanted] and (first.acronym or not words.acronym)
        if same and all(one.joined == two.joined for one, two in zip(window[1:], wanted[1:], strict=True)):
            yield start + first.start, end + last.end
