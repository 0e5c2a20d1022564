"""The vectors of a generation where the library keeps them: raw, by key, moved to where the generation has them as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.alignment import Alignment
from index.encoder import Vectors
from index.inverted import SAMPLE, InvertedIndex, Progress, lists_for
from index.library import Library
from index.vector_rows import Keys
from index.vectors import Rows, Scores, VectorIndex

BLOCK = 16384  # vectors that are read at a time, 25 MB of them at 384 dimensions
NO_END = 2**63 - 1  # after every key

Lengths = NDArray[np.float32]  # shape (passages,): of each vector once it has been moved; 0 where it had gone before that


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """Row i is the passage `keys[i]`. Safe to share between threads; one that has been removed meanwhile has the cosine 0 with everything."""

    library: Library
    encoder: str  # fingerprint
    keys: Keys
    alignment: Alignment | None
    lengths: Lengths | None  # as `measured` finds them; None, and vectors are moved one by one

    def __len__(self) -> int:
        return len(self.keys)

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Yield the rows that are still there, growing, with their raw vectors, some at a time."""
        for keys, vectors in raw_blocks(self.library, self.encoder, int(self.keys[-1]) if len(self.keys) else 0):
            rows = np.searchsorted(self.keys, keys)
            yield rows, vectors

    def aligned(self, vectors: Vectors) -> Vectors:
        """Move raw vectors to where the generation has its own."""
        return self.alignment.apply(vectors) if self.alignment and len(vectors) else vectors

    def products(self, query: Vectors, rows: NDArray[np.int64]) -> Scores:
        """The cosine of one aligned query, shape (1, dimension), with each of these rows."""
        found, vectors = self.library.vectors_at(self.keys[rows], self.encoder)
        scores = np.zeros(len(rows), np.float32)
        if len(found):
            scores[found] = self._cosines(query, rows[found], vectors)[0]
        return scores

    def all_products(self, queries: Vectors) -> Iterator[tuple[NDArray[np.int64], Scores]]:
        """Yield rows, growing, with their cosines with aligned queries, shape (queries, rows), until all have had their turn."""
        for rows, vectors in self.blocks():
            yield rows, self._cosines(queries, rows, vectors)

    def _cosines(self, queries: Vectors, rows: NDArray[np.int64], vectors: Vectors) -> Scores:
        if self.alignment is None or self.lengths is None:
            return np.asarray(queries @ self.aligned(vectors).T, np.float32)
        direction, constant = self.alignment.toward(queries)
        return np.asarray((direction @ vectors.T + constant[:, None]) / np.maximum(self.lengths[rows], 1e-12), np.float32)


def exact(stored: StoredVectors) -> VectorIndex:
    """An index that holds all of these vectors; a row whose vector has gone is near to nothing."""
    held = np.zeros((len(stored), 0), np.float32)
    for rows, vectors in stored.blocks():
        if not held.shape[1]:
            held = np.zeros((len(stored), vectors.shape[1]), np.float32)
        held[rows] = stored.aligned(vectors)
    return VectorIndex.of(held)


def inverted(stored: StoredVectors, progress: Progress) -> InvertedIndex:
    """An index that holds codes of these vectors; `lengths` is filled on the way."""
    every = max(1, len(stored) // (SAMPLE * lists_for(len(stored))))
    sample = [stored.aligned(vectors[rows % every == 0]) for rows, vectors in stored.blocks()]

    def blocks() -> Iterator[tuple[Rows, Vectors]]:
        for rows, vectors in stored.blocks():
            if stored.alignment is not None and stored.lengths is not None:
                stored.lengths[rows] = stored.alignment.lengths(vectors)
            yield rows, stored.aligned(vectors)

    return InvertedIndex.make(np.concatenate(sample), blocks(), stored, progress)


def raw_blocks(library: Library, encoder: str, last: int) -> Iterator[tuple[Keys, Vectors]]:
    """Yield the keys up to `last` that have a vector by this encoder, growing, with their raw vectors, some at a time."""
    after = 0
    while after < last:
        keys, vectors = library.vectors(after, encoder, BLOCK)
        within = int(np.searchsorted(keys, last, side="right"))
        if not within:
            return
        yield keys[:within], vectors[:within]
        after = int(keys[-1])
