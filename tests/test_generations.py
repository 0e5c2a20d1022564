"""Generations: built beside the one in use, swapped whole, noticed when damaged."""

from __future__ import annotations

import json
from zlib import crc32

import numpy as np
import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index import generation_files, generations, inverted, stored
from index.alignment import LanguagePrior
from index.language_priors import save_prior
from index.searcher import Query, Searcher
from index.vectors import VectorIndex


@pytest.fixture
def filled(library, encoder):
    fill(library, encoder, publication("woods", ["en", "de"]), {"en": ["forest", "water"], "de": ["Wald"]})
    return library


def test_a_built_generation_loads_with_the_same_rows(filled):
    built = generations.build(filled)
    loaded = generations.load(filled)
    assert loaded.name == built.name == generations.current_name(filled) == "0001"
    assert loaded.keys.tolist() == [key for key, _, _ in filled.passage_table()]
    assert len(loaded.index) == len(loaded.keys)


def test_each_build_is_a_new_folder_and_the_one_before_is_kept(filled):
    names = [generations.build(filled).name for _ in range(4)]
    folder = filled.folder / "generations"
    assert names == ["0001", "0002", "0003", "0004"]
    assert sorted(path.name for path in folder.iterdir()) == ["0003", "0004"]


@pytest.fixture
def large(monkeypatch):
    """As if every library were large."""
    monkeypatch.setattr(generations, "EXACT", 0)


