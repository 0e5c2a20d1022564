"""Compare ways to cut passages, by quality and cost: python bench/passage_size.py CORPUS FOLDER

CORPUS is the sample library, read anew and cut in each way; it is asked its own questions by aligned vectors alone, no words and no catalogue.
FOLDER is XQuAD-R in the layout of index/evaluation.py; its sentences are put together to paragraphs, and a paragraph counts as its best passage.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from index.alignment import fit
from index.encoder import Encoder, Vectors
from index.evaluation import read_collection
from index.language_priors import shipped_prior
from index.sentence_encoder import open_encoder
from ingest import passages as cutting
from ingest.catalogue import read_catalogue
from ingest.passages import cut_pages, encoded_text
from ingest.pipeline import read_files
from ingest.reading import Source
from ingest.records import Content, Page, Passage

WAYS = ((200, 0, True), (200, 0, False), (100, 50, True), (100, 50, False))  # tokens, shared, under headings
TONGUES = ("en", "zh", "ar")  # of XQuAD-R
EVERY = 10  # question of XQuAD-R


@dataclass(frozen=True)
class Read:
    """An edition as it was read."""

    publication: str
    language: str
    title: str
    content: Content


@click.command()
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def main(corpus: Path, folder: Path) -> None:
    """Print a row for each way."""
    encoder = open_encoder()
    editions = read_all(corpus)
    held = {edition.publication for edition in editions}
    lines = [line for line in questions_of(corpus) if line[0] in held]
    asked = encoder.encode_queries([line[2] for line in lines])
    paragraphs, questions, right = paragraphs_of(folder)
    wondered = encoder.encode_queries(questions)
    click.echo(
        "| tokens | shared | headings | passages | tokens encoded | first | among three | MRR | XQuAD-R passages | paragraph MAP | MRR |\n|"
        + " --- |" * 11
    )
    for tokens, shared, headed in WAYS:
        cutting.PASSAGE_TOKENS, cutting.OVERLAP_TOKENS, cutting.UNDER_HEADINGS = tokens, shared, headed
        cut = [
            (one.publication, one.title, passage)
            for one in editions
            for passage in cut_pages(one.content.pages, encoder.count_tokens, one.language, one.content.headings)
        ]
        texts = [encoded_text(passage, title) for _, title, passage in cut]
        ranks = ranks_of([line[0] for line in lines], [one for one, _, _ in cut], *aligned(encoder, texts, [passage for _, _, passage in cut], asked))
        sample = [len(cut), sum(encoder.count_tokens(texts)), np.mean(ranks == 1), np.mean(ranks <= 3), np.mean(1 / ranks)]
        pieces = (
            [(name, passage) for name, page in paragraphs for passage in cut_pages([page], encoder.count_tokens, name.split("-")[0])]
            if headed
            else []
        )
        click.echo(
            f"| {tokens} | {shared} | {'yes' if headed else 'no'} | "
            + " | ".join(cell(value) for value in [*sample, *of_paragraphs(encoder, pieces, wondered, right)])
            + " |"
        )


def questions_of(corpus: Path) -> list[list[str]]:
    """Publication, language and text of each question."""
    files = sorted(corpus.glob("*/questions.tsv"))
    return [[path.parent.name, *line.split("\t")[:2]] for path in files for line in path.read_text("utf-8").splitlines()]


def read_all(corpus: Path) -> list[Read]:
    entries = {edition.edition_id: (entry, edition) for entry in read_catalogue(corpus).entries for edition in entry.publication.editions}
    files = [Source(name, entry.files[name], edition.language) for name, (entry, edition) in entries.items() if name in entry.files]
    made = []
    for reading in read_files(files):
        entry, edition = entries[reading.edition_id]
        if reading.content:
            title = entry.publication.titles.get(edition.language, "")
            made.append(Read(entry.publication.publication_id, edition.language, title, reading.content))
    return made


def aligned(encoder: Encoder, texts: list[str], passages: list[Passage], asked: Vectors) -> tuple[Vectors, Vectors]:
    vectors = encoder.encode_passages(texts)
    alignment = fit(vectors, [passage.language for passage in passages], shipped_prior(encoder.fingerprint))
    return (alignment.apply(vectors), alignment.apply(asked)) if alignment else (vectors, asked)


def ranks_of(wanted: list[str], owners: list[str], vectors: Vectors, asked: Vectors) -> np.ndarray:
    orders = (list(dict.fromkeys(owners[place] for place in np.argsort(-row, kind="stable"))) for row in asked @ vectors.T)
    return np.asarray([order.index(one) + 1 for one, order in zip(wanted, orders, strict=True)])


def paragraphs_of(folder: Path) -> tuple[list[tuple[str, Page]], list[str], list[set[str]]]:
    """Paragraphs by name, questions, and the paragraphs that answer each."""
    collection = read_collection(folder)
    sentences: dict[str, list[str]] = defaultdict(list)
    for sentence in sorted(collection.corpus, key=lambda one: [int(part) if part.isdigit() else part for part in one.text_id.split("-")]):
        if sentence.language in TONGUES:
            sentences[sentence.text_id.rsplit("-", 1)[0]].append(sentence.text.strip())
    queries = [query for query in collection.queries if query.language in TONGUES][::EVERY]
    right = [{one.rsplit("-", 1)[0] for one, value in collection.qrels[query.text_id].items() if value > 0} & sentences.keys() for query in queries]
    pages = [(name, Page(name, 1, "1", " ".join(there), "good")) for name, there in sentences.items()]
    return pages, [query.text for query in queries], right


def of_paragraphs(encoder: Encoder, pieces: list[tuple[str, Passage]], asked: Vectors, right: list[set[str]]) -> list[float | int | None]:
    if not pieces:
        return [None, None, None]
    owners = [name for name, _ in pieces]
    vectors, moved = aligned(encoder, [passage.text for _, passage in pieces], [passage for _, passage in pieces], asked)
    precisions, firsts = [], []
    for row, wanted in zip(moved @ vectors.T, right, strict=True):
        order = list(dict.fromkeys(owners[place] for place in np.argsort(-row, kind="stable")))
        ranks = np.sort([order.index(one) + 1 for one in wanted])
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
        firsts.append(1 / ranks[0])
    return [len(pieces), float(np.mean(precisions)), float(np.mean(firsts))]


def cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


if __name__ == "__main__":
    main()
