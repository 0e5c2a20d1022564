"""Measure from which nearness a hit may answer: python bench/closeness.py LIBRARY CORPUS FOLDER

CORPUS is the sample library, whose questions the LIBRARY made of it answers; FOLDER a test collection in the layout of index/evaluation.py whose
queries it cannot answer, because they are about other things. Also asked: queries of no language, made of the library's own letters. Half of
each chooses the limit, the other half tells how often it errs. The limit goes into training/make_prior.py.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from index.closeness import legible
from index.evaluation import read_collection
from index.library import Library
from index.searcher import Query, Searcher
from index.sentence_encoder import open_encoder

FAR = 0.05  # of the questions that have an answer may be told that nothing comes close
EACH = 30  # questions without an answer asked in each language
SHOWN = 10  # hits of a page

Asked = tuple[str, str]  # language, query


@click.command()
@click.argument("folder", metavar="LIBRARY", type=click.Path(exists=True, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.argument("collection", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, corpus: Path, collection: Path) -> None:
    """Print the limit and its errors."""
    searcher = Searcher(Library.open(folder), open_encoder())
    kinds = {"answered": answered(corpus), "about other things": unanswered(collection), "no language": nonsense(searcher.library)}
    near = {
        kind: np.asarray([nearness(searcher, text) for _, text in track(asked, kind, console=Console(stderr=True))]) for kind, asked in kinds.items()
    }
    limit = float(np.quantile(near["answered"][::2], FAR))
    click.echo(f"Limit {limit:.3f}, chosen on every other question.\n\n| questions | asked | 5% | median | 95% | called far |\n|" + " --- |" * 6)
    for kind, values in near.items():
        told = values[1::2]
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        click.echo(f"| {kind} | {len(told)} | {low:.2f} | {middle:.2f} | {high:.2f} | {np.mean(told < limit):.1%} |")
    by_language: dict[str, list[float]] = defaultdict(list)
    for (language, _), value in zip(kinds["about other things"], near["about other things"], strict=True):
        by_language[language].append(value)
    shares = (f"{language} {np.mean(np.asarray(values) < limit):.0%}" for language, values in sorted(by_language.items()))
    click.echo("\nAbout other things, called far, by language: " + ", ".join(shares) + ".")


def nearness(searcher: Searcher, text: str) -> float:
    """Of the nearest hit; what is no language comes nowhere near."""
    if not legible(text, searcher.encoder):
        return 0.0
    return max((hit.hit.nearness for hit in searcher.search(Query(text), SHOWN)), default=0.0)


def answered(corpus: Path) -> list[Asked]:
    lines = (line.split("\t") for path in sorted(corpus.glob("*/questions.tsv")) for line in path.read_text("utf-8").splitlines())
    return [(language, question) for language, question, *_ in lines]


def unanswered(collection: Path) -> list[Asked]:
    by_language: dict[str, list[Asked]] = defaultdict(list)
    for query in read_collection(collection).queries:
        by_language[query.language].append((query.language, query.text))
    return [asked for _, some in sorted(by_language.items()) for asked in random.Random(0).sample(some, min(EACH, len(some)))]


def nonsense(library: Library) -> list[Asked]:
    """Words of letters drawn from the passages of each language."""
    draw, made = random.Random(0), []
    languages = library.passage_languages()
    for language in sorted(set(languages)):
        text = "".join(library.passages([key])[key].text for key in sample(library, languages, language))
        letters = [char for char in text if char.isalnum()]
        made += [(language, " ".join("".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(draw.randint(1, 5)))) for _ in range(6)]
    return made


def sample(library: Library, languages: Sequence[str], wanted: str) -> list[int]:
    keys = [key for (key, _, _), language in zip(library.passage_table(), languages, strict=True) if language == wanted]
    return keys[:3]


if __name__ == "__main__":
    main()
