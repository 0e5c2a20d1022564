"""What an encoder is. index/sentence_encoder.py opens the ones that are used; tests bring their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ingest.records import IsoglossError

DEFAULT = "default"  # the name of the encoder that comes with the installation, where "" stands for that of the library

Vectors = NDArray[np.float32]  # shape (texts, dimension); every row has unit length
Layer = NDArray[np.float32]  # shape (tokens, width); rows of any length


class UnusableEncoderError(IsoglossError):
    """The encoder cannot be loaded or prepared; the message says what to do."""


class Encoder(Protocol):
    """Maps texts of any language into one space, where near means alike."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text might get another vector, but for how finely a processor computes it."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions; row i belongs to text i."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode what is searched; row i belongs to text i."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, without prompt and without the marks of beginning and end."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an encoder makes of a text on the way to its vector."""

    vector: Vectors  # shape (dimension,); what encode_passages returns, or encode_queries
    spans: NDArray[np.int64]  # shape (tokens, 2): characters of the text; without prompt and the marks of beginning and end
    layers: tuple[Layer, ...]  # those that were asked for, in that order


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that can also show its tokens. Not every encoder can."""

    def encode_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Encode what is searched and keep the tokens' vectors of these layers, counted from 1; item i belongs to text i."""

    def encode_query_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Do the same with questions."""
