"""Mark the sentence that answers, in whatever language it is written, and the words in it that stand in the query or mean what it means."""

from __future__ import annotations

import logging
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Literal, NamedTuple

import numpy as np

from index.common_words import CommonWords
from index.encoder import Encoder, TokenEncoder, Tokens, Vectors
from index.parts import part
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
    coded: bool = False  # whether these readings are of codes


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

    @part("marks")
    def mark(self, asked: Asked, shown: Sequence[Shown], aligned: Callable[[Vectors], Vectors], closely: bool = False) -> list[Marking]:
        """Mark each passage: the sentence that answers, the query's words, and those that are related to them.

        With `closely` the encoder sees each sentence that is marked once more, which tells related words better than codes do, at some milliseconds each.
        """
        found = self._best(asked, shown, aligned)
        meant = self._meant(shown, self._closely(asked.text, shown, found) if closely else found)
        return [_marking(asked, one.passage, best, spans) for one, best, spans in zip(shown, found, meant, strict=True)]

    def _best(self, asked: Asked, shown: Sequence[Shown], aligned: Callable[[Vectors], Vectors]) -> list[_Best | None]:
        """The best sentence of each passage; None for one without sentences."""
        coded = self._decoded(shown) if asked.tokens is not None else {}
        long = [one for one in shown if one.passage.sentences]
        readings, plain = self._read([one for one in long if one.key not in coded], asked.text)
        readings |= coded
        by_codes = (
            _Query(self._coded[1].query(asked.text, asked.tokens), self._coded[1].related, True) if coded and self._coded and asked.tokens else None
        )
        cuts = np.cumsum([len(one.passage.sentences) for one in long])[:-1]
        cosines = np.split(aligned(np.concatenate([readings[one.key].vectors for one in long])) @ asked.vector[0], cuts) if long else []
        best = {
            one.key: _best(own, one.passage, readings[one.key].sentences, by_codes if one.key in coded else plain)
            for one, own in zip(long, cosines, strict=True)
        }
        return [best.get(one.key) for one in shown]

    def _closely(self, text: str, shown: Sequence[Shown], found: Sequence[_Best | None]) -> list[_Best | None]:
        """The same, with sentences that the encoder sees now, where they were read from codes."""
        texts = {
            one.key: one.passage.text[slice(*one.passage.sentences[best.place])]
            for one, best in zip(shown, found, strict=True)
            if best and best.query and best.query.coded
        }
        if self._tokens is None or not texts:
            return list(found)
        encoder, means = self._tokens
        once = dict.fromkeys([*texts.values(), text])
        seen = dict(zip(once, encoder.encode_tokens(list(once), means.layers), strict=True))
        query = _Query(ready_query(text, seen[text], means), RELATED)
        sentences = {key: ready([own], [seen[own]], means, PASSAGE_WEIGHT)[0] for key, own in texts.items()}
        return [
            best._replace(sentence=sentences[one.key], query=query) if best and one.key in sentences else best
            for one, best in zip(shown, found, strict=True)
        ]

    def _meant(self, shown: Sequence[Shown], found: Sequence[_Best | None]) -> list[list[Span]]:
        """The words of each sentence that answers which mean what the query's words mean, in characters of the passage, without common words."""
        spans = [_related(one.passage, best) if best else [] for one, best in zip(shown, found, strict=True)]
        if self._common is not None:
            spelt = [[(one.passage.text[start:end], one.passage.language) for start, end in own] for one, own in zip(shown, spans, strict=True)]
            rare = self._common.rare(chain.from_iterable(spelt))
            spans = [[span for span, word in zip(*both, strict=True) if word in rare] for both in zip(spans, spelt, strict=True)]
        return spans

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


def _best(scores: Vectors, passage: Passage, sentences: Sequence[Sentence], query: _Query | None) -> _Best:
    """The sentence of a passage that answers, by the cosine of each with the query; there is one at least."""
    if query is not None:
        scores = scores + np.asarray([answers(query.words, sentence) for sentence in sentences], np.float32)
    place = _nearest(passage, scores)
    return _Best(place, float(scores[place]), sentences[place] if query is not None else None, query)


def _marking(asked: Asked, passage: Passage, best: _Best | None, meant: Sequence[Span]) -> Marking:
    exact = exact_spans(passage.text, asked.words)
    words = [Mark(start, end, "words") for start, end in exact]
    if best is None:
        return Marking(tuple(words), 0.0)
    words += [Mark(start, end, "related") for start, end in _joined(meant) if not _overlap((start, end), exact)]
    return Marking((Mark(*passage.sentences[best.place], "meaning"), *sorted(words, key=lambda mark: mark.start)), best.score)


def _related(passage: Passage, best: _Best) -> list[Span]:
    """The words of the sentence that answers which mean what a word of the query means, in characters of the passage; common words too."""
    if best.query is None or best.sentence is None:
        return []
    first = passage.sentences[best.place][0]
    return [(first + start, first + end) for start, end in related(best.query.words, best.sentence, best.query.related)]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same, growing; what touches is one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


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
