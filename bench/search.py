"""How long an answer takes, what it is made of, and what it costs in memory and on disk: python -m bench.search LIBRARY... [--profile]

The libraries are those of bench/libraries.py, the questions those of XQuAD-R, which come once each. Every library is measured in a process of its
own. An answer is what `State.search` gives: the query encoded, searched by meaning and words, fused, grouped, ten hits marked; counterparts are told
apart. Its time is told as a multiple of the median time that encoding the query alone takes in the same run, in turn with it.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

import index.searcher
from bench.material import COLLECTIONS
from bench.size import Size, size_of
from bench.table import Row, table
from index.encoder import Encoder, TokenEncoder
from index.library import Library
from index.marks import SentenceMarker
from index.meanwhile import Part
from index.question import Question
from index.related import shipped_means
from index.searcher import Query, Searcher, State
from index.sentence_encoder import open_encoder
from index.view import Filters, View

QUESTIONS = 60
WARM = 5  # questions that are not measured
COMPARED = 40  # questions whose passages are compared with an exact search
K = 10
RARE = 0.01  # share of the passages that are in the language of the filter, as nearly as there is one
BLOCK = 20_000  # vectors compared exactly at a time
PARTS = (  # where an answer is made, and the name of it in the table
    (View, "rank", "vectors"),
    (index.searcher, "search_words", "words"),
    (Question, "passages", "fusion"),
    (Question, "publications", "grouping"),
    (Part, "get", "waiting for words"),  # which are searched by another thread, beside the encoder and the vectors
    (SentenceMarker, "mark", "marks"),
)
Times = list[float]  # seconds


@dataclass(frozen=True)
class Memory:
    """What is resident, in bytes: in all, and the part that is read from files and can be dropped."""

    all: int
    files: int


@dataclass(frozen=True)
class Measured:
    """One library, measured."""

    passages: int
    encoding: Times
    answers: Mapping[str, Times]
    parts: Mapping[str, float]  # medians, seconds
    processor: float  # seconds of it that an answer takes, all threads together; the mean
    recall: Mapping[str, float]
    language: str  # of the filter
    share: float  # of the passages in it
    first: float  # seconds from an encoder that is loaded to the first answer
    before: Memory  # with the encoder alone
    after: Memory  # when everything was asked
    size: Size

    def ratio(self, kind: str, percentile: float) -> float:
        return float(np.percentile(self.answers[kind], percentile) / np.median(self.encoding))


@click.command()
@click.argument("libraries", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--profile", is_flag=True, help="Print where the time of an answer goes, by function, instead.")
@click.option("--one", is_flag=True, hidden=True)
def main(libraries: Sequence[Path], profile: bool, one: bool) -> None:
    if profile:
        print_profile(libraries[0])
    elif one:
        click.echo(json.dumps(asdict(measure(libraries[0]))))
    else:
        click.echo(table(rows([measured(folder) for folder in libraries])))


def measured(folder: Path) -> Measured:
    """Measure one library in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.search", "--one", folder], check=True, stdout=subprocess.PIPE, text=True)
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    memories = {name: Memory(**read[name]) for name in ("before", "after")}
    return Measured(**(read | memories | {"size": Size(**read["size"])}))


def measure(folder: Path) -> Measured:
    encoder, asked = open_encoder(), questions()
    warm(encoder, Library.open(folder), asked)
    before = resident()
    start = time.perf_counter()
    searcher = Searcher(Library.open(folder), encoder)
    searcher.search(Query(asked[0]))
    first = time.perf_counter() - start
    state = searcher.state()
    for text in asked[:WARM]:
        state.search(Query(text, counterparts=False))
    language, share = language_of(state.library)
    kinds = {
        "all": Query("", counterparts=False),
        "filtered": Query("", Filters(languages=(language,)), counterparts=False),
        "counterparts": Query("", readers=("es", "en")),
    }
    encoding, answers, parts, processor = answered(state, kinds, asked[WARM:])
    after = resident()
    recall = {kind: recalled(state, kinds[kind].filters, asked[WARM : WARM + COMPARED]) for kind in ("all", "filtered")}
    size = size_of(folder)
    return Measured(size.passages, encoding, answers, parts, processor, recall, language, share, first, before, after, size)


def questions(count: int = QUESTIONS + WARM) -> list[str]:
    """So many different questions, or all there are, in all languages of XQuAD-R in turn."""
    read = [json.loads(line) for line in (COLLECTIONS[0] / "queries.jsonl").read_text("utf-8").splitlines()]
    by_language: dict[str, list[str]] = {}
    for query in read:
        by_language.setdefault(query["language"], []).append(query["text"])
    step = 37  # so that neighbours ask about different paragraphs
    most = min(map(len, by_language.values()))
    return [texts[place * step % len(texts)] for place in range(min(count, most)) for texts in by_language.values()][:count]


