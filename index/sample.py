"""A part of a library by which the whole is judged: how many passages each language has, and how common words are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.contents import Contents, Extent, Keys

BLOCKS, BLOCK = 64, 512  # of passages that were stored one after the other, spread evenly; a library of no more is taken whole
GROWN = 0.1  # of the library that may have come or gone before another sample is taken


@dataclass(frozen=True, slots=True)
class Sample:
    """Passages from all over a library; a small library is a sample of itself."""

    extent: Extent  # of the library, when it was taken
    starts: Keys  # of the blocks
    keys: Keys
    language_of: NDArray[np.str_]

    @classmethod
    def of(cls, contents: Contents, extent: Extent) -> Sample:
        """Take a sample of what is stored now."""
        last = extent.given
        whole = last <= BLOCKS * BLOCK
        starts = np.arange(1, last + 1, BLOCK) if whole else np.linspace(1, last - BLOCK + 1, BLOCKS).astype(np.int64)
        keys, languages = contents.languages_in(starts, BLOCK)
        return cls(extent, starts, keys, np.asarray(languages, np.str_))

    @property
    def share(self) -> float:
        """How many of the library's passages it has, in (0, 1]."""
        return max(len(self.keys), 1) / max(self.extent.given - self.extent.removed, len(self.keys), 1)

    def count(self, language: str, keys: Keys | None = None) -> int:
        """How many of its passages are in this language; only those among `keys`, which grow, if given."""
        own = self.keys[self.language_of == language]
        return len(own) if keys is None else int(among(own, keys).sum())

    def serves(self, now: Extent) -> bool:
        """Whether the library is still about the same."""
        changed = max(now.given - self.extent.given, now.removed - self.extent.removed)
        return changed <= GROWN * self.extent.given


def among(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """For each key, whether it is among the others, which grow."""
    if not len(others):
        return np.zeros(len(keys), np.bool_)
    return np.asarray(others[np.minimum(np.searchsorted(others, keys), len(others) - 1)] == keys, np.bool_)
