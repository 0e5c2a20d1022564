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


def test_a_saved_index_answers_alike_when_loaded(tmp_path):
    vectors, queries = unit(50), unit(3, seed=2)
    index = VectorIndex.of(vectors)
    index.save(tmp_path / "vectors.faiss")
    loaded = VectorIndex.load(tmp_path / "vectors.faiss")
    assert len(loaded) == 50
    assert loaded.search(queries, 7)[1].tolist() == index.search(queries, 7)[1].tolist()
