"""Mark the sentence that answers, in whatever language it is written, and the words of the query that stand in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from index.encoder import Encoder, Vectors
from index.words import Words, exact_spans
from ingest.records import Passage

CACHED_PASSAGES = 2000  # whose sentence vectors are kept in memory: about 10 kB each
SHORT_SENTENCE = 12  # characters; headings and table cells answer nothing when there is a sentence beside them


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a passage's text that is worth the reader's eye."""

    start: int  # characters from the beginning of the passage's text
    end: int
    why: Literal["meaning", "words"]


class SentenceMarker:
    """Finds the sentence nearest in meaning to a query. One for each process; safe to share between threads."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: OrderedDict[int, Vectors] = OrderedDict()

    def mark(
        self, query: Vectors, passages: Sequence[tuple[int, Passage]], aligned: Callable[[Vectors], Vectors], words: Sequence[Words] = ()
    ) -> list[tuple[Mark, ...]]:
        """Return the marks of each (key, passage): the sentence that answers an aligned query of shape (1, dimension), then its exact words."""
        return [
            self._best(query, passage, aligned(vectors)) + tuple(Mark(start, end, "words") for start, end in exact_spans(passage.text, words))
            for (_, passage), vectors in zip(passages, self._sentence_vectors(passages), strict=True)
        ]

    def _best(self, query: Vectors, passage: Passage, vectors: Vectors) -> tuple[Mark, ...]:
        if not passage.sentences:
            return ()
        scores = vectors @ query[0]
        long = np.asarray([end - start >= SHORT_SENTENCE for start, end in passage.sentences])
        best = int(np.argmax(np.where(long, scores, scores - 2) if long.any() else scores))
        return (Mark(*passage.sentences[best], "meaning"),)

    def _sentence_vectors(self, passages: Sequence[tuple[int, Passage]]) -> list[Vectors]:
        known = {key: self._vectors[key] for key, _ in passages if key in self._vectors}
        missing = [(key, passage) for key, passage in passages if key not in known]
        texts = [passage.text[start:end] for _, passage in missing for start, end in passage.sentences]
        vectors, at = self._encoder.encode_passages(texts), 0
        for key, passage in missing:
            known[key] = vectors[at : at + len(passage.sentences)]
            at += len(passage.sentences)
        self._vectors |= known
        while len(self._vectors) > CACHED_PASSAGES:
            self._vectors.popitem(last=False)
        return [known[key] for key, _ in passages]