@pytest.mark.embedded_only("on an engine the files come out of it again; tests/test_engine_generations.py damages them")
@pytest.mark.parametrize("file", ["vectors.faiss", "lengths.npy", "keys.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_any_damage_is_noticed_set_aside_and_built_again(filled, large, file, damage):
    generations.build(filled)
    path = filled.folder / "generations" / "0001" / file
    content = path.read_bytes()
    middle = len(content) // 2
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(content[:middle] if damage == "truncate" else content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    with pytest.raises(generations.DamagedGenerationError):
        generations.load(filled)
    again = generations.load_or_build(filled)
    assert again.keys.tolist() == [key for key, _, _ in filled.passage_table()]
    assert [path.name for path in (filled.folder / "generations").glob("damaged-*")]
    assert generations.load(filled).name == again.name


def test_a_generation_of_another_encoder_is_not_used(filled):
    generations.build(filled)
    filled.set_meta("encoder", "another")
    with pytest.raises(generations.DamagedGenerationError, match="another encoder"):
        generations.load(filled)


def test_an_interrupted_build_leaves_the_one_in_use(filled, monkeypatch):
    generations.build(filled)
    monkeypatch.setattr(json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generations.build(filled)
    monkeypatch.undo()
    assert generations.load(filled).name == "0001"
    assert not list((filled.folder / "generations").glob(".building-*"))


def test_a_generation_is_not_used_with_a_database_from_a_backup(filled, encoder):
    """Keys begin again where the backup ended, so the same keys can stand for other passages."""
    generations.build(filled)
    with filled.transaction() as run:
        run("UPDATE meta SET value = '0001 as-it-was-before' WHERE key = 'generation'")
    with pytest.raises(generations.DamagedGenerationError, match=r"not built from this library.sqlite"):
        generations.load(filled)


def texts(library, encoder):
    return [(hit.publication.publication_id, hit.hit.passage.text, round(hit.score, 5)) for hit in Searcher(library, encoder).search(Query("Wald"))]


@pytest.mark.parametrize("noted", ["", "0007", "garbage \x00 ../..", "0001 " + "0" * 64, ". ", "../library.sqlite x"])
def test_whatever_the_library_notes_search_answers_and_nothing_else_is_moved(filled, encoder, noted):
    generations.build(filled)
    answers = texts(filled, encoder)
    filled.set_meta("generation", noted)
    assert texts(filled, encoder) == answers and generations.load(filled).keys.tolist() == [key for key, _, _ in filled.passage_table()]
    assert filled.store.exists() and len(list(filled.folder.glob("**/damaged-*"))) == (noted.startswith("0001"))


@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left on device"), PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")]
)
@pytest.mark.parametrize(
    ("module", "where"), [(generations, "_write"), (generations, "set_aside"), (generation_files, "sync_file"), (generations, "building")]
)
def test_where_nothing_can_be_written_search_goes_on_from_memory_and_says_so(filled, encoder, monkeypatch, caplog, fault, module, where):
    generations.build(filled)
    answers = texts(filled, encoder)
    (filled.folder / "generations" / "0001" / "keys.npy").write_bytes(b"damaged")

    def refuses(*_):
        raise fault

    monkeypatch.setattr(module, where, refuses)
    searcher = Searcher(filled, encoder)
    mended = where == "_write" and filled.store.large  # an engine has the file, and no generation has to be made
    assert texts(filled, encoder) == answers and (mended or "goes on from memory" in caplog.text)
    made = searcher.view().generation
    fill(filled, encoder, publication("rivers", ["th"]), {"th": ["ป่าริมน้ำ"]})
    assert "rivers" in {hit.publication.publication_id for hit in searcher.search(Query("Wald"))}
    assert searcher.view().generation is made  # not made again for every query
    monkeypatch.undo()
    assert "rivers" in {name for name, _, _ in texts(filled, encoder)} and generations.load(filled).name in ("0001", "0002")


@pytest.mark.embedded_only("on an engine the damaged one comes out of it again")
def test_the_generation_before_never_stands_in_for_a_damaged_one(filled, encoder):
    generations.build(filled)
    fill(filled, encoder, publication("rivers", ["ar"]), {"ar": ["غابة النهر"]})
    generations.build(filled)
    (filled.folder / "generations" / "0002" / "keys.npy").unlink()
    made = generations.load_or_build(filled)
    assert made.name == "0003" and made.keys.tolist() == [key for key, _, _ in filled.passage_table()]
    assert generations.named(filled, generations.BEFORE).name == "0001"


@pytest.mark.embedded_only("on an engine the manifest comes out of it again; tests/test_engine_generations.py damages it")
def test_any_byte_of_a_manifest_counts(filled):
    generations.build(filled)
    path = filled.folder / "generations" / "0001" / "manifest.json"
    path.write_text(path.read_text().replace('"close": null', '"close": 0.01'))
    with pytest.raises(generations.DamagedGenerationError, match="manifest"):
        generations.load(filled)


def test_what_a_killed_build_left_is_cleared_and_what_others_left_stays(filled):
    folder = filled.folder / "generations"
    for name in (".building-abc", "0009", "damaged-0008-1234", "notes"):
        (folder / name).mkdir(parents=True)
    (folder / "current").write_text("0009")
    assert generations.build(filled).name == "0010"
    assert sorted(path.name for path in folder.iterdir()) == ["0010", "damaged-0008-1234", "notes"]


def test_a_library_of_format_4_gets_its_first_generation_without_an_alarm(filled, caplog):
    folder = filled.folder / "generations"
    (folder / "0001").mkdir(parents=True)
    (folder / "current").write_text("0001")
    filled.set_meta("generation", "c731eb7f99d4f4e5")  # what that format noted was no name
    assert generations.load_or_build(filled).name == "0002"
    assert not caplog.records and sorted(path.name for path in folder.iterdir()) == ["0002"]


@pytest.fixture
def hundreds(library, large, monkeypatch):
    """A library of 600 passages in three languages, searched as a large one is, that no passage in memory would answer."""
    monkeypatch.setattr(inverted, "SCANNED", 200)
    monkeypatch.setattr(inverted, "REFINED", 40)
    monkeypatch.setattr(stored, "BLOCK", 37)
    random = np.random.default_rng(5)
    offsets = {tag: np.asarray(random.normal(size=24) * 0.05, np.float32) for tag in ("en", "he", "km")}
    save_prior(LanguagePrior(offsets, None), library.folder / "prior-scattered.npz")
    fill(library, Scattered(), publication("woods", ["en", "he", "km"]), {tag: [f"{tag} {number}" for number in range(200)] for tag in offsets})
    return library


@pytest.mark.embedded_only("looks into the index of FAISS")
def test_an_exhaustive_question_is_compared_with_every_passage(hundreds, monkeypatch):
    rows, found = [], inverted.InvertedIndex._exhaustive
    monkeypatch.setattr(inverted.InvertedIndex, "_exhaustive", lambda index, *asked: rows.append(len(index)) or found(index, *asked))
    searcher = Searcher(hundreds, Scattered())
    one, other = (searcher.search(Query("km 99", exhaustive=exhaustive)) for exhaustive in (False, True))
    assert rows == [len(searcher.view().keys)] and [hit.hit.passage.text for hit in other] == [hit.hit.passage.text for hit in one] == ["km 99"]


class Scattered(LexiconEncoder):
    """An encoder whose vectors lie anywhere, the same for the same text."""

    def __init__(self):
        super().__init__("scattered")
        self.dimension = 24

    def _vector(self, text):
        vector = np.random.default_rng(crc32(text.encode())).normal(size=self.dimension)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def test_a_large_generation_is_the_small_one_searched_another_way(hundreds, monkeypatch):
    built = generations.build(hundreds)
    loaded = generations.load(hundreds)
    monkeypatch.setattr(generations, "EXACT", 1000)
    small = generations.make(hundreds)
    assert isinstance(small.index, VectorIndex) and not isinstance(loaded.index, VectorIndex)
    assert np.allclose(loaded.alignment.matrix, small.alignment.matrix) and loaded.keys.tolist() == small.keys.tolist()
    queries = loaded.aligned(Scattered().encode_queries([f"he {number}" for number in range(0, 200, 9)]))
    for exhaustive in (False, True):
        right = small.index.search(queries, 5)
        for one in (built, loaded):
            scores, positions = one.index.search(queries, 5, exhaustive=exhaustive)
            assert np.allclose(scores[:, 0], 1, atol=1e-3) and positions[:, 0].tolist() == right[1][:, 0].tolist()
            assert not exhaustive or (np.allclose(scores, right[0], atol=5e-4) and positions.tolist() == right[1].tolist())
    rows = np.asarray([599, 0, 300])
    assert np.allclose(loaded.index.products(queries[:1], rows), small.index.products(queries[:1], rows), atol=5e-4)


@pytest.mark.embedded_only("the files of FAISS; an engine keeps aligned vectors in a table")
def test_no_vector_is_stored_a_second_time(hundreds, monkeypatch):
    generations.build(hundreds)
    folder = hundreds.folder / "generations" / "0001"
    assert sum(path.stat().st_size for path in (folder / "vectors.faiss", folder / "lengths.npy", folder / "keys.npy")) < 600 * 2 * 24 * 1.5
    monkeypatch.setattr(generations, "EXACT", 1000)
    generations.build(hundreds)
    assert sorted(path.name for path in (hundreds.folder / "generations" / "0002").iterdir()) == ["alignment.npz", "keys.npy", "manifest.json"]


def test_what_is_removed_while_a_large_generation_is_made_is_left_out(hundreds):
    fill(hundreds, Scattered(), publication("rivers", ["ar"]), {"ar": ["river"]})
    seen, count = [], hundreds.passage_count()

    def progress(done, total):
        seen.append((done, total))
        if done > total // 2:
            hundreds.remove_publication("woods")

    made = generations.make(hundreds, progress=progress)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and {total for _, total in seen} == {count}
    kept = made.index.search(made.aligned(Scattered().encode_queries(["river"])), 1)
    assert len(made.keys) == len(made.index) == count and hundreds.passages([int(made.keys[kept[1][0][0]])])
    with generations.building(hundreds):
        generations.put_in_use(hundreds, generations.save(hundreds, made))
    assert [hit.publication.publication_id for hit in Searcher(hundreds, Scattered()).search(Query("river"))] == ["rivers"]


def test_making_a_generation_can_be_ended(hundreds):
    def ends(done, total):
        if done > 0.45 * total:  # while vectors are gone through, before what only one of the stores does
            raise InterruptedError

    with pytest.raises(InterruptedError):
        generations.make(hundreds, progress=ends)
    assert not list(hundreds.folder.glob("generations/*"))


def test_a_generation_is_current_until_a_passage_comes_or_goes_or_more_is_known(hundreds):
    assert not generations.is_current(hundreds)
    generations.build(hundreds)
    assert generations.is_current(hundreds)
    fill(hundreds, Scattered(), publication("rivers", ["ar"]), {"ar": ["river"]})
    assert not generations.is_current(hundreds)
    generations.build(hundreds)
    assert generations.is_current(hundreds)
    hundreds.remove_publication("rivers")
    assert not generations.is_current(hundreds)
    generations.build(hundreds)
    save_prior(LanguagePrior({"en": np.ones(24, np.float32)}, None), hundreds.folder / "prior-scattered.npz")
    assert not generations.is_current(hundreds)
