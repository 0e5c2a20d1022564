"""Take the language out of vectors, so that passages are compared by meaning alone.

A multilingual encoder puts each language in a corner of its own, and a query finds first what lies in its own corner. The directions in
which the languages of a library differ are therefore projected out, and what is left is carried towards the point where translations meet:

    x_i    raw passage vector of unit length; l(i) its language
    n_l    passages in language l; m_l their mean
    d_l    prior offset of language l, known before any library is seen; 0 where it is not
    w_l    n_l / (n_l + 100)
    g      sum_l w_l (m_l - d_l) / sum_l w_l
    o_l    w_l (m_l - g) + (1 - w_l) d_l          the offset of language l, shrunk towards the prior: a language with a single
                                                  document would lose that document's subject otherwise
    V      first k right singular vectors of the matrix with rows sqrt(n_l) o_l; k = languages, at most 30
    c      1 - sum_l (n_l / n)^2                  how mixed the library is: 0 for one language, which gains by the projection alone
    A      (I - V'V) (I + c (W - I)),  b = -c g A    W: ridge regression of vectors on the mean of their translations
    aligned(x) = (x A + b) / |x A + b|            the same for passages and queries, so no query language is needed

Language information removal by projection: Yang, Yang, Cer and Darve 2021, "A simple and effective method to eliminate the self language bias
in multilingual representations". Shrinkage and weights: measured for this project (docs/ranking.md); related: SHIFT, arXiv 2606.18801.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from ingest.records import UNDETERMINED, primary

SHRINKAGE = 100.0  # passages of a language that weigh as much as its prior offset
DIRECTIONS = 30  # projected out at most; each one too many costs a little meaning

Matrix = NDArray[np.float32]  # shape (dimension, dimension)


@dataclass(frozen=True, slots=True)
class LanguagePrior:
    """What is known of an encoder's languages before any library is seen."""

    offsets: Mapping[str, Vectors]  # by BCP 47 tag: where the language lies beside the mean of all; shape (dimension,)
    hub: Matrix | None  # carries a vector towards the mean of its translations
    close: float | None = None  # nearness from which a passage may answer a query; None while nobody has measured it


@dataclass(frozen=True, slots=True)
class Alignment:
    """One affine map for passages and queries alike."""

    matrix: Matrix
    offset: Vectors  # shape (dimension,)
    whole: Alignment | None = None  # the same with c = 1, in which nearness means the same in every library

    def apply(self, vectors: Vectors) -> Vectors:
        """Return the aligned vectors, of unit length; shape as given."""
        moved = vectors @ self.matrix + self.offset
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12), np.float32)

    def lengths(self, vectors: Vectors) -> Vectors:
        """How long each vector is once it has been moved, before it is given unit length; shape (vectors,)."""
        return np.asarray(np.linalg.norm(vectors @ self.matrix + self.offset, axis=1), np.float32)

    def toward(self, queries: Vectors) -> tuple[Vectors, Vectors]:
        """Directions and constants, so that `direction @ x + constant`, by the length of x once moved, is the cosine of a query and aligned x.

        `queries` are aligned; it spares moving every x.
        """
        return queries @ self.matrix.T, queries @ self.offset


class Languages:
    """How many passages there are in each language, and the sum of their raw vectors, gathered block by block."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.sums: dict[str, NDArray[np.float64]] = {}

    def add(self, vectors: Vectors, languages: Sequence[str]) -> None:
        """Count a block: row i of `vectors` is raw, of unit length and in `languages[i]`; where nobody knows the language, it does not count."""
        known = np.asarray(languages)
        for tag in set(languages) - {UNDETERMINED}:
            own = vectors[known == tag]
            self.counts[tag] = self.counts.get(tag, 0) + len(own)
            self.sums[tag] = self.sums.get(tag, 0) + own.sum(axis=0, dtype=np.float64)


def fit(vectors: Vectors, languages: Sequence[str], prior: LanguagePrior | None) -> Alignment | None:
    """Fit the alignment of a library: row i of `vectors` is raw, of unit length and in `languages[i]`; None as `fit_languages` says."""
    gathered = Languages()
    gathered.add(vectors, languages)
    return fit_languages(gathered, prior)


def fit_languages(gathered: Languages, prior: LanguagePrior | None) -> Alignment | None:
    """Fit the alignment of a library.

    None, which means plain cosine, without a prior (an encoder nobody has measured) or without any passage.
    """
    tags = sorted(gathered.counts)
    if prior is None or not tags:
        return None
    counts = np.asarray([gathered.counts[tag] for tag in tags], np.float64)[:, None]
    means = np.stack([gathered.sums[tag] for tag in tags]) / counts
    dimension = means.shape[1]
    priors = np.stack([prior_offset(prior, tag, dimension) for tag in tags])
    weights = counts / (counts + SHRINKAGE)
    centre = ((means - priors) * weights).sum(axis=0) / weights.sum()
    offsets = weights * (means - centre) + (1 - weights) * priors
    directions = np.linalg.svd(np.sqrt(counts) * offsets, full_matrices=False)[2][: min(DIRECTIONS, len(tags))]
    mixture = 1 - float(((counts / counts.sum()) ** 2).sum())
    projection = np.eye(dimension) - directions.T @ directions
    return replace(_alignment(projection, centre, prior.hub, mixture), whole=_alignment(projection, centre, prior.hub, 1.0))


def _alignment(projection: NDArray[np.float64], centre: NDArray[np.float64], hub: Matrix | None, mixture: float) -> Alignment:
    matrix = projection if hub is None else projection @ ((1 - mixture) * np.eye(len(projection)) + mixture * hub)
    return Alignment(matrix.astype(np.float32), (-mixture * centre @ matrix).astype(np.float32))


def prior_offset(prior: LanguagePrior, tag: str, dimension: int) -> Vectors:
    """The prior offset of a language: its own, else the mean over what is known of the language in any script, else zero."""
    language = primary(tag)
    alike = [offset for there, offset in prior.offsets.items() if primary(there) == language]
    if tag in prior.offsets or not alike:
        return prior.offsets.get(tag, np.zeros(dimension, np.float32))
    return np.asarray(np.mean(alike, axis=0), np.float32)


def save_alignment(alignment: Alignment, path: Path) -> None:
    whole = alignment.whole or alignment
    arrays = {"matrix": alignment.matrix, "offset": alignment.offset, "whole_matrix": whole.matrix, "whole_offset": whole.offset}
    np.savez(path, allow_pickle=False, **arrays)


def load_alignment(path: Path) -> Alignment | None:
    """The reverse; None where there is no such file. Raises OSError, ValueError and KeyError."""
    if not path.exists():
        return None
    with np.load(path) as stored:
        return Alignment(stored["matrix"], stored["offset"], Alignment(stored["whole_matrix"], stored["whole_offset"]))
