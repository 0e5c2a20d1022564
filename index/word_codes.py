"""What is kept of a passage beside its vector, so that it is marked without the encoder: its sentences in bits, its words in some bytes each.

All comes from the pass that makes the passage's vector, so each sentence and word is seen in its context (late chunking: Günther et al. 2024).
A sentence is the mean of its tokens; kept is to which side of the passage's vector it lies, in the directions in which
sentences differ most.
A word is the centred mean of its tokens, carried to fewer dimensions, those with much spread between words and little between translations, and
told by its nearest centroids (as ColBERTv2 keeps tokens: Santhanam et al. 2022). training/README.md says how the codebook is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.encoder import Layer, Tokens, Vectors
from index.language_priors import shipped_file
from index.related import PASSAGE_WEIGHT, QUERY_WEIGHT, Sentence, unit, words_of
from index.residual_codes import ResidualCodes
from index.terms import placed_lately
from ingest.records import Passage, Span

GAPS, LENGTHS = 8, 31  # characters before a word and in it that one byte tells
FAR = GAPS * LENGTHS  # the byte of a word that stands elsewhere or is longer: its place is written out

TOLD, WRITTEN = 0, 1  # whether the text of a passage tells where its words stand, or the codes do
WEIGHT = 0.7  # of words beside sentence vectors: what codes lose makes the best of many cosines too high; best of 0.6 to 1, as 0.6 is

Places = NDArray[np.int64]  # shape (words, 2): characters of a passage's text


class Kept(NamedTuple):
    """What is kept of a passage."""

    counts: NDArray[np.int64]  # words of each sentence
    scales: Layer  # shape (sentences,): how far each sentence's vector lies from the passage's, in every direction
    bits: NDArray[np.uint8]  # shape (sentences, bytes): to which side, a bit a direction
    places: Places  # of all words, sentence by sentence
    codes: NDArray[np.uint8]  # shape (words, stages)

    def packed(self, passage: Passage, version: int) -> bytes:
        """What a codebook of this version kept. Where the words of this passage stand is not written where its text tells it again."""
        by_text = told(passage)
        head = TOLD if by_text is not None and np.array_equal(by_text, self.places) else WRITTEN
        near, far = _packed(self.places) if head == WRITTEN else (b"", b"")
        parts = (np.uint8(2 * version + head), self.counts.astype("<u2"), self.scales.astype("<f2"), self.bits, self.codes)
        return b"".join(part.tobytes() for part in parts) + near + far

    @classmethod
    def unpacked(cls, blob: bytes, passage: Passage, directions: int, stages: int) -> Kept:
        """By a codebook of so many directions and stages. Raises ValueError for what `packed` did not make of this passage."""
        sentences, each = len(passage.sentences), -(-directions // 8)
        (head, counts, scales, bits), rest = _cut(blob, [1, 2 * sentences, 2 * sentences, each * sentences])
        numbers = np.frombuffer(counts, "<u2").astype(np.int64)
        words = int(numbers.sum())
        (codes,), rest = _cut(rest, [words * stages])
        return cls(
            numbers,
            np.frombuffer(scales, "<f2").astype(np.float32),
            np.frombuffer(bits, np.uint8).reshape(sentences, each),
            _placed(head[0] % 2, words, rest, passage),
            np.frombuffer(codes, np.uint8).reshape(words, stages),
        )


@dataclass(frozen=True)
class Codebook:
    """How the sentences and words of one encoder are kept. Its vectors are means of the tokens of its last layer."""

    layers: tuple[int]  # the last one, counted from 1
    mean: Layer  # of tokens over languages, shape (width,)
    matrix: Layer  # carries a word to fewer dimensions, shape (width, kept)
    residual: ResidualCodes  # of words of unit length
    turn: Layer  # directions in which sentences differ from their passages, turned so that they weigh alike, shape (width, directions)
    related: float  # cosine from which two words mean about the same
    version: int = 0  # grows with every other codebook that ships for the same encoder: what an earlier one kept is not read by it

    def query(self, text: str, tokens: Tokens) -> Sentence:
        """The words of a query, to be compared with those of passages; its `tokens` are the same, weighed. Nothing where it has no words."""
        words = words_of(text, tokens.spans)
        rows = self._words(tokens, list(words.values()), QUERY_WEIGHT)
        return Sentence(tuple(words), rows.astype(np.float16), (WEIGHT * rows).astype(np.float16))

    def coded(self, passage: Passage, before: int, tokens: Tokens) -> bytes:
        """Keep a passage's sentences and those of their words that the encoder saw; b"" for a passage without sentences.

        `before` counts the characters that stood before its text when it was encoded.
        """
        if not passage.sentences:
            return b""
        spans = tokens.spans - before
        counts, places, made_of = _by_sentence(passage, spans)
        scales, bits = self._bits(sentence_means(tokens.layers[0], spans, passage.sentences, tokens.vector) - tokens.vector)
        codes = self.residual.codes(self._words(tokens, made_of, PASSAGE_WEIGHT))
        return Kept(np.asarray(counts), scales, bits, places, codes).packed(passage, self.version)

    @property
    def heads(self) -> list[bytes]:
        """The bytes with which what it keeps may begin."""
        return [bytes([2 * self.version + head]) for head in (TOLD, WRITTEN)]

    def kept(self, blob: bytes, passage: Passage) -> Kept:
        """What `coded` kept of this passage. Raises ValueError for what it did not make, or made of another passage."""
        if blob and blob[0] // 2 != self.version:
            raise ValueError(
                f"codes must be of version {self.version} of the codebook, got {blob[0] // 2}; run: isogloss encoder NAME, with the one that the library has"
            )
        kept = Kept.unpacked(blob, passage, self.turn.shape[1], len(self.residual.stages))
        borders = np.repeat(np.asarray(passage.sentences, np.int64).reshape(-1, 2), kept.counts, axis=0)
        within = (borders[:, 0] <= kept.places[:, 0]) & (kept.places[:, 0] < kept.places[:, 1]) & (kept.places[:, 1] <= borders[:, 1])
        if not within.all() or not np.isfinite(kept.scales).all():
            raise ValueError("codes must be those of the passage; some of its words stand in no sentence, or a sentence is nowhere")
        return kept

    def read(self, blob: bytes, passage: Passage, vector: Vectors) -> tuple[Vectors, tuple[Sentence, ...]]:
        """About the raw vectors of a passage's sentences, shape (sentences, dimension), and their words; `vector` is the passage's own.

        Raises ValueError as `kept` does.
        """
        kept = self.kept(blob, passage)
        signs: Layer = 2 * np.unpackbits(kept.bits, axis=1, count=self.turn.shape[1]).astype(np.float32) - 1
        vectors = np.asarray(vector + (kept.scales[:, None] * signs) @ self.turn.T, np.float32)
        rows = unit(self.residual.rows(kept.codes)).astype(np.float16)
        starts = np.repeat([start for start, _ in passage.sentences], kept.counts).reshape(-1, 1)
        return unit(vectors), _sentences(kept.counts, kept.places - starts, rows)

    def _words(self, tokens: Tokens, made_of: Sequence[Sequence[int]], weight: float) -> Layer:
        return unit(word_sums(tokens.layers[0], made_of, self.mean, weight) @ self.matrix)

    def _bits(self, differences: Layer) -> tuple[Layer, NDArray[np.uint8]]:
        turned = differences @ self.turn
        return np.abs(turned).mean(axis=1), np.packbits(turned > 0, axis=1)


@cache
def shipped_codebook(fingerprint: str) -> Codebook | None:
    """The codebook that comes with the installation for the encoder with this fingerprint, or None: nobody has looked at its words."""
    path = shipped_file(fingerprint, "-codes")
    return load_codebook(path) if path.exists() else None


def load_codebook(path: Path) -> Codebook:
    with np.load(path) as stored:
        (layer,) = stored["layers"].tolist()
        mean, matrix, stages, turn = (stored[name].astype(np.float32) for name in ("mean", "matrix", "stages", "turn"))
        return Codebook((layer,), mean, matrix, ResidualCodes(stages), turn, float(stored["related"]), int(stored["version"]))


def save_codebook(codebook: Codebook, path: Path) -> None:
    """Store a codebook in half precision."""
    arrays = {"mean": codebook.mean, "matrix": codebook.matrix, "stages": codebook.residual.stages, "turn": codebook.turn}
    whole = {"layers": np.asarray(codebook.layers), "related": np.asarray(codebook.related), "version": np.asarray(codebook.version)}
    np.savez_compressed(path, allow_pickle=False, **whole, **{name: array.astype(np.float16) for name, array in arrays.items()})


def word_sums(layer: Layer, made_of: Sequence[Sequence[int]], mean: Layer, weight: float) -> Layer:
    """The sums of the centred tokens that words are made of; `mean` weighs as much as so many tokens."""
    rows = unit(layer)
    rows -= (rows.sum(axis=0) + weight * mean) / (weight + len(rows))
    members = np.zeros((len(made_of), len(rows)), np.float32)
    members[np.repeat(np.arange(len(made_of)), [len(places) for places in made_of]), list(chain.from_iterable(made_of))] = 1
    return members @ rows  # quicker than np.add.reduceat


def _by_sentence(passage: Passage, spans: Places) -> tuple[list[int], Places, list[Sequence[int]]]:
    """How many words each sentence has, where they stand, and the tokens each is made of; no word reaches out of its sentence."""
    words = words_of(passage.text, spans)
    starts, found = [start for start, _ in words], list(words.items())
    cuts = np.searchsorted(starts, passage.sentences).tolist()
    own = [
        (start, min(end, border), places)
        for (_, border), cut in zip(passage.sentences, cuts, strict=True)
        for (start, end), places in found[slice(*cut)]
    ]
    places = np.asarray([(start, end) for start, end, _ in own], np.int64).reshape(-1, 2)
    return [last - first for first, last in cuts], places, [tokens for _, _, tokens in own]


def sentence_means(layer: Layer, spans: Places, sentences: Sequence[Span], passage: Vectors) -> Vectors:
    """The vector of each sentence; that of the passage where the encoder saw nothing of it."""
    firsts = np.searchsorted(spans[:, 1], [start for start, _ in sentences], "right")
    lasts = np.searchsorted(spans[:, 0], [end for _, end in sentences])
    return np.stack([unit(layer[first:last].mean(axis=0)) if first < last else passage for first, last in zip(firsts, lasts, strict=True)])


def told(passage: Passage) -> Places | None:
    """Where the words of a passage's sentences stand, by its text alone; None where it is the encoder's tokens that tell words."""
    words = [(at + piece.start, at + piece.end, piece.unspaced) for at, piece in placed_lately(passage.text)]
    if any(unspaced for _, _, unspaced in words):
        return None
    cuts = np.searchsorted([start for start, _, _ in words], passage.sentences).tolist()
    own = [(start, min(end, border)) for (_, border), cut in zip(passage.sentences, cuts, strict=True) for start, end, _ in words[slice(*cut)]]
    return np.asarray(own, np.int64).reshape(-1, 2)


def _placed(head: int, words: int, rest: bytes, passage: Passage) -> Places:
    """Where so many words stand. Raises ValueError."""
    if head == WRITTEN:
        (near,), far = _cut(rest, [words])
        return _unpacked(near, far)
    by_text = told(passage) if head == TOLD and not rest else None
    if by_text is None or len(by_text) != words:
        raise ValueError(f"codes must be of the words of the passage, {'told otherwise' if by_text is None else len(by_text)}; got {words}")
    return by_text


def _packed(places: Places) -> tuple[bytes, bytes]:
    """A byte for each place: how far from the end of the one before, and how long. Both in full for those that no byte tells."""
    lengths = places[:, 1] - places[:, 0]
    gaps = places[:, 0] - np.concatenate([[0], places[:-1, 1]])[: len(places)]
    near = (gaps >= 0) & (gaps < GAPS) & (lengths > 0) & (lengths <= LENGTHS)
    steps = np.where(near, gaps * LENGTHS + lengths - 1, FAR).astype(np.uint8)
    return steps.tobytes(), np.stack([gaps, lengths], axis=1)[~near].astype("<i4").tobytes()


def _unpacked(near: bytes, far: bytes) -> Places:
    steps = np.frombuffer(near, np.uint8)
    if (steps > FAR).any():
        raise ValueError(f"a place of a word must be a byte up to {FAR}, got {steps.max()}")
    gaps, lengths = np.divmod(steps.astype(np.int64), LENGTHS)
    if len(far) != 8 * (steps == FAR).sum():
        raise ValueError(f"{(steps == FAR).sum()} places of words must be written out, got {len(far)} bytes")
    found = np.stack([gaps, lengths + 1], axis=1)
    found[steps == FAR] = np.frombuffer(far, "<i4").reshape(-1, 2)
    ends = found.sum(axis=1).cumsum()
    return np.stack([ends - found[:, 1], ends], axis=1)


def _sentences(counts: NDArray[np.int64], places: Places, rows: NDArray[np.float16]) -> tuple[Sentence, ...]:
    borders = [0, *np.cumsum(counts).tolist()]
    spans = [(start, end) for start, end in places.tolist()]
    return tuple(Sentence(tuple(spans[first:last]), rows[first:last], rows[first:last]) for first, last in pairwise(borders))


def _cut(blob: bytes, sizes: Sequence[int]) -> tuple[list[bytes], bytes]:
    """Cut parts of these sizes off; also what is left. Raises ValueError where a part is missing."""
    borders = list(accumulate(sizes, initial=0))
    if len(blob) < borders[-1]:
        raise ValueError(f"codes must have {borders[-1]} bytes at least, got {len(blob)}")
    return [blob[start:end] for start, end in pairwise(borders)], blob[borders[-1] :]
