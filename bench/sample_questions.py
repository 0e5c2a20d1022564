"""Ask the sample library its own questions, by plain cosine and as served: python bench/sample_questions.py LIBRARY CORPUS

Prints how often the right publication comes first and among the first three, the mean reciprocal rank, and the first hits of ten questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from index.library import Library
from index.searcher import Query, Searcher
from index.sentence_encoder import open_encoder

SHOWN = 10  # questions printed with their first hits


@dataclass(frozen=True)
class Question:
    """A question in one language, answered by a sentence of one publication in another."""

    publication: str
    language: str
    text: str


@click.command()
@click.argument("folder", metavar="LIBRARY", type=click.Path(exists=True, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, corpus: Path) -> None:
    """Print both tables."""
    questions = questions_of(corpus)
    library, encoder = Library.open(folder), open_encoder()
    searcher = Searcher(library, encoder)
    before = by_plain_cosine(library, encoder.encode_queries([question.text for question in questions]))
    after = [[hit.publication.publication_id for hit in searcher.search(Query(question.text), k=20)] for question in questions]
    click.echo(f"{len(questions)} questions\n\n|  | first | among three | mean reciprocal rank |\n| --- | --- | --- | --- |")
    for name, answers in (("plain cosine", before), ("as served", after)):
        ranks = [
            found.index(question.publication) + 1 if question.publication in found else 10**9
            for question, found in zip(questions, answers, strict=True)
        ]
        shares = (np.mean([rank == 1 for rank in ranks]), np.mean([rank <= 3 for rank in ranks]), np.mean([1 / rank for rank in ranks]))
        click.echo(f"| {name} | {shares[0]:.1%} | {shares[1]:.1%} | {shares[2]:.3f} |")
    click.echo("\n| question | wanted | first by plain cosine | first as served |\n| --- | --- | --- | --- |")
    for place in range(0, len(questions), max(1, len(questions) // SHOWN))[:SHOWN]:
        asked = questions[place]
        click.echo(f"| {asked.text} ({asked.language}) | {asked.publication} | {before[place][0]} | {after[place][0]} |")


def questions_of(corpus: Path) -> list[Question]:
    """All questions of the sample publications."""
    return [
        Question(path.parent.name, *line.split("\t")[:2])
        for path in sorted(corpus.glob("*/questions.tsv"))
        for line in path.read_text("utf-8").splitlines()
    ]


def by_plain_cosine(library: Library, asked: np.ndarray) -> list[list[str]]:
    """The publications of each question, by the raw vectors of their nearest passage."""
    _, vectors = library.vectors()
    owner = {edition.edition_id: one.publication_id for one in library.publications() for edition in one.editions}
    publications = [owner[edition_id] for _, edition_id, _ in library.passage_table()]
    return [list(dict.fromkeys(publications[place] for place in np.argsort(-row, kind="stable"))) for row in asked @ vectors.T]


if __name__ == "__main__":
    main()