def warm(encoder: Encoder, library: Library, asked: Sequence[str]) -> None:
    """Let the encoder do what answers will ask of it, so that memory it takes on the way is not laid at the library's door."""
    passages = library.passages(range(1, 10 * K + 1)).values()  # enough for all that the encoder makes ready
    sentences = [passage.text[start:end] for passage in passages for start, end in passage.sentences]
    encoder.encode_queries(asked[:WARM])
    means = shipped_means(encoder.fingerprint)
    if means and isinstance(encoder, TokenEncoder):
        encoder.encode_tokens(sentences, means.layers)
    encoder.encode_passages(sentences)


def answered(state: State, kinds: Mapping[str, Query], asked: Sequence[str]) -> tuple[Times, dict[str, Times], dict[str, float], float]:
    """Ask every question in every way, in turn with its encoding alone; the parts are those of the first way, as is the processor's mean time."""
    encoding, answers, parts, used = Times(), {kind: Times() for kind in kinds}, dict[str, Times](), Times()
    for text in asked:
        encoding.append(timed(partial(state.encoder.encode_queries, [text])))
        for kind, query in kinds.items():
            before = time.process_time()
            with watching(parts if kind == "all" else {}):
                answers[kind].append(timed(partial(state.search, replace(query, text=text), K)))
            used += [time.process_time() - before] if kind == "all" else []
    return encoding, answers, {name: float(np.median(times)) for name, times in parts.items()}, float(np.mean(used))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def watching(times: dict[str, Times]) -> Iterator[None]:
    """Note how long each part of one answer takes, all its calls together, without the parts that it calls."""
    spent: Counter[str] = Counter()
    by_thread: defaultdict[int, list[float]] = defaultdict(lambda: [0.0])  # seconds of the parts called so far, by how deep the calls are

    def watched(work: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            within = by_thread[threading.get_ident()]
            within.append(0.0)
            start = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                seconds = time.perf_counter() - start
                spent[name] += seconds - within.pop()
                within[-1] += seconds

        return run

    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in PARTS]
    for owner, name, called in PARTS:
        setattr(owner, name, watched(getattr(owner, name), called))
    try:
        yield
    finally:
        for owner, name, work in kept:
            setattr(owner, name, work)
    for name, seconds in spent.items():
        times.setdefault(name, []).append(seconds)


