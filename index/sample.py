"""A part of a library's passages by which its languages are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from index.contents import Contents, Extent
from index.vector_rows import Keys

BLOCKS, BLOCK = 64, 512  # of passages that were stored one after the other, spread evenly; a library of no more is taken whole
GROWN = 0.1  # of the library that may have come or gone before another sample is taken


@dataclass(frozen=True, slots=True)
class Sample:
    """Passages from all over a library; a small library is a sample of itself."""

    keys: Keys
    by_language: Mapping[str, Keys]  # each growing

    @classmethod
    def of(cls, contents: Contents, extent: Extent) -> Sample:
        """Take a sample of what is stored now."""
        last = extent.given
        whole = last <= BLOCKS * BLOCK
        starts = np.arange(1, last + 1, BLOCK) if whole else np.linspace(1, last - BLOCK + 1, BLOCKS).astype(np.int64)
        keys, languages = contents.languages_in(starts, BLOCK)
        spoken = np.asarray(languages, np.str_)
        return cls(keys, {language: keys[spoken == language] for language in sorted(set(languages))})

    def of_language(self, language: str) -> Keys:
        """Its passages in this language, growing."""
        return self.by_language.get(language, self.keys[:0])


def about_the_same(before: Extent, now: Extent) -> bool:
    """Whether a sample that was taken before still serves."""
    return max(abs(now.given - before.given), abs(now.removed - before.removed)) <= GROWN * before.given
