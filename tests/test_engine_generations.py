"""Generations on the engine: their vectors in a table, their files in the folder and in the engine, seen by every machine."""

from __future__ import annotations

import json

import numpy as np
import pytest
from filling import fill, publication
from test_generations import Scattered

from index import candidate, generation_files, generations, stored
from index.alignment import LanguagePrior
from index.engine_index import EngineIndex
from index.language_priors import save_prior
from index.library import Library
from index.searcher import Query, Searcher


@pytest.fixture
def address(new_database):
    return new_database()


@pytest.fixture
def shelves(tmp_path, address, monkeypatch):
    """A library of 300 passages on the engine, searched as a large one is."""
    monkeypatch.setattr(generations, "EXACT", 50)
    monkeypatch.setattr(stored, "BLOCK", 37)
    library = Library.create(tmp_path / "here", address)
    offsets = {tag: Scattered().encode_queries([f"of {tag}"])[0] * 0.05 for tag in ("en", "he", "km")}
    save_prior(LanguagePrior(offsets, None), library.folder / "prior-scattered.npz")
    fill(
        library,
        Scattered(),
        publication("woods", ["en", "he", "km"]),
        {tag: [f"{tag} {number}" for number in range(100)] for tag in ("en", "he", "km")},
    )
    return library


@pytest.fixture
def elsewhere(tmp_path, shelves, address):
    """The same library from another machine, which has nothing of its folder but the note that says where its rows are, and what is known of the encoder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("store", "prior-scattered.npz"):
        (folder / name).write_bytes((shelves.folder / name).read_bytes())
    return Library.open(folder, address)


def tables(library):
    found = library.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'generation\\_%' OR tablename LIKE 'making\\_%'")
    return sorted(name for (name,) in found if name != "generation_files")


def answers(library, query="km 99"):
    return [
        (hit.publication.publication_id, hit.hit.passage.text, round(hit.score, 3)) for hit in Searcher(library, Scattered()).search(Query(query))
    ]


def add(library, name="rivers"):
    fill(library, Scattered(), publication(name, ["ar"]), {"ar": [f"{name} النهر"]})


def test_a_generation_is_a_table_and_loads_with_the_same_answers(shelves, monkeypatch):
    built, loaded = generations.build(shelves), generations.load(shelves)
    assert isinstance(loaded.index, EngineIndex) and tables(shelves) == [loaded.index.name] == [built.index.name]
    assert sorted(path.name for path in (shelves.folder / "generations" / "0001").iterdir()) == [
        "alignment.npz",
        "keys.npy",
        "manifest.json",
        "table.txt",
    ]
    monkeypatch.setattr(generations, "EXACT", 1000)
    small = generations.make(shelves)
    assert loaded.keys.tolist() == small.keys.tolist() and generations.is_current(shelves)
    queries = loaded.aligned(Scattered().encode_queries([f"he {number}" for number in range(0, 100, 9)]))
    for exhaustive in (False, True):
        scores, positions = loaded.index.search(queries, 5, exhaustive=exhaustive)
        right = small.index.search(queries, 5)
        assert np.allclose(scores, right[0], atol=5e-4) and positions[:, 0].tolist() == right[1][:, 0].tolist()


def test_a_small_library_has_no_table(shelves, monkeypatch):
    monkeypatch.setattr(generations, "EXACT", 1000)
    generations.build(shelves)
    assert tables(shelves) == [] and not isinstance(generations.load(shelves).index, EngineIndex)


@pytest.mark.parametrize("exact", [50, 1000])
def test_a_machine_without_the_folder_serves_the_same(shelves, elsewhere, monkeypatch, exact):
    monkeypatch.setattr(generations, "EXACT", exact)
    monkeypatch.setattr(generation_files, "PIECE", 1000)
    generations.build(shelves)
    monkeypatch.setattr(generations, "make", lambda *_: pytest.fail("it was made again"))
    assert answers(elsewhere) == answers(shelves)
    names = [sorted(path.name for path in (one.folder / "generations" / "0001").iterdir()) for one in (shelves, elsewhere)]
    assert names[0] == names[1] and generations.is_current(elsewhere)


def test_every_process_sees_the_swap(shelves, elsewhere):
    generations.build(shelves)
    here, there = Searcher(shelves, Scattered()), Searcher(elsewhere, Scattered())
    for build, name in ((shelves, "0002"), (elsewhere, "0003"), (shelves, "0004")):
        add(build, f"rivers-{name}")
        generations.build(build)
        for searcher in (here, there):
            assert searcher.search(Query(f"rivers-{name} النهر"))[0].publication.publication_id == f"rivers-{name}"
            assert searcher.view().generation.name == name
    assert len(tables(shelves)) == 2
    for one in (shelves, elsewhere):  # what is left on a machine goes when it next takes one
        assert {"0003", "0004"} <= {path.name for path in (one.folder / "generations").iterdir()} <= {"0002", "0003", "0004"}


def test_a_candidate_is_published_and_brought_back_from_any_machine(shelves, elsewhere):
    generations.build(shelves)
    add(shelves)
    waits = candidate.keep(shelves, generations.make(shelves), {"questions": ["ما هو النهر؟"]})
    assert candidate.preview(elsewhere) == {"questions": ["ما هو النهر؟"]}
    assert candidate.standing(elsewhere, generations.CANDIDATE).passages == generations.load(shelves).keys.size + 2
    candidate.publish(elsewhere, "ana", waits.token)
    assert generations.load(shelves).named == waits and answers(elsewhere) == answers(shelves)
    before = generations.named(shelves, generations.BEFORE)
    candidate.roll_back(shelves, "ana", before.token)
    assert generations.load(elsewhere).named == before and len(tables(shelves)) == 2


def test_a_candidate_that_is_discarded_leaves_nothing(shelves):
    generations.build(shelves)
    kept = tables(shelves)
    waits = candidate.keep(shelves, generations.make(shelves), {})
    assert len(tables(shelves)) == 2
    candidate.discard(shelves, "ana", waits.token)
    assert tables(shelves) == kept and {token for (token,) in shelves.rows("SELECT DISTINCT token FROM generation_files")} == {
        generations.named(shelves).token
    }


@pytest.mark.parametrize("file", ["keys.npy", "manifest.json", "table.txt", "alignment.npz"])
def test_a_damaged_file_is_set_aside_and_comes_out_of_the_engine(shelves, monkeypatch, file):
    generations.build(shelves)
    right = answers(shelves)
    path = shelves.folder / "generations" / "0001" / file
    path.write_bytes(path.read_bytes()[:-3])
    monkeypatch.setattr(generations, "make", lambda *_: pytest.fail("it was made again"))
    assert answers(shelves) == right and generations.load(shelves).name == "0001"
    assert list(shelves.folder.glob("generations/damaged-0001-*"))


def test_where_the_table_is_gone_another_is_made(shelves):
    generations.build(shelves)
    right, (former,) = answers(shelves), tables(shelves)
    with shelves.transaction() as run:
        run(f"DROP TABLE {former}")
    with pytest.raises(generations.DamagedGenerationError, match="has no table"):
        generations.load(shelves)
    assert answers(shelves) == right and tables(shelves) != [former] and len(tables(shelves)) == 1


def test_an_interrupted_build_leaves_the_one_in_use_and_nothing_else(shelves, monkeypatch):
    generations.build(shelves)
    kept, add_to = tables(shelves), json.dumps
    monkeypatch.setattr(json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generations.build(shelves)
    monkeypatch.setattr(json, "dumps", add_to)
    with pytest.raises(InterruptedError):
        generations.make(shelves, progress=_ends)
    with generations.building(shelves):
        generations.sweep(shelves)
    assert tables(shelves) == kept and generations.load(shelves).name == "0001"


def _ends(done, total):
    if done > total / 2:
        raise InterruptedError