def recalled(state: State, filters: Filters, asked: Sequence[str]) -> float:
    """The share of the K passages nearest in meaning that the search by vectors finds, on the average; the nearest are found by comparing all."""
    view, generation = state.view, state.view.generation
    queries = generation.aligned(state.encoder.encode_queries(asked))
    among = view.among(filters)
    scores = np.full((len(queries), 0), 0, np.float32)
    keys = np.full((len(queries), 0), 0, np.int64)
    for some in np.array_split(view.keys[among.mask], max(1, among.count // BLOCK)):
        raw = state.library.vectors_of(some.tolist())
        products = queries @ generation.aligned(np.stack([raw[key] for key in some.tolist()])).T
        scores = np.concatenate([scores, products], axis=1)
        keys = np.concatenate([keys, np.broadcast_to(some, products.shape)], axis=1)
        best = np.argpartition(-scores, min(K, scores.shape[1]) - 1, axis=1)[:, :K]
        scores, keys = np.take_along_axis(scores, best, 1), np.take_along_axis(keys, best, 1)
    found = [view.keys[view.rank(queries[row : row + 1], K, among)[1][0]] for row in range(len(queries))]
    return float(np.mean([len(np.intersect1d(one, other)) / len(other) for one, other in zip(found, keys, strict=True)]))


def language_of(library: Library, sought: float = RARE) -> tuple[str, float]:
    """The language whose share of the passages is nearest to the one sought, with that share."""
    counts = Counter(library.passage_languages())
    shares = {language: count / counts.total() for language, count in counts.items()}
    return min(shares.items(), key=lambda pair: abs(np.log(pair[1] / sought)))


def resident() -> Memory:
    """What this process has in memory, as Linux says."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    in_bytes = {name: int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssFile", "RssShmem")}
    return Memory(in_bytes["VmRSS"], in_bytes["RssFile"] + in_bytes["RssShmem"])


def print_profile(folder: Path) -> None:
    """Print which functions take the time of answers, and those that take it themselves."""
    state, asked = Searcher(Library.open(folder), open_encoder()).state(), questions()
    for text in asked[:WARM]:
        state.search(Query(text))
    profile = cProfile.Profile()
    profile.enable()
    for text in asked[WARM:]:
        state.search(Query(text, counterparts=False))
    profile.disable()
    for order in ("cumulative", "tottime"):
        pstats.Stats(profile).sort_stats(order).print_stats(30)


def figures(one: Measured) -> dict[str, Any]:
    """What bench/capacity.py computes with: seconds and bytes."""
    named = {"passages": one.passages, "encoding": float(np.median(one.encoding)), "answer": float(np.median(one.answers["all"]))}
    return (
        named
        | {"parts": dict(one.parts), "processor": one.processor, "first": one.first}
        | {
            "before": one.before.all,
            "files": one.before.files,
            "after": one.after.all,
        }
    )


def rows(measured: Sequence[Measured]) -> list[Row]:
    """The rows of all libraries, the smallest first."""
    made = [row for one in measured for row in _rows_of(one)]
    for smaller, larger in pairwise(measured):
        growth = float(np.median(larger.answers["all"]) / np.median(smaller.answers["all"]))
        asked = larger.passages >= 1_000_000 and larger.passages < 11 * smaller.passages
        between = f"from {smaller.passages:,} to {larger.passages:,} passages"
        more = (larger.after.all - smaller.after.all) / (larger.passages - smaller.passages)
        made += [
            Row(
                "3", f"growth of an answer's median {between}", "", f"{growth:.2f} x", "at most 3 x" if asked else "", growth <= 3 if asked else None
            ),
            Row("3", f"growth of memory {between}", f"{more:.0f} bytes a passage", "", "", None),
        ]
    return made


def _rows_of(one: Measured) -> list[Row]:
    largest = one.passages >= 1_000_000
    of = f"{one.passages:,} passages"
    beside = one.after.all - one.before.all
    ways = {"all": "answer", "filtered": f"answer, only {one.language} ({one.share:.1%})", "counterparts": "answer with counterparts"}
    made = [Row("3", f"encoding the query alone, p50, {of}", _ms(one.encoding, 50), "1 x", "", None)]
    for kind, name in ways.items():
        for percentile, most in ((50, 3), (95, 6)):
            ratio, asked = one.ratio(kind, percentile), kind != "counterparts" and largest
            target = f"at most {most} x encoding the query" if asked else ""
            figure = _ms(one.answers[kind], percentile)
            made.append(Row("3", f"{name}, p{percentile}, {of}", figure, f"{ratio:.1f} x", target, ratio <= most if asked else None))
    for part, seconds in one.parts.items():
        made.append(Row("3", f"of which {part}, p50, {of}", f"{1000 * seconds:.1f} ms", f"{seconds / np.median(one.encoding):.1f} x", "", None))
    for kind, share in one.recall.items():
        made.append(
            Row(
                "3",
                f"recall@{K} of passages against exact search, {ways[kind].removeprefix('answer, ').replace('answer', 'no filter')}, {of}",
                f"{share:.3f}",
                "",
                "at least 0.98",
                share >= 0.98,
            )
        )
    memory = f"{beside / one.passages:.0f} bytes a passage"
    shares = f"{beside / 2**20:.0f} MiB, {(one.after.files - one.before.files) / 2**20:.0f} of them from files"
    made.append(
        Row(
            "3",
            f"resident beside the encoder, {of}",
            memory,
            shares,
            "at most 700" if largest else "",
            beside / one.passages <= 700 if largest else None,
        )
    )
    marks = one.parts["marks"] / np.median(one.encoding)
    made += [
        Row(
            "6",
            f"first answer after the encoder is loaded, {of}",
            f"{one.first:.2f} s",
            "",
            "at most 3 s" if largest else "",
            one.first <= 3 if largest else None,
        ),
        Row("7", f"on disk above the text, {of}", f"{one.size.each:.0f} bytes a passage", "", "at most 1,638", one.size.each <= 1638),
        Row("7", f"on disk with the text, {of}", f"{one.size.each_with_text:.0f} bytes a passage", _parts(one.size), "", None),
        Row(
            "8",
            f"marks of {K} hits, {of}",
            f"{1000 * one.parts['marks']:.1f} ms",
            f"{marks:.1f} x",
            "at most 2 x encoding the query",
            bool(marks <= 2),
        ),
    ]
    return made


def _ms(times: Times, percentile: float) -> str:
    return f"{1000 * float(np.percentile(times, percentile)):.1f} ms"


def _parts(size: Size) -> str:
    return ", ".join(f"{name} {taken / size.passages:.0f}" for name, taken in sorted(size.parts.items(), key=lambda pair: -pair[1]))


if __name__ == "__main__":
    main()
