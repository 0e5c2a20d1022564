"""Tell what may be an answer from what is only the nearest there is."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from index.encoder import Encoder
from index.language_priors import prior_for
from index.library import Library

WHOLE = 0.75  # coverage from which a passage may answer by its words alone; a name in another alphabet counts as much
FEW_LETTERS = 8  # of a name or an acronym; too few to tell by
TOKENS = 0.5  # for each letter, at most, in words of any language; a tokenizer takes letters at random apart
TOKENS_OF_SYLLABLES = 0.95  # the same in scripts where a letter is a syllable or a word
LETTER = regex.compile(r"\p{L}")
SYLLABLE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Ethiopic}]")


@dataclass(frozen=True, slots=True)
class Closeness:
    """What is near enough for one query."""

    least: float | None  # nearness from which a passage may answer; None, and so any, where nobody has measured the encoder
    legible: bool  # whether the query is words of some language

    @classmethod
    def of(cls, query: str, encoder: Encoder, library: Library) -> Closeness:
        prior = prior_for(library)
        least = prior.close if prior else None
        return cls(least, least is None or legible(query, encoder))

    def may_answer(self, nearness: float, coverage: float) -> bool:
        """Whether a passage of this nearness, which holds so much of the query's words, may answer."""
        return self.least is None or coverage >= WHOLE or (self.legible and nearness >= self.least)


def legible(text: str, encoder: Encoder) -> bool:
    """Whether a text is words of some language, as far as the encoder's tokenizer knows words."""
    letters, syllables = len(LETTER.findall(text)), len(SYLLABLE.findall(text))
    most = TOKENS_OF_SYLLABLES if syllables > letters / 2 else TOKENS
    return letters < FEW_LETTERS or encoder.count_tokens([text])[0] <= most * len("".join(text.split()))
