"""Which FAISS index for how many passages: recall and time of search in one thread, with and without filters, against exact search in the same run.

    python -m bench.vector_search LIBRARY [LIBRARY ...]

The vectors are those of a library, aligned (bench/libraries.py makes libraries of any size); queries are drawn around them: a vector, and noise of
the same covariance. What finds rows by codes has its best REFINED rows put in order by their own vectors, here from memory. "isogloss" is the index
of index/inverted.py as it serves, which reads them from library.sqlite. A filter of a topic admits the passages nearest to one of them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from bench.table import Row, table
from index import generations
from index.encoder import Vectors
from index.inverted import REFINED, SAMPLE, SCANNED, InvertedIndex, lists_for
from index.library import Library
from index.stored import StoredVectors, inverted
from index.vectors import Admitted, Positions, VectorIndex

QUERIES = 100
K = 10
NOISE = 0.6  # of a query beside the vector that it is drawn around
LARGEST_GRAPH = 20_000  # vectors, at most, of which a graph is made: of more it takes minutes, of a million an hour
RECALL = 0.98  # that issue 7 asks for

Search = Callable[[Vectors, Admitted | None], Positions]  # one query, shape (1, dimension); the best K


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to search, made of the vectors of a library."""

    name: str
    search: Search
    size: float  # bytes a passage, on disk
    seconds: float  # of processor time to make it


def stored_vectors(folder: Path) -> StoredVectors:
    """The vectors of a library, as its generation moves them."""
    library = Library.open(folder)
    made = generations.load_or_build(library)
    return StoredVectors(library, made.encoder, made.keys, made.alignment, np.zeros(len(made.keys), np.float32))


def queries_around(vectors: Vectors) -> Vectors:
    random = np.random.default_rng(7)
    some = vectors[random.choice(len(vectors), min(len(vectors), 10_000), replace=False)]
    noise = random.standard_normal((QUERIES, len(some))).astype(np.float32) @ (some - some.mean(axis=0))
    drawn = some[:QUERIES] + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def filters(vectors: Vectors) -> dict[str, Admitted | None]:
    random = np.random.default_rng(8)
    topic = vectors @ vectors[0]
    shares = {f"{share:.1%}": Admitted(random.random(len(vectors)) < share) for share in (0.1, 0.01, 0.001)}
    return {"all": None, **shares, "topic, 1.0%": Admitted(topic >= np.quantile(topic, 0.99))}


