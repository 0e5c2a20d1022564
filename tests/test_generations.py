"""Generations: built beside the one in use, swapped whole, noticed when damaged."""

from __future__ import annotations

import json

import pytest
from filling import fill, publication

from index import generations


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


@pytest.mark.parametrize("file", ["vectors.faiss", "keys.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_any_damage_is_noticed_set_aside_and_built_again(filled, file, damage):
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
