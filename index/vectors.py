"""Search vectors by inner product: which rows are nearest, of those that may be found. With index/inverted.py, all that imports faiss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

Positions = NDArray[np.int64]  # shape (queries, k): rows of the indexed vectors, best first; -1 where there are fewer than k
Scores = NDArray[np.float32]  # shape (queries, k): cosine similarity, falling; -inf where there is no position
Allowed = NDArray[np.bool_]  # shape (vectors,): which rows may be found
Rows = NDArray[np.int64]  # shape (rows,)


@dataclass(frozen=True, eq=False)
class Admitted:
    """Which rows of an index may be found. Kept by whoever asks again with the same filter, it costs nothing the second time."""

    mask: Allowed

    @cached_property
    def count(self) -> int:
        """How many rows it admits."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        """The mask, eight rows a byte, the first in the lowest bit."""
        return np.packbits(self.mask, bitorder="little")

    def selector(self) -> faiss.IDSelector:
        """The same for faiss; valid as long as this lives."""
        return faiss.IDSelectorBitmap(len(self.mask), faiss.swig_ptr(self.bits))


class Index(Protocol):
    """Finds the nearest of many vectors of unit length. Safe to share between threads."""

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, k: int, admitted: Admitted | None = None, exhaustive: bool = False) -> tuple[Scores, Positions]:
        """Return the k best rows for each query, of those that are admitted, None admitting all; equal scores keep the order of the rows.

        With `exhaustive` every row that is admitted is compared by its own vector: nothing is missed, and all scores are exact.
        """

    def products(self, query: Vectors, rows: Rows) -> Scores:
        """The exact cosine of one query, shape (1, dimension), with each of these rows; 0 with one whose vector has been removed meanwhile."""


class Stored(Protocol):
    """The vectors that an index was made of, wherever they are kept. Safe to share between threads."""

    def __len__(self) -> int: ...

    def products(self, query: Vectors, rows: Rows) -> Scores:
        """The exact cosine of one query, shape (1, dimension), with each of these rows; 0 with one that has been removed meanwhile."""

    def all_products(self, queries: Vectors) -> Iterator[tuple[Rows, Scores]]:
        """Yield all rows that are still there, growing and some at a time, with their exact cosines: shapes (rows,) and (queries, rows)."""


class VectorIndex:
    """Exact nearest neighbours, all vectors in memory.

    Why exact: a library of a few thousand publications is searched in milliseconds, and nothing is ever missed.
    """

    def __init__(self, index: faiss.Index, count: int) -> None:
        self._index = index
        self._count = count

    @classmethod
    def of(cls, vectors: Vectors) -> VectorIndex:
        """The index of these rows; without a dimension, which nobody knows once all of them have been removed, none is ever found."""
        index = faiss.IndexFlatIP(vectors.shape[1] or 1)
        if vectors.size:
            index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index, len(vectors))

    def grown(self, vectors: Vectors) -> VectorIndex:
        """The same with more rows at its end; this one stays as it is."""
        if not self._index.ntotal:
            return VectorIndex.of(vectors)
        index = faiss.clone_index(self._index)
        index.add(np.ascontiguousarray(vectors, np.float32))
        return VectorIndex(index, self._count + len(vectors))

    def __len__(self) -> int:
        return self._count

    def search(self, queries: Vectors, k: int, admitted: Admitted | None = None, exhaustive: bool = False) -> tuple[Scores, Positions]:
        """Answer as `Index.search` says; exhaustive or not."""
        if not self._index.ntotal:
            return np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
        alone()
        if admitted is None:
            scores, positions = self._index.search(queries, k)
        else:
            only = faiss.SearchParameters(sel=admitted.selector())  # type: ignore[call-arg]
            scores, positions = self._index.search(queries, k, params=only)
        return ordered(np.where(positions < 0, -np.inf, scores), positions)

    def products(self, query: Vectors, rows: Rows) -> Scores:
        """Answer as `Index.products` says."""
        if not len(rows) or not self._index.ntotal:
            return np.zeros(len(rows), np.float32)
        found = np.einsum("rd,d->r", self._index.reconstruct_batch(rows), query[0])  # `@` warned once of numbers that are in neither
        return np.asarray(found, np.float32)


def alone() -> None:
    """Let faiss do what this thread asks within this thread: several readers search at once, and threads of its own would wait for each other."""
    faiss.omp_set_num_threads(1)


def ordered(scores: Scores, positions: Positions) -> tuple[Scores, Positions]:
    """Sort by falling score; faiss returns equal ones in no order of its own, here they have the order of the rows."""
    order = np.lexsort((positions, -scores), axis=1)
    return np.take_along_axis(scores, order, 1), np.take_along_axis(positions, order, 1)
