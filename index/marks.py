"""Mark the sentence that answers, in whatever language it is written, and the words in it that stand in the query or mean what it means."""

from __future__ import annotations

import logging
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

import numpy as np

from index.common_words import CommonWords
from index.encoder import Encoder, TokenEncoder, Tokens, Vectors
from index.related import PASSAGE_WEIGHT, RELATED, Sentence, TokenMeans, answers, ready, ready_query, related
from index.word_codes import Codebook
from index.words import Words, exact_spans
from ingest.records import Passage, Span

log = logging.getLogger(__name__)

CACHE = 128 << 20  # bytes of sentences kept in memory that were encoded because no codes are kept of them: those of about a thousand passages
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


class Shown(NamedTuple):
    """A passage to be marked."""

    key: int
    passage: Passage
    vector: Vectors | None = None  # raw, shape (dimension,)
    codes: bytes = b""  # what index/word_codes.py keeps of it; b"" where that is nothing, and it is encoded now


@dataclass(frozen=True, slots=True)
class Asked:
    """What marks are wanted for."""

    vector: Vectors  # aligned, shape (1, dimension)
    text: str  # what the vector was made of
    words: Sequence[Words] = ()  # marked wherever they stand
    tokens: Tokens | None = None  # of the text, as `SentenceMarker.question` gives them


@dataclass(frozen=True, slots=True)
class _Reading:
    """A passage's sentences, as the encoder sees them, or has seen them."""

    vectors: Vectors  # not aligned
    sentences: tuple[Sentence, ...]  # nothing where tokens are not compared

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return self.vectors.nbytes + sum(sentence.size for sentence in self.sentences)


class _Query(NamedTuple):
    """The words of a query, as they are compared with those of some readings."""

    words: Sentence
    related: float  # cosine from which two words mean about the same


class _Best(NamedTuple):
    """The sentence of a passage that answers."""

    place: int
    score: float
    sentence: Sentence | None  # None, and the query with it, where tokens are not compared
    query: _Query | None


