"""The same evaluation on both stores, searched exactly and by a large library's index: AP within 0.01 of exact search.

Run: python -m bench.stores_evaluation FOLDER [--vectors KEPT] [--every N], with ISOGLOSS_STORE an empty database; or with a server that lasts as
long as this: PYTHONPATH=.:tests python -m engine.servers python -m bench.stores_evaluation FOLDER. FOLDER is a test collection in the layout of
index/evaluation.py; KEPT a folder where the encoded texts stay for the next run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bench.crosslingual import KeptEncoder
from bench.table import Row, table
from index import generations
from index.encoder import Encoder
from index.evaluation import Collection, evaluate, index_collection, read_collection
from index.library import Library
from index.searcher import Searcher
from index.sentence_encoder import open_encoder

ADDRESS = "ISOGLOSS_STORE"
TOLERANCE = 0.01  # of AP
TOP = 10
ASKED = 500  # questions whose first hits are compared with those of exact search


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--vectors", "kept", type=click.Path(file_okay=False, path_type=Path), help="A folder for what is encoded.")
@click.option("--every", default=1, help="Ask every so many-th question only.")
def main(folder: Path, kept: Path | None, every: int) -> None:
    """Print the table."""
    address = os.environ.get(ADDRESS, "")
    if not address:
        raise click.ClickException(f"Expected the address of an empty database in {ADDRESS}, found none.")
    collection = read_collection(folder)
    collection = replace(collection, queries=collection.queries[::every])
    with tempfile.TemporaryDirectory() as scratch:
        home = kept or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        encoder = KeptEncoder(open_encoder(), home)
        found = {
            (store, kind): figures
            for store, setting in (("embedded", ""), ("engine", address))
            for kind, figures in measured(Path(scratch) / store, setting, encoder, collection)
        }
    click.echo(table(rows(found, collection)))


def measured(folder: Path, setting: str, encoder: Encoder, collection: Collection) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of one store, searched exactly, then by the index of a large library."""
    with setting_of(setting):
        library = Library.create(folder)
        click.echo(f"{folder.name}: storing {len(collection.corpus):,} passages", err=True)
        index_collection(library, encoder, collection.corpus, lambda *_: None)
        best: list[set[int]] = []
        usual = generations.EXACT
        for kind, most in (("exact", max(usual, len(collection.corpus))), ("index of a large library", 0)):
            generations.EXACT = most
            generations.build(library)
            searcher = Searcher(library, encoder)
            click.echo(
                f"{folder.name}, {kind} ({type(searcher.view().generation.index).__name__}): asking {len(collection.queries):,} questions", err=True
            )
            top = first_hits(searcher, collection)
            best = best or top
            recall = sum(len(one & other) for one, other in zip(best, top, strict=True)) / max(1, sum(map(len, best)))
            yield kind, {**evaluate(searcher, collection, lambda *_: None), "recall": recall}
        generations.EXACT = usual
        library.close()


def first_hits(searcher: Searcher, collection: Collection) -> list[set[int]]:
    """The keys of the first hits of some questions."""
    asked = collection.queries[:: max(1, len(collection.queries) // ASKED)]
    return [set(keys.tolist()) for _, keys in searcher.rank_passages([query.text for query in asked], TOP)]


@contextmanager
def setting_of(address: str) -> Iterator[None]:
    former = os.environ.pop(ADDRESS, None)
    if address:
        os.environ[ADDRESS] = address
    try:
        yield
    finally:
        os.environ.pop(ADDRESS, None)
        if former is not None:
            os.environ[ADDRESS] = former


def rows(found: dict[tuple[str, str], dict[str, Any]], collection: Collection) -> Iterator[Row]:
    """A row for each store and way of searching; what all are compared with is exact search on the embedded store."""
    exact = found["embedded", "exact"]
    for (store, kind), figures in found.items():
        lost = figures["AP"] - exact["AP"]
        what = f"AP, {store}, {kind}, {len(collection.corpus):,} passages, {len(collection.queries):,} questions"
        others = f"nDCG@10 {figures['nDCG@10']:.3f}, R@20 {figures['R@20']:.3f}, recall@{TOP} of exact search {figures['recall']:.3f}"
        target = "" if figures is exact else f"within {TOLERANCE} of exact search"
        yield Row("1", what, f"{figures['AP']:.4f} ({others})", f"{lost:+.4f}", target, abs(lost) <= TOLERANCE if target else None)


if __name__ == "__main__":
    main()
