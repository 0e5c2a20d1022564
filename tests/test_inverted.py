"""The index of large libraries: what it finds beside exact search, with filters, in what order, and how it lies on disk."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from index import inverted
from index.inverted import InvertedIndex
from index.vectors import Admitted, VectorIndex

ROWS, DIMENSION = 6000, 64


class Held:
    """Vectors in memory, in place of a library; counts how often they are read."""

    def __init__(self, vectors: np.ndarray, gone: frozenset[int] = frozenset()) -> None:
        self.vectors, self.gone, self.read = vectors, gone, 0

    def __len__(self) -> int:
        return len(self.vectors)

    def products(self, query, rows):
        self.read += len(rows)
        return np.where(np.isin(rows, list(self.gone)), 0, self.vectors[rows] @ query[0]).astype(np.float32)

    def all_products(self, queries):
        for start in range(0, len(self), 700):
            rows = np.arange(start, min(start + 700, len(self)))
            yield rows, queries @ self.vectors[rows].T


def drawn(rows: int = ROWS, dimension: int = DIMENSION, seed: int = 0) -> np.ndarray:
    """Vectors that lie in groups, as those of texts do."""
    random = np.random.default_rng(seed)
    groups = random.normal(size=(max(1, rows // 40), dimension))
    vectors = groups[random.integers(len(groups), size=rows)] + 0.7 * random.normal(size=(rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def made(vectors: np.ndarray, gone: frozenset[int] = frozenset()) -> InvertedIndex:
    blocks = ((np.arange(start, min(start + 1000, len(vectors))), vectors[start : start + 1000]) for start in range(0, len(vectors), 1000))
    return InvertedIndex.make(vectors[:: max(1, len(vectors) // 3000)], blocks, Held(vectors, gone), lambda _: None)


@pytest.fixture(scope="module")
def vectors():
    return drawn()


@pytest.fixture(scope="module")
def index(vectors):
    return made(vectors)


@pytest.fixture
def narrow(monkeypatch):
    """As if there were far more rows than are looked at."""
    monkeypatch.setattr(inverted, "SCANNED", 1500)
    monkeypatch.setattr(inverted, "REFINED", 100)


def filters(vectors):
    random = np.random.default_rng(3)
    topic = vectors @ vectors[17]
    return {
        "none": None,
        "a tenth": Admitted(random.random(len(vectors)) < 0.1),
        "a hundredth": Admitted(random.random(len(vectors)) < 0.01),
        "a topic": Admitted(topic > np.quantile(topic, 0.95)),
        "what is far away": Admitted(topic < np.quantile(topic, 0.05)),
        "one row": Admitted(np.arange(len(vectors)) == 4321),
        "nothing": Admitted(np.zeros(len(vectors), bool)),
    }


def recall(found, right):
    shares = [len(set(some) & (set(all_) - {-1})) / max(1, len(set(all_) - {-1})) for some, all_ in zip(found.tolist(), right.tolist(), strict=True)]
    return np.mean(shares) if (right >= 0).any() else 1.0


@pytest.mark.parametrize("name", ["none", "a tenth", "a hundredth", "a topic", "what is far away", "one row", "nothing"])
def test_nearly_all_of_the_nearest_are_found_whatever_is_admitted(index, vectors, narrow, name):
    admitted, queries = filters(vectors)[name], vectors[5::200]
    scores, positions = index.search(queries, 10, admitted)
    right = VectorIndex.of(vectors).search(queries, 10, admitted)
    assert recall(positions, right[1]) >= 0.95
    assert ((positions >= 0).sum(axis=1) == (right[1] >= 0).sum(axis=1)).all() and (np.isneginf(scores) == (positions < 0)).all()
    assert admitted is None or admitted.mask[positions[positions >= 0]].all()
    assert np.allclose(scores[positions >= 0], np.einsum("qd,qkd->qk", queries, vectors[positions])[positions >= 0], atol=1e-5)


@pytest.mark.parametrize("name", ["none", "a tenth", "a topic", "one row", "nothing"])
def test_an_exhaustive_search_misses_nothing(index, vectors, narrow, name):
    admitted, queries = filters(vectors)[name], vectors[3::500]
    scores, positions = index.search(queries, 50, admitted, exhaustive=True)
    right = VectorIndex.of(vectors).search(queries, 50, admitted)
    assert positions.tolist() == right[1].tolist() and np.allclose(scores, right[0], atol=1e-5)


def test_scores_fall_and_those_that_are_estimates_lie_near_the_truth(index, vectors, narrow):
    scores, positions = index.search(vectors[:20], 500)
    truth = np.einsum("qd,qkd->qk", vectors[:20], vectors[positions])
    assert (np.diff(scores, axis=1) <= 0).all() and all(len(set(row)) == 500 for row in positions.tolist())
    assert abs(np.mean(scores - truth)) < 0.05


def test_a_search_for_many_reads_no_more_vectors_than_one_for_few(vectors):
    index, read = made(vectors[:2000]), set()
    for k in (1, 10, 1000):
        index._stored.read = 0
        index.search(vectors[:1], k)
        read.add(index._stored.read)
    assert len(read) == 1 and max(read) <= inverted.REFINED


def test_reading_ends_where_no_other_vector_can_come_among_the_first(vectors, monkeypatch):
    near = np.concatenate([vectors[:1] + 0.5 * drawn(40), vectors])
    near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    index, right = made(near), VectorIndex.of(near).search(vectors[:1], 10)[1]
    monkeypatch.setattr(inverted, "PORTION", 60)
    assert index.search(vectors[:1], 10)[1].tolist() == right.tolist() and 60 <= index._stored.read < inverted.REFINED
    index._stored.read = 0
    monkeypatch.setattr(inverted, "DOUBT", 1000.0)
    assert index.search(vectors[:1], 10)[1].tolist() == right.tolist() and index._stored.read == inverted.REFINED


def test_equal_vectors_keep_the_order_of_their_rows():
    index = made(np.repeat(drawn(1), 50, axis=0))
    assert index.search(drawn(1), 50)[1].tolist() == [list(range(50))]


def test_what_has_been_removed_is_ranked_by_its_code(vectors):
    few = vectors[:500]
    index = made(few, frozenset([7]))
    scores, positions = index.search(few[7:8], 3)
    assert positions[0][0] == 7 and scores[0][0] > 0.8
    assert index.products(few[7:8], np.asarray([7, 8])).tolist() == [0, pytest.approx(float(few[7] @ few[8]), abs=1e-5)]


@pytest.mark.parametrize("rows", [1, 2, 3, 40])
@pytest.mark.parametrize("dimension", [4, 5, 10, 384])
def test_it_works_for_any_number_of_rows_and_dimensions(tmp_path, rows, dimension):
    vectors = drawn(rows, dimension)
    made(vectors).save(tmp_path / "vectors.faiss")
    loaded = InvertedIndex.load(tmp_path / "vectors.faiss", Held(vectors))
    assert len(loaded) == rows
    assert loaded.search(vectors, rows)[1].tolist() == VectorIndex.of(vectors).search(vectors, rows)[1].tolist()


def test_the_same_vectors_make_the_same_file(tmp_path, vectors):
    for name in ("one", "other"):
        made(vectors[:1000]).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_loaded_index_answers_alike_in_many_threads_though_its_file_is_replaced(tmp_path, index, vectors, narrow):
    path = tmp_path / "vectors.faiss"
    index.save(path)
    loaded, admitted, wrong = InvertedIndex.load(path, Held(vectors)), filters(vectors)["a tenth"], []
    expected = [index.search(vectors[:8], 20, may)[1].tolist() for may in (None, admitted)]
    (tmp_path / "another").write_bytes(b"another")
    (tmp_path / "another").replace(path)

    def read():
        for _ in range(20):
            if [loaded.search(vectors[:8], 20, may)[1].tolist() for may in (None, admitted)] != expected:
                wrong.append(1)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert not wrong


def test_making_one_can_be_ended_at_every_step(vectors):
    shares = []

    def ends(share):
        shares.append(share)
        if share >= 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        InvertedIndex.make(vectors[:500], iter([(np.arange(500), vectors[:500])]), Held(vectors[:500]), ends)
    assert shares == sorted(shares) and len(shares) == inverted.ROUNDS + 1
