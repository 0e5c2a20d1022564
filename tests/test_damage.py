"""Damaged generations: noticed, set aside, never deleted, and search gives what an undamaged library gives, meanwhile and afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index import generations, verification
from index.alignment import LanguagePrior
from index.durable import checksum
from index.language_priors import save_prior
from index.library import Library
from index.searcher import Query, Searcher

FILES = ("keys.npy", "alignment.npz", "manifest.json")
LARGE = (*FILES, "vectors.faiss", "lengths.npy")  # of a library whose vectors are not all held in memory
QUESTIONS = ("forest", "ป่า", "agua", "مدرسة", "bus autobus", "wald water")
Damage = Callable[[Path], object]


def flipped_at(share: float) -> Damage:
    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(share * (len(content) - 1))] ^= 0x10
        path.write_bytes(content)

    return flip


DAMAGES: dict[str, Damage] = {
    "first byte flipped": flipped_at(0),
    "byte in the middle flipped": flipped_at(0.5),
    "last byte flipped": flipped_at(1),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "missing": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.fixture
def built(library, tmp_path) -> Library:
    """A library in five languages, so that its generation is aligned, built twice."""
    words = {
        "en": ["forest", "water", "school bus"],
        "de": ["Wald", "Wasser"],
        "es": ["bosque", "agua escuela"],
        "th": ["ป่า", "น้ำ"],
        "ar": ["غابة", "مدرسة"],
    }
    original = tmp_path / "original.pdf"
    original.write_bytes(b"%PDF-1.4")
    library.keep_file(original, checksum(original))
    offsets = {tag: np.full(5, 0.02 * place, np.float32) for place, tag in enumerate(words)}
    save_prior(LanguagePrior(offsets, None), library.folder / "prior-lexicon.npz")  # so that the generation is aligned
    for number in range(6):
        work = publication(f"work-{number}", list(words))
        work = replace(work, editions=tuple(replace(edition, digest=checksum(original)) for edition in work.editions))
        fill(library, LexiconEncoder(), work, {tag: [f"{text} {number}" for text in texts] for tag, texts in words.items()})
    generations.build(library)
    generations.build(library)
    return library


def found(library: Library) -> list[tuple[str, str, float]]:
    """What a fresh process finds for all questions."""
    searcher = Searcher(library, LexiconEncoder())
    return [
        (hit.publication.publication_id, hit.hit.passage.text, round(hit.score, 5))
        for question in QUESTIONS
        for hit in searcher.search(Query(question), k=20)
    ]


@pytest.fixture
def sound(built, tmp_path) -> list[tuple[str, str, float]]:
    """What the library finds while it is sound."""
    return found(built)


def in_use(library: Library) -> Path:
    return library.folder / "generations" / generations.current_name(library)


@pytest.mark.embedded_only("on an engine the files come out of it again; tests/test_engine_generations.py damages them")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("size", "file"), [("small", file) for file in FILES] + [("large", file) for file in LARGE])
def test_every_damage_of_every_file_is_noticed_set_aside_and_makes_no_difference_to_what_is_found(built, sound, monkeypatch, size, file, damage):
    if size == "large":
        monkeypatch.setattr(generations, "EXACT", 0)
        generations.build(built)
    path = in_use(built) / file
    DAMAGES[damage](path)
    left = {name.name for name in path.parent.iterdir()}
    assert any("generation" in fault or file in fault for fault in verification.faults(built))
    meanwhile = found(built)
    assert meanwhile == sound
    generations.build(built)
    assert found(built) == sound
    assert list(verification.faults(built)) == []
    aside = list((built.folder / "generations").glob("damaged-*"))
    assert [{name.name for name in folder.iterdir()} for folder in aside] == [left]


def test_a_generation_that_is_gone_makes_no_difference_to_what_is_found(built, sound):
    shutil.rmtree(in_use(built))
    assert found(built) == sound
    assert found(built) == sound


def test_without_any_generation_search_finds_the_same(built, sound):
    shutil.rmtree(built.folder / "generations")
    assert found(built) == sound
    assert list(verification.faults(built)) == []


def test_a_searcher_that_is_running_goes_on_while_its_generation_is_damaged(built, sound):
    searcher = Searcher(built, LexiconEncoder())
    before = [hit.publication.publication_id for hit in searcher.search(Query("forest"), k=20)]
    for file in FILES:
        (in_use(built) / file).write_bytes(b"")
    fill(built, LexiconEncoder(), publication("new", ["km"]), {"km": ["bus"]})
    assert [hit.publication.publication_id for hit in searcher.search(Query("forest"), k=20) if hit.publication.publication_id != "new"] == before
    assert "new" in [hit.publication.publication_id for hit in searcher.search(Query("bus"), k=20)]
