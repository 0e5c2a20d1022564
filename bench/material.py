"""Real sentences, and the vectors of real passages, around which bench/libraries.py draws libraries of any size.

The sentences are those of test collections in the layout of index/evaluation.py whose ids begin with the language and are parallel: "ar-0-3-1",
"eng-7". What stands before the second hyphen but one is the subject, the same in all languages. A passage is some
sentences in a row.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.terms import pieces
from ingest.sentences import sentence_spans

COLLECTIONS = (Path("../shared/data/xquad-r-dev"), Path("../shared/data/udhr-dev"))
REFERENCE = "en"
LENGTH = 350  # characters of a passage in the language of reference, in others as large a share of the collection: 80 to 100 tokens
STEP = 2  # sentences between the beginnings of two passages of a subject
VARYING = 0.5  # of the rare words are drawn anew
VARIANTS = 200  # of each of them, drawn as Zipf would have it: the vocabulary of a large library has millions of words
NOISE = 0.6  # of the spread of real vectors, that one drawn around a real one lies off
BATCH = 512  # passages encoded between two words about how far it is


class Window(NamedTuple):
    """A real passage: sentences of one language in a row."""

    first: int  # of the sentences of its strand
    last: int
    row: int  # of the vectors


@dataclass(frozen=True, slots=True)
class Strand:
    """One collection in one language."""

    sentences: tuple[Template, ...]
    windows: tuple[tuple[Window, ...], ...]  # by subject; the same place is the same subject in every language


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence whose rare words can be others."""

    fixed: tuple[str, ...]  # what stands before, between and after them
    rare: tuple[int, ...]  # places among the rare words of its language
    words: Sequence[str]  # the rare words of its language, in a row that chance has made

    def drawn(self, chance: Random) -> str:
        """The sentence with rare words drawn anew: each may stay, or end like another one."""
        made = [self.fixed[0]]
        for place, after in zip(self.rare, self.fixed[1:], strict=True):
            made += (self._word(place, int(VARIANTS ** chance.random()) - 1 if chance.random() < VARYING else 0), after)
        return "".join(made)

    def _word(self, place: int, variant: int) -> str:
        """A rare word of the language whose second half is that of another one; itself where the variant is 0."""
        word, other = self.words[place], self.words[(place + variant) % len(self.words)]
        return word if variant == 0 else word[: (len(word) + 1) // 2] + other[len(other) // 2 :]


@dataclass(frozen=True)
class Material:
    """All there is to draw from: for each collection its languages, and the vectors of all windows."""

    collections: tuple[Mapping[str, Strand], ...]
    vectors: Vectors

    @cached_property
    def _spread(self) -> NDArray[np.float32]:
        covariance = np.cov(self.vectors.astype(np.float64), rowvar=False) + 1e-9 * np.eye(self.vectors.shape[1])
        return (NOISE * np.linalg.cholesky(covariance).T).astype(np.float32)

    def around(self, rows: Sequence[int], chance: np.random.Generator) -> Vectors:
        """A vector drawn around each of these rows: of unit length, off by noise that is spread as the real vectors are."""
        drawn = self.vectors[rows] + chance.standard_normal((len(rows), self.vectors.shape[1]), np.float32) @ self._spread
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def read(folders: Sequence[Path], encoder: Encoder, cache: Path) -> Material:
    """The material of these collections; vectors are kept in the file `cache`, by encoder and texts, since making them takes a minute."""
    texts: list[str] = []
    collections = tuple(_strands(folder, texts) for folder in folders)
    return Material(collections, _vectors(texts, encoder, cache))


def sentences_of(folder: Path, language: str) -> tuple[Template, ...]:
    """The sentences of a collection in one language."""
    return _strands(folder, [])[language].sentences


def _strands(folder: Path, texts: list[str]) -> dict[str, Strand]:
    """Append the texts of the windows, whose places are their rows."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        subject = "-".join(entry["_id"].split("-")[1:3])
        there = found[entry["language"]].setdefault(subject, [])
        there += [entry["text"][start:end] for start, end in sentence_spans(entry["text"].strip(), entry["language"])]
    subjects = sorted(set.intersection(*(set(of_language) for of_language in found.values())))
    told = {language: [of_language[subject] for subject in subjects] for language, of_language in found.items()}
    whole = sum(len(sentence) for subject in told[REFERENCE] for sentence in subject)
    return {language: _strand(there, LENGTH / whole, texts) for language, there in told.items()}


def _strand(subjects: Sequence[Sequence[str]], share: float, texts: list[str]) -> Strand:
    sentences = [sentence for subject in subjects for sentence in subject]
    ends = [0, *accumulate(map(len, sentences))]
    windows, first = list[tuple[Window, ...]](), 0
    for subject in subjects:
        starts = range(first, first + len(subject), STEP)
        first += len(subject)
        lasts = (bisect_left(ends, ends[start] + share * ends[-1]) - 1 for start in starts)
        pairs = [(start, min(last, len(sentences) - 1)) for start, last in zip(starts, lasts, strict=True)]
        windows.append(tuple(Window(start, last, len(texts) + place) for place, (start, last) in enumerate(pairs)))
        texts += [" ".join(sentences[start : last + 1]) for start, last in pairs]
    return Strand(tuple(_templates(sentences)), tuple(windows))


def _templates(sentences: Sequence[str]) -> Iterator[Template]:
    """Take for rare what stands once in all the sentences: in so short a text every such word stands for a great many."""
    cut = [[(piece.start, piece.end) for piece in pieces(sentence)] for sentence in sentences]
    counts = Counter(sentence[start:end] for sentence, spans in zip(sentences, cut, strict=True) for start, end in spans)
    words = [word for word, count in counts.items() if count == 1]
    Random(0).shuffle(words)
    places = {word: place for place, word in enumerate(words)}
    for sentence, spans in zip(sentences, cut, strict=True):
        rare = [(start, end) for start, end in spans if sentence[start:end] in places]
        ends = [0, *(end for _, end in rare)]
        fixed = [sentence[end:start] for end, start in zip(ends, [*(start for start, _ in rare), len(sentence)], strict=True)]
        yield Template(tuple(fixed), tuple(places[sentence[start:end]] for start, end in rare), words)


def _vectors(texts: Sequence[str], encoder: Encoder, cache: Path) -> Vectors:
    if cache.exists():
        with np.load(cache) as kept:
            if str(kept["encoder"]) == encoder.fingerprint and kept["texts"].tolist() == list(texts):
                return np.asarray(kept["vectors"], np.float32)
    made = []
    for start in range(0, len(texts), BATCH):
        print(f"encoding: {start} of {len(texts)} real passages", end="\r", flush=True)
        made.append(encoder.encode_passages(texts[start : start + BATCH]))
    vectors = np.concatenate(made)
    np.savez(cache, encoder=encoder.fingerprint, texts=np.asarray(texts), vectors=vectors.astype(np.float16))
    return vectors
