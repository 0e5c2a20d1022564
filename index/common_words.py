"""Tell the words that are too common in a language to say what a passage is about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

from index.contents import Extent
from index.library import Library
from index.sample import GROWN, Sample, about_the_same
from index.terms import TERMS_VERSION, paired, placed

COMMON = 0.03  # of a language's passages; more than that, a word may be "the" and is not marked for its meaning
READ = 500  # passages of a language, at most, whose texts tell how common a word is
KEPT = "common_words"  # their name in the table meta
VERSION = f"1 {TERMS_VERSION}"  # of what is kept; raise the first number when what is common is told otherwise
SMALL_LIBRARY = 100  # passages added to those of a language: where there are ten, a word in five of them may be the subject

Spelt = tuple[str, str]  # a word, and the language of the passage it stands in


class Common(NamedTuple):
    """The common terms of a language."""

    most: float  # of the passages that were read, in which a term may stand and not be common
    standing: Mapping[str, int]  # by common term: those of them that have it, a bit each

    def lacks(self, word: str) -> bool:
        """Whether this is a word, and not too common."""
        terms = _terms(word)
        with_all = -1
        for term in terms:
            with_all &= self.standing.get(term, 0)
        return bool(terms) and with_all.bit_count() <= self.most


class CommonWords:
    """Tells the words that are too common in a library to be worth a mark. Safe to share between threads.

    What `keep` has kept tells it while the library is about the same; else passages from all over it, those of a language when its words are first asked about.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._told: _Kept | _Sampled | None = None
        self._generation = ""  # that was in use when it was told

    def rare(self, words: Iterable[Spelt]) -> set[Spelt]:
        """Leave out the words that stand in more than a few passages of their language, and what is no word."""
        now, told = self._library.extent(), self._told
        generation = self._library.meta("generation")
        if told is None or generation != self._generation or not about_the_same(told.extent, now):
            self._generation = generation
            told = self._told = _kept(self._library, now) or _Sampled(self._library, now)
        return {(word, language) for word, language in dict.fromkeys(words) if told.of(language).lacks(word)}


def keep(library: Library) -> None:
    """Keep a library's common words in it, so that readers need not wait for them; does nothing while those that are kept still tell, of all its languages."""
    now = library.extent()
    kept, told = _kept(library, now), _Sampled(library, now)
    if kept is None or any(name not in kept.languages or told.most(name) > (1 + GROWN) * kept.of(name).most for name in told.languages):
        found = {language: told.of(language) for language in told.languages}
        with library.transaction(contents=False):
            library.set_meta(KEPT, json.dumps([VERSION, now, found], ensure_ascii=False))


class _Kept(NamedTuple):
    """What was kept of a library that was so large."""

    extent: Extent
    languages: Mapping[str, Common]

    def of(self, language: str) -> Common:
        return self.languages.get(language, NOTHING)


def _kept(library: Library, now: Extent) -> _Kept | None:
    """What is kept of a library that was about as it is now."""
    text = library.meta(KEPT)
    saved: list[Any] = json.loads(text) if text else [""]
    if saved[0] != VERSION:
        return None
    _, extent, found = saved
    if not about_the_same(Extent(*extent), now):
        return None
    return _Kept(Extent(*extent), {language: Common(*common) for language, common in found.items()})


class _Sampled:
    """What a sample of a library tells, one language after the other."""

    def __init__(self, library: Library, now: Extent) -> None:
        self.extent = now
        self._library = library
        self._sample = Sample.of(library, now)
        self._languages: dict[str, Common] = {}

    @property
    def languages(self) -> Set[str]:
        return self._sample.by_language.keys()

    def most(self, language: str) -> float:
        """In how many of the passages that are read a term may stand."""
        return _most(len(self._some(language)))

    def _some(self, language: str) -> list[int]:
        keys = self._sample.of_language(language)
        return list(keys[:: max(1, -(-len(keys) // READ))].tolist())

    def of(self, language: str) -> Common:
        found = self._languages.get(language)
        if found is None:
            some = self._some(language)
            rows = self._library.rows("SELECT text FROM passages WHERE key IN (SELECT CAST(value AS bigint) FROM json_each(?))", (json.dumps(some),))
            found = self._languages[language] = _common([text for (text,) in rows])
        return found


def _most(read: int) -> float:
    return COMMON * (read + SMALL_LIBRARY)


def _common(texts: Sequence[str]) -> Common:
    most = _most(len(texts))
    standing: defaultdict[str, int] = defaultdict(int)
    for place, text in enumerate(texts):
        for term in _held(text):
            standing[term] |= 1 << place
    return Common(most, {term: passages for term, passages in standing.items() if passages.bit_count() > most})


NOTHING = _common(())


def _held(text: str) -> set[str]:
    """The terms of a text, and the letters of scripts without spaces."""
    found = [piece for _, piece in placed(text)]
    return {term.text for term in paired(found)} | {piece.text for piece in found if piece.unspaced}


def _terms(word: str) -> list[str]:
    """The terms of a word; of letters without spaces the pairs, so that what follows it does not matter, or the only letter."""
    found = [piece for _, piece in placed(word)]
    terms = [term.text for term in paired(found)]
    return terms[:-1] or terms if found and found[-1].unspaced else terms
