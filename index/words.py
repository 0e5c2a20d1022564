"""Find exact words, names and phrases in every script, beside meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import accumulate
from math import log
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from index.contents import Keys
from index.library import Library
from index.names import sought_keys
from index.query import WordQuery, Words, parse, quoted
from index.terms import Piece, pieces
from ingest.records import Span

__all__ = ["WordHits", "WordQuery", "Words", "exact", "exact_spans", "parse", "search_words"]

POSTINGS = 20_000  # read for one query, about; the rarest terms come first and the rest only says more of passages already found
MOST_TERMS = 64  # looked up for one query, the rarest; FTS5 takes time that grows with the square
SAME_NAME = 0.8  # what a name in another alphabet counts, against 1 for the word itself: not every agreement is right
COMMON = 0.03  # of all passages; more than that, a word may be "the"


@dataclass(frozen=True, slots=True)
class WordHits:
    """The passages that hold words of a query, best first by BM25."""

    keys: Keys
    bm25: NDArray[np.float32]  # positive, higher is better
    coverage: NDArray[np.float32]  # in [0, 1]: how much of the query, by the rarity of its words, stands in the passage
    required: Keys | None  # all passages that hold every required phrase, growing; None where nothing is required
    excluded: Keys  # all passages that hold anything excluded, growing
    telling: tuple[Words, ...]  # the words worth marking

    def beside(self, keys: Keys) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the BM25 and the coverage of these passages, 0 for those that hold no word."""
        order = np.argsort(self.keys)
        if not len(order):
            return np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
        places = order[np.minimum(np.searchsorted(self.keys, keys, sorter=order), len(order) - 1)]
        found = self.keys[places] == keys
        return np.where(found, self.bm25[places], 0).astype(np.float32), np.where(found, self.coverage[places], 0).astype(np.float32)

    def admits(self, keys: Keys) -> NDArray[np.bool_]:
        """For each passage, whether it holds what is required and nothing that is excluded."""
        admitted = ~np.isin(keys, self.excluded)
        return admitted if self.required is None else admitted & np.isin(keys, self.required)


def search_words(library: Library, query: WordQuery, k: int) -> WordHits:
    """Return the k best passages by BM25 that hold a word of the query, and what else the query asks of its words."""
    query = _settled(library, query)
    runs = list(dict.fromkeys(run for words in query.wanted for run in words.runs()))
    alphabetic = (piece.text for words in query.wanted for piece in words.pieces if not piece.unspaced and not words.acronym)
    names = {word: sought_keys(word) for word in alphabetic}
    counts = library.document_counts({term for run in runs for term in run} | {key for keys in names.values() for key in keys})
    rarity = _Rarity(counts, max(library.passage_count(), 1))
    shares = rarity.shares(runs)
    any_of = " OR ".join(quoted([term.rstrip("*")]) + "*" * term.endswith("*") for term in _rarest(counts))
    matches = library.best_matches(_restricted(f"({any_of})", query), k) if any_of else []
    return WordHits(
        np.asarray([key for key, _, _ in matches], np.int64),
        np.asarray([bm25 for _, bm25, _ in matches], np.float32),
        np.asarray([_coverage(shares, names, frozenset(terms.split(" "))) for _, _, terms in matches], np.float32),
        library.matching(" AND ".join(words.expression for words in query.required)) if query.required else None,
        library.matching(" OR ".join(words.expression for words in query.excluded)) if query.excluded else np.zeros(0, np.int64),
        rarity.telling(query),
    )


def exact(library: Library, query: WordQuery) -> Keys:
    """Return the keys, growing, of all passages that hold every word and phrase of the query and nothing it excludes."""
    if not query.wanted:
        return np.zeros(0, np.int64)
    query = _settled(library, query)
    return library.matching(_restricted(" AND ".join(words.expression for words in query.free), query))


def exact_spans(text: str, wanted: Iterable[Words]) -> list[Span]:
    """Return where in a text these words stand, growing; what overlaps or touches is one span. Takes `WordHits.telling`."""
    there = pieces(text)
    found = sorted(span for words in wanted for span in _spans(there, words))
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

    def shares(self, runs: Sequence[Sequence[str]]) -> dict[str, float]:
        """How much of what the whole query says each of its terms says."""
        whole = sum(self.of(run) for run in runs)
        shares: dict[str, float] = defaultdict(float)
        for run in runs:
            for term in run:
                shares[term] += self._of_term(term) / len(run) / whole
        return shares

    def telling(self, query: WordQuery) -> tuple[Words, ...]:
        """Leave out words like "the": common, and saying less than half of what the query's rarest word says."""
        says = {words: max(self.of(run) for run in words.runs()) for words in query.wanted}
        least = min(max(says.values(), default=0) / 2, log(1 / COMMON))
        return tuple(words for words in query.free if says[words] >= least) + query.required

    def _of_term(self, term: str) -> float:
        count = min(max(self.counts[term], 1), self.passages)
        return log(1 + (self.passages - count + 0.5) / (count + 0.5))


def _coverage(shares: Mapping[str, float], names: Mapping[str, Sequence[str]], there: Set[str]) -> float:
    return sum(share * _presence(term, names.get(term, ()), there) for term, share in shares.items())


def _presence(term: str, names: Sequence[str], there: Set[str]) -> float:
    if term in there or (term.endswith("*") and any(other.startswith(term[:-1]) for other in there)):
        return 1.0
    return SAME_NAME if not there.isdisjoint(names) else 0.0


def _rarest(counts: Mapping[str, int]) -> list[str]:
    """The terms to look up, rarest first, so that a query reads a bounded part of the index."""
    known = sorted((count, term) for term, count in counts.items() if count)[:MOST_TERMS]
    read = accumulate(count for count, _ in known)
    return [term for place, ((_, term), total) in enumerate(zip(known, read, strict=True)) if place == 0 or total <= POSTINGS]


def _settled(library: Library, query: WordQuery) -> WordQuery:
    """Let capitals count for words that are mostly written without: US, IT, WHO; not for NATO, nor in a query all in capitals."""
    typed = [words for words in query.wanted + query.excluded if words.acronym]
    shouted = len(query.wanted) > 1 and all(piece.acronym for words in query.wanted for piece in words.pieces)
    counts = library.document_counts(term for words in typed for term in (words.acronym, words.pieces[0].text))

    def settled(words: Words) -> Words:
        mostly_without = not shouted and 0 < 2 * counts.get(words.acronym, 0) < counts.get(words.pieces[0].text, 0)
        return words if mostly_without else Words(tuple(replace(piece, acronym=False) for piece in words.pieces))

    free, required, excluded = (tuple(map(settled, part)) for part in (query.free, query.required, query.excluded))
    return replace(query, free=free, required=required, excluded=excluded)


def _restricted(expression: str, query: WordQuery) -> str:
    """Add to an FTS5 expression what the query requires and excludes."""
    parts = [expression] * bool(expression) + [words.expression for words in query.required]
    return " AND ".join(parts) + "".join(f" NOT {words.expression}" for words in query.excluded)


def _spans(there: Sequence[Piece], words: Words) -> Iterator[Span]:
    wanted = words.pieces
    for at in range(len(there) - len(wanted) + 1):
        window = there[at : at + len(wanted)]
        same = all(one.text == two.text for one, two in zip(window, wanted, strict=True)) and (window[0].acronym or not words.acronym)
        if same and all(one.joined == two.joined for one, two in zip(window[1:], wanted[1:], strict=True)):
            yield window[0].start, window[-1].end
