"""Measure search on a test collection in the BEIR layout. The only module that imports ir_measures.

corpus.jsonl      {"_id", "title", "text", "language"} a line; language may be missing
queries.jsonl     {"_id", "text", "language"}
qrels/test.tsv    query-id, corpus-id, score; a header line first
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import ir_measures
from ir_measures import AP, RR, R, nDCG

from index import generations
from index.encoder import Encoder
from index.library import Library
from index.searcher import Searcher
from ingest.records import UNDETERMINED, Edition, IsoglossError, Passage, Publication

MEASURES = {str(measure): measure for measure in (nDCG @ 10, AP, RR @ 10, R @ 10, R @ 20)}
PAIRS = R @ 20  # what is also told for each query language and passage language
OWN_LANGUAGE = "own_language@10"  # share of the top 10 in the query's own language
DEPTH = 1000  # hits that are measured; what stands below counts as not found
BATCH = 256  # passages, or queries, encoded between two reports of progress

Qrels = Mapping[str, Mapping[str, int]]  # query_id -> passage id -> relevance
Progress = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


class BadCollectionError(IsoglossError):
    """The folder is not a test collection; the message says which file and line."""


@dataclass(frozen=True, slots=True)
class Text:
    """A passage or a query of a test collection."""

    text_id: str
    text: str
    language: str  # "und" where the collection does not say


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection: every query has at least one relevant passage."""

    corpus: tuple[Text, ...]
    queries: tuple[Text, ...]
    qrels: Qrels


def read_collection(folder: Path) -> Collection:
    """Read the BEIR layout; queries that no qrels mention are left out. Raises BadCollectionError."""
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for number, line in _lines(folder / "qrels" / "test.tsv"):
        parts = line.split("\t")
        if number == 1 and not parts[-1].lstrip("-").isdigit():  # the header line, which may be missing
            continue
        if len(parts) != 3 or not parts[2].lstrip("-").isdigit():
            raise BadCollectionError(
                f"{folder / 'qrels' / 'test.tsv'}:{number}: expected query, passage and a whole number between tabs, found {line[:80]!r}"
            )
        qrels[parts[0]][parts[1]] = int(parts[2])
    relevant = {query for query, judged in qrels.items() if any(value > 0 for value in judged.values())}
    corpus, queries = _texts(folder / "corpus.jsonl"), _texts(folder / "queries.jsonl")
    missing = relevant - {query.text_id for query in queries}
    if missing:
        raise BadCollectionError(f"{folder / 'queries.jsonl'}: expected every query of the qrels, found none with _id {min(missing)!r}")
    return Collection(corpus, tuple(query for query in queries if query.text_id in relevant), qrels)


def index_collection(library: Library, encoder: Encoder, corpus: Sequence[Text], progress: Progress) -> None:
    """Store the passages as they stand, each as a publication of its own, and build the generation that is searched."""
    library.set_meta("encoder", encoder.fingerprint)
    for start in range(0, len(corpus), BATCH):
        batch = corpus[start : start + BATCH]
        vectors = encoder.encode_passages([text.text for text in batch])
        with library.transaction():
            for row, text in enumerate(batch):
                edition = Edition(text.text_id, text.text_id, text.language, "", "whole", None)
                publication = Publication(text.text_id, {}, {}, None, "", (), (), "", (edition,))
                passage = Passage(text.text_id, 0, 0, 0, 0, len(text.text), text.language, text.text, ((0, len(text.text)),))
                library.put_publication(publication, "", [passage], vectors[row : row + 1])
        progress("passages", start + len(batch), len(corpus))
    generations.build(library)


def evaluate(searcher: Searcher, collection: Collection, progress: Progress) -> dict[str, Any]:
    """Return passages, queries, every measure, `by_language`: the same for each language of the queries, and `by_pair`.

    Measures are means over queries, each in [0, 1]; a query that finds nothing counts 0. `by_pair` holds R@20 and queries by query
    language, then passage language: only relevant passages in that language count, and queries that have one.
    """
    languages = {text.text_id: text.language for text in collection.corpus}
    ids = {key: edition_id for key, edition_id, _ in searcher.library.passage_table()}
    rows: list[dict[str, Any]] = []
    for start in range(0, len(collection.queries), BATCH):
        batch = collection.queries[start : start + BATCH]
        ranked = searcher.rank_passages([query.text for query in batch], DEPTH)
        run = {query.text_id: [ids[int(key)] for key in keys] for query, (_, keys) in zip(batch, ranked, strict=True)}
        rows += measured(batch, run, collection.qrels, languages)
        progress("queries", start + len(batch), len(collection.queries))
    by_language = {language: means([row for row in rows if row["language"] == language]) for language in sorted({row["language"] for row in rows})}
    return {"passages": len(collection.corpus), **means(rows), "by_language": by_language, "by_pair": _by_pair(rows)}


def measured(queries: Sequence[Text], run: Mapping[str, Sequence[str]], qrels: Qrels, languages: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every measure of each query; a run holds passage ids, best first, and `languages` the language of each passage."""
    judged = {query.text_id: dict(qrels[query.text_id]) for query in queries}
    # Falling numbers in place of scores: a tie stays in the order in which a reader would see it.
    ranked = {query_id: {passage: float(len(ids) - place) for place, passage in enumerate(ids)} for query_id, ids in run.items()}
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for metric in ir_measures.iter_calc(list(MEASURES.values()), judged, ranked):
        values[metric.query_id][str(metric.measure)] = metric.value
    for query in queries:
        top = run[query.text_id][:10]
        own = fmean(languages[passage] == query.language for passage in top) if top and query.language != UNDETERMINED else None
        found = _found(run[query.text_id], qrels[query.text_id], languages)
        yield {"language": query.language, OWN_LANGUAGE: own, "found": found, **{name: values[query.text_id].get(name, 0.0) for name in MEASURES}}


def _found(ids: Sequence[str], judged: Mapping[str, int], languages: Mapping[str, str]) -> dict[str, float]:
    """The share of a query's relevant passages that was found, for each language in which it has one."""
    top = set(ids[: PAIRS.params["cutoff"]])
    found: dict[str, list[bool]] = defaultdict(list)
    for passage, relevance in judged.items():
        if relevance > 0 and passage in languages:
            found[languages[passage]].append(passage in top)
    return {language: fmean(hits) for language, hits in found.items()}


def _by_pair(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    recalls: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for language, recall in row["found"].items():
            recalls[row["language"]][language].append(recall)
    return {
        asked: {language: {str(PAIRS): fmean(some), "queries": len(some)} for language, some in sorted(found.items())}
        for asked, found in sorted(recalls.items())
    }


def means(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The number of queries, and the mean of every measure over them."""
    own = [row[OWN_LANGUAGE] for row in rows if row[OWN_LANGUAGE] is not None]
    means: dict[str, Any] = {name: fmean(row[name] for row in rows) if rows else 0.0 for name in MEASURES}
    return {"queries": len(rows), **means, OWN_LANGUAGE: fmean(own) if own else None}


def _texts(path: Path) -> tuple[Text, ...]:
    texts = []
    for number, line in _lines(path):
        try:
            record = json.loads(line)
            text = " ".join(filter(None, (record.get("title", ""), record["text"])))
            texts.append(Text(str(record["_id"]), text, record.get("language") or UNDETERMINED))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadCollectionError(f'{path}:{number}: expected an object with "_id" and "text", found {line[:80]!r}') from error
    return tuple(texts)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from ((number, line.rstrip("\n")) for number, line in enumerate(file, start=1) if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise BadCollectionError(f"{path}: expected a file of a BEIR test collection: {error}") from error
