"""Sketches of texts, from which can be told how alike two texts are, letter by letter, without either of them.

A text is the set of its shingles, runs of letters that overlap; two texts are as alike as their sets (Broder, On the resemblance and
containment of documents, 1997). Of each set only the smallest hash in each of BINS bins is kept, as in one permutation hashing
(Li, Owen and Zhang, 2012), so that comparing one text with thousands is one comparison of numbers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import numpy as np
import regex
from numpy.typing import NDArray

Sketch = NDArray[np.uint32]  # shape (BINS,); EMPTY in a bin without a shingle

BINS = 512  # 2 KiB a text; half of the shingles are then told with a standard error of 2.2 points
SHINGLE = 9  # letters; long enough that a language's words alone make few alike, in scripts without spaces too
GLANCE = 64  # bins that are looked at first; a text that is half alike passes for a sixth once in a hundred million times
EMPTY = 0xFFFFFFFF
BETWEEN = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
NEAR = 0.5  # of the shingles of either text; docs/duplicates.md says why


def sketch(texts: Iterable[str]) -> Sketch:
    """The sketch of a document, given as the texts of its pages; case, spaces, signs and where its pages end make no difference."""
    letters = unicodedata.normalize("NFC", BETWEEN.sub("", unicodedata.normalize("NFKC", "\n".join(texts)).casefold()))
    codes = np.frombuffer(letters.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    kept = np.full(BINS, EMPTY, np.uint32)
    if len(codes) >= SHINGLE:
        hashes = _mixed(_shingles(codes))
        np.minimum.at(kept, (hashes >> np.uint64(32)) % np.uint64(BINS), (hashes & np.uint64(0xFFFFFFFE)).astype(np.uint32))
    return kept


def resemblance(one: Sketch, others: NDArray[np.uint32]) -> NDArray[np.float64]:
    """How alike a text is to each of others, whose sketches are the rows of `others`: the share of shingles in both, of those in either, in [0, 1].

    Its standard error is `standard_error`; it is 0 for a text without a shingle.
    """
    if not len(others):
        return np.zeros(0)
    filled = ((others != EMPTY) | (one != EMPTY)).sum(axis=1)
    same = ((others == one) & (one != EMPTY)).sum(axis=1)
    return np.asarray(same / np.maximum(filled, 1), np.float64)


def nearest(one: Sketch, others: NDArray[np.uint32], least: float = NEAR) -> list[tuple[int, float]]:
    """(row, resemblance) of those of others that are at least so alike, the most alike first. Most are told to be far by a part of their bins."""
    filled = ((others[:, :GLANCE] != EMPTY) | (one[:GLANCE] != EMPTY)).sum(axis=1)
    same = ((others[:, :GLANCE] == one[:GLANCE]) & (one[:GLANCE] != EMPTY)).sum(axis=1)
    candidates = np.flatnonzero((same >= least / 3 * filled) | (filled < GLANCE / 2))
    found = zip(candidates.tolist(), resemblance(one, others[candidates]).tolist(), strict=True)
    return sorted(((row, alike) for row, alike in found if alike >= least), key=lambda pair: -pair[1])


def standard_error(found: float) -> float:
    """Of a resemblance, of texts with many more shingles than BINS; less for shorter ones."""
    return float(np.sqrt(found * (1 - found) / BINS))


def shared(found: float) -> float:
    """The share of each text that is in the other, were both of one length: what people mean by "97% the same"."""
    return 2 * found / (1 + found)


def _shingles(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number for every run of SHINGLE letters: a polynomial in their code points, modulo 2^64."""
    runs = len(codes) - SHINGLE + 1
    numbers = np.zeros(runs, np.uint64)
    for place in range(SHINGLE):
        numbers = numbers * np.uint64(0x9E3779B97F4A7C15) + codes[place : place + runs]
    return numbers


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the numbers evenly (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