class SentenceMarker:
    """Finds the sentence that answers a query. One for each process; safe to share between threads.

    Tokens are compared where the encoder shows them and their means are known; else the nearest sentence vector decides. With a codebook, what is
    kept of passages is enough to mark them.
    """

    def __init__(
        self, encoder: Encoder, means: TokenMeans | None = None, common: CommonWords | None = None, codebook: Codebook | None = None
    ) -> None:
        self._encoder = encoder
        self._tokens = (encoder, means) if means is not None and isinstance(encoder, TokenEncoder) else None
        self._coded = (encoder, codebook) if codebook is not None and isinstance(encoder, TokenEncoder) else None
        self._common = common
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Reading] = OrderedDict()
        self._size = 0

    def question(self, text: str) -> tuple[Vectors, Tokens | None]:
        """Encode a question: its vector, shape (1, dimension), and, from the same pass, the tokens that `Asked` takes."""
        if self._coded is None:
            return self._encoder.encode_queries([text]), None
        encoder, codebook = self._coded
        (tokens,) = encoder.encode_query_tokens([text], codebook.layers)
        return tokens.vector[None], tokens

    def mark(self, asked: Asked, shown: Sequence[Shown], aligned: Callable[[Vectors], Vectors], closely: bool = False) -> list[Marking]:
        """Mark each passage: the sentence that answers, the query's words, and those that are related to them.

        With `closely` the encoder sees each sentence that is marked once more, which tells related words better than codes do, at some milliseconds each.
        """
        found = self._best(asked, shown, aligned)
        if closely:
            found = self._closely(asked.text, shown, found)
        return [self._marks(asked, one.passage, best) for one, best in zip(shown, found, strict=True)]

    def sentences(self, shown: Sequence[Shown]) -> dict[int, Vectors]:
        """The raw vectors of the sentences of each passage, by key, or about these, where codes are kept of it."""
        coded = self._decoded(shown)
        return {key: reading.vectors for key, reading in (coded | self._read([one for one in shown if one.key not in coded])[0]).items()}

    def _best(self, asked: Asked, shown: Sequence[Shown], aligned: Callable[[Vectors], Vectors]) -> list[_Best | None]:
        """The best sentence of each passage; None for one without sentences."""
        coded = self._decoded(shown) if asked.tokens is not None else {}
        readings, plain = self._read([one for one in shown if one.key not in coded], asked.text)
        by_codes = _Query(self._coded[1].query(asked.text, asked.tokens), self._coded[1].related) if coded and self._coded and asked.tokens else None
        found: list[_Best | None] = []
        for one in shown:
            reading, query = (coded[one.key], by_codes) if one.key in coded else (readings[one.key], plain)
            found.append(_best(asked.vector, one.passage, reading, query, aligned) if one.passage.sentences else None)
        return found

    def _closely(self, text: str, shown: Sequence[Shown], found: Sequence[_Best | None]) -> list[_Best | None]:
        """The same, with sentences that the encoder sees now, where they were read from codes."""
        texts = [one.passage.text[slice(*one.passage.sentences[best.place])] if best else "" for one, best in zip(shown, found, strict=True)]
        if self._tokens is None or not any(texts):
            return list(found)
        encoder, means = self._tokens
        once = dict.fromkeys([*filter(None, texts), text])
        seen = dict(zip(once, encoder.encode_tokens(list(once), means.layers), strict=True))
        query = _Query(ready_query(text, seen[text], means), RELATED)
        return [
            best._replace(sentence=ready([own], [seen[own]], means, PASSAGE_WEIGHT)[0], query=query) if best else None
            for own, best in zip(texts, found, strict=True)
        ]

    def _marks(self, asked: Asked, passage: Passage, best: _Best | None) -> Marking:
        exact = exact_spans(passage.text, asked.words)
        words = [Mark(start, end, "words") for start, end in exact]
        if best is None:
            return Marking(tuple(words), 0.0)
        where = passage.sentences[best.place]
        if best.query is not None and best.sentence is not None:
            spans = self._related(best.query, passage, where, best.sentence)
            words += [Mark(start, end, "related") for start, end in spans if not _overlap((start, end), exact)]
        return Marking((Mark(*where, "meaning"), *sorted(words, key=lambda mark: mark.start)), best.score)

    def _related(self, query: _Query, passage: Passage, where: Span, sentence: Sentence) -> list[Span]:
        """The words worth a mark of a sentence, in characters of the passage; what touches is one span."""
        first = where[0]
        spans = [(first + start, first + end) for start, end in related(query.words, sentence, query.related)]
        if self._common is not None:
            spans = self._common.without({(start, end): passage.text[start:end] for start, end in spans}, passage.language)
        joined: list[Span] = []
        for start, end in spans:
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return joined

    def _decoded(self, shown: Sequence[Shown]) -> dict[int, _Reading]:
        """What codes say of the passages that have them, by key."""
        found: dict[int, _Reading] = {}
        for one in shown:
            if self._coded and one.codes and one.vector is not None:
                try:
                    found[one.key] = _Reading(*self._coded[1].read(one.codes, one.passage, one.vector))
                except ValueError as error:
                    log.warning("The codes of passage %d cannot be read, so it is encoded to be marked: %s", one.key, error)
        return found

    def _read(self, shown: Sequence[Shown], text: str | None = None) -> tuple[dict[int, _Reading], _Query | None]:
        """The passages as the encoder sees them, by key, and the query; None where there is none, or tokens are not compared."""
        with self._lock:
            known = {one.key: self._kept[one.key] for one in shown if one.key in self._kept}
        missing = {one.key: one.passage for one in shown if one.key not in known}
        readings, query = self._encoded(list(missing.values()), text if shown else None)
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

    def _encoded(self, passages: Sequence[Passage], query: str | None) -> tuple[list[_Reading], _Query | None]:
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
        return readings, None if query is None else _Query(ready_query(query, seen[query], means), RELATED)

    def _stacked(self, vectors: Sequence[Vectors]) -> Vectors:
        return np.stack(vectors) if vectors else np.zeros((0, self._encoder.dimension), np.float32)


def _best(vector: Vectors, passage: Passage, reading: _Reading, query: _Query | None, aligned: Callable[[Vectors], Vectors]) -> _Best:
    """The sentence of a passage that answers; there is one at least."""
    scores = aligned(reading.vectors) @ vector[0]
    if query is not None:
        scores = scores + np.asarray([answers(query.words, sentence) for sentence in reading.sentences], np.float32)
    place = _nearest(passage, scores)
    return _Best(place, float(scores[place]), reading.sentences[place] if query is not None else None, query)


def _nearest(passage: Passage, scores: Vectors) -> int:
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
