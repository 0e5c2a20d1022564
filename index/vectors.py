"""Search vectors by inner product. The only module that imports faiss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

Positions = NDArray[np.int64]  # shape (queries, k): rows of the indexed vectors, best first; -1 where there are fewer than k
Scores = NDArray[np.float32]  # shape (queries, k): cosine similarity, falling; -inf where there is no position
Allowed = NDArray[np.bool_]  # shape (vectors,): which rows may be found

BLOCK = 1 << 20  # bytes that faiss gives to be written at a time


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


class VectorIndex:
    """Exact nearest neighbours among unit vectors.

    Why exact: a library of a few thousand publications is searched in milliseconds, and nothing is ever missed.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def of(cls, vectors: Vectors) -> VectorIndex:
        index = faiss.IndexFlatIP(vectors.shape[1] if len(vectors) else 1)
        if len(vectors):
            index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    def grown(self, vectors: Vectors) -> VectorIndex:
        """The same with more rows at its end; this one stays as it is."""
        if not len(self):
            return VectorIndex.of(vectors)
        index = faiss.clone_index(self._index)
        index.add(np.ascontiguousarray(vectors, np.float32))
        return VectorIndex(index)

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        """Write the index; raises OSError. Not by its name: faiss would say nothing when a disk is full at the end of the file."""
        with path.open("wb") as file:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write, BLOCK))  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, queries: Vectors, k: int, admitted: Admitted | None = None, exhaustive: bool = False) -> tuple[Scores, Positions]:
        """Return the k best rows for each query, of those that are admitted, None admitting all; equal scores keep the order of the rows.

        With `exhaustive` every row that is admitted is compared by its own vector: nothing is missed, and all scores are exact.
        """
        if not len(self):
            return np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
        faiss.omp_set_num_threads(1)  # of this thread: several readers search at once, and threads of faiss's own would only wait for each other
        if admitted is None:
            scores, positions = self._index.search(queries, k)
        else:
            selector = faiss.IDSelectorBitmap(len(admitted.mask), faiss.swig_ptr(admitted.bits))
            only = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores, positions = self._index.search(queries, k, params=only)
        scores = np.where(positions < 0, -np.inf, scores)
        order = np.lexsort((positions, -scores), axis=1)  # faiss returns equal scores in no order of its own
        return np.take_along_axis(scores, order, 1), np.take_along_axis(positions, order, 1)

    def products(self, query: Vectors, positions: NDArray[np.int64]) -> Scores:
        """The exact cosine of one query, shape (1, dimension), with each of these rows; 0 with one whose vector has been removed meanwhile."""
        if not len(positions):
            return np.zeros(0, np.float32)
        return np.asarray(self._index.reconstruct_batch(positions) @ query[0], np.float32)
