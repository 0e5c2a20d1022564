"""An encoder without a model, for benches that are about everything but meaning: near is what shares letters."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from index.encoder import Vectors

DIMENSION = 64


class HashingEncoder:
    """Counts hashed triples of letters. `seconds` are slept for every passage, so that encoding takes a while."""

    def __init__(self, name: str = "hashing", seconds: float = 0.0) -> None:
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()
        self.dimension = DIMENSION
        self._salt, self._seconds = name, seconds

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, DIMENSION), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(self._seconds * len(texts))
        return self.encode_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 + 1 for text in texts]

    def _vector(self, text: str) -> Vectors:
        counts = np.zeros(DIMENSION, np.float32)
        folded = f"  {text.casefold()} "
        for start in range(len(folded) - 2):
            counts[crc32((self._salt + folded[start : start + 3]).encode("utf-8", "replace")) % DIMENSION] += 1
        return np.asarray(counts / np.linalg.norm(counts), np.float32)
