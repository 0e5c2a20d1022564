"""Fuse meaning with exact words without favouring a language.

Words can only agree within a language, so giving them a vote of their own (reciprocal rank fusion) ruins search across languages: measured,
average precision fell from 0.58 to 0.32. Two things are safe instead. Inside each language the order is settled by meaning and words together,
while the language keeps the cosines, and so the places, that meaning gave it. And a passage that holds nearly all of the query's words, by
their rarity, is lifted: a name or an article number reaches that, an ordinary question does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

WITHIN = 0.2  # of the cosine's range: what the best BM25 weighs inside a language
COVERED = 0.5  # added where all words of the query stand
STEEPNESS = 5  # power of the coverage; lets half-covered questions pass without effect

Values = NDArray[np.float32]  # shape (passages,)


def fuse(cosines: Vectors, bm25: Values, coverage: Values, languages: NDArray[np.integer]) -> Values:
    """Return one score for each passage, higher is better; all arguments have the shape (passages,)."""
    if not len(cosines):
        return cosines
    blended = cosines + WITHIN * bm25 / max(float(bm25.max()), 1e-9)
    by_meaning = np.lexsort((-cosines, languages))
    by_both = np.lexsort((-cosines, -blended, languages))
    fused = np.empty_like(cosines)
    fused[by_both] = cosines[by_meaning]
    return np.asarray(fused + COVERED * coverage**STEEPNESS, np.float32)
