"""Make the codebook that ships with the default encoder: python training/make_codebook.py HELP CHROMIUM. See training/README.md. Takes minutes."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import faiss
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from index.encoder import Layer, TokenEncoder
from index.language_priors import declaration, shipped_file
from index.related import PASSAGE_WEIGHT, shipped_means, unit, words_of
from index.residual_codes import CENTROIDS, ResidualCodes
from index.sentence_encoder import open_encoder
from index.word_codes import Codebook, save_codebook, sentence_means, word_sums

VERSION = 0  # of the codebook that ships; raise it whenever this makes another one
RELATED = 0.4  # cosine from which two words mean about the same; best of 0.3, 0.35, 0.4 and 0.45 on bench/marks.py
KEPT, STAGES = 128, 5  # dimensions of a word, bytes of its code; README.md here says what others give
DIRECTIONS = 192  # bits of a sentence
GROUPS = {"help": (420, 3), "chromium": (160, 6), "declaration": (14, 2)}  # drawn of each source; texts that follow each other in a group
TRANSLATIONS = {"help": 6, "chromium": 6, "declaration": 45}  # drawn of each group
LENGTH = 900  # characters of a group in one language, at most
BATCH = 32
LEAST = 0.3  # cosine of words that translate each other
RIDGE = 1.0  # times the mean spread between translations, added to it in all directions

Group = dict[str, str]  # language -> text


class Words(NamedTuple):
    """The words of a text and of its translations."""

    rows: Layer  # of unit length, centred
    counts: list[list[int]]  # of each translation, group by group
    differences: Layer  # of the vectors of sentences to that of their text


@click.command()
@click.argument("help_texts", type=click.Path(exists=True, path_type=Path))
@click.argument("chromium", type=click.Path(exists=True, path_type=Path))
@click.option("--into", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where it is written, if not where it ships.")
def main(help_texts: Path, chromium: Path, into: Path | None) -> None:
    """Encode a sample of texts and their translations, and write index/priors/...-codes.npz."""
    encoder = open_encoder()
    means = shipped_means(encoder.fingerprint)
    if means is None or not isinstance(encoder, TokenEncoder):
        raise click.ClickException("No token means ship with this encoder; run: python training/make_token_means.py")
    groups = [*drawn("help", read(help_texts)), *drawn("chromium", read(chromium)), *drawn("declaration", articles())]
    words = encoded(encoder, groups, (means.layers[-1],), means.means[-1])
    path = shipped_file(encoder.fingerprint, "-codes")
    save_codebook(codebook(words, means.layers[-1], means.means[-1]), into / path.name if into else path)


def codebook(words: Words, layer: int, mean: Layer) -> Codebook:
    matrix = discriminant(words.rows, *translated(words))[:, :KEPT]
    return Codebook((layer,), mean, matrix, residual(unit(words.rows @ matrix)), turn(words.differences), RELATED, VERSION)


def read(path: Path) -> list[Group]:
    return [json.loads(line)["texts"] for line in path.read_text("utf-8").splitlines()]


def articles() -> list[Group]:
    """The Declaration's articles in the languages that have all of them."""
    texts: dict[str, list[str]] = defaultdict(list)
    for language, text in declaration():
        texts[language].append(text)
    longest = max(map(len, texts.values()))
    whole = {language: there for language, there in texts.items() if len(there) == longest}
    return [{language: there[number] for language, there in whole.items()} for number in range(longest)]


def drawn(source: str, texts: list[Group]) -> Iterator[Group]:
    """Draw texts that follow each other, as passages do, in languages that have all of them."""
    (groups, together), chance = GROUPS[source], random.Random(0)
    for start in chance.sample(range(len(texts) - together), groups):
        own = texts[start : start + together]
        common = sorted(set.intersection(*map(set, own)))
        languages = chance.sample(common, min(TRANSLATIONS[source], len(common)))
        yield {language: "\n".join(text[language] for text in own)[:LENGTH] for language in languages}


def encoded(encoder: TokenEncoder, groups: list[Group], layers: tuple[int], mean: Layer) -> Words:
    texts = [text for group in groups for text in group.values()]
    rows, differences = list[Layer](), list[Layer]()
    for start in track(range(0, len(texts), BATCH)):
        batch = texts[start : start + BATCH]
        for text, tokens in zip(batch, encoder.encode_tokens(batch, layers), strict=True):
            made_of = list(words_of(text, tokens.spans).values())
            rows.append(unit(word_sums(tokens.layers[0], made_of, mean, PASSAGE_WEIGHT)))
            lines = [match.span() for match in re.finditer(".+", text)]
            differences.append(sentence_means(tokens.layers[0], tokens.spans, lines, tokens.vector) - tokens.vector)
    counts = iter(map(len, rows))
    return Words(np.concatenate(rows), [[next(counts) for _ in group] for group in groups], np.concatenate(differences))


def translated(words: Words) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Words that translate each other: of all in a translation and the next one, each is the other's nearest."""
    ones, others, first = list[NDArray[np.intp]](), list[NDArray[np.intp]](), 0
    for group in words.counts:
        for left, right in pairwise(group):
            second = first + left
            cosines = words.rows[first:second] @ words.rows[second : second + right].T
            if cosines.size:
                nearest, place = cosines.argmax(axis=1), np.arange(left)
                mutual = (cosines.argmax(axis=0)[nearest] == place) & (cosines[place, nearest] > LEAST)
                ones.append(first + place[mutual])
                others.append(second + nearest[mutual])
            first = second
        first += group[-1] if group else 0
    return np.concatenate(ones), np.concatenate(others)


def discriminant(rows: Layer, ones: NDArray[np.intp], others: NDArray[np.intp]) -> Layer:
    """Directions with much spread between words and little between translations, the best first (Fisher's discriminant)."""
    between = rows.T @ rows / len(rows)
    apart = rows[ones] - rows[others]
    within = apart.T @ apart / len(apart) / 2
    within += RIDGE * np.trace(within) / len(within) * np.eye(len(within), dtype=np.float32)
    root = np.linalg.cholesky(np.linalg.inv(within))
    return np.asarray(root @ np.linalg.eigh(root.T @ between @ root).eigenvectors[:, ::-1], np.float32)


def turn(differences: Layer) -> Layer:
    """The directions of the greatest differences, turned by chance."""
    greatest = np.linalg.eigh(differences.T @ differences).eigenvectors[:, : -DIRECTIONS - 1 : -1]
    chance = np.linalg.qr(np.random.default_rng(0).normal(size=(DIRECTIONS, DIRECTIONS)))[0]
    return np.asarray(greatest @ chance, np.float32)


def residual(rows: Layer) -> ResidualCodes:
    faiss.omp_set_num_threads(1)  # so that sums come out alike
    quantizer = faiss.ResidualQuantizer(rows.shape[1], STAGES, 8)
    quantizer.train_type, quantizer.max_beam_size = faiss.ResidualQuantizer.Train_default, 1
    quantizer.cp.niter, quantizer.cp.max_points_per_centroid = 10, 256
    quantizer.train(np.ascontiguousarray(rows))
    return ResidualCodes(faiss.vector_to_array(quantizer.codebooks).reshape(STAGES, CENTROIDS, -1))


if __name__ == "__main__":
    main()
