"""Tell the words that are too common in a language to say what a passage is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from index.library import Library
from index.postings import among
from index.query import quoted, sought
from index.sample import Sample
from index.terms import Piece, paired, placed

COMMON = 0.03  # of a language's passages; more than that, a word may be "the" and is not marked for its meaning
SHARING = 10  # languages that may share the spelling of a name or a number; a word commoner than that is common in its own
READ = 2000  # passages of a language, at most, whose texts tell how common a letter is; FTS5 would put together all terms that begin with it
SMALL_LIBRARY = 100  # passages added to those of a language: where there are ten, a word in five of them may be the subject

Spelt = tuple[str, str]  # a word, and the language of the passage it stands in


class CommonWords:
    """Tells the words that are too common in a library to be worth a mark. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sample: Sample | None = None
        self._texts: dict[str, list[str]] = {}  # of passages of the sample, by language

    def rare(self, words: Iterable[Spelt]) -> set[Spelt]:
        """Leave out the words that stand in more than a few passages of their language."""
        sample, postings = self._fresh(), self._library.postings
        terms = {word: _terms([piece for _, piece in placed(word[0])]) for word in dict.fromkeys(words)}
        once = list(dict.fromkeys(term for there in terms.values() for term in there if not term.endswith("*")))
        counts = dict(zip(once, postings.counts(map(sought, once)), strict=True))

        def rare(there: tuple[str, ...], language: str) -> bool:
            own = sample.of_language(language)
            if there[0].endswith("*"):
                texts = self._read(sample, language)
                return sum(there[0][:-1] in text for text in texts) <= COMMON * (len(texts) + SMALL_LIBRARY)
            most = COMMON * (len(own) / sample.share + SMALL_LIBRARY)
            upper = min(counts[term] for term in there)  # in all languages together
            if upper <= most or (len(there) == 1 and upper > most * SHARING):
                return upper <= most
            return int(among(own, postings.of(quoted(there))).sum()) <= COMMON * (len(own) + SMALL_LIBRARY)

        return {word for word, there in terms.items() if there and rare(there, word[1])}

    def _read(self, sample: Sample, language: str) -> list[str]:
        """Texts of passages of a language, from all over the library."""
        if language not in self._texts:
            keys = sample.of_language(language)
            some = json.dumps(keys[:: max(1, -(-len(keys) // READ))].tolist())
            rows = self._library.rows("SELECT text FROM passages WHERE key IN (SELECT CAST(value AS bigint) FROM json_each(?))", (some,))
            self._texts[language] = texts = [text for (text,) in rows]
            return texts
        return self._texts.get(language, [])

    def _fresh(self) -> Sample:
        now = self._library.extent()
        sample = self._sample
        if sample is None or not sample.serves(now):
            sample = self._sample = Sample.of(self._library, now)
            self._texts = {}
        return sample


def _terms(found: Sequence[Piece]) -> tuple[str, ...]:
    """What the full-text index keeps of a word; "x*" for a single letter of a script without spaces, which begins terms."""
    terms = tuple(term.text for term in paired(found))
    if found and found[-1].unspaced:
        return terms[:-1] or (terms[0] + "*",)
    return terms
