"""What is made of passages once, when they come: their vectors, by which they are found, and their codes, by which they are marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from index.encoder import Encoder, TokenEncoder, Tokens, Vectors
from index.word_codes import Codebook, shipped_codebook
from ingest.records import Passage


class Encodings(NamedTuple):
    """What an encoder made of passages, in their order."""

    vectors: Vectors  # shape (passages, dimension)
    codes: Sequence[bytes]  # as index/word_codes.py has them; of no passage where there is no codebook for the encoder

    def part(self, start: int, end: int | None = None) -> Encodings:
        """Those of the passages from `start` up to `end`."""
        return Encodings(self.vectors[start:end], self.codes[start:end])

    @classmethod
    def joined(cls, parts: Iterable[Encodings]) -> Encodings:
        """Of several in a row, at least one."""
        made = list(parts)
        return cls(np.concatenate([part.vectors for part in made]), list(chain.from_iterable(part.codes for part in made)))


class Seen(NamedTuple):
    """What an encoder saw of passages, before codes are made of it."""

    vectors: Vectors  # shape (passages, dimension)
    tokens: Sequence[Tokens]  # of no passage where there is no codebook for the encoder


def encode(encoder: Encoder, texts: Sequence[str], passages: Sequence[Passage]) -> Encodings:
    """Encode passages, each of which ends its text; both come from one pass. All of it is in memory at once."""
    return kept(encoder, seen(encoder, texts), texts, passages)


def seen(encoder: Encoder, texts: Sequence[str]) -> Seen:
    """The first half of `encode`, which keeps all processors busy."""
    codebook = codebook_of(encoder)
    if codebook is None or not isinstance(encoder, TokenEncoder) or not texts:
        return Seen(encoder.encode_passages(texts), [])
    tokens = encoder.encode_tokens(texts, codebook.layers)
    return Seen(np.stack([one.vector for one in tokens]), tokens)


def kept(encoder: Encoder, seen: Seen, texts: Sequence[str], passages: Sequence[Passage]) -> Encodings:
    """The second half, for which one is enough."""
    codebook = codebook_of(encoder)
    if codebook is None or not seen.tokens:
        return Encodings(seen.vectors, [])
    befores = [len(text) - len(passage.text) for text, passage in zip(texts, passages, strict=True)]
    return Encodings(seen.vectors, [codebook.coded(*each) for each in zip(passages, befores, seen.tokens, strict=True)])


def codebook_of(encoder: Encoder) -> Codebook | None:
    """The codebook by which what this encoder sees is kept; None where none ships for it, or it shows nothing."""
    return shipped_codebook(encoder.fingerprint) if isinstance(encoder, TokenEncoder) else None
