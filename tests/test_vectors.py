"""The vector index: exact, filtered, in a repeatable order."""

from __future__ import annotations

import numpy as np
import pytest

from index.vectors import Admitted, VectorIndex


def unit(rows: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_search_gives_the_same_rows_as_sorting_all_products():
    vectors, queries = unit(200), unit(5, seed=1)
    scores, positions = VectorIndex.of(vectors).search(queries, 10)
    products = queries @ vectors.T
    assert positions.tolist() == np.argsort(-products, axis=1)[:, :10].tolist()
    assert np.allclose(scores, np.take_along_axis(products, positions, 1))


def test_equal_scores_keep_the_order_of_the_rows():
    vectors = np.repeat(unit(1), 50, axis=0)
    _, positions = VectorIndex.of(vectors).search(vectors[:1], 50)
    assert positions[0].tolist() == list(range(50))


def test_only_allowed_rows_are_found_and_missing_ones_are_marked():
    vectors = unit(100)
    allowed = np.zeros(100, bool)
    allowed[[3, 64, 99]] = True
    scores, positions = VectorIndex.of(vectors).search(vectors[:2], 5, Admitted(allowed))
    assert [set(row[:3]) for row in positions.tolist()] == [{3, 64, 99}] * 2
    assert positions[:, 3:].tolist() == [[-1, -1]] * 2
    assert np.isneginf(scores[:, 3:]).all()


@pytest.mark.parametrize("allowed", [None, Admitted(np.zeros(0, bool))])
def test_an_empty_index_finds_nothing(allowed):
    _, positions = VectorIndex.of(np.zeros((0, 8), np.float32)).search(unit(1), 3, allowed)
    assert positions.tolist() == [[-1, -1, -1]]


def test_the_same_filter_is_packed_once():
    admitted = Admitted(np.asarray([True, False, True] * 30))
    assert admitted.bits is admitted.bits and admitted.count == 60
    assert np.unpackbits(admitted.bits, bitorder="little")[:90].astype(bool).tolist() == admitted.mask.tolist()


def test_products_are_cosines_with_the_rows_that_are_asked_for():
    vectors, query = unit(40), unit(1, seed=3)
    rows = np.asarray([39, 0, 7])
    assert np.allclose(VectorIndex.of(vectors).products(query, rows), vectors[rows] @ query[0], atol=1e-6)
