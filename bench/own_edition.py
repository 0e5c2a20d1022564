"""Measure which passage to show a reader of another language than that of the answer: python bench/own_edition.py LIBRARY CORPUS

The sample's questions are asked by a reader of another edition's language. "Right": the sentence shown, or its counterpart, is in the passage
that holds the answer. "Readable": it is in the reader's language, or a counterpart in that language stands below it.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import click

import index.searcher as searching
from index.counterparts import Wanted
from index.library import Library
from index.searcher import PublicationHit, Query, Searcher
from index.sentence_encoder import open_encoder
from ingest.records import Edition, primary

TOLERANCES = (0.0, 0.02, 0.04, 0.06, 0.1)  # OWN_EDITION of index/searcher.py
LOOKED = 5  # publications; a question whose publication is not among them is not counted


class Case(NamedTuple):
    publication: str
    question: str
    answering: Edition
    sentence: str
    read: Edition  # in the reader's language


@click.command()
@click.argument("folder", metavar="LIBRARY", type=click.Path(exists=True, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, corpus: Path) -> None:
    """Print a table."""
    searcher = Searcher(Library.open(folder), open_encoder())
    asked = cases(searcher.library, corpus)
    click.echo(f"{len(asked)} questions\n\n| tolerance | found | right | readable | both |\n| --- | --- | --- | --- | --- |")
    for tolerance in TOLERANCES:
        searching.OWN_EDITION = tolerance
        judged = [found for case in asked if (found := judge(searcher, case))]
        shares = [
            sum(values) / len(judged) for values in ([right for right, _ in judged], [own for _, own in judged], [all(both) for both in judged])
        ]
        click.echo(f"| {tolerance} | {len(judged)} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


def cases(library: Library, corpus: Path) -> list[Case]:
    draw, made = random.Random(0), []
    for path in sorted(corpus.glob("*/questions.tsv")):
        publication = library.publication(path.parent.name)
        editions = [one for one in publication.editions if one.digest and one.part == "whole"] if publication else []
        for _, question, language, sentence in (line.split("\t") for line in path.read_text("utf-8").splitlines()):
            answering = next((one for one in editions if one.language == language), None)
            others = [one for one in editions if primary(one.language) != primary(language)]
            if answering and others:
                made.append(Case(path.parent.name, question, answering, sentence, draw.choice(others)))
    return made


def judge(searcher: Searcher, case: Case) -> tuple[bool, bool] | None:
    """Whether what is shown is right, and readable; None where the publication is not found."""
    hits = searcher.search(Query(case.question, readers=(case.read.language,)), LOOKED)
    found = next((hit for hit in hits if hit.publication.publication_id == case.publication), None)
    if found is None:
        return None
    own = primary(found.hit.passage.language) == primary(case.read.language) or found.counterpart is not None
    return is_right(searcher, found, case), own


def is_right(searcher: Searcher, found: PublicationHit, case: Case) -> bool:
    passage, text = found.hit.passage, found.hit.passage.text
    if passage.edition_id != case.answering.edition_id:
        wanted = [Wanted(passage, (mark.start, mark.end), case.answering.edition_id) for mark in found.hit.marks[:1]]
        matches = searcher.counterparts.matches(searcher.view(), wanted) if passage.first_page else []
        text = matches[0].passage.text if matches and matches[0] else ""
    return "".join(case.sentence.split()) in "".join(text.split())


if __name__ == "__main__":
    main()
