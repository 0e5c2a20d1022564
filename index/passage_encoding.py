"""What is made of passages once, when they come: their vectors, by which they are found, and their codes, by which they are marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from index.encoder import Encoder, TokenEncoder, Vectors
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


def encode(encoder: Encoder, texts: Sequence[str], passages: Sequence[Passage]) -> Encodings:
    """Encode passages, each of which ends its text; both come from one pass. All of it is in memory at once."""
    codebook = codebook_of(encoder)
    if codebook is None or not isinstance(encoder, TokenEncoder) or not texts:
        return Encodings(encoder.encode_passages(texts), [])
    seen = encoder.encode_tokens(texts, codebook.layers)
    codes = [codebook.coded(passage, len(text) - len(passage.text), tokens) for text, passage, tokens in zip(texts, passages, seen, strict=True)]
    return Encodings(np.stack([tokens.vector for tokens in seen]), codes)


def codebook_of(encoder: Encoder) -> Codebook | None:
    """The codebook by which what this encoder sees is kept; None where none ships for it, or it shows nothing."""
    return shipped_codebook(encoder.fingerprint) if isinstance(encoder, TokenEncoder) else None
