"""Compare a query with sentences token by token: how well each answers, and which of its words mean what the query's words mean.

The last layer of the encoder tells which sentence answers: the mean over the query's tokens of the best cosine with a token of the sentence
(MaxSim: Khattab and Zaharia 2020, ColBERT). A layer two thirds up still knows words by their own meaning and tells which words are meant.
All tokens of a text share much, its language above all; their mean is taken away first, so that this does not count as likeness. Few tokens
tell their mean badly, so it is shrunk towards the one that ships with the encoder. docs/ranking.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Layer, Tokens
from index.language_priors import shipped_file
from index.terms import placed
from ingest.records import Span

RELATED = 0.4  # cosine from which two words mean about the same; best of 0.35, 0.4 and 0.45
QUERY_WEIGHT, PASSAGE_WEIGHT = 10, 30  # tokens that weigh as much as the shipped mean

Half = NDArray[np.float16]  # shape (tokens or words, width); every row has unit length; half the memory


@dataclass(frozen=True, slots=True)
class TokenMeans:
    """Where the tokens of an encoder lie on average over languages, in the layer for words and in the last one."""

    layers: tuple[int, int]  # counted from 1
    means: Layer  # shape (2, width)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a query, made ready to be compared."""

    spans: tuple[Span, ...]  # its words, in characters of the sentence
    words: Half  # a row for each of them, from the layer for words
    tokens: Half  # from the last layer

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return self.words.nbytes + self.tokens.nbytes + 100 * len(self.spans)


def ready(texts: Sequence[str], tokens: Sequence[Tokens], means: TokenMeans, weight: float) -> tuple[Sentence, ...]:
    """Make the sentences of one passage, or a query, ready; `weight` is that of the shipped mean, in tokens."""
    for_words, last = (_centred([made.layers[place] for made in tokens], means.means[place], weight) for place in (0, 1))
    return tuple(_sentence(*parts) for parts in zip(texts, tokens, for_words, last, strict=True))


def ready_query(text: str, tokens: Tokens, means: TokenMeans) -> Sentence:
    """Make a query ready: its tokens are put together to words, so that a word of many tokens has no more votes than one of few."""
    (for_words,), (last,) = (_centred([tokens.layers[place]], means.means[place], QUERY_WEIGHT) for place in (0, 1))
    query, words = _sentence(text, tokens, for_words, last), words_of(text, tokens.spans)
    return replace(query, tokens=_by_word(words, last)) if words else query


def answers(query: Sentence, sentence: Sentence) -> float:
    """How well a sentence answers a query, in [-1, 1]."""
    if not len(query.tokens) or not len(sentence.tokens):
        return 0.0
    return float((query.tokens.astype(np.float32) @ sentence.tokens.astype(np.float32).T).max(axis=1).mean())


def related(query: Sentence, sentence: Sentence, least: float = RELATED) -> list[Span]:
    """The words of a sentence that mean what a word of the query means, at a cosine of `least`; common words too."""
    if not len(query.words) or not len(sentence.words):
        return []
    best = (sentence.words.astype(np.float32) @ query.words.astype(np.float32).T).max(axis=1)
    return [span for span, cosine in zip(sentence.spans, best, strict=True) if cosine >= least]


@cache
def shipped_means(fingerprint: str) -> TokenMeans | None:
    """The means that come with the installation for the encoder with this fingerprint, or None: nobody has measured its tokens."""
    path = shipped_file(fingerprint, "-tokens")
    return load_means(path) if path.exists() else None


def load_means(path: Path) -> TokenMeans:
    with np.load(path) as stored:
        for_words, last = stored["layers"].tolist()
        return TokenMeans((for_words, last), stored["means"].astype(np.float32))


def save_means(means: TokenMeans, path: Path) -> None:
    np.savez_compressed(path, allow_pickle=False, layers=np.asarray(means.layers), means=means.means.astype(np.float16))


def unit(vectors: Layer) -> Layer:
    """Give every row unit length."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def _centred(layers: Sequence[Layer], mean: Layer, weight: float) -> list[Layer]:
    units = [unit(layer) for layer in layers]
    total = sum((layer.sum(axis=0) for layer in units), weight * mean)
    centre = total / (weight + sum(map(len, units)))
    return [layer - centre for layer in units]


def _sentence(text: str, tokens: Tokens, for_words: Layer, last: Layer) -> Sentence:
    words = words_of(text, tokens.spans)
    return Sentence(tuple(words), _by_word(words, for_words), unit(last).astype(np.float16))


def _by_word(words: Mapping[Span, Sequence[int]], layer: Layer) -> Half:
    """The mean over the tokens of each word."""
    means = np.zeros((len(words), layer.shape[1]), np.float32)
    places, lengths = list(words.values()), np.asarray([len(places) for places in words.values()], np.int64)
    for length in set(lengths.tolist()):  # words of as many tokens at once
        rows = np.flatnonzero(lengths == length)
        means[rows] = layer[[places[row] for row in rows]].mean(axis=1)
    return unit(means).astype(np.float16)


def words_of(text: str, spans: NDArray[np.int64]) -> dict[Span, list[int]]:
    """The words of a text with the places of their tokens. In scripts without spaces a token is a word, as far as whole letters go."""
    words: dict[Span, list[int]] = {}
    of_token: dict[int, list[Span]] = {}
    borders, first = spans.tolist(), 0
    for start, end, unspaced in ((at + piece.start, at + piece.end, piece.unspaced) for at, piece in placed(text)):
        while first < len(borders) and borders[first][1] <= start:
            first += 1
        for place in range(first, len(borders)):
            if borders[place][0] >= end:
                break
            if unspaced:
                of_token.setdefault(place, []).append((start, end))
            else:
                words.setdefault((start, end), []).append(place)
    for place, letters in of_token.items():
        words.setdefault((letters[0][0], letters[-1][1]), []).append(place)
    return dict(sorted(words.items()))