def kinds(stored: StoredVectors, vectors: Vectors) -> Iterator[Kind]:
    """Yield every way to search, one at a time, since each takes room."""
    flat = VectorIndex.of(vectors)
    yield Kind("exact", lambda query, admitted: flat.search(query, K, admitted)[1], 4 * vectors.shape[1], 0)
    yield own(stored)
    lists, metric, bits = lists_for(len(vectors)), faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer
    dimension = vectors.shape[1]
    centres = faiss.IndexFlatIP(dimension)
    makers: dict[str, Callable[[], Any]] = {
        "IVF, RaBitQ 1 bit, fast scan": lambda: faiss.IndexIVFRaBitQFastScan(centres, dimension, lists, metric),
        "IVF, RaBitQ 4 bits": lambda: faiss.IndexIVFRaBitQ(centres, dimension, lists, metric, True, 4),
        "IVF, scalar 4 bits": lambda: faiss.IndexIVFScalarQuantizer(centres, dimension, lists, bits.QT_4bit, metric),
        "IVF, scalar 8 bits": lambda: faiss.IndexIVFScalarQuantizer(centres, dimension, lists, bits.QT_8bit, metric),
        "IVF, product 96 x 4 bits, fast scan": lambda: faiss.IndexIVFPQFastScan(centres, dimension, lists, dimension // 4, 4, metric),
    }
    if len(vectors) <= LARGEST_GRAPH:
        makers["HNSW 32, scalar 8 bits"] = lambda: faiss.IndexHNSWSQ(dimension, bits.QT_8bit, 32, metric)
    for name, make in makers.items():
        yield peer(name, make, vectors)


def own(stored: StoredVectors) -> Kind:
    """The index that serves: written, mapped into memory, its best read from library.sqlite."""
    began = time.process_time()
    made = inverted(stored, lambda _: None)
    seconds = time.process_time() - began
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "vectors.faiss"
        made.save(path)
        index = InvertedIndex.load(path, stored)
        size = path.stat().st_size / len(stored) + 4  # the length
    return Kind("isogloss", lambda query, admitted: index.search(query, K, admitted)[1], size, seconds)


def peer(name: str, make: Callable[[], Any], vectors: Vectors) -> Kind:
    """An index of FAISS, its best put in order by their own vectors; lists are looked through in number as the filter narrows."""
    faiss.omp_set_num_threads(1)
    began = time.process_time()
    index = make()
    index.train(vectors[:: max(1, len(vectors) // (SAMPLE * lists_for(len(vectors))))])
    index.add(vectors)
    seconds = time.process_time() - began

    def search(query: Vectors, admitted: Admitted | None) -> Positions:
        selector = admitted.selector() if admitted else None
        share = admitted.count / len(vectors) if admitted else 1
        if isinstance(index, faiss.IndexHNSW):
            how = faiss.SearchParametersHNSW(efSearch=2 * REFINED, sel=selector)
        else:
            probed = int(index.nlist * min(1, SCANNED / len(vectors) / max(share, 1e-9))) + 1
            how = faiss.SearchParametersIVF(nprobe=min(index.nlist, probed), sel=selector)
        _, rows = index.search(query, REFINED, params=how)
        found = rows[0][rows[0] >= 0]
        return found[np.argsort(-(vectors[found] @ query[0]), kind="stable")][None, :K]

    written = faiss.VectorIOWriter()
    faiss.write_index(index, written)
    return Kind(name, search, written.data.size() / len(vectors), seconds)


def rows(folder: Path) -> list[Row]:
    """Measure all kinds with the vectors of one library, every kind in turn with every filter."""
    stored = stored_vectors(folder)
    vectors = np.concatenate([stored.aligned(raw) for _, raw in stored.blocks()])
    asked, admitting = queries_around(vectors), filters(vectors)
    found: list[Row] = []
    right: dict[str, list[Positions]] = {}
    exact: dict[str, float] = {}
    for kind in kinds(stored, vectors):
        for name, admitted in admitting.items():
            answers, times = timed(kind.search, asked, admitted)
            middle = float(np.median(times))
            right.setdefault(name, answers)  # the first kind is exact
            exact.setdefault(name, middle)
            recall = float(np.mean([share(*pair) for pair in zip(answers, right[name], strict=True)]))
            ours = kind.name == "isogloss"
            what = f"{kind.name}, {len(vectors):,} passages, filter: {name} ({kind.size:.0f} bytes a passage, made in {kind.seconds:.0f} s)"
            figure = f"recall@{K} {recall:.3f}, p50 {1e3 * middle:.2f} ms, p95 {1e3 * float(np.percentile(times, 95)):.2f} ms"
            target = f"recall at least {RECALL}" if ours else ""
            found.append(Row("3", what, figure, f"{middle / exact[name]:.2f} x exact", target, recall >= RECALL if ours else None))
    return found


def timed(search: Search, queries: Vectors, admitted: Admitted | None) -> tuple[list[Positions], list[float]]:
    """Answers, and the seconds of this thread's own time that each took; the first, which packs the filter, is asked twice."""
    search(queries[:1], admitted)
    answers, times = [], []
    for query in np.split(queries, len(queries)):
        began = time.thread_time()
        answers.append(search(query, admitted)[0])
        times.append(time.thread_time() - began)
    return answers, times


def share(found: Positions, right: Positions) -> float:
    """How many of the right rows were found."""
    expected = set(right.tolist()) - {-1}
    return len(expected & set(found.tolist())) / max(1, len(expected))


def main() -> None:
    for folder in sys.argv[1:]:
        print(table(rows(Path(folder))), flush=True)


if __name__ == "__main__":
    main()
