"""What a library of any size costs, computed from what benches measured of some: the model behind bench/capacity.py.

Each quantity grows by a shape that the program's own structure gives (a column has so many bytes a passage; the lists of a word are as long as the library;
k-means and its lists take n times the root of n), and only the factors are fitted, never below nothing, to what was measured. What the program bounds
itself is taken by its bound. Whatever was not measured is None, and said to be unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

from index import counterparts, marks, postings, view
from index.generations import EXACT
from index.inverted import ROUNDS, SAMPLE, lists_for

Curve = Callable[[float], float]
Points = Sequence[tuple[float, float]]  # passages, and what was measured

CODE_FACTORS = 8  # bytes that a code of RaBitQ has beside its bits
ROW, KEY, LENGTH, LIST = 8, 8, 4, 4  # bytes a passage: its number in the lists, its key, the length of its vector, the list it is in
FLOAT = 4
GIB = 2**30


def constant(_: float) -> float:
    return 1.0


def linear(n: float) -> float:
    return n


def root(n: float) -> float:
    return math.sqrt(n)


def comparisons(n: float) -> float:
    """Of vectors with the centres of lists: a sample over and over, to say where the lists lie, then every vector once."""
    return lists_for(int(n)) * (ROUNDS * SAMPLE * lists_for(int(n)) + n)


def fitted(points: Points, *shapes: Curve) -> Curve:
    """The sum of shapes, none of them below nothing, that lies nearest to the points, by the share that it is off; of fewer points the last shapes alone."""
    used = shapes[-len(points) :]
    sizes, values = (np.asarray(column, float) for column in zip(*points, strict=True))
    scaled = np.maximum(values, 1e-12)
    matrix = np.asarray([[shape(size) for shape in used] for size in sizes]) / scaled[:, None]
    scale = matrix.max(axis=0)
    factors = nnls(matrix / scale, values / scaled)[0] / scale
    return lambda n: float(sum(factor * shape(n) for factor, shape in zip(factors, used, strict=True)))


@dataclass(frozen=True, slots=True)
class Embedded:
    """The library in SQLite and FAISS. Bytes; seconds; of so many passages."""

    sections: Mapping[str, Any]  # of bench/constants.py
    most: float = math.inf  # nothing that was measured of larger libraries is used

    @property
    def dimension(self) -> int:
        return int(self.sections["growth"][0]["dimension"])

    def disk(self, n: float) -> dict[str, float]:
        """By what it is for: library.sqlite, and the generation in use."""
        names = self._grown()[0]["parts"]
        return {name: self._generation_file(n) if name == "generation" else self._fit(name, constant, linear)(n) for name in names}

    def _fit(self, name: str, *shapes: Curve) -> Curve:
        return fitted([(one["passages"], one["parts"][name]) for one in self._grown()], *shapes)

    def _generation_file(self, n: float) -> float:
        first = self._grown()[0]
        alignment = first["parts"]["generation"] - KEY * first["passages"]  # the smallest is exact, and has no codes
        return alignment + KEY * n + (self.codes(n) + LENGTH * n if n > EXACT else 0)

    def codes(self, n: float) -> float:
        """Codes with the rows that they are of, and the centres of their lists: what is mapped from a file, and shared by all processes."""
        return n * (self.dimension / 8 + CODE_FACTORS + ROW) + self._centres(n)

    def _centres(self, n: float) -> float:
        return float(FLOAT * self.dimension * lists_for(int(n)))

    def generation(self, n: float) -> float:
        """In the memory of each process, without what is mapped: keys, and the vectors, or the lengths, lists and centres."""
        return KEY * n + (FLOAT * self.dimension * n if n <= EXACT else (LENGTH + LIST) * n + 2 * self._centres(n))

    def newer(self, n: float) -> float:
        """Of so many passages that no generation has yet, in the memory of each process: their vectors, which are searched exactly."""
        return FLOAT * self.dimension * n

    def columns(self, n: float) -> float:
        """Of the view, in the memory of each process."""
        return fitted([(one["passages"], one["columns"]) for one in self._grown()], constant, linear)(n)

    def caches(self, n: float) -> float:
        """What a process may come to keep of sentences, words, editions and filters, once all kinds of questions were asked."""
        return postings.MEMORY + marks.CACHE + counterparts.CACHE + view.KEPT * n * 9 / 8

    @property
    def encoder(self) -> float:
        """A process that has loaded the encoder, and no library, without what it has of files."""
        return float(np.median([one["before"] - one["files"] for one in self._searched()]))

    @property
    def programs(self) -> float:
        """Files of programs and of the encoder, which all processes share."""
        return float(np.median([one["files"] for one in self._searched()]))

    def process(self, n: float) -> float:
        """Of each web process, beside what it shares with others."""
        return self.encoder + self.generation(n) + self.columns(n) + self.caches(n)

    def asked(self, n: float) -> float:
        """A process that the questions of bench/search.py were asked, beyond the encoder: what it kept of them grows no more than its bounds let it."""
        last = self._searched()[-1]
        kept = last["after"] - last["before"] - self.generation(last["passages"]) - self.columns(last["passages"])
        return kept + self.generation(n) + self.columns(n)

    def loading(self, n: float) -> float:
        """Seconds until the generation is there: its files are read through once, to see that they are whole, and what is exact is read from the library."""
        points = [(one["passages"], one["loading"]) for one in self._grown() if (one["passages"] > EXACT) == (n > EXACT)]
        return fitted(points, constant, linear)(n)

    def viewing(self, n: float) -> float:
        return fitted([(one["passages"], one["viewing"]) for one in self._grown()], constant, linear)(n)

    def opening(self, n: float) -> float:
        return self.loading(n) + self.viewing(n)

    def building(self, n: float) -> float:
        """Seconds of one core: every vector read, and compared with the centres of all lists."""
        exact = [one for one in self._grown() if one["passages"] <= EXACT]
        each = max((one["building"] / one["passages"] for one in exact), default=0.0)
        rest = [(one["passages"], one["building"] - each * one["passages"]) for one in self._grown() if one["passages"] > EXACT]
        return each * n + (fitted(rest, comparisons)(n) if n > EXACT else 0)

    def parts(self, n: float) -> dict[str, float]:
        """Seconds that each part of an answer takes, by the clock of the machine that measured, at the median.

        Marks hang on the passages that are shown, and on how many of these were shown before, not on the others: those of the largest library count.
        """
        searched = self._searched()
        found = {"encoding": float(np.median([one["encoding"] for one in searched]))}
        shapes = {"words": (constant, linear), "grouping": (constant, root)}
        for name in searched[-1]["parts"]:
            points = [(one["passages"], one["parts"][name]) for one in searched]
            found[name] = fitted(points, *shapes[name])(n) if name in shapes else points[-1][1]
        found["vectors"] = fitted([pair for pair in self._times("vectors") if pair[0] > EXACT], root)(n)
        rest = [one["answer"] - one["encoding"] - sum(one["parts"].values()) for one in searched]
        return found | {"rest": fitted([(one["passages"], max(more, 0)) for one, more in zip(searched, rest, strict=True)], constant, linear)(n)}

    def answer(self, n: float) -> float:
        return sum(self.parts(n).values())

    def processor(self, n: float) -> float:
        """Seconds of one core that an answer takes: of all threads, as many for each second by the clock as was measured."""
        return self.answer(n) * float(np.median([one["processor"] / one["answer"] for one in self._searched()]))

    def _times(self, part: str) -> Points:
        return [(one["passages"], one["parts"][part]) for one in self._searched()]

    def _grown(self) -> list[Any]:
        return [one for one in self.sections["growth"] if one["passages"] <= self.most]

    def _searched(self) -> list[Any]:
        return [one for one in self.sections["search"] if one["passages"] <= self.most]


@dataclass(frozen=True, slots=True)
class Engine:
    """The library in PostgreSQL with pgvector, as far as bench/stores.py measured it of one size: all that it has a passage stays the same."""

    embedded: Embedded  # what is the same with both
    measured: Mapping[str, Any]  # the section "stores", of the engine

    def disk(self, n: float) -> dict[str, float]:
        """By what it is for: tables with their indexes."""
        return {name: taken * n / self.measured["passages"] for name, taken in self.measured["disk"].items()}

    def graph(self, n: float) -> float:
        """What must lie in a server's memory for a search by vectors not to wait for the disk: the HNSW graph, which has a copy of every vector."""
        return float(self.measured["graph"]) * n / float(self.measured["passages"])

    def log(self, n: float) -> float:
        """Bytes of write-ahead log that storing so many passages makes; as much goes to each replica, and to an archive."""
        return float(self.measured["log"]) * n / float(self.measured["passages"])

    def process(self, n: float) -> float:
        """In the memory of each web process: all but codes, lists and lengths."""
        return self.embedded.encoder + KEY * n + self.embedded.columns(n) + self.embedded.caches(n)

    def parts(self, n: float) -> dict[str, float]:
        """As `Embedded.parts`. How words and vectors grow on the engine was not measured: words are taken to grow as in files, a graph not at all."""
        return self.embedded.parts(n) | {"words": self.measured["words"]["none"] * self._words(n), "vectors": self.measured["vectors"]["none"]}

    def server(self, n: float) -> float:
        """Seconds of one core of a server that an answer takes; its growth is taken to be that of words."""
        return float(self.measured["server"]) * self._words(n)

    def _words(self, n: float) -> float:
        return self.embedded.parts(n)["words"] / self.embedded.parts(self.measured["passages"])["words"]


@dataclass(frozen=True, slots=True)
class Reading:
    """From PDFs to what is stored, by what bench/ingest.py measured of real ones."""

    measured: Mapping[str, Any]  # the section "ingest"

    @property
    def each_page(self) -> float:
        """Passages of it."""
        return float(self.measured["passages"]) / float(self.measured["pages"])

    def pages(self, passages: float) -> float:
        return passages / self.each_page

    def originals(self, passages: float) -> float:
        return passages * float(self.measured["bytes"]) / float(self.measured["passages"])

    @property
    def page(self) -> float:
        """Seconds of one core that a page takes, from PDF to searchable."""
        return sum(self.measured["stages"].values()) / float(self.measured["pages"])

    def boxes(self, passages: float) -> float:
        """Bytes of the places of words on pages, which the libraries of the benches lack."""
        return passages * float(self.measured["boxes"]) / float(self.measured["passages"])
