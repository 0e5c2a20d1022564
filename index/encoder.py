"""What an encoder is. index/sentence_encoder.py holds the one that is used; tests bring their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # shape (texts, dimension); every row has unit length


class Encoder(Protocol):
    """Maps texts of any language into one space, where near means alike."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text might get another vector."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions; row i belongs to text i."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode what is searched; row i belongs to text i."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, without prompt and without the marks of beginning and end."""
