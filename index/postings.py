"""In which passages words and phrases stand: read once, kept within a bound of memory, and only counted where that is enough."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.contents import Contents, Extent
from index.vector_rows import Keys

FIRST = 1000  # passages; so many that an expression matches are read at once, to be counted; the rest is only counted, about, until it is asked for
MEMORY = 128 << 20  # bytes
ENTRY = 500  # of them for an expression itself, about


Held = NDArray[np.uint32] | NDArray[np.int64]  # keys, in half the space as long as four thousand million are enough


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an expression, up to a key."""

    keys: Held
    read: int = 0  # the key up to which all that match are among `keys`
    count: int = 0  # about how many match, where not all of them were read
    counted: int = 0  # the key up to which they were counted

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return self.keys.nbytes + ENTRY


NONE: Held = np.zeros(0, np.uint32)
NOTHING = Known(NONE)


class Postings:
    """Where expressions of FTS5 match in one library. Safe to share between threads.

    What is known of an expression is added to when passages come, and forgotten when passages leave: keys are never used twice.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lock = threading.Lock()
        self._removed = 0  # passages that were gone when what is known was read
        self._known: OrderedDict[str, Known] = OrderedDict()  # the last used at the end
        self._size = 0  # bytes

    def of(self, expression: str) -> Held:
        """The keys of all passages that match, growing."""
        return self.all_of([expression])[0]

    def all_of(self, expressions: Iterable[str]) -> list[Held]:
        """The same for several."""
        now = self._contents.extent()
        return [self._read(expression, now).keys for expression in expressions]

    def count(self, expression: str) -> int:
        """In how many passages an expression matches: past FIRST of them, about how many, until `of` has read which."""
        return self.counts([expression])[0]

    def counts(self, expressions: Iterable[str]) -> list[int]:
        """The same for several."""
        now = self._contents.extent()
        return [self._counted(expression, now).count for expression in expressions]

    def forget(self) -> None:
        """Forget all that is known: another library, with other passages under the same keys, may have taken the place of this one."""
        with self._lock:
            self._known.clear()
            self._size = 0

    def _read(self, expression: str, now: Extent) -> Known:
        known = self._recall(expression, now)
        if known.read < now.given:
            keys = _joined(known.keys, self._contents.matching(expression, known.read, now.given))
            known = self._note(expression, Known(keys, now.given, len(keys), now.given), now)
        return known

    def _counted(self, expression: str, now: Extent) -> Known:
        known = self._recall(expression, now)
        if known.counted >= now.given:
            return known
        if expression.endswith("*"):  # FTS5 puts all these terms together before it gives the first passage
            return self._read(expression, now)
        return self._note(expression, self._counted_on(expression, known, now), now)

    def _counted_on(self, expression: str, known: Known, now: Extent) -> Known:
        counted = self._contents.count_matching
        if known.read == known.counted:
            some = self._contents.matching(expression, known.read, now.given, FIRST)
            keys, read = _joined(known.keys, some), int(some[-1]) if len(some) == FIRST else now.given
            known, counted = Known(keys, read, len(keys), read), self._contents.count_about
            if read == now.given:
                return known
        return replace(known, count=known.count + counted(expression, known.counted, now.given), counted=now.given)

    def _recall(self, expression: str, now: Extent) -> Known:
        with self._lock:
            if now.removed != self._removed:
                self._known.clear()
                self._size, self._removed = 0, now.removed
            if expression in self._known:
                self._known.move_to_end(expression)
            return self._known.get(expression, NOTHING)

    def _note(self, expression: str, known: Known, now: Extent) -> Known:
        with self._lock:
            if now.removed == self._removed:
                former = self._known.pop(expression, None)
                self._known[expression] = known
                self._size += known.size - (former.size if former else 0)
            while self._size > MEMORY:
                self._size -= self._known.popitem(last=False)[1].size
        return known


def among(keys: Held, others: Held) -> NDArray[np.bool_]:
    """For each key, whether it is among the others, which grow."""
    if not len(others):
        return np.zeros(len(keys), np.bool_)
    sought = keys.astype(others.dtype, copy=False) if len(keys) and keys.max() <= others[-1] else keys
    return np.asarray(others[np.minimum(np.searchsorted(others, sought), len(others) - 1)] == sought, np.bool_)


def merged(*parts: Held) -> Held:
    """All these keys, growing, each once. The parts grow, so that a stable sort has little to do."""
    together = np.sort(np.concatenate(parts), kind="stable")
    return together[np.append(True, together[1:] != together[:-1])] if len(together) else together


def _joined(keys: Held, newer: Keys) -> Held:
    small = not len(newer) or newer[-1] <= np.iinfo(np.uint32).max
    return np.concatenate([keys, newer.astype(np.uint32) if small else newer])
