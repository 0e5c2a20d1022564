"""Large indexes on the engine: what they find beside exact search, with filters, in what order; how they are made, ended and swept away."""

from __future__ import annotations

import numpy as np
import pytest
from test_inverted import drawn, filters, recall

from index import engine_index
from index.database import store_of
from index.engine_connection import EngineConnection
from index.store import StoreUnreachableError, UnusableLibraryError
from index.vectors import Admitted, VectorIndex

ROWS, DIMENSION = 5000, 64


class Given:
    """Vectors in place of those of a library; every `gap`th has been removed meanwhile."""

    def __init__(self, vectors: np.ndarray, gap: int = 0) -> None:
        self.vectors, self.gap = vectors, gap

    def __len__(self) -> int:
        return len(self.vectors)

    def blocks(self):
        for start in range(0, len(self), 700):
            rows = np.arange(start, min(start + 700, len(self)))
            rows = rows[rows % self.gap > 0] if self.gap else rows
            yield rows, self.vectors[rows]

    def aligned(self, vectors):
        return vectors


@pytest.fixture(scope="module")
def vectors():
    found = drawn(ROWS, DIMENSION)
    found[[7, 4999]] = found[500]
    return found


@pytest.fixture(scope="module")
def store(server, tmp_path_factory):
    store = store_of(tmp_path_factory.mktemp("engine"), server.create_database("indexes"))
    yield store
    store.close()
    server.drop_database("indexes")


@pytest.fixture(scope="module")
def index(store, vectors):
    return store.large.make(Given(vectors), lambda _: None)


@pytest.fixture
def by_graph(monkeypatch):
    """As if there were far more rows than can be compared."""
    monkeypatch.setattr(engine_index, "COMPARED", 0)


def tables(store):
    found = store.connection().execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in found}


