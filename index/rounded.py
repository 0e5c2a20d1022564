"""Vectors of unit length as 8-bit numbers, a byte a dimension: no scale is kept, since their length is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

LARGEST = 127  # absolute value in every vector that is not all zeros
LENGTH_TOLERANCE = 0.01  # a unit vector stored as float16 is that exact


def rounded(vectors: Vectors) -> NDArray[np.int8]:
    """Vectors of any length, shape (vectors, dimension), so that the largest number of each is LARGEST; zeros stay zeros."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    return np.rint(vectors * (LARGEST / np.where(largest > 0, largest, 1))).astype(np.int8)


def restored(blobs: Sequence[bytes]) -> Vectors:
    """The vectors that these bytes are, of unit length again: shape (blobs, dimension). Their cosines with what was rounded are about 0.9999."""
    vectors = _numbers(blobs).astype(np.float32)
    return np.asarray(vectors / np.maximum(np.sqrt(np.einsum("vd,vd->v", vectors, vectors)), 1)[:, None], np.float32)


def damaged(blobs: Sequence[bytes]) -> NDArray[np.bool_]:
    """For each, whether it is none that `rounded` made of a vector of unit length; all have as many bytes."""
    return np.asarray(np.abs(_numbers(blobs).astype(np.int16)).max(axis=1, initial=0) != LARGEST)


def from_half(blob: bytes) -> bytes:
    """What was kept of a vector by format 6 of the library, 16 bits a dimension, as it is kept now; one that was damaged, as zeros, which are found as that."""
    zeros = bytes(len(blob) // 2)
    if len(blob) % 2:
        return zeros
    vector = np.frombuffer(blob, np.float16).astype(np.float32)
    return rounded(vector[None]).tobytes() if abs(np.sqrt(vector @ vector) - 1) < LENGTH_TOLERANCE else zeros


def _numbers(blobs: Sequence[bytes]) -> NDArray[np.int8]:
    return np.frombuffer(b"".join(blobs), np.int8).reshape(len(blobs), -1 if blobs else 0)
