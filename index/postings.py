"""In which passages words and phrases stand: read once, kept within a bound of memory, and counted without reading all of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np

from index.contents import Contents, Extent, Keys
from index.sample import BLOCK, Sample

FEW = 1000  # passages; what stands in no more is counted by reading them
MEMORY = 64 << 20  # bytes of keys
ENTRY = 400  # bytes that an expression takes itself, about
COUNTED = 10_000  # expressions of which a count is kept


class Postings:
    """Where expressions of FTS5 match in one library. Safe to share between threads.

    What is known of an expression is added to when passages come, and forgotten when passages leave: keys are never used twice.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lock = threading.Lock()
        self._removed = 0  # passages that were gone when what is kept was read
        self._kept: OrderedDict[str, tuple[Keys, int]] = OrderedDict()  # with the last key there was; the last used at the end
        self._size = 0  # bytes
        self._sample: Sample | None = None
        self._sampled: dict[str, Keys] = {}  # of what stands in more than a few passages, those of the sample

    def of(self, expression: str) -> Keys:
        """The keys of all passages that match, growing."""
        now = self._contents.extent()
        keys, last = self._known(expression, now)
        if last < now.given:
            new = self._contents.matching(expression, last, now.given)
            keys = self._keep(expression, np.concatenate([keys, new]) if len(keys) else new, now)
        return keys

    def counts(self, expressions: Iterable[str]) -> dict[str, int]:
        """In how many passages each expression matches; estimated where it is more than a few of a large library's."""
        return {expression: self.count(expression) for expression in expressions}

    def count(self, expression: str) -> int:
        keys, sample = self._counted(expression)
        return len(keys) if sample is None else max(round(len(keys) / sample.share), FEW + 1)

    def within(self, expression: str, language: str) -> int:
        """How many of the sample's passages in this language match."""
        keys, _ = self._counted(expression)
        return self.sample().count(language, keys)

    def sample(self) -> Sample:
        """Passages by which the library is judged."""
        now = self._contents.extent()
        with self._lock:
            sample = self._sample
        if sample is None or not sample.serves(now):
            sample = Sample.of(self._contents, now)
            with self._lock:
                self._sample, self._sampled = sample, {}
        return sample

    def _counted(self, expression: str) -> tuple[Keys, Sample | None]:
        """All passages that match, and None; where these are more than a few and not known, those of a sample, and that."""
        now = self._contents.extent()
        keys, last = self._known(expression, now)
        if last == now.given:
            return keys, None
        if expression.endswith("*"):  # no part of these is read sooner than the whole
            return self.of(expression), None
        sample = self.sample()
        with self._lock:
            sampled = self._sampled.get(expression)
        if sampled is not None:
            return sampled, sample
        few = self._contents.matching(expression, last, now.given, FEW + 1)
        if len(few) <= FEW:
            return self._keep(expression, np.concatenate([keys, few]), now), None
        sampled = self._contents.matching_in(expression, sample.starts, BLOCK)
        with self._lock:
            if self._sample is sample and len(self._sampled) < COUNTED:
                self._sampled[expression] = sampled
        return sampled, sample

    def _known(self, expression: str, now: Extent) -> tuple[Keys, int]:
        """What is kept of an expression, and the last key there was then."""
        with self._lock:
            if now.removed != self._removed:
                self._kept.clear()
                self._size, self._removed = 0, now.removed
            if expression not in self._kept:
                return np.zeros(0, np.int64), 0
            self._kept.move_to_end(expression)
            return self._kept[expression]

    def _keep(self, expression: str, keys: Keys, now: Extent) -> Keys:
        with self._lock:
            if now.removed == self._removed:
                former = self._kept.pop(expression, None)
                self._kept[expression] = keys, now.given
                self._size += keys.nbytes - former[0].nbytes if former else keys.nbytes + ENTRY
            while self._size > MEMORY:
                self._size -= self._kept.popitem(last=False)[1][0].nbytes + ENTRY
        return keys
