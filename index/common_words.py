"""Tell the words that are too common in a language to say what a passage is about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping

from index.library import Library
from index.sample import Sample
from index.terms import paired, placed

COMMON = 0.03  # of a language's passages; more than that, a word may be "the" and is not marked for its meaning
READ = 500  # passages of a language, at most, whose texts tell how common a word is
SMALL_LIBRARY = 100  # passages added to those of a language: where there are ten, a word in five of them may be the subject

Spelt = tuple[str, str]  # a word, and the language of the passage it stands in
Passages = Mapping[str, int]  # by common term: those of the passages that were read which have it, a bit each


class CommonWords:
    """Tells the words that are too common in a library to be worth a mark. Safe to share between threads.

    A language's common terms are read from passages all over the library when its words are first asked about, and again when the library has grown.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sample: Sample | None = None
        self._common: dict[str, tuple[Sample, float, Passages]] = {}  # by language, with the sample it comes from

    def rare(self, words: Iterable[Spelt]) -> set[Spelt]:
        """Leave out the words that stand in more than a few passages of their language, and what is no word."""
        sample = self._fresh()
        return {(word, language) for word, language in dict.fromkeys(words) if self._rare(word, *self._read(sample, language))}

    def _rare(self, word: str, most: float, common: Passages) -> bool:
        terms = _terms(word)
        with_all = -1
        for term in terms:
            with_all &= common.get(term, 0)
        return bool(terms) and with_all.bit_count() <= most

    def _read(self, sample: Sample, language: str) -> tuple[float, Passages]:
        """In how many of a language's passages that were read a term may stand, and the terms that stand in more."""
        found = self._common.get(language)
        if found is None or found[0] is not sample:
            keys = sample.of_language(language)
            some = keys[:: max(1, -(-len(keys) // READ))].tolist()
            rows = self._library.rows("SELECT text FROM passages WHERE key IN (SELECT CAST(value AS bigint) FROM json_each(?))", (json.dumps(some),))
            most = COMMON * (len(some) + SMALL_LIBRARY)
            found = self._common[language] = (sample, most, _common((text for (text,) in rows), most))
        return found[1:]

    def _fresh(self) -> Sample:
        now = self._library.extent()
        sample = self._sample
        if sample is None or not sample.serves(now):
            sample = self._sample = Sample.of(self._library, now)
        return sample


def _common(texts: Iterable[str], most: float) -> Passages:
    standing: defaultdict[str, int] = defaultdict(int)
    for place, text in enumerate(texts):
        for term in _held(text):
            standing[term] |= 1 << place
    return {term: passages for term, passages in standing.items() if passages.bit_count() > most}


def _held(text: str) -> set[str]:
    """The terms of a text, and the letters of scripts without spaces."""
    found = [piece for _, piece in placed(text)]
    return {term.text for term in paired(found)} | {piece.text for piece in found if piece.unspaced}


def _terms(word: str) -> list[str]:
    """The terms of a word; of letters without spaces the pairs, so that what follows it does not matter, or the only letter."""
    found = [piece for _, piece in placed(word)]
    terms = [term.text for term in paired(found)]
    return terms[:-1] or terms if found and found[-1].unspaced else terms
