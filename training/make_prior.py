"""Make what ships about the default encoder: python training/make_prior.py UDHR HELP CHROMIUM [--articles 1-20]. See training/README.md."""

from __future__ import annotations

import json
import lzma
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.progress import track

from index.alignment import PRIORS, Matrix, prior_from, save_prior
from index.encoder import Encoder, Vectors
from index.sentence_encoder import open_encoder

PENALTY = 3e-4  # of the ridge, towards the identity: 1e-4 is better by 0.012 AP on XQuAD-R and worse by 0.04 RR on the sample library
PARAGRAPHS = {"help": 700, "chromium": 600}  # aligned texts used of each source; half as many give 0.008 less AP
LANGUAGES = 20  # of each source, those that translate most
LENGTHS = range(50, 301)  # characters of the English text


@click.command()
@click.argument("udhr", type=click.Path(exists=True, path_type=Path))
@click.argument("parallel", type=click.Path(exists=True, path_type=Path), nargs=-1)
@click.option("--articles", default="1-30", help="Articles of the Declaration to use, so that the others can be a test.")
@click.option("--encoder", "name", default="")
def main(udhr: Path, parallel: tuple[Path, ...], articles: str, name: str) -> None:
    """Encode the Declaration and the parallel texts, and write index/priors/."""
    encoder = open_encoder(name)
    first, last = map(int, articles.split("-"))
    declaration = [row for row in read(udhr) if first <= row["id"] <= last]
    texts = [(language, text) for row in declaration for language, text in row["texts"].items()]
    with lzma.open(PRIORS / "udhr.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in read(udhr))
    prior = prior_from(encoder, texts, lambda *_: None)
    groups = [group for path in parallel for group in translations(encoder, path)]
    save_prior(replace(prior, hub=ridge_to_hub(groups) if groups else None), PRIORS / f"{encoder.fingerprint[:16]}.npz")


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def translations(encoder: Encoder, path: Path) -> list[Vectors]:
    """Encode a sample of aligned texts, centred by language; one array for each text, a row for each of its translations."""
    rows = [row["texts"] for row in read(path) if len(row["texts"]["en"]) in LENGTHS]
    sizes = {language: sum(language in row for row in rows) for language in {language for row in rows for language in row}}
    chosen = set(sorted(sizes, key=lambda language: (-sizes[language], language))[:LANGUAGES])
    rows = random.Random(1).sample(rows, min(PARAGRAPHS[path.stem], len(rows)))
    flat = [(place, language, row[language]) for place, row in enumerate(rows) for language in sorted(row.keys() & chosen)]
    vectors = np.concatenate(
        [encoder.encode_passages([text for _, _, text in flat[at : at + 256]]) for at in track(range(0, len(flat), 256), path.stem)]
    )
    languages, places = np.asarray([language for _, language, _ in flat]), np.asarray([place for place, _, _ in flat])
    for language in chosen:
        vectors[languages == language] -= vectors[languages == language].mean(axis=0)
    return [vectors[places == place] for place in range(len(rows))]


def ridge_to_hub(groups: list[Vectors]) -> Matrix:
    """Regress each vector on the mean of its translations, with a penalty towards the identity."""
    vectors = np.concatenate(groups).astype(np.float64)
    hubs = np.concatenate([np.repeat(group.mean(axis=0, keepdims=True), len(group), axis=0) for group in groups]).astype(np.float64)
    penalty = PENALTY * np.eye(vectors.shape[1])
    return np.asarray(np.linalg.solve(vectors.T @ vectors / len(vectors) + penalty, vectors.T @ hubs / len(vectors) + penalty), np.float32)


if __name__ == "__main__":
    main()