def asked(vectors, count=30, seed=4):
    queries = vectors[np.random.default_rng(seed).integers(len(vectors), size=count)] + 0.05 * drawn(count, vectors.shape[1], seed)
    return (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("filtered", ["none", "a tenth", "a hundredth", "a topic", "what is far away", "one row", "nothing"])
@pytest.mark.parametrize("k", [10, 1000])
def test_nearly_all_of_the_nearest_are_found_under_every_filter(index, vectors, by_graph, filtered, k):
    admitted, queries = filters(vectors)[filtered], asked(vectors)
    scores, positions = index.search(queries, k, admitted)
    right = VectorIndex.of(vectors).search(queries, k, admitted)
    there = positions >= 0
    assert scores.shape == positions.shape == (len(queries), k) and (there.sum(axis=1) == (right[1] >= 0).sum(axis=1)).all()
    assert admitted is None or admitted.mask[positions[there]].all()
    assert recall(positions[:, :10], right[1][:, :10]) >= 0.98
    assert np.allclose(scores[there], np.einsum("qkd,qd->qk", vectors[positions], queries)[there], atol=5e-4) and (scores[~there] == -np.inf).all()


@pytest.mark.parametrize("filtered", ["none", "a tenth", "a topic", "one row", "nothing"])
def test_what_is_compared_with_all_misses_nothing(index, vectors, by_graph, filtered):
    admitted, queries = filters(vectors)[filtered], asked(vectors)
    rounded = vectors.astype(np.float16).astype(np.float32)
    scores, positions = index.search(queries, 20, admitted, exhaustive=True)
    right = VectorIndex.of(rounded).search(queries.astype(np.float16).astype(np.float32), 20, admitted)
    assert np.allclose(scores, right[0], atol=1e-5) and recall(positions, right[1]) > 0.999


def test_equal_scores_keep_the_order_of_the_rows(index, vectors):
    for exhaustive in (False, True):
        scores, positions = index.search(vectors[500][None], 5, exhaustive=exhaustive)
        assert positions[0, :3].tolist() == [7, 500, 4999] and scores[0, 0] == scores[0, 2] and (np.diff(scores[0]) <= 0).all()


def test_more_than_there_are_can_be_asked_for(index, vectors):
    scores, positions = index.search(vectors[:1], ROWS + 5)
    assert sorted(positions[0, :ROWS].tolist()) == list(range(ROWS)) and positions[0, ROWS:].tolist() == [-1] * 5
    assert len(index) == ROWS and np.isinf(scores[0, ROWS:]).all()


def test_products_come_in_the_order_of_the_rows_asked_for(index, vectors):
    rows = np.asarray([4999, 0, 17, 0])
    assert np.allclose(index.products(vectors[:1], rows), vectors[rows] @ vectors[0], atol=5e-4)
    assert index.products(vectors[:1], rows[:0]).shape == (0,)


def test_what_was_removed_meanwhile_is_near_to_nothing_and_never_found(store, vectors):
    made = store.large.make(Given(vectors[:700], gap=7), lambda _: None)
    assert made.products(vectors[14][None], np.asarray([14, 15]))[0] == 0
    assert set(made.search(vectors[14][None], 700)[1][0].tolist()) == {-1, *(row for row in range(700) if row % 7)}
    assert made.search(vectors[14][None], 5, Admitted(np.arange(700) % 7 == 0))[1].tolist() == [[-1] * 5]


def test_what_is_made_is_swept_away_once_nobody_has_it_and_what_is_kept_stays(store, index, vectors):
    made = [store.large.make(Given(vectors[:50]), lambda _: None) for _ in range(3)]
    names = [one.name for one in made]
    store.large.sweep([])
    assert {*names, index.name} <= tables(store)
    kept = store.large.keep(made[0])
    made[1].held.close()
    store.connection(writing=True).execute("CREATE TABLE making_0123456789abcdef (place integer)")
    store.connection(writing=True).execute("CREATE TABLE making_of (place integer)")
    store.large.sweep([kept])
    assert {names[0], names[2], "making_of"} <= tables(store) and not {names[1], "making_0123456789abcdef"} & tables(store)
    assert store.large.load(kept, Given(vectors[:50])).search(vectors[3][None], 1)[1].tolist() == [[3]]


@pytest.mark.parametrize("name", ["", "generation_0000000000000000", "meta", 'pg_class"; DROP'])
def test_an_index_that_is_not_there_is_not_loaded(store, vectors, name):
    with pytest.raises(LookupError, match="has no table"):
        store.large.load(name, Given(vectors))


@pytest.mark.parametrize("share", [0.1, 0.31])
def test_making_can_be_ended_and_leaves_nothing(store, vectors, monkeypatch, share):
    monkeypatch.setattr(engine_index, "STEP", 0.01)
    before, seen = tables(store), []

    def ends(done):
        seen.append(done)
        if done >= share:
            raise InterruptedError

    monkeypatch.setattr(engine_index, "_share", lambda *_: 0.5)
    with pytest.raises(InterruptedError):
        store.large.make(Given(vectors), ends)
    assert seen == sorted(seen) and tables(store) == before


def test_a_lost_connection_ends_making_with_a_clear_error_and_is_tidied_up(store, vectors, monkeypatch):
    before = tables(store)

    def cuts(done):
        if done > 0.1:
            store.connection(writing=True).execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY making%' AND pid <> pg_backend_pid()"
            )

    with pytest.raises(StoreUnreachableError):
        store.large.make(Given(np.tile(vectors, (4, 1))), cuts)
    store.large.sweep([name for name in before if name.startswith("generation_")])
    assert tables(store) <= before


@pytest.mark.parametrize(
    ("there", "said"), [(None, "has no pgvector"), (("0.7.4", None), "0.8 or newer, found 0.7.4"), (("0.8.1", "0.6.0"), "found 0.6.0")]
)
def test_a_server_without_the_pgvector_that_is_needed_is_told(store, vectors, monkeypatch, there, said):
    execute = EngineConnection.execute

    def without(self, statement, values=()):
        if "pg_available_extensions" not in statement:
            return execute(self, statement, values)
        return execute(self, "SELECT ?, ? WHERE ?", (*(there or ("", "")), there is not None))

    monkeypatch.setattr(EngineConnection, "execute", without)
    with pytest.raises(UnusableLibraryError, match=said):
        store.large.make(Given(vectors), lambda _: None)


def test_who_asks_an_index_that_has_been_swept_is_told_to_ask_again(store, vectors):
    gone = store.large.load(store.large.keep(store.large.make(Given(vectors[:50]), lambda _: None)), Given(vectors[:50]))
    store.large.sweep(())
    with pytest.raises(StoreUnreachableError, match="Ask again"):
        gone.search(vectors[:1], 3)
