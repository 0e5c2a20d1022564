"""Mark the sentence that answers, in whatever language it is written, and the words in it that stand in the query or mean what it means."""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

import numpy as np

from index.common_words import CommonWords
from index.encoder import Encoder, TokenEncoder, Vectors
from index.related import PASSAGE_WEIGHT, Sentence, TokenMeans, answers, ready, ready_query, related
from index.words import Words, exact_spans
from ingest.records import Passage, Span

CACHE = 128 << 20  # bytes of sentences kept in memory: those of about a thousand passages
LONG_HEADING = 80  # characters
HEADING = 0.15  # of the score, which is the sum of two cosines, that a heading must be better by
SHORT_SENTENCE = 12  # characters; headings and table cells answer nothing when there is a sentence beside them


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a passage's text that is worth the reader's eye."""

    start: int  # characters from the beginning of the passage's text
    end: int
    why: Literal["meaning", "words", "related"]  # the sentence that answers; a word of the query; a word that means the same


class Marking(NamedTuple):
    """What was found in one passage."""

    marks: tuple[Mark, ...]  # the sentence that answers, then the words in reading order
    score: float  # of the marked sentence: its cosine with the query, and that of their tokens; 0 for a passage without sentences


@dataclass(frozen=True, slots=True)
class Asked:
    """What marks are wanted for."""

    vector: Vectors  # aligned, shape (1, dimension)
    text: str  # what the vector was made of
    words: Sequence[Words] = ()  # marked wherever they stand


@dataclass(frozen=True, slots=True)
class _Reading:
    """A passage's sentences, as the encoder sees them."""

    vectors: Vectors  # not aligned
    sentences: tuple[Sentence, ...]  # nothing where tokens are not compared

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return self.vectors.nbytes + sum(sentence.size for sentence in self.sentences)


class SentenceMarker:
    """Finds the sentence that answers a query. One for each process; safe to share between threads.

    Tokens are compared where the encoder shows them and their means are known; else the nearest sentence vector decides.
    """

    def __init__(self, encoder: Encoder, means: TokenMeans | None = None, common: CommonWords | None = None) -> None:
        self._encoder = encoder
        self._tokens = (encoder, means) if means is not None and isinstance(encoder, TokenEncoder) else None
        self._common = common
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Reading] = OrderedDict()
        self._size = 0

    def mark(self, asked: Asked, passages: Sequence[tuple[int, Passage]], aligned: Callable[[Vectors], Vectors]) -> list[Marking]:
        """Mark each (key, passage): the sentence that answers, the query's words, and those that are related to them."""
        readings, query = self._read(passages, asked.text)
        return [self._marks(asked, query, passage, readings[key], aligned) for key, passage in passages]

    def sentences(self, passages: Sequence[tuple[int, Passage]]) -> dict[int, Vectors]:
        """The raw vectors of the sentences of each passage, by key; those of passages that were marked lately are at hand."""
        return {key: reading.vectors for key, reading in self._read(passages)[0].items()}

    def _marks(self, asked: Asked, query: Sentence | None, passage: Passage, reading: _Reading, aligned: Callable[[Vectors], Vectors]) -> Marking:
        exact = exact_spans(passage.text, asked.words)
        words = [Mark(start, end, "words") for start, end in exact]
        if not passage.sentences:
            return Marking(tuple(words), 0.0)
        scores = aligned(reading.vectors) @ asked.vector[0]
        if query is not None:
            scores = scores + np.asarray([answers(query, sentence) for sentence in reading.sentences], np.float32)
        best = _best(passage, scores)
        if query is not None:
            spans = self._related(query, passage, passage.sentences[best], reading.sentences[best])
            words += [Mark(start, end, "related") for start, end in spans if not _overlap((start, end), exact)]
        return Marking((Mark(*passage.sentences[best], "meaning"), *sorted(words, key=lambda mark: mark.start)), float(scores[best]))

    def _related(self, query: Sentence, passage: Passage, where: Span, sentence: Sentence) -> list[Span]:
        """The words worth a mark of a sentence, in characters of the passage; what touches is one span."""
        first = where[0]
        spans = [(first + start, first + end) for start, end in related(query, sentence)]
        if self._common is not None:
            spans = self._common.without({(start, end): passage.text[start:end] for start, end in spans}, passage.language)
        joined: list[Span] = []
        for start, end in spans:
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return joined

    def _read(self, passages: Sequence[tuple[int, Passage]], text: str | None = None) -> tuple[Mapping[int, _Reading], Sentence | None]:
        """The passages as the encoder sees them, by key, and the query; None where there is none, or tokens are not compared."""
        with self._lock:
            known = {key: self._kept[key] for key, _ in passages if key in self._kept}
        missing = {key: passage for key, passage in passages if key not in known}
        readings, query = self._encoded(list(missing.values()), text if passages else None)
        made = dict(zip(missing, readings, strict=True))
        with self._lock:
            for key, reading in made.items():
                self._size += reading.size - (self._kept[key].size if key in self._kept else 0)
                self._kept[key] = reading
            for key in known.keys() & self._kept.keys():
                self._kept.move_to_end(key)
            while self._size > CACHE:
                self._size -= self._kept.popitem(last=False)[1].size
        return known | made, query

    def _encoded(self, passages: Sequence[Passage], query: str | None) -> tuple[list[_Reading], Sentence | None]:
        """Encode all sentences and the query together, each text once: one pass gives their vectors and their tokens."""
        texts = [passage.text[start:end] for passage in passages for start, end in passage.sentences]
        places = [slice(*ends) for ends in pairwise(accumulate((len(passage.sentences) for passage in passages), initial=0))]
        if self._tokens is None:
            once = dict.fromkeys(texts)
            rows = dict(zip(once, self._encoder.encode_passages(list(once)), strict=True))
            return [_Reading(self._stacked([rows[text] for text in texts[place]]), ()) for place in places], None
        encoder, means = self._tokens
        once = dict.fromkeys(texts if query is None else [*texts, query])
        seen = dict(zip(once, encoder.encode_tokens(list(once), means.layers), strict=True))
        readings = []
        for own in (texts[place] for place in places):
            tokens = [seen[text] for text in own]
            readings.append(_Reading(self._stacked([made.vector for made in tokens]), ready(own, tokens, means, PASSAGE_WEIGHT)))
        return readings, None if query is None else ready_query(query, seen[query], means)

    def _stacked(self, vectors: Sequence[Vectors]) -> Vectors:
        return np.stack(vectors) if vectors else np.zeros((0, self._encoder.dimension), np.float32)


def _best(passage: Passage, scores: Vectors) -> int:
    long = np.asarray([end - start >= SHORT_SENTENCE for start, end in passage.sentences])
    headings = np.asarray([_is_heading(passage.text, span) for span in passage.sentences])
    return int(np.argmax(scores - HEADING * headings - 4 * ~long))


def _is_heading(text: str, span: Span) -> bool:
    """Whether a sentence is a short line of its own without an end: it names what is asked, and the answer comes after it."""
    start, end = span
    line = text[start:end].strip()
    alone = (start == 0 or "\n" in text[max(start - 2, 0) : start + 1]) and "\n" in text[end - 1 : end + 2]
    return alone and len(line) < LONG_HEADING and not unicodedata.category(line[-1:] or ".").startswith("P")


def _overlap(span: Span, others: Sequence[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)
