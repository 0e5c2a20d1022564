"""Make what ships about the default encoder: python training/make_prior.py UDHR HELP CHROMIUM [--articles 1-20]. See training/README.md."""

from __future__ import annotations

import hashlib
import json
import lzma
import random
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.progress import track

from index.alignment import LanguagePrior, Matrix
from index.encoder import Encoder, Vectors
from index.language_priors import PRIORS, offsets, save_prior, shipped_file
from index.sentence_encoder import open_encoder

PENALTY = 1e-4  # of the ridge, towards the identity; README.md here says what others give
CLOSE = 0.717  # nearness from which a passage may answer: bench/closeness.py, for the default encoder
PARAGRAPHS = {"help": 2400, "chromium": 1200}  # aligned texts used of each source
TRANSLATIONS = 12  # used of each text, drawn anew so that all languages take part
BATCH = 256
LENGTHS = range(50, 301)  # characters of the English text


@click.command()
@click.argument("udhr", type=click.Path(exists=True, path_type=Path))
@click.argument("parallel", type=click.Path(exists=True, path_type=Path), nargs=-1)
@click.option("--articles", default="1-30", help="Articles of the Declaration to use, so that the others can be a test.")
@click.option("--encoder", "name", default="")
@click.option("--into", type=click.Path(exists=True, file_okay=False, path_type=Path), default=PRIORS, help="Where it is written.")
def main(udhr: Path, parallel: tuple[Path, ...], articles: str, name: str, into: Path) -> None:
    """Encode the Declaration and the parallel texts, and write what is known of the encoder's languages."""
    encoder = open_encoder(name)
    with lzma.open(into / "udhr.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in read(udhr))
    flat = [(row["id"], language, text) for row in read(udhr) for language, text in row["texts"].items()]
    vectors = encoded(encoder, [text for _, _, text in flat], udhr)
    numbers, languages = np.asarray([number for number, _, _ in flat]), np.asarray([language for _, language, _ in flat])
    first, last = map(int, articles.split("-"))
    used = (first <= numbers) & (numbers <= last)
    means = {language: vectors[used & (languages == language)].mean(axis=0) for language in sorted(set(languages[used].tolist()))}
    groups = [group for path in parallel for group in translations(encoder, path)]
    save_prior(
        LanguagePrior(offsets(means), ridge_to_hub(groups) if groups else None, None if name else CLOSE),
        into / shipped_file(encoder.fingerprint).name,
    )


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def translations(encoder: Encoder, path: Path) -> list[Vectors]:
    """Encode a sample of aligned texts, centred by language; one array for each text, a row for each of its translations.

    The vectors are kept beside the texts, so that a second run with another penalty takes seconds.
    """
    draw = random.Random(1)
    rows = [row["texts"] for row in read(path) if len(row["texts"]["en"]) in LENGTHS]
    rows = draw.sample(rows, min(PARAGRAPHS[path.stem], len(rows)))
    flat = [(place, language, row[language]) for place, row in enumerate(rows) for language in draw.sample(sorted(row), min(TRANSLATIONS, len(row)))]
    vectors = encoded(encoder, [text for _, _, text in flat], path)
    languages, places = np.asarray([language for _, language, _ in flat]), np.asarray([place for place, _, _ in flat])
    for language in set(languages.tolist()):
        vectors[languages == language] -= vectors[languages == language].mean(axis=0)
    return [vectors[places == place] for place in range(len(rows))]


def encoded(encoder: Encoder, texts: list[str], path: Path) -> Vectors:
    content = hashlib.sha256("\0".join([encoder.fingerprint, *texts]).encode()).hexdigest()
    kept = path.with_name(f"{path.stem}-{content[:12]}.npy")
    if not kept.exists():
        batches = [encoder.encode_passages(texts[at : at + BATCH]) for at in track(range(0, len(texts), BATCH), path.stem)]
        np.save(kept, np.concatenate(batches))
    return np.asarray(np.load(kept), np.float32)


def ridge_to_hub(groups: list[Vectors]) -> Matrix:
    """Regress each vector on the mean of its translations, with a penalty towards the identity."""
    vectors = np.concatenate(groups).astype(np.float64)
    hubs = np.concatenate([np.repeat(group.mean(axis=0, keepdims=True), len(group), axis=0) for group in groups]).astype(np.float64)
    penalty = PENALTY * np.eye(vectors.shape[1])
    return np.asarray(np.linalg.solve(vectors.T @ vectors / len(vectors) + penalty, vectors.T @ hubs / len(vectors) + penalty), np.float32)


if __name__ == "__main__":
    main()
