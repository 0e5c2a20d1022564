"""Vectors of unit length as 8-bit numbers."""

from __future__ import annotations

import numpy as np
import pytest

from index.rounded import LARGEST, damaged, from_half, restored, rounded


@pytest.fixture
def vectors():
    drawn = np.random.default_rng(7).standard_normal((50, 384)).astype(np.float32)
    drawn[:, 0] += 5  # as in encoders with a dimension that stands out
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def blobs(vectors) -> list[bytes]:
    return [row.tobytes() for row in rounded(vectors)]


def test_a_vector_takes_a_byte_a_dimension_and_comes_back_with_unit_length(vectors):
    kept = blobs(vectors)
    back = restored(kept)
    assert {len(blob) for blob in kept} == {384}
    assert np.linalg.norm(back, axis=1) == pytest.approx(1, abs=1e-6)
    assert (back * vectors).sum(axis=1).min() > 0.9998


def test_what_is_rounded_again_stays_as_it_is(vectors):
    kept = blobs(vectors)
    assert blobs(restored(kept)) == kept


def test_zeros_stay_zeros():
    assert not restored(blobs(np.zeros((2, 5), np.float32))).any()


def test_nothing_comes_back_of_nothing():
    assert len(restored([])) == 0 and rounded(np.zeros((0, 5), np.float32)).shape == (0, 5)


def test_what_format_6_kept_becomes_the_same_as_what_is_rounded_now(vectors):
    half = vectors.astype(np.float16)
    assert [from_half(row.tobytes()) for row in half] == blobs(half.astype(np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, 60_000, -0.0, 3])
def test_what_was_damaged_in_format_6_is_still_told(vectors, value):
    half = vectors[:1].astype(np.float16)
    half[0, 7:300] = value
    assert damaged([from_half(half.tobytes())]).tolist() == [True]


@pytest.mark.parametrize("length", [0, 1, 767])
def test_what_was_cut_short_in_format_6_has_another_length_still(vectors, length):
    cut = from_half(vectors[0].astype(np.float16).tobytes()[:length])
    assert len(cut) == length // 2 and not any(cut)


def test_what_is_no_vector_of_unit_length_is_told(vectors):
    kept = [*blobs(vectors[:2]), bytes(384), bytes([LARGEST - 1] * 384), bytes([128] * 384)]
    assert damaged(kept).tolist() == [False, False, True, True, True]
