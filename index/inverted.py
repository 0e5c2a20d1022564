"""Search many vectors in little memory: lists of vectors that lie together, a short code of each, and the exact cosines of the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.vectors import Admitted, Positions, Rows, Scores, Stored, alone, ordered

BITS = 1  # of each dimension in a code
QUERY_BITS = 4  # of each dimension of a query, when it is compared with codes; 8 found no more of drawn vectors in 1.3 times the time, 1 missed most
SCANNED = 24_000  # codes, at least, that a query is compared with, in the lists that lie nearest to it
REFINED = 600  # rows, at most, nearest by their codes, whose exact cosines are read from the library
PORTION = 150  # of them read at a time, until it is as good as sure that none of the others comes among the first SETTLED
SETTLED = 10
DOUBT = 3.5  # standard deviations of the errors of estimates; with 3, .980 of the first ten of a filter of 1% were found, with this .985
SAMPLE = 40  # vectors for each list that say where the lists lie
ROUNDS = 8  # of k-means
BLOCK = 1 << 20  # bytes that faiss gives to be written at a time

Progress = Callable[[float], None]  # the share that is done; may raise, to end it


def lists_for(count: int) -> int:
    """Into how many lists so many vectors are put: each step, to the lists and in them, costs about as much."""
    return max(1, min(count, round(2 * math.sqrt(count))))


class InvertedIndex:
    """Nearest neighbours by RaBitQ codes in inverted lists, the best of them by their own vectors, which are not held here.

    RaBitQ: Gao and Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate Nearest Neighbor Search".
    bench/vector_search.py argues the choice. Scores are exact cosines for the rows that are best by their codes, up to REFINED; those of the rows after
    them are estimates, less the mean error of the estimates of the last that were looked at, so that both can be compared. Filters: lists are looked through, nearest first,
    until SCANNED rows that are admitted have been met, so that a narrow filter, wherever its rows lie, is answered from all of them.
    """

    def __init__(self, index: Any, stored: Stored) -> None:
        self._index = index  # IndexIVFRaBitQ, whose types faiss does not tell
        self._stored = stored
        self._centres = index.quantizer.reconstruct_n(0, index.nlist)
        self._sizes = np.asarray([index.invlists.list_size(number) for number in range(index.nlist)], np.int64)
        self._list_of: NDArray[np.int32] | None = None
        self._admitted: WeakKeyDictionary[Admitted, NDArray[np.int64]] = WeakKeyDictionary()

    @classmethod
    def make(cls, sample: Vectors, blocks: Iterable[tuple[Rows, Vectors]], stored: Stored, progress: Progress) -> InvertedIndex:
        """Make the index of vectors that come block by block, with the rows that they are; the sample says where they lie. Always the same for the same.

        It takes one thread, so that readers are not kept waiting.
        """
        alone()
        dimension, lists = sample.shape[1], min(len(sample), lists_for(len(stored)))
        quantizer = faiss.IndexFlatIP(dimension)
        clustering = faiss.Clustering(dimension, lists)
        clustering.niter, clustering.spherical, clustering.min_points_per_centroid = 1, True, 1
        for turn in range(ROUNDS):  # each goes on from the centres of the one before
            progress(0.5 * turn / ROUNDS)
            clustering.train(sample, quantizer)
        index = faiss.IndexIVFRaBitQ(quantizer, dimension, lists, faiss.METRIC_INNER_PRODUCT, True, BITS)
        index.train(sample)
        for rows, vectors in blocks:
            progress(0.5 + 0.5 * index.ntotal / len(stored))
            index.add_with_ids(vectors, rows)
        return cls(index, stored)

    @classmethod
    def load(cls, path: Path, stored: Stored) -> InvertedIndex:
        """Map an index into memory; only what is looked at takes room. Raises RuntimeError."""
        index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        lists = faiss.downcast_InvertedLists(index.invlists)
        if isinstance(lists, faiss.OnDiskInvertedLists):
            lists.prefetch_nthread = 0  # else each query starts threads that read lists ahead
        return cls(index, stored)

    def save(self, path: Path) -> None:
        """Write the index; raises OSError. Not by its name: faiss would say nothing when a disk is full at the end of the file."""
        with path.open("wb") as file:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write, BLOCK))  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self._stored)

    def search(self, queries: Vectors, k: int, admitted: Admitted | None = None, exhaustive: bool = False) -> tuple[Scores, Positions]:
        """Answer as `Index.search` says; without `exhaustive`, what the codes hide may be missed."""
        if exhaustive:
            return self._exhaustive(queries, k, admitted)
        found = [_best(*self._near(query, k, admitted), k) for query in np.split(queries, len(queries))]
        return np.concatenate([scores for scores, _ in found]), np.concatenate([positions for _, positions in found])

    def products(self, query: Vectors, rows: Rows) -> Scores:
        """Answer as `Index.products` says."""
        return self._stored.products(query, rows)

    def _near(self, query: Vectors, k: int, admitted: Admitted | None) -> tuple[Scores, Rows]:
        """Rows and their scores, at least k of each where there are, shape (rows,), in no order."""
        if admitted is not None and admitted.count <= REFINED:
            rows = np.flatnonzero(admitted.mask)
            return self._stored.products(query, rows), rows
        estimates, rows = self._estimates(query, max(k, REFINED), admitted)
        exact, beyond = np.zeros(0, np.float32), estimates
        for start in range(0, min(REFINED, len(rows)), PORTION):
            if _settled(exact, estimates, beyond):
                break
            some = slice(start, min(start + PORTION, REFINED))
            read = self._stored.products(query, rows[some])
            exact = np.concatenate([exact, np.where(read == 0, estimates[some], read)])  # 0: its vector has been removed
            half = len(exact) // 2
            beyond = estimates[len(exact) :] - np.mean(estimates[half : len(exact)] - exact[half:])
        return np.concatenate([exact, beyond]), rows

    def _estimates(self, query: Vectors, k: int, admitted: Admitted | None) -> tuple[Scores, Rows]:
        """The k best rows by their codes, best first."""
        alone()
        near = self._centres @ query[0]
        sizes = self._sizes if admitted is None else self._sizes_of(admitted)
        lists = np.argsort(-near, kind="stable")
        lists = lists[sizes[lists] > 0]
        lists = lists[: 1 + np.searchsorted(np.cumsum(sizes[lists]), max(SCANNED, 4 * k))]
        how = faiss.IVFRaBitQSearchParameters()
        how.nprobe, how.qb = max(1, len(lists)), QUERY_BITS
        if admitted is not None:
            selector = admitted.selector()  # by name, since `how` does not keep it
            how.sel = selector
        scores, rows = np.empty(k, np.float32), np.empty(k, np.int64)
        given = [np.ascontiguousarray(array) for array in (query, lists, near[lists], scores, rows)]  # faiss takes addresses only
        asked, *others = map(faiss.swig_ptr, given)
        self._index.search_preassigned_c(1, asked, k, *others, False, how)
        return scores[rows >= 0], rows[rows >= 0]

    def _sizes_of(self, admitted: Admitted) -> NDArray[np.int64]:
        """How many rows that are admitted each list holds."""
        sizes = self._admitted.get(admitted)
        if sizes is None:
            if self._list_of is None:
                self._list_of = self._lists()
            sizes = self._admitted[admitted] = np.bincount(self._list_of[admitted.mask], minlength=len(self._sizes) + 1)[:-1]
        return sizes

    def _lists(self) -> NDArray[np.int32]:
        """For each row the list it is in; for one that is in none, because it went while the index was made, the number after the last."""
        lists = np.full(len(self), len(self._sizes), np.int32)
        for number, size in enumerate(self._sizes.tolist()):
            if size:
                lists[faiss.rev_swig_ptr(self._index.invlists.get_ids(number), size)] = number
        return lists

    def _exhaustive(self, queries: Vectors, k: int, admitted: Admitted | None) -> tuple[Scores, Positions]:
        best = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
        for rows, scores in self._stored.all_products(queries):
            may = slice(None) if admitted is None else admitted.mask[rows]
            positions = np.broadcast_to(rows[may], (len(queries), len(rows[may])))
            scores, positions = ordered(np.concatenate([best[0], scores[:, may]], axis=1), np.concatenate([best[1], positions], axis=1))
            best = scores[:, :k], positions[:, :k]
        return best


def _settled(exact: Scores, estimates: Scores, beyond: Scores) -> bool:
    """Whether no row after those whose cosines are exact comes among the first SETTLED, unless its estimate is quite wrong. All are in the order of estimates."""
    if len(exact) < SETTLED or not len(beyond):
        return False
    doubt = DOUBT * np.std(estimates[: len(exact)] - exact)
    return bool(beyond[0] + doubt < np.partition(exact, -SETTLED)[-SETTLED])


def _best(scores: Scores, rows: Rows, k: int) -> tuple[Scores, Positions]:
    """The k best of these rows, shape (rows,), as the answer to one query."""
    missing = max(0, k - len(rows))
    scores, positions = ordered(scores[None], rows[None])
    return (
        np.pad(scores[:, :k], ((0, 0), (0, missing)), constant_values=-np.inf).astype(np.float32),
        np.pad(positions[:, :k], ((0, 0), (0, missing)), constant_values=-1),
    )
